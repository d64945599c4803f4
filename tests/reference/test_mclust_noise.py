"""Noise as mclust 6.0.0 (R) has it: the faithful data among a lattice of rows, all fourteen models.

The lattice is the noise to begin with, and eruptions of three minutes part the clusters: em() of mstep() of that
partition, with Vinv of hypvol(), to a relative change of 1e-12; nMclustParams() and bic() with noise=TRUE.
"""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import Mixture, Noise, fit_mixture
from gaussmix.data.rows import Rows
from gaussmix.datasets import load_faithful
from gaussmix.fit.outliers import spread_noise
from gaussmix.model.covariance import get_structure
from tests.helpers import best_covariances, stats_of

#: Log-likelihood, weight of the noise, and BIC as mclust has it, 2 log L - p log n.
THEIRS = {
    "EII": (-2038.331356159, 0.555688, -4122.809280285),
    "VII": (-2034.534036678, 0.572582, -4120.982962318),
    "EEI": (-1594.953301765, 0.166152, -3241.821492493),
    "VEI": (-1591.501766911, 0.166317, -3240.686743781),
    "EVI": (-1590.149273178, 0.170326, -3237.981756314),
    "VVI": (-1584.352991801, 0.172406, -3232.157514555),
    "EEE": (-1582.745249579, 0.153570, -3223.173709116),
    "VEE": (-1579.356765553, 0.153361, -3222.165062060),
    "EVE": (-1579.086786410, 0.155368, -3221.625103774),
    "VVE": (-1574.339596049, 0.156605, -3217.899044048),
    "EEV": (-1581.982359968, 0.153463, -3227.416250890),
    "VEV": (-1577.934030359, 0.153881, -3225.087912667),
    "EVV": (-1578.182609893, 0.155128, -3225.585071736),
    "VVV": (-1572.110024731, 0.158998, -3219.208222407),
}
#: They maximise over a common orientation by rounds that stop early; ours may be higher.
ROUNDS = ("EVE", "VVE")


def rows():
    faithful = load_faithful()[0]
    lattice = np.stack(np.meshgrid(np.linspace(0.0, 8.0, 8), np.linspace(20.0, 140.0, 6)), -1).reshape(-1, 2)
    return np.concatenate([faithful, lattice]), np.arange(320) >= 272


def test_the_volume():
    X, _ = rows()
    np.testing.assert_allclose(-spread_noise(Rows(X)).log_density, 6.866933284462, rtol=1e-12)
    turned = X @ [[1.0, -0.1], [1.0, 0.1]]  # here the box along the principal components is the smaller
    np.testing.assert_allclose(-spread_noise(Rows(turned)).log_density, 5.697933881894, rtol=1e-12)


@pytest.mark.parametrize("name", THEIRS)
def test_every_model_with_noise(name):
    X, far = rows()
    structure = get_structure(name)
    early = X[~far, 0] < 3.0
    stats = stats_of(structure.name, X[~far], np.stack([early, ~early], axis=1).astype(float))
    noise = Noise(far.mean(), spread_noise(Rows(X)).log_density)
    weights = stats.counts / len(X)
    start = Mixture(weights, stats.means(), best_covariances(structure.name, stats), name, noise=noise)
    result = fit_mixture(
        X, 2, covariance_type=name, start=start, noise=noise, reg_covar=0.0, tol=1e-13, max_iter=5000
    )
    log_likelihood, weight, bic = THEIRS[name]
    gain = result.log_likelihood - log_likelihood
    assert -1e-8 * abs(log_likelihood) < gain < (0.2 if name in ROUNDS else 1e-8 * abs(log_likelihood))
    if name not in ROUNDS:
        assert abs(result.mixture.noise.weight - weight) < 1e-5
    assert abs(-result.bic - bic - 2.0 * gain) < 1e-6  # the same number of parameters
