"""To scikit-learn's own estimator and from it."""

from __future__ import annotations

import math
from copy import copy
from typing import Any, Self

import numpy as np

from gaussmix.estimators._exporting import Exporting
from gaussmix.estimators._validate import leaves_open
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.foreign.scikit_learn import find_original_class
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.sklearn_arrays import FITTED, find_sklearn_type, make_sklearn_arrays

#: Parameters that mean the same there.
SAME = (
    *("n_components", "tol", "max_iter", "n_init", "weights_init", "means_init"),
    *("random_state", "warm_start", "verbose", "verbose_interval"),
)

#: Starts that scikit-learn has.
STARTS = ("kmeans", "k-means++", "random", "random_from_data")

#: What "auto" becomes, scikit-learn's defaults: the ridge, in squared units of the data, and the start.
RIDGE = 1e-6
START = "kmeans"

#: Attributes that are the same there, beside those of the covariances.
SHARED = (
    *("weights_", "means_", "converged_", "n_iter_", "lower_bound_", "lower_bounds_"),
    *("n_features_in_", "feature_names_in_"),
)


class Convertible(Exporting):
    """A mixture that can become scikit-learn's, and be made of it."""

    def to_sklearn(self) -> Any:
        """The same model as a :class:`sklearn.mixture.GaussianMixture`; fitted, if this one is.

        Its predictions are the same, to rounding. What scikit-learn does not know is left out: prior,
        constraints, trimming, factors, acceleration. Families of covariances that it does not have become the
        smallest of its own that holds them ("diag", "spherical" or "full"). ``reg_covar="auto"`` becomes
        1e-6, and starts that it does not have become "kmeans": these matter to a further fit alone.

        Returns
        -------
        sklearn.mixture.GaussianMixture
            ``lower_bound_`` and ``lower_bounds_`` are the likelihoods of ours.

        Raises
        ------
        ValueError
            If there is a noise component, which scikit-learn's mixture cannot have.

        See Also
        --------
        from_sklearn : the reverse

        References
        ----------
        docs/accel.md

        Examples
        --------
        >>> import numpy as np
        >>> from gaussmix import GaussianMixture
        >>> X = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
        >>> model = GaussianMixture(2, covariance_type="EEI", random_state=0).fit(X)
        >>> theirs = model.to_sklearn()
        >>> theirs
        GaussianMixture(covariance_type='diag', n_components=2, random_state=0)
        >>> bool(np.allclose(theirs.score_samples(X), model.score_samples(X)))
        True
        """
        parameters: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        mixture: Mixture | None = getattr(self, "mixture_", None)
        if parameters["noise"] or (mixture is not None and mixture.noise is not None):
            raise ValueError(
                "scikit-learn's GaussianMixture cannot have a noise component: fit with noise=False, or use "
                "mixture_.without_noise()"
            )
        if mixture is not None:
            parameters["n_components"] = mixture.n_components  # it may have been left to be chosen
        elif leaves_open(self):
            raise ValueError(
                "scikit-learn's GaussianMixture has one number of components and one covariance type: fit "
                "first, so that they are chosen"
            )
        structure = get_structure(parameters["covariance_type"]) if mixture is None else mixture.structure
        kind = find_sklearn_type(structure)
        theirs = find_original_class()(
            **{name: parameters[name] for name in SAME},
            covariance_type=kind,
            reg_covar=RIDGE if isinstance(parameters["reg_covar"], str) else parameters["reg_covar"],
            init_params=parameters["init_params"] if parameters["init_params"] in STARTS else START,
            precisions_init=parameters["precisions_init"] if kind == structure.name else None,
        )
        if mixture is None:
            return theirs
        for name in SHARED:
            if hasattr(self, name):
                setattr(theirs, name, copy(getattr(self, name)))
        for name, array in make_sklearn_arrays(mixture).items():
            setattr(theirs, name, array.astype(theirs.means_.dtype))
        return theirs

    @classmethod
    def from_sklearn(cls, model: Any) -> Self:
        """A model of scikit-learn's as one of ours; fitted, if that one is.

        Parameters
        ----------
        model : sklearn.mixture.GaussianMixture
            Parameters keep their values, those that it does not have their defaults here. It is not changed.

        Returns
        -------
        GaussianMixture
            Made of a fitted one it has its parameters, and its predictions to rounding. ``lower_bound_`` and
            ``lower_bounds_`` are scikit-learn's. The likelihood of the parameters and the criteria, which
            nobody knows without the rows, are NaN in ``fit_result_``.

        Raises
        ------
        TypeError
            If `model` is not a GaussianMixture of scikit-learn.
        ValueError
            If its attributes are no mixture: weights that do not sum to one, numbers that are not finite.

        See Also
        --------
        to_sklearn : the reverse

        References
        ----------
        docs/accel.md

        Examples
        --------
        >>> import numpy as np, sklearn.mixture
        >>> from gaussmix import GaussianMixture
        >>> X = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
        >>> theirs = sklearn.mixture.GaussianMixture(2, random_state=0).fit(X)
        >>> model = GaussianMixture.from_sklearn(theirs)
        >>> model
        GaussianMixture(init_params='kmeans', n_components=2, random_state=0, reg_covar=1e-06)
        >>> bool(np.allclose(theirs.score_samples(X), model.score_samples(X)))
        True
        """
        if not isinstance(model, find_original_class()):
            raise TypeError(
                f"model must be a sklearn.mixture.GaussianMixture; got {type(model).__module__}."
                f"{type(model).__qualname__}"
            )
        known = set(cls._get_param_names())  # type: ignore[attr-defined]
        ours = cls(**{name: value for name, value in vars(model).items() if name in known})
        if all(getattr(model, name, None) is not None for name in FITTED):
            ours._take_over(model)
        return ours

    def _take_over(self, model: Any) -> None:
        """The fitted state of scikit-learn's model."""
        mixture = Mixture.from_sklearn(model)
        bounds = tuple(float(bound) for bound in getattr(model, "lower_bounds_", ()))
        converged = bool(getattr(model, "converged_", True))
        result = FitResult(
            mixture=mixture,
            status=FitStatus.CONVERGED if converged else FitStatus.MAX_ITER,
            advice="",
            history=(*bounds, math.nan),  # theirs are of the parameters before each step
            n_samples=math.nan,
        )
        self._set_fitted(result, np.asarray(model.means_).dtype)  # type: ignore[attr-defined]
        self.converged_, self.lower_bounds_ = converged, list(bounds)
        self.n_iter_ = int(getattr(model, "n_iter_", len(bounds)))
        self.lower_bound_ = float(getattr(model, "lower_bound_", math.nan))
        self.n_features_in_ = mixture.n_features
        if hasattr(model, "feature_names_in_"):
            self.feature_names_in_ = np.array(model.feature_names_in_, dtype=object)
