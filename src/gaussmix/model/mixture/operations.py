"""The algebra of mixtures: operations that make other mixtures of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy.typing as npt

from gaussmix import _check
from gaussmix.model.mixture import schema
from gaussmix.model.mixture.conditioned import Conditioned
from gaussmix.model.mixture.features import read_features
from gaussmix.model.mixture.parts import Parts, read_mixture, read_several

if TYPE_CHECKING:
    from gaussmix.model.mixture.algebra.update import Posterior


class Operations(Conditioned):
    """The methods of :class:`gaussmix.Mixture` that make other mixtures."""

    def marginal(self, features: Any) -> Self:
        """The distribution of some features, whatever the others are.

        Parameters
        ----------
        features : int, str or sequence of these
            Positions from 0 to d - 1, or names (x0, x1, ... where the mixture has none); the result has them
            in this order.

        Returns
        -------
        Mixture
            ``p(x_S) = sum_k w_k N(x_S | mu_k,S, Sigma_k,SS)``, of the same family where that has all
            marginals: full, tied, diag, spherical, EII, EEI, VEI, VEE, and factor analysers of more features
            than factors. Marginals of EVI are diag, those of EVE, VVE, EEV, VEV and EVV full, and those of
            factor analysers of no more features than factors full. All features in another order stay of any
            family.

        Raises
        ------
        ValueError
            If a feature does not exist or is named twice; or where there is noise whose box is not parallel
            to the features, so that its marginal is not uniform.

        References
        ----------
        C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 2.3.2.

        Examples
        --------
        >>> import gaussmix
        >>> means, variances = [[-2.0, 5.0], [1.0, 0.0]], [[0.5, 1.0], [1.0, 4.0]]
        >>> mixture = gaussmix.Mixture([0.3, 0.7], means, variances, "diag", feature_names=["a", "b"])
        >>> mixture.marginal("b")
        Mixture(n_components=2, n_features=1, covariance_type='diag')
        >>> mixture.marginal(["b", "a"]).means.tolist()
        [[5.0, -2.0], [0.0, 1.0]]
        """
        from gaussmix.model.mixture.algebra.selection import take_features

        return take_features(self, read_features(self, features))

    def select(self, components: Any) -> Self:
        """Some of the components, with weights that keep their proportions.

        Parameters
        ----------
        components : int, sequence of int or mask of shape (k,)
            Places of components, in the order that the result has them.

        Returns
        -------
        Mixture
            Of the same family; the weights sum to one.

        Raises
        ------
        ValueError
            If a component does not exist or is named twice, none is left or all that are have no weight; or
            if there is noise.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.2, 0.5, 0.3], [[3.0], [9.0], [6.0]], [1.0, 1.0, 1.0], "spherical")
        >>> mixture.select([0, 2]).weights.round(2).tolist()
        [0.4, 0.6]
        """
        from gaussmix.model.mixture.algebra.selection import select_components

        return select_components(self, components)

    def affine(
        self,
        A: npt.ArrayLike,
        b: npt.ArrayLike | None = None,
        *,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """The distribution of A x + b.

        Parameters
        ----------
        A : float, array of shape (d,) or array of shape (m, d)
            A number that multiplies all features, one for each, or a matrix of full row rank, m <= d.
        b : float or array of shape (m,), optional
        feature_names : sequence of str, optional
            Names of the new features. Without them, features that are only multiplied keep their names, and
            those of a matrix have none.

        Returns
        -------
        Mixture
            ``sum_k w_k N(A mu_k + b, A Sigma_k A')``; its density is ``p(A^-1 (y - b)) / |det A|`` where A is
            square. One number keeps every family. One for each feature keeps all but spherical (diag), EII
            (EEI), EVE, VVE, EEV and VEV (full), and isotropic factor analysers, which get uniquenesses of
            their own (ppca becomes factor). Matrices that only select, order and multiply features do as
            :meth:`marginal` and these. By any other matrix full, tied and VEE stay, EVV too where it is
            square; EII and EEI become tied and all else full.

        Raises
        ------
        ValueError
            If the rank of A is less than its number of rows, so that there would be no density; or where
            there is noise and A is not square.

        References
        ----------
        C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 2.3.3.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[0.0, 1.0], [2.0, 3.0]], [1.0, 4.0], "spherical")
        >>> mixture.affine(2.0, [0.0, 1.0]).means.tolist()
        [[0.0, 3.0], [4.0, 7.0]]
        >>> total = mixture.affine([[1.0, 1.0]], feature_names=["sum"])
        >>> total.covariances.round(9).tolist()
        [[[2.0]], [[8.0]]]
        """
        from gaussmix.model.mixture.algebra.linear import read_map, read_offset
        from gaussmix.model.mixture.algebra.maps import map_linearly

        map_ = read_map(A, self.n_features, "affine")
        m = len(map_.matrix)
        offset, names = read_offset(b, m, "affine"), self.feature_names
        if feature_names is not None:
            names = schema.check_names(tuple(feature_names), m)
        elif names is not None:
            names = tuple(names[j] for j in map_.features) if map_.features is not None else None
        return map_linearly(self, map_, offset, names)

    def convolve(self, noise: Any) -> Self:
        """The distribution of x + e, for Gaussian noise e, or any mixture, that is independent of x.

        Parameters
        ----------
        noise : float, array of shape (d,), array of shape (d, d) or Mixture
            The covariance of e ~ N(0, S): a variance for all features, one for each, or a matrix, which need
            not be of full rank. Or the distribution of e: a mixture of the same features.

        Returns
        -------
        Mixture
            ``sum_k w_k N(mu_k, Sigma_k + S)``; of two mixtures, each component of the first with each of the
            other, in this order. Variances keep full, tied, diag, EEI, and factor analysers, and one variance
            for all keeps spherical and EII; families that share a part of their covariances become diag or
            full. A matrix makes full, or tied where components share their covariance. Of two
            mixtures, diagonals give diagonals, and factor analysers with q and q' factors those with
            q + q', where that is less than d; all else gives full, or tied where both share theirs.

        Raises
        ------
        ValueError
            If the covariance is not symmetric or has a negative variance in some direction, the features are
            others, or there is a noise component.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 2.0], "spherical")
        >>> mixture.convolve(0.5).covariances.tolist()
        [1.5, 2.5]
        >>> mixture.convolve(mixture).means.ravel().tolist()
        [0.0, 4.0, 4.0, 8.0]
        """
        from gaussmix.model.mixture.algebra.linear import read_spread, refuse_negative
        from gaussmix.model.mixture.algebra.pairs import add_mixture, add_spread

        if not _is_distribution(noise):
            spread = read_spread(noise, self.n_features, "convolve: the covariance")
            refuse_negative(spread, "convolve: the covariance")
            return add_spread(self, spread)
        return add_mixture(self, read_mixture(noise, "noise", type(self)))

    def product(self, other: Any) -> Posterior[Self]:
        """The product of two densities, normalised, and the logarithm of its integral.

        It is what two independent sources together say of x: of a prior and a likelihood, the posterior.

        Parameters
        ----------
        other : Mixture, FitResult, SearchResult or GaussianMixture
            Of the same features; a Gaussian is a mixture of one component.

        Returns
        -------
        Posterior
            Its `mixture` has a component for each pair, those of the first with each of the other, in this
            order::

                weight      w_i v_j N(m_j | mu_i, Sigma_i + C_j) / Z
                covariance  (Sigma_i^-1 + C_j^-1)^-1
                mean        that times (Sigma_i^-1 mu_i + C_j^-1 m_j)

            Its `log_evidence` is log Z, the logarithm of the integral of p(x) q(x). Families are as in
            :meth:`convolve`. Both orders give the same distribution.

        Raises
        ------
        ValueError
            If the features are others, or there is noise; or where the mixtures are so far apart that the
            integral is beyond the numbers.

        References
        ----------
        C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 2.3.3.

        Examples
        --------
        >>> import gaussmix
        >>> prior = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> seen = gaussmix.Mixture([1.0], [[3.0]], [1.0], "spherical")
        >>> prior.product(seen).mixture.means.ravel().tolist()
        [0.5, 2.5]
        """
        from gaussmix.model.mixture.algebra.pairs import multiply

        return multiply(self, read_mixture(other, "other", type(self)))

    @classmethod
    def mix(cls, mixtures: Sequence[Any], weights: npt.ArrayLike | None = None) -> Self:
        """One mixture of several: the components of all, side by side.

        Parameters
        ----------
        mixtures : sequence of Mixture, FitResult, SearchResult or GaussianMixture
            Of the same features.
        weights : array of shape (n_mixtures,), optional
            How much each counts, none negative, with the sum one; without them all count the same.

        Returns
        -------
        Mixture
            ``sum_i v_i p_i(x)``. Mixtures that all are spherical (or EII) become spherical, all of diagonals
            diag, factor analysers among these factor analysers of the largest number of factors; with any
            other, all become full. Where all have the same covariances, the family stays.

        Raises
        ------
        ValueError
            If there are none, the features are others, or there is noise.

        Examples
        --------
        >>> import gaussmix
        >>> women = gaussmix.Mixture([1.0], [[165.0]], [40.0], "spherical", feature_names=["height"])
        >>> men = gaussmix.Mixture([1.0], [[178.0]], [50.0], "spherical", feature_names=["height"])
        >>> gaussmix.Mixture.mix([women, men], [0.51, 0.49]).mean.round(2).tolist()
        [171.37]
        """
        from gaussmix.model.mixture.algebra.union import unite

        several = read_several(mixtures, "mix: mixtures")
        read = [read_mixture(one, "each of mixtures", cls) for one in several]
        n = len(read)
        shares = _check.read_weights([1.0 / n] * n if weights is None else weights, n)
        return unite(read, shares)


def _is_distribution(value: Any) -> bool:
    """Whether a value is a mixture, or has one, and no covariance."""
    return isinstance(value, Parts) or any(
        hasattr(value, name) for name in ("mixture", "mixture_", "best", "means_")
    )
