"""Components replaced by one Gaussian with the mean and covariance that they have together."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture.algebra.families import replace_components
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)

#: Numbers of the matrices that are summed at a time: 32 MB.
CHUNK = 4_000_000


def merge_groups(mixture: M, labels: IntArray, n_groups: int) -> M:
    """The mixture with one component for each group of its components, of the family "full".

    The weight of a group is W = sum_i w_i, its mean m = sum_i w_i m_i / W, and its covariance
    sum_i w_i (C_i + (m_i - m)(m_i - m)') / W, so that mean and covariance of the whole stay. Components with
    the label -1 are left out. Noise and names stay.
    """
    d = mixture.n_features
    kept = np.flatnonzero(labels >= 0)
    own, groups = mixture.weights[kept], labels[kept]
    weights = np.bincount(groups, own, n_groups).astype(np.float64)
    shares = own / weights[groups]
    # from the first of each group: what is far from the origin loses no digits to its distance
    first = np.unique(groups, return_index=True)[1]
    origins = mixture.means[kept[first]]
    apart = mixture.means[kept] - origins[groups]
    shifts = np.zeros((n_groups, d))
    np.add.at(shifts, groups, shares[:, None] * apart)
    apart -= shifts[groups]
    covariances = np.zeros((n_groups, d, d))
    dense = mixture.dense_covariances
    size = max(1, CHUNK // (d * d))
    for begin in range(0, len(kept), size):
        part = slice(begin, begin + size)
        scatters = dense[kept[part]] + apart[part, :, None] * apart[part, None, :]
        np.add.at(covariances, groups[part], shares[part, None, None] * scatters)
    covariances = _make_symmetric(covariances)
    structure, means, names = get_structure("full", d), origins + shifts, mixture.feature_names
    return replace_components(mixture, structure, means, covariances, names, "reduce", weights=weights)


def _make_symmetric(matrices: Float64Array) -> Float64Array:
    return np.asarray(0.5 * (matrices + np.swapaxes(matrices, -1, -2)))
