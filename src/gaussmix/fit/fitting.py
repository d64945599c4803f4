"""From rows to a FitResult: engine, starts, EM from each, the best of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import FitError
from gaussmix.fit.em import MStep, Run, em
from gaussmix.fit.result import ADVICE, FitResult, FitStatus
from gaussmix.fit.start import STARTS, with_means
from gaussmix.model.frame import Frame
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import NotPositiveDefiniteError, Structure, get_structure

logger = logging.getLogger("gaussmix")

#: Rounding of moments in the frame, in units of eps times the numbers that go into them.
ROUNDING = 64.0
EPS = float(np.finfo(np.float64).eps)

COLLAPSED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for "
    "instance caused by singleton or collapsed samples). Try to decrease the number of components, increase "
    "reg_covar, or scale the input data."
)


@dataclass(frozen=True)
class Progress:
    """Where a running fit is."""

    start: int
    n_starts: int
    iteration: int
    max_iter: int
    mean_log_likelihood: float


@dataclass(frozen=True)
class Given:
    """Parameters that the caller fixes for the start, in the data's coordinates; None leaves them to it."""

    weights: Float64Array | None = None
    means: Float64Array | None = None
    factors: Float64Array | None = None

    @property
    def empty(self) -> bool:
        """Whether all is left for a start to find."""
        return self.weights is None and self.means is None and self.factors is None

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a start to find."""
        return self.weights is not None and self.means is not None and self.factors is not None


def fit_mixture(
    X: npt.ArrayLike,
    n_components: int,
    *,
    covariance_type: str = "full",
    sample_weight: npt.ArrayLike | None = None,
    tol: float = 1e-3,
    reg_covar: float = 1e-6,
    max_iter: int = 100,
    n_init: int = 1,
    init_params: str = "kmeans",
    start: Mixture | Given | None = None,
    previous: float = -math.inf,
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
    on_iteration: Callable[[Progress], bool] | None = None,
) -> FitResult:
    """Fit a mixture by EM and say how it went.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Finite numbers; float32 rows are worked on as float32.
    n_components : int
        k, at most the number of rows of positive weight.
    covariance_type : str
        A name in :data:`gaussmix.model.structures.STRUCTURES`.
    sample_weight : array-like of shape (n,), optional
        Non-negative. A weight of two is a row that occurs twice, a weight of zero one that is absent.
    tol : float
        The fit has converged when an iteration raises the mean log-likelihood by less.
    reg_covar : float
        Added to the variances, in squared units of the data.
    max_iter, n_init : int
        Iterations from each start, and starts.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}
    start : Mixture or Given, optional
        Where to start instead.
    previous : float
        The mean log-likelihood that the first iteration's is compared with (to go on with an earlier fit).
    random_state : int, RandomState, Generator or None
    feature_names : sequence of str, optional
        Kept in the mixture.
    on_iteration : callable, optional
        Called with a :class:`Progress` after each iteration; True stops the fit, which keeps the best so far.

    Returns
    -------
    FitResult

    Raises
    ------
    ValueError
        If an argument is wrong; FitError, which is one, if every start collapsed.

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1-38.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(-4, 1, (500, 2)), rng.normal(4, 1, (500, 2))])
    >>> result = gaussmix.fit_mixture(X, 2, covariance_type="tied", random_state=0)
    >>> result.converged, result.mixture.weights.tolist()
    (True, [0.5, 0.5])
    """
    structure = get_structure(covariance_type)
    rows, weights = _rows(X, sample_weight, n_components)
    engine = LocalEngine(rows, structure, n_components, weights)
    ridge = structure.ridge(float(reg_covar), engine.frame)

    def m_step(stats: Stats) -> Mixture:
        return maximise(structure, ridge, stats)

    given = (
        Given(start.weights, start.means, start.precisions_cholesky) if isinstance(start, Mixture) else start
    )
    given = given or Given()
    if given.complete:
        n_init = 1
    rng = _random_state(random_state)
    best: Run | None = None
    failed = 0
    for i in range(n_init):
        try:
            first = _first_mixture(engine, m_step, init_params, rng, given)
        except NotPositiveDefiniteError:
            failed += 1
            logger.info("start %d of %d collapsed before the first iteration", i + 1, n_init)
            continue
        report = None if on_iteration is None else _reporter(on_iteration, i + 1, n_init, max_iter)
        run = em(engine, first, m_step, tol=tol, max_iter=max_iter, previous=previous, on_iteration=report)
        logger.info(
            "start %d of %d: %s after %d iterations, mean log-likelihood %.6f",
            i + 1,
            n_init,
            run.status,
            len(run.history) - 1,
            run.history[-1],
        )
        if best is None or run.history[-1] > best.history[-1] or not math.isfinite(best.history[-1]):
            best = run
        if run.status is FitStatus.INTERRUPTED:
            best = Run(best.mixture, FitStatus.INTERRUPTED, best.history)
            break
    if best is None:
        raise FitError(COLLAPSED)
    return FitResult(
        mixture=published(best.mixture, engine.frame, feature_names),
        status=best.status,
        advice=ADVICE[best.status],
        history=best.history,
        n_samples=engine.weight,
        n_failed_starts=failed,
    )


def maximise(structure: Structure, ridge: Float64Array, stats: Stats) -> Mixture:
    """The M-step: weights, means and regularised covariances of the statistics.

    Raises NotPositiveDefiniteError where a variance is zero, or so small that it is rounding.
    """
    means = stats.means()
    covariances = structure.estimate(stats) + ridge
    factors = structure.factor(covariances)
    sharpest = structure.diagonal(factors).max(axis=1) ** 2
    collapsed = ~(sharpest * _rounding(stats, means) < 1.0)
    if collapsed.any():
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(collapsed)), 1.0 / sharpest.max())
    return Mixture._trusted(structure, stats.counts / stats.counts.sum(), means, covariances, factors)


def _rounding(stats: Stats, means: Float64Array) -> Float64Array:
    """Rounding error of a component's variances: of what is subtracted, and of the rows themselves."""
    shift = means - stats.centres
    size = ROUNDING * EPS * np.sqrt(1.0 + (means * means).sum(axis=1))
    error: Float64Array = ROUNDING * EPS * (shift * shift).sum(axis=1) + size * size
    return error if stats.form.own != "none" else error.max(keepdims=True)


