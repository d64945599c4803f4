"""Fits of resamples, each begun at the fit of the data.

Those of few rows stand side by side, many in one pass; others are fitted one by one. Which of the two it is,
and which resamples stand together, depends on the shape of the problem alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from gaussmix import _threads
from gaussmix._progress import OnProgress, Progress, remember_stop
from gaussmix._typing import IntArray
from gaussmix.engines import Engine, choose_engine
from gaussmix.errors import FitError
from gaussmix.fit.iterate.acceleration import OWN_STEP, Memory, Proposal
from gaussmix.fit.iterate.em import Run, RunOf, Trail, iterate
from gaussmix.fit.iterate.stack import Stack, begin_at_moments, take_groups
from gaussmix.fit.iterate.stopping import Rule, Stopping
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.result import FitStatus
from gaussmix.infer.resampling import Resample
from gaussmix.infer.subject import Subject
from gaussmix.model.kernels.own_rows import OwnRows
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Pass

T = TypeVar("T")

#: Products k F n of a pass of one mixture up to which many go side by side.
FEW_PRODUCTS = 1_000_000
#: Numbers k n of responsibilities that a stack of mixtures has at a time: they stay in the cache.
STACKED_NUMBERS = 65_536
#: The most mixtures in a stack: those that end late keep few others waiting.
MOST_STACKED = 128


@dataclass(frozen=True)
class Settings:
    """When a refit has converged: what `tol`, in nats for each row, bounds is said by `stopping`."""

    tol: float = 1e-5
    max_iter: int = 1000
    stopping: Stopping = "aitken"


@dataclass(frozen=True, eq=False)
class Refit:
    """The mixture that a resample led to, its log-likelihood there, and what went wrong, if anything."""

    mixture: Mixture | None
    log_likelihood: float = math.nan
    failure: str = ""


@dataclass(slots=True, eq=False)
class EachItsOwn:
    """The state of a loop over mixtures side by side, each with rows or weights of its own."""

    frame: Frame
    #: The sum of the weights of each mixture's rows.
    weight: float
    rows: OwnRows
    stack: Stack
    seen: Pass

    @classmethod
    def begin(cls, frame: Frame, weight: float, rows: OwnRows, stack: Stack) -> EachItsOwn:
        """The state after a pass."""
        return cls(frame, weight, rows, stack, rows.accumulate(stack.joined.natural_in(rows.form)))

    def get_mixture(self, place: int) -> Mixture:
        """What is iterated at a place."""
        return self.stack.get_mixture(place)

    def get_memory(self, place: int) -> Memory | None:
        """No memory: there is no acceleration."""
        return None

    def measure(self) -> list[tuple[float, float | None]]:
        """The mean log-likelihood of each, in the data's coordinates."""
        each = self.seen.log_likelihoods / self.weight + math.log(len(self.stack.groups))
        return [(value, None) for value in (each + self.frame.log_det).tolist()]

    def propose(self, trails: Sequence[Trail[Mixture]], rule: Rule) -> list[Proposal]:
        """EM's own step for each."""
        return [OWN_STEP] * len(trails)

    def step(self, proposals: Sequence[Proposal]) -> tuple[EachItsOwn, dict[int, tuple[int, ...]]]:
        """The state after M-steps and a pass, without those that collapse."""
        stack, collapsed = self.stack.maximise(self.seen.moments)
        if stack is None:
            return self, collapsed
        kept = [place for place in range(len(proposals)) if place not in collapsed]
        rows = self.rows.take(kept) if collapsed else self.rows
        return EachItsOwn.begin(self.frame, self.weight, rows, stack), collapsed

    def take(self, kept: Sequence[int]) -> EachItsOwn:
        """Some of the places."""
        places = list(kept)
        moments = take_groups(self.seen.moments, self.stack.groups, places)
        # what each mixture has of the weight in a stack has changed, and so has its likelihood
        shift = self.weight * math.log(len(self.stack.groups) / len(places))
        seen = replace(self.seen, moments=moments, log_likelihoods=self.seen.log_likelihoods[places] + shift)
        return EachItsOwn(self.frame, self.weight, self.rows.take(places), self.stack.take(places), seen)


