"""The picture of how a fit went: its likelihood by iteration, and where its other starts ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix._text import count_noun
from gaussmix.fit.result import StartReport
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_panel, hide_spines, import_matplotlib
from gaussmix.plot.names import choose_look, format_name, write_plainly
from gaussmix.plot.palette import COLOURS, INK, MARKERS, QUIET
from gaussmix.plot.reading import read_result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What the picture can be of.
KINDS = ("likelihood", "gain")


class LikelihoodDisplay:
    """The log-likelihood of a fit by iteration, and where every start and racer ended.

    The line is the way to the fit: its mean log-likelihood for each unit of weight, at the start and after
    each iteration. A marker stands where each other start, or racer of a race, ended: after how many
    iterations, and how high. With a prior a second line is what EM raised, the likelihood times the prior.
    The kind "gain" is what each iteration gained, on a logarithmic scale: EM has converged where it falls
    below the tolerance, and where it falls slowly acceleration helps.

    Parameters
    ----------
    history : sequence of float
        Mean log-likelihoods, of the start and after each iteration.
    objective : sequence of float, optional
        What EM raised, where that is not the likelihood.
    starts : sequence of StartReport, optional
    outcome : str, optional
        Why the fit stopped; stands above the picture.
    kind : {"likelihood", "gain"}, default="likelihood"

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    line_ : Line2D
    objective_ : Line2D or None
    starts_ : dict of str to PathCollection
        The markers of starts, by where they are from.
    caption_ : Text or None

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin, Maximum likelihood from incomplete data via the EM algorithm,
    J. R. Stat. Soc. B 39 (1977) 1-38.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import LikelihoodDisplay
    >>> X, _ = load_faithful()
    >>> fit = gaussmix.fit_mixture(X, 3, random_state=0)
    >>> display = LikelihoodDisplay.from_estimator(fit, ax=Figure().subplots())
    >>> len(display.line_.get_xdata()) == fit.n_iter + 1
    True
    """

    def __init__(
        self,
        history: Sequence[float],
        *,
        objective: Sequence[float] | None = None,
        starts: Sequence[StartReport] = (),
        outcome: str = "",
        kind: str = "likelihood",
    ) -> None:
        self.history = np.asarray(history, dtype=np.float64)
        self.objective = None if objective is None else np.asarray(objective, dtype=np.float64)
        self.starts = tuple(starts)
        self.outcome = outcome
        self.kind = _check_kind(kind)
        if self.history.ndim != 1 or not np.isfinite(self.history).any():
            raise ValueError("there is no likelihood to draw: the history has no finite number")

    @classmethod
    def from_estimator(
        cls, model: Any, *, kind: str = "likelihood", ax: Axes | None = None, **options: Any
    ) -> Self:
        """Draw how the fit of a model went.

        Parameters
        ----------
        model : FitResult, fitted gaussmix.GaussianMixture or the result of a search
        kind : {"likelihood", "gain"}, default="likelihood"
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        **options
            As for :meth:`plot`.

        Returns
        -------
        LikelihoodDisplay

        Raises
        ------
        TypeError
            If `model` has no history of a fit.
        ValueError
            If the likelihoods are not known, as in a model that scikit-learn fitted.
        """
        result = read_result(model)
        display = cls(
            result.history,
            objective=result.objective if result.log_priors else None,
            starts=result.starts,
            outcome=f"{result.status!s} after {count_noun(result.n_iter, 'iteration')}",
            kind=kind,
        )
        return display.plot(ax, **options)

    @classmethod
    def from_values(
        cls, history: Sequence[float], *, kind: str = "likelihood", ax: Axes | None = None, **options: Any
    ) -> Self:
        """Draw likelihoods that are known, such as ``lower_bounds_`` of scikit-learn's mixture.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from gaussmix.plot import LikelihoodDisplay
        >>> display = LikelihoodDisplay.from_values([-5.0, -4.2, -4.1], ax=Figure().subplots())
        >>> display.ax_.get_xlabel()
        'iteration'
        """
        return cls(history, kind=kind).plot(ax, **options)

    def plot(self, ax: Axes | None = None, *, kind: str | None = None, caption: bool | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        kind : {"likelihood", "gain"}, optional
            Another kind than that of the display.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        LikelihoodDisplay
            Itself, with the attributes set.
        """
        kind = self.kind if kind is None else _check_kind(kind)
        panel = find_panel(ax, 7.0, 4.2)
        self.ax_, self.figure_ = panel, panel.figure
        self.starts_: dict[str, Any] = {}
        self.objective_: Any = None
        draw = {"likelihood": self._draw_likelihood, "gain": self._draw_gain}
        draw[kind](panel)
        panel.set_xlabel("iteration")
        panel.xaxis.set_major_locator(import_matplotlib("ticker").MaxNLocator(integer=True))
        panel.grid(axis="y", color="#EEEEEE", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.set_title(self.outcome, loc="left", fontsize=10, color=QUIET, **choose_look(self.outcome))
        hide_spines(panel)
        own = panel.figure if ax is None else None
        self.caption_ = add_caption(self._describe(kind), panel, own, wanted=caption)
        return self

    def _describe(self, kind: str) -> str:
        """What the picture shows."""
        if kind == "gain":
            return "What each iteration added to the mean log-likelihood of a row, to a logarithmic scale."
        told = ["Line: the mean log-likelihood of a row, iteration by iteration."]
        if self.starts_:
            told.append("Markers: where each start ended.")
            if not all(math.isfinite(report.mean_log_likelihood) for report in self.starts):
                told.append("Crosses at the lower edge: starts that collapsed.")
        return " ".join(told)

    def _draw_likelihood(self, panel: Axes) -> None:
        steps = np.arange(len(self.history))
        few: dict[str, Any] = {"marker": ".", "markersize": 5} if len(steps) <= 60 else {}
        (self.line_,) = panel.plot(steps, self.history, color=INK, linewidth=1.6, label="the fit", **few)
        if self.objective is not None:
            label = "with the prior, what EM raises"
            (self.objective_,) = panel.plot(steps, self.objective, color=QUIET, linestyle="--", label=label)
        self._draw_starts(panel)
        panel.set_ylabel("mean log-likelihood (nats)")
        if self.starts_ or self.objective_ is not None:
            legend = panel.legend(loc="lower right", fontsize=9, title_fontsize=9)
            write_plainly(*legend.get_texts())

    def _draw_starts(self, panel: Axes) -> None:
        """Mark where the starts ended; those that collapsed at the lower edge."""
        sources = dict.fromkeys(report.source for report in self.starts)
        if len(self.starts) < 2:
            return
        edge = panel.get_xaxis_transform()
        for place, source in enumerate(sources):
            reports = [report for report in self.starts if report.source == source]
            ends = [
                (r.n_iter, r.mean_log_likelihood) for r in reports if math.isfinite(r.mean_log_likelihood)
            ]
            lost = len(reports) - len(ends)
            label = f"{count_noun(len(reports), 'start')}: {format_name(source)}" + (
                f", {lost} collapsed" if lost else ""
            )
            look: dict[str, Any] = {
                "color": COLOURS[place % len(COLOURS)],
                "marker": MARKERS[place % len(MARKERS)],
                "s": 26,
                "alpha": 0.8,
                "linewidths": 0,
                "zorder": 3,
            }
            x, y = zip(*ends, strict=True) if ends else ((), ())
            self.starts_[source] = panel.scatter(x, y, label=label, **look)
            if lost:
                fallen = [r.n_iter for r in reports if not math.isfinite(r.mean_log_likelihood)]
                panel.scatter(
                    fallen, [0.015] * lost, transform=edge, **look | {"marker": "x", "linewidths": 1.0}
                )

    def _draw_gain(self, panel: Axes) -> None:
        raised = self.history if self.objective is None else self.objective
        gains = np.diff(raised)
        steps = np.arange(1, len(raised))
        # A step that gains nothing to rounding has no place on a logarithmic scale.
        shown = np.where(gains > 0.0, gains, np.nan)
        (self.line_,) = panel.plot(steps, shown, color=INK, linewidth=1.4, marker=".", markersize=4)
        panel.set_yscale("log")
        panel.set_ylabel("gain of an iteration (nats a row)")


def _check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    return kind
