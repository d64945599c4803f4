"""What a fit reports: the mixture, why it stopped, and what to do about it."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._text import count_noun, make_html_facts
from gaussmix._typing import Float64Array, IntArray
from gaussmix.fit.component_names import rename_components
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.alignment import find_alignment
from gaussmix.model.mixture.order import find_order, take_components
from gaussmix.model.mixture.parts import read_mixture
from gaussmix.model.mixture.printing import MOST_COMPONENTS, MOST_FEATURES, format_html


class FitStatus(enum.StrEnum):
    """Why a fit stopped."""

    CONVERGED = "converged"
    MAX_ITER = "reached max_iter"
    INTERRUPTED = "interrupted"
    DEGENERATE = "degenerate"
    NOT_RUN = "not iterated"


@dataclass(frozen=True)
class StartReport:
    """What became of a start of a fit.

    Parameters
    ----------
    source : str
        Where it is from: a start by name, "given", or "split and merge" for what such moves made of another.
    n_iter : int
        Iterations done, of a race those on a sample among them.
    mean_log_likelihood : float
        Where it ended, for each unit of weight (of a sample, where it went no further); with a prior, of the
        product with that. Minus infinity where there was no iteration.
    outcome : str
        Why it stopped there.
    """

    source: str
    n_iter: int
    mean_log_likelihood: float
    outcome: str


@dataclass(frozen=True, repr=False)
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
        value belongs to the parameters of that moment, the last one to `mixture`. Where another start than
        k-means has won a race, its iterations there come first; those on a sample of the rows have the
        likelihood of the sample. `max_iter` bounds each run by itself.
    n_samples : float
        Sum of the sample weights (the number of rows where there are none); of a trimmed fit, those kept.
    failed_starts : tuple of str
        Which starts collapsed, and which component did.
    collapsed : tuple of int
        Components of `mixture` that sit on next to no rows, with variances held at the floor; or, without a
        floor, those that would have collapsed in the next iteration.
    n_reseeds : int
        How often collapsed components were moved to other rows, over all starts.
    log_priors : tuple of float
        With a prior, its log-density (but for a constant) at the parameters of each moment of `history`, for
        each unit of weight: EM raises the sum of the two. Empty without one.
    n_fixed_parameters : int
        How many parameters of the mixture constraints held.
    starts : tuple of StartReport
        Of every start: where from, where it ended, and why it stopped.
    kept : ndarray of shape (n,), optional
        For a trimmed fit, the weight of each row that the mixture was fitted to: all of it, none, or for rows
        on the border a part; read-only. Likelihoods and criteria are of these weights.
    held : tuple of int
        Components of which the least variance allowed decides some variance, and so the likelihood.
    doubt : float, optional
        How doubtful the labels of the rows are, in nats: -sum_i w_i log max_k r_ik, with the responsibilities
        r. Searches measure it for `icl`.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> X = np.concatenate([np.zeros((5, 1)), np.ones((5, 1))]) + np.linspace(-0.1, 0.1, 10)[:, None]
    >>> result = gaussmix.fit_mixture(X, 2, random_state=0)
    >>> result
    FitResult(2 components of 1 feature, full; converged after ...; mean log-likelihood ..., BIC ...)
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
    failed_starts: tuple[str, ...] = ()
    collapsed: tuple[int, ...] = ()
    n_reseeds: int = 0
    log_priors: tuple[float, ...] = ()
    n_fixed_parameters: int = 0
    starts: tuple[StartReport, ...] = ()
    kept: Float64Array | None = field(default=None, compare=False)
    held: tuple[int, ...] = ()
    doubt: float | None = None

    @property
    def trimmed(self) -> npt.NDArray[np.bool_] | None:
        """The rows that a trimmed fit left out altogether, shape (n,); None of any other."""
        return None if self.kept is None else self.kept == 0.0

    @property
    def n_failed_starts(self) -> int:
        """Starts that collapsed."""
        return len(self.failed_starts)

    @property
    def n_iter(self) -> int:
        """Iterations that led to `mixture`, those of a race among them."""
        return len(self.history) - 1

    @property
    def converged(self) -> bool:
        """Whether the likelihood (with a prior, its product with that) stopped rising before max_iter."""
        return self.status == FitStatus.CONVERGED  # the text alone, in a result that skops restored

    @property
    def mean_log_likelihood(self) -> float:
        """Of `mixture`, for each unit of weight."""
        return self.history[-1]

    @property
    def log_likelihood(self) -> float:
        """Of `mixture`, over all rows: sum_i w_i log p(x_i)."""
        return self.history[-1] * self.n_samples

    @property
    def log_prior(self) -> float:
        """The log-density of the prior at `mixture`, but for a constant; zero without a prior."""
        return self.log_priors[-1] * self.n_samples if self.log_priors else 0.0

    @property
    def objective(self) -> tuple[float, ...]:
        """What EM raised, at each moment of `history`: the likelihood, with a prior its product with that."""
        if not self.log_priors:
            return self.history
        return tuple(map(sum, zip(self.history, self.log_priors, strict=True)))

    @property
    def n_parameters(self) -> int:
        """Free parameters: those of the mixture less those that constraints held."""
        return self.mixture.n_parameters - self.n_fixed_parameters

    @property
    def bic(self) -> float:
        """Bayesian information criterion, p log n - 2 log L; lower is better."""
        return self.n_parameters * math.log(self.n_samples) - 2.0 * self.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's information criterion, 2 p - 2 log L; lower is better."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def icl(self) -> float:
        """Integrated completed likelihood, BIC - 2 sum_i w_i log max_k r_ik; lower is better.

        It is BIC for the rows and their labels together (Biernacki, Celeux and Govaert 2000): components that
        overlap cost as much as the labels are doubtful. ValueError where the doubt was not measured.
        """
        if self.doubt is None:
            raise ValueError(
                "icl needs the rows: gaussmix.search measures it for every fit, and GaussianMixture.icl(X) "
                "for one"
            )
        return self.bic + 2.0 * self.doubt

    def sort_by(self, key: str | int) -> Self:
        """The same result with the components of its mixture in another order: :meth:`Mixture.sort_by`.

        Parameters
        ----------
        key : str or int
            "weight", "first axis", or a feature by name or place.

        Returns
        -------
        FitResult
            `collapsed` and `advice` have the new numbers; `starts` and `failed_starts` are of the old ones.
        """
        return self.take_components(find_order(self.mixture, key))

    def align_to(self, reference: Any) -> Self:
        """The same result with components at the places of those of a reference: :meth:`Mixture.align_to`.

        Parameters
        ----------
        reference : Mixture, FitResult, SearchResult or GaussianMixture

        Returns
        -------
        FitResult
        """
        other = read_mixture(reference, "reference", Mixture)
        return self.take_components(find_alignment(self.mixture, other))

    def take_components(self, order: IntArray) -> Self:
        """The result with the components of its mixture in this order, a permutation of them."""
        places = [int(place) for place in np.argsort(order)]
        return replace(
            self,
            mixture=take_components(self.mixture, order),
            collapsed=tuple(sorted(places[component] for component in self.collapsed)),
            held=tuple(sorted(places[component] for component in self.held)),
            advice=rename_components(self.advice, places),
        )

    def summary(self, *, max_components: int = MOST_COMPONENTS, max_features: int = MOST_FEATURES) -> str:
        """The mixture as a table, and below it how the fit went.

        Parameters
        ----------
        max_components, max_features : int
            How many are shown; what is not is counted below the table.

        Returns
        -------
        str

        See Also
        --------
        Mixture.summary : the table alone

        Examples
        --------
        >>> import gaussmix
        >>> from gaussmix.datasets import load_faithful
        >>> X, names = load_faithful()
        >>> print(gaussmix.fit_mixture(X, 1, feature_names=names).summary())
        Gaussian mixture: 1 component, 2 features, covariance full
        <BLANKLINE>
        component   weight     eruptions       waiting
                0   1.0000   3.49 ± 1.14   70.9 ± 13.6
        Each cell: mean ± standard deviation.
        <BLANKLINE>
        status          converged after ...
        samples         272
        log-likelihood  -1289.796... (-4.7419 per sample)
        BIC             2607.622... (lower is better)
        AIC             2589.593... (lower is better)
        """
        facts = self._list_facts()
        width = max(len(name) for name, _ in facts)
        table = self.mixture.summary(max_components=max_components, max_features=max_features)
        return "\n".join([table, "", *(f"{name.ljust(width)}  {value}" for name, value in facts)])

    def __repr__(self) -> str:
        mixture = self.mixture
        sizes = (
            f"{count_noun(mixture.n_components, 'component')} of {count_noun(mixture.n_features, 'feature')}"
        )
        family = mixture.covariance_type + ("" if mixture.noise is None else " with noise")
        numbers = f"mean log-likelihood {self.mean_log_likelihood:.6g}, BIC {self.bic:.6g}"
        if math.isnan(self.mean_log_likelihood):
            numbers = "likelihood not known"
        return f"{type(self).__name__}({sizes}, {family}; {self._outcome}; {numbers})"

    def _repr_html_(self) -> str:
        return f"<div>{format_html(self.mixture)}{make_html_facts(self._list_facts())}</div>"

    def _list_facts(self) -> list[tuple[str, str]]:
        """What is said of the fit, by name; nothing of what is empty."""
        left_out = (
            "" if self.trimmed is None else f"{count_noun(int(self.trimmed.sum()), 'row')} of lowest density"
        )
        likelihood = f"{self.log_likelihood:.10g} ({self.mean_log_likelihood:.6g} per sample)"
        facts = [
            ("status", self._outcome),
            ("samples", f"{self.n_samples:.10g}"),
            ("left out", left_out),
            ("log-likelihood", likelihood),
            *((name, f"{value:.10g} (lower is better)") for name, value in self._list_criteria().items()),
            ("collapsed starts", str(self.n_failed_starts or "")),
            ("advice", self.advice),
        ]
        return [(name, value) for name, value in facts if value]

    def _list_criteria(self) -> dict[str, float]:
        """Criteria of selection by name, in the order of print."""
        return {"BIC": self.bic, "AIC": self.aic}

    @property
    def _outcome(self) -> str:
        return f"{self.status!s} after {count_noun(self.n_iter, 'iteration')}"
