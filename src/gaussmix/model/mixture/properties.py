"""What a mixture says of itself: sizes, its parameters in other forms, moments of the whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.kernels.natural import LOG_ZERO, Natural
from gaussmix.model.moments.blocks import Form
from gaussmix.model.noise import Noise


class MixtureProperties:
    """Read-only views of the parameters of a mixture."""

    structure: Structure
    covariance_type: str
    weights: Float64Array
    means: Float64Array
    #: Covariances and their roots with an axis of components, of length one where components share one.
    covariance_stack: Float64Array
    roots: Float64Array
    noise: Noise | None
    feature_names: tuple[str, ...] | None

    @property
    def n_components(self) -> int:
        """Number of components k, without the noise."""
        return int(self.means.shape[0])

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.means.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: k - 1 weights, k d means, those of the covariances; two of a noise component.

        The two are its weight and its density, as mclust counts them.
        """
        k, d = self.means.shape
        of_noise = 0 if self.noise is None else 2
        return int(k - 1 + k * d + self.structure.n_covariance_parameters(k, d) + of_noise)

    @cached_property
    def covariances(self) -> Float64Array:
        """The covariances, in the shape of the covariance type."""
        return self.structure.unstack(self.covariance_stack)

    @cached_property
    def precisions_cholesky(self) -> Float64Array:
        """Roots U of the precisions U U', in the same shape."""
        return self.structure.unstack(self.roots)

    @cached_property
    def precisions(self) -> Float64Array:
        """Inverses of the covariances, in the same shape."""
        precisions = self.structure.unstack(self.structure.algebra.precisions(self.roots))
        precisions.flags.writeable = False
        return precisions

    @property
    def dense_covariances(self) -> Float64Array:
        """The covariances of the components as matrices, shape (k, d, d), whatever the type."""
        return self.structure.algebra.to_dense(self.covariance_stack, *self.means.shape)

    @property
    def variances(self) -> Float64Array:
        """The variance of each feature in each component, shape (k, d)."""
        return self.structure.algebra.variances(self.covariance_stack, *self.means.shape)

    @property
    def n_factors(self) -> int:
        """Factors of each covariance; 0 but for factor analysers."""
        return self.structure.n_factors

    @property
    def loadings(self) -> Float64Array:
        """L of covariances L L' + diag(psi), shape (k, d, n_factors); for factor analysers."""
        return self.structure.parts(self.covariance_stack)[0]

    @property
    def noise_variances(self) -> Float64Array:
        """The diagonals psi of covariances L L' + diag(psi), shape (k, d); for factor analysers."""
        return self.structure.parts(self.covariance_stack)[1]

    @cached_property
    def natural(self) -> Natural:
        """The natural parameters in its own coordinates."""
        return self.natural_in(self.form)

    @property
    def form(self) -> Form:
        """Which features a pass needs: where there is noise, no quadratic part cancels."""
        return self.structure.form if self.noise is None else self.structure.own_form

    def natural_in(self, form: Form) -> Natural:
        """The natural parameters for passes of this form, the family's own or that of `own_form`."""
        parts = self.weights, self.means, self.covariance_stack, self.roots
        natural = self.structure.natural(*parts, form)
        return natural if self.noise is None else replace(natural, noise=max(self.noise.log_joint, LOG_ZERO))

    @property
    def mean(self) -> Float64Array:
        """Mean of the whole mixture, shape (d,): sum_k w_k mu_k; of the Gaussians alone if there is noise."""
        return self.shares @ self.means

    @property
    def covariance(self) -> Float64Array:
        """Covariance of the whole, shape (d, d): sum_k w_k (Sigma_k + (mu_k - mu)(mu_k - mu)')."""
        deviations = self.means - self.mean
        within = self.structure.algebra.average(self.covariance_stack, self.shares, self.n_features)
        return np.asarray(within + (self.shares[:, None] * deviations).T @ deviations)

    @property
    def total_variances(self) -> Float64Array:
        """The diagonal of :attr:`covariance`, shape (d,)."""
        return np.asarray(self.shares @ (self.variances + (self.means - self.mean) ** 2))

    @property
    def shares(self) -> Float64Array:
        """The weights of the Gaussians among themselves."""
        return self.weights if self.noise is None else self.weights / (self.weights.sum() or 1.0)
