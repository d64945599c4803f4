"""The model that the rows are fitted with: the one that is asked for, or the best by a criterion.

References
----------
C. Fraley and A. E. Raftery, Model-based clustering, discriminant analysis, and density estimation, J. Am.
Stat. Assoc. 97 (2002) 611-631, of a mixture for each class, by BIC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.apps.classes.calibration import PLAIN, Calibration
from gaussmix.apps.classes.choosing import Folds, Options, Search, Split, Trial
from gaussmix.apps.classes.classed_mixture import ClassedMixture
from gaussmix.apps.classes.fitting import ClassFit, ClassModel, Effort, SeenRows, fit_classes
from gaussmix.apps.classes.labelled import LabelledRows
from gaussmix.apps.classes.mstep import find_general
from gaussmix.errors import FitError
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.select.search import search

#: How a model is chosen: by log-loss on rows that were held out, or by the Bayesian information criterion.
Criterion = Literal["cv", "bic"]


@dataclass(frozen=True, eq=False)
class Choice:
    """A fit, and how its model was chosen."""

    fit: ClassFit
    #: What makes probabilities of its densities; the posterior itself where no rows were held out.
    calibration: Calibration = PLAIN
    #: The models that were tried on rows held out.
    trials: tuple[Trial, ...] = ()


def choose_and_fit(
    data: LabelledRows,
    options: Options,
    criterion: Criterion,
    rng: RandomState,
    *,
    folds: int | Sequence[Split],
    class_prior: Float64Array | None,
    effort: Effort,
) -> Choice:
    """Fit the model that is asked for or, where several are, the best by the criterion.

    Raises ValueError where nothing can be held out, FitError where every model has a singular covariance.
    """
    if not options.is_open:
        number = options.numbers[0]
        sizes = number if isinstance(number, tuple) else (number,) * data.n_classes
        model = ClassModel(options.families[0], sizes, options.share, options.shrinkages[0])
        return Choice(fit_classes(data, model, rng, class_prior=class_prior, effort=effort))
    if criterion == "bic":
        if options.share == "nothing" and data.is_complete and not max(options.shrinkages):
            return Choice(fit_apart(data, options, rng, class_prior))
        return Choice(_choose_by_bic(data, options, rng, class_prior, effort))
    tried = Search(Folds(data, folds, rng, class_prior), options)
    best = tried.find_best()
    fit = fit_classes(data, best.model, rng, class_prior=class_prior, effort=effort)
    return Choice(fit, best.calibration, tuple(tried.trials.values()))


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
    names = tuple(fit.mixture.covariance_type for fit in chosen)
    model = ClassModel(names, sizes, "nothing")
    return ClassFit(model, classed, FitStatus.CONVERGED, max(fit.n_iter for fit in chosen), data)


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
