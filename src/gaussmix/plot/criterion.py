"""The picture of a criterion of many models: by number of components, a line for each family."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix._text import count_noun
from gaussmix._typing import Float64Array
from gaussmix.plot.figures import find_panel, hide_spines, import_matplotlib
from gaussmix.plot.palette import COLOURS, INK, MARKERS, QUIET
from gaussmix.plot.reading import read_models
from gaussmix.select.many_models import FittedMixtures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Criteria that every fit has; lower is better.
OF_A_FIT = ("bic", "aic", "icl")
#: What the axis says of a criterion.
TITLES = {"bic": "BIC", "aic": "AIC", "icl": "ICL", "cv": "mean held-out log-density"}
#: Criteria of which more is better.
HIGHER = ("cv",)
#: Families that have a colour: those whose best model is best. The others are grey.
COLOURED = 6
#: Grey of the other families.
PALE_LINE = "#B4B4B4"
#: Differences from the best up to here, where a model is a rival, are drawn to a linear scale; larger ones to
#: a logarithmic one. A difference of 10 in BIC is very strong evidence (Kass and Raftery 1995).
RIVAL = 10.0
#: The least distance of two labels, as a share of the height of the panel.
LABEL_DISTANCE = 0.047


class CriterionDisplay:
    """A criterion of many models, as a line for each family over the number of components.

    The best model is on top and marked. Differences from it are drawn on a scale that is linear up to 10, so
    that rivals can be told apart, and logarithmic beyond, so that bad models take no room. The families with
    the best models have a colour; each has its name at the end of its line. A cross stands where a model has
    no sound fit, on the line between its neighbours.

    Parameters
    ----------
    scores : mapping of (str, int) to float
        By covariance type and number of components; NaN where there is no sound fit.
    criterion : str, default="bic"
        "bic", "aic" and "icl" are the better the lower, "cv" is the better the higher.
    errors : mapping of (str, int) to float, optional
        Standard errors of the scores, drawn as bars.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    lines_ : dict of str to Line2D
        By family.
    labels_ : dict of str to Annotation
        The name at the end of each line.
    best_ : Line2D
        The ring around the best model.
    failed_ : PathCollection or None
        Crosses of models without a sound fit.

    References
    ----------
    C. Fraley and A. E. Raftery, How many clusters? Which clustering method? Answers via model-based cluster
    analysis, The Computer Journal 41 (1998) 578-588. R. E. Kass and A. E. Raftery, Bayes factors, J. Am.
    Stat. Assoc. 90 (1995) 773-795.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import CriterionDisplay
    >>> X, names = load_faithful()
    >>> models = gaussmix.fit_mixtures(X, range(1, 4), covariance_type=["EII", "VVI", "VVV"])
    >>> display = CriterionDisplay.from_estimator(models, ax=Figure().subplots())
    >>> display.best_model
    ('VVV', 2)
    """

    def __init__(
        self,
        scores: Mapping[tuple[str, int], float],
        *,
        criterion: str = "bic",
        errors: Mapping[tuple[str, int], float] | None = None,
    ) -> None:
        self.scores = dict(scores)
        self.criterion = criterion
        self.errors = dict(errors or {})
        if not any(math.isfinite(score) for score in self.scores.values()):
            raise ValueError("there is no score to draw: no model has a sound fit")

    @classmethod
    def from_estimator(
        cls, model: Any, *, criterion: str | None = None, ax: Axes | None = None, **options: Any
    ) -> Self:
        """Draw the models of a search.

        Parameters
        ----------
        model : result of a search, FittedMixtures or GaussianMixture
            An estimator that has been fitted with ``n_components="auto"`` or ``covariance_type="auto"``.
        criterion : {"bic", "aic", "icl", "cv"}, optional
            Without it, that of the search, else BIC.
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        **options
            As for :meth:`plot`.

        Returns
        -------
        CriterionDisplay

        Raises
        ------
        TypeError
            If `model` holds no models.
        ValueError
            If the criterion is unknown, or the models have not been compared by it, or no fit is sound.
        """
        models = read_models(model)
        used = getattr(models, "criterion", "bic")
        chosen = used if criterion is None else criterion
        scores = find_scores(models, chosen)
        return cls(scores, criterion=chosen).plot(ax, **options)

    @classmethod
    def from_values(
        cls,
        scores: Mapping[tuple[str, int], float],
        *,
        criterion: str = "bic",
        errors: Mapping[tuple[str, int], float] | None = None,
        ax: Axes | None = None,
        **options: Any,
    ) -> Self:
        """Draw scores that are known, such as another program's; parameters as for the class and `plot`.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from gaussmix.plot import CriterionDisplay
        >>> scores = {("EII", 1): 718.9, ("EII", 2): 434.7, ("VVV", 1): 567.8, ("VVV", 2): float("nan")}
        >>> CriterionDisplay.from_values(scores, ax=Figure().subplots()).best_model
        ('EII', 2)
        """
        return cls(scores, criterion=criterion, errors=errors).plot(ax, **options)

    @property
    def best_model(self) -> tuple[str, int]:
        """The covariance type and the number of components of the best score, the first of equals."""
        sound = {key: score for key, score in self.scores.items() if math.isfinite(score)}
        return min(sound, key=lambda key: self._find_loss(sound[key]))

    @property
    def families(self) -> list[str]:
        """The families, that of the best model first."""
        best: dict[str, float] = {}
        for (family, _), score in self.scores.items():
            loss = self._find_loss(score) if math.isfinite(score) else math.inf
            best[family] = min(best.get(family, math.inf), loss)
        return sorted(best, key=lambda family: best[family])

    def _find_loss(self, score: float) -> float:
        return -score if self.criterion in HIGHER else score

    def plot(
        self,
        ax: Axes | None = None,
        *,
        families: Collection[str] | None = None,
        differences: bool = True,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        families : collection of str, optional
            The families to draw, all without it. The best is that of all.
        differences : bool, default=True
            Whether differences from the best are drawn, or the scores themselves to a linear scale.

        Returns
        -------
        CriterionDisplay
            Itself, with the attributes set.
        """
        shown = [name for name in self.families if families is None or name in families]
        if not shown:
            raise ValueError(f"families names none of {', '.join(self.families)}")
        panel = find_panel(ax, 7.5, 5.0)
        self.ax_, self.figure_ = panel, panel.figure
        self._differences = differences
        self.lines_: dict[str, Any] = {}
        self.labels_: dict[str, Any] = {}
        crosses: list[tuple[float, float]] = []
        for place, family in reversed(list(enumerate(shown))):
            crosses += self._draw_family(panel, family, place)
        self._mark_best(panel)
        self.failed_ = None
        if crosses:
            look: dict[str, Any] = {"marker": "x", "s": 26, "color": QUIET, "linewidths": 1.0, "zorder": 4}
            self.failed_ = panel.scatter(*zip(*crosses, strict=True), **look)
            self.failed_.set_label("no sound fit")
            panel.legend(handles=[self.failed_], loc="lower right", fontsize=8.5)
        self._set_scales(panel)
        self._place_labels(panel, shown)
        return self

    def _draw_family(self, panel: Axes, family: str, place: int) -> list[tuple[float, float]]:
        """Draw the line of a family; returns where its crosses belong."""
        numbers = sorted(k for name, k in self.scores if name == family)
        gaps = np.array([self._find_height(family, k) for k in numbers])
        sound = np.isfinite(gaps)
        colour = COLOURS[place] if place < COLOURED else PALE_LINE
        marker = MARKERS[place % len(MARKERS)] if place < COLOURED else "."
        width, order = (1.6, 3) if place < COLOURED else (1.0, 2)
        look: dict[str, Any] = {"color": colour, "marker": marker, "linewidth": width, "zorder": order}
        (self.lines_[family],) = panel.plot(
            numbers, np.where(sound, gaps, np.nan), label=family, markersize=4.5, **look
        )
        self._draw_errors(panel, family, numbers, gaps, colour)
        if not sound.any():
            return []
        # The scale is not linear, but a cross only has to lie on the line.
        at = np.interp(numbers, np.array(numbers)[sound], gaps[sound])
        return [(k, gap) for k, gap, fine in zip(numbers, at, sound, strict=True) if not fine]

    def _draw_errors(
        self, panel: Axes, family: str, numbers: list[int], gaps: Float64Array, colour: str
    ) -> None:
        errors = np.array([self.errors.get((family, k), math.nan) for k in numbers])
        if np.isfinite(errors).any():
            panel.errorbar(numbers, gaps, errors, color=colour, linestyle="", linewidth=0.9, capsize=2)

    def _find_gap(self, family: str, k: int) -> float:
        """How much worse the model is than the best."""
        return self._find_loss(self.scores[family, k]) - self._find_loss(self.scores[self.best_model])

    def _find_height(self, family: str, k: int) -> float:
        """Where the model is drawn."""
        return self._find_gap(family, k) if self._differences else self.scores[family, k]

    def _mark_best(self, panel: Axes) -> None:
        family, k = self.best_model
        ring: dict[str, Any] = {"marker": "o", "markersize": 13, "markerfacecolor": "none"}
        (self.best_,) = panel.plot(
            [k],
            [self._find_height(family, k)],
            color=INK,
            linestyle="",
            zorder=5,
            markeredgewidth=1.6,
            **ring,
        )
        title = TITLES.get(self.criterion, self.criterion)
        value = self.scores[family, k]
        text = f"best: {family} with {count_noun(k, 'component')}, {title} {value:.6g}"
        panel.set_title(text, loc="left", fontsize=10, color=INK)

    def _set_scales(self, panel: Axes) -> None:
        title = TITLES.get(self.criterion, self.criterion)
        if self._differences:
            threshold = self._find_threshold()
            panel.set_yscale("symlog", linthresh=threshold, linscale=1.5)
            worst = max(float(np.nanmax(line.get_ydata())) for line in self.lines_.values())
            panel.set_ylim(1.15 * max(worst, 1e-12), -0.12 * min(threshold, max(worst, 1e-12)))
            ticks = import_matplotlib("ticker").FuncFormatter(lambda gap, _: f"{gap:g}")
            panel.yaxis.set_major_formatter(ticks)
            panel.set_ylabel(f"{title} {'below' if self.criterion in HIGHER else 'above'} the best")
        else:
            panel.set_ylabel(title)
            panel.yaxis.set_inverted(self.criterion not in HIGHER)
        panel.set_xticks(sorted({k for _, k in self.scores}))
        panel.set_xlabel("number of components")
        panel.grid(axis="y", color="#EEEEEE", linewidth=0.8)
        panel.set_axisbelow(True)
        hide_spines(panel)

    def _find_threshold(self) -> float:
        """Up to where the scale is linear."""
        if self.criterion in OF_A_FIT:
            return RIVAL
        gaps = [self._find_gap(*key) for key, score in self.scores.items() if math.isfinite(score)]
        return max(float(np.quantile(gaps, 0.25)), 1e-9)

    def _place_labels(self, panel: Axes, shown: list[str]) -> None:
        """Name each line at its end, no two names on one another."""
        last = max(k for _, k in self.scores)
        least = min(k for _, k in self.scores)
        to_axes = panel.transData + panel.transAxes.inverted()
        ends = {}
        for family in shown:
            x, y = (np.asarray(values, dtype=float) for values in self.lines_[family].get_data())
            sound = np.flatnonzero(np.isfinite(y))
            if len(sound):
                end = sound[-1]
                ends[family] = (x[end], y[end], float(to_axes.transform((x[end], y[end]))[1]))
        order = sorted(ends, key=lambda family: ends[family][2])
        heights = spread_out(np.array([ends[family][2] for family in order]), LABEL_DISTANCE)
        for family, height in zip(order, heights, strict=True):
            x, y, _ = ends[family]
            colour = self.lines_[family].get_color()
            self.labels_[family] = panel.annotate(
                family,
                xy=(x, y),
                xytext=(1.04, height),
                textcoords="axes fraction",
                color=colour if colour != PALE_LINE else QUIET,
                fontsize=9,
                fontweight="bold" if family == self.best_model[0] else "normal",
                va="center",
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3},
                annotation_clip=False,
            )
        panel.set_xlim(least - 0.3, last + 0.15 + 0.02 * (last - least))


