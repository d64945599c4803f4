"""Tests of one number of components against the next, by the likelihood ratio and the parametric bootstrap.

Twice the gain of the log-likelihood has no known distribution here, since k components are a border of k + 1.
So rows are drawn from the fit of k, both numbers are fitted to the draws, and the gain of the data is
compared with those of the draws.

A fit of k components to rows that are drawn from k begins at these, and one of k + 1 at a hierarchy of the
rows. Where that leads to a component that collapses, or to less than k components have, it begins at the k
with one divided.

References
----------
G. J. McLachlan, On bootstrapping the likelihood ratio test statistic for the number of components in a normal
mixture, J. R. Stat. Soc. C 36 (1987) 318-324.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from gaussmix._check import read_count
from gaussmix._progress import OnProgress, Progress
from gaussmix._text import make_text_table
from gaussmix._typing import Float64Array, IntArray
from gaussmix.errors import FitError
from gaussmix.fit.arguments import read_named
from gaussmix.fit.ending import publish
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.race.moves import divide_components
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.fit.starts.hierarchy import scale_rows
from gaussmix.infer.refits import Refit, Refitter, Settings, run_in_blocks
from gaussmix.infer.resampling import Resample, draw_resample, make_seeds
from gaussmix.infer.subject import check_share, read_subject
from gaussmix.model.mixture import Mixture
from gaussmix.select.many_models import fit_mixtures

#: Divided components that are tried where a hierarchy leads nowhere.
MOST_DIVIDED = 3
#: Rows of a draw that a hierarchy is made of, whose cost grows with their square.
MOST_CLUSTERED = 1000


@dataclass(frozen=True, eq=False, repr=False)
class LikelihoodRatioTest:
    """The test of k components against k + 1.

    Parameters
    ----------
    n_components : int
        k.
    statistic : float
        2 (log L of k + 1 - log L of k), of the rows.
    resampled : ndarray of shape (B,)
        The same of rows that were drawn from the fit of k.
    n_failed : int
        Draws to which k + 1 could not be fitted without a component that collapses.
    """

    n_components: int
    statistic: float
    resampled: Float64Array
    n_failed: int = 0

    @property
    def p_value(self) -> float:
        """(1 + the number of draws with as large a statistic) / (B + 1)."""
        return float((1 + np.count_nonzero(self.resampled >= self.statistic)) / (1 + len(self.resampled)))

    def __repr__(self) -> str:
        k = self.n_components
        return (
            f"LikelihoodRatioTest({k} against {k + 1}: statistic {self.statistic:.4g}, p {self.p_value:.3g})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class LikelihoodRatioTests(Sequence[LikelihoodRatioTest]):
    """Tests of 1 component against 2, of 2 against 3, and so on until one is not rejected.

    Parameters
    ----------
    tests : tuple of LikelihoodRatioTest
    fits : tuple of FitResult
        Of 1, 2, ... components, one more than tests.
    level : float
        A test is rejected where its p-value is at most that.
    """

    tests: tuple[LikelihoodRatioTest, ...]
    fits: tuple[FitResult, ...] = field(repr=False)
    level: float = 0.05

    @property
    def n_components(self) -> int:
        """The first number of components that is not rejected; the last of all if none is."""
        for test in self.tests:
            if test.p_value > self.level:
                return test.n_components
        return len(self.fits)

    @property
    def best(self) -> FitResult:
        """The fit of so many components."""
        return self.fits[self.n_components - 1]

    def to_dict(self) -> dict[str, list[Any]]:
        """A table by columns: n_components, statistic, p_value, n_resamples, n_failed."""
        return {
            "n_components": [test.n_components for test in self.tests],
            "statistic": [test.statistic for test in self.tests],
            "p_value": [test.p_value for test in self.tests],
            "n_resamples": [len(test.resampled) for test in self.tests],
            "n_failed": [test.n_failed for test in self.tests],
        }

    def __len__(self) -> int:
        return len(self.tests)

    @overload
    def __getitem__(self, place: int) -> LikelihoodRatioTest: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[LikelihoodRatioTest, ...]: ...
    def __getitem__(self, place: int | slice) -> LikelihoodRatioTest | tuple[LikelihoodRatioTest, ...]:
        return self.tests[place]

    def __iter__(self) -> Iterator[LikelihoodRatioTest]:
        return iter(self.tests)

    def __repr__(self) -> str:
        rows = [["k", "against", "statistic", "p"]]
        for test in self.tests:
            k = test.n_components
            rows.append([str(k), str(k + 1), f"{test.statistic:.2f}", f"{test.p_value:.4f}"])
        name, n = self.best.mixture.covariance_type, len(self.tests[0].resampled)
        return "\n".join(
            [
                f"Likelihood-ratio tests, {name}, {n} draws each",
                make_text_table(rows),
                f"Components at the level {self.level:.4g}: {self.n_components}",
            ]
        )


def bootstrap_lrt(
    X: npt.ArrayLike,
    covariance_type: str = "full",
    *,
    max_components: int = 9,
    n_resamples: int = 999,
    level: float = 0.05,
    sample_weight: npt.ArrayLike | None = None,
    reg_covar: Any = "auto",
    tol: float = 1e-4,
    max_iter: int = 1000,
    n_factors: int = 1,
    random_state: Any = None,
    n_jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> LikelihoodRatioTests:
    """Test k components against k + 1, from one on, until k is not rejected.

    The statistic is twice the gain of the log-likelihood; its distribution under k components is that of fits
    to rows drawn from the fit of k (the parametric bootstrap)::

        p = (1 + #{draws of as large a gain}) / (1 + #{draws})

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
    covariance_type : str
        One of the names that fit_mixture takes.
    max_components : int
        The last test is of one less against so many.
    n_resamples : int
        Draws for each test.
    level : float
        A number of components is rejected where p is at most that.
    sample_weight : array-like of shape (n,), optional
        A weight is a number of rows: so many are drawn as they sum to.
    reg_covar : float or "auto"
    tol : float
        A fit, of rows or draws, ends where an iteration gains less, in nats a row. mclust's 1e-5 of the
        log-likelihood is about that.
    max_iter : int
    n_factors : int
        Of factor analysers.
    random_state : int, RandomState, Generator or None
        The same draws, whatever the number of threads.
    n_jobs : int, optional
        One thread if it is 1; by default all that gaussmix may use.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` after some draws of a test. True stops: the test is of those
        that are done, and the last.

    Returns
    -------
    LikelihoodRatioTests

    Raises
    ------
    ValueError
        If an argument is wrong; FitError, which is one, if one component collapses.

    References
    ----------
    G. J. McLachlan, On bootstrapping the likelihood ratio test statistic for the number of components in a
    normal mixture, J. R. Stat. Soc. C 36 (1987) 318-324.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, _ = load_faithful()
    >>> tests = gaussmix.bootstrap_lrt(X, "full", max_components=2, n_resamples=99, random_state=0)
    >>> tests[0].n_components, tests[0].p_value, tests.n_components
    (1, 0.01, 2)
    """
    max_components = read_count(max_components, "max_components", 2)
    n_resamples, level = read_count(n_resamples, "n_resamples"), check_share(level, "level")
    settings = Settings(tol, max_iter, "change")
    options = {
        "covariance_type": covariance_type,
        "sample_weight": sample_weight,
        "reg_covar": reg_covar,
        "tol": tol,
        "max_iter": max_iter,
        "n_factors": n_factors,
        "random_state": 0,
    }
    seeds = iter(np.random.SeedSequence(make_seeds(random_state, 1)[0].entropy).spawn(max_components))
    stopped = False

    def watch(progress: Progress) -> bool:
        nonlocal stopped
        stopped = on_progress is not None and bool(on_progress(progress)) and progress.done > 0
        return stopped

    values, options["feature_names"] = read_named(X)
    first = _fit(values, 1, options)
    if first is None:
        raise FitError("one component collapses: the rows have no spread in some direction")
    fits, tests = [first], []
    for k in range(1, max_components):
        subject = read_subject(values, fits[-1], sample_weight=sample_weight, reg_covar=reg_covar)
        comparison = Comparison(Refitter(subject, settings))
        following = _fit_following(values, fits[-1], comparison, options)
        if following is None:
            break
        gains = comparison.run(n_resamples, next(seeds), n_jobs, watch)
        sound = np.array([gain for gain in gains if np.isfinite(gain)])
        statistic = 2.0 * (following.log_likelihood - fits[-1].log_likelihood)
        tests.append(LikelihoodRatioTest(k, statistic, sound, len(gains) - len(sound)))
        fits.append(following)
        if tests[-1].p_value > level or stopped:
            break
    return LikelihoodRatioTests(tuple(tests), tuple(fits), level)


def _fit(X: npt.ArrayLike, k: int, options: dict[str, Any]) -> FitResult | None:
    """The fit of k components from a hierarchy of the rows; None if a component collapses."""
    name = options["covariance_type"]
    found = fit_mixtures(X, [k], **options).fits.get((name, k))
    return found if found is not None and _is_sound(found) else None


def _fit_following(
    X: npt.ArrayLike, before: FitResult, comparison: Comparison, options: dict[str, Any]
) -> FitResult | None:
    """The fit of one component more; where it ends lower, from the fit before with a component divided."""
    k = before.mixture.n_components + 1
    found = _fit(X, k, options)
    if found is not None and found.log_likelihood >= before.log_likelihood:
        return found
    others = [fit_mixture(X, k, start=start, **options) for start in comparison.list_divided()]
    sound = [fit for fit in (found, *others) if fit is not None and _is_sound(fit)]
    return max(sound, key=lambda fit: fit.log_likelihood, default=None)


def _is_sound(fit: FitResult) -> bool:
    return not fit.collapsed and fit.status != FitStatus.DEGENERATE


@dataclass(frozen=True, eq=False)
class Comparison:
    """Fits of k and of k + 1 components to rows that are drawn from k."""

    refitter: Refitter

    @property
    def k(self) -> int:
        """The number of components that rows are drawn from."""
        return self.refitter.subject.mixture.n_components

    def run(
        self, n_resamples: int, seed: np.random.SeedSequence, n_jobs: int | None, on_progress: OnProgress
    ) -> list[float]:
        """Twice the gain of each draw; NaN where k + 1 components collapse, however they begin."""
        seeds = seed.spawn(n_resamples)
        divided = self._divide()

        def task(block: range) -> list[float]:
            draws = [draw_resample(self.refitter.subject, "parametric", seeds[i]) for i in block]
            if self.refitter.stacks:
                return self._compare_stacked(draws, divided)
            return [self._compare_alone(draw) for draw in draws]

        size = self.refitter.count_stacked(self.k + 1)
        progress = Progress(f"{self.k} against {self.k + 1} components", "draw")
        done = run_in_blocks(task, n_resamples, size, n_jobs, on_progress, progress)
        return [gain for part in done for gain in part]

    def list_divided(self) -> list[Mixture]:
        """The k components with one of them divided, in the coordinates of the data."""
        frame = self.refitter.engine.frame
        return [publish(mixture, frame, None)[0] for mixture in self._divide()]

    def _divide(self) -> list[Mixture]:
        """The k components with one of them divided, in the coordinates of the frame."""
        refitter = self.refitter
        if not refitter.stacks:
            return []
        null = refitter.subject.mixture.seen_from(refitter.engine.frame)
        return divide_components(refitter.engine, null, refitter.m_step, min(self.k, MOST_DIVIDED))

    def _compare_stacked(self, draws: list[Resample], divided: list[Mixture]) -> list[float]:
        refitter, rows = self.refitter, self.refitter.see_rows(draws)
        null = refitter.subject.mixture.seen_from(refitter.engine.frame)
        small = [refitter.judge(run, rows.weight) for run in refitter.fit_stacked(rows, [null] * len(draws))]
        labels = np.stack([label_by_hierarchy(draw, self.k + 1) for draw in draws])
        large = [Refit(None, failure="a component collapsed")] * len(draws)

        def improve(places: list[int], starts: list[Mixture]) -> None:
            """Fit k + 1 components to some of the draws, and keep what is better."""
            runs = refitter.fit_stacked(rows.take(places), starts) if places else []
            for place, run in zip(places, runs, strict=True):
                found = refitter.judge(run, rows.weight)
                if not found.failure and not large[place].log_likelihood >= found.log_likelihood:
                    large[place] = found

        begun = refitter.begin_at_labels(rows, labels, self.k + 1)
        present = [place for place, start in enumerate(begun) if start is not None]
        improve(present, [start for start in begun if start is not None])
        short = [i for i in range(len(draws)) if not large[i].log_likelihood >= small[i].log_likelihood]
        for start in divided:
            improve(short, [start] * len(short))
        return [_find_gain(*pair) for pair in zip(small, large, strict=True)]

    def _compare_alone(self, draw: Resample) -> float:
        refitter = self.refitter
        small = refitter.fit_alone(draw, refitter.subject.mixture)
        return _find_gain(small, refitter.fit_anew(draw, self.k + 1))


def _find_gain(small: Refit, large: Refit) -> float:
    """Twice the gain of the log-likelihood, none where it falls; NaN where a component collapsed."""
    if small.failure or large.failure:
        return float("nan")
    return max(2.0 * (large.log_likelihood - small.log_likelihood), 0.0)


def label_by_hierarchy(draw: Resample, k: int) -> IntArray:
    """Clusters of rows by Ward's method, in the scaling of mclust's hierarchies, shape (n,).

    Of many rows the first are clustered, which are as good as any, and -1 is for the others.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    assert draw.rows is not None
    some = draw.rows[:MOST_CLUSTERED]
    labels = np.full(len(draw.rows), -1)
    labels[: len(some)] = fcluster(linkage(scale_rows(some, None), "ward"), k, "maxclust") - 1
    return labels
