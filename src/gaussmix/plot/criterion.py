"""The picture of a criterion of many models: by number of components, a line for each family."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix._text import count_noun
from gaussmix._typing import Float64Array
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_panel, hide_spines, import_matplotlib, spread_out
from gaussmix.plot.names import FEW_CHARACTERS, choose_look, format_name
from gaussmix.plot.palette import COLOURS, INK, MARKERS, QUIET
from gaussmix.plot.reading import read_models
from gaussmix.select.criteria import find_criterion
from gaussmix.select.families import Key
from gaussmix.select.many_models import FittedMixtures
from gaussmix.select.search_result import SearchResult, find_standard_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Families that have a colour: those whose best model is best. The others are grey.
COLOURED = 6
#: Grey of the other families.
PALE_LINE = "#B4B4B4"
#: Differences from the best up to here, where a model is a rival, are drawn to a linear scale; larger ones to
#: a logarithmic one. A difference of 10 in BIC is very strong evidence (Kass and Raftery 1995).
RIVAL = 10.0
#: Numbers of components up to which each has a tick.
MOST_TICKS = 15
#: The least distance of two labels, as a share of the height of the panel.
LABEL_DISTANCE = 0.047


class CriterionDisplay:
    """A criterion of many models, as a line for each family over the number of components.

    The best score is on top, and the model that was chosen has a ring. Differences from the best are drawn on
    a scale that is linear up to 10, so that rivals can be told apart, and logarithmic beyond, so that bad
    models take no room. The families with the best models have a colour; each has its name at the end of its
    line. A cross stands where a model has no sound fit, on the line between its neighbours.

    Parameters
    ----------
    scores : mapping of (str, int) to float
        By covariance type and number of components; NaN where there is no sound fit.
    criterion : {"bic", "aic", "icl", "cv"}, default="bic"
        The last is the better the higher, the others the better the lower.
    errors : mapping of (str, int) to float, optional
        Standard errors of the differences from the best, drawn as bars.
    chosen : (str, int), optional
        The model that was chosen, where that is not the one of the best score (one-standard-error rule).

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
    caption_ : Text or None

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
        scores: Mapping[Key, float],
        *,
        criterion: str = "bic",
        errors: Mapping[Key, float] | None = None,
        chosen: Key | None = None,
    ) -> None:
        self.scores = dict(scores)
        self.criterion = find_criterion(criterion)
        self.errors = dict(errors or {})
        sound = {key: score for key, score in self.scores.items() if math.isfinite(score)}
        if not sound:
            raise ValueError("there is no score to draw: no model has a sound fit")
        self._top = max(sound.values(), key=lambda score: self.criterion.sign * score)
        self.best_model = next(key for key, score in sound.items() if score == self._top)
        if chosen is not None:
            if chosen not in sound:
                raise ValueError(f"chosen must be a model that has a score; got {chosen!r}")
            self.best_model = chosen

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
        used = models.criterion_name if isinstance(models, SearchResult) else "bic"
        name = used if criterion is None else criterion
        scores = find_scores(models, name)
        if not isinstance(models, SearchResult):
            return cls(scores, criterion=name).plot(ax, **options)
        known = any(math.isfinite(score) for score in scores.values())
        chosen = models.best_model if name == used and known else None
        errors = find_errors(models, scores) if find_criterion(name).measure is None else None
        return cls(scores, criterion=name, errors=errors, chosen=chosen).plot(ax, **options)

    @classmethod
    def from_values(
        cls,
        scores: Mapping[Key, float],
        *,
        criterion: str = "bic",
        errors: Mapping[Key, float] | None = None,
        chosen: Key | None = None,
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
        return cls(scores, criterion=criterion, errors=errors, chosen=chosen).plot(ax, **options)

    @property
    def families(self) -> list[str]:
        """The families, that of the best model first."""
        best: dict[str, float] = {}
        for (family, _), score in self.scores.items():
            loss = -self.criterion.sign * score if math.isfinite(score) else math.inf
            best[family] = min(best.get(family, math.inf), loss)
        return sorted(best, key=lambda family: best[family])

    def plot(
        self,
        ax: Axes | None = None,
        *,
        families: Collection[str] | None = None,
        differences: bool = True,
        caption: bool | None = None,
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
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

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
        own = panel.figure if ax is None else None
        self.caption_ = add_caption(self._describe(), panel, own, wanted=caption)
        return self

    def _describe(self) -> str:
        """What the picture shows."""
        told = ["A line for each family of covariances."]
        if self._differences:
            told.append(
                f"The best is at the top; the scale is logarithmic beyond {self._find_threshold():.3g}."
            )
        told.append(f"Ring: the {self._word} model.")
        if self.errors:
            told.append("Bars: standard errors of the difference from the best, over the folds.")
        return " ".join(told)

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
        if place < COLOURED:
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
        return self.criterion.sign * (self._top - self.scores[family, k])

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
        value = self.scores[family, k]
        model = f"{format_name(family)} with {count_noun(k, 'component')}"
        text = f"{self._word}: {model}, {self.criterion.title} {value:.6g}"
        panel.set_title(text, loc="left", fontsize=10, color=INK, **choose_look(text))

    @property
    def _word(self) -> str:
        return "best" if self.scores[self.best_model] == self._top else "chosen"

    def _set_scales(self, panel: Axes) -> None:
        title, better = self.criterion.title, self.criterion.greater_is_better
        if self._differences:
            threshold = self._find_threshold()
            panel.set_yscale("symlog", linthresh=threshold, linscale=1.5)
            worst = max(float(np.nanmax(line.get_ydata())) for line in self.lines_.values())
            panel.set_ylim(1.15 * max(worst, 1e-12), -0.12 * min(threshold, max(worst, 1e-12)))
            ticks = import_matplotlib("ticker").FuncFormatter(lambda gap, _: f"{gap:g}")
            panel.yaxis.set_major_formatter(ticks)
            panel.set_ylabel(f"{title} {'below' if better else 'above'} the best")
        else:
            panel.set_ylabel(title)
            panel.yaxis.set_inverted(not better)
        numbers = sorted({k for _, k in self.scores})
        if len(numbers) <= MOST_TICKS:
            panel.set_xticks(numbers)
        else:
            panel.xaxis.set_major_locator(import_matplotlib("ticker").MaxNLocator(integer=True))
        panel.set_xlabel("number of components")
        panel.grid(axis="y", color="#EEEEEE", linewidth=0.8)
        panel.set_axisbelow(True)
        hide_spines(panel)

    def _find_threshold(self) -> float:
        """Up to where the scale is linear."""
        if self.criterion.measure is not None:
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
                format_name(family, FEW_CHARACTERS),
                xy=(x, y),
                xytext=(1.04, height),
                textcoords="axes fraction",
                color=colour if colour != PALE_LINE else QUIET,
                fontsize=9,
                fontweight="bold" if family == self.best_model[0] else "normal",
                va="center",
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3},
                annotation_clip=False,
                **choose_look(family),
            )
        panel.set_xlim(least - 0.3, last + 0.15 + 0.02 * (last - least))


def find_scores(models: FittedMixtures, name: str) -> dict[Key, float]:
    """The criterion of every model that was tried, NaN where it has no sound fit."""
    keys = [*models.fits, *models.failures]
    if isinstance(models, SearchResult):
        known = models.measure(name)
    else:
        measure = find_criterion(name).measure
        if measure is None:
            raise ValueError(
                f"criterion {name!r} takes a search with it: gaussmix.search(X, criterion={name!r})"
            )
        known = {key: measure(fit) for key, fit in models.sound.items()}
    return {key: known.get(key, math.nan) for key in keys}


def find_errors(models: SearchResult, scores: Mapping[Key, float]) -> dict[Key, float]:
    """Standard errors of what each model loses on held-out rows against the best, over the folds."""
    best = max(scores, key=lambda key: scores[key] if math.isfinite(scores[key]) else -math.inf)
    held_out = models.held_out
    return {
        key: find_standard_error(np.subtract(held_out[best], held_out[key]))
        for key, score in scores.items()
        if math.isfinite(score)
    }
