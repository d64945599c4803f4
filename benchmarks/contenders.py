"""The programs that look for the best optimum: gaussmix, scikit-learn with several starts, R's mclust."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmarks.judging import WITHIN, dense, is_spurious, least_rows, least_spread, reference
from benchmarks.real_data import Floats
from benchmarks.suite import Problem
from gaussmix.errors import DoubtfulFitWarning

Fit = Callable[[Problem, int], Any]

#: mclust's name of each covariance type, for more features and for one.
MCLUST = {"full": ("VVV", "V"), "tied": ("EEE", "E"), "diag": ("VVI", "V")}
#: It reads a file of rows, k and a model for each problem, and writes seconds, log-likelihood, weights and
#: covariances.
SCRIPT = """
suppressMessages(library(mclust)); mclust.options(warn = 0)
folder <- commandArgs(trailingOnly = TRUE)[1]
tasks <- read.csv(file.path(folder, "tasks.csv"), stringsAsFactors = FALSE)
out <- file(file.path(folder, "out.txt"), "w")
for (i in seq_len(nrow(tasks))) {
  rows <- as.matrix(read.csv(file.path(folder, paste0(i, ".csv")), header = FALSE))
  if (ncol(rows) == 1) rows <- rows[, 1]
  set.seed(0)
  run <- function() Mclust(rows, G = tasks$k[i], modelNames = tasks$model[i], verbose = FALSE)
  seconds <- system.time(fit <- try(run(), silent = TRUE))["elapsed"]
  found <- if (inherits(fit, "Mclust")) {
    variance <- fit$parameters$variance
    sigma <- variance[["sigma"]] # not $sigma, which would also be sigmasq
    if (is.null(sigma)) sigma <- rep_len(variance$sigmasq, tasks$k[i])
    c(fit$loglik, fit$parameters$pro, sigma)
  }
  cat(format(c(seconds, found), digits = 17), file = out)
  cat("\\n", file = out)
}
close(out)
"""


@dataclass(frozen=True)
class Outcome:
    """How long a fit took and where it ended. A failed fit has the likelihood minus infinity."""

    seconds: float
    likelihood: float = -np.inf
    rows: float = 0.0
    spread: float = 0.0
    d: int = 1

    @property
    def sound(self) -> bool:
        return not is_spurious(self.rows, self.spread, self.d)

    def reaches(self, best: float) -> bool:
        return self.sound and self.likelihood >= best - WITHIN


@dataclass(frozen=True)
class Contender:
    """A way to fit. With `few` it gets a fifth of the seeds: many starts differ less and take longer."""

    name: str
    fit: Fit
    few: bool = False
    clock: Callable[[], float] = time.perf_counter

    def seeds(self, n: int) -> range:
        return range(min(n, max(5, n // 5)) if self.few else n)

    def __call__(self, problem: Problem, seed: int) -> Outcome:
        begin = self.clock()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", DoubtfulFitWarning)
            try:
                model = self.fit(problem, seed)
            except ValueError:  # a component collapsed
                return Outcome(self.clock() - begin)
        seconds = self.clock() - begin
        matrices = dense(model.covariances_, problem)
        return _outcome(problem, seconds, model.score(problem.X), model.weights_, matrices)


def gaussmix_fit(problem: Problem, seed: int, **options: Any) -> Any:
    from gaussmix import GaussianMixture

    return GaussianMixture(problem.k, covariance_type=problem.covariance, random_state=seed, **options).fit(
        problem.X
    )


def sklearn_fit(problem: Problem, seed: int, **options: Any) -> Any:
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(problem.k, covariance_type=problem.covariance, random_state=seed, **options).fit(
        problem.X
    )


#: Options of fits that iterate to their peak, to tell another peak apart from an early stop.
TIGHT = {"tol": 1e-7, "max_iter": 5000}
CONTENDERS = (
    Contender("gaussmix", gaussmix_fit),
    Contender("sklearn-1", sklearn_fit),
    Contender("sklearn-10", partial(sklearn_fit, n_init=10)),
    Contender("sklearn-50", partial(sklearn_fit, n_init=50), few=True),
    Contender("gaussmix-tight", partial(gaussmix_fit, **TIGHT)),
    Contender("gaussmix-10-tight", partial(gaussmix_fit, n_init=10, **TIGHT), few=True),
    Contender("sklearn-10-tight", partial(sklearn_fit, n_init=10, **TIGHT), few=True),
)


def mclust(problems: Sequence[Problem]) -> list[Outcome] | None:
    """One fit of each problem by mclust, which has no seeds, in one process of R; None without mclust."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tasks = ["k,model"]
        for i, problem in enumerate(problems, start=1):
            np.savetxt(folder / f"{i}.csv", problem.X, delimiter=",", fmt="%.17g")
            tasks.append(f"{problem.k},{MCLUST[problem.covariance][problem.X.shape[1] == 1]}")
        (folder / "tasks.csv").write_text("\n".join(tasks) + "\n", encoding="utf-8")
        done = subprocess.run(["Rscript", "-e", SCRIPT, name], capture_output=True, text=True, check=False)
        if done.returncode:
            return None
        lines = (folder / "out.txt").read_text(encoding="utf-8").splitlines()
    return [_of_mclust(problem, line) for problem, line in zip(problems, lines, strict=True)]


def _of_mclust(problem: Problem, line: str) -> Outcome:
    seconds, *found = map(float, line.split())
    if not found:
        return Outcome(seconds)
    (n, d), k = problem.X.shape, problem.k
    weights, covariances = np.array(found[1 : 1 + k]), np.array(found[1 + k :])
    return _outcome(problem, seconds, found[0] / n, weights, covariances.reshape(k, d, d))


def _outcome(
    problem: Problem, seconds: float, likelihood: float, weights: Floats, matrices: Floats
) -> Outcome:
    n, d = problem.X.shape
    W = reference(problem)
    return Outcome(seconds, float(likelihood), least_rows(weights, n), least_spread(W @ matrices @ W.T), d)
