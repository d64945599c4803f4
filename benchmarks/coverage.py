"""``python -m benchmarks.coverage``: how often 95 % intervals of each parameter hold the truth.

Samples are drawn from known mixtures, fitted, and given intervals by resamples and by the information. Of 500
samples a share of 95 % has a standard error of one point. Each cell is the least and the largest share among
the parameters of a kind.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import gaussmix
from gaussmix.infer.estimates import Parameters, make_columns
from gaussmix.infer.intervals import Bounds

Floats = NDArray[np.floating]

METHODS = ("nonparametric", "weighted", "parametric")
KINDS = ("weight", "mean", "variance", "covariance")


@dataclass(frozen=True)
class Problem:
    """A mixture to draw from, and how many rows."""

    name: str
    truth: gaussmix.Mixture
    n: int


PROBLEMS = (
    Problem(
        "two components, VVV",
        gaussmix.Mixture(
            [0.35, 0.65], [[0.0, 0.0], [4.0, 1.0]], [[[1.0, 0.3], [0.3, 1.0]], [[1.5, -0.5], [-0.5, 0.8]]]
        ),
        300,
    ),
    Problem(
        "three components, EEE",
        gaussmix.Mixture(
            [0.2, 0.3, 0.5],
            [[0.0, 0.0, 0.0], [3.0, 0.0, 1.0], [0.0, 4.0, 0.0]],
            [[1.0, 0.4, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 0.5]],
            "tied",
        ),
        200,
    ),
)


def main() -> int:
    """Print a table for each problem."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=199)
    parser.add_argument("--problem", type=int, choices=range(len(PROBLEMS)), help="one of them alone")
    parser.add_argument("--rows", type=int, help="of each sample; by default those of the problem")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--level", type=float, default=0.95)
    options = parser.parse_args()
    chosen = PROBLEMS if options.problem is None else [PROBLEMS[options.problem]]
    for each in chosen:
        problem = replace(each, n=options.rows or each.n)
        began = time.perf_counter()
        held, kinds = measure(problem, options)
        seconds = time.perf_counter() - began
        print(f"{problem.name}, {problem.n} rows, {options.samples} samples, {seconds:.0f} s\n")
        print(f"| intervals | {' | '.join(KINDS)} | all |")
        print(f"|---|{'---:|' * (len(KINDS) + 1)}")
        for name, shares in held.items():
            cells = [write_range(shares[[kind == each for each in kinds]]) for kind in KINDS]
            print(f"| {name} | {' | '.join(cells)} | {100.0 * shares.mean():.1f} |")
        print()
    return 0


def measure(problem: Problem, options: argparse.Namespace) -> tuple[dict[str, Floats], list[str]]:
    """The share of samples whose intervals hold each parameter, by the way they were made; kinds of these."""
    rng, counts = np.random.default_rng(1), defaultdict[str, list[NDArray[np.bool_]]](list)
    values, kinds = flatten(problem.truth, Parameters.of(problem.truth))
    k, name = problem.truth.n_components, problem.truth.covariance_type
    for sample in range(options.samples):
        X = problem.truth.sample(problem.n, rng)[0]
        fit = gaussmix.fit_mixture(X, k, covariance_type=name, tol=1e-8, random_state=sample)
        mixture = fit.mixture.align_to(problem.truth)
        for way, bounds in list_intervals(X, mixture, options, sample):
            lower, upper = (flatten(mixture, each)[0] for each in bounds)
            counts[way].append((lower <= values) & (values <= upper))
    return {way: np.mean(held, axis=0) for way, held in counts.items()}, kinds


def list_intervals(
    X: Floats, mixture: gaussmix.Mixture, options: argparse.Namespace, seed: int
) -> Iterator[tuple[str, Bounds]]:
    """Intervals of a fit, made in all ways."""
    n, level = options.resamples, options.level
    for method in options.methods:
        found = gaussmix.bootstrap(X, mixture, method=method, n_resamples=n, random_state=seed)
        for kind in ("normal", "percentile", "basic"):
            yield f"{method}, {kind}", found.intervals(level, kind)
    for information in ("observed", "sandwich"):
        try:
            errors = gaussmix.estimate_errors(X, mixture, information=information)
        except ValueError:  # no maximum: nothing is held
            nan = Parameters.of(mixture).map(lambda values: np.full(values.shape, np.nan))
            yield f"information, {information}", Bounds(nan, nan)
        else:
            yield f"information, {information}", errors.intervals(level)


def flatten(mixture: gaussmix.Mixture, parameters: Parameters) -> tuple[Floats, list[str]]:
    """The numbers of all parameters, each once, and their kinds."""
    table = make_columns(mixture, {"value": parameters})
    return np.array(table["value"]), table["parameter"]


def write_range(shares: Floats) -> str:
    return f"{100.0 * shares.min():.1f} to {100.0 * shares.max():.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
