"""From rows to a FitResult: engine, starts, EM from each, the best of them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._threads import blas_on_one_thread
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import FitError
from gaussmix.fit.accelerate import Acceleration, make_accelerator
from gaussmix.fit.checkpoint import Saver, check_resumable, identity, load
from gaussmix.fit.em import Stopping, make_rule
from gaussmix.fit.mstep import maximise
from gaussmix.fit.regularise import Floor, RegCovar, make_regularise
from gaussmix.fit.restart import Position, Progress, Search, Ways
from gaussmix.fit.result import FitResult, advice_for
from gaussmix.fit.start import Given
from gaussmix.model.frame import Frame
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import Structure, get_structure
from gaussmix.model.structures.given import check_family

#: Of the features' variances: the least variance of which double precision still tells the factor.
THINNEST = 1e-13

#: Relative difference of spreads that no likelihood shows.
SAME = 1e-9

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
    reg_covar: RegCovar = "auto",
    max_iter: int = 100,
    n_init: int = 1,
    init_params: str = "kmeans",
    start: Mixture | Given | None = None,
    previous: float = -math.inf,
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
    on_iteration: Callable[[Progress], bool] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_interval: float = 30.0,
    resume: str | os.PathLike[str] | None = None,
    acceleration: Acceleration = "auto",
    stopping: Stopping = "change",
) -> FitResult:
    """Fit a mixture by EM and say how it went.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Finite numbers; float32 rows are worked on as float32.
    n_components : int
        k, at most the number of rows of positive weight.
    covariance_type : str
        "full", "tied", "diag", "spherical", or one of mclust's names: EII VII EEI VEI EVI VVI EEE VEE EVE VVE
        EEV VEV EVV VVV (E and V for one feature).
    sample_weight : array-like of shape (n,), optional
        Non-negative. A weight of two is a row that occurs twice, a weight of zero one that is absent.
    tol : float
        The fit has converged when an iteration raises the mean log-likelihood by less, or as `stopping` says.
    reg_covar : float or "auto"
        "auto" maximises the likelihood among covariances of which no variance, in any direction, is under
        1e-10 of the features' own: a bound that depends on no unit and that only collapsing components meet.
        A component that collapses on next to no rows is moved to another row, three times at most.
        A number is added to the variances, in squared units of the data, and nothing is moved.
    max_iter, n_init : int
        Iterations from each start, and starts.
    init_params : {"kmeans", "k-means++", "random", "random_from_data", "agglomerative"}
    start : Mixture or Given, optional
        Where to start instead.
    previous : float
        The mean log-likelihood that the first iteration's is compared with (to go on with an earlier fit).
    random_state : int, RandomState, Generator or None
        Resuming, an integer has to be that of the checkpoint; a RandomState is set to its state there.
    feature_names : sequence of str, optional
        Kept in the mixture.
    on_iteration : callable, optional
        Called with a :class:`Progress` after each iteration; True stops the fit, which keeps the best so far.
    checkpoint : path, optional
        A file that is kept up to date with all it takes to go on, and replaced atomically.
    checkpoint_interval : float
        Seconds between two writes of it.
    resume : path, optional
        A checkpoint to go on from, with the data and options that it was made with. The result is that of a
        fit that was never cut off, to the bit.
    acceleration : {"auto", "quasi-newton", "anderson", "squarem", None}
        How to need fewer passes over the rows than EM; the likelihood never falls either way. "auto" is EM
        until it is slow near an optimum (an iteration gains less than 1e-3, and more than half of what the
        one before gained) and "quasi-newton" from there. The others begin at once. None is EM alone.
    stopping : {"change", "aitken"}
        What `tol` bounds: the change in an iteration of EM, or the estimated distance to the limit.

    Returns
    -------
    FitResult

    Raises
    ------
    ValueError
        If an argument is wrong; FitError, which is one, if every start collapsed; ModelFileError, which is
        one, if the checkpoint to resume from is damaged or of another fit.
    OSError
        If a checkpoint cannot be read or written.

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
    _check_options(n_components, tol, reg_covar, max_iter, n_init)
    rule, accelerator = make_rule(tol, stopping), make_accelerator(acceleration)
    _check.non_negative(checkpoint_interval, "checkpoint_interval")
    rows, weights = _rows(X, sample_weight, n_components)
    d = rows.shape[1]
    structure = get_structure(covariance_type, d)
    if feature_names is not None and len(feature_names) != d:
        raise ValueError(f"feature_names must be {d} names, one a column; got {len(feature_names)}")
    engine = LocalEngine(rows, structure, n_components, weights)
    regularise = make_regularise(reg_covar, structure, engine)

    def m_step(stats: Stats, before: Mixture | None) -> Mixture:
        return maximise(structure, regularise, stats, before)

    given = _given(start, structure, n_components, d)
    rng = _random_state(random_state)
    if resume is not None and rng is np.random.mtrand._rand:
        rng = np.random.RandomState()  # NumPy's own is not for a file to set
    ways = Ways(init_params, given, rng, 1 if given.complete else n_init)
    # the M-step too: between passes, BLAS's own threads would wake and spin for small matrices
    with nullcontext() if engine.small else blas_on_one_thread():
        floor = regularise if isinstance(regularise, Floor) else None
        search = Search(engine, m_step, ways, floor, rule, accelerator, max_iter, previous, on_iteration)
        if checkpoint is None and resume is None:
            end = search(Position())
        else:
            asked = {
                "covariance_type": structure.name,
                "reg_covar": reg_covar if isinstance(reg_covar, str) else float(reg_covar),
                "n_components": int(n_components),
                "acceleration": acceleration,
            }
            seed = int(random_state) if isinstance(random_state, int | np.integer) else None
            end = _resumable(search, asked, seed, checkpoint, checkpoint_interval, resume)
    if end.best is None:
        raise FitError(COLLAPSED)
    return _result(end, search, feature_names)


