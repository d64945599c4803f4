"""The scikit-learn face of features that a mixture gives: a transformer."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight, refuse_other_names
from gaussmix._typing import FloatArray
from gaussmix.apps.features import KINDS, list_feature_names, make_features, normalize_features
from gaussmix.estimators._validate import list_open, read_estimator_rows
from gaussmix.estimators.gaussian import GaussianMixture
from gaussmix.model.mixture import Mixture


class GaussianMixtureTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features of rows from a Gaussian mixture: what each component says of them, for a model that follows.

    Parameters
    ----------
    n_components : int, "auto", sequence of int or None, default=None
        Of the mixture that is fitted. "auto" chooses among 1 to 9 by BIC. None: what `mixture` has, or "auto"
        without it.
    kind : {"responsibilities", "log-densities", "distances", "fisher"}, default="responsibilities"
        What the features are:

        - the posterior probability of each component, r_k; that of noise, if there is any, comes last;
        - the log-density of each component alone, log N(x | m_k, C_k), in nats;
        - the Mahalanobis distance to each component, ((x - m_k)' C_k^-1 (x - m_k))^(1/2);
        - the Fisher vector: the derivative of log p(x) by weights, means and covariances, each scaled to
          about unit variance. Of general covariances it has k (1 + d + d (d + 1) / 2) numbers, of diagonal
          ones k (1 + 2 d) (docs/features.md has the formulas).
    covariance_type : str, sequence of str or None, default=None
        Any family that :class:`gaussmix.GaussianMixture` has, or "auto". None: what `mixture` has, or "full".
    mixture : GaussianMixture, Mixture or None, default=None
        What is fitted: a clone of this estimator, whose other parameters are set there (`mixture__tol` in a
        grid). A :class:`gaussmix.Mixture`, or an estimator in scikit-learn's `FrozenEstimator`, stays as it
        is.
    power : float in (0, 1], default=1.0
        Of Fisher vectors: each number z becomes sign(z) abs(z)^power; Perronnin and others have 0.5.
    norm : {"l2"} or None, default=None
        Of Fisher vectors: "l2" divides each by its length, after `power`.
    random_state : int, RandomState instance or None, default=None
        Of the fit. None: that of `mixture`.

    Attributes
    ----------
    mixture_ : Mixture
    estimator_ : GaussianMixture
        The fitted estimator; only where one was fitted.
    n_components_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.

    References
    ----------
    F. Perronnin, J. Sanchez, T. Mensink, Improving the Fisher kernel for large-scale image classification,
    ECCV 2010, 143-156.

    Examples
    --------
    >>> from gaussmix import GaussianMixtureTransformer
    >>> from gaussmix.datasets import load_faithful
    >>> X = load_faithful()[0]
    >>> transformer = GaussianMixtureTransformer(2, random_state=0).fit(X)
    >>> transformer.transform([[4.3, 80.0], [2.0, 55.0]]).round(2)
    array([[0., 1.],
           [1., 0.]])
    >>> transformer.set_params(kind="distances").fit_transform(X).shape
    (272, 2)
    >>> GaussianMixtureTransformer(2, kind="fisher", covariance_type="diag").fit(X).get_feature_names_out()
    array(['weight0', 'weight1', 'mean0_x0', 'mean0_x1', 'mean1_x0',
           'mean1_x1', 'variance0_x0', 'variance0_x1', 'variance1_x0',
           'variance1_x1'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [*list_open("n_components"), None],
        "kind": [StrOptions(set(KINDS))],
        "covariance_type": [*list_open("covariance_type"), None],
        "mixture": [Mixture, HasMethods(["fit", "get_params"]), None],
        "power": [Interval(Real, 0, 1, closed="right")],
        "norm": [StrOptions({"l2"}), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: Any = None,
        *,
        kind: str = "responsibilities",
        covariance_type: Any = None,
        mixture: Any = None,
        power: float = 1.0,
        norm: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.kind = kind
        self.covariance_type = covariance_type
        self.mixture = mixture
        self.power = power
        self.norm = norm
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the mixture to X.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            As :meth:`gaussmix.GaussianMixture.fit` has it; of no effect where `mixture` stays as it is.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is wrong, every start collapsed, or a given mixture has other features.
        """
        rows = self._read(X, reset=True)
        self.__dict__.pop("estimator_", None)
        if isinstance(self.mixture, Mixture):
            self.mixture_ = self._take_given(self.mixture)
            read_sample_weight(sample_weight, len(rows))
        else:
            estimator = self._make_estimator().fit(X, y, sample_weight=sample_weight)
            if not isinstance(getattr(estimator, "mixture_", None), Mixture):
                raise ValueError(
                    "'mixture' must be a gaussmix.GaussianMixture, a gaussmix.Mixture or None; "
                    f"got {type(self.mixture).__name__}, which has no mixture_ after its fit"
                )
            self.estimator_, self.mixture_ = estimator, estimator.mixture_
        self._check_features()
        self.n_components_ = self.mixture_.n_components
        return self

    def transform(self, X: Any) -> FloatArray:
        """The features of each row of X.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            float32 for float32 rows; a data frame where `set_output` asks for one.
        """
        check_is_fitted(self)
        features = make_features(self.mixture_, self._read(X), self.kind)
        if self.kind != "fisher":
            return features
        return normalize_features(features, self.power, self.norm)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """The names of the features, shape (n_features_out,).

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the columns of X; those of the fit, or x0, x1, ..., if they are not given.
        """
        check_is_fitted(self)
        columns = [str(name) for name in _check_feature_names_in(self, input_features)]
        return np.array(list_feature_names(self.mixture_, self.kind, columns), dtype=object)

    def _read(self, X: Any, *, reset: bool = False) -> FloatArray:
        rows = read_estimator_rows(self, X, reset=reset)
        check_finite(rows, "X", getattr(self, "feature_names_in_", None))
        return rows

    @property
    def _overrides(self) -> dict[str, Any]:
        """The parameters that are set here, and win over those of the mixture."""
        names = ("n_components", "covariance_type", "random_state")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def _make_estimator(self) -> Any:
        """The estimator to fit."""
        estimator = GaussianMixture("auto") if self.mixture is None else clone(self.mixture)
        if self._overrides:
            estimator.set_params(**self._overrides)
        return estimator

    def _take_given(self, mixture: Mixture) -> Mixture:
        """A mixture that stays as it is; ValueError where a parameter asks for another."""
        for name, asked in self._overrides.items():
            if getattr(mixture, name, asked) != asked:
                raise ValueError(f"{name}={asked!r} is not what the given 'mixture' has: leave it out")
        return mixture

    def _check_features(self) -> None:
        """Raise ValueError where a mixture that stayed as it is has other features."""
        mixture = self.mixture_
        if mixture.n_features != self.n_features_in_:
            raise ValueError(
                f"X has {self.n_features_in_} features, but the given 'mixture' has {mixture.n_features}"
            )
        refuse_other_names(getattr(self, "feature_names_in_", None), mixture.feature_names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
