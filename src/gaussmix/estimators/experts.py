"""The scikit-learn face of mixtures of experts for regression."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.apps.experts.equal_rows import find_distinct_rows
from gaussmix.apps.experts.fitting import SAMPLE
from gaussmix.apps.experts.regression import ExpertsRegression
from gaussmix.apps.experts.result import ExpertsFit
from gaussmix.apps.experts.starts import StartRows
from gaussmix.apps.experts.state import Training
from gaussmix.engines import Quantile
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.estimators._expert_answers import ExpertAnswers
from gaussmix.estimators._expert_kinds import (
    REGRESSIONS,
    check_expert,
    is_estimator,
    make_regression_step,
)
from gaussmix.estimators._expert_numbers import (
    Course,
    Views,
    choose_and_fit,
    make_course,
    read_numbers,
)
from gaussmix.estimators._experts import (
    GATES,
    choose_columns,
    make_features,
    make_gate_step,
    read_memberships,
)
from gaussmix.estimators._outputs import Outputs, read_outputs
from gaussmix.estimators._validate import read_estimator_rows
from gaussmix.fit.arguments import find_stack_level


class MixtureOfExpertsRegressor(ExpertAnswers, RegressorMixin, MultiOutputMixin, BaseEstimator):  # type: ignore[misc]
    r"""Regression by a mixture of experts, or a mixture of regressions.

    .. math:: p(y \mid x) = \sum_k g_k(x) N(y \mid a_k + B_k x, \Sigma_k)

    Each expert is a regression with residuals of its own. The gate gives it its share of a row: by the
    softmax of linear functions of x, :math:`g_k \propto \exp(c_k + d_k x)`; by a Gaussian density of x for
    each expert; or the same share everywhere, which is what R's flexmix and mixtools fit. So a prediction is
    a whole distribution, whose mean bends with x, and whose spread and number of modes depend on x.

    Parameters
    ----------
    n_experts : int, "auto" or sequence of int, default=2
        "auto" tries 1, 2, 3, ... for as long as more are better, a sequence tries its numbers.
    expert : {"linear", "poisson", "gamma"} or regressor, default="linear"
        What experts are: Gaussian regressions, linear in the features of the `basis`; Poisson regressions of
        counts or Gamma regressions of positive numbers, with logarithms of means that are linear there; or
        any regressor or pipeline that takes `sample_weight`, which is cloned, with Gaussian residuals.
    gate : {"softmax", "gaussian"} or None, default="softmax"
        What decides the shares. "gaussian" maximises the joint likelihood of the gate's features and y, and
        knows how dense the features are, so that rows far from those of the fit can be told. None is a
        mixture of regressions: every row has the same shares.
    features, gate_features : list of str or int, optional
        The columns of X that experts and gate see, by name or place; None stands for all. Without any (an
        empty list) experts are constants.
    basis : int, "spline", transformer or None, default=None
        What experts are linear in: the columns; powers and products up to a degree (0: nothing, so that
        experts are constants); cubic splines of each column; or what a transformer of scikit-learn's kind
        makes of them.
    alpha : float, default=0.0
        Ridge of the experts: as if each had so many more rows, of slope zero where features have unit spread.
    gate_alpha : float, default=1e-3
        Ridge of the softmax gate: precision of the slopes, with features in units of their spreads. Zero lets
        shares of separable rows go to zero and one.
    covariance_type : str, default="full"
        The family of the covariances of Gaussian residuals, any but factor analysers. Of one output "full"
        lets each expert have its own variance; "tied" is one for all.
    gate_covariance_type : str, default="full"
        The family of the Gaussian gate.
    criterion : {"bic", "cv"}, default="bic"
        How a number of experts is chosen: by BIC, or by the log-density of held-out rows. Experts that are
        regressors of scikit-learn are judged by held-out rows in either case.
    cv : int, splitter or iterable, default=5
        Folds, each row in one: of ``criterion="cv"``, and of experts that are regressors of scikit-learn,
        whose residuals are of rows they have not seen in each iteration.
    init_params : str or array-like, default="auto"
        Where EM starts: kinds of starts that take turns ("auto"), one of them ("lines", "inputs", "clusters",
        "residuals", "random"), the expert of each row, shape (n_samples,), or responsibilities, shape
        (n_samples, n_experts).
    n_init : int, default=24
        Starts. All iterate a few times, on 5000 rows where there are more, and the best go on. Of experts
        that are regressors of scikit-learn there are an eighth of these.
    tol : float, default=1e-6
        EM ends where the mean log-likelihood is within so many nats of its limit, as Aitken estimates it. Of
        experts that are regressors of scikit-learn it ends after some iterations without a rise by 1e-3, or
        `tol` if that is more, and the best iteration is kept.
    max_iter : int, default=1000
    reject_density : float, default=0.0
        With the Gaussian gate, points predicted for rows are NaN where the density of their features is below
        that of this share of the training rows.
    random_state : int, RandomState instance or None, default=None
        Of the starts.

    Attributes
    ----------
    experts_ : LinearExperts, PoissonExperts, GammaExperts or RegressorExperts
        Levels, slopes and covariances, in the features of the basis; `shapes` of Gamma regressions, whose
        dispersions are the inverses; the fitted `estimators` of scikit-learn.
    n_experts_ : int
    trials_ : tuple of ExpertTrial
        The numbers of experts that were tried; empty where one was given.
    gate_ : ConstantGate, SoftmaxGate or GaussianGate
    coef_ : ndarray of shape (n_experts, n_terms) or (n_experts, n_outputs, n_terms)
        Slopes, for powers of the columns themselves. Not of experts that are estimators, nor the next two.
    intercept_ : ndarray of shape (n_experts,) or (n_experts, n_outputs)
    terms_ : tuple of str
        The names of what the slopes are of.
    covariances_ : ndarray
        Of Gaussian residuals, in the shape of the family; (n_experts, n_outputs, n_outputs) if full.
    weights_ : ndarray of shape (n_experts,)
        The share of each expert in all training rows.
    fit_result_ : ExpertsFit
        Likelihood, history, status, advice, criteria, and what became of each start. Of experts that are
        regressors of scikit-learn the likelihood is of rows that they have not seen.
    density_threshold_ : float
        Log-density of the gate's features below which rows are rejected; minus infinity where none is.
    converged_ : bool
    n_iter_ : int
    n_outputs_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.

    Notes
    -----
    Experts come in the order of the mean output of their rows. One of few rows that it fits all but exactly
    (a spike) has a likelihood without bound: runs with fewer of them are preferred, whatever their
    likelihood, and a result that has one says so in a :class:`gaussmix.errors.DoubtfulFitWarning`.

    References
    ----------
    R. A. Jacobs, M. I. Jordan, S. J. Nowlan and G. E. Hinton, Adaptive mixtures of local experts, Neural
    Computation 3 (1991) 79-87. M. I. Jordan and R. A. Jacobs, Hierarchical mixtures of experts and the EM
    algorithm, Neural Computation 6 (1994) 181-214. L. Xu, M. I. Jordan and G. E. Hinton, An alternative model
    for mixtures of experts, NIPS 7 (1995) 633-640. R. D. De Veaux, Mixtures of linear regressions, Comput.
    Stat. Data Anal. 8 (1989) 227-245.

    Examples
    --------
    Two lines that cross, each for half of the rows:

    >>> import numpy as np
    >>> from gaussmix import MixtureOfExpertsRegressor
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, 300)
    >>> y = np.where(rng.uniform(size=300) < 0.5, 2 * x + 1, -x) + 0.1 * rng.normal(size=300)
    >>> model = MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(x[:, None], y)
    >>> model.coef_.round(1).ravel().tolist(), (model.intercept_.round(1) + 0.0).tolist()
    ([-1.0, 2.0], [0.0, 1.0])
    >>> model.responsibilities([[0.9]], [2.8]).round(2).tolist()
    [[0.0, 1.0]]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_experts": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), "array-like"],
        "expert": "no_validation",  # type: ignore[dict-item]
        "gate": [StrOptions(set(GATES)), None],
        "features": ["array-like", str, Integral, None],
        "gate_features": ["array-like", str, Integral, None],
        "basis": "no_validation",  # type: ignore[dict-item]
        "alpha": [Interval(Real, 0.0, None, closed="left")],
        "gate_alpha": [Interval(Real, 0.0, None, closed="left")],
        "covariance_type": [str],
        "gate_covariance_type": [str],
        "criterion": [StrOptions({"bic", "cv"})],
        "cv": ["cv_object"],
        "init_params": [str, "array-like"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "reject_density": [Interval(Real, 0.0, 1.0, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_experts: int | str | Sequence[int] = 2,
        *,
        expert: Any = "linear",
        gate: str | None = "softmax",
        features: Any = None,
        gate_features: Any = None,
        basis: Any = None,
        alpha: float = 0.0,
        gate_alpha: float = 1e-3,
        covariance_type: str = "full",
        gate_covariance_type: str = "full",
        criterion: str = "bic",
        cv: Any = 5,
        init_params: Any = "auto",
        n_init: int = 24,
        tol: float = 1e-6,
        max_iter: int = 1000,
        reject_density: float = 0.0,
        random_state: Any = None,
    ) -> None:
        self.n_experts = n_experts
        self.expert = expert
        self.gate = gate
        self.features = features
        self.gate_features = gate_features
        self.basis = basis
        self.alpha = alpha
        self.gate_alpha = gate_alpha
        self.covariance_type = covariance_type
        self.gate_covariance_type = gate_covariance_type
        self.criterion = criterion
        self.cv = cv
        self.init_params = init_params
        self.n_init = n_init
        self.tol = tol
        self.max_iter = max_iter
        self.reject_density = reject_density
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit gate and experts.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like, series or data frame of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative. An integer weight is that many copies of the row; a zero is a row that is absent.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is wrong, or experts lose all rows from every start (a FitError).
        """
        check_expert(self.expert, REGRESSIONS, classifier=False)
        rows = read_estimator_rows(self, X, reset=True)
        names = getattr(self, "feature_names_in_", None)
        check_finite(rows, "X", names)
        outputs = read_outputs(y, rows, self)
        weights = read_sample_weight(sample_weight, len(rows))
        if self.reject_density and self.gate != "gaussian":
            raise ValueError(
                "reject_density needs gate='gaussian': no other gate has a density of its features"
            )
        present = np.ones(len(rows), dtype=bool) if weights is None else weights > 0.0
        masses = np.ones(len(rows)) if weights is None else weights[present]
        numbers = read_numbers(self.n_experts, len(masses), self.init_params)
        given = read_memberships(self.init_params, numbers[0], present)
        course = make_course(self, numbers, rows, present, given)
        rows, Y = rows[present], outputs.values[present]
        if given is None and not course.folds.size and len(rows) <= SAMPLE:
            places, masses = find_distinct_rows(np.concatenate([rows, Y], axis=1), masses)
            rows, Y = rows[places], Y[places]
        self._fit_rows(rows, outputs, Y, masses, course)
        return self

    @hold_blas_to_one_thread()
    def _fit_rows(
        self,
        rows: FloatArray,
        outputs: Outputs,
        Y: Float64Array,
        masses: Float64Array,
        course: Course,
    ) -> None:
        """Fit rows of positive weights, and set the attributes."""
        d = rows.shape[1]
        names = getattr(self, "feature_names_in_", None)
        columns = choose_columns(self.features, names, d, "features")
        gate_columns = choose_columns(
            self.gate_features, names, d, "gate_features", least=self.gate is not None
        )
        features = make_features(self.basis, rows, columns, masses, Y[:, 0] if outputs.single else Y)
        design, Z = features.apply(rows), np.asarray(rows[:, gate_columns], dtype=np.float64)
        Z = Z[:, :0] if self.gate is None else Z
        gate_step = make_gate_step(
            self.gate, Z, masses, alpha=float(self.gate_alpha), covariance_type=self.gate_covariance_type
        )
        options: dict[str, Any] = {
            "alpha": float(self.alpha),
            "covariance_type": self.covariance_type,
            "folds": course.folds,
            "rng": course.rng,
        }
        expert_step, seen = make_regression_step(self.expert, design, Y, masses, **options)
        choice = choose_and_fit(
            Training(gate_step, expert_step, masses),
            StartRows.of_rows(design, seen, Z, masses),
            course,
            views=Views(design, Y, Z),
            guide=make_regression_step("linear", design, Y, masses, **options)[0],
        )
        fit = choice.fit
        self._single = outputs.single
        if hasattr(fit.model.experts, "output_names"):
            named = replace(fit.model.experts, output_names=outputs.names)
            fit = replace(fit, model=replace(fit.model, experts=named))
        self._regression = ExpertsRegression(fit.model, features, gate_columns)
        self.trials_ = choice.trials
        self._end_fit(fit, names)
        weight = float(self.reject_density) * fit.n_samples
        self.density_threshold_ = -np.inf
        if weight:
            densities = self._regression.find_log_densities(rows)
            self.density_threshold_ = Quantile.of(densities, masses, weight).log_density

    def _end_fit(self, fit: ExpertsFit[Any, Any], names: Any) -> None:
        """Set the attributes of a fit, and warn of what is doubtful about it."""
        experts, features = fit.model.experts, self._regression.features
        self.fit_result_, self.experts_, self.gate_ = fit, experts, fit.model.gate
        inputs = [f"x{j}" for j in range(self.n_features_in_)] if names is None else list(map(str, names))
        for name in ("coef_", "intercept_", "terms_", "covariances_"):  # of an earlier fit
            self.__dict__.pop(name, None)
        if not is_estimator(self.expert):
            levels = experts.intercepts.reshape(experts.n_experts, -1)
            shape = (*experts.slopes.shape[:2], levels.shape[1])
            intercepts, slopes = features.expand(levels, experts.slopes.reshape(shape))
            coef = np.swapaxes(slopes, 1, 2)
            self.coef_ = coef[:, 0] if self._single else coef
            self.intercept_ = intercepts[:, 0] if self._single else intercepts
            self.terms_ = features.name(inputs)
        if hasattr(experts, "covariances"):
            self.covariances_ = experts.covariances
        self.n_experts_ = experts.n_experts
        self.weights_ = fit.counts / fit.n_samples
        self.n_outputs_ = experts.n_outputs
        self.converged_, self.n_iter_ = fit.converged, max(fit.n_iter, 1)
        if fit.advice:
            kind = DoubtfulFitWarning if fit.converged else ConvergenceWarning
            warnings.warn(fit.advice, kind, stacklevel=find_stack_level())
