"""The picture of a mixture of many features in the plane in which its components are told apart best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_named_rows
from gaussmix._typing import Float64Array
from gaussmix.clusters.merging import Merging
from gaussmix.clusters.projection import Projection, project
from gaussmix.plot.display import ViewDisplay, check_kind
from gaussmix.plot.figures import format_percent, spread_out
from gaussmix.plot.labelling import ByMixture, read_clusters, read_left_out
from gaussmix.plot.names import format_name, write_plainly
from gaussmix.plot.palette import INK
from gaussmix.plot.plane import STANDARD_DEVIATIONS
from gaussmix.plot.reading import find_names, read_mixture
from gaussmix.plot.table import Table
from gaussmix.plot.view import MOST_POINTS, View, make_view, read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Features whose arrows are drawn: those with the longest.
MOST_ARROWS = 8
#: Characters of a feature's name beside its arrow.
MOST_CHARACTERS = 14
#: Arrows shorter than this share of the longest say nothing.
LEAST_ARROW = 0.05
#: How far the longest arrow goes from the centre to the border, as a share.
REACH = 0.8
#: The least distance of two names on one side, as a share of the height of the panel.
NAME_DISTANCE = 0.042


class ProjectionDisplay(ViewDisplay):
    """A mixture and its rows in the directions in which the components are told apart best.

    Rows have the label and the uncertainty that all features together give them; ellipses, curves and borders
    are those of the mixture as it looks in these directions. The arrows are the features: where a row moves
    when one of them rises, by the same number of standard deviations for each. Kinds are those of
    :class:`gaussmix.plot.MixtureDisplay`, and so is what many rows look like.

    Parameters
    ----------
    view : View
        What is shown, computed by :meth:`from_estimator`.
    projection : Projection
    feature_names : sequence of str
    kind : {"classification", "uncertainty", "density"}, default="classification"

    Attributes
    ----------
    ax_ : Axes
        The Axes of one or two directions; of pairs, the one at the lower left.
    axes_ : ndarray of Axes
    figure_ : Figure
    artists_ : Artists
        As for :class:`gaussmix.plot.MixtureDisplay`.
    arrows_ : dict of str to Annotation
        By the name of the feature.

    References
    ----------
    L. Scrucca, Dimension reduction for model-based clustering, Stat. Comput. 20 (2010) 471-484.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.plot import ProjectionDisplay
    >>> means = [[0.0, 0.0, 0.0], [4.0, 0.0, 1.0], [0.0, 4.0, 2.0]]
    >>> mixture = gaussmix.Mixture([0.3, 0.3, 0.4], means, [1.0, 1.0, 1.0], "spherical")
    >>> X, _ = mixture.sample(100, 0)
    >>> display = ProjectionDisplay.from_estimator(mixture, X, ax=Figure().subplots())
    >>> display.projection.basis.shape, len(display.arrows_)
    ((3, 2), 3)
    """

    def __init__(
        self,
        view: View,
        projection: Projection,
        feature_names: Sequence[str],
        *,
        kind: str = "classification",
    ) -> None:
        super().__init__(view, kind=kind)
        self.projection = projection
        self.feature_names = tuple(feature_names)

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: npt.ArrayLike | None = None,
        *,
        kind: str = "classification",
        n_directions: int | None = None,
        means_share: float = 1.0,
        clusters: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        left_out: npt.ArrayLike | None = None,
        max_points: int = MOST_POINTS,
        seed: int = 0,
        ax: Axes | npt.NDArray[np.object_] | None = None,
        **options: Any,
    ) -> Self:
        """Draw a fitted model, over rows if there are any.

        Parameters
        ----------
        model : GaussianMixture, Mixture, FitResult, Merging, Projection or the result of a search
            Of a Projection the directions are its own; without one they are those of the mixture alone
            (``project(model)``), so that X does not change them.
        X : array-like or data frame of shape (n_samples, n_features), optional
        kind : {"classification", "uncertainty", "density"}, default="classification"
        n_directions : int, optional
            One direction is drawn as a curve, two are a plane, more are drawn in pairs. By default two,
            or one where there are no more.
        means_share : float, default=1.0
            As for :func:`gaussmix.project`: less than one lets differences of covariances count.
        clusters, sample_weight, left_out, max_points, seed, ax
            As for :meth:`gaussmix.plot.MixtureDisplay.from_estimator`.
        **options
            As for :meth:`plot`.

        Returns
        -------
        ProjectionDisplay

        Raises
        ------
        TypeError
            If `model` is nothing that has a mixture.
        ValueError
            If there are fewer directions than `n_directions`, or an argument is wrong.
        """
        check_kind(kind)
        mixture = read_mixture(model)
        given = model if isinstance(model, Projection) else None
        projection = (
            project(mixture, n_directions=n_directions, means_share=means_share) if given is None else given
        )
        if n_directions is None:
            n_directions = min(2, len(projection.eigenvalues))
        values, own = (None, None) if X is None else read_named_rows(X)
        names = find_names(mixture, own, mixture.n_features)
        if clusters is None and isinstance(model, Merging):
            clusters = model.labels()
        groups = read_clusters(clusters, mixture.n_components)
        table = None
        if values is not None:
            rows, weights = read_table(values, mixture.n_features, sample_weight)
            labelling = ByMixture(mixture, groups, read_left_out(left_out, len(rows)))
            table = Table(rows, weights, labelling, projection)
        shadow = projection.project_mixture(n_directions)
        titles = tuple(map(_name_direction, projection.names, projection.shares))[:n_directions]
        view = make_view(shadow, titles, range(n_directions), groups, table, max_points=max_points, seed=seed)
        if mixture.noise is not None:  # which no direction has a share of, and rows may still have its label
            shares: Float64Array = np.bincount(groups, weights=mixture.weights).astype(np.float64)
            view = replace(view, shares=shares, noise=mixture.noise.weight)
        return cls(view, projection, names, kind=kind).plot(ax, **options)

    def plot(
        self,
        ax: Axes | npt.NDArray[np.object_] | None = None,
        *,
        kind: str | None = None,
        standard_deviations: Sequence[float] = STANDARD_DEVIATIONS,
        legend: bool = True,
        caption: bool | None = None,
        arrows: bool = True,
        scatter_options: Mapping[str, Any] | None = None,
        ellipse_options: Mapping[str, Any] | None = None,
        figure: Figure | None = None,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        arrows : bool, default=True
            Whether arrows show where the features lead, at most eight of them.
        ax, kind, standard_deviations, legend, caption, scatter_options, ellipse_options, figure
            As for :meth:`gaussmix.plot.MixtureDisplay.plot`.

        Returns
        -------
        self
            With the attributes set.
        """
        self._has_arrows = arrows and self.view.n_shown == 2
        super().plot(
            ax,
            kind=kind,
            standard_deviations=standard_deviations,
            legend=legend,
            caption=caption,
            scatter_options=scatter_options,
            ellipse_options=ellipse_options,
            figure=figure,
        )
        self.arrows_: dict[str, Any] = {}
        if self._has_arrows:
            self._draw_arrows()
        return self

    def _tell_more(self) -> str:
        told = "Axes: the directions in which components differ most, and their shares."
        return told + (" Arrows: where features move a row." if self._has_arrows else "")

    def _draw_arrows(self) -> None:
        """Draw the features as arrows from the centre, the names on each side as far apart as they need."""
        deviations = np.sqrt(self.projection.mixture.total_variances)
        ends = self.projection.basis[:, :2] * deviations[:, None]
        # All arrows have one scale, by which the longest stays within the panel.
        room = np.where(ends < 0.0, -self.view.limits[:, 0], self.view.limits[:, 1])
        shares = np.abs(ends) / room
        ends = ends * (REACH / shares.max())
        lengths = shares.max(axis=1) / shares.max()
        longest = np.argsort(-lengths, kind="stable")[:MOST_ARROWS]
        chosen = longest[lengths[longest] > LEAST_ARROW]
        for left in (True, False):
            side = [int(j) for j in chosen if (ends[j, 0] < 0.0) == left]
            side.sort(key=lambda j: ends[j, 1])
            low, height = self.view.limits[1, 0], np.ptp(self.view.limits[1])
            if not side:
                continue
            places = spread_out((ends[side, 1] - low) / height, NAME_DISTANCE)
            for j, place in zip(side, places, strict=True):
                self._draw_arrow(self.feature_names[j], ends[j], low + height * place, left=left)

    def _draw_arrow(self, name: str, end: Float64Array, height: float, *, left: bool) -> None:
        """Draw one arrow, and its name beside its tip, at this height."""
        tip = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "alpha": 0.8, "shrinkA": 0, "shrinkB": 0}
        self.ax_.annotate("", end, xytext=(0.0, 0.0), arrowprops=tip, zorder=5)
        place = (float(end[0]), height)
        look: dict[str, Any] = {"ha": "right" if left else "left", "va": "center", "fontsize": 8}
        offset = {"xytext": (-4 if left else 4, 0), "textcoords": "offset points"}
        text = self.ax_.annotate(format_name(name, MOST_CHARACTERS), place, color=INK, **look, **offset)
        text.set(
            zorder=6, bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
        )
        write_plainly(text)
        self.arrows_[name] = text


def _name_direction(name: str, share: float) -> str:
    return f"{name} ({format_percent(float(share))})" if share > 0.0 else name