def published(mixture: Mixture, frame: Frame, feature_names: Sequence[str] | None) -> Mixture:
    """A mixture of the frame's coordinates as the user sees it: in the data's own, checked."""
    mapped = mixture.mapped(frame.inverse, frame.matrix, frame.origin)
    names = None if feature_names is None else tuple(feature_names)
    covariances = mapped.covariances
    try:
        factors = mixture.structure.factor(covariances)
    except NotPositiveDefiniteError:
        # too thin for double precision in these coordinates: keep the factor computed in the frame's
        factors = mapped.precisions_cholesky
    return Mixture._trusted(mixture.structure, mixture.weights, mapped.means, covariances, factors, names)


def _rows(
    X: npt.ArrayLike, sample_weight: npt.ArrayLike | None, n_components: int
) -> tuple[FloatArray, Float64Array | None]:
    """The rows to fit and their weights; rows of no weight are left out."""
    array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(f"X must have two axes, (n_samples, n_features); got the shape {array.shape}")
    rows = _check.as_rows(array, array.shape[1])
    weights = _check.sample_weight(sample_weight, rows.shape[0])
    if weights is not None:
        present = weights > 0.0
        if not present.all():
            rows, weights = rows[present], weights[present]
        if (weights == 1.0).all():
            weights = None
    if rows.shape[0] < n_components:
        raise ValueError(
            f"Expected n_samples >= n_components but got n_components = {n_components}, "
            f"n_samples = {rows.shape[0]}"
        )
    return rows, weights


def _first_mixture(
    engine: LocalEngine, m_step: MStep, init_params: str, rng: np.random.RandomState, given: Given
) -> Mixture:
    """The start in the frame's coordinates: what is given, the rest by the start of that name."""
    structure = engine.structure
    if given.complete:
        assert given.weights is not None and given.means is not None and given.factors is not None
        weights, means, factors = given.weights, given.means, given.factors
        covariances = structure.covariances_of_factor(factors)
        return Mixture._trusted(structure, weights / weights.sum(), means, covariances, factors).seen_from(
            engine.frame
        )
    if init_params not in STARTS:
        raise ValueError(f"init_params must be one of {', '.join(STARTS)}; got {init_params!r}")
    stats, chosen = STARTS[init_params](engine, rng)
    found = with_means(m_step(stats), chosen)
    if given.empty:
        return found
    own = found.mapped(engine.frame.inverse, engine.frame.matrix, engine.frame.origin)
    weights = own.weights if given.weights is None else given.weights / given.weights.sum()
    means = own.means if given.means is None else given.means
    factors = own.precisions_cholesky if given.factors is None else given.factors
    covariances = own.covariances if given.factors is None else structure.covariances_of_factor(factors)
    return Mixture._trusted(structure, weights, means, covariances, factors).seen_from(engine.frame)


def _reporter(
    on_iteration: Callable[[Progress], bool], start: int, n_starts: int, max_iter: int
) -> Callable[[int, float], bool]:
    return lambda iteration, value: on_iteration(Progress(start, n_starts, iteration, max_iter, value))


def _random_state(seed: Any) -> np.random.RandomState:
    from sklearn.utils import check_random_state

    if isinstance(seed, np.random.Generator):
        return np.random.RandomState(int(seed.integers(2**32)))
    state: np.random.RandomState = check_random_state(seed)
    return state
