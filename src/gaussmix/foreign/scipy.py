"""Mixtures as frozen distributions of SciPy, whose classes take a while to import.

All that these compute is computed by the mixture, which has SciPy's names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rv_continuous

#: Where the density of a component ends, in standard deviations: beyond, exp(-x^2 / 2) underflows.
END = 38.6
#: Borders of the intervals over which a component is integrated, in standard deviations from its mean.
BORDERS = np.array([-8.0, 0.0, 8.0])


def make_frozen(mixture: Any) -> Any:
    """A frozen continuous random variable of one feature, or its like in several."""
    if mixture.n_features == 1:
        return MixtureVariable(mixture)()
    return FrozenMixture(mixture)


class MixtureVariable(rv_continuous):  # type: ignore[misc]
    """A continuous random variable of SciPy whose distribution is a mixture of one feature.

    Parameters
    ----------
    mixture : Mixture
    **options
        Those of ``scipy.stats.rv_continuous``.
    """

    def __init__(self, mixture: Any, **options: Any) -> None:
        super().__init__(**{"name": "gaussian_mixture"} | options)
        self._mixture = mixture

    def _updated_ctor_param(self) -> dict[str, Any]:
        return {**super()._updated_ctor_param(), "mixture": self._mixture}

    def _logpdf(self, x: Any) -> Any:
        finite = np.isfinite(x)  # SciPy asks at the ends of the support, too
        return np.where(finite, self._mixture.logpdf(np.where(finite, x, 0.0)), -np.inf)

    def _pdf(self, x: Any) -> Any:
        return np.exp(self._logpdf(x))

    def _cdf(self, x: Any) -> Any:
        return self._mixture.cdf(x)

    def _sf(self, x: Any) -> Any:
        return self._mixture.sf(x)

    def _logcdf(self, x: Any) -> Any:
        return self._mixture.logcdf(x)

    def _logsf(self, x: Any) -> Any:
        return self._mixture.logsf(x)

    def _ppf(self, q: Any) -> Any:
        return self._mixture.ppf(q)

    def _isf(self, q: Any) -> Any:
        return self._mixture.isf(q)

    def _munp(self, n: int) -> Any:
        return self._mixture.moment(int(n))[0]

    def _stats(self) -> Any:
        second, third, fourth = (self._mixture.moment(order, central=True)[0] for order in (2, 3, 4))
        return self._mixture.mean[0], second, third / second**1.5, fourth / second**2 - 3.0

    def _rvs(self, size: Any = None, random_state: Any = None) -> Any:
        return self._mixture.rvs(() if size is None else size, random_state)

    def _entropy(self) -> Any:
        return self._mixture.entropy().value

    def expect(
        self,
        func: Any = None,
        args: tuple[()] = (),
        loc: float = 0.0,
        scale: float = 1.0,
        lb: float | None = None,
        ub: float | None = None,
        conditional: bool = False,
        **options: Any,
    ) -> Any:
        """Expected value of a function, as SciPy has it, by quadrature that knows where the components are.

        Over an infinite interval SciPy's rule would miss components that are narrow.
        """
        means, scales = self._mixture.means, np.sqrt(self._mixture.variances)
        first, last = loc + scale * (means - END * scales).min(), loc + scale * (means + END * scales).max()
        low, high = (
            float(np.clip(end, first, last))
            for end in (-np.inf if lb is None else lb, np.inf if ub is None else ub)
        )
        inner = loc + scale * np.unique(means + scales * BORDERS)
        inner = inner[(inner > low) & (inner < high)]
        settings = {"points": inner, "limit": 50 + 10 * inner.size} if inner.size else {}
        return super().expect(func, args, loc, scale, low, high, conditional, **(settings | options))


class FrozenMixture:
    """A mixture with the methods of SciPy's frozen ``multivariate_normal``.

    Parameters
    ----------
    mixture : Mixture

    Attributes
    ----------
    dim : int
        Number of features d.
    mean : ndarray of shape (d,)
    cov : ndarray of shape (d, d)
        Covariance of the whole.
    """

    def __init__(self, mixture: Any) -> None:
        self._mixture = mixture
        self.dim, self.mean, self.cov = mixture.n_features, mixture.mean, mixture.covariance

    def logpdf(self, x: npt.ArrayLike) -> Any:
        """Log-density of points (..., d)."""
        return self._mixture.logpdf(x)

    def pdf(self, x: npt.ArrayLike) -> Any:
        """Density of points (..., d)."""
        return np.exp(self._mixture.logpdf(x))

    def cdf(self, x: npt.ArrayLike, *, lower_limit: npt.ArrayLike | None = None, rng: Any = 0) -> Any:
        """Probability of being nowhere above points (..., d), and nowhere below their lower limits."""
        low = -np.inf if lower_limit is None else lower_limit
        return self._mixture.box_probability(low, x, rng=rng)

    def logcdf(self, x: npt.ArrayLike, *, lower_limit: npt.ArrayLike | None = None, rng: Any = 0) -> Any:
        """The logarithm of :meth:`cdf`."""
        if lower_limit is None:
            return self._mixture.logcdf(x)
        with np.errstate(divide="ignore"):
            return np.log(self.cdf(x, lower_limit=lower_limit, rng=rng))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: Any = None) -> Any:
        """Independent draws of shape (*size, d); one draw has the shape (d,), as SciPy has it."""
        return self._mixture.rvs(None if size == 1 else size, random_state)

    def entropy(self) -> float:
        """Differential entropy in nats, by Monte Carlo: ``mixture.entropy()`` has its standard error, too."""
        return float(self._mixture.entropy().value)

    def marginal(self, dimensions: Any) -> Any:
        """The distribution of some features: of one as of :meth:`gaussmix.Mixture.to_scipy`."""
        return make_frozen(self._mixture.marginal(dimensions))
