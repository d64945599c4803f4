"""Models of many rows: a sample says where each begins, and which cannot win.

All families share a sample of the rows and two labellings of it: k-means, and a hierarchy that is cut for
every number of components. From each, EM on the sample goes its way, all numbers of components side by side.
The best of k components, with one of those divided that fit worst, begins k + 1 once more, and with two
joined k - 1. On all rows EM has then few iterations left: models that may win go on until they have
converged, others until an iteration gains less than LOOSE.

A model m cannot win against a fit b where its criterion would be worse even with a log-likelihood of

    log L_b + n (l_m - l_b + max(0, p_b - p_m) / s + 4 se)

with l the mean log-likelihoods on the sample of s rows, p the numbers of parameters, and se the standard
error of the difference l_m - l_b over the rows of the sample. A fit to a sample exceeds what it is worth on
all rows by p / (2 s) in expectation: a model of more parameters looks better on the sample than it is. One of
fewer is given twice what it looks worse by.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import RandomState

from gaussmix._progress import OnProgress
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix._typing import Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.engines import Engine, choose_engine
from gaussmix.fit.arguments import make_generator
from gaussmix.fit.beginnings import Begun, Watch
from gaussmix.fit.iterate.acceleration import make_accelerator
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.iterate.stack import begin_together, em_together
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.multistart import Position, Search
from gaussmix.fit.options import IterationOptions
from gaussmix.fit.race.labelled import label_by_means
from gaussmix.fit.race.moves import divide_components, join_components
from gaussmix.fit.ranking import rate_run
from gaussmix.fit.result import FitStatus
from gaussmix.fit.starts.hierarchy import find_clusters
from gaussmix.model.covariance import Structure, get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.select.families import Key, Outcomes, Settings, report_ends

#: Rows up to which every model begins at a hierarchy of them all, as in mclust.
FEW_ROWS = 2_000
#: Rows of the sample.
SAMPLE_ROWS = 4_000
#: Rows of the sample for each parameter of the largest model, where that is more.
SAMPLE_ROWS_EACH = 5
#: What of all rows the sample is at most, unless these are few: one in so many.
PART = 4
#: Rows of the sample that the hierarchy is made of.
HIERARCHY_ROWS = 500
#: Labellings by k-means.
N_MEANS = 1
#: Components of a fit, each divided for another of one component more.
DIVIDED = 2
#: Pairs of a fit, each joined for another of one component less.
JOINED = 3
#: Fits to the sample that are compared on more rows.
COMPARED = 3
#: Those rows.
COMPARED_ROWS = 16_000
#: Nats a row by which fits differ that are compared.
DIFFERENT = 1e-4
#: Nats a row that an iteration gains where EM stops that may yet go on.
LOOSE = 3e-4
#: What a model may gain yet, as a multiple of what its last iteration gained.
REMAINING = 10.0
#: Standard errors by which a model may be better on all rows than the sample says.
STANDARD_ERRORS = 4.0


@dataclass(frozen=True, eq=False)
class Sample:
    """A sample of the rows with labels to begin at, the same for all families."""

    places: IntArray
    #: For each number of components, labellings of the sample; -1 is a row that belongs to none.
    labels: Mapping[int, Sequence[IntArray]]

    @classmethod
    def draw(cls, rows: Rows, numbers: Sequence[int], most_parameters: int, seed: int) -> Sample:
        """A sample for models of these numbers of components."""
        n, d = rows.shape
        rng = make_generator(seed)
        size = min(max(SAMPLE_ROWS, SAMPLE_ROWS_EACH * most_parameters), max(SAMPLE_ROWS, n // PART))
        places = rows.choose(size, rng)
        places = np.arange(n) if places is None else places
        some = rows.take(places)
        engine = choose_engine(some)(some, get_structure("full", d))
        few = some.choose(HIERARCHY_ROWS, rng)
        few = np.arange(len(places)) if few is None else few
        parts = some.take(few)
        labels = {}
        for k in numbers:
            cut = np.full(len(places), -1)
            cut[few] = find_clusters(parts.array, parts.weights, 0, k)
            labels[k] = [cut, *(label_by_means(engine, k, rng, N_MEANS, 0) if k > 1 else [])]
        return cls(places, labels)


@dataclass(frozen=True, eq=False)
class GoOn:
    """A beginning where another run has ended."""

    run: Run
    rng: RandomState
    source: str = "sample"
    raced: bool = False

    def begin(self, best: Run | None, watch: Watch) -> Begun:
        """The run to begin, with the other as its past."""
        past = self.run.append_to(self.run.past) if self.run.history else self.run.past
        return Run(self.run.mixture, FitStatus.NOT_RUN, (), past=past), ()


class Family:
    """A family: the engine of all rows, and for each number of components how far its fit has come."""

    def __init__(
        self, rows: Rows, structure: Structure, name: str, sample: Sample, settings: Settings
    ) -> None:
        """Fit the family to the sample."""
        begin = time.perf_counter()
        self.name, self.settings = name, settings
        engine = choose_engine(rows)(rows, structure)
        self.part = engine.take(sample.places)
        self.judge, few = (
            Judge(each, Maximise(structure, make_regularise(settings.model.reg_covar, structure, each)))
            for each in (engine, self.part)
        )
        with hold_blas_to_one_thread():
            runs = draft_runs(few, sample, settings.iteration)
            more = engine.sample(COMPARED_ROWS, make_generator(settings.seed))
            #: The fits to the sample: of the best ones, each that is best on more rows.
            self.drafts = {k: choose_on(more, some) for k, some in runs.items()}
        self._evaluated: dict[int, Float64Array] = {}
        #: The ends of the searches on all rows, and what each has cost.
        self.ends: dict[int, Position] = {}
        share = (time.perf_counter() - begin) / sum(sample.labels)
        self.seconds = {k: k * share for k in sample.labels}

    def count_parameters(self, k: int) -> int:
        """Of the mixtures of k components."""
        return self.drafts[k].mixture.n_parameters

    def has_flawed_draft(self, k: int) -> bool:
        """Whether all fits to the sample have a spike or a component that is held."""
        return self.drafts[k].status == FitStatus.DEGENERATE

    def evaluate_sample(self, k: int) -> Float64Array:
        """The log-density of each row of the sample under its fit, in the data's coordinates, shape (s,)."""
        if k not in self._evaluated:
            values = self.part.evaluate(self.drafts[k].mixture, "log_prob").astype(np.float64)
            self._evaluated[k] = values + self.part.frame.log_det
        return self._evaluated[k]

    def fit(self, k: int, tol: float, watch: OnProgress | None = None) -> Position:
        """Go on with EM on all rows, from the fit to the sample or from where it stopped."""
        begin = time.perf_counter()
        iteration, rng = self.settings.iteration, make_generator(self.settings.seed)
        before = self.ends.get(k)
        run = replace(self.drafts[k], history=(), log_priors=()) if before is None else before.best
        assert run is not None
        accelerator = make_accelerator("auto", possible=not self.part.structure.n_factors)
        search = Search(
            self.judge,
            [GoOn(run, rng)],
            Rule(tol, iteration.stopping),
            accelerator,
            iteration.max_iter,
            on_progress=watch,
        )
        with hold_blas_to_one_thread():
            self.ends[k] = end = search(Position())
        self.seconds[k] += time.perf_counter() - begin
        return end

    def report(self, k: int, *, doubts: bool) -> Outcomes:
        """What there is to report of a number of components."""
        ends, seconds = {k: self.ends[k]}, self.seconds[k]
        return report_ends(self.judge, self.name, ends, self.settings, seconds, doubts=doubts)


