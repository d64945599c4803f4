"""Standard errors of a fitted regressor of experts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.apps.experts.errors import KINDS, NO_INFORMATION, SHORT, ExpertErrors, Kind, make_errors
from gaussmix.apps.experts.gaussian_gate import GaussianGate
from gaussmix.apps.experts.information import ExpertInformation
from gaussmix.apps.experts.linear import LinearExperts
from gaussmix.apps.experts.regression import ExpertsRegression
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.fit.arguments import find_stack_level


def estimate_expert_errors(
    regression: ExpertsRegression,
    rows: Float64Array,
    Y: Float64Array,
    masses: Float64Array,
    names: tuple[str, ...],
    *,
    alpha: float,
    gate_alpha: float,
    information: str,
) -> ExpertErrors:
    """The errors of a fit to rows, shape (n, d), with these ridges; names are those of the columns."""
    if information not in KINDS:
        raise ValueError(f"information must be one of {', '.join(map(repr, KINDS))}; got {information!r}")
    kind: Kind = "sandwich" if information == "sandwich" else "observed"
    model, reason = regression.model, ""
    if not isinstance(model.experts, LinearExperts):
        reason = "they are for Gaussian linear experts"
    elif isinstance(model.gate, GaussianGate):
        reason = "they are for the softmax gate and constant shares"
    elif not hasattr(model.gate, "slopes") and (model.gate.weights <= 0.0).any():
        reason = "an expert has no share"
    if reason:
        raise ValueError(NO_INFORMATION.format(reason=reason))
    Z = regression.find_gate_features(rows)
    constant = not hasattr(model.gate, "slopes")
    found = ExpertInformation.of_rows(
        model,
        regression.features.apply(rows),
        Y,
        Z[:, :0] if constant else Z,
        masses,
        alpha=alpha,
        gate_alpha=0.0 if constant else gate_alpha,
    )
    gate_terms = () if constant else tuple(names[column] for column in regression.gate_columns)
    terms = regression.features.name(names)
    expand = regression.features.expand
    errors = make_errors(found, expand, terms=terms, gate_terms=gate_terms, kind=kind)
    if errors.shortfall > SHORT:
        warnings.warn(
            f"the fit is about {errors.shortfall:.2g} nats below the maximum nearby, so that errors are "
            "doubtful; these rows are not those of the fit, or its tol was too large",
            DoubtfulFitWarning,
            stacklevel=find_stack_level(),
        )
    return errors


def read_masses(weights: Any, n: int) -> tuple[Any, Float64Array]:
    """Which rows are present, and the weights of these."""
    present = np.ones(n, dtype=bool) if weights is None else weights > 0.0
    return present, np.ones(n) if weights is None else np.asarray(weights[present], dtype=np.float64)
