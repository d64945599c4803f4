"""The algebra of mixtures: operations that make other mixtures of one."""

from __future__ import annotations

from typing import Any, Self

import numpy.typing as npt

from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.conditional import condition_on
from gaussmix.model.mixture.algebra.given import read_given
from gaussmix.model.mixture.algebra.selection import select_components, take_features
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.features import read_features


class Operations(Evaluated):
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
        return select_components(self, components)

    def condition(
        self, given: Any = None, /, *, features: Any = None, **named: npt.ArrayLike
    ) -> Self | MixtureBatch[Self]:
        """The distribution of the other features, given values of some.

        Parameters
        ----------
        given : mapping, frame or array
            {feature: value}, with features by position or name; or a data frame whose columns are features;
            or an array of shape (p,) or (n, p) whose columns `features` names. A row of a data frame is a
            mapping, too.
        features : sequence of int or str, optional
            Which features the columns of an array are; of a frame, which of its columns count.
        **named : float or array of shape (n,)
            Values by the names of features, in place of `given`.

        Returns
        -------
        Mixture or MixtureBatch
            A mixture, where single numbers are given. Of n values (an array, or a frame of n rows) it is a
            batch of n mixtures. Both have the other features, in their order, and each component k has::

                weight      w_k N(y | mu_k,y, Sigma_k,yy) / p(y)
                mean        mu_k,x + Sigma_k,xy Sigma_k,yy^-1 (y - mu_k,y)
                covariance  Sigma_k,xx - Sigma_k,xy Sigma_k,yy^-1 Sigma_k,yx

            The covariances do not depend on the values. They stay of the family where :meth:`marginal` does,
            but that factor analysers whose loadings are shared and uniquenesses are not (CUU, CUC) get
            loadings of their own (factor, ppca).

        Raises
        ------
        ValueError
            If nothing or all is given, a feature does not exist or is given twice, or a value is not finite
            or so far away that no component has a density there; or if there is noise.

        References
        ----------
        C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 2.3.1.
        Z. Ghahramani and M. I. Jordan, Supervised learning from incomplete data via an EM approach, NIPS 6
        (1994) 120-127.

        Examples
        --------
        >>> import gaussmix
        >>> means, covariances = [[1.7, 65.0], [1.8, 80.0]], [[[0.01, 0.5], [0.5, 60.0]]] * 2
        >>> people = gaussmix.Mixture([0.5, 0.5], means, covariances, feature_names=["height", "weight"])
        >>> people.condition(height=1.75).mean.round(1).tolist()
        [72.5]
        >>> people.condition({"height": [1.6, 1.75, 1.9]}).mean.shape
        (3, 1)
        """
        known = read_given(self, given, features, named)
        batch = condition_on(self, known.features, known.values)
        return batch[0] if known.single else batch
