"""Which rows a trimmed likelihood leaves out: those of lowest density, to an exact share of the weight."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, FloatArray

#: A product of share and weight this near to a whole number is one, but for rounding.
WHOLE = 1e-9


def left_out(trim: float, total: float) -> float:
    """The weight to be left out of a total: trim times that, and a whole number where rounding hides one."""
    amount = trim * total
    nearest = float(np.rint(amount))
    return nearest if abs(amount - nearest) <= WHOLE * max(1.0, nearest) else amount


def kept_weights(log_density: FloatArray, weights: Float64Array | None, amount: float) -> Float64Array:
    """The weights v_i in [0, w_i], sum_i v_i = sum_i w_i - amount, that maximise sum_i v_i log p(x_i).

    Rows under a threshold are left out. Those at it, mostly one, all lose the same share of their weight, so
    that neither the order of rows nor copies in place of weights make a difference.

    Parameters
    ----------
    log_density : ndarray of shape (n,)
    weights : ndarray of shape (n,), optional
        Positive; None stands for ones.
    amount : float
        Less than the sum of the weights.
    """
    n = log_density.shape[0]
    w = np.ones(n) if weights is None else weights
    threshold = _threshold(log_density, weights, amount)
    under, at = log_density < threshold, log_density == threshold
    here = float(w[at].sum())
    share = (here - (amount - float(w[under].sum()))) / here
    return np.where(under, 0.0, np.where(at, min(max(share, 0.0), 1.0) * w, w))


def _threshold(log_density: FloatArray, weights: Float64Array | None, amount: float) -> FloatArray:
    """The density of the first row, from the lowest up, with which more than the amount has been passed."""
    last = log_density.shape[0] - 1
    if weights is None:
        row = min(int(amount), last)
        return np.asarray(np.partition(log_density, row)[row])
    order = np.argsort(log_density, kind="stable")
    row = min(int(np.searchsorted(np.cumsum(weights[order]), amount, side="right")), last)
    return np.asarray(log_density[order[row]])
