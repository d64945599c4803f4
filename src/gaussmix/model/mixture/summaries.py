"""What a mixture comes to in a few numbers: moments, entropy, modes, regions of highest density.

What answers is imported by the method that asks it: a mixture that is fitted or evaluated loads none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.density.defaults import N_DRAWS, SEED
from gaussmix.model.mixture.evaluated import Evaluated

if TYPE_CHECKING:
    from gaussmix.model.mixture.density.entropy import Entropy
    from gaussmix.model.mixture.density.modes import Modes
    from gaussmix.model.mixture.density.regions import Region


class Summaries(Evaluated):
    """The methods of :class:`gaussmix.Mixture` that sum it up."""

    @property
    def std(self) -> Float64Array:
        """Standard deviation of each feature in the whole, shape (d,); of the Gaussians if there is noise."""
        return np.sqrt(self.total_variances)

    @property
    def correlation(self) -> Float64Array:
        """Correlations of the features in the whole, shape (d, d); of the Gaussians if there is noise."""
        return np.asarray(self.covariance / np.multiply.outer(self.std, self.std))

    @property
    def skewness(self) -> Float64Array:
        """E ((x - m) / s)^3 of each feature, shape (d,); of the Gaussians alone if there is noise."""
        from gaussmix.model.mixture.density.moments import find_standard_moment

        return find_standard_moment(self, 3)

    @property
    def kurtosis(self) -> Float64Array:
        """E ((x - m) / s)^4 - 3 of each feature, zero for a Gaussian, shape (d,); as :attr:`skewness`."""
        from gaussmix.model.mixture.density.moments import find_standard_moment

        return find_standard_moment(self, 4) - 3.0

    def moment(self, order: int | Sequence[int], *, central: bool = False) -> Any:
        """A moment of any order, in closed form; of the Gaussians alone if there is noise.

        Parameters
        ----------
        order : int, or sequence of d ints
            n for E x_j^n of each feature; (n_1, ..., n_d) for E x_1^n_1 ... x_d^n_d.
        central : bool, default=False
            Whether moments are those about the mean.

        Returns
        -------
        ndarray of shape (d,), or float
            In the units of the features, to that power.

        Raises
        ------
        ValueError
            If the order is negative, of another number of features, or has too many terms.

        References
        ----------
        L. Isserlis, On a formula for the product-moment coefficient of any order of a normal frequency
        distribution in any number of variables, Biometrika 12 (1918) 134-139.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.5, 1.0]]])
        >>> mixture.moment(4)
        array([3., 3.])
        >>> mixture.moment((2, 2))  # 1 + 2 rho^2
        1.5
        """
        from gaussmix.model.mixture.density.moments import find_moment

        return find_moment(self, order, central=central)

    def median(self) -> float:
        """The point of one feature that a row is as likely to exceed as not; see :meth:`quantile`."""
        from gaussmix.model.mixture.density.probabilities import find_quantile

        return float(find_quantile(self, 0.5, of_upper=False))

    def entropy(self, *, n_draws: int = N_DRAWS, rng: np.random.Generator | int | None = SEED) -> Entropy:
        """Differential entropy -E log p(X) in nats, with its standard error and bounds.

        Parameters
        ----------
        n_draws : int, default=65536
            Draws of the estimate, where one is needed.
        rng : numpy.random.Generator, int or None, default=0
            What scrambles the draws.

        Returns
        -------
        Entropy
            Exact for one component, to 1e-10 for one feature, otherwise estimated by scrambled Sobol draws.

        Raises
        ------
        ValueError
            If there is noise.

        Notes
        -----
        With r_k(x) the responsibilities, H = sum_k w_k (h_k - log w_k) - E [-sum_k r_k log r_k], of which the
        last term alone is estimated. The first is an upper bound (Huber et al.), and so is the entropy of the
        Gaussian of the same covariance; `upper` is the lesser. `lower` is the greater of
        -sum_k w_k log sum_j w_j N(mu_k | mu_j, Sigma_k + Sigma_j) (Huber et al.) and of
        sum_k w_k (h_k - log sum_j w_j exp(-D_kj)), with Bhattacharyya distances D, which is exact for equal
        components, and for those far from each other (Kolchinsky and Tracey).

        References
        ----------
        M. F. Huber, T. Bailey, H. Durrant-Whyte and U. D. Hanebeck, On entropy approximation for Gaussian
        mixture random vectors, IEEE MFI 2008, 181-188.
        A. Kolchinsky and B. D. Tracey, Estimating mixture entropy with pairwise distances, Entropy 19 (2017)
        361.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> entropy = mixture.entropy()
        >>> round(entropy.value, 3)
        2.052
        >>> entropy.lower < entropy.value < entropy.upper
        True
        """
        from gaussmix.model.mixture.density.entropy import find_entropy

        return find_entropy(self, n_draws, rng)

    def modes(self) -> Modes:
        """The modes of the density: where ascents from the means of all components end.

        Returns
        -------
        Modes
            Points, log-densities, and the mode of each component; the highest first, equal ones by their
            first feature.

        Raises
        ------
        ValueError
            If the noise has all the weight.

        Notes
        -----
        Ascents take steps of EM, and Newton's where the density is concave. A mixture can have a mode that
        none of them finds, in two features and more.

        References
        ----------
        M. A. Carreira-Perpinan, Mode-finding for mixtures of Gaussian distributions, IEEE Trans. PAMI 22
        (2000) 1318-1323.

        Examples
        --------
        >>> import gaussmix
        >>> means = [[0.0], [1.0], [6.0]]
        >>> modes = gaussmix.Mixture([0.4, 0.4, 0.2], means, [1.0, 1.0, 1.0], "spherical").modes()
        >>> len(modes), modes.components
        (2, array([0, 0, 1]))
        >>> modes.points.round(2)
        array([[0.5],
               [6. ]])
        """
        from gaussmix.model.mixture.density.modes import find_modes

        return find_modes(self)

    def highest_density_level(
        self,
        mass: npt.ArrayLike,
        *,
        n_draws: int = N_DRAWS,
        rng: np.random.Generator | int | None = SEED,
    ) -> Any:
        """The density that is exceeded with a given probability: P(p(X) >= level) = mass.

        Parameters
        ----------
        mass : array-like of any shape
            Probabilities between 0 and 1.
        n_draws, rng
            As for :meth:`highest_density_region`.

        Returns
        -------
        float or ndarray of the shape of mass
            In one over the product of the features' units: levels for contours that enclose these masses.

        Raises
        ------
        ValueError
            If a mass is not between 0 and 1, or there is noise.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
        >>> mixture.highest_density_level([0.5, 0.9]).round(4)  # (1 - mass) / (2 pi)
        array([0.0796, 0.0159])
        """
        from gaussmix.model.mixture.density.regions import find_levels, read_masses

        masses = read_masses(mass)
        levels = find_levels(self, masses.ravel(), n_draws, rng)[0]
        return np.exp(np.array(levels)).reshape(masses.shape)[()]

    def highest_density_region(
        self, mass: float, *, n_draws: int = N_DRAWS, rng: np.random.Generator | int | None = SEED
    ) -> Region:
        """The smallest region that has a given probability.

        Parameters
        ----------
        mass : float
            Between 0 and 1.
        n_draws : int, default=65536
            Draws of which the level is a quantile, where it has to be estimated.
        rng : numpy.random.Generator, int or None, default=0
            What scrambles the draws.

        Returns
        -------
        Region
            Whether it contains points, the density on its border and, of one feature, its intervals. Exact
            for one component, and for one feature to 1e-10 in mass; otherwise the mass has a standard error.

        Raises
        ------
        ValueError
            If the mass is not between 0 and 1, or there is noise.

        References
        ----------
        R. J. Hyndman, Computing and graphing highest density regions, Am. Stat. 50 (1996) 120-126.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-4.0], [4.0]], [1.0, 1.0], "spherical")
        >>> region = mixture.highest_density_region(0.9)
        >>> region.intervals.round(3)
        array([[-5.645, -2.355],
               [ 2.355,  5.645]])
        >>> region.contains([0.0, 4.0])
        array([False,  True])
        """
        from gaussmix.model.mixture.density.regions import find_region

        return find_region(self, mass, n_draws, rng)
