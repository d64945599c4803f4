"""``python -m benchmarks.rand_index``: is a higher likelihood a better clustering? Five sets with classes.

The first table is for each family with as many components as classes, and the starts "kmeans" and "auto". It
has the adjusted Rand index, the mean log-likelihood (medians over seeds), and the likelihood of new rows: a
fifth that the fit has not seen, the mean of all five. BIC is that of "auto"; less is better.

The second table has the families and numbers of components that BIC and ICL choose (ICL is BIC and twice the
entropy of the clusters). It also has the index of BIC's choice after its components are joined, two by two,
into as many clusters as classes (Baudry et al. 2010). ``--update docs/likelihood-and-clusters.md`` writes
both tables into that page.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.special import xlogy
from sklearn import datasets
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import KFold

from benchmarks import real_data
from benchmarks.pages import update
from benchmarks.real_data import Floats, Labels, MissingDataError
from gaussmix import FitResult, fit_mixture, fit_mixtures

FAMILIES = ("full", "tied", "diag", "spherical")
STARTS = ("kmeans", "auto")
#: Numbers of components beyond that of the classes.
MORE = 6
#: Parts of the rows, each of which is new to one fit.
FOLDS = 5


@dataclass(frozen=True)
class Classes:
    """A data set, its name in the table, and the class of each of its rows."""

    name: str
    load: Callable[[], Floats]
    labels: Callable[[], Labels]


def _of(load: Callable[[], object]) -> Callable[[], Labels]:
    return partial(real_data.species, load)


SETS = (
    Classes("iris", real_data.iris, _of(datasets.load_iris)),
    Classes("wine", real_data.wine, _of(datasets.load_wine)),
    Classes("penguins", real_data.penguins, real_data.penguin_species),
    Classes("breast cancer", real_data.cancer, _of(datasets.load_breast_cancer)),
    Classes("digits, PCA 10", partial(real_data.digits, 10), _of(datasets.load_digits)),
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rand_index", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="sets whose name has one of these")
    parser.add_argument("--seeds", type=int, default=5, help="fits of each (default 5)")
    parser.add_argument("--update", type=Path, metavar="FILE", help="a page whose tables are replaced")
    return parser.parse_args()


def index(result: FitResult, X: Floats, labels: Labels) -> float:
    return float(adjusted_rand_score(labels, result.mixture.predict(X)))


def by_family(sets: list[Classes], seeds: int) -> Iterator[str]:
    """The first table, line by line."""
    head = "| data, n x d, classes | covariances | rows a parameter | Rand index, kmeans | auto "
    yield head + "| likelihood, kmeans | auto | new rows, kmeans | auto | BIC |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for data in sets:
        X, labels = data.load(), data.labels()
        k, (n, d) = int(labels.max()) + 1, X.shape
        for family in FAMILIES:
            fits = {start: [fit(X, k, family, start, seed) for seed in range(seeds)] for start in STARTS}
            rand = [statistics.median(index(found, X, labels) for found in fits[start]) for start in STARTS]
            mean = [statistics.median(found.mean_log_likelihood for found in fits[start]) for start in STARTS]
            new = [new_rows(X, k, family, start) for start in STARTS]
            bic = statistics.median(found.bic for found in fits["auto"])
            share = n / fits["auto"][0].n_parameters
            numbers = [f"{x:.2f}" for x in rand] + [f"{x:.3f}" for x in (*mean, *new)] + [f"{bic:.0f}"]
            yield f"| {data.name}, {n} x {d}, {k} | {family} | {share:.1f} | {' | '.join(numbers)} |"


def fit(X: Floats, k: int, family: str, start: str, seed: int) -> FitResult:
    return fit_mixture(X, k, covariance_type=family, init_params=start, random_state=seed)


def new_rows(X: Floats, k: int, family: str, start: str) -> float:
    """The mean log-likelihood of rows that a fit has not seen, a fifth in turn."""
    scores = []
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    for seed, (seen, unseen) in enumerate(folds.split(X)):
        scores.append(fit(X[seen], k, family, start, seed).mixture.log_prob(X[unseen]).mean())
    return float(np.mean(scores))


def entropy(P: Floats) -> float:
    return float(-xlogy(P, P).sum())


def join_components(P: Floats, k: int) -> Labels:
    """Join components into k clusters, each time the pair whose union lowers the entropy most."""
    while P.shape[1] > k:
        gains = {(i, j): _gain(P, i, j) for i, j in combinations(range(P.shape[1]), 2)}
        i, j = max(gains, key=gains.__getitem__)
        P = np.c_[np.delete(P, (i, j), axis=1), P[:, i] + P[:, j]]
    return np.asarray(P.argmax(axis=1))


def _gain(P: Floats, i: int, j: int) -> float:
    return entropy(P[:, [i, j]]) - entropy(P[:, i] + P[:, j])


def by_criterion(sets: list[Classes]) -> Iterator[str]:
    """The second table, line by line."""
    yield "| data, classes | least BIC | Rand | joined into the classes | least ICL | Rand |"
    yield "|---|---|---:|---:|---|---:|"
    for data in sets:
        X, labels = data.load(), data.labels()
        k = int(labels.max()) + 1
        fits = fit_mixtures(X, range(1, k + MORE + 1), covariance_type=FAMILIES, random_state=0).sound
        by_bic = min(fits, key=lambda key: fits[key].bic)
        by_icl = min(fits, key=lambda key: icl(fits[key], X))
        clusters = join_components(fits[by_bic].mixture.responsibilities(X), k)
        cells = [f"{data.name}, {k}"]
        cells += ["{}, {}".format(*by_bic), f"{index(fits[by_bic], X, labels):.2f}"]
        cells += [f"{adjusted_rand_score(labels, clusters):.2f}"]
        cells += ["{}, {}".format(*by_icl), f"{index(fits[by_icl], X, labels):.2f}"]
        yield f"| {' | '.join(cells)} |"


def icl(fit: FitResult, X: Floats) -> float:
    """BIC and twice the entropy of the clusters."""
    return fit.bic + 2.0 * entropy(fit.mixture.responsibilities(X))


def available(only: list[str] | None) -> list[Classes]:
    found = []
    for data in SETS:
        if only is not None and not any(text in data.name for text in only):
            continue
        try:
            data.load()
        except MissingDataError as error:
            print(f"left out: {error}")
        else:
            found.append(data)
    return found


def main() -> None:
    options = arguments()
    sets = available(options.only)
    warnings.simplefilter("ignore")
    tables = {"by family": by_family(sets, options.seeds), "chosen": by_criterion(sets)}
    for name, lines in tables.items():
        kept = []
        for line in lines:
            print(line, flush=True)
            kept.append(line)
        print()
        if options.update:
            update(options.update, name, kept)


if __name__ == "__main__":
    main()
