"""The picture of a regression along one input: experts and their shares, bands, or the density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_figure, hide_spines, import_matplotlib
from gaussmix.plot.names import format_name, name_axes
from gaussmix.plot.palette import DENSITY, INK, QUIET, pick_colour, pick_marker, pick_style
from gaussmix.plot.plane import put_number
from gaussmix.plot.points import AREA, AREAS, find_opacity
from gaussmix.plot.predictions import SHARES, Predictions, predict_along

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What a picture can be about.
KINDS = ("experts", "bands", "density")
#: Width and height in inches, without shares and with them.
SIZE, TALL_SIZE = (6.0, 4.0), (6.0, 5.2)
#: Heights of the panels of curves and of shares.
HEIGHTS = (3.2, 1.0)
#: Opacity of the curve of an expert whose share is zero, and of one that has all.
OPACITIES = (0.06, 1.0)
#: The least share, at its greatest, of an expert whose curve is numbered.
LEAST_SHARE = 0.1
#: The share, relative to its greatest, from which on a number may stand at a curve.
NEAR = 0.9
#: Distance of two curves, as a share of the panel, at which their numbers do not touch.
APART = 0.1
#: Masses of the regions of highest density, from the smallest.
MASSES = (0.5, 0.8, 0.95)
#: Other inputs that a caption names.
MOST_NAMED = 4


class RegressionDisplay:
    """Predictions of a regressor along one input, with the rows.

    The kind "experts" has the mean of each expert, the fainter the smaller its share, and below the shares
    themselves; "bands" has the median and the regions between quantiles; "density" the regions of highest
    density of y at each x, which may be in parts.

    Parameters
    ----------
    predictions : Predictions
    kind : {"experts", "bands", "density"}, default="experts"

    Attributes
    ----------
    ax_ : Axes
        Of the rows.
    axes_ : ndarray of Axes
        It, and that of the shares where there is one.
    figure_ : Figure
    lines_ : list of Artist
        The curves: one for each expert, and the mean or the median.
    regions_ : list of Artist
        Bands, regions of highest density, or shares.
    points_ : list of PathCollection
    caption_ : Text or None

    References
    ----------
    R. J. Hyndman, Computing and graphing highest density regions, The American Statistician 50 (1996)
    120-126.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from gaussmix import GaussianMixtureRegressor
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import RegressionDisplay
    >>> X, names = load_faithful()
    >>> model = GaussianMixtureRegressor(2, covariance_type="full", random_state=0).fit(X[:, :1], X[:, 1])
    >>> ax = Figure().subplots()
    >>> display = RegressionDisplay.from_estimator(model, X[:, :1], X[:, 1], kind="bands", ax=ax)
    >>> len(display.regions_)
    2
    """

    def __init__(self, predictions: Predictions, *, kind: str = "experts") -> None:
        self.predictions = predictions
        self.kind = check_kind(kind)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        kind: str = "experts",
        feature: int | str | None = None,
        output: int | str | None = None,
        at: Mapping[Any, float] | None = None,
        ax: Any = None,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw what a fitted regressor predicts.

        Parameters
        ----------
        estimator : GaussianMixtureRegressor or MixtureOfExpertsRegressor
            Or a pipeline that ends in one.
        X : array-like or data frame of shape (n_samples, n_features)
            Their range is that of the picture.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Without it no rows are drawn.
        kind : {"experts", "bands", "density"}, default="experts"
        feature : int or str, optional
            The input along which to draw; it may be left out where there is one.
        output : int or str, optional
            The output to draw; likewise.
        at : mapping, optional
            Where other inputs are held, by name or place. By default each is at its median.
        ax : Axes or array of two Axes, optional
            Where to draw; without it, in a new figure. The second is for the shares of the experts.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        RegressionDisplay

        Raises
        ------
        ValueError
            If there is no such kind, input or output, or several and none is named.
        TypeError
            If the estimator predicts no distributions.
        """
        check_kind(kind)
        found = predict_along(estimator, X, y, feature=feature, output=output, at=at)
        return cls(found, kind=kind).plot(ax, figure=figure, caption=caption)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str | None = None,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax, figure, caption
            As in :meth:`from_estimator`.
        kind : {"experts", "bands", "density"}, optional
            Another kind than that of the display.

        Returns
        -------
        self
            With the attributes set.
        """
        kind = self.kind if kind is None else check_kind(kind)
        with find_figure(ax, figure, TALL_SIZE if kind == "experts" else SIZE) as own:
            self.axes_ = panels = _make_panels(ax, own, kind)
            self.lines_: list[Any] = []
            self.regions_: list[Any] = []
            self.points_: list[Any] = []
            {"experts": self._draw_experts, "bands": self._draw_bands, "density": self._draw_density}[kind]()
            top, found = panels[0], self.predictions
            top.set_xlim(found.points[0], found.points[-1])
            top.set_ylim(*found.limits)
            name_axes(top, y=found.names[1])
            name_axes(panels[-1], x=found.names[0])
            for panel in panels:
                hide_spines(panel)
            self.caption_ = add_caption(self._describe(kind), panels[:, None], own, wanted=caption)
        self.ax_, self.figure_ = panels[0], panels[0].figure
        return self

    def _draw_experts(self) -> None:
        """The mean of each expert and of all, the rows by expert, and the shares below."""
        found, panel = self.predictions, self.axes_[0]
        self._draw_rows(by_expert=True)
        collections, colours = import_matplotlib("collections"), import_matplotlib("colors")
        least, most = OPACITIES
        for c, (curve, shares) in enumerate(zip(found.experts.T, found.shares.T, strict=True)):
            path = np.column_stack([found.points, curve])
            between = 0.5 * (shares[1:] + shares[:-1])
            shade = np.tile(colours.to_rgba(pick_colour(c)), (len(between), 1))
            shade[:, 3] = least + (most - least) * between
            pieces = np.stack([path[:-1], path[1:]], axis=1)
            line = collections.LineCollection(
                pieces, colors=shade, linewidths=2.4, capstyle="butt", zorder=2.5
            )
            self.lines_.append(panel.add_collection(line, autolim=False))
            where = int(shares.argmax())
            if shares[where] >= LEAST_SHARE:
                place = self._find_place(c)
                put_number(panel, c, c, float(found.points[place]), float(curve[place]), size=8)
        self.lines_ += panel.plot(
            found.points, found.mean, color=INK, linewidth=1.3, linestyle="--", zorder=3
        )
        if len(self.axes_) > 1:
            self._draw_shares()

    def _find_place(self, c: int) -> int:
        """The point at which the number of an expert stands.

        It is the middle of the longest stretch where the share is near its greatest; or, where other curves
        are near that, the point of the stretch that is farthest from them.
        """
        found = self.predictions
        curves, shares = found.experts, found.shares[:, c]
        low, high = found.limits
        inside = (curves[:, c] > low) & (curves[:, c] < high)
        near = np.flatnonzero((shares >= NEAR * shares.max()) & (inside | ~inside.any()))
        if not near.size:
            return int(shares.argmax())
        stretch = max(np.split(near, np.flatnonzero(np.diff(near) > 1) + 1), key=len)
        middle = int(stretch[len(stretch) // 2])
        others = np.delete(curves, c, axis=1)
        if not others.size:
            return middle
        apart = np.abs(others - curves[:, [c]]).min(axis=1) / (high - low)
        if apart[middle] >= APART:
            return middle
        trimmed = stretch[len(stretch) // 10 : len(stretch) - len(stretch) // 10]
        return int(trimmed[apart[trimmed].argmax()])

    def _draw_shares(self) -> None:
        """The shares, one on the other."""
        found, panel = self.predictions, self.axes_[1]
        tops = np.cumsum(found.shares, axis=1)
        bottoms = tops - found.shares
        for c in range(found.shares.shape[1]):
            colour = pick_colour(c)
            look: dict[str, Any] = {"color": colour, "alpha": 0.55, "linewidth": 0}
            self.regions_.append(panel.fill_between(found.points, bottoms[:, c], tops[:, c], **look))
            panel.plot(found.points, tops[:, c], color=colour, linewidth=0.8, linestyle=pick_style(c))
        panel.set_ylim(0.0, 1.0)
        panel.set_ylabel("share")

    def _draw_bands(self) -> None:
        """The median, and what lies between quantiles."""
        found, panel = self.predictions, self.axes_[0]
        middle = len(SHARES) // 2
        for i in range(middle):
            share = SHARES[-1 - i] - SHARES[i]
            band = panel.fill_between(
                found.points,
                found.quantiles[:, i],
                found.quantiles[:, -1 - i],
                color=DENSITY[i],
                linewidth=0,
                label=f"{share:.0%}",
            )
            self.regions_.append(band)
        median = found.quantiles[:, middle]
        self.lines_ += panel.plot(found.points, median, color=INK, linewidth=1.6, label="median", zorder=3)
        self._draw_rows(by_expert=False)
        _add_legend(panel)

    def _draw_density(self) -> None:
        """At each point of the input the regions of highest density of the output."""
        found, panel = self.predictions, self.axes_[0]
        heights, masses = found.measure_masses()
        patches = import_matplotlib("patches")
        regions = panel.contourf(
            found.points, heights, masses, levels=[-1.0, *MASSES], colors=DENSITY[:0:-1], zorder=0.5
        )
        self.regions_.append(regions)
        keys = [
            patches.Patch(color=colour, label=f"{mass:.0%}")
            for mass, colour in zip(MASSES, DENSITY[:0:-1], strict=True)
        ]
        self._draw_rows(by_expert=False)
        _add_legend(panel, handles=keys)

    def _draw_rows(self, *, by_expert: bool) -> None:
        """The rows: by their most probable expert, the fainter the less sure that is; or as dots."""
        found, panel = self.predictions, self.axes_[0]
        n = len(found.y)
        if not n:
            return
        area, opacity = float(np.clip(AREA / n, *AREAS)), find_opacity(n)
        look: dict[str, Any] = {"linewidths": 0, "rasterized": n > 5000, "zorder": 2}
        if not by_expert:
            self.points_.append(
                panel.scatter(found.x, found.y, color=INK, alpha=0.6 * opacity, s=0.5 * area, **look)
            )
            return
        certain = found.responsibilities.max(axis=1)
        for c in np.unique(found.labels).tolist():
            own = found.labels == c
            colour = np.tile(import_matplotlib("colors").to_rgba(pick_colour(c)), (int(own.sum()), 1))
            colour[:, 3] = opacity * (0.15 + 0.5 * certain[own])
            self.points_.append(
                panel.scatter(found.x[own], found.y[own], c=colour, s=area, marker=pick_marker(c), **look)
            )

    def _describe(self, kind: str) -> str:
        """What the picture shows."""
        found = self.predictions
        texts = {
            "experts": "Curves: the mean of each expert, the fainter the smaller its share, which is below. "
            "Dashed: the mean of all.",
            "bands": "Bands: 80 and 95 % of the outcomes at each point, between quantiles. Line: median.",
            "density": "Regions of highest density: the smallest that have 50, 80 and 95 % of the "
            "outcomes at each point.",
        }
        parts = [texts[kind]]
        if len(found.y):
            look = ", each with colour and marker of its most probable expert" * (kind == "experts")
            parts.append(f"{len(found.y):,} rows{look}.")
        if found.fixed:
            some = [f"{format_name(name, 20)} = {value:.4g}" for name, value in found.fixed[:MOST_NAMED]]
            rest = len(found.fixed) - MOST_NAMED
            some += [f"{rest} more"] if rest > 0 else []
            parts.append(f"Other inputs are held at {', '.join(some)}.")
        return " ".join(parts)


def check_kind(kind: str) -> str:
    """The kind; ValueError unless it is one of `KINDS`."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    return kind


def _make_panels(ax: Any, figure: Figure | None, kind: str) -> Any:
    """One Axes, or two of them above each other, in an array."""
    if ax is not None:
        panels = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        most = 2 if kind == "experts" else 1
        if not 0 < len(panels) <= most:
            raise ValueError(f'ax must be one Axes, or two for kind="experts"; got {len(panels)}')
        return panels
    if figure is None:
        raise ValueError("a picture needs Axes or a figure")
    if kind != "experts":
        return np.array([figure.subplots()])
    return figure.subplots(2, 1, sharex=True, height_ratios=HEIGHTS)


def _add_legend(panel: Axes, **options: Any) -> None:
    panel.legend(loc="best", frameon=False, fontsize=8, labelcolor=QUIET, **options)
