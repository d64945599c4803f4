"""The picture of why a row is an anomaly: what each feature contributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix._text import count_noun
from gaussmix.apps.anomaly.explanation import Explanation, write_values
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_panel, hide_spines
from gaussmix.plot.names import choose_look, format_name
from gaussmix.plot.palette import COLOURS, QUIET
from gaussmix.plot.scores import ANOMALOUS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Features that are shown, unless the caller wants more.
MOST_FEATURES = 10
#: Height of a bar, and of all else, in inches.
BAR, REST = 0.32, 1.3
#: Room beside the longest bar for what it says, in lengths of that bar.
ROOM = 0.45


class ReasonDisplay:
    """What each feature of a row contributes to its being an anomaly, in nats.

    A bar is the Shapley value of a feature, 1/2 (z - m)_j (P (z - m))_j: the bars sum to how far the
    log-density of the row's component is below its greatest value. A bar to the left makes up for others.
    Beside it stands the value that is expected of the feature, given all others.

    Parameters
    ----------
    explanation : Explanation
    row : int, default=0
        Which of its rows.
    n_features : int, default=10
        Bars at most: those that are longest. The last bar stands for all other features.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    bars_ : BarContainer
    features_ : list of int
        The features shown, from top to bottom.
    caption_ : Text or None

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import numpy as np
    >>> from gaussmix import GaussianMixtureDetector
    >>> from gaussmix.plot import ReasonDisplay
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> detector = GaussianMixtureDetector(1, novelty=True).fit(X)
    >>> display = ReasonDisplay.from_estimator(detector, [[0.0, 9.0, 1.0]], ax=Figure().subplots())
    >>> display.features_[0]
    1
    """

    def __init__(self, explanation: Explanation, row: int = 0, *, n_features: int = MOST_FEATURES) -> None:
        if not -len(explanation) <= row < len(explanation):
            raise ValueError(f"row {row} is not among the {count_noun(len(explanation), 'row')} explained")
        if n_features < 1:
            raise ValueError(f"n_features must be at least 1; got {n_features}")
        self.explanation, self.row, self.n_features = explanation, row, n_features

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        X: Any,
        *,
        row: int = 0,
        n_features: int = MOST_FEATURES,
        ax: Axes | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw what a detector says of a row.

        Parameters
        ----------
        detector : GaussianMixtureDetector
        X : array-like of shape (n, d)
        row : int, default=0
            Which row of X.
        n_features : int, default=10
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.
        """
        display = cls(detector.explain(X), row, n_features=n_features)
        return display.plot(ax, caption=caption)

    def plot(self, ax: Axes | None = None, *, caption: bool | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        ReasonDisplay
            Itself, with the attributes set.
        """
        contributions = self.explanation.contributions[self.row]
        order = np.argsort(-np.abs(contributions), kind="stable")
        n_shown = len(order) if len(order) <= self.n_features else self.n_features - 1
        shown = sorted(order[:n_shown].tolist(), key=lambda j: -contributions[j])
        lengths = [float(contributions[j]) for j in shown]
        labels, notes = zip(*map(self._write_texts, shown), strict=True) if shown else ((), ())
        if n_shown < len(order):
            rest = order[n_shown:]
            lengths.append(float(contributions[rest].sum()))
            labels, notes = (*labels, f"{len(rest)} others"), (*notes, "")
        panel = find_panel(ax, 6.4, REST + BAR * len(lengths))
        self.ax_, self.figure_, self.features_ = panel, panel.figure, shown
        places = np.arange(len(lengths))
        colours = [ANOMALOUS if length > 0.0 else COLOURS[0] for length in lengths]
        self.bars_ = panel.barh(places, lengths, color=colours, height=0.7)
        longest = max(map(abs, lengths)) or 1.0
        for place, length, note in zip(places, lengths, notes, strict=True):
            x = max(length, 0.0) + 0.02 * longest
            panel.text(x, float(place), note, va="center", fontsize=8.5, color=QUIET)
        panel.set_yticks(places, labels, **choose_look(*labels))
        panel.set_ylim(len(lengths) - 0.4, -0.6)
        panel.set_xlim(min(0.0, *lengths) - 0.03 * longest, max(0.0, *lengths) + ROOM * longest)
        panel.axvline(0.0, color=QUIET, linewidth=0.8)
        panel.set_xlabel("contribution (nats)")
        hide_spines(panel)
        own = panel.figure if ax is None else None
        self.caption_ = add_caption(self._describe(), panel, own, wanted=caption)
        return self

    def _write_texts(self, j: int) -> tuple[str, str]:
        """A feature with its value, and the value that is expected."""
        found = self.explanation
        value, expected = write_values(float(found.values[self.row, j]), float(found.expected[self.row, j]))
        return f"{format_name(found.feature_names[j], 30)}  {value}", f"expected {expected}"

    def _describe(self) -> str:
        """What the picture shows."""
        found = self.explanation
        told = "Bars sum to how far the log-density of the row's component is below its greatest value, "
        told += f"{found.deficits[self.row]:.3g} nats. A bar to the left makes up for others."
        if found.neighbours[self.row] >= 0:
            told += f" The nearest normal row of the fit is row {found.neighbours[self.row]}."
        return told
