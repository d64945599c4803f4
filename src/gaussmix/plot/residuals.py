"""The picture of residuals, expert by expert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._typing import Float64Array
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_figure, format_percent, hide_spines, import_matplotlib
from gaussmix.plot.names import name_axes
from gaussmix.plot.palette import QUIET, pick_colour, pick_marker
from gaussmix.plot.points import AREA, AREAS, find_opacity
from gaussmix.plot.predictions import choose_output, find_batch, read_outputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width and height of a panel, in inches, and the most panels side by side.
PANEL = (2.7, 2.5)
MOST_ACROSS = 3
#: The least width of a figure, in inches: its caption has to be readable.
LEAST_WIDTH = 4.2
#: Rows of a smaller responsibility are not drawn: they are the other experts'.
LEAST_RESPONSIBILITY = 0.02
#: Where dashed lines are, in standard deviations of the expert.
BOUNDS = (-2.0, 0.0, 2.0)
#: The least and the greatest reach of the axis of residuals, in standard deviations.
REACH = (3.0, 8.0)


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of rows from each expert.

    Attributes
    ----------
    predicted : ndarray of shape (n, k)
        The mean of each expert for each row.
    residuals : ndarray of shape (n, k)
        (y_i - mean_ik) / sigma_k.
    deviations : ndarray of shape (n, k)
        The standard deviation of the expert, sigma_k.
    responsibilities : ndarray of shape (n, k)
        Posterior probability of each expert for each row.
    name : str
        Of the output.
    """

    predicted: Float64Array
    residuals: Float64Array
    deviations: Float64Array
    responsibilities: Float64Array
    name: str

    def measure_spreads(self) -> Float64Array:
        """The root mean square of each expert's residuals, weighted by responsibilities; shape (k,)."""
        totals = np.maximum(self.responsibilities.sum(axis=0), np.finfo(np.float64).tiny)
        squares = (self.responsibilities * self.residuals**2).sum(axis=0)
        return np.asarray(np.sqrt(squares / totals))


def find_residuals(model: Any, X: Any, y: Any, *, output: int | str | None = None) -> Residuals:
    """Residuals of rows from each expert of a fitted regressor. Errors are those of the display."""
    check_is_fitted(model)
    batch = find_batch(model, X)
    values = read_outputs(y, batch.n_features, len(batch))
    responsibilities = batch.responsibilities(values)
    q, name = choose_output(batch, output, y)
    means = batch.means[:, :, q]
    variances = np.asarray(batch.variances)[..., q]
    deviations = np.broadcast_to(np.sqrt(variances), means.shape)
    return Residuals(means, (values[:, [q]] - means) / deviations, deviations, responsibilities, name)


