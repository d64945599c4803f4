r"""Proper scores of predictive distributions that are mixtures of Gaussians: exact, or by draws.

References
----------
E. P. Grimit, T. Gneiting, V. J. Berrocal and N. A. Johnson, The continuous ranked probability score for
circular variables and its application to mesoscale forecast ensemble verification, Q. J. R. Meteorol. Soc.
132 (2006) 2925-2942, for mixtures of Gaussians. T. Gneiting and A. E. Raftery, Strictly proper scoring rules,
prediction, and estimation, J. Am. Stat. Assoc. 102 (2007) 359-378.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_array
from gaussmix._typing import Float64Array
from gaussmix.apps.regression.grouped import Predictive, list_groups
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.observation import step_over

#: Draws of each distribution by which an energy score is estimated.
DRAWS = 200


def crps(predictive: Mixture | Predictive, y: npt.ArrayLike) -> Float64Array:
    r"""Continuous ranked probability score of each prediction, in the units of y; lower is better.

    .. math::
        \int (F(t) - 1[y \le t])^2 dt = E|Y - y| - \tfrac12 E|Y - Y'|
        = \sum_i w_i A(y - m_i, s_i^2) - \tfrac12 \sum_{ij} w_i w_j A(m_i - m_j, s_i^2 + s_j^2),

        A(m, s^2) = 2 s \phi(m / s) + m (2 \Phi(m / s) - 1),

    in closed form. Of a prediction without spread it is the absolute error.

    Parameters
    ----------
    predictive : MixtureBatch, GroupedBatch or Mixture
        The predictions, such as ``model.predict(X, return_mixture=True)[1]`` has; a mixture is one
        prediction for all numbers.
    y : array-like of shape (n,) or (n, d)
        What came. Of several outputs each has a score of its own.

    Returns
    -------
    ndarray of shape (n,) or (n, d)

    Raises
    ------
    ValueError
        If y is not finite, or has another shape than the predictions.

    References
    ----------
    E. P. Grimit, T. Gneiting, V. J. Berrocal and N. A. Johnson, Q. J. R. Meteorol. Soc. 132 (2006) 2925-2942.

    Examples
    --------
    >>> import gaussmix
    >>> standard = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> gaussmix.crps(standard, [0.0, 3.0]).round(3).tolist()
    [0.234, 2.437]
    """
    observed = read_observed(y, predictive)
    if isinstance(predictive, Mixture):
        deviations = np.sqrt(predictive.variances)
        parts = [
            compute_crps(predictive.shares, predictive.means[:, j], deviations[:, j], observed[:, j])
            for j in range(predictive.n_features)
        ]
        scores = np.stack(parts, axis=1)
    else:
        scores = np.empty(observed.shape)
        for places, batch in list_groups(predictive):
            scores[places] = _score_batch(batch, observed[places])
    return scores[:, 0] if np.ndim(y) < 2 else scores


def compute_crps(
    weights: npt.ArrayLike, means: npt.ArrayLike, deviations: npt.ArrayLike, y: npt.ArrayLike
) -> Float64Array:
    """The score of mixtures of one feature by their parts.

    Parameters
    ----------
    weights, means, deviations : array-like of shape (k,) or (n, k)
        Of the components; each may be the same for all mixtures, or one row a mixture.
    y : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
    """
    observed = np.asarray(y, dtype=np.float64)
    read = [np.asarray(part, dtype=np.float64) for part in (weights, means, deviations)]
    k, n = read[0].shape[-1], len(observed)
    scores = np.empty(n)
    for part in step_over(n, 4 * k):
        rows = len(observed[part])
        w, m, s = (np.broadcast_to(p if p.ndim == 1 else p[part], (rows, k)).T for p in read)
        scores[part] = _score_parts(w, m, s, observed[part])
    return scores


def _score_parts(w: Float64Array, m: Float64Array, s: Float64Array, y: Float64Array) -> Float64Array:
    """The scores of mixtures with parts of shape (k, b): each pair of components is taken once."""
    distance = (w * _find_mean_distance(y - m, s)).sum(axis=0)
    spread = (w * w * s).sum(axis=0) / np.sqrt(np.pi)  # of pairs of a component and itself
    for i in range(1, len(w)):
        apart = _find_mean_distance(m[:i] - m[i], np.hypot(s[:i], s[i]))
        spread += w[i] * (w[:i] * apart).sum(axis=0)
    return np.asarray(np.maximum(distance - spread, 0.0))  # which only rounding takes below


def _find_mean_distance(m: Float64Array, s: Float64Array) -> Float64Array:
    """E|Y| of Y ~ N(m, s^2)."""
    from scipy.special import erf

    half = m / (np.sqrt(2.0) * s)
    with np.errstate(over="ignore"):  # of a square, far out
        peak = np.exp(-half * half)
    return np.asarray(np.sqrt(2.0 / np.pi) * s * peak + m * erf(half))


def _score_batch(batch: MixtureBatch[Mixture], observed: Float64Array) -> Float64Array:
    if hasattr(batch, "crps"):  # of distributions that are no Gaussians
        return np.asarray(batch.crps(observed))
    scores, deviations = np.empty(observed.shape), np.sqrt(batch.variances)
    for part in step_over(len(batch), batch.n_components * batch.n_features):
        some = batch[part]
        for j in range(batch.n_features):
            scores[part, j] = compute_crps(
                some.weights, some.means[:, :, j], deviations[:, j], observed[part, j]
            )
    return scores


def energy_score(
    predictive: Mixture | Predictive,
    y: npt.ArrayLike,
    *,
    n_samples: int = DRAWS,
    rng: np.random.Generator | int | None = None,
) -> Float64Array:
    r"""Energy score of each prediction of several outputs together; lower is better.

    .. math:: E|Y - y| - \tfrac12 E|Y - Y'|,

    with Euclidean distances, so that outputs should have like units. It is estimated without bias from draws;
    of one output it estimates :func:`gaussmix.crps`.

    Parameters
    ----------
    predictive : MixtureBatch, GroupedBatch or Mixture
        The predictions; a mixture is one prediction for all rows.
    y : array-like of shape (n, d)
        What came; of shape (n,) where there is one output.
    n_samples : int, default=200
        Draws of each prediction, at least 2. The time goes with their square.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If y is not finite, has another shape than the predictions, or there are fewer than two draws.

    References
    ----------
    T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation, J. Am. Stat.
    Assoc. 102 (2007) 359-378, section 4.2.

    Examples
    --------
    >>> import gaussmix
    >>> narrow = gaussmix.Mixture([1.0], [[0.0, 0.0]], [0.1], "spherical")
    >>> wide = gaussmix.Mixture([1.0], [[0.0, 0.0]], [9.0], "spherical")
    >>> [gaussmix.energy_score(p, [[0.1, 0.0]], rng=0).item() < 0.5 for p in (narrow, wide)]
    [True, False]
    """
    if isinstance(n_samples, bool) or n_samples != int(n_samples) or n_samples < 2:
        raise ValueError(f"energy_score: n_samples must be a whole number of at least 2; got {n_samples!r}")
    observed, generator = read_observed(y, predictive), np.random.default_rng(rng)
    scores = np.empty(len(observed))
    if isinstance(predictive, Mixture):
        draws = predictive.sample(n_samples, generator)[0][None]
        spread = _find_half_spread(draws)
        for part in step_over(len(observed), n_samples * observed.shape[1]):
            scores[part] = _find_distances(observed[part, None] - draws).mean(axis=1) - spread
        return scores
    for places, batch in list_groups(predictive):
        for part in step_over(len(batch), n_samples * observed.shape[1]):
            draws, own = batch[part].sample(n_samples, generator)[0], places[part]
            distances = _find_distances(observed[own, None] - draws)
            scores[own] = distances.mean(axis=1) - _find_half_spread(draws)
    return scores


def _find_half_spread(draws: Float64Array) -> Float64Array:
    """Half the mean distance of two different draws, shape (b, m, d); shape (b,)."""
    m = draws.shape[1]
    total = np.zeros(len(draws))
    for lag in range(1, m):
        total += _find_distances(draws[:, lag:] - draws[:, :-lag]).sum(axis=1)
    return np.asarray(total / (m * (m - 1)))


def _find_distances(differences: Float64Array) -> Float64Array:
    return np.asarray(np.sqrt(np.vecdot(differences, differences)))


def read_observed(y: Any, predictive: Mixture | Predictive) -> Float64Array:
    """What came, shape (n, d), one row for each prediction; ValueError where it is anything else."""
    return read_came(y, predictive.n_features, None if isinstance(predictive, Mixture) else len(predictive))


def read_came(y: Any, d: int, n: int | None) -> Float64Array:
    """What came of d outputs, shape (n, d), for n predictions, if that is known."""
    values = np.asarray(read_array(y, "y"), dtype=np.float64)
    observed = values.reshape(-1, 1) if values.ndim < 2 else values
    if observed.ndim != 2 or observed.shape[1] != d:
        raise ValueError(
            f"y must have one column for each of {d} outputs, shape (n, {d})"
            f"{' or (n,)' if d == 1 else ''}; got {values.shape}"
        )
    if n is not None and len(observed) != n:
        raise ValueError(f"y must have one row for each of {n} predictions; got {len(observed)}")
    if not np.isfinite(observed).all():
        raise ValueError("y must be finite: a score is of something that came")
    return observed
