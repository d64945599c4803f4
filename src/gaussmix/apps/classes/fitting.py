"""EM of a mixture whose components belong to classes, from rows of which some or all have a label.

References
----------
T. Hastie and R. Tibshirani, Discriminant analysis by Gaussian mixtures, J. R. Stat. Soc. B 58 (1996) 155-176.
H. Bensmail and G. Celeux, Regularized Gaussian discriminant analysis through eigenvalue decomposition, J. Am.
Stat. Assoc. 91 (1996) 1743-1748.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.random import RandomState

from gaussmix._threads import hold_blas_to_one_thread
from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.classes.classed_mixture import ClassedMixture
from gaussmix.apps.classes.constant import find_constant
from gaussmix.apps.classes.labelled import UNKNOWN, Labelled, LabelledRows
from gaussmix.apps.classes.mstep import Apart, Common, Proportions, Together, find_general
from gaussmix.apps.classes.shrinkage import make_shrinkage
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import FitError
from gaussmix.fit.ending import publish
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.memberships import accumulate_memberships
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.mstep.terms import Terms
from gaussmix.fit.race.labelled import label_by_means
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure, get_structure
from gaussmix.model.kernels.softmax import sum_exponentials
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from gaussmix.model.moments.statistics import Moments

#: What classes share: the parts of covariances that a family shares; nothing; the Gaussians themselves.
Share = Literal["covariances", "nothing", "components"]

#: Iterations of the starts that compete where a class has several components.
SHORT_RUN = 5
#: M-steps of the moments of rows that are all labelled, in families whose M-step iterates.
REFINEMENTS = 20
#: Log-determinants that change by less, in all, are the same.
SETTLED = 1e-9

COLLAPSED = (
    "the covariance of class {c} is singular: its {n} labelled rows do not spread in all {d} directions. "
    "Give more rows, leave out columns, set shrinkage (in rows), or a simpler covariance_type, such as 'diag'"
)


@dataclass(frozen=True)
class ClassModel:
    """A family, numbers of components, and what classes share."""

    #: One for all classes or, where they share nothing, one for each.
    covariance_type: str | tuple[str, ...]
    #: Components of each class; where classes share the components, their number for each class.
    sizes: tuple[int, ...]
    share: Share = "covariances"
    #: In rows; see gaussmix.apps.classes.shrinkage.
    shrinkage: float = 0.0

    @property
    def n_components(self) -> int:
        """Number of components of all classes."""
        return self.sizes[0] if self.share == "components" else sum(self.sizes)

    @property
    def owners(self) -> IntArray:
        """The class of each component of EM, which has copies of shared ones for each class."""
        if self.share == "components":
            return np.tile(np.arange(len(self.sizes)), self.sizes[0])
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def family(self) -> str:
        """The covariance type of all classes; ValueError where each has its own."""
        if not isinstance(self.covariance_type, str):
            raise ValueError(f"classes have families of their own: {', '.join(self.covariance_type)}")
        return self.covariance_type

    def count_parameters(self, d: int) -> int:
        """Free parameters of the joint distribution of rows and classes."""
        n_classes, k, names = len(self.sizes), self.n_components, self.covariance_type
        if self.share == "nothing":
            each = (names,) * n_classes if isinstance(names, str) else names
            pairs = list(zip(each, self.sizes, strict=True))
        else:
            pairs = [(self.family, k)]
        covariances = sum(get_structure(name, d).n_covariance_parameters(size, d) for name, size in pairs)
        weights = k * n_classes if self.share == "components" else k
        return covariances + k * d + weights - 1


@dataclass(frozen=True)
class Effort:
    """How long EM goes on, and from how many starts."""

    tol: float = 1e-3
    max_iter: int = 100
    n_init: int = 1


@dataclass(frozen=True, eq=False)
class ClassFit:
    """A fitted model of rows and their classes."""

    model: ClassModel
    classed: ClassedMixture
    status: FitStatus
    n_iter: int
    #: What it was fitted to.
    data: LabelledRows = field(repr=False)

    @property
    def converged(self) -> bool:
        """Whether EM has come to its end, or nothing was left for it to find."""
        return self.status == FitStatus.CONVERGED

    @cached_property
    def log_likelihood(self) -> float:
        """Sum of log p(x, c) of the labelled rows and log p(x) of the others, in nats."""
        joint, labels = self.classed.log_joint(self.data.rows.values), self.data.labels
        known = labels != UNKNOWN
        each = np.empty(len(labels))
        each[known] = joint[known, labels[known]]
        each[~known] = sum_exponentials(joint[~known])
        return float(self.data.rows.masses @ each)

    @cached_property
    def bic(self) -> float:
        """Bayesian information criterion of the joint distribution; lower is better."""
        n, d = self.data.rows.weight, self.data.rows.shape[1]
        return self.model.count_parameters(d) * float(np.log(n)) - 2.0 * self.log_likelihood


class SeenRows:
    """Labelled rows, and what fits of several models to them have in common."""

    def __init__(self, data: LabelledRows) -> None:
        self.data = data
        #: The columns that say nothing.
        self.constant = find_constant(data)
        self._engines: dict[str, tuple[LocalEngine, Moments]] = {}

    @cached_property
    def varying(self) -> SeenRows:
        """The rows without constant columns."""
        return self if self.constant is None else SeenRows(self.constant.leave_out(self.data))

    def find_engine(self, structure: Structure) -> tuple[LocalEngine, Moments]:
        """An engine for a family, and the moments of the labelled rows in it, class by class."""
        if structure.name not in self._engines:
            engine = LocalEngine(self.data.rows, structure)
            moments = accumulate_memberships(engine, self.data.labels, self.data.n_classes)
            self._engines[structure.name] = engine, moments
        return self._engines[structure.name]


@hold_blas_to_one_thread()
def fit_classes(
    data: LabelledRows | SeenRows,
    model: ClassModel,
    rng: RandomState,
    *,
    class_prior: Float64Array | None = None,
    effort: Effort = Effort(),
) -> ClassFit:
    """The mixture of greatest likelihood, or most probable where covariances are shrunk.

    Raises FitError where a covariance is singular.
    """
    seen = data if isinstance(data, SeenRows) else SeenRows(data)
    data = seen.data
    constant = seen.constant if get_structure(model.family, data.rows.shape[1]).separable else None
    if constant is not None:
        found = fit_classes(seen.varying, model, rng, class_prior=class_prior, effort=effort)
        complete = constant.complete(found.classed.mixture)
        return replace(found, classed=replace(found.classed, mixture=complete), data=data)
    problem = _Problem(seen, model, class_prior)
    best: Run | None = None
    n_starts = effort.n_init if max(model.sizes) > 1 else 1
    for turn in range(n_starts):
        run = problem.begin(rng, turn)
        if problem.iterates:
            short = min(SHORT_RUN, effort.max_iter) if n_starts > 1 else effort.max_iter
            run = problem.go_on(run, effort.tol, short)
        if best is None or _is_better(run, best):
            best = run
    assert best is not None
    if problem.iterates and n_starts > 1 and best.status == FitStatus.MAX_ITER:
        going = replace(best, status=FitStatus.NOT_RUN)
        best = problem.go_on(going, effort.tol, effort.max_iter)
    mixture = publish(best.mixture, problem.engine.frame, None)[0]
    classed = ClassedMixture(mixture, np.eye(data.n_classes)[model.owners])
    if model.share == "components":
        classed = _join_copies(classed)
    status = best.status if problem.iterates else FitStatus.CONVERGED
    return ClassFit(model, classed.sorted_by_class(), status, max(len(best.history) - 1, 0), data)


def _is_better(run: Run, best: Run) -> bool:
    sound, best_sound = run.status != FitStatus.DEGENERATE, best.status != FitStatus.DEGENERATE
    return sound if sound != best_sound else run.objective > best.objective


def _join_copies(classed: ClassedMixture) -> ClassedMixture:
    """The Gaussians that classes share, each once, from copies of each for each class."""
    C = classed.n_classes
    weights = classed.mixture.weights.reshape(-1, C)
    total = weights.sum(axis=1)
    shares = np.where(total[:, None] > 0.0, weights / np.where(total > 0.0, total, 1.0)[:, None], 1.0 / C)
    first = np.arange(0, classed.mixture.n_components, C)
    return ClassedMixture(take_components(classed.mixture, first, total), shares)


class _Problem:
    """A model for some rows: engine, M-step, beginnings."""

    def __init__(self, seen: SeenRows, model: ClassModel, class_prior: Float64Array | None) -> None:
        self.data, self.model = seen.data, model
        self.structure = get_structure(model.family, self.data.rows.shape[1])
        if self.structure.n_factors and model.share == "components":
            raise ValueError(
                f"classes cannot share components of the type {model.family!r}, a factor analyser; use one "
                "of mclust's families"
            )
        #: Whether responsibilities are for EM to find: else all are known.
        self.iterates = max(model.sizes) > 1 or not self.data.is_complete
        kept = self.structure
        if model.share == "nothing" or not (self.iterates or kept.n_factors):
            general = find_general(kept)  # whose moments are those of all families of that algebra
            kept = general if model.share == "nothing" or general.group == kept.group else kept
        self.engine, self.classes = seen.find_engine(kept)
        self.proportions = Proportions(model.owners, class_prior)
        self.m_step = self._make_m_step(kept)

    def _make_m_step(self, kept: Structure) -> Together | Apart | Common:
        model, n_classes = self.model, self.data.n_classes
        if model.share == "nothing":
            steps = tuple(self._make_step(size) for size in model.sizes)
            return Apart(steps, self.proportions, kept)
        if model.share == "components":
            return Common(self._make_step(model.sizes[0]), n_classes, self.proportions)
        return Together(self._make_step(model.n_components), self.proportions)

    def _make_step(self, n_sharing: int) -> Maximise:
        structure, nu = self.structure, self.model.shrinkage
        regularise = make_regularise("auto", structure, self.engine)
        if not nu:
            return Maximise(structure, regularise)
        sharing = n_sharing if structure.shared and not self.engine.form.shared else 1
        prior = make_shrinkage(
            self.engine, structure, self.classes, nu, self.model.n_components, n_sharing=sharing
        )
        return Maximise(structure, regularise, Terms(prior=prior))

    def begin(self, rng: RandomState, turn: int) -> Run:
        """The M-step of labelled rows; those of a class of several components are divided first."""
        model, data = self.model, self.data
        if max(model.sizes) == 1:
            moments = self.classes
        elif model.share == "components":
            parts = label_by_means(self.engine, model.sizes[0], rng, 1, turn)[0]
            labels = np.where(data.labels == UNKNOWN, UNKNOWN, parts * data.n_classes + data.labels)
            moments = accumulate_memberships(self.engine, labels, len(model.owners))
        else:
            moments = accumulate_memberships(self.engine, self._divide(rng, turn), len(model.owners))
        try:
            mixture = self.m_step(moments, None)
            for _ in range(REFINEMENTS if self.structure.coupled and not self.iterates else 0):
                before, mixture = mixture, self.m_step(moments, mixture)
                change = np.abs(mixture.natural.constants - before.natural.constants).max()
                if change < SETTLED:
                    break
        except NotPositiveDefiniteError as error:
            raise FitError(self._describe_collapse(error.components)) from None
        held = () if self.model.shrinkage or self.iterates else self._find_held(mixture)
        if held:
            raise FitError(self._describe_collapse(held))
        return Run(mixture, FitStatus.NOT_RUN, ())

    def go_on(self, run: Run, tol: float, max_iter: int) -> Run:
        """EM, until the mean log-likelihood rises by less than `tol`."""
        labelled = Labelled(self.engine, self.data.labels, self.model.owners)
        return em(labelled, run, self.m_step, rule=Rule(tol), max_iter=max_iter)

    def _divide(self, rng: RandomState, turn: int) -> IntArray:
        """The component of each labelled row, by a few steps of k-means within each class."""
        data, labels, first = self.data, np.full(len(self.data.labels), UNKNOWN), 0
        for c, size in enumerate(self.model.sizes):
            own = np.flatnonzero(data.labels == c)
            labels[own] = first
            if size > 1:
                labels[own] += label_by_means(self.engine.take(own), size, rng, 1, turn)[0]
            first += size
        return labels

    def _find_held(self, mixture: Mixture) -> tuple[int, ...]:
        """Components of which the floor of variances decides some, and not the rows."""
        regularise = make_regularise("auto", mixture.structure, self.engine)
        return regularise.find_held(mixture)

    def _describe_collapse(self, components: tuple[int, ...]) -> str:
        """The message of a class whose covariance is singular."""
        counts, d = self.data.count_classes(), self.data.rows.shape[1]
        classes = self.model.owners[list(components)] if components else [int(counts.argmin())]
        c = int(classes[0])
        return COLLAPSED.format(c=self.data.names[c] if self.data.names else c, n=int(counts[c]), d=d)
