"""What a fit reports: the mixture, why it stopped, and what to do about it."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from gaussmix.model.mixture import Mixture


class FitStatus(enum.StrEnum):
    """Why a fit stopped."""

    CONVERGED = "converged"
    MAX_ITER = "reached max_iter"
    INTERRUPTED = "interrupted"
    DEGENERATE = "degenerate"
    NOT_RUN = "not iterated"


#: What to do about each status that is not a success.
ADVICE = {
    FitStatus.CONVERGED: "",
    FitStatus.MAX_ITER: (
        "Best performing initialization did not converge. Try different init parameters, or increase "
        "max_iter, tol, or check for degenerate data."
    ),
    FitStatus.INTERRUPTED: "The fit was stopped from outside; the mixture is the best so far.",
    FitStatus.DEGENERATE: (
        "A component collapsed on too few distinct rows, and iteration stopped before it did. "
        "Use fewer components, a larger reg_covar, or a simpler covariance_type."
    ),
    FitStatus.NOT_RUN: "",
}


@dataclass(frozen=True)
class FitResult:
    """The outcome of a fit.

    Parameters
    ----------
    mixture : Mixture
        The best mixture found.
    status : FitStatus
    advice : str
        What to do about the status; empty when all is well.
    history : tuple of float
        Mean log-likelihood for each unit of weight, in nats: of the start, then after each iteration. Each
        value belongs to the parameters of that moment, the last one to `mixture`.
    n_samples : float
        Sum of the sample weights (the number of rows where there are none).
    n_failed_starts : int
        Starts that led to no mixture at all.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> X = np.concatenate([np.zeros((5, 1)), np.ones((5, 1))]) + np.linspace(-0.1, 0.1, 10)[:, None]
    >>> result = gaussmix.fit_mixture(X, 2, random_state=0)
    >>> result.status
    <FitStatus.CONVERGED: 'converged'>
    >>> sorted(result.mixture.means.ravel().round(2).tolist())
    [-0.06, 1.06]
    """

    mixture: Mixture
    status: FitStatus
    advice: str
    history: tuple[float, ...]
    n_samples: float
    n_failed_starts: int = 0

    @property
    def n_iter(self) -> int:
        """Iterations done."""
        return len(self.history) - 1

    @property
    def converged(self) -> bool:
        """Whether the likelihood stopped rising before max_iter."""
        return self.status is FitStatus.CONVERGED

    @property
    def mean_log_likelihood(self) -> float:
        """Of `mixture`, for each unit of weight."""
        return self.history[-1]

    @property
    def log_likelihood(self) -> float:
        """Of `mixture`, over all rows: sum_i w_i log p(x_i)."""
        return self.history[-1] * self.n_samples

    @property
    def bic(self) -> float:
        """Bayesian information criterion, p log n - 2 log L; lower is better."""
        return self.mixture.n_parameters * math.log(self.n_samples) - 2.0 * self.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's information criterion, 2 p - 2 log L; lower is better."""
        return 2.0 * self.mixture.n_parameters - 2.0 * self.log_likelihood
