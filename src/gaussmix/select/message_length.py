"""The fit that finds how many components there should be; how is in :mod:`gaussmix.select.descent`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from gaussmix._progress import OnProgress, remember_stop
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.engines import choose_engine
from gaussmix.errors import FitError
from gaussmix.fit.arguments import make_generator, read_named, read_rows
from gaussmix.fit.ending import make_result
from gaussmix.fit.factor_count import count_factors
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import RegCovar, make_regularise
from gaussmix.fit.options import OPTIONS, IterationOptions, ModelOptions, StartOptions
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.covariance import get_structure
from gaussmix.select.descent import Code, Descent, Path, ShortestMessage

NONE_LEFT = (
    "no mixture of {least} or more components came to rest: one was left with fewer than {rows:g} rows, two "
    "for each parameter, or collapsed. Use a smaller min_components or a simpler covariance_type."
)


@dataclass(frozen=True, repr=False)
class MessageLengthResult(FitResult):
    """The outcome of :func:`gaussmix.fit_message_length`: a FitResult whose `log_prior` is that of the code.

    Parameters
    ----------
    path : tuple of (int, float)
        Every number of components that the best start came to rest at, and its message length in nats.
    """

    path: tuple[tuple[int, float], ...] = ()

    @property
    def message_length(self) -> float:
        """Of `mixture` and the rows, in nats; shorter is better."""
        return -(self.log_likelihood + self.log_prior)

    def _list_criteria(self) -> dict[str, float]:
        return {"message length": self.message_length, **super()._list_criteria()}


def fit_message_length(
    X: npt.ArrayLike,
    max_components: int,
    *,
    min_components: int = 1,
    covariance_type: str = "full",
    sample_weight: npt.ArrayLike | None = None,
    tol: float = 1e-3,
    reg_covar: RegCovar = "auto",
    max_iter: int = 100,
    n_init: int = 1,
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
    on_progress: OnProgress | None = None,
    n_factors: int = 1,
) -> MessageLengthResult:
    """Fit a mixture and find how many components it should have, by the shortest message, in one descent.

    It begins with `max_components` wide components at rows drawn at random. Those that are left with fewer
    than two rows for each parameter die, one at a time; where the others have converged, the one that the
    rows miss least goes, too, down to `min_components`. The mixture of least message length is the result::

        L = N/2 sum_k log(n w_k / 12) + k/2 log(n / 12) + k (N + 1)/2 - log p(X)

    with N the parameters of a component. The weights of shortest message are in proportion to n_k - N/2, so
    that a mixture found in this way is not quite the one of greatest likelihood.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
    max_components : int
        Where to begin: rather more than are expected, so that every true one has some near it.
    min_components : int
    covariance_type : str
        As for :func:`gaussmix.fit_mixture`. Of families that share a part of the covariances, that part
        counts once.
    sample_weight : array-like of shape (n,), optional
        A weight of two is a row that occurs twice. Their sum is n in the message length: weights that are
        no counts should have the mean one.
    tol : float
        A mixture has converged when an iteration shortens the message by less, in nats for each row.
    reg_covar : float or "auto"
        As for fit_mixture; a component that collapses on next to no rows dies. With a number, the ridge, the
        message may grow a little, as the likelihood may with EM.
    max_iter, n_init : int
        Iterations between two deaths; starts, of which the one of shortest message is kept.
    random_state : int, RandomState, Generator or None
    feature_names : sequence of str, optional
        As for fit_mixture.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` after each iteration; True stops the fit, which keeps the
        best so far.
    n_factors : int
        Of factor analysers.

    Returns
    -------
    MessageLengthResult
        Its history is of the iterations since the last death before `mixture` was found.

    Raises
    ------
    ValueError
        If an argument is wrong; FitError, which is one, if no mixture came to rest.

    References
    ----------
    M. A. T. Figueiredo and A. K. Jain, Unsupervised learning of finite mixture models, IEEE Trans. Pattern
    Anal. Mach. Intell. 24 (2002) 381-396.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(m, 1, (200, 2)) for m in (-4, 0, 4)])
    >>> result = gaussmix.fit_message_length(X, 12, random_state=0)
    >>> result.mixture.n_components
    3
    >>> [(k, round(length)) for k, length in result.path[-3:]]
    [(3, 2366), (2, 2590), (1, 2631)]
    """
    for name, number in (("max_components", max_components), ("min_components", min_components)):
        OPTIONS["n_components"].check(number, name)
    model = ModelOptions(max_components, covariance_type, reg_covar, n_factors)
    start = StartOptions(n_init=n_init, random_state=random_state)
    iteration = IterationOptions(tol, max_iter, on_progress=remember_stop(on_progress))
    if min_components > max_components:
        raise ValueError(f"min_components = {min_components} is more than max_components = {max_components}")
    values, feature_names = read_named(X, feature_names)
    rows = read_rows(values, sample_weight, 1)
    if rows.shape[0] < max_components:
        raise ValueError(
            f"max_components = {max_components} is more than the {rows.shape[0]} rows of positive weight"
        )
    d = rows.shape[1]
    structure = get_structure(model.covariance_type, d, count_factors(model.n_factors))
    engine = choose_engine(rows)(rows, structure)
    maximise = Maximise(structure, make_regularise(model.reg_covar, structure, engine))
    descent = Descent(
        engine,
        ShortestMessage(maximise, Code.of(structure, d, engine.weight)),
        iteration,
        max_components,
        min_components,
        start.n_init,
    )
    rng = make_generator(start.random_state)
    with hold_blas_to_one_thread():
        best = descent(rng, 0)
        for turn in range(1, start.n_init):
            if not best.interrupted:
                best = best.choose_better(descent(rng, turn))
        if not best.runs:
            raise FitError(NONE_LEFT.format(least=min_components, rows=descent.m_step.least_rows))
        return _make_result(descent, best, feature_names)


def _make_result(descent: Descent, path: Path, feature_names: Sequence[str] | None) -> MessageLengthResult:
    """The run of shortest message, in the coordinates of the data."""
    best, engine = path.best, descent.engine
    if path.interrupted:
        best = replace(best, status=FitStatus.INTERRUPTED)
    judge = Judge(engine, descent.m_step.maximise)
    return MessageLengthResult(
        **vars(make_result(best, judge, feature_names, doubts=False)),
        path=tuple((run.mixture.n_components, float(-engine.weight * run.objective)) for run in path.runs),
    )
