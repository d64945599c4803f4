"""The picture of what tells components apart: the mean and the spread of each feature in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import find_column_names
from gaussmix._typing import Float64Array, IntArray
from gaussmix.clusters.separation import measure_separation, rank_features
from gaussmix.model.mixture import Mixture
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_panel, format_percent, hide_spines
from gaussmix.plot.labelling import read_clusters
from gaussmix.plot.names import choose_look, format_name, measure_width
from gaussmix.plot.palette import QUIET, pick_colour, pick_marker, pick_style
from gaussmix.plot.reading import find_names, read_mixture
from gaussmix.plot.view import choose_features

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Share of the room between two features over which components stand side by side.
ROOM = 0.5
#: Features beyond which names slant.
LEGIBLE_NAMES = 6
#: Letters of names that have room in an inch of the figure; more of them slant as well.
LETTERS = 8
#: Components beyond which there is no legend beside the names at the ends of lines.
LEGIBLE_COMPONENTS = 16


class ProfileDisplay:
    r"""The means of the components, feature by feature, with their spread.

    Features are standardised: a mean is drawn at :math:`(\mu_{kj} - \mu_j) / \sigma_j`, with :math:`\mu_j`
    and :math:`\sigma_j` the mean and the standard deviation of the whole mixture, and a bar goes
    :math:`\sigma_{kj} / \sigma_j` to either side, one standard deviation of the component. Where the bars of
    two components do not meet, the feature alone tells them apart.

    Parameters
    ----------
    means, deviations : ndarray of shape (k, d)
        Standardised, or in units of the features.
    names : sequence of str
        Of the features.
    weights : ndarray of shape (k,)
    clusters : ndarray of int of shape (k,), optional
        The cluster of each component, which decides its colour.
    standardised : bool, default=True

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    lines_ : list of Line2D
        Of each component.
    bars_ : list of LineCollection
        Of each component.
    caption_ : Text or None

    References
    ----------
    A. Inselberg, The plane with parallel coordinates, The Visual Computer 1 (1985) 69-91.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.plot import ProfileDisplay
    >>> mixture = gaussmix.Mixture([0.5, 0.5], [[0.0, 1.0], [2.0, 1.0]], [[1.0, 4.0], [1.0, 4.0]], "diag")
    >>> display = ProfileDisplay.from_estimator(mixture, ax=Figure().subplots())
    >>> display.means.round(3)
    array([[-0.707,  0.   ],
           [ 0.707,  0.   ]])
    """

    def __init__(
        self,
        means: npt.ArrayLike,
        deviations: npt.ArrayLike,
        names: Sequence[str],
        weights: npt.ArrayLike,
        *,
        clusters: npt.ArrayLike | None = None,
        standardised: bool = True,
    ) -> None:
        self.means = np.asarray(means, dtype=np.float64)
        self.deviations = np.asarray(deviations, dtype=np.float64)
        self.names = tuple(names)
        self.weights = np.asarray(weights, dtype=np.float64)
        self.standardised = standardised
        k, d = self.means.shape
        if self.deviations.shape != (k, d) or len(self.names) != d or self.weights.shape != (k,):
            raise ValueError(
                f"means of the shape {(k, d)} need deviations of this shape, {d} names and {k} weights; got "
                f"{self.deviations.shape}, {len(self.names)} and {self.weights.shape}"
            )
        self.clusters: IntArray = read_clusters(clusters, k)

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any = None,
        *,
        features: Sequence[int | str] | None = None,
        clusters: npt.ArrayLike | None = None,
        standardise: bool = True,
        sort_features: bool = False,
        ax: Axes | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the components of a fitted model.

        Parameters
        ----------
        model : GaussianMixture, Mixture, FitResult or the result of a search
        X : data frame, optional
            Only for the names of its columns, where the model has none.
        features : sequence of int or str, optional
            Positions or names of the features to show, in this order; all without it.
        clusters : array-like of int of shape (n_components,), optional
            The cluster of each component, which decides its colour.
        standardise : bool, default=True
            False keeps the units of the features, for features that share one.
        sort_features : bool, default=False
            Whether features that tell components apart best come first: those that by themselves take away
            the largest share of the uncertainty of the component, I(z; x_j) / H(z).
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        ProfileDisplay

        Raises
        ------
        TypeError
            If `model` is nothing that has a mixture.
        ValueError
            If a feature is unknown.
        """
        mixture = read_mixture(model)
        names = find_names(mixture, None if X is None else find_column_names(X), mixture.n_features)
        chosen = choose_features(names, range(len(names)) if features is None else features)
        centre, scale = mixture.mean, np.sqrt(mixture.total_variances)
        if sort_features:
            chosen = [int(j) for j in rank_features(measure_separation(mixture)) if j in chosen]
        means, deviations = _standardise(mixture, centre, scale, standardise=standardise)
        display = cls(
            means[:, chosen],
            deviations[:, chosen],
            [names[j] for j in chosen],
            mixture.weights,
            clusters=clusters,
            standardised=standardise,
        )
        return display.plot(ax, caption=caption)

    def plot(self, ax: Axes | None = None, *, legend: bool = True, caption: bool | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        legend : bool, default=True
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        ProfileDisplay
            Itself, with the attributes set.
        """
        k, d = self.means.shape
        names = [format_name(name) for name in self.names]
        width = float(np.clip(3.0 + 0.6 * d, 5.5, 14.0))
        slanted = d > LEGIBLE_NAMES or d * max(map(measure_width, names)) > LETTERS * width
        # Names that slant need room below the picture.
        height = 4.4 + (0.05 * max(map(measure_width, names)) if slanted else 0.0)
        panel = find_panel(ax, width, height)
        self.ax_, self.figure_ = panel, panel.figure
        self.lines_: list[Any] = []
        self.bars_: list[Any] = []
        aside = ROOM * ((np.arange(k) + 0.5) / k - 0.5)
        for c in range(k):
            self._draw_component(panel, c, np.arange(d) + aside[c])
        slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
        panel.set_xticks(range(d), names, **choose_look(*names), **slant)
        panel.set_xlim(-0.5, d - 0.5)
        unit = "standard deviations from the mean" if self.standardised else "mean ± standard deviation"
        panel.set_ylabel(unit)
        if self.standardised:
            panel.axhline(0.0, color=QUIET, linewidth=0.8, zorder=0.5)
        panel.vlines(np.arange(1, d) - 0.5, 0.0, 1.0, transform=panel.get_xaxis_transform(), color="#E6E6E6")
        hide_spines(panel)
        if legend and k <= LEGIBLE_COMPONENTS:
            panel.legend(
                title="component (weight)",
                loc="upper left",
                bbox_to_anchor=(1.01, 1.0),
                borderaxespad=0.0,
                frameon=False,
                fontsize=9,
                title_fontsize=9,
            )
        own = panel.figure if ax is None else None
        self.caption_ = add_caption(self._describe(), panel, own, wanted=caption)
        return self

    def _describe(self) -> str:
        """What the picture shows."""
        told = "Markers: the mean of each component, larger for larger weights. "
        told += "Bars: one standard deviation of the component to either side."
        if self.standardised:
            told += " Zero is the mean of the whole mixture, and one its standard deviation."
        return told

    def _draw_component(self, panel: Axes, c: int, x: Float64Array) -> None:
        label = int(self.clusters[c])
        colour = pick_colour(label)
        # The area of a marker grows with the weight, so that small components do not look as sure.
        size = 3.5 + 5.0 * float(np.sqrt(self.weights[c]))
        (line,) = panel.plot(
            x,
            self.means[c],
            color=colour,
            linestyle=pick_style(label),
            linewidth=1.1,
            marker=pick_marker(label),
            markersize=size,
            label=f"{c}  ({format_percent(float(self.weights[c]))})",
            zorder=3,
        )
        low, high = self.means[c] - self.deviations[c], self.means[c] + self.deviations[c]
        bars = panel.vlines(x, low, high, color=colour, linewidth=3.0, alpha=0.4, zorder=2)
        self.lines_.append(line)
        self.bars_.append(bars)


def _standardise(
    mixture: Mixture, centre: Float64Array, scale: Float64Array, *, standardise: bool
) -> tuple[Float64Array, Float64Array]:
    deviations = np.sqrt(mixture.variances)
    if not standardise:
        return mixture.means, deviations
    return (mixture.means - centre) / scale, deviations / scale
