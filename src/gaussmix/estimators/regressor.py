"""The scikit-learn face of regression by a Gaussian mixture of inputs and outputs together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions

from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import Float64Array
from gaussmix.apps.regression.choice import Choice, choose_and_fit
from gaussmix.apps.regression.choosing import Split
from gaussmix.apps.regression.fitting import Effort, JointRows
from gaussmix.estimators._outputs import name_outputs, read_outputs
from gaussmix.estimators._predicting import Predicting, read_inputs
from gaussmix.estimators._regressions import read_options
from gaussmix.estimators._validate import list_allowed, list_open
from gaussmix.fit.arguments import find_stack_level, make_generator
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.options import NFactors


class GaussianMixtureRegressor(Predicting, RegressorMixin, MultiOutputMixin, BaseEstimator):  # type: ignore[misc]
    r"""Regression by a Gaussian mixture of inputs and outputs together (GMR).

    The mixture of the joint rows (x, y) is conditioned on x, which makes a mixture of linear regressions
    whose shares depend on x:

    .. math::
        p(y \mid x) = \sum_k r_k(x) N(y \mid a_k + B_k x, S_k), \quad
        r_k(x) = \frac{w_k N(x \mid \mu_{k,x}, \Sigma_{k,xx})}{p(x)},

    with :math:`B_k = \Sigma_{k,yx} \Sigma_{k,xx}^{-1}`, :math:`a_k = \mu_{k,y} - B_k \mu_{k,x}` and
    :math:`S_k = \Sigma_{k,yy} - B_k \Sigma_{k,xy}`. So a prediction is a whole distribution, of several
    outputs too: its mean bends with x, and its spread and its number of modes depend on x. Inputs may be
    missing, in the fit and in rows to predict. With one component the mean is that of linear regression.

    Parameters
    ----------
    n_components : int, "auto" or sequence of int, default="auto"
        "auto" tries 1, 2, 3, 4, 6, 8, 12, 16 and 24 (1 to 9 by BIC) for as long as more are better and there
        are eight rows for each. A sequence tries its numbers.
    covariance_type : str or sequence of str, default="auto"
        A family as in :class:`gaussmix.GaussianMixture`. "auto" tries "tied" and "full", which do not depend
        on the units of inputs and outputs (by BIC all fourteen of mclust); a sequence tries its names. Of
        diagonal families y depends on x through the shares alone.
    shrinkage : float or "auto", default="auto"
        How many rows the covariance of all rows, over k^(2/d), counts as in that of each of k components; d
        is the number of inputs and outputs. So slopes tend to those of one regression, and components of few
        rows predict soundly. 0 is the maximum of the likelihood, and other numbers are at least d + 1. "auto"
        tries 0, d + 1 and 4 (d + 1), with ``criterion="bic"`` it is 0. It does not shrink families that share
        one covariance, nor factor analysers.
    criterion : {"cv", "bic"}, default="cv"
        How a model is chosen: by the predictive log-density of outputs that folds hold out, or by the BIC of
        the joint mixture, which is quicker and counts inputs as much as outputs.
    cv : int, splitter or iterable, default=5
        The folds, as scikit-learn has them. Of a number of them, those are left out that come once 2000 rows
        have been held out.
    reg_covar : float or "auto", default="auto"
        "auto" keeps every variance, in any direction, above 1e-10 of the features' own. A number is added to
        the variances, in squared units of the data.
    n_factors : int or "auto", default=1
        Factors of factor analysers; other families take no notice.
    n_init : int, default=1
        Starts of the final fit.
    init_params : str, default="auto"
        Where the final fit starts from, as in :class:`gaussmix.GaussianMixture`.
    tol : float, default=1e-3
        EM stops when an iteration raises the mean log-likelihood by less (nats for each unit of weight).
    max_iter : int, default=100
    random_state : int, RandomState instance or None, default=None
        Of the folds and the starts.

    Attributes
    ----------
    mixture_ : Mixture
        Of the inputs and, after them, the outputs. Inputs that are constant in the fit say nothing, and are
        not in it.
    n_components_ : int
    covariance_type_ : str
    shrinkage_ : float
    trials_ : tuple of RegressionTrial
        The models that were tried on held-out rows, with `log_score` and `rmse` there.
    search_ : SearchResult
        Of ``criterion="bic"``, where there was a choice.
    fit_result_ : FitResult
        Status, advice and history of the fit of the joint mixture.
    converged_ : bool
    n_iter_ : int
    n_outputs_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.

    Notes
    -----
    What is maximised is the likelihood of inputs and outputs together. Where inputs are many and say little,
    components describe them and not the regression: that is why a model is chosen by predictions.

    References
    ----------
    Z. Ghahramani and M. I. Jordan, Supervised learning from incomplete data via an EM approach, NIPS 6 (1994)
    120-127. H. G. Sung, Gaussian mixture regression and classification, PhD thesis, Rice University 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import GaussianMixtureRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-3, 3, (500, 1))
    >>> y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=500)
    >>> model = GaussianMixtureRegressor(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> mean, std, interval = model.predict([[0.0], [np.nan]], return_std=True, quantiles=[0.05, 0.95])
    >>> mean.shape, std.shape, interval.shape
    ((2,), (2,), (2, 2))
    >>> bool(std[0] < 0.3 < 0.5 < std[1])  # the second has no input
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": list_open("n_components"),
        "covariance_type": list_open("covariance_type"),
        "shrinkage": [Interval(Real, 0.0, None, closed="left"), StrOptions({"auto"})],
        "criterion": [StrOptions({"cv", "bic"})],
        "cv": ["cv_object"],
        "reg_covar": list_allowed("reg_covar"),
        "n_factors": list_allowed("n_factors"),
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": list_allowed("init_params"),
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int | str | Sequence[int] = "auto",
        *,
        covariance_type: str | Sequence[str] = "auto",
        shrinkage: float | str = "auto",
        criterion: str = "cv",
        cv: Any = 5,
        reg_covar: RegCovar = "auto",
        n_factors: NFactors = 1,
        n_init: int = 1,
        init_params: str = "auto",
        tol: float = 1e-3,
        max_iter: int = 100,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.shrinkage = shrinkage
        self.criterion = criterion
        self.cv = cv
        self.reg_covar = reg_covar
        self.n_factors = n_factors
        self.n_init = n_init
        self.init_params = init_params
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the joint mixture of inputs and outputs.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            NaN, or a missing cell of a data frame, is an input that is not known: the fit maximises the
            likelihood of what is there, which is right where it does not depend on an input whether it is
            missing.
        y : array-like, series or data frame of shape (n_samples,) or (n_samples, n_outputs)
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
        rows = read_inputs(self, X, reset=True)
        outputs = read_outputs(y, rows, self)
        weights = read_sample_weight(sample_weight, len(rows))
        values = np.concatenate([rows, outputs.values], axis=1, dtype=np.float64)
        names = name_outputs(outputs, getattr(self, "feature_names_in_", None), rows.shape[1])
        present = np.ones(len(rows), dtype=bool) if weights is None else weights > 0.0
        joint = JointRows(
            values[present], outputs.values.shape[1], None if weights is None else weights[present]
        )
        choice = choose_and_fit(
            joint,
            read_options(self, joint),
            self.criterion,
            make_generator(self.random_state),
            folds=self._find_folds(rows, outputs.values, present),
            effort=Effort(float(self.tol), int(self.max_iter), int(self.n_init), self.init_params),
            feature_names=names,
        )
        self._single = outputs.single
        self.n_outputs_ = joint.n_outputs
        self._end_fit(choice)
        return self

    def _find_folds(
        self, rows: npt.NDArray[Any], outputs: Float64Array, present: npt.NDArray[np.bool_]
    ) -> int | list[Split]:
        """The number of folds, or for each the places of its training rows and of those held out."""
        if self.cv is None or isinstance(self.cv, Integral):
            return 5 if self.cv is None else int(self.cv)
        places = np.cumsum(present) - 1
        return [
            (places[train[present[train]]], places[test[present[test]]])
            for train, test in check_cv(self.cv).split(rows, outputs)
        ]

    def _end_fit(self, choice: Choice) -> None:
        """Set the attributes of a fit, and warn where EM did not end."""
        fit, result = choice.fit, choice.fit.result
        self._regression = fit.regression
        self.mixture_ = fit.regression.mixture
        self.n_components_ = self.mixture_.n_components
        self.covariance_type_ = fit.model.covariance_type
        self.shrinkage_ = fit.model.shrinkage
        self.trials_ = choice.trials
        self.__dict__.pop("search_", None)  # of an earlier fit
        if choice.search is not None:
            self.search_ = choice.search
        self.fit_result_ = result
        self.converged_, self.n_iter_ = result.converged, max(result.n_iter, 1)
        if result.advice and not result.converged:
            warnings.warn(result.advice, ConvergenceWarning, stacklevel=find_stack_level())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # a missing input
        return tags