@dataclass(frozen=True, eq=False)
class Refitter:
    """Fits resamples of a subject from given mixtures, in the coordinates of its rows."""

    subject: Subject
    settings: Settings = field(default_factory=Settings)

    @cached_property
    def engine(self) -> Engine:
        """The rows of the data: frame, scales and floors of all resamples are theirs."""
        return choose_engine(self.subject.rows)(self.subject.rows, self.subject.structure)

    @cached_property
    def m_step(self) -> Maximise:
        """The M-step of each resample."""
        structure = self.subject.structure
        return Maximise(structure, make_regularise(self.subject.reg_covar, structure, self.engine))

    @cached_property
    def stacks(self) -> bool:
        """Whether resamples stand side by side."""
        subject = self.subject
        plain = subject.mixture.noise is None and subject.prior is None and not subject.trim
        if not plain or np.ptp(subject.X, axis=0).min() == 0.0:
            return False
        n, d = subject.rows.shape
        products = n * subject.mixture.n_components * subject.structure.own_form.n_features(d)
        return products <= FEW_PRODUCTS and self.m_step.stackable

    def count_stacked(self, k: int) -> int:
        """How many resamples are fitted at a time, of k components."""
        if not self.stacks:
            return 1
        return max(1, min(MOST_STACKED, STACKED_NUMBERS // (k * self.subject.rows.shape[0])))

    def see_rows(self, resamples: Sequence[Resample]) -> OwnRows:
        """The rows and weights of some resamples, in the frame; all of them have rows, or none has."""
        frame, form = self.engine.frame, self.subject.structure.own_form
        drawn = [r.rows for r in resamples if r.rows is not None]
        weights = [r.weights for r in resamples if r.weights is not None]
        rows = drawn or [self.subject.X]
        Z = np.stack([np.asarray(frame.apply(each.astype(np.float64)), dtype=np.float64) for each in rows])
        return OwnRows.of(form, Z, np.stack(weights) if weights else None)

    def fit_stacked(self, rows: OwnRows, starts: Sequence[Mixture]) -> list[Run]:
        """EM from a start for each resample, side by side, in the frame's coordinates."""
        state = EachItsOwn.begin(self.engine.frame, rows.weight, rows, Stack.of(starts, self.m_step))
        begun = [RunOf(start, FitStatus.NOT_RUN, ()) for start in starts]
        rule = Rule(self.settings.tol, self.settings.stopping)
        return iterate(state, begun, rule=rule, max_iter=self.settings.max_iter)

    def begin_at_labels(self, rows: OwnRows, labels: IntArray, k: int) -> list[Mixture | None]:
        """The M-step of a labelling of the rows of each resample, shape (g, n); None where it collapses."""
        groups = Groups((k,) * len(labels))
        return begin_at_moments(rows.accumulate_labels(labels, k), groups, self.m_step)

    def judge(self, run: Run, weight: float) -> Refit:
        """The end of a run of rows of this weight, in the frame's coordinates still."""
        total = run.objective * weight
        if run.status == FitStatus.DEGENERATE:
            return Refit(run.mixture, total, "a component collapsed")
        spikes = self.m_step.regularise.find_spikes(run.mixture, self.engine.n_rows)
        return Refit(run.mixture, total, "a component collapsed" if spikes else "")

    def publish(self, refits: Sequence[Refit]) -> list[Refit]:
        """The same in the coordinates of the data."""
        frame = self.engine.frame
        return [
            replace(refit, mixture=refit.mixture.mapped(frame.inverse, frame.matrix, frame.origin))
            if refit.mixture is not None
            else refit
            for refit in refits
        ]

    def refit(self, resamples: Sequence[Resample]) -> list[Refit]:
        """Fits of resamples, each begun at the subject's mixture."""
        if not self.stacks:
            return [self.fit_alone(each, self.subject.mixture) for each in resamples]
        start = self.subject.mixture.seen_from(self.engine.frame)
        rows = self.see_rows(resamples)
        runs = self.fit_stacked(rows, [start] * len(resamples))
        return self.publish([self.judge(run, rows.weight) for run in runs])

    def fit_alone(self, resample: Resample, start: Mixture) -> Refit:
        """The fit of one resample by itself, with all that was asked of the subject's."""
        noise = False if start.noise is None else start.noise
        options = {"start": start, "noise": noise, "trim": self.subject.trim, "prior": self.subject.prior}
        return self._fit_by_itself(resample, start.n_components, options)

    def fit_anew(self, resample: Resample, k: int) -> Refit:
        """The fit of k components to one resample, from a hierarchy of its rows."""
        return self._fit_by_itself(resample, k, {"init_params": "agglomerative", "random_state": 0})

    def _fit_by_itself(self, resample: Resample, k: int, options: dict[str, Any]) -> Refit:
        subject, settings = self.subject, self.settings
        try:
            result = fit_mixture(
                subject.X if resample.rows is None else resample.rows,
                k,
                covariance_type=subject.mixture.covariance_type,
                sample_weight=resample.weights,
                tol=settings.tol,
                max_iter=settings.max_iter,
                reg_covar=subject.reg_covar,
                n_factors=subject.mixture.n_factors or None,
                stopping=settings.stopping,
                **options,
            )
        except FitError:
            return Refit(None, failure="a component collapsed")
        collapsed = result.status == FitStatus.DEGENERATE or bool(result.collapsed)
        failure = "a component collapsed" if collapsed else ""
        return Refit(result.mixture, result.log_likelihood, failure)


def run_in_blocks(
    task: Callable[[range], T],
    total: int,
    size: int,
    n_jobs: int | None,
    on_progress: OnProgress | None,
    progress: Progress,
) -> list[T]:
    """The results of a task for blocks of so many numbers, in order; fewer where progress stops it.

    Blocks are the same for any number of threads. What is shown is the progress with the numbers that are
    done; at the first call that is none, and there is nothing to stop yet.
    """
    blocks = [range(start, min(start + size, total)) for start in range(0, total, size)]
    lock, done, stopped = threading.Lock(), 0, False

    def work(i: int) -> T | None:
        nonlocal done, stopped
        if stopped:
            return None
        found = task(blocks[i])
        with lock:
            done += len(blocks[i])
            if watch is not None and not stopped:
                stopped = watch(replace(progress, done=done, of=total, share=done / total))
        return found

    watch = remember_stop(on_progress)
    if watch is not None:
        watch(replace(progress, of=total, share=0.0))

    with _threads.hold_blas_to_one_thread():  # else its sums would depend on the number of threads
        if n_jobs == 1:
            results = [work(i) for i in range(len(blocks))]
        else:
            results = _threads.run_tasks(work, len(blocks))
    return [found for found in results if found is not None]
