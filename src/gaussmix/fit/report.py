"""A result in print: one line, a text, and a page of a notebook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gaussmix._text import count, html_facts
from gaussmix.model.mixture.printing import html_of

if TYPE_CHECKING:
    from gaussmix.fit.result import FitResult


def line_of(result: FitResult) -> str:
    """What came out, in one line."""
    mixture = result.mixture
    sizes = f"{count(mixture.n_components, 'component')} of {count(mixture.n_features, 'feature')}"
    family = mixture.covariance_type + ("" if mixture.noise is None else " with noise")
    numbers = f"mean log-likelihood {result.mean_log_likelihood:.6g}, BIC {result.bic:.6g}"
    if math.isnan(result.mean_log_likelihood):
        numbers = "likelihood not known"
    return f"{type(result).__name__}({sizes}, {family}; {_outcome(result)}; {numbers})"


def text_of_result(result: FitResult, max_components: int, max_features: int) -> str:
    """The mixture as a table, and below it the facts."""
    facts = _facts(result)
    width = max(len(name) for name, _ in facts)
    table = result.mixture.summary(max_components=max_components, max_features=max_features)
    return "\n".join([table, "", *(f"{name.ljust(width)}  {value}" for name, value in facts)])


def html_of_result(result: FitResult) -> str:
    """The same as HTML."""
    return f"<div>{html_of(result.mixture)}{html_facts(_facts(result))}</div>"


def _facts(result: FitResult) -> list[tuple[str, str]]:
    """What is said of the fit, by name."""
    criteria = {"BIC": result.bic, "AIC": result.aic}
    length = getattr(result, "message_length", None)
    if length is not None:
        criteria = {"message length": length, **criteria}
    trimmed = None if result.trimmed is None else int(result.trimmed.sum())
    likelihood = f"{result.log_likelihood:.10g} ({result.mean_log_likelihood:.6g} per sample)"
    facts = [
        ("status", _outcome(result)),
        ("samples", f"{result.n_samples:.10g}"),
        ("left out", "" if trimmed is None else f"{count(trimmed, 'row')} of lowest density"),
        ("log-likelihood", likelihood),
        *((name, f"{value:.10g} (lower is better)") for name, value in criteria.items()),
        ("collapsed starts", str(result.n_failed_starts or "")),
        ("advice", result.advice),
    ]
    return [(name, value) for name, value in facts if value]


def _outcome(result: FitResult) -> str:
    return f"{result.status!s} after {count(result.n_iter, 'iteration')}"
