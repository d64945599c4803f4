"""What is asked about: a fit, the rows that it was made of, and how to fit others like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_named_rows, refuse_other_names
from gaussmix._typing import FloatArray
from gaussmix.data.rows import Rows
from gaussmix.fit.arguments import read_rows
from gaussmix.fit.options import OPTIONS
from gaussmix.fit.result import FitResult
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.priors import NormalInverseWishart

#: What the functions of this package take for a fit.
Fit: TypeAlias = Any
#: The weight of rows at which their number is told apart from a smaller one.
WHOLE = 1e-9


@dataclass(frozen=True, eq=False)
class Subject:
    """A fitted mixture, its rows, and what was asked of the fit beside the family."""

    mixture: Mixture
    rows: Rows
    reg_covar: Any = "auto"
    prior: str | NormalInverseWishart | None = None
    #: The share of the weight that the fit left out.
    trim: float = 0.0

    @property
    def structure(self) -> Structure:
        """The family, as one mixture has it."""
        return self.mixture.structure

    @property
    def X(self) -> FloatArray:
        """All rows."""
        return self.rows.array

    @property
    def n_draws(self) -> int:
        """How many rows there are, each counted as often as its weight says."""
        return round(self.rows.weight)


def find_mixture(fit: Fit) -> tuple[Mixture, FitResult | None]:
    """The mixture of a fit, and the result that it is from, if any.

    Raises ValueError where it is no fit: a Mixture, a FitResult, fitted mixtures, or a fitted estimator.
    """
    if isinstance(fit, Mixture):
        return fit, None
    for name in ("best", "fit_result_"):  # of fitted mixtures and of estimators
        fit = getattr(fit, name, fit)
    if isinstance(fit, FitResult):
        return fit.mixture, fit
    raise ValueError(
        "fit must be a Mixture, a FitResult, the result of a search, or a fitted GaussianMixture; got "
        f"{type(fit).__name__}"
    )


def read_subject(
    X: npt.ArrayLike,
    fit: Fit,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reg_covar: Any = None,
    prior: str | NormalInverseWishart | None = None,
) -> Subject:
    """The fit and the rows that it was made of; ValueError where the two cannot belong together.

    An estimator knows its own prior and `reg_covar`; of other fits None stands for no prior and "auto".
    """
    mixture, result = find_mixture(fit)
    prior = getattr(fit, "prior", None) if prior is None else prior
    reg_covar = getattr(fit, "reg_covar", "auto") if reg_covar is None else reg_covar
    values, names = read_named_rows(X)
    refuse_other_names(names, mixture.feature_names)
    rows = read_rows(values, sample_weight, mixture.n_components)
    if rows.shape[1] != mixture.n_features:
        raise ValueError(f"the fit has {mixture.n_features} features, but X has {rows.shape[1]} columns")
    if round(rows.weight) < mixture.n_components:
        raise ValueError(
            f"the weights of the rows sum to {rows.weight:.4g}, and each counts as so many rows: fewer than "
            "components. Scale sample_weight so that it sums to the number of rows"
        )
    OPTIONS["reg_covar"].check(reg_covar, "reg_covar")
    trim = 0.0
    if result is not None:
        trim = _check_result(result, rows, prior)
    return Subject(mixture, rows, reg_covar, prior, trim)


def _check_result(result: FitResult, rows: Rows, prior: str | NormalInverseWishart | None) -> float:
    """The share that the fit left out; ValueError where it maximised what is not known here."""
    if result.log_priors and prior is None:
        raise ValueError("the fit has a prior: pass the same prior, or fit without one")
    if result.n_fixed_parameters:
        raise ValueError(
            f"constraints held {result.n_fixed_parameters} parameters of the fit, and how is not known here; "
            "fit without constraints"
        )
    if result.kept is None:
        if abs(result.n_samples - rows.weight) > WHOLE * rows.weight:
            raise ValueError(
                f"the fit is of {result.n_samples:.10g} rows, but X has {rows.weight:.10g}: pass the rows, "
                "and the sample_weight, that it was made of"
            )
        return 0.0
    return 1.0 - result.n_samples / rows.weight


def check_share(value: Any, name: str) -> float:
    """A number over 0 and under 1; ValueError names the argument otherwise."""
    if not isinstance(value, int | float | np.number) or not 0.0 < float(value) < 1.0:
        raise ValueError(f"{name} must be a number over 0 and under 1; got {value!r}")
    return float(value)


def check_choice(value: str, choices: tuple[str, ...], name: str) -> str:
    """One of some words; ValueError names them otherwise."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
    return value
