"""Criteria by which a model is chosen: each is a function of a fit, with its formula and its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.fit.result import FitResult


@dataclass(frozen=True)
class Criterion:
    """How models are compared.

    Parameters
    ----------
    name : str
    measure : callable, optional
        The value of a fit. None where it takes more than one fit of a model.
    formula, reference : str
    greater_is_better : bool
    title : str
        How tables and pictures call it.
    """

    name: str
    title: str
    formula: str
    reference: str
    measure: Callable[[FitResult], float] | None = None
    greater_is_better: bool = False

    @property
    def sign(self) -> float:
        """What the values are multiplied by, so that greater is better."""
        return 1.0 if self.greater_is_better else -1.0

    @property
    def heading(self) -> str:
        """The title, and which values are better."""
        return f"{self.title} ({'higher' if self.greater_is_better else 'lower'} is better)"


def bic(fit: FitResult) -> float:
    """BIC = p log n - 2 log L: minus twice the log of the evidence, nearly, for many rows.

    Consistent for the number of components (Keribin 2000): with more and more rows it finds the true one.
    """
    return fit.bic


def aic(fit: FitResult) -> float:
    """AIC = 2 p - 2 log L: what the model loses on new rows, twice. It prefers more components."""
    return fit.aic


def icl(fit: FitResult) -> float:
    """ICL = BIC - 2 sum_i log max_k r_ik: of rows and labels together. It prefers clear clusters."""
    return fit.icl


BIC = Criterion(
    "bic",
    "BIC",
    "p log n - 2 log L",
    "G. Schwarz, Estimating the dimension of a model, The Annals of Statistics 6 (1978) 461-464.",
    bic,
)
AIC = Criterion(
    "aic",
    "AIC",
    "2 p - 2 log L",
    "H. Akaike, A new look at the statistical model identification, IEEE Trans. Automatic Control 19 (1974) "
    "716-723.",
    aic,
)
ICL = Criterion(
    "icl",
    "ICL",
    "p log n - 2 log L - 2 sum_i log max_k r_ik",
    "C. Biernacki, G. Celeux and G. Govaert, Assessing a mixture model for clustering with the integrated "
    "completed likelihood, IEEE Trans. Pattern Anal. Mach. Intell. 22 (2000) 719-725.",
    icl,
)
CV = Criterion(
    "cv",
    "held-out log-likelihood a row",
    "mean over rows of log p(x_i | the rows of all other folds)",
    "P. Smyth, Model selection for probabilistic clustering using cross-validated likelihood, Statistics and "
    "Computing 10 (2000) 63-72.",
    greater_is_better=True,
)
#: All of them, by name.
CRITERIA: Mapping[str, Criterion] = {each.name: each for each in (BIC, AIC, ICL, CV)}


def find_criterion(name: str) -> Criterion:
    """The criterion of this name; ValueError where there is none."""
    if name not in CRITERIA:
        raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}; got {name!r}")
    return CRITERIA[name]


def measure_doubt(responsibilities: FloatArray, weights: Float64Array | None) -> float:
    """-sum_i w_i log max_k r_ik, in nats: what it takes to tell the most probable labels of the rows."""
    losses = -np.log(responsibilities.max(axis=1), dtype=np.float64)
    return float(losses.sum() if weights is None else weights @ losses)
