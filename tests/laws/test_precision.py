"""The promise of docs/numerics.md: the error of a log-density against extended precision, where it matters."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.kernels.guard import find_imprecise
from tests.helpers import KINDS

LONG = np.longdouble
LIMIT = {np.float64: 1e-7, np.float32: 1e-3}
#: Spread of the tight component over that of the wide one, by the offset of all, in spreads of the wide one.
RATIOS = {0.0: [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6], 1e6: [1.0, 1e-1, 1e-2, 1e-3], 1e8: [1.0]}

pytestmark = pytest.mark.skipif(np.finfo(LONG).eps > 1e-18, reason="this platform has no extended precision")


def make_mixture(name, d, ratio, offset, rng):
    spreads = np.array([1.0, ratio, np.sqrt(ratio)])
    means = 1.5 * rng.normal(size=(3, d)) + offset
    turns = rng.normal(size=(3, d, d)) / np.sqrt(d)
    matrices = (np.eye(d) + 0.5 * turns @ turns.transpose(0, 2, 1)) * (spreads**2)[:, None, None]
    structure = STRUCTURES[name]
    moments = {"vech": matrices, "squares": matrices.diagonal(axis1=1, axis2=2), "radial": spreads**2}
    found = moments[structure.algebra.block.name]
    found = found[1:2] if structure.shared else found
    covariances = structure.unstack(structure.combine(found, np.full(3, 1 / 3)))
    return Mixture([0.4, 0.3, 0.3], means, covariances, name)


def extended(mixture, k, X):
    """Log-density of component k and distance in nats from its peak, from the same parameters."""
    C = mixture.dense_covariances[k].astype(LONG)
    d = len(C)
    root = np.zeros((d, d), dtype=LONG)
    for j in range(d):
        root[j, j] = np.sqrt(C[j, j] - root[j, :j] @ root[j, :j])
        root[j + 1 :, j] = (C[j + 1 :, j] - root[j + 1 :, :j] @ root[j, :j]) / root[j, j]
    D = (X.astype(LONG) - mixture.means[k].astype(LONG)).T
    Y = np.zeros_like(D)
    for i in range(d):
        Y[i] = (D[i] - root[i, :i] @ Y[:i]) / root[i, i]
    nats = (Y * Y).sum(axis=0) / 2
    return -nats - np.log(root.diagonal()).sum() - LONG(d) / 2 * np.log(2 * LONG(np.pi)), nats


def points(mixture, dtype, rng):
    """Points around every component, out to 30 + 2 d nats from its peak."""
    d = mixture.n_features
    rows = []
    for mean, covariance in zip(mixture.means, mixture.dense_covariances, strict=True):
        directions = rng.normal(size=(16, d))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        distance = np.sqrt(2.0 * (30 + 2 * d) * np.repeat([0.0, 0.3, 0.8, 1.0], 4))
        rows.append(mean + (directions * distance[:, None]) @ np.linalg.cholesky(covariance).T)
    return np.concatenate(rows).astype(dtype)


#: Members of the families with a common orientation are found by iteration: in 64 dimensions, slowly.
CASES = [(name, d) for name in KINDS for d in (1, 2, 5, 16, 64) if d < 64 or name not in ("EVE", "VVE")]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "d"), CASES)
def test_the_error_of_a_log_density_is_bounded(name, dtype, d):
    rng = np.random.default_rng(d)
    for offset, ratios in RATIOS.items():
        if dtype is np.float32 and offset > 1e6:
            continue  # numbers 8 spreads apart have nothing between them
        for ratio in ratios:
            mixture = make_mixture(name, d, ratio, offset, rng)
            X = points(mixture, dtype, rng)
            exact, nats = (
                np.array(x) for x in zip(*(extended(mixture, k, X) for k in range(3)), strict=True)
            )
            near = nats <= 30 + 2 * d
            ours = mixture.component_log_prob(X).T.astype(LONG)
            assert np.abs(ours - exact)[near].max(initial=0) < LIMIT[dtype], (offset, ratio)
            joint = exact + np.log(mixture.weights.astype(LONG))[:, None]
            total = joint.max(axis=0) + np.log(np.exp(joint - joint.max(axis=0)).sum(axis=0))
            close = near.any(axis=0)
            error = np.abs(mixture.log_prob(X).astype(LONG) - total)[close]
            assert error.max(initial=0) < LIMIT[dtype], (offset, ratio)


@pytest.mark.parametrize("name", KINDS)
def test_data_that_behave_are_not_guarded_and_tight_components_are(name):
    rng = np.random.default_rng(0)
    for dtype in (np.dtype(np.float64), np.dtype(np.float32)):
        for d in (2, 16):
            natural = make_mixture(name, d, 0.5, 0.0, rng).view(dtype).natural
            assert find_imprecise(natural, dtype) is None
            mixture = make_mixture(name, d, 1e-6, 0.0, rng)
            tight = mixture.variances.min() < 1e-6  # where volumes are equal, no component is
            assert (find_imprecise(mixture.view(dtype).natural, dtype) is not None) == tight
