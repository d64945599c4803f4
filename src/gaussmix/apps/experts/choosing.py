"""How many experts: by BIC, or by the log-density of outputs that folds hold out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.result import ExpertsFit
from gaussmix.apps.experts.starts import StartRows
from gaussmix.apps.experts.state import Training
from gaussmix.errors import FitError
from gaussmix.fit.result import FitStatus

#: How numbers of experts are compared.
Criterion = Literal["bic", "cv"]
#: The numbers that are tried by default.
NUMBERS = (1, 2, 3, 4, 5, 6, 7, 8)
#: Numbers in a row that are no better, after which no larger one is tried.
PATIENCE = 2
#: Rows for each expert below which a number is not tried by default.
LEAST_ROWS = 10

#: From M-steps, rows as starts see them, a number, and responsibilities to begin with, if any, to the fit.
Fit: TypeAlias = Callable[[Training[Any, Any], StartRows, int, Float64Array | None], ExpertsFit[Any, Any]]


@dataclass(frozen=True, eq=False)
class HeldOutRows:
    """Folds of the training rows, and how a model is measured on them."""

    #: Places of training rows and of those held out.
    folds: Sequence[tuple[IntArray, IntArray]]
    #: From a fitted model and places of rows to log p(y | x) of each.
    measure: Callable[[Any, IntArray], Float64Array]
    #: From a fitted model to the responsibilities of all training rows.
    recall: Callable[[Any], Float64Array]


@dataclass(frozen=True)
class ExpertTrial:
    """A number of experts that was tried.

    Parameters
    ----------
    n_experts : int
    log_likelihood : float
        Of all training rows, in nats; of experts that are estimators, of rows that they have not seen.
    n_parameters : int
        Free parameters; what estimators have is not known and not counted.
    bic : float
        Lower is better; infinite where the fit failed.
    log_score : float
        Mean log-density of held-out rows, in nats; higher is better. NaN where none were held out.
    sound : bool
        Whether no expert has collapsed or is a spike. A number whose fit is not sound is not chosen.
    """

    n_experts: int
    log_likelihood: float
    n_parameters: int
    bic: float
    log_score: float = float("nan")
    sound: bool = True


@dataclass(frozen=True, eq=False)
class NumberChoice:
    """The fit of the number that was chosen, and all that were tried."""

    fit: ExpertsFit[Any, Any]
    trials: tuple[ExpertTrial, ...]


def choose_number(
    training: Training[Any, Any],
    rows: StartRows,
    numbers: Sequence[int],
    *,
    fit: Fit,
    criterion: Criterion,
    held_out: HeldOutRows | None = None,
    patient: bool = True,
) -> NumberChoice:
    """The best number of experts by a criterion.

    Parameters
    ----------
    training : Training
    rows : StartRows
    numbers : sequence of int
    fit : callable
    criterion : {"bic", "cv"}
        The latter without folds takes the likelihood of the fit itself, which is of held-out rows where
        experts are estimators.
    held_out : HeldOutRows, optional
        The fit without the rows of a fold begins where the fit to all rows has ended.
    patient : bool
        Whether to stop after `PATIENCE` numbers in a row that are no better.

    Raises
    ------
    FitError
        If the fits of all numbers fail.
    """
    best: tuple[float, ExpertsFit[Any, Any]] | None = None
    fallback: tuple[float, ExpertsFit[Any, Any]] | None = None
    trials: list[ExpertTrial] = []
    waited = 0
    for number in numbers:
        try:
            found = fit(training, rows, number, None)
        except FitError:
            trials.append(ExpertTrial(number, -np.inf, 0, np.inf, sound=False))
            waited += 1
            if patient and waited >= PATIENCE:
                break
            continue
        score = found.mean_log_likelihood
        if held_out is not None:
            score = _hold_out(training, rows, found.model, fit, held_out)
        sound = not found.spikes and found.status != FitStatus.DEGENERATE
        log_score = score if criterion == "cv" else float("nan")
        trials.append(
            ExpertTrial(number, found.log_likelihood, found.n_parameters, found.bic, log_score, sound)
        )
        standing = -found.bic if criterion == "bic" else score
        if fallback is None or standing > fallback[0]:
            fallback = standing, found
        if sound and (best is None or standing > best[0]):
            best, waited = (standing, found), 0
        else:
            waited += 1
        if patient and waited >= PATIENCE:
            break
    chosen = best or fallback
    if chosen is None:
        raise FitError("the fits of all numbers of experts failed: give more rows")
    return NumberChoice(chosen[1], tuple(trials))


def _hold_out(
    training: Training[Any, Any], rows: StartRows, model: Any, fit: Fit, held_out: HeldOutRows
) -> float:
    """The mean log-density of held-out rows; minus infinity where a fold's fit fails."""
    total, memberships = 0.0, held_out.recall(model)
    for train, test in held_out.folds:
        try:
            found = fit(training.take(train), rows.take(train), model.n_experts, memberships[train])
        except FitError:
            return -np.inf
        total += float(training.masses[test] @ held_out.measure(found.model, test))
    return total / training.weight
