"""What is known of a mixture's features once others are given, or measured: the methods of a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy.typing as npt

from gaussmix.model.mixture.evaluated import Evaluated

if TYPE_CHECKING:
    from gaussmix.model.mixture.algebra.batch import MixtureBatch
    from gaussmix.model.mixture.algebra.update import Posterior


class Conditioned(Evaluated):
    """The methods of :class:`gaussmix.Mixture` by which something becomes known."""

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
        from gaussmix.model.mixture.algebra.conditional import condition_on
        from gaussmix.model.mixture.algebra.given import read_given

        known = read_given(self, given, features, named)
        batch = condition_on(self, known.features, known.values)
        return batch[0] if known.single else batch

    def linear_gaussian_update(
        self, A: npt.ArrayLike, b: npt.ArrayLike | None, R: npt.ArrayLike, y: npt.ArrayLike
    ) -> Posterior[Self] | Posterior[MixtureBatch[Self]]:
        """The distribution of x after a measurement y = A x + b + e with noise e ~ N(0, R).

        Parameters
        ----------
        A : float, array of shape (d,) or array of shape (m, d)
            What is measured: a multiple of x, each feature times a number, or m combinations of features.
        b : float, array of shape (m,) or None
            What is added; None stands for zeros.
        R : float, array of shape (m,) or array of shape (m, m)
            The covariance of the noise: one variance for all measured numbers, one for each, or a matrix.
        y : array of shape (m,) or (n, m)
            The measured numbers; or n such measurements, each of another x.

        Returns
        -------
        Posterior
            Its `mixture` is the posterior, of n measurements a batch of n; its `log_evidence` is log p(y).
            With S_k = A Sigma_k A' + R and the gain G_k = Sigma_k A' S_k^-1, component k has::

                weight      w_k N(y | A mu_k + b, S_k) / p(y)
                mean        mu_k + G_k (y - A mu_k - b)
                covariance  (I - G_k A) Sigma_k (I - G_k A)' + G_k R G_k'

            computed by square roots, so that sharp and weak measurements keep their digits. One of n
            measurements after another gives what all at once give.
            Where each measured number is one feature times a factor, no feature is measured twice, and their
            noise is independent, diagonals stay diagonals and factor analysers factor analysers. All
            else becomes full, or tied where components share one covariance.

        Raises
        ------
        ValueError
            If shapes disagree, R is not positive definite, or a measurement is so far away that no component
            has a density there; or if there is noise.

        References
        ----------
        R. E. Kalman, A new approach to linear filtering and prediction problems, J. Basic Eng. 82 (1960)
        35-45.
        H. W. Sorenson and D. L. Alspach, Recursive Bayesian estimation using Gaussian sums, Automatica 7
        (1971) 465-479.

        Examples
        --------
        >>> import gaussmix
        >>> prior = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> posterior = prior.linear_gaussian_update(1.0, None, 1.0, [3.0])
        >>> posterior.mixture.means.ravel().tolist()
        [0.5, 2.5]
        >>> posterior.mixture.weights.round(3).tolist()
        [0.002, 0.998]
        """
        from gaussmix.model.mixture.algebra.linear import read_map, read_offset, read_spread
        from gaussmix.model.mixture.algebra.update import Posterior, read_measurements, update_linearly

        operation = "linear_gaussian_update"
        map_ = read_map(A, self.n_features, operation)
        m = len(map_.matrix)
        rows, single = read_measurements(y, m, operation)
        offset, spread = read_offset(b, m, operation), read_spread(R, m, f"{operation}: R")
        batch = update_linearly(self, map_, offset, spread, rows)
        if single:
            return Posterior(batch[0], float(batch.log_evidence[0]))
        return Posterior(batch, batch.log_evidence)
