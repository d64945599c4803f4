"""What a mixture says of itself: sizes, its components' parameters in other forms, moments of the whole."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture.printing import MOST_COMPONENTS, MOST_FEATURES, html_of, text_of
from gaussmix.model.noise import Noise


class Described:
    """Read-only views of the parameters of a mixture."""

    structure: Structure
    weights: Float64Array
    means: Float64Array
    covariances: Float64Array
    precisions_cholesky: Float64Array
    noise: Noise | None
    feature_names: tuple[str, ...] | None

    def summary(self, *, max_components: int = MOST_COMPONENTS, max_features: int = MOST_FEATURES) -> str:
        """The components as a table: weights, means and standard deviations.

        Parameters
        ----------
        max_components, max_features : int
            How many are shown; what is not is counted below the table.

        Examples
        --------
        >>> import gaussmix
        >>> means, variances = [[-2.0, 5.0], [1.0, 0.0]], [[0.5, 1.0], [1.0, 4.0]]
        >>> mixture = gaussmix.Mixture([0.3, 0.7], means, variances, "diag")
        >>> print(mixture.summary())
        Gaussian mixture: 2 components, 2 features, covariance diag
        <BLANKLINE>
        component   weight               x0            x1
                0   0.3000   -2.000 ± 0.707   5.00 ± 1.00
                1   0.7000    1.000 ± 1.000   0.00 ± 2.00
        Each cell: mean ± standard deviation.
        """
        return text_of(self, max_components, max_features)

    def _repr_html_(self) -> str:
        return html_of(self)

    @property
    def n_components(self) -> int:
        """K."""
        return int(self.means.shape[0])

    @property
    def n_features(self) -> int:
        """D."""
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
    def precisions(self) -> Float64Array:
        """Inverses of the covariances, in the same shape."""
        precisions = self.structure.precisions(self.precisions_cholesky)
        precisions.flags.writeable = False
        return precisions

    @property
    def dense_covariances(self) -> Float64Array:
        """The covariances of the components as matrices, shape (k, d, d), whatever the type."""
        return self.structure.dense(self.covariances, *self.means.shape)

    @property
    def variances(self) -> Float64Array:
        """The variance of each feature in each component, shape (k, d)."""
        return self.structure.variances(self.covariances, *self.means.shape)

    @property
    def n_factors(self) -> int:
        """Factors of each covariance; 0 but for factor analysers."""
        return self.structure.n_factors

    @property
    def loadings(self) -> Float64Array:
        """L of covariances L L' + diag(psi), shape (k, d, n_factors); for factor analysers."""
        return self.structure.parts(self.covariances)[0]

    @property
    def noise_variances(self) -> Float64Array:
        """The diagonals psi of covariances L L' + diag(psi), shape (k, d); for factor analysers."""
        return self.structure.parts(self.covariances)[1]

    @property
    def mean(self) -> Float64Array:
        """Mean of the whole mixture, shape (d,): sum_k w_k mu_k; of the Gaussians alone if there is noise."""
        return self._shares @ self.means

    @property
    def covariance(self) -> Float64Array:
        """Covariance of the whole, shape (d, d): sum_k w_k (Sigma_k + (mu_k - mu)(mu_k - mu)')."""
        deviations = self.means - self.mean
        within = self.structure.average(self.covariances, self._shares, self.n_features)
        return np.asarray(within + (self._shares[:, None] * deviations).T @ deviations)

    @property
    def total_variances(self) -> Float64Array:
        """The diagonal of :attr:`covariance`, shape (d,)."""
        return np.asarray(self._shares @ (self.variances + (self.means - self.mean) ** 2))

    @property
    def _shares(self) -> Float64Array:
        """The weights of the Gaussians among themselves."""
        return self.weights if self.noise is None else self.weights / (self.weights.sum() or 1.0)
