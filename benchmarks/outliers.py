"""``python -m benchmarks.outliers``: fits to rows with outliers, without and with noise and trimming.

In each case one row in ten of a clean mixture is replaced by one that is uniform over a box three times as
wide as the clean rows. Every fit has the default start; no seed is left out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from gaussmix import FitResult, Mixture, fit_mixture

Floats = NDArray[np.floating]

#: Share of the rows that are outliers.
SHARE = 0.1
#: Width of their box, in widths of the clean rows.
WIDTH = 3.0
FITS: dict[str, dict[str, Any]] = {"plain": {}, "noise=True": {"noise": True}, "trim=0.1": {"trim": SHARE}}
HEAD = ("case", "fit", "ARI", "worst ARI", "means", "covariances", "weights", "iterations")


@dataclass(frozen=True)
class Case:
    name: str
    n: int
    weights: tuple[float, ...]
    d: int
    apart: float  # distance of the means from the centre, in spreads
    spreads: tuple[float, ...]

    def mixture(self, rng: np.random.Generator) -> Mixture:
        k, d = len(self.weights), self.d
        corners = np.linalg.qr(rng.normal(size=(d, d)))[0]
        means = self.apart * (corners[:k] if d >= k else _star(k))
        turns = rng.normal(size=(k, d, d)) / np.sqrt(d)
        covariances = 0.5 * np.eye(d) + 0.5 * turns @ turns.transpose(0, 2, 1)
        return Mixture(self.weights, means, covariances * np.array(self.spreads)[:, None, None] ** 2)


CASES = (
    Case("three clusters, d=2", 1000, (1 / 3, 1 / 3, 1 / 3), 2, 4.0, (1.0, 1.0, 1.0)),
    Case("three clusters, d=5", 1000, (1 / 3, 1 / 3, 1 / 3), 5, 4.0, (1.0, 1.0, 1.0)),
    Case("unbalanced, d=2", 1000, (0.7, 0.2, 0.1), 2, 5.0, (1.0, 0.5, 1.5)),
    Case("close by, d=2", 1000, (0.5, 0.3, 0.2), 2, 2.5, (1.0, 1.0, 1.0)),
    Case("six clusters, d=10", 3000, (1 / 6,) * 6, 10, 6.0, (1.0,) * 6),
)


def _star(k: int) -> Floats:
    angles = 2.0 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def rows(case: Case, seed: int) -> tuple[Mixture, Floats, NDArray[np.integer]]:
    """The clean mixture, the rows, and the component of each (-1: an outlier)."""
    rng = np.random.default_rng(seed)
    truth = case.mixture(rng)
    X, labels = truth.sample(case.n, rng)
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.5 * (WIDTH - 1.0) * (high - low)
    n_far = round(SHARE * case.n)
    X[:n_far] = rng.uniform(low - margin, high + margin, (n_far, case.d))
    labels[:n_far] = -1
    order = rng.permutation(case.n)
    return truth, X[order], labels[order]


def errors(truth: Mixture, result: FitResult, X: Floats, labels: NDArray[np.integer]) -> dict[str, float]:
    """How far a fit is from the clean mixture, components matched by their means."""
    found = result.mixture.without_noise()
    d = truth.n_features
    roots = np.linalg.cholesky(truth.dense_covariances)
    apart = found.means[None] - truth.means[:, None]
    distance = np.linalg.norm(np.linalg.solve(roots, apart.transpose(0, 2, 1)), axis=1) / np.sqrt(d)
    _, match = linear_sum_assignment(np.minimum(distance, 1e3))
    inverse = np.linalg.inv(roots)
    seen = inverse @ found.dense_covariances[match] @ inverse.transpose(0, 2, 1)
    clean = labels >= 0
    return {
        "ARI": float(adjusted_rand_score(labels[clean], found.predict(X[clean]))),
        "means": float(distance[np.arange(len(match)), match].mean()),
        "covariances": float((np.linalg.norm(seen - np.eye(d), axis=(1, 2)) / np.sqrt(d)).mean()),
        "weights": float(np.abs(found.weights[match] - truth.weights).max()),
        "iterations": float(result.n_iter),
    }


def measure(case: Case, seeds: int) -> list[list[str]]:
    """One line of the table for each way to fit, and one for a fit to the clean rows alone."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (*FITS, "clean rows alone")}
    for seed in range(seeds):
        truth, X, labels = rows(case, seed)
        for name, options in FITS.items():
            result = fit_mixture(X, len(case.weights), random_state=seed, **options)
            found[name].append(errors(truth, result, X, labels))
        clean = labels >= 0
        alone = fit_mixture(X[clean], len(case.weights), random_state=seed)
        found["clean rows alone"].append(errors(truth, alone, X, labels))
    lines = []
    for name, of_seeds in found.items():
        mean = {key: float(np.mean([one[key] for one in of_seeds])) for key in of_seeds[0]}
        worst = min(one["ARI"] for one in of_seeds)
        numbers = [mean["ARI"], worst, mean["means"], mean["covariances"], mean["weights"]]
        lines.append([case.name, name, *(f"{v:.3f}" for v in numbers), f"{mean['iterations']:.0f}"])
    return lines


def draw(path: Path, case: Case, seed: int) -> None:
    """The three fits of one set of rows, side by side."""
    from matplotlib.figure import Figure

    from gaussmix.plot import plot_mixture

    _, X, _ = rows(case, seed)
    figure = Figure(figsize=(13.0, 4.4), layout="constrained")
    for ax, (name, options) in zip(
        figure.subplots(1, 3, sharex=True, sharey=True), FITS.items(), strict=True
    ):
        result = fit_mixture(X, len(case.weights), random_state=seed, **options)
        left_out = np.zeros(len(X), dtype=bool) if result.trimmed is None else result.trimmed
        plot_mixture(result.mixture, X[~left_out], ax=ax)
        ax.scatter(*X[left_out].T, s=14, marker="x", color="#777777", linewidths=0.8, zorder=2)
        ax.set(title=name, xlim=(X[:, 0].min(), X[:, 0].max()), ylim=(X[:, 1].min(), X[:, 1].max()))
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outliers", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=20, metavar="N", help="data sets of each case (default 20)"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the first case here instead")
    options = parser.parse_args()
    if options.picture:
        draw(options.picture, CASES[0], seed=0)
        return
    print("| " + " | ".join(HEAD) + " |")
    print("|" + "|".join("---" if i < 2 else "---:" for i in range(len(HEAD))) + "|")
    for case in CASES:
        for line in measure(case, options.seeds):
            print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
