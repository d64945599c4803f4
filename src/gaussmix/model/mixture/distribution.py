"""The mixture as a distribution: its density, probabilities and quantiles, also by SciPy's names.

What answers is imported by the method that asks it: a mixture that is fitted or evaluated loads none of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import FloatArray
from gaussmix.model.mixture.density.defaults import MOST_POINTS, SEED, TOLERANCE
from gaussmix.model.mixture.evaluated import Evaluated


class Distribution(Evaluated):
    """The methods of :class:`gaussmix.Mixture` that are about its density and its probabilities."""

    def prob(self, X: npt.ArrayLike) -> FloatArray:
        """Density of each row of X, shape (n, d): the exponential of :meth:`log_prob`.

        Returns
        -------
        ndarray of shape (n,)
            sum_k w_k N(x | mu_k, Sigma_k), in one over the product of the features' units. It underflows to
            zero far from all components, where the logarithm does not.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> mixture.prob([[0.0], [2.0]]).round(4)
        array([0.054 , 0.1995])
        """
        return np.asarray(np.exp(self.log_prob(X)))

    def logpdf(self, X: npt.ArrayLike) -> Any:
        """SciPy's name of :meth:`log_prob`, with the shapes that SciPy's distributions take.

        Parameters
        ----------
        X : array-like of shape (..., d)
            Of one feature also a number, or an array of shape (n,).

        Returns
        -------
        float or ndarray of shape (...,)
        """
        from gaussmix.model.mixture.density.points import read_points

        points, shape = read_points(self, X)
        return self.log_prob(points).reshape(shape)[()]

    def pdf(self, X: npt.ArrayLike) -> Any:
        """SciPy's name of :meth:`prob`, with the shapes of :meth:`logpdf`.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> round(float(mixture.pdf(0.0)), 4)
        0.054
        """
        return np.exp(self.logpdf(X))

    def cdf(self, X: npt.ArrayLike) -> Any:
        """Probability that a row is nowhere above x: F(x) = P(X_j <= x_j for all j).

        Parameters
        ----------
        X : array-like of shape (..., d)
            Of one feature also a number, or an array of shape (n,), as ``scipy.stats`` takes it. Entries may
            be infinite.

        Returns
        -------
        float or ndarray of shape (...,)
            Of one feature, of independent ones and of two exact to rounding, relative to its own size. Of
            more with a relative standard error of 1e-4; :meth:`box_probability` can do better.

        Raises
        ------
        ValueError
            If X has NaN or another number of features, or there is noise without a box.

        Notes
        -----
        The noise is uniform over its box, beyond which :meth:`log_prob` has it go on.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> mixture.cdf([-2.0, 0.0, 2.0]).round(4)
        array([0.25, 0.5 , 0.75])
        """
        from gaussmix.model.mixture.density.probabilities import find_below

        return find_below(self, X)

    def sf(self, X: npt.ArrayLike) -> Any:
        """Survival function: P(X_j > x_j for all j), with all its digits in the upper tail.

        Of one feature it is 1 - F(x). Of several it is the joint survival function, which is not. Parameters,
        precision and errors are those of :meth:`cdf`.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> f"{mixture.sf(12.0):.3e}"
        '3.810e-24'
        """
        from gaussmix.model.mixture.density.probabilities import find_above

        return find_above(self, X)

    def logcdf(self, X: npt.ArrayLike) -> Any:
        """The logarithm of :meth:`cdf`, also where that underflows."""
        from gaussmix.model.mixture.density.probabilities import find_log_below

        return find_log_below(self, X)

    def logsf(self, X: npt.ArrayLike) -> Any:
        """The logarithm of :meth:`sf`, also where that underflows."""
        from gaussmix.model.mixture.density.probabilities import find_log_above

        return find_log_above(self, X)

    def quantile(self, q: npt.ArrayLike) -> Any:
        """The inverse of :meth:`cdf`, of one feature: the x with P(X <= x) = q.

        Parameters
        ----------
        q : array-like of any shape
            Probabilities from 0 to 1. Those near one have few digits left: :meth:`isf` takes 1 - q.

        Returns
        -------
        float or ndarray of the shape of q
            In units of the feature, to rounding: cdf(x) / q differs from one by less than 1e-12, or by what
            the last digit of x decides. Infinite for 0 and 1.

        Raises
        ------
        ValueError
            If there are several features, a probability is outside [0, 1], or noise has no box.

        Notes
        -----
        Newton's method on log F(x), or on log (1 - F(x)) in the upper half, inside brackets that shrink.
        Between components that are far apart F is flat; there, the equation is that of the tails alone.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> x = mixture.quantile([0.05, 0.25, 0.5])
        >>> mixture.cdf(x).round(10)
        array([0.05, 0.25, 0.5 ])
        """
        from gaussmix.model.mixture.density.probabilities import find_quantile

        return find_quantile(self, q, of_upper=False)

    def ppf(self, q: npt.ArrayLike) -> Any:
        """SciPy's name of :meth:`quantile`."""
        from gaussmix.model.mixture.density.probabilities import find_quantile

        return find_quantile(self, q, of_upper=False)

    def isf(self, q: npt.ArrayLike) -> Any:
        """The inverse of :meth:`sf`, of one feature: the x with P(X > x) = q; see :meth:`quantile`."""
        from gaussmix.model.mixture.density.probabilities import find_quantile

        return find_quantile(self, q, of_upper=True)

    def box_probability(
        self,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        *,
        tolerance: float = TOLERANCE,
        max_points: int = MOST_POINTS,
        rng: np.random.Generator | int | None = SEED,
        return_error: bool = False,
    ) -> Any:
        """Probability of boxes: P(low_j <= X_j <= high_j for all j).

        Parameters
        ----------
        low, high : array-like of shape (..., d)
            Opposite corners, in units of the features; infinite where there is no limit. A number holds for
            all features. Of one feature also arrays of shape (n,).
        tolerance : float, default=1e-4
            Relative standard error of a component's integral at which it ends.
        max_points : int, default=65536
            Points for one box and component at most.
        rng : numpy.random.Generator, int or None, default=0
            What scrambles the points of integrals; the same for all boxes of a call.
        return_error : bool, default=False
            Whether the standard error comes, too.

        Returns
        -------
        probability : float or ndarray of shape (...,)
            Exact to rounding, relative to its own size, for one feature, for independent ones ("diag",
            "spherical" and other diagonal families), and where at most two features of a box have limits.
        error : float or ndarray of shape (...,)
            Standard error, zero where the probability is exact; if `return_error`.

        Raises
        ------
        ValueError
            If shapes do not fit, low is above high, a limit is NaN, or there is noise without a box, or with
            one whose edges are not along the features.

        Notes
        -----
        Three and more correlated features are integrated by scrambled Sobol points under minimax tilting,
        whose relative error stays small in the tails; those without limits are left out first. Of factor
        analysers with fewer factors than that, the integral is one over the factors.

        References
        ----------
        Z. I. Botev, The normal law under linear restrictions: simulation and estimation via minimax tilting,
        J. R. Stat. Soc. B 79 (2017) 125-148.
        A. Genz and F. Bretz, Computation of Multivariate Normal and t Probabilities, Springer 2009.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.5, 1.0]]])
        >>> round(float(mixture.box_probability([0.0, 0.0], float("inf"))), 12)  # 1/4 + asin(rho) / (2 pi)
        0.333333333333
        """
        from gaussmix.model.mixture.density.boxes import find_log_boxes
        from gaussmix.model.mixture.density.points import read_limits
        from gaussmix.model.mixture.density.probabilities import make_precision

        first, last, shape = read_limits(self, low, high)
        precision = make_precision(tolerance, max_points, rng)
        log_probability, error = find_log_boxes(self, first, last, precision)
        probability = np.exp(log_probability)
        if not return_error:
            return probability.reshape(shape)[()]
        return probability.reshape(shape)[()], (error * probability).reshape(shape)[()]
