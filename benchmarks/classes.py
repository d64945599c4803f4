"""``python -m benchmarks.classes``: the classifier beside scikit-learn's and mclust's, set by set.

Accuracy and log-loss are of rows that ten folds hold out, the same ones for all programs; a standard error
goes with each. Seconds are of a fit to nine tenths. ``--semi`` compares fits to 5 % of the labels with and
without the rows of the other 95 %, over random choices of these. ``--mclust`` adds mclust's MclustDA, by
Rscript.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from benchmarks.classes_data import OTHERS, SETS, Floats, Labels, MissingDataError, load
from gaussmix import GaussianMixtureClassifier

#: The least probability whose logarithm counts: programs give zeros.
LEAST = 1e-15
#: Share of the rows that keep their labels.
LABELLED = 0.05
#: Labelled rows of each class, at least.
LEAST_LABELLED = 2

#: It fits MclustDA to all folds but one and writes the probabilities of that one, for each fold.
SCRIPT = """
suppressMessages(library(mclust)); mclust.options(warn = 0)
d <- read.csv(commandArgs(TRUE)[1]); own <- !(names(d) %in% c("fold", "class"))
for (f in sort(unique(d$fold))) {
  train <- d[d$fold != f, ]; test <- d[d$fold == f, ]
  s <- system.time(m <- MclustDA(train[, own], train$class, verbose = FALSE))["elapsed"]
  z <- predict(m, test[, own])$z; z <- z[, order(as.numeric(colnames(z)))]
  write.table(cbind(which(d$fold == f), s, z), stdout(), row.names = FALSE, col.names = FALSE)
}
"""

PROGRAMS: dict[str, Callable[[], Any]] = {
    "gaussmix": lambda: GaussianMixtureClassifier(random_state=0),
    "LDA": LinearDiscriminantAnalysis,
    "QDA": QuadraticDiscriminantAnalysis,
    "GaussianNB": GaussianNB,
}


@dataclass(frozen=True)
class Score:
    """How a program did on all rows, each held out once."""

    right: Floats
    losses: Floats
    seconds: float

    def __str__(self) -> str:
        n = np.sqrt(len(self.right))
        return (
            f"{100 * self.right.mean():.1f} ± {100 * self.right.std() / n:.1f}"
            f" | {self.losses.mean():.3f} ± {self.losses.std() / n:.3f} | {self.seconds:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classes", description=__doc__)
    parser.add_argument("--data", nargs="+", default=SETS, choices=(*SETS, *OTHERS))
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument(
        "--mclust", action="store_true", help="MclustDA too, which takes minutes on large sets"
    )
    parser.add_argument("--semi", action="store_true", help="fits to few labels, with and without other rows")
    parser.add_argument("--draws", type=int, default=10, help="random choices of the rows with labels")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.semi:
        print(
            "| data | labels | without the other rows | with them | difference |\n|---|---:|---:|---:|---:|"
        )
    else:
        print("| data | program | accuracy, % | log-loss | s |\n|---|---|---:|---:|---:|")
    for name in options.data:
        try:
            X, y = load(name)
        except MissingDataError as error:
            print(f"| {name} | {error} |")
            continue
        if options.semi:
            print(compare_semi(name, X, y, options.draws), flush=True)
        else:
            print_scores(name, X, y, options.folds, mclust=options.mclust)


def print_scores(name: str, X: Floats, y: Labels, n_folds: int, *, mclust: bool) -> None:
    folds = list(StratifiedKFold(n_folds, shuffle=True, random_state=0).split(X, y))
    for program, make in PROGRAMS.items():
        try:
            score: Any = measure(make, X, y, folds)
        except Exception as error:  # a program that fails is a line of the table
            score = f"failed: {str(error).splitlines()[0][:60]} | |"
        print(f"| {name} | {program} | {score} |", flush=True)
    if mclust:
        print(f"| {name} | MclustDA | {measure_mclust(X, y, folds)} |", flush=True)


def measure(make: Callable[[], Any], X: Floats, y: Labels, folds: list[Any]) -> Score:
    P, seconds = np.zeros((len(y), int(y.max()) + 1)), []
    for train, test in folds:
        begin = time.perf_counter()
        model = make().fit(X[train], y[train])
        seconds.append(time.perf_counter() - begin)
        P[test] = model.predict_proba(X[test])
    return judge(P, y, float(np.median(seconds)))


def judge(P: Floats, y: Labels, seconds: float) -> Score:
    own = P[np.arange(len(y)), y]
    return Score(np.asarray(P.argmax(axis=1) == y, float), -np.log(np.clip(own, LEAST, 1.0)), seconds)


def measure_mclust(X: Floats, y: Labels, folds: list[Any]) -> Score | str:
    fold = np.zeros(len(y))
    for place, (_, test) in enumerate(folds):
        fold[test] = place
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        header = ",".join([*(f"x{j}" for j in range(X.shape[1])), "class", "fold"])
        np.savetxt(path, np.column_stack([X, y, fold]), delimiter=",", header=header, comments="")
        found = subprocess.run(
            ["Rscript", "-e", SCRIPT, str(path)],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    if found.returncode:
        return f"failed: {(found.stderr.strip() or 'no Rscript').splitlines()[-1][:60]} | |"
    table = np.array([line.split() for line in found.stdout.splitlines()], dtype=np.float64)
    P = np.zeros((len(y), table.shape[1] - 2))
    P[table[:, 0].astype(int) - 1] = table[:, 2:]
    return judge(P, y, float(np.median(table[:, 1])))


def compare_semi(name: str, X: Floats, y: Labels, n_draws: int) -> str:
    """Accuracy on the rows whose label was not given, by the same classifier without and with these rows."""
    pairs = []
    for draw in range(n_draws):
        rng = np.random.default_rng(draw)
        few = np.full(len(y), -1)
        for c in np.unique(y):
            own = rng.permutation(np.flatnonzero(y == c))
            few[own[: max(LEAST_LABELLED, round(LABELLED * len(own)))]] = c
        known = few >= 0
        alone = GaussianMixtureClassifier(random_state=0).fit(X[known], few[known])
        both = GaussianMixtureClassifier(random_state=0).fit(X, few)
        pairs.append([model.score(X[~known], y[~known]) for model in (alone, both)])
    without, with_them = 100 * np.array(pairs).T
    gain = with_them - without
    error = gain.std(ddof=1) / np.sqrt(n_draws)
    return (
        f"| {name} | {int(known.sum())} | {without.mean():.1f} | {with_them.mean():.1f} "
        f"| {gain.mean():+.1f} ± {error:.1f} |"
    )


if __name__ == "__main__":
    main()
