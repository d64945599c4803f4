"""Means, under two mixtures, of a function of their log-ratio: on the line by quadrature, else by draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.comparison.quadrature import evaluate_on_line, integrate
from gaussmix.model.estimate import Estimate, combine_strata, estimate_mean
from gaussmix.model.mixture import Mixture

Method = Literal["auto", "quadrature", "monte_carlo"]
Rng = np.random.Generator | int | None

#: Rows that are drawn at a time.
CHUNK = 32_768
#: Draws unless the caller says another number.
N_SAMPLES = 100_000

#: A function of log p(x) - log q(x).
OfRatio = Callable[[Float64Array], Float64Array]


def expect_under_both(
    pair: tuple[Mixture, Mixture], function: OfRatio, method: Method, n_samples: int, rng: Rng
) -> Estimate:
    """The mean of a function of the log-ratio under (p + q) / 2; of as many draws from each."""
    if choose_method(pair, method) == "quadrature":
        return _integrate(pair, function, both=True)
    generator, half = np.random.default_rng(rng), -(-n_samples // 2)
    parts = [estimate_mean(_draw(each, pair, function, half, generator)) for each in pair]
    return combine_strata((0.5, 0.5), parts)


def expect_under_first(
    pair: tuple[Mixture, Mixture], function: OfRatio, method: Method, n_samples: int, rng: Rng
) -> Estimate:
    """The mean of a function of the log-ratio under p."""
    if choose_method(pair, method) == "quadrature":
        return _integrate(pair, function, both=False)
    return estimate_mean(_draw(pair[0], pair, function, n_samples, np.random.default_rng(rng)))


def choose_method(pair: tuple[Mixture, Mixture], method: Any) -> Literal["quadrature", "monte_carlo"]:
    """How to integrate; ValueError where that is not possible."""
    line = pair[0].n_features == 1
    if method == "quadrature" and not line:
        raise ValueError(
            f"method 'quadrature' is for one feature, and these mixtures have {pair[0].n_features}; take "
            "'monte_carlo'"
        )
    if method == "auto":
        return "quadrature" if line else "monte_carlo"
    if method not in ("quadrature", "monte_carlo"):
        raise ValueError(f"method must be 'auto', 'quadrature' or 'monte_carlo'; got {method!r}")
    return "quadrature" if method == "quadrature" else "monte_carlo"


def check_samples(n_samples: Any) -> None:
    """Raise ValueError unless it is a whole number of at least two."""
    _check.read_count(n_samples, "n_samples", 2)


def _draw(
    source: Mixture,
    pair: tuple[Mixture, Mixture],
    function: OfRatio,
    n_samples: int,
    generator: np.random.Generator,
) -> Iterator[Float64Array]:
    check_samples(n_samples)
    for begin in range(0, n_samples, CHUNK):
        X, _ = source.sample(min(CHUNK, n_samples - begin), generator)
        yield function(np.asarray(pair[0].log_prob(X) - pair[1].log_prob(X)))


def _integrate(pair: tuple[Mixture, Mixture], function: OfRatio, *, both: bool) -> Estimate:
    sources = pair if both else pair[:1]
    means = np.concatenate([each.means[:, 0] for each in sources])
    deviations = np.sqrt(np.concatenate([each.variances[:, 0] for each in sources]))

    def integrand(origins: Float64Array, offsets: Float64Array) -> tuple[Float64Array, Float64Array]:
        log_p, log_q = (evaluate_on_line(each, origins, offsets) for each in pair)
        log_weight = np.logaddexp(log_p, log_q) - np.log(2.0) if both else log_p
        return np.asarray(log_weight), function(log_p - log_q)

    scale, rest = integrate(integrand, means, deviations)
    return Estimate(float(np.exp(scale) * rest))
