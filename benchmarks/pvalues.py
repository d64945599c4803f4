"""``python -m benchmarks.pvalues``: false positives and false discoveries of the detector's p-values.

Each simulation draws rows, fits and calibrates a detector, and asks for the p-values of 200 new normal rows,
and for a selection at a false-discovery rate of .1 among 190 normal rows and 10 anomalies.

- false positives: the mean share of normal rows whose p-value is at most the level, in per cent, with its
  standard error over simulations; in brackets how many of the simulations have it for the first new row, a
  binomial count;
- false discoveries: the mean share of normal rows among those selected, in per cent;
- found: the mean share of the anomalies that are selected, in per cent.

Under the shift new rows are those of the calibration, tilted: their density is exp(t'x) times as high, up to
a factor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussmix import CrossCalibration, GaussianMixtureDetector, Mixture, SplitCalibration
from gaussmix.apps.anomaly.selection import select_anomalies

Floats = NDArray[np.floating]
#: The sampled weights of new and of calibration rows.
Weigh = Callable[[Floats, Floats], tuple[Floats, Floats]]

LEVELS = (0.01, 0.05, 0.1)
FDR = 0.1
#: New rows in each simulation, and how many of those that are selected from are anomalies.
N_NEW, N_ANOMALIES = 200, 10
#: Calibration rows: levels are whole numbers of their thousandths, so that false positives are as promised.
N_CALIBRATION = 999
N_FIT = 500

NORMAL = Mixture(
    [0.4, 0.6],
    [[0.0, 0.0, 0.0, 0.0], [5.0, 1.0, 0.0, -1.0]],
    [np.eye(4) + 0.5, np.diag([1.0, 0.5, 2.0, 1.0])],
)
ANOMALIES = Mixture([1.0], [[2.0, 0.0, 0.0, 4.5]], [np.eye(4)])
TILT = np.array([0.0, 0.8, 0.4, 0.0])


@dataclass(frozen=True)
class Case:
    """How rows are calibrated, and where new rows come from."""

    name: str
    calibration: SplitCalibration | CrossCalibration | None
    n: int
    #: The share of anomalies among the rows that are fitted and calibrated.
    contamination: float = 0.0
    shifted: bool = False
    weigh: Weigh | None = None


def weigh_by_ratio(calibration: Floats, new: Floats) -> tuple[Floats, Floats]:
    return np.exp(calibration @ TILT), np.exp(new @ TILT)


def weigh_by_regression(calibration: Floats, new: Floats) -> tuple[Floats, Floats]:
    """The ratio of densities as the odds of a logistic regression that tells new rows from the others."""
    from sklearn.linear_model import LogisticRegression

    labels = np.repeat([0, 1], [len(calibration), len(new)])
    model = LogisticRegression().fit(np.vstack([calibration, new]), labels)
    found: tuple[Floats, Floats] = tuple(np.exp(model.decision_function(rows)) for rows in (calibration, new))
    return found


CASES = (
    Case("split", SplitCalibration(N_CALIBRATION), N_FIT + N_CALIBRATION),
    Case("rows held out by the user", None, N_FIT),
    Case("5 folds", CrossCalibration(5), N_CALIBRATION),
    Case("5 folds, one model (plus=False)", CrossCalibration(5, plus=False), N_CALIBRATION),
    Case("split, 5 % anomalies in the fit", SplitCalibration(N_CALIBRATION), N_FIT + N_CALIBRATION, 0.05),
    Case("shifted rows, no weights", None, N_FIT, shifted=True),
    Case("shifted rows, weights known", None, N_FIT, shifted=True, weigh=weigh_by_ratio),
    Case("shifted rows, weights by regression", None, N_FIT, shifted=True, weigh=weigh_by_regression),
)


def main() -> int:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pvalues", description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--cases", nargs="+", metavar="TEXT", help="only cases whose name has one of these")
    parser.add_argument("--default", action="store_true", help="the detector chooses its mixture by itself")
    options = parser.parse_args()
    chosen = [case for case in CASES if not options.cases or any(text in case.name for text in options.cases)]
    levels = " | ".join(f"false positives at {level:g}" for level in LEVELS)
    print(f"{options.simulations} simulations each; per cent\n")
    print(f"| calibration | {levels} | false discoveries at {FDR:g} | found | seconds |")
    print(f"|---|{'---:|' * (len(LEVELS) + 3)}")
    for case in chosen:
        began = time.perf_counter()
        found = np.array(list(simulate(case, options.simulations, default=options.default)))
        cells = [write_share(found[:, column]) for column in range(len(LEVELS))]
        hits = found[:, len(LEVELS) : 2 * len(LEVELS)].sum(axis=0)
        cells = [f"{cell} ({count:.0f})" for cell, count in zip(cells, hits, strict=True)]
        cells += [write_share(found[:, -2]), f"{100.0 * found[:, -1].mean():.0f}"]
        print(f"| {case.name} | {' | '.join(cells)} | {time.perf_counter() - began:.0f} |", flush=True)
    return 0


def simulate(case: Case, n_simulations: int, *, default: bool) -> Iterator[tuple[float, ...]]:
    """False positives at each level of all rows, and of the first; false discoveries; anomalies found."""
    rng = np.random.default_rng(1)
    plain = {} if default else {"n_components": 2, "covariance_type": "full"}
    for seed in range(n_simulations):
        detector = GaussianMixtureDetector(
            **plain, novelty=case.contamination == 0.0, calibration=case.calibration, random_state=seed
        )
        detector.fit(draw_rows(NORMAL, case.n, round(case.contamination * case.n), rng))
        source = tilt_mixture(NORMAL) if case.shifted else NORMAL
        held = None if case.calibration is not None else NORMAL.sample(N_CALIBRATION, rng)[0]
        p = measure_pvalues(detector, held, source.sample(N_NEW, rng)[0], case.weigh)
        batch = measure_pvalues(detector, held, draw_rows(source, N_NEW, N_ANOMALIES, rng), case.weigh)
        selected, anomalous = select_anomalies(batch, FDR), np.arange(N_NEW) < N_ANOMALIES
        false = np.sum(selected & ~anomalous) / max(np.sum(selected), 1)
        shares = [float(np.mean(p <= level)) for level in LEVELS]
        first = [float(p[0] <= level) for level in LEVELS]
        yield (*shares, *first, float(false), float(np.mean(selected[anomalous])))


def measure_pvalues(
    detector: GaussianMixtureDetector, held: Floats | None, new: Floats, weigh: Weigh | None
) -> Floats:
    if held is None:
        return detector.pvalues(new)
    if weigh is None:
        return detector.calibrate(held).pvalues(new)
    of_held, of_new = weigh(held, new)
    return detector.calibrate(held, sample_weight=of_held).pvalues(new, sample_weight=of_new)


def draw_rows(source: Mixture, n: int, n_anomalies: int, rng: np.random.Generator) -> Floats:
    """Rows, the first of which are anomalies."""
    normal = source.sample(n - n_anomalies, rng)[0]
    return np.vstack([ANOMALIES.sample(n_anomalies, rng)[0], normal]) if n_anomalies else normal


def tilt_mixture(mixture: Mixture) -> Mixture:
    """The mixture whose density is exp(t'x) times as high, up to a factor."""
    moved = mixture.covariances @ TILT
    log_weights = np.log(mixture.weights) + mixture.means @ TILT + 0.5 * moved @ TILT
    weights = np.exp(log_weights - log_weights.max())
    return Mixture(weights / weights.sum(), mixture.means + moved, mixture.covariances)


def write_share(shares: Floats) -> str:
    error = shares.std(ddof=1) / np.sqrt(len(shares))
    return f"{100.0 * shares.mean():.2f} ± {100.0 * error:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
