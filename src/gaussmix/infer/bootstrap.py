"""The bootstrap of a fit: how much its parameters vary from resample to resample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._check import read_count
from gaussmix._progress import OnProgress, Progress
from gaussmix._text import count_noun
from gaussmix._typing import Float64Array
from gaussmix.errors import FitError
from gaussmix.infer.estimates import Estimated, Parameters, get_covariances
from gaussmix.infer.intervals import INTERVALS, Bounds, Interval, bound_by_resamples
from gaussmix.infer.refits import Refit, Refitter, Settings, run_in_blocks
from gaussmix.infer.resampling import METHODS, Method, draw_resample, make_seeds
from gaussmix.infer.subject import Fit, Subject, check_choice, check_share, read_subject
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.alignment import find_alignment
from gaussmix.model.mixture.order import take_components

#: Resamples from which a standard deviation can be told.
LEAST_RESAMPLES = 2


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap(Estimated):
    """The parameters of a fit over resamples; made by :func:`gaussmix.bootstrap`.

    Components are at the places of those of the fit that they match. B is the number of resamples that led to
    a mixture without a component that collapsed.

    Parameters
    ----------
    mixture : Mixture
        Of the fit.
    method : {"parametric", "nonparametric", "weighted"}
    n_resamples : int
        How many there were; fewer than asked for where `on_progress` has stopped.
    weights : ndarray of shape (B, k)
    means : ndarray of shape (B, k, d)
    covariances : ndarray
        Of the shape (B, ...) of the covariance type; of factor analysers (B, k, d, d), as matrices.
    noise : ndarray of shape (B,) or None
        The weight of the noise.
    log_likelihoods : ndarray of shape (B,)
        Of each resample, at its own mixture.
    n_samples : float
        Rows of the data, or the sum of their weights.
    failures : tuple of (int, str)
        The resamples that led to none, counted from 0, and why.

    References
    ----------
    A. O'Hagan, T. B. Murphy, L. Scrucca and I. C. Gormley, Investigation of parameter uncertainty in
    clustering using a Gaussian mixture model via jackknife, bootstrap and weighted likelihood bootstrap,
    Comput. Stat. 34 (2019) 1779-1813.
    """

    mixture: Mixture
    method: Method
    n_resamples: int
    weights: Float64Array
    means: Float64Array
    covariances: Float64Array
    noise: Float64Array | None
    log_likelihoods: Float64Array
    n_samples: float
    failures: tuple[tuple[int, str], ...] = ()

    @property
    def n_failed(self) -> int:
        """How many resamples led to no mixture, or to one with a component that collapsed."""
        return len(self.failures)

    @cached_property
    def standard_errors(self) -> Parameters:
        """The standard deviation of each parameter over the resamples."""
        return self._summarise(lambda values: values.std(axis=0, ddof=1))

    @cached_property
    def bias(self) -> Parameters:
        """The mean of each parameter over the resamples, less that of the fit."""
        means = self._summarise(lambda values: values.mean(axis=0))
        return means.map(np.subtract, Parameters.of(self.mixture))

    def intervals(self, level: float = 0.95, kind: Interval = "normal") -> Bounds:
        """Confidence intervals of each parameter.

        Parameters
        ----------
        level : float
            How often they should hold what is estimated.
        kind : {"normal", "percentile", "basic"}
            "normal" is the estimate -+ Student's quantile times the standard deviation over the resamples, of
            log w / (1 - w) for weights, log v for variances and asinh(c / a) for covariances, mapped back.
            "percentile" are quantiles of the resamples, "basic" the same reflected at the estimate.

        Returns
        -------
        lower, upper : Parameters
        """
        level = check_share(level, "level")
        check_choice(kind, INTERVALS, "kind")
        return bound_by_resamples(self.mixture, self._list_arrays(), level, kind, self.n_samples)

    def _list_columns(self, level: float, **options: Any) -> dict[str, Parameters]:
        lower, upper = self.intervals(level, **options)
        return {"standard_error": self.standard_errors, "bias": self.bias, "lower": lower, "upper": upper}

    def __repr__(self) -> str:
        failed = Counter(reason for _, reason in self.failures)
        noted = "".join(f"; {count} without: {reason}" for reason, count in failed.items())
        resamples = count_noun(self.n_resamples, f"{self.method} resample")
        k = count_noun(self.mixture.n_components, "component")
        return f"Bootstrap({resamples} of {k}, {self.mixture.covariance_type}{noted})"

    def _list_arrays(self) -> list[Float64Array]:
        arrays = [self.weights, self.means, self.covariances]
        return arrays if self.noise is None else [*arrays, self.noise]

    def _summarise(self, function: Any) -> Parameters:
        return Parameters.of_arrays([np.asarray(function(values)) for values in self._list_arrays()])


def bootstrap(
    X: npt.ArrayLike,
    fit: Fit,
    *,
    method: Method = "nonparametric",
    n_resamples: int = 999,
    sample_weight: npt.ArrayLike | None = None,
    reg_covar: Any = None,
    prior: Any = None,
    tol: float = 1e-5,
    max_iter: int = 1000,
    random_state: Any = None,
    n_jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Bootstrap:
    """Fit resamples, each begun at a fit, to see how much its parameters vary.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows that the fit was made of.
    fit : FitResult, Mixture, SearchResult or GaussianMixture
        A search stands for its best model.
    method : {"nonparametric", "parametric", "weighted"}
        "nonparametric" draws rows with replacement, "parametric" draws rows from the fit, "weighted" keeps
        the rows and draws their weights, Dirichlet with mean one (the weighted likelihood bootstrap). mclust
        calls them "bs", "pb" and "wlbs". The first and the last do not assume that the model is right.
    n_resamples : int
        At least 199 for standard errors and 999 for intervals by percentiles.
    sample_weight : array-like of shape (n,), optional
        Those of the fit. A weight is a number of rows: the resamples are of as many rows as they sum to.
    reg_covar : float or "auto", optional
        That of the fit; by default the estimator's, else "auto".
    prior : NormalInverseWishart or "mclust", optional
        That of the fit, where it has one; by default the estimator's.
    tol : float
        The estimated distance to the limit, in nats a row, at which a refit ends.
    max_iter : int
    random_state : int, RandomState, Generator or None
        The same resamples, whatever the number of threads; of more of them, the first are the same.
    n_jobs : int, optional
        One thread if it is 1; by default all that gaussmix may use.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` after some resamples. True stops: the result is of those that
        are done.

    Returns
    -------
    Bootstrap

    Raises
    ------
    ValueError
        If an argument is wrong, the fit is of other rows, or it was made under constraints. FitError, which
        is one, if no two resamples led to a mixture.

    Notes
    -----
    It takes as many fits as resamples, of some ten iterations each where components are told apart well, and
    of a hundred where they are not. Resamples of few rows are fitted side by side: 999 of 145 rows take half
    a second. From a million rows of eight features and five components one takes seconds; standard errors by
    :func:`gaussmix.estimate_errors` take one pass, and are as good there.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, Chapman and Hall 1993.
    M. A. Newton and A. E. Raftery, Approximate Bayesian inference with the weighted likelihood bootstrap, J.
    R. Stat. Soc. B 56 (1994) 3-48.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> fit = gaussmix.fit_mixture(X, 2, feature_names=names, random_state=0)
    >>> found = gaussmix.bootstrap(X, fit, n_resamples=199, random_state=0)
    >>> found
    Bootstrap(199 nonparametric resamples of 2 components, full)
    >>> found.standard_errors.weights.round(2).tolist()
    [0.03, 0.03]
    >>> lower, upper = found.intervals(0.95)
    >>> bool((lower.means < fit.mixture.means).all() and (fit.mixture.means < upper.means).all())
    True
    """
    check_choice(method, METHODS, "method")
    n_resamples = read_count(n_resamples, "n_resamples", LEAST_RESAMPLES)
    subject = read_subject(X, fit, sample_weight=sample_weight, reg_covar=reg_covar, prior=prior)
    if subject.trim and method == "parametric":
        raise ValueError(
            "rows drawn from a fit have no outliers, of which a trimmed fit leaves some out: use "
            'method="nonparametric" or "weighted"'
        )
    refitter = Refitter(subject, Settings(tol, max_iter))
    seeds = make_seeds(random_state, n_resamples)

    def task(block: range) -> list[tuple[int, Refit]]:
        resamples = [draw_resample(subject, method, seeds[i]) for i in block]
        return list(zip(block, refitter.refit(resamples), strict=True))

    size = refitter.count_stacked(subject.mixture.n_components)
    progress = Progress(f"{method} bootstrap", "resample")
    done = run_in_blocks(task, n_resamples, size, n_jobs, on_progress, progress)
    return _collect(subject, method, [found for part in done for found in part])


def _collect(subject: Subject, method: Method, refits: list[tuple[int, Refit]]) -> Bootstrap:
    """The parameters of refits, their components at the places of those that they match."""
    sound = [refit for _, refit in refits if refit.mixture is not None and not refit.failure]
    if len(sound) < LEAST_RESAMPLES:
        raise FitError(
            f"of {count_noun(len(refits), 'resample')} {len(sound)} led to a mixture without a component "
            "that collapsed, too few to tell how parameters vary: fit fewer components, or a simpler family"
        )
    mixtures = [_align(refit.mixture, subject.mixture) for refit in sound if refit.mixture is not None]
    arrays = [np.stack(values) for values in zip(*(_list_parts(each) for each in mixtures), strict=True)]
    for array in arrays:
        array.flags.writeable = False
    weights, means, covariances, *noise = arrays
    log_likelihoods = np.array([refit.log_likelihood for refit in sound])
    log_likelihoods.flags.writeable = False
    return Bootstrap(
        mixture=subject.mixture,
        method=method,
        n_resamples=len(refits),
        weights=weights,
        means=means,
        covariances=covariances,
        noise=noise[0] if noise else None,
        log_likelihoods=log_likelihoods,
        n_samples=subject.rows.weight,
        failures=tuple((i, refit.failure) for i, refit in refits if refit.failure),
    )


def _list_parts(mixture: Mixture) -> list[Float64Array]:
    parts = [mixture.weights, mixture.means, get_covariances(mixture)]
    return parts if mixture.noise is None else [*parts, np.asarray(mixture.noise.weight)]


def _align(mixture: Mixture, reference: Mixture) -> Mixture:
    """The mixture with each component at the place of the one that it matches."""
    order = find_alignment(mixture, reference)
    return mixture if (np.diff(order) > 0).all() else take_components(mixture, order)
