"""The picture of how good probabilities of classes are: what was found beside what was stated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix.apps.classes.calibration import Reliability, measure_reliability
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_figure, hide_spines, import_matplotlib
from gaussmix.plot.palette import BORDER, INK, PALE, QUIET, pick_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

#: Width and height, in inches.
SIZE = (4.6, 4.4)
#: The height of the tallest bar, as a share of the picture.
TALLEST = 0.25


class ReliabilityDisplay:
    """Of rows whose class was given a probability, the share for which it was right, bin by bin.

    Points on the dashed line are of probabilities that hold; below it, of a classifier that is too sure.
    Whiskers are one standard error of the share. Bars say how many rows each bin has.

    Parameters
    ----------
    reliability : Reliability

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    curve_ : ErrorbarContainer
    bars_ : StepPatch
    caption_ : Text or None

    References
    ----------
    A. Niculescu-Mizil and R. Caruana, Predicting good probabilities with supervised learning, Proc. 22nd Int.
    Conf. Mach. Learn. (2005) 625-632.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sklearn.datasets import load_wine
    >>> from gaussmix import GaussianMixtureClassifier
    >>> from gaussmix.plot import ReliabilityDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> model = GaussianMixtureClassifier(1, covariance_type="diag", shrinkage=1.0).fit(X[::2], y[::2])
    >>> display = ReliabilityDisplay.from_estimator(model, X[1::2], y[1::2], ax=Figure().subplots())
    >>> display.ax_.get_xlabel()
    'probability of the most probable class'
    """

    def __init__(self, reliability: Reliability) -> None:
        self.reliability = reliability

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        n_bins: int = 10,
        ax: Axes | None = None,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the reliability of a fitted classifier, ours or any with `predict_proba` and `classes_`.

        Parameters
        ----------
        estimator : classifier
        X : array-like of shape (n_samples, n_features)
            Rows that it was not fitted to.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), optional
        n_bins : int, default=10
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            As :func:`gaussmix.measure_reliability`.
        """
        probabilities = estimator.predict_proba(X)
        found = measure_reliability(
            probabilities, y, classes=estimator.classes_, sample_weight=sample_weight, n_bins=n_bins
        )
        return cls(found).plot(ax, figure=figure, caption=caption)

    def plot(
        self, ax: Axes | None = None, *, figure: Figure | None = None, caption: bool | None = None
    ) -> Self:
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
        with find_figure(ax, figure, SIZE) as own:
            panel: Axes = ax if own is None else own.subplots()  # type: ignore[assignment]
            self._draw(panel)
            self.caption_ = add_caption(self._describe(), np.array([panel]), own, wanted=caption)
        self.ax_, self.figure_ = panel, panel.figure
        return self

    def _draw(self, panel: Axes) -> None:
        found = self.reliability
        some = found.counts > 0.0
        heights = TALLEST * found.counts / max(found.counts.max(), 1e-300)
        self.bars_ = panel.stairs(heights, found.edges, fill=True, facecolor=PALE, edgecolor=BORDER, zorder=0)
        panel.plot([0.0, 1.0], [0.0, 1.0], color=QUIET, linestyle="--", linewidth=1.0, zorder=1)
        share, counts = found.found[some], found.counts[some]
        errors = np.sqrt(share * (1.0 - share) / counts)
        self.curve_ = panel.errorbar(
            found.stated[some],
            share,
            yerr=errors,
            color=pick_colour(0),
            marker="o",
            markersize=5,
            linewidth=1.6,
            elinewidth=1.0,
            zorder=2,
        )
        panel.set_xlim(float(found.edges[0]) - 0.02, 1.02)
        panel.set_ylim(0.0, 1.03)
        panel.set_xlabel("probability of the most probable class")
        panel.set_ylabel("share of rows for which it is right")
        panel.set_title(
            f"Brier score {found.brier:.3f}, log-loss {found.log_loss:.3f}", fontsize=10, color=INK
        )
        hide_spines(panel)

    def _describe(self) -> str:
        """What the picture shows."""
        found = self.reliability
        return (
            f"Of {found.counts.sum():,.0f} rows, {found.accuracy:.1%} are given their class. Points on the "
            "dashed line are of probabilities that hold; below it, of a classifier that is too sure. "
            "Whiskers: one standard error. Bars: how many rows are given such a probability."
        )


def save_reliability(reliability: Reliability, path: str | Path, *, dpi: float = 150) -> None:
    """Write the picture to a file, without a window and without pyplot."""
    figure = import_matplotlib("figure").Figure(layout="constrained")
    ReliabilityDisplay(reliability).plot(figure=figure)
    figure.savefig(path, dpi=dpi)
