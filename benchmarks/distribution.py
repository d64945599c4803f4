"""Quantiles, boxes and draws between limits beside SciPy: ``python -m benchmarks.distribution``.

Programs alternate, and medians of their times are given. The error of a box is relative to its
probability, by a longer integral of ours.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from gaussmix import Mixture
from gaussmix._text import make_text_table

#: Components of the mixture of one feature, and quantiles that are asked for.
COMPONENTS, QUANTILES = 20, 100_000
#: Quantiles of which SciPy's root finder does each in a call of its own.
FEW = 300
#: Boxes of each kind.
BOXES = 4
#: Rows between limits.
ROWS = 10_000
#: Corners of boxes, in standard deviations: in the midst, and two in a tail.
CORNERS = (-1.0, 2.0, 5.0)


def make_line(rng: np.random.Generator) -> Mixture:
    k = COMPONENTS
    return Mixture(
        rng.dirichlet(np.ones(k)), 5.0 * rng.normal(size=(k, 1)), rng.gamma(1.0, size=k), "spherical"
    )


def make_gaussian(d: int, rng: np.random.Generator) -> Mixture:
    """One of correlations like those of d + 2 random factors, with unit variances."""
    loadings = rng.normal(size=(d, d + 2))
    covariance = loadings @ loadings.T
    spread = np.sqrt(np.diagonal(covariance))
    return Mixture([1.0], np.zeros((1, d)), [covariance / np.multiply.outer(spread, spread)])


def measure(programs: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Median seconds of each, after a first run of all."""
    seconds: list[list[float]] = [[] for _ in programs]
    for turn in range(times + 1):
        for program, found in zip(programs, seconds, strict=True):
            start = time.perf_counter()
            program()
            if turn:
                found.append(time.perf_counter() - start)
    return [statistics.median(each) for each in seconds]


def compare_quantiles(times: int) -> list[list[str]]:
    rng = np.random.default_rng(0)
    mixture = make_line(rng)
    q = np.concatenate([rng.random(QUANTILES // 2), 10.0 ** rng.uniform(-300.0, 0.0, QUANTILES // 2)])
    low, high = mixture.means.min() - 50.0 * mixture.std[0], mixture.means.max() + 50.0 * mixture.std[0]
    weights, means, deviations = mixture.weights, mixture.means[:, 0], np.sqrt(mixture.variances[:, 0])

    def solve() -> list[float]:
        return [
            brentq(lambda x, share=share: weights @ stats.norm.cdf(x, means, deviations) - share, low, high)
            for share in q[:FEW]
        ]

    ours, theirs = measure([lambda: mixture.ppf(q), solve], times)
    error = float(np.abs(mixture.cdf(mixture.ppf(q)) / q - 1.0).max())
    return [
        ["program", "microseconds a quantile", "largest |cdf(ppf(q)) / q - 1|"],
        ["gaussmix", f"{ours / QUANTILES * 1e6:.1f}", f"{error:.1e}"],
        ["scipy's brentq", f"{theirs / FEW * 1e6:.0f}", "-"],
    ]


def compare_boxes(times: int) -> list[list[str]]:
    rows = [["features", "corner", "probability", "gaussmix ms", "scipy ms", "gaussmix error", "scipy error"]]
    rng = np.random.default_rng(1)
    for d in (2, 3, 5, 10):
        mixture = make_gaussian(d, rng)
        for corner in CORNERS:
            low = corner + 0.2 * rng.random((BOXES, d))
            high = low + 3.0
            covariance, n = mixture.covariances[0], BOXES

            def ask_ours(n: int = n, low: np.ndarray = low, mixture: Mixture = mixture) -> np.ndarray:
                return np.asarray(mixture.box_probability(low[:n], low[:n] + 3.0))

            def ask_scipy(n: int = n, low: np.ndarray = low, C: np.ndarray = covariance) -> np.ndarray:
                return np.array(
                    [stats.multivariate_normal.cdf(a + 3.0, cov=C, lower_limit=a) for a in low[:n]]
                )

            exact = mixture.box_probability(low[:n], high[:n], tolerance=1e-6, max_points=1 << 16)
            errors = [float(np.median(np.abs(ask() / exact - 1.0))) for ask in (ask_ours, ask_scipy)]
            seconds = measure([ask_ours, ask_scipy], times)
            rows.append(
                [str(d), f"{corner:g}", f"{np.median(exact):.0e}"]
                + [f"{each / n * 1e3:.2g}" for each in seconds]
                + [f"{each:.0e}" for each in errors]
            )
    return rows


def measure_draws(times: int) -> list[list[str]]:
    rows = [["features", "corner", "log-probability", f"seconds for {ROWS} rows"]]
    rng = np.random.default_rng(2)
    for d in (1, 2, 5, 10, 30):
        mixture = make_gaussian(d, rng)
        for corner in CORNERS:
            (seconds,) = measure([lambda c=corner, m=mixture: m.sample_truncated(ROWS, c, np.inf, 0)], times)
            log_probability = float(np.ravel(mixture.logsf(np.full((1, d), corner)))[0])
            rows.append([str(d), f"{corner:g}", f"{log_probability:.1f}", f"{seconds:.3f}"])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="runs of which the median is given")
    options = parser.parse_args()
    for measure_all in (compare_quantiles, compare_boxes, measure_draws):
        print(make_text_table(measure_all(options.times)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
