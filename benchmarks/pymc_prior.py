"""``python -m benchmarks.pymc_prior``: a mixture as the prior of a PyMC model, beside ``pymc.Mixture``.

The log-density of the model and its gradient, which a sampler asks for at every step: ours
(``Mixture.to_pymc``) and PyMC's own mixture of multivariate normals. Both are compiled, evaluated at the same
draws, and must agree. Calls alternate, and medians are compared. It needs the extra ``pymc``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pymc

from gaussmix import Mixture

#: Numbers of components and of features, and the family.
CASES = ((3, 2, "full"), (20, 5, "full"), (20, 5, "diag"), (20, 50, "full"), (20, 200, "factor"))
#: Factors of the factor analysers.
N_FACTORS = 4


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pymc_prior", description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    print("| k, d | family | to_pymc, us | pymc.Mixture, us | ratio |")
    print("|---|---|---:|---:|---:|")
    for k, d, family in CASES:
        mixture = make_mixture(k, d, family)
        points = mixture.sample(50, rng=1)[0]
        ours, theirs = compile_ours(mixture), compile_theirs(mixture)
        for point in points:
            for mine, other in zip(ours(point), theirs(point), strict=True):
                np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-8)
        own, other = measure(ours, theirs, points, options.repeats)
        print(f"| {k}, {d} | {family} | {own:.0f} | {other:.0f} | {other / own:.1f} |", flush=True)


def make_mixture(k: int, d: int, family: str) -> Mixture:
    """A random mixture whose components overlap."""
    rng = np.random.default_rng(0)
    means, weights = rng.normal(size=(k, d)), rng.dirichlet(np.full(k, 4.0))
    if family == "diag":
        return Mixture(weights, means, rng.uniform(0.5, 2.0, (k, d)), family)
    if family == "factor":
        loadings, rest = rng.normal(size=(k, d, N_FACTORS)), rng.uniform(0.5, 2.0, (k, d, 1))
        return Mixture(weights, means, np.concatenate([loadings, rest], axis=2), family)
    halves = rng.normal(size=(k, d, d)) / np.sqrt(d)
    return Mixture(weights, means, halves @ halves.transpose(0, 2, 1) + 0.5 * np.eye(d))


def compile_ours(mixture: Mixture) -> Callable[[Any], Any]:
    """The log-density and its gradient by `to_pymc`."""
    with pymc.Model() as model:
        mixture.to_pymc("theta")
    return _compile(model)


def compile_theirs(mixture: Mixture) -> Callable[[Any], Any]:
    """The same by PyMC's mixture of multivariate normals, given the Cholesky factors."""
    roots = np.linalg.cholesky(mixture.dense_covariances)
    with pymc.Model() as model:
        normals = pymc.MvNormal.dist(mu=mixture.means, chol=roots)
        pymc.Mixture("theta", w=mixture.weights, comp_dists=normals, shape=(mixture.n_features,))
    return _compile(model)


def _compile(model: Any) -> Callable[[Any], Any]:
    function = model.logp_dlogp_function(ravel_inputs=True)
    function.set_extra_values({})
    return function  # type: ignore[no-any-return]


def measure(
    ours: Callable[[Any], Any], theirs: Callable[[Any], Any], points: Any, repeats: int
) -> tuple[float, float]:
    """Microseconds of a call of each: medians over repeats, which alternate."""
    times: tuple[list[float], list[float]] = [], []
    for _ in range(repeats):
        for function, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            for point in points:
                function(point)
            kept.append((time.perf_counter() - start) / len(points) * 1e6)
    own, other = (statistics.median(kept) for kept in times)
    return own, other


if __name__ == "__main__":
    main()
