"""The picture of how sure the parameters of a mixture are: estimates with their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.clusters.separation import measure_separation
from gaussmix.infer.bootstrap import Bootstrap
from gaussmix.infer.errors import ParameterErrors
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_figure, hide_spines
from gaussmix.plot.names import FEW_CHARACTERS, choose_look, format_name
from gaussmix.plot.palette import INK, pick_colour, pick_marker
from gaussmix.plot.reading import find_names
from gaussmix.plot.view import pick_features, tell_features

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width of a panel for each component, beside the room of its axis, and height of all panels, in inches.
COMPONENT_WIDTH = 0.45
AXIS_WIDTH = 1.1
HEIGHT = 3.4
#: Width of the shape of the resamples, in components.
SHAPE_WIDTH = 0.7
#: Spread of resamples, relative to their size, below which they are one value and have no shape.
NOTHING = 1e-12


class IntervalDisplay:
    """The weights and means of a mixture with their confidence intervals, component by component.

    A marker is an estimate, a bar its interval. Of a bootstrap the pale shape behind them is the distribution
    of the resamples. The first panel has the weights, and one more for each feature has its means, in units
    of the feature: intervals that do not meet are of components that differ there.

    Parameters
    ----------
    titles : sequence of str
        What each panel shows.
    estimates, lower, upper : ndarray of shape (k, panels)
    resamples : ndarray of shape (B, k, panels), optional
    level : float, default=0.95
        That of the intervals.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (panels,)
    ax_ : Axes
        The first of them.
    figure_ : Figure
    markers_, bars_ : list of list of Line2D or LineCollection
        By panel and component.
    shapes_ : list of PolyCollection
        Of the resamples, where there are any.
    caption_ : Text or None

    References
    ----------
    A. O'Hagan, T. B. Murphy, L. Scrucca and I. C. Gormley, Investigation of parameter uncertainty in
    clustering using a Gaussian mixture model via jackknife, bootstrap and weighted likelihood bootstrap,
    Comput. Stat. 34 (2019) 1779-1813.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import IntervalDisplay
    >>> X, names = load_faithful()
    >>> fit = gaussmix.fit_mixture(X, 2, feature_names=names, random_state=0)
    >>> errors = gaussmix.estimate_errors(X, fit)
    >>> display = IntervalDisplay.from_estimator(errors, ax=Figure().subplots(1, 3))
    >>> [ax.get_title() for ax in display.axes_]
    ['weight', 'eruptions', 'waiting']
    """

    def __init__(
        self,
        titles: Sequence[str],
        estimates: npt.ArrayLike,
        lower: npt.ArrayLike,
        upper: npt.ArrayLike,
        *,
        resamples: npt.ArrayLike | None = None,
        level: float = 0.95,
    ) -> None:
        self.titles = tuple(titles)
        self.estimates, self.lower, self.upper = (
            np.asarray(values, dtype=np.float64) for values in (estimates, lower, upper)
        )
        self.resamples = None if resamples is None else np.asarray(resamples, dtype=np.float64)
        self.level = level
        self._features = ""  # which are shown, where not all are
        shape = (*self.estimates.shape[:1], len(self.titles))
        shapes = [self.estimates.shape, self.lower.shape, self.upper.shape]
        if self.resamples is not None:
            shapes.append(self.resamples.shape[1:])
        if any(each != shape for each in shapes):
            raise ValueError(
                f"{len(self.titles)} panels need estimates, bounds and resamples of the shape {shape}; got "
                + ", ".join(map(str, shapes))
            )

    @classmethod
    def from_estimator(
        cls,
        estimated: Bootstrap | ParameterErrors,
        *,
        level: float = 0.95,
        features: Sequence[int | str] | None = None,
        ax: npt.NDArray[np.object_] | Axes | None = None,
        figure: Figure | None = None,
        caption: bool | None = None,
        **options: Any,
    ) -> Self:
        """Draw the weights and means of a bootstrap, or of standard errors.

        Parameters
        ----------
        estimated : Bootstrap or ParameterErrors
            Of :func:`gaussmix.bootstrap` or :func:`gaussmix.estimate_errors`.
        level : float, default=0.95
        features : sequence of int or str, optional
            Positions or names of the features to show, in this order. Without it, the six that tell
            components apart most.
        ax : array of Axes, optional
            One for the weights and one for each feature; without it, those of a new figure.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.
        **options
            As for the intervals of `estimated`, such as ``kind="percentile"``.

        Returns
        -------
        IntervalDisplay

        Raises
        ------
        TypeError
            If `estimated` has no intervals.
        ValueError
            If a feature is unknown, or the number of Axes is wrong.
        """
        if not isinstance(estimated, Bootstrap | ParameterErrors):
            raise TypeError(
                "intervals are those of gaussmix.bootstrap or gaussmix.estimate_errors; got "
                + type(estimated).__name__
            )
        mixture = estimated.mixture
        names = find_names(mixture, None, mixture.n_features)
        chosen, choice = pick_features(names, features, lambda: measure_separation(mixture))
        bounds = estimated.intervals(level, **options)

        def join(weights: Float64Array, means: Float64Array) -> Float64Array:
            return np.concatenate([weights[..., None], means[..., chosen]], axis=-1)

        display = cls(
            ["weight", *(names[j] for j in chosen)],
            join(mixture.weights, mixture.means),
            join(bounds.lower.weights, bounds.lower.means),
            join(bounds.upper.weights, bounds.upper.means),
            resamples=join(estimated.weights, estimated.means) if isinstance(estimated, Bootstrap) else None,
            level=level,
        )
        display._features = tell_features(len(chosen), len(names), choice)
        return display.plot(ax, figure=figure, caption=caption)

    def plot(
        self,
        ax: npt.NDArray[np.object_] | Axes | None = None,
        *,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : array of Axes, optional
            One a panel; without it, those of a new figure.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        self
            With the attributes set.
        """
        k, n_panels = self.estimates.shape
        width = n_panels * float(np.clip(AXIS_WIDTH + COMPONENT_WIDTH * k, 1.8, 5.0))
        self.markers_: list[list[Any]] = []
        self.bars_: list[list[Any]] = []
        self.shapes_: list[Any] = []
        with find_figure(ax, figure, (min(width, 16.0), HEIGHT)) as found:
            given = np.asarray(ax if found is None else found.subplots(1, n_panels), dtype=object).ravel()
            if given.size != n_panels:
                raise ValueError(f"weights and features take {n_panels} Axes; ax has {given.size}")
            self.axes_ = given
            for place, panel in enumerate(given):
                self._draw_panel(panel, place)
            self.caption_ = add_caption(self._describe(), given, found, wanted=caption)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        self.ax_.set_ylabel(f"estimate and {100 * self.level:.4g}% interval")
        return self

    def _describe(self) -> str:
        """What the picture shows."""
        told = [self._features, f"Markers: estimates. Bars: {100 * self.level:.4g} % intervals."]
        if self.shapes_ and self.resamples is not None:
            told.append(f"Pale shapes: the distribution over {len(self.resamples):,} resamples.")
        return " ".join(filter(None, told))

    def _draw_panel(self, panel: Axes, place: int) -> None:
        k = len(self.estimates)
        markers, bars = [], []
        for c in range(k):
            colour = pick_colour(c)
            self._draw_shape(panel, c, place, colour)
            low, high = self.lower[c, place], self.upper[c, place]
            bars.append(panel.vlines([c], [low], [high], color=colour, linewidth=2.2, zorder=3))
            look: dict[str, Any] = {"color": colour, "marker": pick_marker(c), "markersize": 6, "zorder": 4}
            markers += panel.plot(
                [c], [self.estimates[c, place]], linestyle="", markeredgecolor="white", **look
            )
        self.markers_.append(markers)
        self.bars_.append(bars)
        panel.set_xlim(-0.6, k - 0.4)
        panel.set_xticks(range(k) if k <= 12 else range(0, k, 5))
        panel.set_xlabel("component")
        title = format_name(self.titles[place], FEW_CHARACTERS)
        panel.set_title(title, fontsize=10, color=INK, **choose_look(title))
        panel.grid(axis="y", color="#EEEEEE", linewidth=0.8)
        panel.set_axisbelow(True)
        hide_spines(panel)

    def _draw_shape(self, panel: Axes, c: int, place: int, colour: str) -> None:
        """The distribution of the resamples, where they have one."""
        if self.resamples is None:
            return
        values = self.resamples[:, c, place]
        if len(values) < 2 or np.ptp(values) <= NOTHING * np.abs(values).max():
            return
        parts = panel.violinplot([values], [c], widths=SHAPE_WIDTH, showextrema=False)
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=colour, alpha=0.22, edgecolor="none")
            self.shapes_.append(body)
