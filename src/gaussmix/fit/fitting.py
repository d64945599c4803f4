"""From rows to a FitResult: engine, starts, EM from each, the best of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._threads import blas_on_one_thread
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import FitError
from gaussmix.fit.mstep import maximise
from gaussmix.fit.restart import Progress, Ways, best_of_starts
from gaussmix.fit.result import ADVICE, FitResult
from gaussmix.fit.start import Given
from gaussmix.model.frame import Frame
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import NotPositiveDefiniteError, Structure, get_structure

COLLAPSED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for "
    "instance caused by singleton or collapsed samples). Try to decrease the number of components, increase "
    "reg_covar, or scale the input data."
)


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
    _check_options(n_components, tol, reg_covar, max_iter, n_init)
    rows, weights = _rows(X, sample_weight, n_components)
    d = rows.shape[1]
    if feature_names is not None and len(feature_names) != d:
        raise ValueError(f"feature_names must be {d} names, one a column; got {len(feature_names)}")
    engine = LocalEngine(rows, structure, n_components, weights)
    ridge = structure.ridge(float(reg_covar), engine.frame)

    def m_step(stats: Stats) -> Mixture:
        return maximise(structure, ridge, stats)

    given = _given(start, structure, n_components, d)
    ways = Ways(init_params, given, _random_state(random_state), 1 if given.complete else n_init)
    # the M-step too: between passes, BLAS's own threads would wake and spin for small matrices
    with nullcontext() if engine.small else blas_on_one_thread():
        outcome = best_of_starts(
            engine, m_step, ways, tol=tol, max_iter=max_iter, previous=previous, on_iteration=on_iteration
        )
    if outcome.best is None:
        raise FitError(COLLAPSED)
    return FitResult(
        mixture=published(outcome.best.mixture, engine.frame, feature_names),
        status=outcome.best.status,
        advice=ADVICE[outcome.best.status],
        history=outcome.best.history,
        n_samples=engine.weight,
        n_failed_starts=outcome.n_failed,
    )


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


def _check_options(n_components: int, tol: float, reg_covar: float, max_iter: int, n_init: int) -> None:
    _check.whole_number(n_components, 1, "n_components")
    _check.whole_number(max_iter, 0, "max_iter")
    _check.whole_number(n_init, 1, "n_init")
    _check.non_negative(tol, "tol")
    _check.non_negative(reg_covar, "reg_covar")


def _given(start: Mixture | Given | None, structure: Structure, k: int, d: int) -> Given:
    """What the caller fixes of the start."""
    if not isinstance(start, Mixture):
        return start or Given()
    if start.covariance_type != structure.name:
        raise ValueError(
            f"start has covariance_type {start.covariance_type!r}, but {structure.name!r} is to be fitted"
        )
    if start.means.shape != (k, d):
        raise ValueError(f"start must have means of the shape {(k, d)}; got {start.means.shape}")
    return Given(start.weights, start.means, start.precisions_cholesky)


def _rows(
    X: npt.ArrayLike, sample_weight: npt.ArrayLike | None, n_components: int
) -> tuple[FloatArray, Float64Array | None]:
    """The rows to fit and their weights; rows of no weight are left out."""
    array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(f"X must have two axes, (n_samples, n_features); got the shape {array.shape}")
    if array.shape[1] == 0:
        raise ValueError(f"X has no feature: its shape is {array.shape}")
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


def _random_state(seed: Any) -> np.random.RandomState:
    from sklearn.utils import check_random_state

    if isinstance(seed, np.random.Generator):
        return np.random.RandomState(int(seed.integers(2**32)))
    state: np.random.RandomState = check_random_state(seed)
    return state
