"""Standard errors of a fit from the information that its rows hold: one pass, and no refit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gaussmix._text import count_noun
from gaussmix._typing import Float64Array
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.fit.arguments import find_stack_level
from gaussmix.infer.estimates import Estimated, Parameters
from gaussmix.infer.information import Information
from gaussmix.infer.intervals import Bounds, bound_by_errors
from gaussmix.infer.subject import Fit, Subject, check_choice, check_share, read_subject
from gaussmix.model.mixture import Mixture

#: Which estimate of the information.
Kind = Literal["observed", "empirical", "sandwich"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Smallest eigenvalue of the information, scaled to a diagonal of ones, that is no rounding.
SINGULAR = 1e-10
#: Nats below the optimum from which errors are doubtful.
SHORT = 0.5
#: The most features and components k F of which all products are kept: half a gigabyte.
MOST_FEATURES = 8_000

SINGULAR_INFORMATION = (
    "the {kind} information is not positive definite: the fit is no maximum of the likelihood (fit with a "
    "smaller tol), a component has too few rows for its covariance, or is at the bound of its variances. "
    "gaussmix.bootstrap shows which resamples collapse"
)


@dataclass(frozen=True, eq=False, repr=False)
class ParameterErrors(Estimated):
    """Standard errors of the parameters of a fit; made by :func:`gaussmix.estimate_errors`.

    Parameters
    ----------
    mixture : Mixture
        Of the fit.
    information : {"observed", "empirical", "sandwich"}
    standard_errors : Parameters
        In the coordinates of the data.
    n_samples : float
        Rows, or the sum of their weights.
    shortfall : float
        How far the log-likelihood is below the optimum nearby, in nats, as its derivatives predict.
    """

    mixture: Mixture
    information: Kind
    standard_errors: Parameters
    n_samples: float
    shortfall: float

    def intervals(self, level: float = 0.95) -> Bounds:
        """Confidence intervals of each parameter: the estimate -+ Student's quantile of standard errors.

        Weights are taken as log w / (1 - w), variances as log v and covariances as asinh(c / a), to which the
        delta method takes the errors, and the ends are mapped back.

        Returns
        -------
        lower, upper : Parameters
        """
        level = check_share(level, "level")
        return bound_by_errors(self.mixture, self.standard_errors, level, self.n_samples)

    def _list_columns(self, level: float, **options: Any) -> dict[str, Parameters]:
        lower, upper = self.intervals(level, **options)
        return {"standard_error": self.standard_errors, "lower": lower, "upper": upper}

    def __repr__(self) -> str:
        k = count_noun(self.mixture.n_components, "component")
        return f"ParameterErrors({self.information} information of {k}, {self.mixture.covariance_type})"


def estimate_errors(
    X: npt.ArrayLike,
    fit: Fit,
    *,
    information: Kind = "observed",
    sample_weight: npt.ArrayLike | None = None,
) -> ParameterErrors:
    """Standard errors of weights, means and covariances from the curvature of the likelihood.

    With l the log-likelihood and t free coordinates of the parameters, the errors are those of the matrix V,
    which the delta method takes to each parameter::

        observed    V = I^-1,  I = -d^2 l / dt^2
        empirical   V = J^-1,  J = sum_i w_i s_i s_i',  s_i = d log p(x_i) / dt
        sandwich    V = I^-1 J I^-1, which holds where the model is wrong, too

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows that the fit was made of.
    fit : FitResult, Mixture, SearchResult or GaussianMixture
        A maximum of the likelihood: one that was fitted with a small `tol`.
    information : {"observed", "empirical", "sandwich"}
    sample_weight : array-like of shape (n,), optional
        Those of the fit. A weight is a number of rows.

    Returns
    -------
    ParameterErrors

    Raises
    ------
    ValueError
        If an argument is wrong, the information is not positive definite, or the fit is one of which the
        errors are not those of a maximum of the likelihood: factor analysers, fits that are trimmed, or that
        have a prior or constraints. For these there is :func:`gaussmix.bootstrap`.

    Notes
    -----
    It takes one pass over the rows, of the cost of (k F)^2 for each, where F = 1 + d + d (d + 1) / 2 for
    matrices: for a million rows of eight features and five components, about ten seconds on two processors,
    as long as some tens of iterations. The errors hold where rows are many for each component.

    References
    ----------
    T. A. Louis, Finding the observed information matrix when using the EM algorithm, J. R. Stat. Soc. B 44
    (1982) 226-233.
    H. White, Maximum likelihood estimation of misspecified models, Econometrica 50 (1982) 1-25.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> fit = gaussmix.fit_mixture(X, 2, feature_names=names, tol=1e-8, random_state=0)
    >>> errors = gaussmix.estimate_errors(X, fit)
    >>> errors.standard_errors.weights.round(3).tolist()
    [0.029, 0.029]
    >>> lower, upper = errors.intervals(0.95)
    >>> bool((lower.weights < fit.mixture.weights).all())
    True
    """
    kind = check_choice(information, KINDS, "information")
    subject = read_subject(X, fit, sample_weight=sample_weight)
    _check_subject(subject)
    found = Information.of(subject.rows, subject.mixture)
    covariance = _invert(found.empirical if kind == "empirical" else found.observed, kind)
    shortfall = 0.5 * float(found.gradient @ covariance @ found.gradient)
    if kind == "sandwich":
        covariance = covariance @ found.empirical @ covariance
    if shortfall > SHORT:
        warnings.warn(
            f"the fit is about {shortfall:.2g} nats below the maximum of the likelihood, so that errors are "
            "doubtful; fit with a smaller tol",
            DoubtfulFitWarning,
            stacklevel=find_stack_level(),
        )
    spread, n_samples = _spread(found, covariance), subject.rows.weight
    return ParameterErrors(subject.mixture, information, spread, n_samples, shortfall)


def _check_subject(subject: Subject) -> None:
    """Raise ValueError where the errors are not those of a maximum of the likelihood."""
    structure, (k, d) = subject.structure, subject.mixture.means.shape
    reason = ""
    if subject.trim:
        reason = "a trimmed fit leaves out other rows in another sample"
    elif subject.prior is not None:
        reason = "a fit with a prior is no maximum of the likelihood"
    elif structure.n_factors:
        reason = f"covariances of the type {structure.name!r} have loadings, which are not unique"
    elif (subject.mixture.weights <= 0.0).any():
        reason = "a component has no weight"
    elif subject.mixture.noise is not None and not 0.0 < subject.mixture.noise.weight < 1.0:
        reason = "the noise has no weight, or all of it"
    elif k * structure.own_form.n_features(d) > MOST_FEATURES:
        reason = f"{k} components of {d} features have too many parameters for a matrix of all pairs"
    if reason:
        raise ValueError(f"there is no information matrix here: {reason}. Use gaussmix.bootstrap")


def _invert(information: Float64Array, kind: str) -> Float64Array:
    """The inverse of an information matrix; ValueError where it is not positive definite."""
    diagonal = np.diagonal(information)
    if not (diagonal > 0.0).all():
        raise ValueError(SINGULAR_INFORMATION.format(kind=kind))
    scale = 1.0 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information * scale[:, None] * scale)
    if len(values) and values[0] < SINGULAR:
        raise ValueError(SINGULAR_INFORMATION.format(kind=kind))
    roots = scale[:, None] * vectors / np.sqrt(values)
    return np.asarray(roots @ roots.T)


def _spread(information: Information, covariance: Float64Array) -> Parameters:
    """The standard errors of parameters from the covariance of their coordinates: the delta method."""
    mixture, contrasts = information.mixture, information.contrasts
    (k, d), first = mixture.means.shape, contrasts.shape[1]
    weights = np.sqrt(np.einsum("ka,ab,kb->k", contrasts, covariance[:first, :first], contrasts))
    means = np.sqrt(np.diagonal(covariance)[first : first + k * d]).reshape(k, d)
    tangents = information.parametrisation.tangents
    flat = tangents.reshape(len(tangents), -1)
    variances = ((covariance[first + k * d :, first + k * d :] @ flat) * flat).sum(axis=0)
    spread = np.sqrt(np.maximum(variances, 0.0)).reshape(tangents.shape[1:])
    arrays = [weights[:k], means, np.array(mixture.structure.unstack(spread))]
    return Parameters.of_arrays(arrays if mixture.noise is None else [*arrays, weights[k]])