def find_scores(models: FittedMixtures, criterion: str) -> dict[tuple[str, int], float]:
    """The criterion of every model, NaN where it has no sound fit."""
    keys = [*models.fits, *models.failures]
    if criterion == getattr(models, "criterion", None):
        known: Mapping[tuple[str, int], float] = models.scores  # type: ignore[attr-defined]
        return {key: float(known.get(key, math.nan)) for key in keys}
    if criterion not in OF_A_FIT:
        raise ValueError(
            f"criterion must be one of {', '.join(OF_A_FIT)}, or that of the search; got {criterion!r}"
        )
    sound = models.sound
    return {key: float(getattr(sound[key], criterion)) if key in sound else math.nan for key in keys}


def spread_out(heights: Float64Array, distance: float) -> Float64Array:
    """Ascending heights moved as little as may be, until none is nearer to the next than the distance.

    Least squares under h_{i+1} - h_i >= distance and 0 <= h_i <= 1, solved by pooling neighbours (isotonic
    regression). Where there is no room, the distance is smaller.
    """
    distance = min(distance, 1.0 / max(len(heights) - 1, 1))
    steps = distance * np.arange(len(heights))
    blocks: list[tuple[float, int]] = []
    for value in heights - steps:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, n = blocks.pop()
            mean, size = (mean * size + other * n) / (size + n), size + n
        blocks.append((mean, size))
    levels = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])
    return np.asarray(np.clip(levels, 0.0, 1.0 - steps[-1]) + steps)