class ResidualDisplay:
    """Residuals of each expert over its predictions, in its own standard deviations.

    A row is in the panel of every expert that may be its own, the fainter the smaller the expert's
    responsibility. Where the noise of an expert is right, nineteen of twenty lie between the outer lines, and
    no curve is left in them.

    Parameters
    ----------
    residuals : Residuals

    Attributes
    ----------
    axes_ : ndarray of Axes
        One for each expert.
    ax_ : Axes
        The first.
    figure_ : Figure
    points_ : list of PathCollection
    caption_ : Text or None

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from gaussmix import GaussianMixtureRegressor
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import ResidualDisplay
    >>> X, names = load_faithful()
    >>> model = GaussianMixtureRegressor(2, covariance_type="full", random_state=0).fit(X[:, :1], X[:, 1])
    >>> display = ResidualDisplay.from_estimator(model, X[:, :1], X[:, 1], ax=Figure().subplots(1, 2))
    >>> len(display.points_)
    2
    """

    def __init__(self, residuals: Residuals) -> None:
        self.residuals = residuals

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        output: int | str | None = None,
        ax: Any = None,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the residuals of rows.

        Parameters
        ----------
        estimator : GaussianMixtureRegressor or MixtureOfExpertsRegressor
            Or a pipeline that ends in one.
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        output : int or str, optional
            The output to draw; it may be left out where there is one.
        ax : array of Axes, optional
            One for each expert; without it, in a new figure.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        ResidualDisplay

        Raises
        ------
        ValueError
            If X or y have a wrong shape, or there is no such output, or several and none is named.
        TypeError
            If the estimator predicts no distributions.
        """
        found = find_residuals(estimator, X, y, output=output)
        return cls(found).plot(ax, figure=figure, caption=caption)

    def plot(self, ax: Any = None, *, figure: Figure | None = None, caption: bool | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax, figure, caption
            As in :meth:`from_estimator`.

        Returns
        -------
        self
            With the attributes set.
        """
        k = self.residuals.predicted.shape[1]
        across = 2 if k == 4 else min(k, MOST_ACROSS)  # four panels are a square
        down = -(-k // across)
        size = max(PANEL[0] * across, LEAST_WIDTH), PANEL[1] * down + 0.5
        with find_figure(ax, figure, size) as own:
            if own is None:
                panels = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
                if len(panels) != k:
                    raise ValueError(
                        f"ax must be an array of {k} Axes, one for each expert; got {len(panels)}"
                    )
            else:
                panels = own.subplots(down, across, squeeze=False, sharey=True).ravel()
                for panel in panels[k:]:
                    panel.set_visible(False)
            self.axes_ = panels[:k]
            self._draw()
            grid = self.axes_[None] if own is None else panels.reshape(down, across)
            self.caption_ = add_caption(self._describe(), grid, own, wanted=caption)
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        return self

    def _draw(self) -> None:
        found = self.residuals
        held = found.responsibilities >= LEAST_RESPONSIBILITY
        largest = np.abs(found.residuals[held]).max(initial=0.0)
        reach = float(np.clip(1.08 * largest, *REACH))
        shares, spreads = found.responsibilities.mean(axis=0), found.measure_spreads()
        self.points_: list[Any] = []
        for c, panel in enumerate(self.axes_):
            for bound in BOUNDS:
                panel.axhline(bound, color=QUIET, linewidth=0.9, linestyle="--" if bound else "-", zorder=1)
            self._draw_rows(panel, c, held[:, c], reach)
            panel.set_ylim(-reach, reach)
            title = f"expert {c}: {format_percent(float(shares[c]))}, spread {spreads[c]:.2f}"
            panel.set_title(title, fontsize=9, color=pick_colour(c))
            name_axes(panel, x=f"{found.name}, predicted")
            if panel.get_subplotspec() is None or panel.get_subplotspec().is_first_col():
                panel.set_ylabel("residual / deviation")
            hide_spines(panel)

    def _draw_rows(self, panel: Axes, c: int, own: Any, reach: float) -> None:
        """Rows of an expert; those beyond the panel stand at its border."""
        found, n = self.residuals, max(int(own.sum()), 1)
        colour = np.tile(import_matplotlib("colors").to_rgba(pick_colour(c)), (int(own.sum()), 1))
        colour[:, 3] = 0.75 * find_opacity(n) * found.responsibilities[own, c]
        heights = np.clip(found.residuals[own, c], -0.98 * reach, 0.98 * reach)
        area = float(np.clip(AREA / n, *AREAS))
        look: dict[str, Any] = {
            "linewidths": 0,
            "marker": pick_marker(c),
            "rasterized": n > 5000,
            "zorder": 2,
        }
        self.points_.append(panel.scatter(found.predicted[own, c], heights, c=colour, s=area, **look))

    def _describe(self) -> str:
        """What the picture shows."""
        n = len(self.residuals.predicted)
        return (
            f"{n:,} rows, the fainter the smaller the expert's responsibility. Heights are in its own "
            "standard deviations; dashed lines are at two of them. Titles: share of the rows, and spread "
            "of the residuals: one for rows of the fit, and more for others that the expert fits worse."
        )
