"""The scikit-learn face of a maximum-likelihood mixture: parameters in, attributes out."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import FloatArray, IntArray
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.estimators._callbacks import ScikitLearn, Tasks, with_callbacks
from gaussmix.estimators._conversion import Convertible
from gaussmix.estimators._drawing import Drawing
from gaussmix.estimators._loop import StepByStep, fit_by_steps
from gaussmix.estimators._ordering import Ordering
from gaussmix.estimators._printing import Printer
from gaussmix.estimators._scoring import Scoring
from gaussmix.estimators._searching import search_models
from gaussmix.estimators._steps import DENSITIES, Steps
from gaussmix.estimators._validate import (
    find_earlier_end,
    leaves_open,
    list_allowed,
    list_open,
    read_estimator_rows,
    read_start_parameters,
)
from gaussmix.fit.arguments import find_stack_level
from gaussmix.fit.iterate.acceleration import Acceleration
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.options import NFactors
from gaussmix.fit.outliers import NoiseRequest
from gaussmix.fit.result import FitResult
from gaussmix.model.constraints import Constraints
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.priors import NormalInverseWishart
from gaussmix.select.search_result import SearchResult

#: How far weights may sum from one by rounding.
WEIGHT_ROUNDING = 1e-6

#: Parameters that are options of :func:`gaussmix.fit_mixture`.
FIT_OPTIONS = (
    *("n_components", "covariance_type", "reg_covar", "n_factors", "prior", "constraints", "noise", "trim"),
    *("init_params", "n_init", "random_state", "tol", "max_iter", "acceleration"),
)


class GaussianMixture(Convertible, Ordering, Scoring, Drawing, Steps, ScikitLearn):
    """Gaussian mixture fitted by expectation-maximisation: scikit-learn's class, with weights and speed.

    A drop-in replacement for :class:`sklearn.mixture.GaussianMixture`: every parameter, attribute and method
    of it, with the same meaning. What differs on purpose is listed in "Differences from scikit-learn".

    Parameters
    ----------
    n_components : int, "auto" or sequence of int, default=1
        "auto" chooses among 1 to 9 by BIC, a sequence among its numbers: :func:`gaussmix.search` does it, and
        has other criteria.
    covariance_type : str or sequence of str, default="full"
        "full", "tied", "diag" or "spherical": each component has its own general covariance, all share one,
        each has its own diagonal one, or each its own single variance. Or one of mclust's fourteen names: the
        three letters say whether volume, shape and orientation are equal (E) for all components, vary (V), or
        are the identity's (I): "EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV",
        "VEV", "EVV", "VVV"; for one feature "E" and "V". Or factor analysers, for many features: "factor"
        and "ppca", and the other six of McNicholas and Murphy (docs/factor.md). "auto" chooses among mclust's
        fourteen by BIC, a sequence among its names.
    tol : float, default=1e-3
        EM stops when an iteration raises the mean log-likelihood by less (nats for each unit of weight).
    reg_covar : float or "auto", default="auto"
        "auto" keeps every variance, in any direction, above 1e-10 of the features' own, whatever their
        units, and moves components that collapse on next to no rows elsewhere. A number is added to the
        variances, in squared units of the data, as in scikit-learn (whose default is 1e-6).
    max_iter : int, default=100
        0 keeps the start.
    n_init : int, default=1
        Number of starts; the best result is kept. A start that collapses does not end the others. Of a race
        it is how many times as much may be spent.
    init_params : str, default="auto"
        Where starts come from (docs/starts.md). "auto" goes on from k-means, as "kmeans" does, and races
        other starts against what came of it. The race costs at most 6 times as much as a plain fit ("fast":
        1, "thorough": 70). Or one start: "kmeans" (scikit-learn's), "k-means++", "random",
        "random_from_data", "agglomerative", "pca", "annealing". Of many rows, starts see a sample.
    weights_init : array-like of shape (n_components,), optional
    means_init : array-like of shape (n_components, n_features), optional
    precisions_init : array-like, optional
        Inverse covariances, in the shape of ``precisions_``; of factor analysers, of ``mixture_.precisions``.
    random_state : int, RandomState instance or None, default=None
    warm_start : bool, default=False
        Whether a further `fit` goes on from where the last one ended.
    verbose : int, default=0
        1 prints each start, and every `verbose_interval` iterations a line; 2 adds likelihood and time. What
        takes longer than a second, such as a race of starts or a search, has a line every three seconds: its
        stage, the best log-likelihood so far in nats a row and, as soon as it can be known, the time left.
    verbose_interval : int, default=10
    prior : NormalInverseWishart or {"mclust", "fraley-raftery"}, optional
        A prior of the parameters. The fit is then the most probable mixture. The names stand for the weak
        prior of Fraley and Raftery, which keeps components from collapsing.
    constraints : Constraints, optional
        Bounds of the ratio of eigenvalues or determinants, equal or bounded weights, and parameters that stay
        as `weights_init`, `means_init` and `precisions_init` have them.
    noise : bool, float or Noise, default=False
        A further component, of constant density, for outliers: uniform over the hypervolume of the rows
        (True), the same begun with this share of the rows, or as a :class:`gaussmix.Noise` says. `predict`
        labels its rows -1, and it is the last column of `predict_proba`.
    trim : float, default=0.0
        The share of the rows (of their weight) that every iteration leaves out, those of lowest density;
        which these are in the end is ``fit_result_.trimmed``.
    n_factors : int or "auto", default=1
        Factors of factor analysers, fewer than features; "auto" takes the number of least BIC in a short
        range. Families without factors take no notice.
    acceleration : {"auto", "quasi-newton", "anderson", "squarem"} or None, default="auto"
        How to need fewer iterations than EM (None: not at all). "auto" is EM alone until an iteration gains
        less than 1e-3 and more than half of what the one before gained. With a `tol` of 1e-3 or more it is EM
        to the end.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        With noise, they sum to one less ``mixture_.noise.weight``.
    means_ : ndarray of shape (n_components, n_features)
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Of shape (n_components, n_features, n_features) for "full", (n_features, n_features) for "tied",
        (n_components, n_features) for "diag", (n_components,) for "spherical". Those of factor analysers are
        matrices (n_components, n_features, n_features), computed each time that they are asked for.
    loadings_ : ndarray of shape (n_components, n_features, n_factors)
    noise_variances_ : ndarray of shape (n_components, n_features)
    n_factors_ : int
        Only factor analysers have these three.
    converged_ : bool
    n_iter_ : int
        Iterations of EM that led to the fit; where another start than k-means has won the race, those that it
        made in the race among them. `max_iter` bounds each run by itself.
    lower_bound_ : float
        Mean log-likelihood of the training data under the fitted parameters; equals ``score(X)``. Of a
        trimmed fit it is the mean over the weight that was kept.
    lower_bounds_ : list of float
        The mean log-likelihood after each iteration.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.
    n_components_ : int
    covariance_type_ : str
        The model of the fit: what was asked for or, of "auto", what was chosen.
    search_ : SearchResult
        All models that were tried, where one was chosen. They go on until an iteration gains less than 1e-5
        (or `tol`, if that is less), for at least 1000 iterations.
    mixture_ : Mixture
        The distribution that weights, means and covariances describe, frozen, in double precision. They may
        be assigned or edited, also without a fit: it follows, and so does every method.
    fit_result_ : FitResult
        Status, advice and history of the fit.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 9.2.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import GaussianMixture
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> model.means_
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> model.predict([[0, 0], [12, 3]])
    array([0, 1])

    The number of components and the family are chosen by BIC:

    >>> from gaussmix.datasets import load_faithful
    >>> model = GaussianMixture("auto", covariance_type="auto").fit(load_faithful()[0])
    >>> model.n_components_, model.covariance_type_
    (3, 'EEE')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{name: list_allowed(name) for name in FIT_OPTIONS},
        **{name: list_open(name) for name in ("n_components", "covariance_type")},
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "prior": [*list_allowed("prior"), NormalInverseWishart, None],
        "constraints": [Constraints, None],
        "noise": ["boolean", *list_allowed("noise"), Noise],
        "acceleration": [*list_allowed("acceleration"), None],
    }

    def __init__(
        self,
        n_components: int | str | Sequence[int] = 1,
        *,
        covariance_type: str | Sequence[str] = "full",
        tol: float = 1e-3,
        reg_covar: RegCovar = "auto",
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "auto",
        weights_init: npt.ArrayLike | None = None,
        means_init: npt.ArrayLike | None = None,
        precisions_init: npt.ArrayLike | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        prior: str | NormalInverseWishart | None = None,
        constraints: Constraints | None = None,
        noise: NoiseRequest = False,
        trim: float = 0.0,
        n_factors: NFactors = 1,
        acceleration: Acceleration = "auto",
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.prior = prior
        self.constraints = constraints
        self.noise = noise
        self.trim = trim
        self.n_factors = n_factors
        self.acceleration = acceleration

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Fit the mixture to X.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative. An integer weight is that many copies of the row; a zero is a row that is absent.
        checkpoint : path, optional
            A file that a long fit keeps up to date, every half minute, with all it takes to go on.
        resume : path, optional
            A checkpoint to go on from, with the data and parameters that it was made with: the fit ends as if
            it had never been cut off, to the bit.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is wrong, or every start collapsed.
        """
        self._fit(X, sample_weight, checkpoint, resume)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> IntArray:
        """Fit the mixture to X and return the most probable component of each row, shape (n_samples,)."""
        rows = self._fit(X, sample_weight)
        return self._choose_evaluator().predict(rows)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def _fit(
        self,
        X: Any,
        sample_weight: npt.ArrayLike | None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: str | os.PathLike[str] | None = None,
    ) -> FloatArray:
        rows = read_estimator_rows(self, X, reset=True)
        n, d = rows.shape
        if self._overrides():
            fit_by_steps(self, rows, sample_weight=sample_weight, checkpoint=checkpoint, resume=resume)
            return rows
        weights = read_sample_weight(sample_weight, n)
        if leaves_open(self):
            found = search_models(self, rows, weights, checkpoint=checkpoint, resume=resume)
            self._end_fit(found.best, rows.dtype, found)
            return rows
        start, previous = find_earlier_end(self, d) if self.warm_start else (None, -math.inf)
        printer = Printer(self.verbose, self.verbose_interval) if self.verbose else None
        tasks = Tasks(self, rows, None, "iteration")
        options = {name: getattr(self, name) for name in FIT_OPTIONS}
        if start is not None:
            options["n_factors"] = start.n_factors or 1
        result = fit_mixture(
            rows,
            sample_weight=weights,
            start=start or read_start_parameters(self, cast(int, self.n_components), d),
            previous=previous,
            feature_names=getattr(self, "feature_names_in_", None),
            on_progress=tasks.watch(printer),
            checkpoint=checkpoint,
            resume=resume,
            **options,
        )
        tasks.end()
        if printer is not None:
            printer.end(result)
        self._end_fit(result, rows.dtype)
        return rows

    def _end_fit(self, result: FitResult, dtype: np.dtype[Any], found: SearchResult | None = None) -> None:
        """Assign the attributes of a fit and warn of what is doubtful about it."""
        self._set_fitted(result, dtype, found)
        if result.advice:
            kind = DoubtfulFitWarning if result.converged else ConvergenceWarning
            warnings.warn(result.advice, kind, stacklevel=find_stack_level())

    def predict(self, X: Any) -> IntArray:
        """The most probable component of each row, shape (n_samples,); -1 for the noise."""
        return self._choose_evaluator().predict(read_estimator_rows(self, X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Posterior probability of each component for each row, shape (n_samples, n_components).

        With noise there is one more column, the last.
        """
        return self._choose_evaluator().responsibilities(read_estimator_rows(self, X))

    def uncertainty(self, X: Any) -> FloatArray:
        """One less the largest probability of `predict_proba` for each row, shape (n_samples,)."""
        return np.asarray(1.0 - self.predict_proba(X).max(axis=1))

    def score_samples(self, X: Any) -> FloatArray:
        """Log-density of each row in nats, shape (n_samples,)."""
        return self._choose_evaluator().log_prob(read_estimator_rows(self, X))

    def _choose_evaluator(self) -> Mixture | StepByStep:
        """Who evaluates rows: the mixture, or steps where one is overridden or weights do not sum to one."""
        if self._overrides(DENSITIES):
            check_is_fitted(self)
            return StepByStep(self)
        mixture = self._get_mixture()
        return mixture if abs(self._weight_sum - 1.0) < WEIGHT_ROUNDING else StepByStep(self)

    def _set_fitted(self, result: FitResult, dtype: np.dtype[Any], found: SearchResult | None = None) -> None:
        self.__dict__.pop("search_", None)
        if found is not None:
            self.search_ = found
        self.covariance_type_ = str(self.covariance_type) if found is None else found.best_model[0]
        self.n_components_ = result.mixture.n_components
        self._publish(result.mixture, dtype)
        self.__dict__.pop("merging_", None)  # of an earlier fit
        self.fit_result_ = result
        self.converged_ = result.converged
        self.n_iter_ = result.n_iter
        self.lower_bound_ = result.mean_log_likelihood
        self.lower_bounds_ = list(result.history[1:])
        self._sampling = self._make_generator()