def draft_runs(judge: Judge, sample: Sample, iteration: IterationOptions) -> dict[int, list[Run]]:
    """The best fits to a sample for each number of components that has any, the best first.

    All labellings go their ways side by side. Then, from few components to many, the best of k is divided
    to begin k + 1 once more; and from many to few, two of k + 1 become one to begin k.
    """
    engine, m_step = judge.engine, judge.m_step
    rule = Rule(max(LOOSE, float(iteration.tol)), iteration.stopping)
    best: dict[int, list[Run]] = {}

    def go_on(mixtures: Sequence[tuple[int, Mixture]]) -> None:
        only = [mixture for _, mixture in mixtures]
        runs = em_together(engine, only, m_step, rule=rule, max_iter=iteration.max_iter) if only else []
        for (k, _), run in zip(mixtures, runs, strict=True):
            best[k] = keep_best([*best.get(k, []), mark_flaws(judge, run)])

    def find_sound(k: int) -> Mixture | None:
        run = best[k][0] if k in best else None
        return None if run is None or run.status == FitStatus.DEGENERATE else run.mixture

    go_on(
        [
            (k, mixture)
            for k, labels in sample.labels.items()
            for mixture in begin_together(engine, labels, k, m_step, engine.weight)
            if mixture is not None
        ]
    )
    for k in sorted(sample.labels):
        if k + 1 in sample.labels and (mixture := find_sound(k)) is not None:
            go_on([(k + 1, each) for each in divide_components(engine, mixture, m_step, DIVIDED)])
    for k in sorted(sample.labels, reverse=True):
        if k - 1 in sample.labels and k > 2 and (mixture := find_sound(k)) is not None:
            go_on([(k - 1, each) for each in join_components(engine, mixture, m_step, JOINED)])
    return best


