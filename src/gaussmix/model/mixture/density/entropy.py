"""The differential entropy of a mixture, and bounds of it in closed form.

With R the component of a row, H(X) = sum_k w_k h_k + H(R) - E H(R | X), h_k the entropy of a component. Of
these the last term alone has no closed form. It lies between 0 and log k, and is next to 0 for components
apart: draws estimate it with a smaller error than the mean of -log p.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.estimate import Estimate
from gaussmix.model.mixture.density.background import refuse_noise
from gaussmix.model.mixture.density.intervals import find_nodes
from gaussmix.model.mixture.density.line import Line
from gaussmix.model.mixture.density.sobol import draw_copies
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.order import take_components
from gaussmix.model.mixture.pairs.overlaps import measure_affinities, measure_overlaps

#: Borders of panels of the quadrature in one feature, in standard deviations from each mean.
PLACES = np.linspace(-9.0, 9.0, 37)
#: Least length of a panel, in the smallest standard deviation.
LEAST_PANEL = 0.25
#: Nodes in each panel.
N_NODES = 16
#: Independently scrambled sets of draws, whose spread is the standard error.
N_COPIES = 16


class Entropy(Estimate):
    """A differential entropy in nats, -E log p(X): a float with its standard error and bounds.

    Parameters
    ----------
    value : float
    standard_error : float
        Zero where the value is exact: of one Gaussian, and of one feature.
    lower, upper : float
        Bounds in closed form.
    """

    __slots__ = ("_bounds",)
    _bounds: tuple[float, float]

    def __new__(cls, value: float, standard_error: float, lower: float, upper: float) -> Entropy:
        """An estimate that also has bounds."""
        self = super().__new__(cls, value, standard_error)
        object.__setattr__(self, "_bounds", (float(lower), float(upper)))
        return self

    @property
    def lower(self) -> float:
        """What the entropy is no less than."""
        return self._bounds[0]

    @property
    def upper(self) -> float:
        """What the entropy is no more than."""
        return self._bounds[1]

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, ...]]:
        return type(self), (float(self), self.standard_error, *self._bounds)

    def __repr__(self) -> str:
        return (
            f"Entropy({float(self):.6g}, standard_error={self.standard_error:.2g}, "
            f"lower={self.lower:.6g}, upper={self.upper:.6g})"
        )

    __str__ = __repr__


def find_entropy(mixture: Evaluated, n_draws: int, rng: np.random.Generator | int | None) -> Entropy:
    """The entropy: exact for k = 1, by quadrature for d = 1, else by `n_draws` scrambled Sobol draws."""
    from scipy.special import entr

    refuse_noise(mixture, "the entropy of")
    mixture = take_components(mixture, np.flatnonzero(mixture.weights > 0.0))
    d = mixture.n_features
    weights = mixture.weights / mixture.weights.sum()
    peaks = mixture.structure.algebra.log_peaks(mixture.roots, d) + np.zeros(mixture.n_components)
    own = 0.5 * d - peaks
    apart = float(weights @ own + entr(weights).sum())
    if mixture.n_components == 1:
        return Entropy(apart, 0.0, apart, apart)
    lower = _find_lower(mixture, weights, own)
    upper = min(apart, _find_gaussian(mixture))
    if d == 1:
        doubt, error = _integrate_doubt(Line.of(mixture)), 0.0
    else:
        copies = draw_copies(mixture, n_draws, N_COPIES, np.random.default_rng(rng))
        means = [float(entr(mixture.responsibilities(X)).sum(axis=1).mean()) for X in copies]
        doubt, error = float(np.mean(means)), float(np.std(means, ddof=1) / np.sqrt(len(means)))
    return Entropy(apart - doubt, error, min(lower, upper), upper)


def _find_lower(mixture: Evaluated, weights: Float64Array, own: Float64Array) -> float:
    """The greater of two bounds, by Bhattacharyya distances and by the integrals of products of Gaussians."""
    affinities, products = measure_affinities(mixture, mixture), measure_overlaps(mixture, mixture)
    by_distance = own - np.logaddexp.reduce(np.log(weights) + affinities, axis=1)
    by_product = -np.logaddexp.reduce(np.log(weights) + products, axis=1)
    return float(max(weights @ by_distance, weights @ by_product))


def _find_gaussian(mixture: Evaluated) -> float:
    """The entropy of the Gaussian of the same covariance, the greatest that there is: log|2 pi e C| / 2."""
    spread = np.sqrt(mixture.total_variances)
    correlation = mixture.covariance / np.multiply.outer(spread, spread)
    log_det = np.linalg.slogdet(correlation)[1] + 2.0 * np.log(spread).sum()
    return float(0.5 * (log_det + spread.size * (1.0 + LOG_2PI)))


def _integrate_doubt(line: Line) -> float:
    """E H(R | X) of one feature: Gauss and Legendre's rule in panels about each mean."""
    from scipy.special import entr

    least = LEAST_PANEL * float(line.deviations.min())
    places = (line.means[:, None] - line.means[0] + line.deviations[:, None] * PLACES).ravel()
    borders = np.unique(np.round(places / least)) * least + line.means[0]
    nodes, weights = find_nodes(N_NODES)
    total = 0.0
    size = max(1, (1 << 20) // (N_NODES * line.weights.size))
    for first in range(0, borders.size - 1, size):
        part = borders[first : first + size + 1]
        half = 0.5 * np.diff(part)
        x = (part[:-1] + half)[:, None] + half[:, None] * nodes
        joint = line.find_log_joint(x.ravel())
        log_density = np.logaddexp.reduce(joint, axis=1)
        doubts = entr(np.exp(joint - log_density[:, None])).sum(axis=1) * np.exp(log_density)
        total += float(half @ (doubts.reshape(x.shape) @ weights))
    return total


def find_log_draws(
    mixture: Evaluated, n_draws: int, n_copies: int, rng: np.random.Generator | int | None
) -> list[Float64Array]:
    """Log-densities of independently scrambled sets of draws."""
    copies = draw_copies(mixture, n_draws, n_copies, np.random.default_rng(rng))
    return [np.asarray(mixture.log_prob(X), dtype=np.float64) for X in copies]
