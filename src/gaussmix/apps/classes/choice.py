"""The model that the rows are fitted with: the one that is asked for, or the best by a criterion.

References
----------
C. Fraley and A. E. Raftery, Model-based clustering, discriminant analysis, and density estimation, J. Am.
Stat. Assoc. 97 (2002) 611-631, of a mixture for each class, by BIC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.apps.classes.calibration import PLAIN, Calibration
from gaussmix.apps.classes.choosing import Folds, Options, Search, Split, Trial, choose_trial, divide_labels
from gaussmix.apps.classes.classed_mixture import ClassedMixture
from gaussmix.apps.classes.fitting import ClassFit, ClassModel, Effort, SeenRows, fit_classes
from gaussmix.apps.classes.labelled import UNKNOWN, LabelledRows
from gaussmix.apps.classes.mstep import find_general
from gaussmix.errors import FitError
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.select.search import search

#: How a model is chosen: by log-loss on rows that were held out, or by the Bayesian information criterion.
Criterion = Literal["cv", "bic"]


#: How much rows without a label may count beside those with one, but not at all.
UNLABELLED_WEIGHTS = (0.1, 1.0)
#: Standard errors by which the loss has to be lower where such rows count less.
LEAST_HARM = 1.0


@dataclass(frozen=True, eq=False)
class Choice:
    """A fit, and how its model was chosen."""

    fit: ClassFit
    #: What makes probabilities of its densities; the posterior itself where no rows were held out.
    calibration: Calibration = PLAIN
    #: The models that were tried on rows held out.
    trials: tuple[Trial, ...] = ()
    #: How much rows without a label count in the fit.
    unlabelled_weight: float = 1.0


def choose_and_fit(
    data: LabelledRows,
    options: Options,
    criterion: Criterion,
    rng: RandomState,
    *,
    folds: int | Sequence[Split],
    class_prior: Float64Array | None,
    unlabelled_weight: float | None,
    effort: Effort,
) -> Choice:
    """Fit the model that is asked for or, where several are, the best by the criterion.

    How much rows without a label count is chosen by held-out rows, too, if it is None. Where none are held
    out it is then 1. Raises ValueError where nothing can be held out, FitError where every model has a
    singular covariance.
    """
    chosen = options.is_open and criterion == "cv"
    if not chosen:
        weight = 1.0 if unlabelled_weight is None else unlabelled_weight
        weighed = data.weigh_unlabelled(weight)
        return Choice(
            _fit_without_folds(weighed, options, rng, class_prior, effort), unlabelled_weight=weight
        )
    labelled = data.weigh_unlabelled(0.0)
    splits = divide_labels(labelled, folds, rng) if isinstance(folds, int) else _relate(folds, data)
    seed = int(rng.randint(2**31))
    tried = Search(Folds(labelled, splits, seed, class_prior), options)
    best, trials = tried.find_best(), list(tried.trials.values())
    weight = 1.0 if unlabelled_weight is None else unlabelled_weight
    if unlabelled_weight is None and not data.is_complete:
        unknown = np.flatnonzero(data.labels == UNKNOWN)
        whole = [
            (np.sort(np.concatenate([data.known[left], unknown])), data.known[held_out])
            for left, held_out in splits
        ]
        rounds = {0.0: best}
        for each in UNLABELLED_WEIGHTS:
            semi = Folds(data.weigh_unlabelled(each), whole, seed, class_prior)
            found = [
                replace(semi.try_model(model, best), unlabelled_weight=each)
                for model in tried.list_contenders(best)
            ]
            trials += found
            rounds[each] = choose_trial(found)
        best, weight = choose_weight(rounds, labelled.rows.masses[np.concatenate([s[1] for s in splits])])
    weighed = data.weigh_unlabelled(weight)
    fit = fit_classes(weighed, best.model, rng, class_prior=class_prior, effort=effort)
    return Choice(fit, best.calibration, tuple(trials), weight)


def choose_weight(rounds: dict[float, Trial], weights: Float64Array) -> tuple[Trial, float]:
    """The best model with rows that have no label counting much, or less where that is clearly better."""
    chosen = max(rounds)
    for less in sorted(rounds, reverse=True):
        if rounds[less].beats(rounds[chosen], weights, LEAST_HARM):
            chosen = less
    return rounds[chosen], chosen


def _relate(splits: Sequence[Split], data: LabelledRows) -> list[Split]:
    """The same folds by the places of rows among those with a label."""
    place = np.full(len(data.labels), -1)
    place[data.known] = np.arange(len(data.known))
    related = [(place[left], place[held_out]) for left, held_out in splits]
    return [(left[left >= 0], held_out[held_out >= 0]) for left, held_out in related]


def _fit_without_folds(
    data: LabelledRows,
    options: Options,
    rng: RandomState,
    class_prior: Float64Array | None,
    effort: Effort,
) -> ClassFit:
    """The one model that is asked for, or that of least BIC."""
    if options.is_open:
        if options.share == "nothing" and data.is_complete and not max(options.shrinkages):
            return fit_apart(data, options, rng, class_prior)
        return _choose_by_bic(data, options, rng, class_prior, effort)
    number = options.numbers[0]
    sizes = number if isinstance(number, tuple) else (number,) * data.n_classes
    model = ClassModel(options.families[0], sizes, options.share, options.shrinkages[0])
    return fit_classes(data, model, rng, class_prior=class_prior, effort=effort)


def _choose_by_bic(
    data: LabelledRows, options: Options, rng: RandomState, class_prior: Float64Array | None, effort: Effort
) -> ClassFit:
    """The fit of least BIC; models with a singular covariance are passed over."""
    best: ClassFit | None = None
    failure: FitError | None = None
    seen = SeenRows(data)
    for number in options.numbers:
        sizes = number if isinstance(number, tuple) else (number,) * data.n_classes
        if (data.count_classes() < sizes).any():
            continue
        for family in options.families:
            for shrinkage in options.shrinkages:
                model = ClassModel(family, sizes, options.share, shrinkage)
                try:
                    fit = fit_classes(seen, model, rng, class_prior=class_prior, effort=effort)
                except FitError as error:
                    failure = error
                    continue
                if fit.status != FitStatus.DEGENERATE and (best is None or fit.bic < best.bic):
                    best = fit
    if best is None:
        raise failure or FitError("every model has a singular covariance")
    return best


def fit_apart(
    data: LabelledRows, options: Options, rng: RandomState, class_prior: Float64Array | None
) -> ClassFit:
    """A mixture for each class, of the family and number of components that have the least BIC there."""
    chosen: list[FitResult] = []
    for c in range(data.n_classes):
        own = data.rows.take(np.flatnonzero(data.labels == c))
        numbers = [number for number in _list_numbers(options, c) if number <= len(own.array)]
        found = search(
            own.array,
            numbers or [1],
            covariance_type=options.families,
            sample_weight=own.weights,
            random_state=rng,
        )
        chosen.append(found.best)
    counts = data.weigh_classes()
    prior = counts / counts.sum() if class_prior is None else class_prior
    classed = join_mixtures([fit.mixture for fit in chosen], prior)
    sizes = tuple(fit.mixture.n_components for fit in chosen)
    names = tuple(name_family(fit.mixture) for fit in chosen)
    model = ClassModel(names, sizes, "nothing")
    return ClassFit(model, classed, FitStatus.CONVERGED, max(fit.n_iter for fit in chosen), data)


def name_family(mixture: Mixture) -> str:
    """The covariance type of a mixture; one component has that of the general family, whichever was tried."""
    alone = mixture.n_components == 1
    return (find_general(mixture.structure) if alone else mixture.structure).name


def _list_numbers(options: Options, c: int) -> list[int]:
    return [number[c] if isinstance(number, tuple) else number for number in options.numbers]


def join_mixtures(mixtures: Sequence[Mixture], class_prior: Float64Array) -> ClassedMixture:
    """A mixture for each class as one; of the general family where theirs differ."""
    first = mixtures[0].structure
    if all(mixture.structure.algebra is first.algebra for mixture in mixtures):
        general = find_general(first)
        parts = [
            np.broadcast_to(each.covariance_stack, (each.n_components, *each.covariance_stack.shape[1:]))
            for each in mixtures
        ]
    else:
        general, parts = get_structure("full"), [mixture.dense_covariances for mixture in mixtures]
    stack = np.concatenate(parts)
    shares = np.repeat(np.eye(len(mixtures)), [mixture.n_components for mixture in mixtures], axis=0)
    joined = Mixture.of_parts(
        general,
        np.concatenate(
            [prior * mixture.weights for prior, mixture in zip(class_prior, mixtures, strict=True)]
        ),
        np.concatenate([mixture.means for mixture in mixtures]),
        stack,
        general.find_roots(stack),
    )
    return ClassedMixture(joined, shares).sorted_by_class()
