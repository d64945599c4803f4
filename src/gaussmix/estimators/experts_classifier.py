"""The scikit-learn face of mixtures of experts for classification."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.apps.experts.choosing import NumberChoice
from gaussmix.apps.experts.equal_rows import find_distinct_rows
from gaussmix.apps.experts.fitting import SAMPLE
from gaussmix.apps.experts.regression import ExpertsRegression
from gaussmix.apps.experts.starts import StartRows
from gaussmix.apps.experts.state import Training
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.estimators._expert_kinds import check_expert, make_class_step
from gaussmix.estimators._expert_numbers import Course, Views, choose_and_fit, make_course, read_numbers
from gaussmix.estimators._experts import (
    GATES,
    choose_columns,
    make_features,
    make_gate_step,
    read_memberships,
)
from gaussmix.estimators._labels import read_known_classes
from gaussmix.estimators._validate import read_estimator_rows
from gaussmix.fit.arguments import find_stack_level


class MixtureOfExpertsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    r"""Classification by a mixture of experts.

    .. math:: P(y \mid x) = \sum_k g_k(x) P_k(y \mid x)

    Each expert is a classifier: a multinomial logistic regression, or any of scikit-learn's that takes
    `sample_weight`. The gate gives it its share of a row: by the softmax of linear functions of x; by a
    Gaussian density of x for each expert; or the same share everywhere. Logistic experts under a softmax gate
    have borders of several straight pieces, and tell which rows follow which rule.

    Parameters
    ----------
    n_experts : int, "auto" or sequence of int, default=2
        "auto" tries 1, 2, 3, ... for as long as more are better, a sequence tries its numbers.
    expert : {"logistic"} or classifier, default="logistic"
        What experts are. A classifier, a pipeline among them, must take `sample_weight` and have
        `predict_proba`; it is cloned.
    gate : {"softmax", "gaussian"} or None, default="softmax"
        What decides the shares. "gaussian" maximises the joint likelihood of the gate's features and y. None
        gives every row the same shares.
    features, gate_features : list of str or int, optional
        The columns of X that experts and gate see, by name or place; None stands for all.
    basis : int, "spline", transformer or None, default=None
        What logistic experts are linear in, as in :class:`gaussmix.MixtureOfExpertsRegressor`.
    alpha : float, default=0.1
        Ridge of logistic experts: precision of the slopes, with features in units of their spreads. Without
        it slopes grow without bound where an expert's classes are separable.
    gate_alpha : float, default=1e-3
        Ridge of the softmax gate, likewise.
    gate_covariance_type : str, default="full"
        The family of the Gaussian gate.
    criterion : {"bic", "cv"}, default="bic"
        How a number of experts is chosen: by BIC, or by the log-probability of held-out rows. Experts that
        are classifiers are judged by held-out rows in either case.
    cv : int, splitter or iterable, default=5
        Folds, each row in one: of ``criterion="cv"``, and of experts that are classifiers, whose
        probabilities are judged by rows they have not seen in each iteration.
    init_params : str or array-like, default="auto"
        Where EM starts, as in :class:`gaussmix.MixtureOfExpertsRegressor`.
    n_init : int, default=24
        Starts, of which the best go on; of experts that are classifiers an eighth of these.
    tol : float, default=1e-6
        EM ends where the mean log-likelihood is within so many nats of its limit, as Aitken estimates it. Of
        experts that are classifiers it ends after some iterations without a rise by 1e-3, or `tol` if that is
        more.
    max_iter : int, default=1000
    random_state : int, RandomState instance or None, default=None
        Of starts and folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_experts_ : int
    experts_ : LogisticExperts or ClassifierExperts
        The latter has the fitted classifiers as `estimators`.
    gate_ : ConstantGate, SoftmaxGate or GaussianGate
    weights_ : ndarray of shape (n_experts,)
        The share of each expert in all training rows.
    trials_ : tuple of ExpertTrial
        The numbers of experts that were tried; empty where one was given.
    fit_result_ : ExpertsFit
        Likelihood, history, status, advice, criteria, and what became of each start. Of experts that are
        classifiers the likelihood is of rows that they have not seen.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.

    Notes
    -----
    EM rises with logistic experts. With other classifiers it need not, so that its best iteration is kept.

    References
    ----------
    R. A. Jacobs, M. I. Jordan, S. J. Nowlan and G. E. Hinton, Adaptive mixtures of local experts, Neural
    Computation 3 (1991) 79-87. M. I. Jordan and R. A. Jacobs, Hierarchical mixtures of experts and the EM
    algorithm, Neural Computation 6 (1994) 181-214.

    Examples
    --------
    The class depends on the second feature, and the first says in which direction:

    >>> import numpy as np
    >>> from gaussmix import MixtureOfExpertsClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> model = MixtureOfExpertsClassifier(2, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> model.predict([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]).tolist()
    ['same', 'other', 'same']
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
        "gate_covariance_type": [str],
        "criterion": [StrOptions({"bic", "cv"})],
        "cv": ["cv_object"],
        "init_params": [str, "array-like"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_experts: int | str | Sequence[int] = 2,
        *,
        expert: Any = "logistic",
        gate: str | None = "softmax",
        features: Any = None,
        gate_features: Any = None,
        basis: Any = None,
        alpha: float = 0.1,
        gate_alpha: float = 1e-3,
        gate_covariance_type: str = "full",
        criterion: str = "bic",
        cv: Any = 5,
        init_params: Any = "auto",
        n_init: int = 24,
        tol: float = 1e-6,
        max_iter: int = 1000,
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
        self.gate_covariance_type = gate_covariance_type
        self.criterion = criterion
        self.cv = cv
        self.init_params = init_params
        self.n_init = n_init
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit gate and experts.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes, numbers or text.
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
        check_expert(self.expert, ("logistic",), classifier=True)
        rows = read_estimator_rows(self, X, reset=True)
        check_finite(rows, "X", getattr(self, "feature_names_in_", None))
        weights = read_sample_weight(sample_weight, len(rows))
        present = np.ones(len(rows), dtype=bool) if weights is None else weights > 0.0
        self.classes_, labels = read_known_classes(y, len(rows), present, self)
        masses = np.ones(len(rows)) if weights is None else weights[present]
        numbers = read_numbers(self.n_experts, len(masses), self.init_params)
        given = read_memberships(self.init_params, numbers[0], present)
        course = make_course(self, numbers, rows, present, given, labels)
        rows, labels = rows[present], labels[present]
        if given is None and not course.folds.size and len(rows) <= SAMPLE:
            values = np.concatenate([rows, labels[:, None]], axis=1, dtype=np.float64)
            places, masses = find_distinct_rows(values, masses)
            rows, labels = rows[places], labels[places]
        self._fit_rows(rows, labels, masses, course)
        return self

    @hold_blas_to_one_thread()
    def _fit_rows(
        self,
        rows: FloatArray,
        labels: IntArray,
        masses: Float64Array,
        course: Course,
    ) -> None:
        """Fit rows of positive weights, and set the attributes."""
        d, n_classes = rows.shape[1], len(self.classes_)
        names = getattr(self, "feature_names_in_", None)
        columns = choose_columns(self.features, names, d, "features")
        gate_columns = choose_columns(
            self.gate_features, names, d, "gate_features", least=self.gate is not None
        )
        features = make_features(self.basis, rows, columns, masses, labels.astype(np.float64))
        design, Z = features.apply(rows), np.asarray(rows[:, gate_columns], dtype=np.float64)
        Z = Z[:, :0] if self.gate is None else Z
        gate_step = make_gate_step(
            self.gate, Z, masses, alpha=float(self.gate_alpha), covariance_type=self.gate_covariance_type
        )
        options: dict[str, Any] = {"alpha": float(self.alpha), "folds": course.folds, "rng": course.rng}
        step = make_class_step(self.expert, design, labels, masses, n_classes, **options)
        choice = choose_and_fit(
            Training(gate_step, step, masses),
            StartRows.of_rows(design, np.eye(n_classes)[labels], Z, masses),
            course,
            views=Views(design, labels, Z),
            guide=make_class_step("logistic", design, labels, masses, n_classes, **options),
        )
        self._regression = ExpertsRegression(choice.fit.model, features, gate_columns)
        self._end_fit(choice)

    def _end_fit(self, choice: NumberChoice) -> None:
        """Set the attributes of a fit, and warn of what is doubtful about it."""
        fit = choice.fit
        self.fit_result_, self.experts_, self.gate_ = fit, fit.model.experts, fit.model.gate
        self.n_experts_, self.trials_ = fit.model.n_experts, choice.trials
        self.weights_ = fit.counts / fit.n_samples
        self.converged_, self.n_iter_ = fit.converged, max(fit.n_iter, 1)
        if fit.advice:
            kind = DoubtfulFitWarning if fit.converged else ConvergenceWarning
            warnings.warn(fit.advice, kind, stacklevel=find_stack_level())

    def predict_proba(self, X: Any) -> Float64Array:
        """Probability of each class for each row, shape (n_samples, n_classes)."""
        rows = self._read(X)
        return self._regression.find_means(rows)

    def predict_log_proba(self, X: Any) -> Float64Array:
        """Log-probability of each class for each row, shape (n_samples, n_classes)."""
        rows = self._read(X)
        return self._regression.find_log_probabilities(rows)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each row, shape (n_samples,)."""
        proba = self.predict_proba(X)
        found: npt.NDArray[Any] = self.classes_[proba.argmax(axis=1)]
        return found

    def predict_experts(self, X: Any) -> Float64Array:
        """Probability of each class in each expert, shape (n_samples, n_experts, n_classes)."""
        rows = self._read(X)
        return self._regression.locate(rows)

    def predict_shares(self, X: Any) -> Float64Array:
        """The share that the gate gives each expert, g_k(x), shape (n_samples, n_experts)."""
        rows = self._read(X)
        return np.asarray(np.exp(self._regression.find_log_shares(rows)))

    def responsibilities(self, X: Any, y: Any) -> Float64Array:
        """Posterior probability of each expert, given a row and its class, g_k P_k / P.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        rows = self._read(X)
        return self._regression.responsibilities(rows, self._find_places(y, len(rows)))

    def log_prob(self, X: Any, y: Any) -> Float64Array:
        """Log-probability of the class of each row, in nats, shape (n_samples,)."""
        rows = self._read(X)
        return self._regression.log_prob(rows, self._find_places(y, len(rows)))

    def log_score(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean of :meth:`log_prob` over the rows, in nats; higher is better."""
        found = self.log_prob(X, y)
        return float(np.average(found, weights=read_sample_weight(sample_weight, len(found))))

    def _find_places(self, y: Any, n: int) -> IntArray:
        classes, labels = read_known_classes(y, n, np.ones(n, dtype=bool), self)
        unknown = ~np.isin(classes, self.classes_)
        if unknown.any():
            raise ValueError(f"y has the class {classes[unknown][0]!r}, which the fit had no row of")
        return np.asarray(np.searchsorted(self.classes_, classes)[labels])

    def _read(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        rows = read_estimator_rows(self, X)
        check_finite(rows, "X", getattr(self, "feature_names_in_", None))
        return rows
