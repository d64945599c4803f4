"""scikit-learn's private steps of EM, thin over our own.

Code in the wild calls these methods, and subclasses override them. The kernels know nothing of them: they
fit and evaluate a model that overrides none. Where one is overridden, `_loop.py` goes step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.estimators._printing import Messages
from gaussmix.estimators._state import State, find_float_type
from gaussmix.estimators._validate import read_start_parameters
from gaussmix.fit.given import Given
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture

Parameters = tuple[Any, Any, Any, Any]

#: The steps from rows to log-densities: an override counts wherever rows are evaluated.
DENSITIES = (
    "_estimate_log_prob",
    "_estimate_weighted_log_prob",
    "_estimate_log_weights",
    "_estimate_log_prob_resp",
)

#: The steps of a fit: an override of any of them, or of the above, counts in a fit.
STEPS = (
    *DENSITIES,
    "_check_parameters",
    "_initialize_parameters",
    "_initialize",
    "_e_step",
    "_m_step",
    "_compute_lower_bound",
    "_get_parameters",
    "_set_parameters",
    "_print_verbose_msg_init_beg",
    "_print_verbose_msg_iter_end",
    "_print_verbose_msg_init_end",
)


class Steps(Messages, State):
    """The steps of EM by scikit-learn's names. `xp`, a namespace of arrays there, is NumPy here.

    Log-densities of a model with noise have one more column, the last.
    """

    converged_: bool
    n_iter_: int
    lower_bound_: float
    lower_bounds_: list[float]

    def _check_parameters(self, X: FloatArray, xp: Any = None) -> None:
        """Raise ValueError where weights_init, means_init or precisions_init do not fit."""
        read_start_parameters(self, self.n_components, X.shape[1])

    def _initialize_parameters(self, X: FloatArray, random_state: Any, xp: Any = None) -> None:
        """Assign a start of `init_params`, or what of it is given."""
        given = read_start_parameters(self, self.n_components, X.shape[1])
        if given is not None and given.complete:
            self._initialize(X, None)
            return
        mixture = self._maximise(X, given, random_state=random_state)
        if self._overrides(("_initialize",)):
            self._initialize(X, mixture.responsibilities(X))
        else:
            self._publish(mixture, find_float_type(X))

    def _initialize(self, X: FloatArray, resp: FloatArray | None, xp: Any = None) -> None:
        """Assign an M-step of responsibilities, shape (n, k), but for what is given."""
        found = None if resp is None else self._maximise(X, np.asarray(resp))
        k, d = np.shape(self.means_init) if found is None else found.means.shape
        given = read_start_parameters(self, k, d) or Given()
        if found is None and not given.complete:
            raise ValueError("without responsibilities, give weights_init, means_init and precisions_init")
        values: dict[str, Any] = {"weights": given.weights, "means": given.means, "covariances": None}
        if given.roots is not None:
            structure = get_structure(self.covariance_type, d)
            values["covariances"] = structure.unstack(structure.algebra.covariances_of_roots(given.roots))
        parts = {name: getattr(found, name) if value is None else value for name, value in values.items()}
        self._publish(Mixture(**parts, covariance_type=self.covariance_type), find_float_type(X))

    def _e_step(self, X: FloatArray, xp: Any = None) -> tuple[Any, FloatArray]:
        """Mean log-density of the rows, and the logarithms of their responsibilities, shape (n, k)."""
        log_density, log_resp = self._estimate_log_prob_resp(X)
        return log_density.mean(), log_resp

    def _m_step(self, X: FloatArray, log_resp: FloatArray, xp: Any = None) -> None:
        """Assign the parameters of greatest likelihood for logarithms of responsibilities, shape (n, k)."""
        self._publish(self._maximise(X, np.exp(np.asarray(log_resp))), find_float_type(X))

    def _maximise(self, X: FloatArray, start: Any, random_state: Any = None) -> Mixture:
        """The mixture of a start before any iteration: of responsibilities, an M-step of them."""
        k, weights = self.n_components, None
        if isinstance(start, np.ndarray):
            k, sums = start.shape[1], start.sum(axis=1, dtype=np.float64)
            if np.abs(sums - 1.0).max() > 1e-6:  # what a row counts for is its weight
                weights = sums
                divisors = np.where(sums > 0.0, sums, 1.0)[:, None]
                start = np.where(sums[:, None] > 0.0, start / divisors, 1.0 / k)
        return fit_mixture(
            X,
            k,
            covariance_type=self.covariance_type,
            sample_weight=weights,
            reg_covar=self.reg_covar,
            max_iter=0,
            init_params=self.init_params,
            start=start,
            random_state=random_state,
            prior=self.prior,
            n_factors=self.n_factors,
        ).mixture

    def _compute_lower_bound(self, log_resp: FloatArray, log_prob_norm: Any) -> Any:
        """What EM raises, of what an E-step gives."""
        return log_prob_norm

    def _get_parameters(self) -> Parameters:
        """Weights, means, covariances, and factors of the precisions."""
        self._get_mixture()
        return self.weights_, self.means_, self.covariances_, self.precisions_cholesky_

    def _set_parameters(self, params: Parameters, xp: Any = None) -> None:
        """Assign what :meth:`_get_parameters` gives; the factors may be None."""
        names = ("weights_", "means_", "covariances_", "precisions_cholesky_")
        self.__dict__.pop("precisions_", None)
        self.__dict__.update(zip(names, params, strict=True))
        self._follow_edits(anew=True)

    def _estimate_log_prob(self, X: FloatArray, xp: Any = None) -> FloatArray:
        """Log-density of each row under each component alone, shape (n, k)."""
        return self._get_mixture().component_log_prob(X)

    def _estimate_log_weights(self, xp: Any = None) -> Float64Array:
        """Logarithms of the weights, shape (k,)."""
        noise = self._get_mixture().noise
        weights = self.weights_ if noise is None else np.append(self.weights_, noise.weight)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(weights))

    def _estimate_weighted_log_prob(self, X: FloatArray, xp: Any = None) -> FloatArray:
        """Joint log-density of each row and component, shape (n, k)."""
        return np.asarray(self._estimate_log_prob(X) + self._estimate_log_weights())

    def _estimate_log_prob_resp(self, X: FloatArray, xp: Any = None) -> tuple[FloatArray, FloatArray]:
        """Log-density of each row, shape (n,), and logarithms of responsibilities, shape (n, k)."""
        joint = self._estimate_weighted_log_prob(X)
        log_density = np.logaddexp.reduce(joint, axis=1)
        return log_density, joint - log_density[:, None]

    def _overrides(self, names: Sequence[str] = STEPS) -> bool:
        """Whether a subclass, or somebody who assigned it to the class or the instance, replaced a step."""
        cls, own = type(self), self.__dict__
        return any(getattr(cls, name) is not OWN[name] or name in own for name in names)


#: The steps as they are here.
OWN = {name: getattr(Steps, name) for name in STEPS}
