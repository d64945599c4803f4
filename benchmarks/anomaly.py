"""``python -m benchmarks.anomaly FOLDER``: areas under the ROC curve on labelled sets, by default settings.

FOLDER holds .npz files with arrays X and y (1 = anomaly), as those of the ADBench collection. There are two
protocols, seeds 0 to 4; areas are mean AUROC in per cent:

- *unsupervised*: fit on all rows, score the same rows;
- *clean*: fit on a random half of the normal rows, score the other half and all anomalies.

Every detector has its own defaults, with columns standardised where scikit-learn's documentation does so
(neighbours, LocalOutlierFactor). GaussianMixture has the one component of its default. Times are of the
processor, fit and scores of a set together; programs alternate within each set and seed.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

from gaussmix import GaussianMixtureDetector

Floats = NDArray[np.floating]
#: From rows of the fit, rows to be scored, a seed, whether the former are clean, to scores: normal is high.
Score = Callable[[Floats, Floats, int, bool], Floats]

N_SEEDS = 5
N_NEIGHBOURS = 5
#: Rows and features of the large set.
LARGE = (1_000_000, 10)
PROTOCOLS = ("unsupervised", "clean")


def score_gaussmix(train: Floats, rows: Floats, seed: int, clean: bool) -> Floats:
    model = GaussianMixtureDetector(novelty=clean, random_state=seed).fit(train)
    return np.asarray(model.score_samples(rows))


def score_forest(train: Floats, rows: Floats, seed: int, clean: bool) -> Floats:
    return np.asarray(IsolationForest(random_state=seed).fit(train).score_samples(rows))


def score_envelope(train: Floats, rows: Floats, seed: int, clean: bool) -> Floats:
    return np.asarray(EllipticEnvelope(random_state=seed).fit(train).score_samples(rows))


def score_mixture(train: Floats, rows: Floats, seed: int, clean: bool) -> Floats:
    return np.asarray(GaussianMixture(random_state=seed).fit(train).score_samples(rows))


def score_neighbours(train: Floats, rows: Floats, seed: int, clean: bool) -> Floats:
    scaler = StandardScaler().fit(train)
    index = NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(scaler.transform(train))
    # without a row itself among its neighbours where the rows are those of the fit
    return -index.kneighbors(scaler.transform(rows) if clean else None)[0][:, -1]


def score_local(train: Floats, rows: Floats, seed: int, clean: bool) -> Floats:
    scaler = StandardScaler().fit(train)
    model = LocalOutlierFactor(novelty=clean).fit(scaler.transform(train))
    return np.asarray(
        model.score_samples(scaler.transform(rows)) if clean else model.negative_outlier_factor_
    )


DETECTORS: dict[str, Score] = {
    "gaussmix": score_gaussmix,
    "IsolationForest": score_forest,
    "LocalOutlierFactor": score_local,
    "EllipticEnvelope": score_envelope,
    "GaussianMixture": score_mixture,
    "neighbours": score_neighbours,
}


@dataclass(frozen=True)
class Cell:
    """A detector on a set: areas of each seed, and the median seconds of a fit with its scores."""

    areas: tuple[float, ...]
    seconds: float

    @property
    def mean(self) -> float:
        return float(np.mean(self.areas))


def draw_rows(X: Floats, y: Floats, seed: int, clean: bool) -> tuple[Floats, Floats, Floats]:
    """The rows of a fit, the rows to be scored, and which of these are anomalies."""
    if not clean:
        return X, X, y
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
    half = len(normal) // 2
    scored = np.concatenate([normal[half:], np.flatnonzero(y == 1)])
    return X[normal[:half]], X[scored], y[scored]


def measure_set(X: Floats, y: Floats, clean: bool, n_seeds: int) -> dict[str, Cell]:
    areas: dict[str, list[float]] = {name: [] for name in DETECTORS}
    seconds: dict[str, list[float]] = {name: [] for name in DETECTORS}
    for seed in range(n_seeds):
        train, rows, truth = draw_rows(X, y, seed, clean)
        for name, score in DETECTORS.items():
            began = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # peers' warnings of singular covariances
                scores = score(train, rows, seed, clean)
            seconds[name].append(time.process_time() - began)
            areas[name].append(100.0 * float(roc_auc_score(truth, -scores)))
    return {name: Cell(tuple(areas[name]), float(np.median(seconds[name]))) for name in DETECTORS}


def print_protocol(sets: dict[str, dict[str, Cell]], protocol: str) -> None:
    print(f"\n### {protocol}\n\n| set | {' | '.join(DETECTORS)} |\n|---|{'---:|' * len(DETECTORS)}")
    for name, cells in sets.items():
        print(f"| {name} | {' | '.join(f'{cells[d].mean:.1f}' for d in DETECTORS)} |")
    means = {d: np.mean([cells[d].mean for cells in sets.values()]) for d in DETECTORS}
    seeds = {d: np.mean([cells[d].areas for cells in sets.values()], axis=0) for d in DETECTORS}
    times = {d: sum(cells[d].seconds for cells in sets.values()) for d in DETECTORS}
    print(f"| **mean** | {' | '.join(f'**{means[d]:.2f}**' for d in DETECTORS)} |")
    print(f"| sd of seeds | {' | '.join(f'{np.std(seeds[d]):.2f}' for d in DETECTORS)} |")
    print(f"| seconds, all sets | {' | '.join(f'{times[d]:.2f}' for d in DETECTORS)} |", flush=True)


def print_large() -> None:
    """The time of a fit and the scores of many rows, by the clock."""
    X = np.random.default_rng(0).normal(size=LARGE)
    X[:1000] += 6.0
    seconds = {}
    for name in ("gaussmix", "IsolationForest"):
        began = time.perf_counter()
        DETECTORS[name](X, X, 0, False)
        seconds[name] = time.perf_counter() - began
    print(f"\n{LARGE[0]:,} rows of {LARGE[1]} features, fit and scores, by the clock:", end=" ")
    print(", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append")
    parser.add_argument("--large", action="store_true", help="also the time of a million rows")
    parser.add_argument("--json", type=Path, help="a file for all areas and seconds")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.npz"))
    if not files:
        parser.error(f"no .npz files in {arguments.folder}")
    for score in DETECTORS.values():  # loads libraries and compiles
        score(*[np.random.default_rng(0).normal(size=(200, 3))] * 2, 0, False)
    kept: dict[str, Any] = {}
    for protocol in arguments.protocol or PROTOCOLS:
        sets = {}
        for file in files:
            with np.load(file) as arrays:
                X, y = arrays["X"].astype(np.float64), arrays["y"].ravel()
            sets[file.stem] = measure_set(X, y, protocol == "clean", arguments.seeds)
        print_protocol(sets, protocol)
        kept[protocol] = {n: {d: vars(c) for d, c in cells.items()} for n, cells in sets.items()}
    if arguments.json:
        arguments.json.write_text(json.dumps(kept, indent=1))
    if arguments.large:
        print_large()


if __name__ == "__main__":
    main()
