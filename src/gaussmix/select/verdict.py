"""What a search has found, in words for readers who know no statistics."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from gaussmix._text import count_noun
from gaussmix.fit.result import FitResult
from gaussmix.select.criteria import find_criterion
from gaussmix.select.families import INTERRUPTED, Key

#: Differences of a criterion from which evidence is positive, strong and very strong (Kass and Raftery 1995).
POSITIVE = 2.0
#: From here on it is strong.
STRONG = 6.0
#: From here on it is very strong.
VERY_STRONG = 10.0
#: The mean certainty of a row's group above which groups are apart.
APART = 0.95
#: Below this one they overlap much.
OVERLAPPING = 0.8
#: Rows for each parameter under which a choice is a hint.
FEW_ROWS = 5.0
#: Rounding of a sum of weights, relative to it.
WHOLE = 1e-9
#: Groups of which a sentence tells the shares.
MOST_SHARES = 9


class Searched(Protocol):
    """What a verdict reads of a :class:`gaussmix.SearchResult`."""

    @property
    def criterion(self) -> str:
        """The name of the criterion."""

    @property
    def keys(self) -> Sequence[Key]:
        """All models."""

    @property
    def scores(self) -> Mapping[Key, float]:
        """The criterion of every sound fit."""

    @property
    def skipped(self) -> Mapping[Key, str]:
        """The models that were not fitted, and why."""

    @property
    def best_model(self) -> Key:
        """The model that was chosen."""

    @property
    def best(self) -> FitResult:
        """Its fit."""

    def measure(self, criterion: str) -> Mapping[Key, float]:
        """Another criterion of every sound fit."""


class Resampled(Protocol):
    """What a verdict reads of a :class:`gaussmix.Stability`."""

    @property
    def chosen(self) -> Sequence[Key]:
        """The model that was chosen for each resample."""


def write_verdict(result: Searched, stability: Resampled | None = None) -> list[str]:
    """What was found, how sure the number of groups is, how clear they are, and what to be careful about."""
    sentences = [
        describe_groups(result.best),
        describe_certainty(result),
        "" if stability is None else describe_stability(result, stability),
        *describe_clarity(result),
        *list_cautions(result),
    ]
    return [sentence for sentence in sentences if sentence]


def describe_groups(fit: FitResult) -> str:
    """How many groups there are, and their shares of the rows."""
    mixture, k = fit.mixture, fit.mixture.n_components
    noise = "" if mixture.noise is None else f", with {_write_share(mixture.noise.weight)} that fit in none"
    if k == 1:
        return f"{_name_rows(fit)} {'looks' if fit.n_samples == 1 else 'look'} like one group{noise}."
    found = f"{_name_rows(fit)} fall into {k} groups"
    shares = sorted(mixture.weights, reverse=True)
    if k > MOST_SHARES:
        return f"{found}, of {_write_share(shares[-1])} to {_write_share(shares[0])} of them{noise}."
    first = ", ".join(_write_share(share) for share in shares[:-1])
    return f"{found}, of {first} and {_write_share(shares[-1])} of them{noise}."


def describe_certainty(result: Searched) -> str:
    """How much better the chosen number of groups is than the next best."""
    name, k = result.best_model
    others = [key for key in result.scores if key[1] != k]
    if not others:
        return ""
    criterion = find_criterion(result.criterion)
    other = max(others, key=lambda key: criterion.sign * result.scores[key])
    gap = criterion.sign * (result.scores[name, k] - result.scores[other])
    rival = f"{count_noun(other[1], 'group')} ({other[0]})"
    if criterion.greater_is_better:
        if gap <= 0.0:
            return f"On held-out rows {rival} do no better by more than chance."
        return f"On held-out rows the next best, {rival}, loses {gap:.3g} nats a row."
    by = f"{criterion.title} {gap:.1f} higher"
    if gap < POSITIVE:
        return f"Their number is not certain: {rival} are almost as good ({by})."
    odds = f"about {math.exp(gap / 2.0):.0f}" if gap < VERY_STRONG else "over 100"
    sure = f"The evidence for that number is {'strong' if gap < VERY_STRONG else 'very strong'}"
    if gap < STRONG:
        sure = "Their number is likely, not certain"
    return f"{sure}: the next best, {rival}, is {odds} times less likely ({by})."


def describe_stability(result: Searched, stability: Resampled) -> str:
    """How many resamples of the rows led to the same number of groups."""
    counts = Counter(k for _, k in stability.chosen)
    k, n = result.best_model[1], len(stability.chosen)
    others = ", ".join(f"{count} to {other}" for other, count in counts.most_common() if other != k)
    return (
        f"Of {n} resamples of the rows {counts[k]} lead to the same number{', ' if others else ''}{others}."
    )


def describe_clarity(result: Searched) -> list[str]:
    """How clear it is which group a row belongs to, and how many groups lie apart."""
    fit, k = result.best, result.best_model[1]
    if k == 1 or fit.doubt is None:
        return []
    certainty = math.exp(-fit.doubt / fit.n_samples)
    how = (
        "lie apart"
        if certainty >= APART
        else "overlap in part"
        if certainty >= OVERLAPPING
        else "overlap so much that they describe a shape rather than clusters"
    )
    sentence = f"The groups {how}: a row's group is known with probability {certainty:.2f} on average"
    icl = result.measure("icl")
    apart = min(icl, key=lambda key: icl[key])[1]
    if result.criterion != "icl" and apart < k:
        sentence += f"; as clusters that lie apart (ICL) there {'are' if apart > 1 else 'is'} {apart}"
    return [f"{sentence}."]


def list_cautions(result: Searched) -> list[str]:
    """What a reader should be careful about."""
    fit, k = result.best, result.best_model[1]
    numbers = [key[1] for key in result.keys]
    cautions = []
    left = sum(reason == INTERRUPTED for reason in result.skipped.values())
    if left:
        cautions.append(
            f"The search was stopped: {left} of {len(result.keys)} models were not tried, one of which may "
            "be better."
        )
    if k == max(numbers) > min(numbers):
        cautions.append(f"More groups may be better still: {k} is the largest number that was tried.")
    if fit.n_samples < k:
        cautions.append(
            f"The weights sum to {fit.n_samples:.4g}, and each counts as so many rows: scale them so that "
            "they sum to the number of rows, or criteria allow too many groups."
        )
    elif fit.n_samples < FEW_ROWS * fit.n_parameters:
        rows = f"{_write_number(fit.n_samples)} {'row' if fit.n_samples == 1 else 'rows'}"
        cautions.append(
            f"{fit.n_parameters} numbers were fitted to {rows}, few for so many: take the result as a hint."
        )
    if fit.advice:
        cautions.append(fit.advice)
    return cautions


def _name_rows(fit: FitResult) -> str:
    """The rows of a fit with their number, or with the sum of their weights where that is none."""
    n = fit.n_samples
    if fit.kept is not None:
        return f"The {np.count_nonzero(fit.kept)} rows that trimming kept"
    if n < fit.mixture.n_components or not _is_whole(n):
        return f"The rows, of weight {_write_number(n)} in all,"
    return f"The {_write_number(n)} {'row' if n == 1 else 'rows'}"


def _write_number(n: float) -> str:
    """A sum of weights, whole where it is."""
    if _is_whole(n):
        return f"{n:.0f}"
    return f"{n:.1f}" if n >= 10.0 else f"{n:.3g}"


def _is_whole(n: float) -> bool:
    """Whether a sum of weights is a whole number, but for the rounding of the sum."""
    return abs(n - round(n)) <= WHOLE * n


def _write_share(share: float) -> str:
    """A share in percent, with a digit more where it is small."""
    percent = 100.0 * share
    return f"{percent:.0f} %" if percent >= 9.5 else f"{percent:.1f} %"
