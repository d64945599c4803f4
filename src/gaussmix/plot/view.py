"""What a picture shows, computed before it is drawn: features, their range, points and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gaussmix import _check
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.mixture import Mixture

#: Features of a pairs picture unless the caller names others.
LEGIBLE_FEATURES = 6


@dataclass(frozen=True)
class View:
    """The marginal mixture of the features shown, and the data in them."""

    mixture: Mixture
    noise: float  # the weight of its noise, of which no marginal is shown
    names: tuple[str, ...]  # of the features shown
    n_features: int  # of the whole mixture
    limits: Float64Array  # (shown, 2)
    rows: Float64Array | None  # (n, shown): all of the data, for the histograms
    points: Float64Array  # (m, shown): the rows that are scattered, in random order
    labels: IntArray  # (m,): the most probable component of each point, -1 for noise
    sureness: Float64Array  # (m,): 0 where all components are equally probable, 1 where one is certain
    seed: int

    @property
    def n_shown(self) -> int:
        """The number of features shown."""
        return len(self.names)


def make_view(
    mixture: Mixture,
    X: ArrayLike | None,
    features: Sequence[int | str] | None,
    max_points: int,
    seed: int,
) -> View:
    """The view for the arguments of `plot_mixture`. Raises ValueError where they do not fit together."""
    names = mixture.feature_names or tuple(f"feature {j + 1}" for j in range(mixture.n_features))
    chosen = _choose_features(names, features)
    shown = make_marginal(mixture, chosen)
    table: FloatArray = np.empty((0, mixture.n_features))
    if X is not None:
        table, _ = _check.read_rows(X, mixture.n_features)
        if not len(table):
            raise ValueError("X has no rows; leave it out to draw the mixture alone")
    rows = table[:, chosen].astype(np.float64)
    picked = np.random.default_rng(seed).permutation(len(table))[:max_points]
    # The labels come from all features, not from the ones shown. A point that looks out of place in one panel
    # may be in its place in the others.
    labels, sureness = _find_labels(mixture, table[picked])
    return View(
        mixture=shown,
        noise=0.0 if mixture.noise is None else mixture.noise.weight,
        names=tuple(names[j] for j in chosen),
        n_features=mixture.n_features,
        limits=_find_limits(shown, rows),
        rows=None if X is None else rows,
        points=rows[picked],
        labels=labels,
        sureness=sureness,
        seed=seed,
    )


def make_marginal(mixture: Mixture, features: list[int]) -> Mixture:
    """The mixture of the Gaussians alone in these features, in this order; others are integrated out."""
    covariances = mixture.dense_covariances[:, features][:, :, features]
    return Mixture(mixture.without_noise().weights, mixture.means[:, features], covariances)


def _choose_features(names: Sequence[str], features: Sequence[int | str] | None) -> list[int]:
    if features is None:
        return list(range(min(len(names), LEGIBLE_FEATURES)))
    chosen = []
    for feature in [features] if isinstance(features, str) else features:
        if isinstance(feature, str):
            if feature not in names:
                raise ValueError(f"features names {feature!r}, but the mixture has {', '.join(names)}")
            chosen.append(list(names).index(feature))
        elif -len(names) <= feature < len(names):
            chosen.append(feature % len(names))
        else:
            raise ValueError(f"features asks for position {feature}, but they go from 0 to {len(names) - 1}")
    if not chosen:
        raise ValueError("features is empty; give at least one position or name, or None for the first six")
    return chosen


def _find_limits(mixture: Mixture, rows: Float64Array) -> Float64Array:
    """The first and the last value of each axis."""
    spread = np.sqrt(np.diagonal(mixture.dense_covariances, axis1=1, axis2=2))
    reach = 2.5 if len(rows) else 3.0
    low = (mixture.means - reach * spread).min(axis=0)
    high = (mixture.means + reach * spread).max(axis=0)
    if len(rows):
        first, last = rows.min(axis=0), rows.max(axis=0)
        # One broad component must not reduce the data to a corner of the picture.
        room = np.where(last > first, last - first, np.inf)
        low = np.minimum(first, np.maximum(low, first - room / 2))
        high = np.maximum(last, np.minimum(high, last + room / 2))
    middle, half = (low + high) / 2, (high - low) / 2 * 1.05
    # For a single collapsed component the ends of an axis must still differ in floating point.
    least = 1e-9 * np.abs(middle)
    half = np.where(half > least, half, np.where(middle == 0, 1.0, 1e3 * least))
    return np.column_stack([middle - half, middle + half])


def _find_labels(mixture: Mixture, points: FloatArray) -> tuple[IntArray, Float64Array]:
    if not len(points):
        return np.empty(0, np.int64), np.empty(0)
    responsibilities = mixture.responsibilities(points)
    chance = 1.0 / responsibilities.shape[1]
    surest = responsibilities.max(axis=1).astype(np.float64)
    sureness = (
        np.ones(len(points)) if chance == 1.0 else np.clip((surest - chance) / (1.0 - chance), 0.0, 1.0)
    )
    return mixture.predict(points), sureness
