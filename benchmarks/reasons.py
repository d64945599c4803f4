"""``python -m benchmarks.reasons``: how often the reasons of an anomaly are the features that are wrong.

A detector is fitted to a random half of each data set. In each row of the other half some features, drawn at
random, are made wrong:

- swapped: each gets the value of another row, a usual value, but not beside those of the other features;
- shifted: each is moved by four standard deviations, up or down.

Of the rows that the detector then flags (fpr .05) the table has the share, in per cent, of the first features
by each ranking that are wrong, as many first features as there are wrong ones:

- reasons: as `Explanation.changes` ranks, which `reasons()` names where few features explain the row;
- contribution: the Shapley value of the feature in its component;
- drop: how much the feature surprises, given all others;
- alone: its distance from the mean in standard deviations, feature by feature;

and how many rows are flagged, of all, in per cent. Means over 10 halves.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

from gaussmix import GaussianMixtureDetector

Floats = NDArray[np.floating]

KINDS = ("swapped", "shifted")
#: Features of a row that are wrong.
NUMBERS = (1, 2, 3)
RANKINGS = ("reasons", "contribution", "drop", "alone")
SHIFT = 4.0
FPR = 0.05


def load_sets() -> dict[str, Floats]:
    """Tables without labels; columns that never vary are left out."""
    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "exercise": datasets.load_linnerud,
    }
    tables = {name: np.asarray(load().data, dtype=np.float64) for name, load in loaders.items()}
    return {name: table[:, table.std(axis=0) > 0.0] for name, table in tables.items()}


def spoil(
    rows: Floats, kind: str, number: int, scale: Floats, generator: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """Rows with some wrong features each, and which these are."""
    n, d = rows.shape
    wrong = np.argsort(generator.random((n, d)), axis=1) < number
    if kind == "swapped":
        others = (np.arange(n)[:, None] + generator.integers(1, n, (n, d))) % n
        values = rows[others, np.arange(d)]
    else:
        values = rows + SHIFT * scale * generator.choice([-1.0, 1.0], (n, d))
    return np.where(wrong, values, rows), wrong


def count_hits(table: Floats, kind: str, number: int, seed: int) -> tuple[NDArray[np.intp], int, int]:
    """How many first features of flagged rows are wrong, by each ranking; the rows flagged, and all."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(table))
    fitted, rows = table[order[::2]], table[order[1::2]]
    detector = GaussianMixtureDetector(novelty=True, fpr=FPR, random_state=seed).fit(fitted)
    spoilt, wrong = spoil(rows, kind, number, fitted.std(axis=0), generator)
    flagged = detector.predict(spoilt) == -1
    if not flagged.any():
        return np.zeros(len(RANKINGS), dtype=np.intp), 0, len(rows)
    found, wrong = detector.explain(spoilt[flagged]), wrong[flagged]
    alone = np.abs((spoilt[flagged] - fitted.mean(axis=0)) / np.maximum(fitted.std(axis=0), 1e-300))
    sizes = (found.contributions, found.drops, alone)
    rankings = [found.changes, *(np.argsort(-size, axis=1) for size in sizes)]
    hits = [np.take_along_axis(wrong, ranking[:, :number], axis=1).sum() for ranking in rankings]
    return np.array(hits), int(flagged.sum()), len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reasons", description=__doc__.split("\n")[0])
    parser.add_argument("--halves", type=int, default=10, metavar="N", help="random halves (default 10)")
    parser.add_argument("--each", action="store_true", help="a line for each data set, too")
    options = parser.parse_args()
    columns = ["wrong", *RANKINGS, "flagged"]
    print("| " + " | ".join(columns) + " |\n|---|" + "---:|" * (len(columns) - 1))
    tables = load_sets()
    for kind in KINDS:
        for number in NUMBERS:
            lines = {}
            for name, table in tables.items():
                if table.shape[1] <= number:
                    continue
                counts = [count_hits(table, kind, number, seed) for seed in range(options.halves)]
                hits, flagged, n = (sum(part) for part in zip(*counts, strict=True))
                lines[name] = 100.0 * np.append(hits / max(flagged * number, 1), flagged / n)
            mean = {"mean": np.mean(list(lines.values()), axis=0)}
            for name, shares in ({**lines, **mean} if options.each else mean).items():
                label = f"{number} {kind}" + ("" if name == "mean" else f", {name}")
                print(f"| {label} | " + " | ".join(f"{share:.0f}" for share in shares) + " |", flush=True)


if __name__ == "__main__":
    main()
