"""Resamples of rows: drawn anew from the fit, drawn from the rows, or the same rows with random weights.

Each has a generator of its own, so that it is the same however many there are and whoever computes it.

References
----------
B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, Chapman and Hall 1993.
M. A. Newton and A. E. Raftery, Approximate Bayesian inference with the weighted likelihood bootstrap, J. R.
Stat. Soc. B 56 (1994) 3-48.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.infer.subject import Subject

#: Where resamples come from.
Method = Literal["parametric", "nonparametric", "weighted"]
METHODS: tuple[Method, ...] = get_args(Method)
#: A weight below this, relative to the mean weight, would underflow in products; such a row is left out.
NO_WEIGHT = 1e-12


class Resample(NamedTuple):
    """Rows, shape (n, d), or None for those of the data, and weights, shape (n,), or None for ones."""

    rows: FloatArray | None
    weights: Float64Array | None


def make_seeds(random_state: Any, n_resamples: int) -> list[np.random.SeedSequence]:
    """A seed for each resample; the first ones are the same however many there are."""
    if isinstance(random_state, np.random.SeedSequence):
        return random_state.spawn(n_resamples)
    if isinstance(random_state, int | np.integer | None):
        return np.random.SeedSequence(random_state).spawn(n_resamples)
    if isinstance(random_state, np.random.RandomState):
        entropy = random_state.randint(2**31, size=4).tolist()
    else:
        entropy = np.random.default_rng(random_state).integers(2**31, size=4).tolist()
    return np.random.SeedSequence(entropy).spawn(n_resamples)


def draw_resample(subject: Subject, method: Method, seed: np.random.SeedSequence) -> Resample:
    """One resample.

    parametric      rows drawn from the fitted mixture, as many as the weights of the data sum to
    nonparametric   how often each row is drawn: multinomial, in proportion to the weights
    weighted        Dirichlet weights with the weights of the rows as parameters
    """
    generator, rows = np.random.Generator(np.random.PCG64(seed)), subject.rows
    if method == "parametric":
        return Resample(subject.mixture.sample(subject.n_draws, generator)[0], None)
    if method == "nonparametric":
        return Resample(None, _draw_counts(subject, generator))
    masses = rows.weights
    drawn: Float64Array
    if masses is None:
        drawn = generator.standard_exponential(rows.shape[0])
    else:
        drawn = np.asarray(generator.standard_gamma(masses))
    weights = drawn * (rows.weight / drawn.sum())
    weights[weights < NO_WEIGHT * weights.mean()] = 0.0
    return Resample(None, weights)


def _draw_counts(subject: Subject, generator: np.random.Generator) -> Float64Array:
    """How often each row is drawn, scaled so that the sum is that of the weights of the data."""
    rows = subject.rows
    if rows.weights is None:
        n = rows.shape[0]
        return np.bincount(generator.integers(n, size=n), minlength=n).astype(np.float64)
    counts = generator.multinomial(subject.n_draws, rows.weights / rows.weights.sum())
    return np.asarray(counts * (rows.weight / subject.n_draws))
