"""What a fit of a mixture of experts reports."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Generic

from gaussmix._text import count_noun, list_some
from gaussmix._typing import Float64Array
from gaussmix.apps.experts.model import MixtureOfExperts
from gaussmix.apps.experts.protocols import E, G
from gaussmix.fit.result import FitStatus, StartReport

COLLAPSED = (
    "{who} lost all rows, and iteration stopped before that. Use fewer experts (n_experts), more starts "
    "(n_init), or a larger alpha."
)
SPIKE = (
    "{who} {verb} a few rows all but exactly, so the likelihood says nothing. Use fewer experts (n_experts), "
    "covariances that experts share (covariance_type='tied'), a larger alpha, or more starts (n_init)."
)
HELD = (
    "{who} {verb} rows exactly in some direction (repeated or collinear outputs): residual variances are "
    "held at the least allowed, so the likelihood depends on that bound."
)
COINCIDE = "{who} coincide: fewer experts (n_experts) say the same."
UNFINISHED = "EM did not converge in max_iter iterations. Increase max_iter or tol."
STOPPED = "The fit was stopped from outside; the experts are the best so far."


@dataclass(frozen=True, eq=False)
class ExpertsFit(Generic[G, E]):
    """The outcome of a fit of a mixture of experts.

    Parameters
    ----------
    model : MixtureOfExperts
        Gate and experts, in the data's units.
    status : FitStatus
    advice : str
        What to know and to do about it; empty when all is well.
    history : tuple of float
        Mean log-likelihood for each unit of weight, in nats: of the start, then after each iteration. Where
        the race was run on a sample, its iterations have the likelihood of the sample and are not among them.
    log_priors : tuple of float
        The penalties of the ridges at the same moments. EM raises the sum of the two.
    n_samples : float
        Sum of the weights.
    counts : ndarray of shape (k,)
        Effective rows of each expert.
    collapsed : tuple of int
        Experts that would have lost all rows in the next iteration.
    spikes : tuple of int
        Experts of few rows that fit them all but exactly.
    held : tuple of int
        Experts of which the least variance allowed decides some variance, and so the likelihood.
    starts : tuple of StartReport
        Of every start: its kind, where it ended, and why it stopped.
    """

    model: MixtureOfExperts[G, E]
    status: FitStatus
    advice: str
    history: tuple[float, ...]
    log_priors: tuple[float, ...]
    n_samples: float
    counts: Float64Array
    collapsed: tuple[int, ...] = ()
    spikes: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    starts: tuple[StartReport, ...] = field(default=(), repr=False)

    @property
    def n_iter(self) -> int:
        """Iterations that led to the model."""
        return len(self.history) - 1

    @property
    def converged(self) -> bool:
        """Whether the likelihood, with the penalty, stopped rising before max_iter."""
        return self.status == FitStatus.CONVERGED

    @property
    def mean_log_likelihood(self) -> float:
        """Of the model, for each unit of weight."""
        return self.history[-1]

    @property
    def log_likelihood(self) -> float:
        """Of the model, over all rows, in nats."""
        return self.history[-1] * self.n_samples

    @property
    def n_parameters(self) -> int:
        """Free parameters of gate and experts."""
        return self.model.n_parameters

    @property
    def bic(self) -> float:
        """Bayesian information criterion, p log n - 2 log L; lower is better."""
        return self.n_parameters * math.log(self.n_samples) - 2.0 * self.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's information criterion, 2 p - 2 log L; lower is better."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    def __repr__(self) -> str:
        return (
            f"ExpertsFit({count_noun(self.model.n_experts, 'expert')}; {self.status!s} after "
            f"{count_noun(self.n_iter, 'iteration')}; mean log-likelihood {self.mean_log_likelihood:.6g}, "
            f"BIC {self.bic:.6g})"
        )


def write_advice(
    status: FitStatus,
    collapsed: tuple[int, ...],
    spikes: tuple[int, ...],
    held: tuple[int, ...],
    coinciding: tuple[int, ...],
) -> str:
    """What to know and to do about the outcome, in sentences; empty when all is well."""
    parts = []
    if status == FitStatus.DEGENERATE:
        parts.append(COLLAPSED.format(who=_name(collapsed)))
    if status == FitStatus.MAX_ITER:
        parts.append(UNFINISHED)
    if status == FitStatus.INTERRUPTED:
        parts.append(STOPPED)
    if spikes:
        parts.append(SPIKE.format(who=_name(spikes), verb="fits" if len(spikes) == 1 else "fit"))
    others = tuple(expert for expert in held if expert not in spikes)
    if others:
        parts.append(HELD.format(who=_name(others), verb="fits" if len(others) == 1 else "fit"))
    if coinciding:
        parts.append(COINCIDE.format(who=_name(coinciding)))
    return " ".join(parts)


def _name(experts: tuple[int, ...]) -> str:
    return f"Expert{'s' if len(experts) != 1 else ''} {list_some(experts)}" if experts else "An expert"
