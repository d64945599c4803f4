"""The course of a fit of experts: how many, from which starts, and by which loop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.model_selection import check_cv

from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.apps.experts.choosing import (
    LEAST_ROWS,
    NUMBERS,
    Criterion,
    HeldOutRows,
    NumberChoice,
    choose_number,
)
from gaussmix.apps.experts.fitting import Effort, fit_experts
from gaussmix.apps.experts.held_out_fitting import fit_estimators
from gaussmix.apps.experts.protocols import ExpertStep
from gaussmix.apps.experts.result import ExpertsFit
from gaussmix.apps.experts.starts import StartRows
from gaussmix.apps.experts.state import Training
from gaussmix.apps.experts.weighted_fitting import cut_folds, divide_rows
from gaussmix.errors import FitError
from gaussmix.estimators._expert_kinds import is_estimator
from gaussmix.estimators._experts import choose_starts, read_whole
from gaussmix.fit.arguments import make_generator

#: Of how many starts of parametric experts one is made for experts that are estimators.
STARTS_FOR_ONE = 8
#: The least `tol` of experts that are estimators, in nats a row: less says nothing of held-out rows.
LEAST_TOL = 1e-3


@dataclass(frozen=True, eq=False)
class Course:
    """How a fit goes."""

    numbers: tuple[int, ...]
    rng: RandomState
    criterion: Criterion
    #: The fold of each row, shape (n,); empty where no rows are held out.
    folds: IntArray
    #: Kinds of starts, which take turns.
    kinds: tuple[str, ...]
    tol: float
    max_iter: int
    n_init: int
    #: Responsibilities to begin with, shape (n, k).
    given: Float64Array | None = None
    #: Whether experts are estimators, whose likelihood is of held-out rows.
    held_out: bool = False


@dataclass(frozen=True, eq=False)
class Views:
    """The training rows, as a fitted model sees them."""

    X: Float64Array
    #: Outputs, shape (n, m), or places of classes, (n,).
    y: Any
    Z: Float64Array

    def measure(self, model: Any, rows: IntArray) -> Float64Array:
        """Log p(y | x) of some rows."""
        return np.asarray(model.log_prob(self.X[rows], self.y[rows], self.Z[rows]))

    def recall(self, model: Any) -> Float64Array:
        """The responsibilities of all rows, shape (n, k)."""
        return np.asarray(model.responsibilities(self.X, self.y, self.Z))


def read_numbers(n_experts: Any, n: int, init_params: Any) -> tuple[int, ...]:
    """The numbers of experts to try for n rows; one where it is given.

    ValueError where a number is none, or memberships are given for several.
    """
    if isinstance(n_experts, Integral):
        return (int(n_experts),)
    if not isinstance(init_params, str):
        raise ValueError(
            f"n_experts={n_experts!r} tries several numbers of experts, and init_params has memberships for "
            "one: set n_experts to a number, or name a kind of start"
        )
    if isinstance(n_experts, str):
        return tuple(number for number in NUMBERS if number == 1 or number * LEAST_ROWS <= n)
    numbers = list(n_experts)
    if not numbers or not all((read_whole(each) or 0) >= 1 for each in numbers):
        raise ValueError(f'n_experts must be a number from 1, "auto", or several numbers; got {n_experts!r}')
    return tuple(sorted({int(each) for each in numbers}))


def make_course(
    model: Any,
    numbers: tuple[int, ...],
    rows: FloatArray,
    present: BoolArray,
    given: Float64Array | None,
    labels: IntArray | None = None,
) -> Course:
    """The course of a fit by the parameters of an estimator; folds are drawn where they are needed."""
    rng, held_out = make_generator(model.random_state), is_estimator(model.expert)
    by_rows = model.criterion == "cv" and len(numbers) > 1
    none = np.empty(0, dtype=np.int64)
    return Course(
        numbers=numbers,
        rng=rng,
        criterion="cv" if model.criterion == "cv" else "bic",
        folds=read_folds(model.cv, rows, present, rng, labels) if held_out or by_rows else none,
        kinds=choose_starts(model.init_params, model.gate),
        tol=float(model.tol),
        max_iter=int(model.max_iter),
        n_init=int(model.n_init),
        given=given,
        held_out=held_out,
    )


def read_folds(
    cv: Any, rows: FloatArray, present: BoolArray, rng: RandomState, labels: IntArray | None = None
) -> IntArray:
    """The fold of each row that is present: so many, with equal shares of classes, or those of a splitter.

    ValueError where a splitter holds out a row twice, or never.
    """
    n = int(present.sum())
    if cv is None or isinstance(cv, Integral):
        known = None if labels is None else labels[present]
        return divide_rows(n, min(5 if cv is None else int(cv), n), rng, known)
    folds = np.full(len(rows), -1)
    for fold, (_, test) in enumerate(check_cv(cv).split(rows, labels)):
        if (folds[test] >= 0).any():
            raise ValueError("cv must hold out each row once; it holds out some of them twice")
        folds[test] = fold
    if (folds[present] < 0).any() or len(np.unique(folds[present])) < 2:
        raise ValueError("cv must hold out each row once, in two folds or more; some are never held out")
    return folds[present]


def choose_and_fit(
    training: Training[Any, Any],
    rows: StartRows,
    course: Course,
    *,
    views: Views,
    guide: ExpertStep[Any] | None = None,
) -> NumberChoice:
    """The fit of the best number of experts.

    `guide` is the M-step of parametric experts, whose memberships estimators begin with. Where only one
    number is given there are no trials.
    """
    effort = Effort(course.tol, course.max_iter, course.n_init)
    rng, numbers = course.rng, course.numbers

    def fit(
        training: Training[Any, Any], rows: StartRows, number: int, given: Float64Array | None
    ) -> ExpertsFit[Any, Any]:
        if not course.held_out:
            return fit_experts(training, rows, number, rng, effort=effort, kinds=course.kinds, given=given)
        if given is None and guide is not None and number > 1:
            given = _find_memberships(training, rows, number, course, guide, views)
        few = Effort(max(course.tol, LEAST_TOL), course.max_iter, max(1, course.n_init // STARTS_FOR_ONE))
        return fit_estimators(training, rows, number, rng, effort=few, kinds=course.kinds, given=given)

    if len(numbers) == 1:
        return NumberChoice(fit(training, rows, numbers[0], course.given), ())
    held_out = None
    if course.criterion == "cv" and not course.held_out:
        held_out = HeldOutRows(cut_folds(course.folds), views.measure, views.recall)
    criterion: Criterion = "cv" if course.held_out else course.criterion
    return choose_number(training, rows, numbers, fit=fit, criterion=criterion, held_out=held_out)


def _find_memberships(
    training: Training[Any, Any],
    rows: StartRows,
    number: int,
    course: Course,
    guide: ExpertStep[Any],
    views: Views,
) -> Float64Array | None:
    """Responsibilities of parametric experts; None where they collapse."""
    effort = Effort(LEAST_TOL, course.max_iter, course.n_init)
    training = replace(training, expert_step=guide)
    try:
        fit = fit_experts(training, rows, number, course.rng, effort=effort, kinds=course.kinds)
    except FitError:
        return None
    return views.recall(fit.model)