def _resumable(
    search: Search,
    asked: Mapping[str, Any],
    seed: int | None,
    checkpoint: str | os.PathLike[str] | None,
    interval: float,
    resume: str | os.PathLike[str] | None,
) -> Position:
    """The end of a search that may begin at a checkpoint and may write one."""
    ways, engine = search.ways, search.engine
    check_resumable(ways.rng)
    options = {
        **asked,
        "tol": float(search.rule.tol),
        "stopping": search.rule.stopping,
        "max_iter": int(search.max_iter),
        "n_init": int(ways.n_init),
        "init_params": ways.init_params,
        "previous": repr(float(search.previous)),  # text, since JSON has no infinity
    }
    this = identity(engine.X, engine.weights, ways.given, options)
    position = Position()
    if resume is not None:
        position, seed = load(resume, this, seed, ways.rng)
    if checkpoint is None:
        return search(position)
    save = Saver(checkpoint, this, seed, ways.rng, interval)
    end = replace(search, save=save)(position)
    if not end.interrupted:  # what was running then is in the file already
        save(end, last=True)
    return end


def _result(end: Position, search: Search, feature_names: Sequence[str] | None) -> FitResult:
    best, engine, floor = end.best, search.engine, search.floor
    assert best is not None
    collapsed = search.collapsed(best)
    held = () if floor is None else floor.held(best.mixture)
    mixture, same = published(best.mixture, engine.frame, feature_names)
    history = best.history
    if not same:  # a likelihood belongs to the parameters that it is reported with
        stats = engine.accumulate(mixture.seen_from(engine.frame))
        history = (*history[:-1], stats.log_likelihood / engine.weight + engine.frame.log_det)
    return FitResult(
        mixture=mixture,
        status=best.status,
        advice=advice_for(
            best.status,
            collapsed,
            held,
            bounded=floor is not None and not mixture.structure.coupled,
            holds_all=floor is not None and floor.holds_all(),
            n_reseeds=end.n_reseeds,
        ),
        history=history,
        n_samples=engine.weight,
        failed_starts=end.failures,
        collapsed=collapsed,
        n_reseeds=end.n_reseeds,
    )


def published(mixture: Mixture, frame: Frame, feature_names: Sequence[str] | None) -> tuple[Mixture, bool]:
    """A mixture of the frame's coordinates in the data's own, and whether it is the same to rounding.

    Where a covariance is too thin for double precision in those coordinates (nearly collinear features, and
    no floor), its thinnest directions are widened.
    """
    structure = mixture.structure
    mapped = mixture.mapped(frame.inverse, frame.matrix, frame.origin)
    names = None if feature_names is None else tuple(feature_names)
    data = Frame(frame.origin, np.asarray(1.0), np.asarray(1.0))
    least = structure.ridge(THINNEST * frame.variances, data)
    covariances, exact = mapped.covariances, mapped.precisions_cholesky
    if not structure.coupled and (structure.stiffness(exact, least) > 0.5).any():
        covariances = structure.floored(covariances, least)
    try:
        factors = structure.factor(covariances)
        check_family(structure, covariances, mixture.n_components)
    except ValueError:  # a family that shares a part, on nearly collinear features
        raise FitError(COLLAPSED) from None
    # numbers of the frame may be finer than those of a covariance in the data's coordinates can be
    same = np.abs(np.log(structure.diagonal(factors) / structure.diagonal(exact))).max() < SAME
    return Mixture._trusted(structure, mixture.weights, mapped.means, covariances, factors, names), bool(same)


def _check_options(n_components: int, tol: float, reg_covar: RegCovar, max_iter: int, n_init: int) -> None:
    _check.whole_number(n_components, 1, "n_components")
    _check.whole_number(max_iter, 0, "max_iter")
    _check.whole_number(n_init, 1, "n_init")
    _check.non_negative(tol, "tol")
    _check.auto_or_non_negative(reg_covar, "reg_covar")


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
    if isinstance(seed, np.random.Generator):
        return np.random.RandomState(int(seed.integers(2**32)))
    if isinstance(seed, int | np.integer):  # not all starts need scikit-learn, whose import takes its time
        return np.random.RandomState(int(seed))
    from sklearn.utils import check_random_state

    state: np.random.RandomState = check_random_state(seed)
    return state
