"""What gates and experts are, and what their M-steps are: the seams of a mixture of experts.

A model p(y | x) = sum_k g_k(z) p_k(y | x) has a gate, which gives each expert its share by features z, and
experts, which say how likely y is by the features x. Both are frozen values in the data's own units. Their
M-steps hold the training rows, in whatever coordinates suit them, and know hyperparameters; what they iterate
is of the same types, in these coordinates, and `publish` maps it to the data's units at the end.

All arrays of rows and experts have the shape (n, k). Those whose experts are contiguous (`.T` of an array of
shape (k, n)) are the fastest, since sums over experts run along whole vectors.
"""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from gaussmix._typing import Float64Array, IntArray

G = TypeVar("G", bound="Gate")
E = TypeVar("E", bound="Experts")


class Gate(Protocol):
    """Gives each of k experts its share of a row, by the row's features z."""

    @property
    def n_experts(self) -> int:
        """Number of experts k."""

    @property
    def n_parameters(self) -> int:
        """Free parameters, for information criteria."""

    def log_weights(self, Z: Float64Array) -> Float64Array:
        """The terms that the log-densities of the experts are added to, shape (n, k).

        They are log g_k(z) or, of a gate that is a density of z itself, log p(k, z).
        """

    def log_shares(self, Z: Float64Array) -> Float64Array:
        """Log g_k(z) = log p(k | z), shape (n, k)."""

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""


class Experts(Protocol):
    """The k conditional densities p_k(y | x)."""

    @property
    def n_experts(self) -> int:
        """Number of experts k."""

    @property
    def n_parameters(self) -> int:
        """Free parameters, for information criteria."""

    def log_prob(self, X: Any, y: Any) -> Float64Array:
        """Log p_k(y_i | x_i), in nats, shape (n, k)."""

    def locate(self, X: Any) -> Float64Array:
        """The mean of y in each expert, shape (n, k, m); of classes, their probabilities."""

    def make_batch(self, log_shares: Float64Array, X: Any, log_evidence: Float64Array) -> Any:
        """The predictive distributions of rows: n mixtures with these shares, (n, k), of the experts.

        Of Gaussian experts a :class:`gaussmix.MixtureBatch`, of others what answers in the same words. The
        evidence, (n,), is the log-density of what the gate sees; zero where the gate is no density.
        """

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""


class GateStep(Protocol[G]):
    """The M-step of a gate for the training rows, which it holds with their features z."""

    def update(self, R: Float64Array, before: G | None) -> G:
        """The gate that raises sum_ik R_ik log p(k, z_i) and the log-prior, if it can be raised.

        R are responsibilities times the weights of the rows, shape (n, k). Without a gate before, as at a
        start, the gate is a sensible one for these. Raises NotPositiveDefiniteError, with the experts, where
        some have collapsed.
        """

    def evaluate(self, gate: G) -> Float64Array:
        """The log-weights of the training rows, shape (n, k), but for terms that no parameter changes."""

    def log_prior(self, gate: G) -> float:
        """The penalty of its parameters, in nats; zero where there is none."""

    def find_spikes(self, gate: G, counts: Float64Array) -> tuple[int, ...]:
        """Experts of which the gate's likelihood says nothing, given the effective rows of each, (k,)."""

    def publish(self, gate: G) -> G:
        """The gate in the data's units."""

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""


class ExpertStep(Protocol[E]):
    """The M-step of experts for the training rows, which it holds with their features x and outputs y."""

    def update(self, R: Float64Array, before: E | None) -> E:
        """The experts that raise sum_ik R_ik log p_k(y_i | x_i) and the log-prior, or the highest of these.

        R are responsibilities times the weights of the rows, shape (n, k). Raises NotPositiveDefiniteError,
        with the experts, where some have collapsed.
        """

    def evaluate(self, experts: E) -> Float64Array:
        """Log p_k(y_i | x_i) of the training rows, in the data's units, shape (n, k)."""

    def log_prior(self, experts: E) -> float:
        """The penalty of their parameters, in nats; zero where there is none."""

    def find_spikes(self, experts: E, counts: Float64Array) -> tuple[int, ...]:
        """Experts whose likelihood says nothing, given the effective rows of each, shape (k,).

        An expert of few rows that fits them all but exactly is one: its likelihood has no bound.
        """

    def publish(self, experts: E) -> E:
        """The experts in the data's units."""

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""


@runtime_checkable
class HasFloor(Protocol):
    """An M-step of experts whose residual variances have a least value."""

    def find_held(self, experts: Any) -> tuple[int, ...]:
        """Experts of which that value, and not the rows, decides some variance."""