def keep_best(runs: Sequence[Run]) -> list[Run]:
    """A few runs that differ, the best first."""
    kept: list[Run] = []
    for run in sorted(runs, key=rate_run, reverse=True):
        if not kept or kept[-1].objective - run.objective > DIFFERENT:
            kept.append(run)
    return kept[:COMPARED]


def choose_on(engine: Engine, runs: Sequence[Run]) -> Run:
    """The run of highest likelihood on an engine's rows, among those as sound as the first."""
    equal = [run for run in runs if rate_run(run).soundness == rate_run(runs[0]).soundness]
    if len(equal) == 1:
        return equal[0]
    return max(equal, key=lambda run: engine.accumulate(run.mixture).log_likelihood)


def mark_flaws(judge: Judge, run: Run) -> Run:
    """The run, degenerate where a component of it is a spike or held: its likelihood says nothing.

    On rounded rows a component that is held on a heap would otherwise be better than all others.
    """
    spikes = judge.find_spikes(run.mixture)
    if not spikes and not judge.m_step.regularise.find_held(run.mixture):
        return run
    return replace(run, status=FitStatus.DEGENERATE, collapsed=spikes)


@dataclass(frozen=True, eq=False)
class Contest:
    """Models of many rows that are fitted as far as they may win."""

    families: Mapping[str, Family]
    #: What a parameter costs, in nats: a criterion is 2 (p price - log L).
    price: float
    #: The sum of the weights of all rows.
    weight: float

    def order_models(self) -> list[Key]:
        """All models that have a fit to the sample, what looks best first, and those with a flaw last."""
        size = {name: len(family.part.rows.masses) for name, family in self.families.items()}
        costs = {}
        for name, family in self.families.items():
            for k in family.drafts:
                p = family.count_parameters(k)
                likelihood = self._average(family, family.evaluate_sample(k)) - p / size[name]
                costs[name, k] = p * self.price - self.weight * likelihood
        return sorted(costs, key=lambda key: (self.families[key[0]].has_flawed_draft(key[1]), costs[key]))

    def measure(self, key: Key) -> float:
        """Half the criterion of a model, as far as it is fitted; infinite where it has no sound fit."""
        name, k = key
        end = self.families[name].ends.get(k)
        if end is None or end.best is None or end.best.status == FitStatus.DEGENERATE:
            return math.inf
        if self.families[name].judge.m_step.regularise.find_held(end.best.mixture):
            return math.inf  # as SearchResult.sound has it
        return self.families[name].count_parameters(k) * self.price - self.weight * end.best.objective

    def choose_better(self, best: Key | None, key: Key) -> Key:
        """The better of two models, the first of equals."""
        return key if best is None or self.measure(key) < self.measure(best) else best

    def can_win(self, key: Key, best: Key) -> bool:
        """Whether a model that is fitted to the sample alone may be better than another on all rows."""
        if math.isinf(self.measure(best)):
            return True
        (name, k), (other, j) = key, best
        family, first = self.families[name], self.families[other]
        gains = family.evaluate_sample(k) - first.evaluate_sample(j)
        p, p_best = family.count_parameters(k), first.count_parameters(j)
        gain = self._average(family, gains) + max(0, p_best - p) / len(gains)
        gain += STANDARD_ERRORS * float(gains.std()) / math.sqrt(len(gains))
        return (p - p_best) * self.price < self.weight * gain

    def can_still_win(self, key: Key, best: Key) -> bool:
        """Whether a model may be better than another with REMAINING times what it gained last."""
        name, k = key
        end = self.families[name].ends[k].best
        if end is None or len(end.history) < 2:
            return True
        gain = REMAINING * abs(end.history[-1] - end.history[-2])
        return self.measure(key) - self.weight * gain < self.measure(best)

    def _average(self, family: Family, values: Float64Array) -> float:
        return float(np.average(values, weights=family.part.rows.masses))
