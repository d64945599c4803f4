"""Standard errors of a mixture of linear experts, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from gaussmix._text import make_text_table
from gaussmix._typing import Float64Array
from gaussmix.apps.experts.design import Design
from gaussmix.apps.experts.information import ExpertInformation
from gaussmix.infer.estimates import list_entries
from gaussmix.infer.subject import check_share
from gaussmix.model.mixture import Mixture

#: Which estimate of the covariance of the parameters.
Kind = Literal["observed", "sandwich"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Nats below the optimum from which errors are doubtful.
SHORT = 0.5
#: Smallest eigenvalue of the information, scaled to a diagonal of ones, that is no rounding.
SINGULAR = 1e-10
#: The place of covariances among the arrays of parameters of a mixture.
COVARIANCES = 2
#: How near a feature must be to the independent ones to have a slope of its own.
OWN = 1e-8
#: From levels (k, m) and slopes (k, p, m) of features to those of terms.
Expand = Callable[[Float64Array, Float64Array], tuple[Float64Array, Float64Array]]

SINGULAR_INFORMATION = (
    "the information is not positive definite: the fit is no maximum of the likelihood (fit with a smaller "
    "tol), an expert has too few rows, or its residual variances are at their floor. Use fewer experts"
)
NO_INFORMATION = "there are no standard errors here: {reason}. Refit to resamples of the rows instead"


class ExpertParameters(NamedTuple):
    """One number for each parameter of a mixture of linear experts: an estimate, or its standard error."""

    #: Shape (k, m): the means at zero.
    intercept: Float64Array
    #: Shape (k, m, p).
    coef: Float64Array
    #: In the shape of the family.
    covariances: Float64Array
    #: The gate's functions of the experts after the first, less that of the first, at zero, shape (k - 1,).
    gate_intercept: Float64Array
    #: Shape (k - 1, q).
    gate_coef: Float64Array
    #: The shares where they are constant, shape (k,); else empty.
    weights: Float64Array


@dataclass(frozen=True, eq=False, repr=False)
class ExpertErrors:
    """Standard errors of a mixture of linear experts; made by `MixtureOfExpertsRegressor.estimate_errors`.

    Parameters
    ----------
    estimates, standard_errors : ExpertParameters
        In the units of the data. Slopes of features that are combinations of others are NaN.
    information : {"observed", "sandwich"}
    residuals : Mixture
        The family of the covariances, and the names of the outputs.
    terms, gate_terms : tuple of str
        Names of what slopes are of.
    n_samples : float
        Rows, or the sum of their weights.
    shortfall : float
        How far the log-likelihood is below the optimum nearby, in nats, as its derivatives predict.
    """

    estimates: ExpertParameters
    standard_errors: ExpertParameters
    information: Kind
    residuals: Mixture
    terms: tuple[str, ...]
    gate_terms: tuple[str, ...]
    n_samples: float
    shortfall: float

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        m = self.residuals.n_features
        return self.residuals.feature_names or (("y",) if m == 1 else tuple(f"y{j}" for j in range(m)))

    def to_dict(self, level: float = 0.95) -> dict[str, list[Any]]:
        """A table by columns, one row a parameter, as constructors of data frames take it.

        The columns are part ("mean", "variance", "covariance", "gate" or "share"), expert (None of
        covariances that all share), output, term (of a covariance the other output), estimate,
        standard_error, z (their ratio, of means and the gate), p_value (two-sided, of the hypothesis zero, by
        the normal approximation), lower and upper. Intervals of variances are those of their logarithms.
        """
        from scipy.special import ndtr, ndtri

        reach = float(ndtri(0.5 + 0.5 * check_share(level, "level")))
        table: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        for part, expert, output, term, value, error in self._list_entries():
            tests = part in ("mean", "gate")
            ratio = value / error if tests and error > 0.0 else math.nan
            lower, upper = value - reach * error, value + reach * error
            if part == "variance" and value > 0.0:
                width = math.exp(reach * error / value)
                lower, upper = value / width, value * width
            p_value = 2.0 * float(ndtr(-abs(ratio)))
            row = part, expert, output, term, value, error, ratio, p_value, lower, upper
            for name, cell in zip(COLUMNS, row, strict=True):
                table[name].append(cell)
        return table

    def to_frame(self, backend: Any = "pandas", *, level: float = 0.95) -> Any:
        """The table of :meth:`to_dict` as a data frame of a library: "pandas", "polars" or "pyarrow"."""
        import narwhals as nw

        return nw.from_dict(self.to_dict(level), backend=backend).to_native()

    def summary(self, level: float = 0.95) -> str:
        """The table as text."""
        table = self.to_dict(level)
        rows = [["expert", "part", "of", "estimate", "standard error", "z", "p"]]
        for i, part in enumerate(table["part"]):
            names = [table["output"][i]] if len(self.outputs) > 1 else []
            if table["term"][i] is not None:
                names.append(table["term"][i])
            ratio, p_value = table["z"][i], table["p_value"][i]
            shown = [f"{table[name][i]:.5g}" for name in ("estimate", "standard_error")]
            shown += ["", ""] if math.isnan(ratio) else [f"{ratio:.2f}", f"{p_value:.2g}"]
            expert = "all" if table["expert"][i] is None else str(table["expert"][i])
            rows.append([expert, part, ", ".join(name for name in names if name), *shown])
        return f"{self!r}\n\n{make_text_table(rows)}"

    def __repr__(self) -> str:
        return f"ExpertErrors({self.information} information of {len(self.estimates.intercept)} experts)"

    def _list_entries(self) -> Iterator[tuple[str, int | None, str | None, str | None, float, float]]:
        """Part, expert, output and term of each parameter, its estimate and its standard error."""
        here, error = self.estimates, self.standard_errors
        for expert in range(len(here.intercept)):
            for j, output in enumerate(self.outputs):
                place = expert, j
                yield "mean", expert, output, "intercept", here.intercept[place], error.intercept[place]
                for i, term in enumerate(self.terms):
                    value, spread = here.coef[expert, j, i], error.coef[expert, j, i]
                    yield "mean", expert, output, term, value, spread
        for entry in list_entries(self.residuals):
            if entry.array == COVARIANCES:
                values = float(here.covariances[entry.place]), float(error.covariances[entry.place])
                yield entry.parameter, entry.component, entry.feature, entry.other, *values
        for row in range(len(here.gate_intercept)):
            values = float(here.gate_intercept[row]), float(error.gate_intercept[row])
            yield "gate", row + 1, None, "intercept", *values
            for i, term in enumerate(self.gate_terms):
                yield "gate", row + 1, None, term, here.gate_coef[row, i], error.gate_coef[row, i]
        for expert in range(len(here.weights)):
            yield "share", expert, None, None, here.weights[expert], error.weights[expert]


#: The columns of a table of errors.
COLUMNS = (
    "part", "expert", "output", "term", "estimate", "standard_error", "z", "p_value", "lower", "upper",
)  # fmt: skip


def make_errors(
    found: ExpertInformation,
    expand: Expand,
    *,
    terms: tuple[str, ...],
    gate_terms: tuple[str, ...],
    kind: Kind = "observed",
) -> ExpertErrors:
    """Standard errors from the information, in the units of the data.

    Parameters
    ----------
    found : ExpertInformation
    expand : callable
        From levels at zero, shape (k, m), and slopes, (k, p, m), of the features to those of the terms.
    terms, gate_terms : tuple of str
    kind : {"observed", "sandwich"}
        The latter holds where the model is wrong, too.

    Raises
    ------
    ValueError
        If the information is not positive definite.
    """
    covariance = invert(found.observed)
    shortfall = 0.5 * float(found.gradient @ covariance @ found.gradient)
    if kind == "sandwich":
        covariance = covariance @ found.products[1] @ covariance
    experts, gate = found.model.experts, found.model.gate
    (k, m), (n_gate, n_means, _) = found.residuals.shape[:2], found.sizes
    means = covariance[n_gate : n_gate + n_means, n_gate : n_gate + n_means]
    deviations = _spread_functions(means, _find_map(found.design, expand)).reshape(k, m, -1)
    intercepts, slopes = expand(experts.intercepts, experts.slopes)
    gate_map = _find_map(found.gate_design, lambda levels, slopes: (levels, slopes))
    gate_deviations = _spread_functions(covariance[:n_gate, :n_gate], gate_map).reshape(k - 1, len(gate_map))
    functions = _find_gate_functions(gate, len(gate_map))
    weights, weight_errors = np.empty(0), np.empty(0)
    if not hasattr(gate, "slopes"):
        weights = gate.weights
        moves = weights[:, None] * (np.eye(k)[:, 1:] - weights[1:])
        weight_errors = np.sqrt(np.einsum("ka,ab,kb->k", moves, covariance[:n_gate, :n_gate], moves))
        functions, gate_deviations = functions[:0], gate_deviations[:0]
    tangents = found.parametrisation.tangents
    flat = tangents.reshape(len(tangents), -1)
    variances = ((covariance[n_gate + n_means :, n_gate + n_means :] @ flat) * flat).sum(axis=0)
    spread = np.sqrt(np.maximum(variances, 0.0)).reshape(tangents.shape[1:])
    spread = np.array(experts.structure.unstack(spread))
    return ExpertErrors(
        ExpertParameters(
            intercepts,
            np.swapaxes(slopes, 1, 2),
            experts.covariances,
            functions[:, 0],
            functions[:, 1:],
            weights,
        ),
        ExpertParameters(
            deviations[:, :, 0],
            deviations[:, :, 1:],
            spread,
            gate_deviations[:, 0],
            gate_deviations[:, 1:],
            weight_errors,
        ),
        kind,
        experts.residuals,
        terms,
        gate_terms,
        float(found.masses.sum()),
        shortfall,
    )


def invert(information: Float64Array) -> Float64Array:
    """The inverse of an information matrix; ValueError where it is not positive definite."""
    diagonal = np.diagonal(information)
    if not (diagonal > 0.0).all():
        raise ValueError(SINGULAR_INFORMATION)
    scale = 1.0 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information * scale[:, None] * scale)
    if len(values) and values[0] < SINGULAR:
        raise ValueError(SINGULAR_INFORMATION)
    roots = scale[:, None] * vectors / np.sqrt(values)
    return np.asarray(roots @ roots.T)


def _find_map(design: Design, expand: Expand) -> Float64Array:
    """The matrix from functions of (1, A'(x - c)) to intercepts and slopes of terms.

    Slopes of features that are combinations of others are not unique, and NaN.
    """
    levels = np.concatenate([np.ones(1), -design.centre @ design.matrix])
    slopes = np.concatenate([np.zeros((len(design.matrix), 1)), design.matrix], axis=1)
    standard = design.matrix * design.spreads[:, None]
    own = np.square(np.linalg.qr(standard)[0]).sum(axis=1) > 1.0 - OWN
    slopes[~own] = np.nan
    intercepts, expanded = expand(levels[:, None], slopes.T[:, :, None])
    return np.concatenate([intercepts.T, expanded[:, :, 0].T])


def _spread_functions(covariance: Float64Array, matrix: Float64Array) -> Float64Array:
    """Standard errors of M b for functions b, one after the other, shape (number of functions, len(M))."""
    size = matrix.shape[1]
    count = len(covariance) // size
    blocks = covariance.reshape(count, size, count, size)[np.arange(count), :, np.arange(count)]
    variances = ((matrix @ blocks) * matrix).sum(axis=2)
    return np.asarray(np.sqrt(np.maximum(variances, 0.0)))


def _find_gate_functions(gate: Any, size: int) -> Float64Array:
    """The gate's functions at zero and their slopes, less those of the first expert, shape (k - 1, 1 + q)."""
    if not hasattr(gate, "slopes"):
        return np.zeros((gate.n_experts - 1, size))
    functions = np.concatenate([gate.intercepts[:, None], gate.slopes], axis=1)
    return np.asarray(functions[1:] - functions[0])
