"""The picture of the scores of rows, and of the threshold below which they are anomalies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_figure, hide_spines, import_matplotlib
from gaussmix.plot.palette import COLOURS, INK, QUIET
from gaussmix.plot.score_bins import count_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours of rows that are normal, and of those that are not.
NORMAL, ANOMALOUS = "#A9B4BF", COLOURS[1]
#: Width and height of a figure, in inches.
SIZE = 6.4, 3.6
#: The least height of the axis: a bar of one row stands on it.
LEAST_HEIGHT = 0.6


class ScoreDisplay:
    """How many rows have which score, and the threshold of a detector.

    The score is the log-density of a row among the normal rows, in nats; low is anomalous. Heights are on a
    logarithmic axis, since anomalies are few.

    Parameters
    ----------
    scores : array-like of shape (n,)
    threshold : float
        Rows of a lower score are anomalies.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    histogram_ : ScoreHistogram
        Edges, counts, and how many scores lie below the axis.
    bars_ : list of BarContainer
        Of normal rows, and of anomalies where there are any.
    threshold_ : Line2D
    caption_ : Text or None

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import numpy as np
    >>> from gaussmix import GaussianMixtureDetector
    >>> from gaussmix.plot import ScoreDisplay
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> detector = GaussianMixtureDetector(1, contamination=0.02, novelty=True).fit(X)
    >>> display = ScoreDisplay.from_estimator(detector, X, ax=Figure().subplots())
    >>> display.histogram_.n_anomalies
    10
    """

    def __init__(self, scores: npt.ArrayLike, threshold: float) -> None:
        self.scores = np.asarray(scores, dtype=np.float64)
        self.threshold = float(threshold)
        if self.scores.ndim != 1 or not len(self.scores) or np.isnan(self.scores).any():
            raise ValueError("scores must be a list of numbers, one a row, and at least one")
        if not np.isfinite(self.threshold):
            raise ValueError(f"threshold must be a finite number; got {threshold}")

    @classmethod
    def from_estimator(
        cls, detector: Any, X: npt.ArrayLike, *, ax: Axes | None = None, caption: bool | None = None
    ) -> Self:
        """Draw the scores that a detector gives to rows.

        Parameters
        ----------
        detector : GaussianMixtureDetector
            Or another fitted detector with `score_samples` and `offset_`.
        X : array-like of shape (n, d)
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.
        """
        return cls(detector.score_samples(X), detector.offset_).plot(ax, caption=caption)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        legend: bool = True,
        caption: bool | None = None,
        figure: Figure | None = None,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        legend : bool, default=True
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.

        Returns
        -------
        ScoreDisplay
            Itself, with the attributes set.
        """
        with find_figure(ax, figure, SIZE) as own:
            panel = ax if own is None else own.subplots()
            self._draw(panel, legend=legend)
            self.caption_ = add_caption(self._describe(), panel, own, wanted=caption)
        return self

    def _draw(self, panel: Any, *, legend: bool) -> None:
        self.ax_, self.figure_ = panel, panel.figure
        self.histogram_ = found = count_scores(self.scores, self.threshold)
        kinds = {"normal": (NORMAL, ~found.anomalous), "anomaly": (ANOMALOUS, found.anomalous)}
        left, width = found.edges[:-1], np.diff(found.edges)
        self.bars_: list[Any] = []
        for label, (colour, chosen) in kinds.items():
            if not chosen.any():
                continue
            look: dict[str, Any] = {"align": "edge", "color": colour, "edgecolor": "white", "linewidth": 0.4}
            self.bars_.append(
                panel.bar(left[chosen], found.counts[chosen], width[chosen], label=label, **look)
            )
        self.threshold_ = panel.axvline(
            found.threshold, color=INK, linewidth=1.2, linestyle="--", label="threshold"
        )
        panel.set_yscale("log")
        panel.set_ylim(LEAST_HEIGHT, 1.6 * max(int(found.counts.max()), 1))
        panel.set_xlim(found.edges[0], found.edges[-1])
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.set_xlabel("score: log-density among the normal rows (nats)")
        panel.set_ylabel("rows")
        hide_spines(panel)
        if found.n_below:
            note = f"← {found.n_below:,} of lower scores"
            at = (0.01, 0.97)
            panel.annotate(note, at, xycoords="axes fraction", va="top", color=QUIET, fontsize=9)
        if legend:
            panel.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))

    def _describe(self) -> str:
        """What the picture shows."""
        found = self.histogram_
        told = f"{found.n_anomalies:,} of {found.n_rows:,} rows score below the threshold, "
        told += f"{found.threshold:.4g}."
        if found.n_below:
            told += " The first bar holds all rows of lower scores, too."
        return told


def save_scores(scores: npt.ArrayLike, threshold: float, path: str | Path, *, dpi: float = 150) -> None:
    """Write the picture of scores to a file, without a window and without pyplot."""
    figure = import_matplotlib("figure").Figure(layout="constrained")
    ScoreDisplay(scores, threshold).plot(figure=figure)
    figure.savefig(path, dpi=dpi)
