"""Distribution functions: of one feature exact in both tails, of several by boxes without a lower corner."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.density.boxes import Points, Precision, find_log_boxes
from gaussmix.model.mixture.density.defaults import MOST_POINTS, SEED, TOLERANCE
from gaussmix.model.mixture.density.line import Line
from gaussmix.model.mixture.density.points import read_points, read_shares
from gaussmix.model.mixture.density.quantiles import find_quantiles
from gaussmix.model.mixture.properties import MixtureProperties


def find_below(mixture: MixtureProperties, X: Any) -> Any:
    """P(X_j <= x_j for all j), an array with one number for each point, or a number."""
    points, shape = read_points(mixture, X)
    if mixture.n_features == 1:
        below, above, _ = Line.of(mixture).look(points[:, 0])
        return _finish(np.where(below > above, 1.0 - above, below), shape)
    return _finish(np.exp(_find_log_corner(mixture, points, below=True)), shape)


def find_above(mixture: MixtureProperties, X: Any) -> Any:
    """P(X_j > x_j for all j)."""
    points, shape = read_points(mixture, X)
    if mixture.n_features == 1:
        below, above, _ = Line.of(mixture).look(points[:, 0])
        return _finish(np.where(above > below, 1.0 - below, above), shape)
    return _finish(np.exp(_find_log_corner(mixture, points, below=False)), shape)


def find_log_below(mixture: MixtureProperties, X: Any) -> Any:
    """The logarithm of :func:`find_below`."""
    points, shape = read_points(mixture, X)
    if mixture.n_features == 1:
        return _finish(Line.of(mixture).find_log_cdf(points[:, 0]), shape)
    return _finish(_find_log_corner(mixture, points, below=True), shape)


def find_log_above(mixture: MixtureProperties, X: Any) -> Any:
    """The logarithm of :func:`find_above`."""
    points, shape = read_points(mixture, X)
    if mixture.n_features == 1:
        return _finish(Line.of(mixture).mirrored.find_log_cdf(-points[:, 0]), shape)
    return _finish(_find_log_corner(mixture, points, below=False), shape)


def find_quantile(mixture: MixtureProperties, q: Any, *, of_upper: bool) -> Any:
    """The x with P(X <= x) = q, or with P(X > x) = q, an array of the shape of q, or a number."""
    if mixture.n_features != 1:
        raise ValueError(
            f"quantiles are those of one feature, and this mixture has {mixture.n_features}; take its "
            "marginal of one feature"
        )
    shares = read_shares(q, "q")
    flat = shares.ravel()
    pair = (1.0 - flat, flat) if of_upper else (flat, 1.0 - flat)
    return _finish(find_quantiles(Line.of(mixture), *pair), shares.shape)


def make_precision(tolerance: float, max_points: int, rng: np.random.Generator | int | None) -> Precision:
    """How exactly boxes are integrated, checked."""
    if not tolerance > 0.0:
        raise ValueError(f"tolerance must be positive; got {tolerance!r}")
    if not max_points >= 1:
        raise ValueError(f"max_points must be at least 1; got {max_points!r}")
    return Precision(Points(np.random.default_rng(rng)), float(tolerance), int(max_points))


def _find_log_corner(mixture: MixtureProperties, points: Float64Array, *, below: bool) -> Float64Array:
    free = np.full(points.shape, -np.inf if below else np.inf)
    low, high = (free, points) if below else (points, free)
    return find_log_boxes(mixture, low, high, make_precision(TOLERANCE, MOST_POINTS, SEED))[0]


def _finish(answer: Float64Array, shape: tuple[int, ...]) -> Any:
    """The answer in its shape; a number for a single point."""
    return answer.reshape(shape)[()]
