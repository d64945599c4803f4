"""``python -m benchmarks.chosen``: how often the true number of components is chosen, beside mclust.

Sets of twelve kinds are simulated: overlapping, unbalanced, one cluster alone, 1 to 20 features, 50 to 5,000
rows. Both programs choose by BIC among their default models and 1 to 9 components, on the same sets. The
benchmark needs Rscript and the R package mclust.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gaussmix

Floats = NDArray[np.float64]

#: Prints, for each file of rows, the number of components that mclust chooses, 0 where it fails.
SCRIPT = """
suppressMessages(library(mclust))
for (file in readLines("%s")) {
  rows <- as.matrix(read.csv(file, header = FALSE))
  model <- try(Mclust(rows, verbose = FALSE), silent = TRUE)
  cat(if (inherits(model, "try-error") || is.null(model)) 0 else model$G, " ")
}
"""


@dataclass(frozen=True)
class Kind:
    """A kind of set."""

    name: str
    n: int
    d: int
    k: int
    #: The standard deviation of the components' means, in units of their own.
    spread: float
    #: The least distance of two means, in the same units.
    apart: float
    #: "sphere", "tied", "diagonal" or "full".
    shape: str
    #: Of the Dirichlet distribution of the weights: the smaller, the less balanced.
    balance: float = 5.0

    def simulate(self, rng: np.random.Generator) -> Floats:
        """Draw a set."""
        weights = np.maximum(rng.dirichlet(np.full(self.k, self.balance)), 0.04)
        weights /= weights.sum()
        means = self._draw_means(rng)
        common = draw_root(rng, self.d)
        labels = rng.choice(self.k, self.n, p=weights)
        X = np.empty((self.n, self.d))
        for j in range(self.k):
            own = labels == j
            if self.shape == "sphere":
                root = np.eye(self.d)
            elif self.shape == "diagonal":
                root = np.diag(np.sqrt(rng.uniform(0.3, 1.7, self.d)))
            else:
                root = common if self.shape == "tied" else draw_root(rng, self.d)
            X[own] = means[j] + rng.normal(size=(own.sum(), self.d)) @ root.T
        return X

    def _draw_means(self, rng: np.random.Generator) -> Floats:
        while True:
            means = self.spread * rng.normal(size=(self.k, self.d))
            gaps = np.linalg.norm(means[:, None] - means, axis=2) + np.diag(np.full(self.k, np.inf))
            if gaps.min() > self.apart:
                return means


def draw_root(rng: np.random.Generator, d: int) -> Floats:
    """The root of a covariance in a random direction, with variances from 0.4 to 1.6."""
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return np.linalg.cholesky((axes * rng.uniform(0.4, 1.6, d)) @ axes.T)


KINDS = (
    Kind("two in a line", 300, 1, 2, 2.5, 3.0, "sphere"),
    Kind("one in a line", 200, 1, 1, 1.0, 0.0, "sphere"),
    Kind("few rows", 50, 2, 2, 2.5, 3.5, "sphere"),
    Kind("apart", 300, 2, 3, 3.0, 4.0, "full"),
    Kind("overlapping", 500, 2, 3, 1.6, 2.6, "full"),
    Kind("unbalanced", 400, 2, 4, 3.0, 3.5, "diagonal", 1.0),
    Kind("many rows", 5000, 3, 5, 2.5, 2.5, "full"),
    Kind("tied", 300, 4, 3, 1.8, 3.0, "tied"),
    Kind("five features", 1000, 5, 4, 1.8, 3.0, "full"),
    Kind("one of five features", 400, 5, 1, 1.0, 0.0, "full"),
    Kind("ten features", 500, 10, 3, 1.2, 3.0, "diagonal"),
    Kind("twenty features", 300, 20, 3, 1.0, 3.0, "sphere"),
)


def main() -> int:
    """Print a table. Returns 2 without Rscript."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chosen", description=__doc__)
    parser.add_argument("--sets", type=int, default=100, help="sets, of all kinds in turn")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if shutil.which("Rscript") is None:
        print("benchmarks.chosen needs Rscript and the R package mclust", file=sys.stderr)
        return 2
    rng = np.random.default_rng(options.seed)
    kinds = [KINDS[i % len(KINDS)] for i in range(options.sets)]
    sets = [kind.simulate(rng) for kind in kinds]
    theirs = choose_by_mclust(sets)
    ours = [gaussmix.search(X, random_state=0).best_model[1] for X in sets]
    rows = []
    for kind in (*KINDS, None):
        places = [i for i, each in enumerate(kinds) if kind in (each, None)]
        if places:
            rows.append(summarise(kind, places, kinds, ours, theirs))
    print("| kind | n | d | k | sets | right: gaussmix | mclust |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    return 0


def summarise(
    kind: Kind | None, places: list[int], kinds: list[Kind], ours: list[int], theirs: list[int]
) -> list[str]:
    """A row of the table: how often each is right."""
    name, sizes = "all", ["", "", ""]
    if kind is not None:
        name, sizes = kind.name, [str(kind.n), str(kind.d), str(kind.k)]
    right = [sum(found[i] == kinds[i].k for i in places) for found in (ours, theirs)]
    return [name, *sizes, str(len(places)), *map(str, right)]


def choose_by_mclust(sets: list[Floats]) -> list[int]:
    """The numbers that mclust chooses; 0 where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for i, X in enumerate(sets):
            files.append(str(Path(folder) / f"{i}.csv"))
            np.savetxt(files[-1], X, delimiter=",", fmt="%.17g")
        listing = Path(folder) / "files.txt"
        listing.write_text("\n".join(files) + "\n")
        done = subprocess.run(
            ["Rscript", "-e", SCRIPT % listing], capture_output=True, text=True, check=True, timeout=7200
        )
    return [int(k) for k in done.stdout.split()]


if __name__ == "__main__":
    sys.exit(main())
