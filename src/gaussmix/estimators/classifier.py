"""The scikit-learn face of a classifier with a Gaussian mixture for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.apps.classes.calibration import PLAIN, Reliability, measure_reliability
from gaussmix.apps.classes.choice import Choice, choose_and_fit
from gaussmix.apps.classes.choosing import Split
from gaussmix.apps.classes.fitting import Effort
from gaussmix.apps.classes.labelled import UNKNOWN
from gaussmix.engines import Quantile
from gaussmix.estimators._classes import (
    check_classes,
    put_reject_label,
    read_class_prior,
    read_classes,
    read_labelled_rows,
    read_options,
)
from gaussmix.estimators._keeping_classes import KeepingClasses
from gaussmix.estimators._validate import read_estimator_rows
from gaussmix.fit.arguments import make_generator
from gaussmix.model.kernels.softmax import sum_exponentials

#: How parameters that are numbers are bounded.
SHARE = Interval(Real, 0.0, 1.0, closed="left")


class GaussianMixtureClassifier(KeepingClasses, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    r"""Classifier that has a Gaussian mixture for each class.

    The joint density of a row x and its class c is

    .. math:: p(x, c) = \sum_k w_k s_{kc} N(x \mid \mu_k, \Sigma_k),

    with :math:`s_{kc}` one where component k is of class c and zero otherwise. By default families, numbers
    of components and shrinkage are those of least log-loss on rows that folds hold out. Special cases, with
    ``shrinkage=0`` and ``n_components=1``, are linear discriminant analysis (`covariance_type` "tied"),
    quadratic discriminant analysis ("full"), naive Bayes ("diag") and the other families of EDDA. With more
    components it is mixture discriminant analysis, and with ``share="nothing", criterion="bic"`` what mclust
    calls MclustDA.

    Parameters
    ----------
    n_components : int, "auto", sequence of int or mapping, default="auto"
        Components of each class. "auto" tries 1, 2, 3, 4, 6, 8, 12 and 16 for as long as more are better (1
        to 5 by BIC), a sequence tries its numbers. A mapping has a number for each class.
    covariance_type : str or sequence of str, default="auto"
        A family as in :class:`gaussmix.GaussianMixture`. "auto" tries "tied", "full" and "diag", which do not
        depend on the units of the features, beyond 300 features "EEI" and "diag" (by BIC all fourteen of
        mclust); a sequence tries its names.
    share : {"covariances", "nothing", "components"}, default="covariances"
        What classes have in common: what components of the family share, such as the one covariance of
        "tied"; nothing: each is a mixture by itself; or all Gaussians, so that they differ in weights.
    shrinkage : float or "auto", default="auto"
        How many rows the covariance of all classes counts as in that of each component, and the diagonal of
        the former in the former. 0 is the maximum of the likelihood. "auto" tries 1, 4, 16, 64, 256 and 1024
        (by BIC it is 0).
    criterion : {"cv", "bic"}, default="cv"
        How a model is chosen: by log-loss of held-out rows, or by the BIC of rows and classes together.
    cv : int, splitter or iterable, default=5
        The folds, as scikit-learn has them. Of a number of them, those are left out that come once 700 rows
        have been held out; fewer are made where the smallest class has fewer rows.
    calibration : "auto" or None, default="auto"
        Where a model was chosen on folds, "auto" makes probabilities of its densities with the temperature
        and floor (see `calibration_`) that were best there. None gives the posterior of the mixture.
    class_prior : array-like of shape (n_classes,), optional
        Probabilities of the classes, in the order of `classes_`; by default those of the rows.
    unlabelled_weight : float or "auto", default="auto"
        How much a row without a class counts, beside one with a class. "auto" is 1. Where a model is chosen
        on folds it is 0.1 or 0 if that is clearly better there: such rows mislead where the model is wrong.
    reject_density : float, default=0.0
        A row is rejected whose density is below that of this share of the training rows: it is like none.
    reject_posterior : float, default=0.0
        A row is rejected whose most probable class is less probable than this.
    reject_label : int, float, str or None, default=None
        What `predict` gives for a rejected row. None stands for -1 where classes are numbers, and for None
        (in an array of objects) where they are not.
    n_init : int, default=1
        Starts of the final fit, where a class has several components.
    tol : float, default=1e-3
        EM stops when an iteration raises the mean log-likelihood by less (nats for each unit of weight).
    max_iter : int, default=100
    random_state : int, RandomState instance or None, default=None
        Of the folds and the starts.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    class_prior_ : ndarray of shape (n_classes,)
    mixture_ : Mixture
        The density of all rows, whatever their class.
    class_of_component_ : ndarray of shape (n_components,)
        The class of each component of `mixture_`; of components that classes share, the most frequent.
    class_shares_ : ndarray of shape (n_components, n_classes)
        The probability of each class among the rows of a component.
    n_components_ : int or tuple of int
        Components of each class; one number where all have the same.
    covariance_type_ : str or tuple of str
        The family; one for each class where BIC has chosen them apart.
    shrinkage_ : float
    calibration_ : Calibration
        Temperature T and floor f of probabilities (1 - f) softmax(log p(x, c) / T) + f / n_classes.
    trials_ : tuple of Trial
        The models that were tried on held-out rows, with `log_loss` and `accuracy` there.
    unlabelled_weight_ : float
        How much rows without a class counted.
    density_threshold_ : float
        Log-density below which rows are rejected, in nats; minus infinity where none is.
    converged_ : bool
    n_iter_ : int
        Iterations of EM; 1 where all rows have a class and classes one component each.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.

    Notes
    -----
    Rows whose label is -1 (or None, or NaN) have no class: one EM goes over rows with and without classes.
    Where there is but one other label, as in {-1, +1}, -1 is a class.

    References
    ----------
    T. Hastie and R. Tibshirani, Discriminant analysis by Gaussian mixtures, J. R. Stat. Soc. B 58 (1996)
    155-176. H. Bensmail and G. Celeux, Regularized Gaussian discriminant analysis through eigenvalue
    decomposition, J. Am. Stat. Assoc. 91 (1996) 1743-1748.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gaussmix import GaussianMixtureClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GaussianMixtureClassifier(1, covariance_type="VEV", shrinkage=0.0).fit(X, y)
    >>> print(f"{model.score(X, y):.2f} {model.score_samples(X).sum():.3f}")
    0.98 -187.710
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            "array-like",
            Mapping,
        ],
        "covariance_type": [str, "array-like"],
        "share": [StrOptions({"covariances", "nothing", "components"})],
        "shrinkage": [Interval(Real, 0.0, None, closed="left"), StrOptions({"auto"})],
        "criterion": [StrOptions({"cv", "bic"})],
        "cv": ["cv_object"],
        "calibration": [StrOptions({"auto"}), None],
        "class_prior": ["array-like", None],
        "unlabelled_weight": [Interval(Real, 0.0, None, closed="left"), StrOptions({"auto"})],
        "reject_density": [SHARE],
        "reject_posterior": [SHARE],
        "reject_label": [Real, str, None],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int | str | Sequence[int] | Mapping[Any, int] = "auto",
        *,
        covariance_type: str | Sequence[str] = "auto",
        share: str = "covariances",
        shrinkage: float | str = "auto",
        criterion: str = "cv",
        cv: Any = 5,
        calibration: str | None = "auto",
        class_prior: npt.ArrayLike | None = None,
        unlabelled_weight: float | str = "auto",
        reject_density: float = 0.0,
        reject_posterior: float = 0.0,
        reject_label: Any = None,
        n_init: int = 1,
        tol: float = 1e-3,
        max_iter: int = 100,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.share = share
        self.shrinkage = shrinkage
        self.criterion = criterion
        self.cv = cv
        self.calibration = calibration
        self.class_prior = class_prior
        self.unlabelled_weight = unlabelled_weight
        self.reject_density = reject_density
        self.reject_posterior = reject_posterior
        self.reject_label = reject_label
        self.n_init = n_init
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit a mixture for each class.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes, numbers or text; -1, None or NaN for rows of no known class.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative. An integer weight is that many copies of the row; a zero is a row that is absent.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is wrong, or every model has a singular covariance (a FitError).
        """
        rows = read_estimator_rows(self, X, reset=True)
        check_finite(rows, "X")
        classes, labels = read_classes(y, len(rows))
        weights = read_sample_weight(sample_weight, len(rows))
        data = read_labelled_rows(rows, labels, classes, weights)
        options = read_options(self, classes, rows.shape[1])
        number = options.numbers[0]
        fixed = number if isinstance(number, tuple) else (number,) * len(classes)
        check_classes(data, classes, fixed if len(options.numbers) == 1 else None)
        choice = choose_and_fit(
            data,
            options,
            "bic" if self.criterion == "bic" else "cv",
            make_generator(self.random_state),
            folds=self._find_folds(rows, labels, weights),
            class_prior=read_class_prior(self.class_prior, len(classes)),
            unlabelled_weight=find_number(self.unlabelled_weight),
            effort=Effort(float(self.tol), int(self.max_iter), int(self.n_init)),
        )
        self._end_fit(choice, classes)
        densities = choice.fit.classed.mixture.log_prob(data.rows.array)
        weight = float(self.reject_density) * data.rows.weight
        self.density_threshold_ = -np.inf
        if weight:
            self.density_threshold_ = Quantile.of(densities, data.rows.weights, weight).log_density
        return self

    def _find_folds(
        self, rows: FloatArray, labels: IntArray, weights: Float64Array | None
    ) -> int | list[Split]:
        """The number of folds, or for each the places of its training rows and of those held out."""
        if self.cv is None or isinstance(self.cv, Integral):
            return 5 if self.cv is None else int(self.cv)
        present = np.ones(len(rows), dtype=bool) if weights is None else weights > 0.0
        places = np.cumsum(present) - 1
        return [
            (places[train[present[train]]], places[test[present[test] & (labels[test] != UNKNOWN)]])
            for train, test in check_cv(self.cv, labels, classifier=True).split(rows, labels)
        ]

    def _end_fit(self, choice: Choice, classes: npt.NDArray[Any]) -> None:
        """Set the attributes of a fit."""
        fit = choice.fit
        self.classes_ = classes
        self._classed = fit.classed.named(getattr(self, "feature_names_in_", None))
        self.mixture_ = self._classed.mixture
        self.class_prior_ = self._classed.class_prior
        self.class_shares_ = self._classed.shares
        self.class_of_component_ = classes[self._classed.classes_of_components]
        sizes = fit.model.sizes
        self.n_components_ = sizes[0] if len(set(sizes)) == 1 else sizes
        self.covariance_type_ = fit.model.covariance_type
        self.shrinkage_ = fit.model.shrinkage
        self.calibration_ = PLAIN if self.calibration is None else choice.calibration
        self.trials_ = choice.trials
        self.unlabelled_weight_ = choice.unlabelled_weight
        self.converged_, self.n_iter_ = fit.converged, max(fit.n_iter, 1)

    def predict_log_proba(self, X: Any) -> Float64Array:
        """Log-probability of each class for each row, shape (n_samples, n_classes)."""
        joint = self._find_log_joint(X)
        return self.calibration_.find_log_probabilities(joint)

    def predict_proba(self, X: Any) -> Float64Array:
        """Probability of each class for each row, shape (n_samples, n_classes)."""
        joint = self._find_log_joint(X)
        return self.calibration_.find_probabilities(joint)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each row, shape (n_samples,), or `reject_label` where it is rejected."""
        joint = self._find_log_joint(X)
        labels: npt.NDArray[Any] = self.classes_[joint.argmax(axis=1)]
        rejected = self._find_rejected(joint)
        if not rejected.any():
            return labels
        return put_reject_label(labels, rejected, self.reject_label)

    def score_samples(self, X: Any) -> Float64Array:
        """Log-density of each row, whatever its class, in nats, shape (n_samples,)."""
        rows = self._read(X)
        return np.asarray(self.mixture_.log_prob(rows), dtype=np.float64)

    def sample(self, n_samples: int = 1) -> tuple[Float64Array, npt.NDArray[Any]]:
        """Draw rows and their classes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples}; at least one row must be drawn")
        seed = make_generator(self.random_state).randint(2**31, size=4)
        X, classes = self._classed.sample(int(n_samples), np.random.default_rng(seed))
        return X, self.classes_[classes]

    def measure_reliability(
        self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None, *, n_bins: int = 10
    ) -> Reliability:
        """Brier score, log-loss and reliability curve on rows that the model was not fitted to.

        As :func:`gaussmix.measure_reliability` of the probabilities of these rows.
        """
        proba = self.predict_proba(X)
        return measure_reliability(
            proba, y, classes=self.classes_, sample_weight=sample_weight, n_bins=n_bins
        )

    def _read(self, X: Any) -> Any:
        check_is_fitted(self)
        return read_estimator_rows(self, X)

    def _find_log_joint(self, X: Any) -> Float64Array:
        rows = self._read(X)
        return self._classed.log_joint(rows)

    def _find_rejected(self, joint: Float64Array) -> npt.NDArray[np.bool_]:
        """Rows that are like no training row, or whose class is not clear."""
        rejected = np.zeros(len(joint), dtype=bool)
        if np.isfinite(self.density_threshold_):
            rejected |= sum_exponentials(joint) < self.density_threshold_
        if self.reject_posterior:
            rejected |= self.calibration_.find_probabilities(joint).max(axis=1) < self.reject_posterior
        return rejected


def find_number(value: float | str) -> float | None:
    """A parameter that is a number, or None for "auto"."""
    return None if isinstance(value, str) else float(value)
