"""From rows to a FitResult: a request, the problem that it is for these rows, a search, the result."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._progress import OnProgress, Progress, remember_stop
from gaussmix._reading.rows import read_sample_weight
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.errors import FitError
from gaussmix.fit.arguments import make_generator, read_named
from gaussmix.fit.beginnings import choose_beginnings, orders_components
from gaussmix.fit.checkpoint import Saver, check_resumable, load_position, make_identity
from gaussmix.fit.constant_columns import find_constant_columns
from gaussmix.fit.ending import COLLAPSED, make_result
from gaussmix.fit.factor_count import fit_any_factors
from gaussmix.fit.given import StartFrom
from gaussmix.fit.iterate.acceleration import Acceleration, make_accelerator
from gaussmix.fit.iterate.stopping import Rule, Stopping
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import FLOOR, RegCovar, make_regularise
from gaussmix.fit.mstep.terms import FREE, make_terms
from gaussmix.fit.multistart import Position, Search
from gaussmix.fit.options import (
    CheckpointOptions,
    IterationOptions,
    ModelOptions,
    NFactors,
    Request,
    StartOptions,
)
from gaussmix.fit.outliers import NoiseRequest
from gaussmix.fit.problem import Problem, make_problem
from gaussmix.fit.result import FitResult
from gaussmix.fit.trimming import Trimmed
from gaussmix.model.constraints import Constraints
from gaussmix.model.priors import NormalInverseWishart, get_prior


@hold_blas_to_one_thread()  # the M-step, too: BLAS's own threads would wake and spin for small matrices
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
    init_params: str = "auto",
    start: StartFrom | None = None,
    previous: float = -math.inf,
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_interval: float = 30.0,
    resume: str | os.PathLike[str] | None = None,
    prior: str | NormalInverseWishart | None = None,
    constraints: Constraints | None = None,
    noise: NoiseRequest = False,
    trim: float = 0.0,
    n_factors: NFactors = None,
    acceleration: Acceleration = "auto",
    stopping: Stopping = "change",
) -> FitResult:
    """Fit a mixture by EM and say how it went.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Finite numbers; float32 rows are worked on as float32.
    n_components : int
        k, at most the number of rows of positive weight.
    covariance_type : str
        "full", "tied", "diag", "spherical", or one of mclust's names: EII VII EEI VEI EVI VVI EEE VEE EVE VVE
        EEV VEV EVV VVV (E and V for one feature). Or factor analysers, by McNicholas and Murphy's letters:
        "factor" (UUU), "ppca" (UUC), UCU, UCC, CUU, CUC, CCU, CCC (docs/factor.md).
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
        Iterations from each start, and starts; of a race, how many times as much may be spent.
    init_params : str
        "auto", EM from k-means and a race of other starts against what came of it; "fast" and "thorough",
        races that may cost less and more; or one start: "kmeans", "k-means++", "random", "random_from_data",
        "agglomerative", "pca", "annealing" (docs/starts.md). Of many rows, starts see a sample.
    start : Mixture, Given or array-like, optional
        Where to start instead: parameters, or which component each row of X belongs to. The latter are labels
        of shape (n,), integers from 0 to k - 1, or -1 for a row that belongs to none. Or they are
        responsibilities of shape (n, k), or (n, k + 1) beside noise. Noise begins with the weight of the rows
        that belong to none.
    previous : float
        The mean log-likelihood (with a prior, `objective`) that is compared with the first iteration's, where
        a fit goes on with an earlier one.
    random_state : int, RandomState, Generator or None
        Resuming, an integer has to be that of the checkpoint; a RandomState is set to its state there.
    feature_names : sequence of str, optional
        Kept in the mixture; by default those of the data frame X, if its columns all have names of text.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` where a start begins and after each iteration, those of a
        race of starts too. True stops the fit, which keeps the best so far.
        :class:`gaussmix.ProgressPrinter` is one.
    checkpoint : path, optional
        A file that is kept up to date with all it takes to go on, and replaced atomically.
    checkpoint_interval : float
        Seconds between two writes of it.
    resume : path, optional
        A checkpoint to go on from, with the data and options that it was made with. The result is that of a
        fit that was never cut off, to the bit.
    prior : NormalInverseWishart or "mclust", optional
        A prior of the parameters. Its log-density is added to the log-likelihood, so that the fit is the most
        probable mixture. "mclust" (or "fraley-raftery") is the weak prior of Fraley and Raftery that the rows
        give.
    constraints : Constraints, optional
        Bounds of the ratio of eigenvalues or determinants, weights that are equal or not too small, and
        parameters that stay those of the start.
    noise : bool, float or Noise, default=False
        A component of constant density for outliers: over the hypervolume of the rows (True), begun with a
        weight (a share of the rows), or of a density of its own (a :class:`gaussmix.Noise`).
    trim : float, default=0.0
        The share of the weight that is left out, in each iteration: the rows of lowest density. Likelihoods
        and criteria are of what is kept (docs/outliers.md).
    n_factors : int or "auto", optional
        Factors of factor analysers, fewer than features; None is the number that `start` has, else 1. "auto"
        takes the one of least BIC among 1, 2, 3, 4, 6, 8, 12 and 16. Two in a row that are no better end the
        search. Families without factors ignore it.
    acceleration : {"auto", "quasi-newton", "anderson", "squarem", None}
        How to need fewer passes over the rows than EM. The likelihood never falls either way. "auto" is EM
        until it is slow near an optimum, and "quasi-newton" from there. EM is slow where an iteration gains
        less than 1e-3, and more than half of what the one before gained. The others begin at once. None is EM
        alone.
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
    values, feature_names = read_named(X, feature_names)
    request = Request(
        ModelOptions(n_components, covariance_type, reg_covar, n_factors, prior, constraints, noise, trim),
        StartOptions(init_params, n_init, start, random_state),
        IterationOptions(tol, max_iter, stopping, acceleration, previous, remember_stop(on_progress)),
        CheckpointOptions(checkpoint, checkpoint_interval, resume),
        sample_weight,
        feature_names,
    )
    constant = find_constant_columns(values, request)
    if constant is None:
        return fit_any_factors(values, request, fit_request)
    rest = constant.request_varying(request)
    return constant.complete_result(fit_any_factors(values[:, constant.varying], rest, fit_request), request)


def fit_request(X: Any, request: Request) -> FitResult:
    """The fit of all columns, with one number of factors."""
    watch = request.iteration.on_progress
    if watch is not None:
        watch(Progress("measuring the rows", "row"))  # which takes two passes
    problem = make_problem(X, request)
    search = make_search(problem)
    end = run_search(search, problem)
    if end.best is None:
        raise FitError(COLLAPSED)
    result = make_result(
        end.best,
        search.judge,
        problem.feature_names,
        given=problem.given,
        ordered=orders_components(request.start.init_params, problem.given),
        n_reseeds=end.n_reseeds,
    )
    result = replace(result, failed_starts=end.failures, starts=end.reports)
    if not isinstance(problem.engine, Trimmed):
        return result
    kept = problem.engine.find_kept(end.best.mixture)
    weights = read_sample_weight(request.sample_weight, np.shape(X)[0])
    if weights is not None:  # rows of no weight are not the engine's
        of_all = np.zeros(len(weights))
        of_all[weights > 0.0] = kept
        kept = of_all
    kept.flags.writeable = False
    return replace(result, kept=kept)


def make_search(problem: Problem) -> Search:
    """The search from the starts that are asked for."""
    request, engine, given = problem.request, problem.engine, problem.given
    model, start, iteration, structure = request.model, request.start, request.iteration, engine.structure
    # where a ratio of eigenvalues is bounded, the frame has one scale for all directions, and a floor there
    least = FLOOR if isinstance(model.reg_covar, str) else 0.0
    prior = get_prior(model.prior)
    terms = make_terms(prior, model.constraints or FREE, engine, given, model.n_components, least)
    regularise = make_regularise(model.reg_covar, structure, engine, terms.bound)
    # without its box, which no iteration needs to look at
    noise = None if given.noise is None else replace(given.noise, box=None).seen_from(engine.frame)
    m_step = Maximise(structure, regularise, terms, noise)
    rng = make_generator(start.random_state)
    if request.checkpoint.resume is not None and rng is np.random.mtrand._rand:
        rng = np.random.RandomState()  # NumPy's own is not for a file to set
    judge = Judge(engine, m_step)
    possible = prior is None and noise is None and not model.trim and not structure.n_factors
    accelerator = make_accelerator(iteration.acceleration, possible=possible)
    rule = Rule(float(iteration.tol), iteration.stopping)
    beginnings = choose_beginnings(
        judge,
        model.n_components,
        accelerator,
        start.init_params,
        given,
        rng,
        concentrated=problem.concentrated,
        n_init=start.n_init,
        tol=rule.tol,
        max_iter=iteration.max_iter,
    )
    idle = accelerator is not None and iteration.stopping == "change" and accelerator.is_idle(iteration.tol)
    return Search(
        judge,
        beginnings,
        rule,
        None if idle else accelerator,
        iteration.max_iter,
        iteration.previous,
        iteration.on_progress,
        concentrated=problem.concentrated,
    )


def run_search(search: Search, problem: Problem) -> Position:
    """The end of a search, which may begin at a checkpoint and may write one."""
    request, engine, rng = problem.request, problem.engine, search.beginnings[0].rng
    files = request.checkpoint
    if files.checkpoint is None and files.resume is None:
        return search(Position())
    check_resumable(rng)
    identity = make_identity(engine.rows, problem.given, problem.record())
    seed = request.start.random_state
    seed = int(seed) if isinstance(seed, int | np.integer) else None
    position = Position()
    if files.resume is not None:
        position, seed = load_position(files.resume, identity, search.n_starts, seed, rng)
    if files.checkpoint is None:
        return search(position)
    save = Saver(files.checkpoint, identity, seed, rng, files.checkpoint_interval)
    end = replace(search, save=save)(position)
    if not end.interrupted:  # what was running then is in the file already
        save(end, last=True)
    return end
