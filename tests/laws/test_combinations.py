"""Noise, trimming, priors and constraints together: the objective still never falls, and all of them hold."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import Constraints, fit_mixture

TOGETHER = {
    "noise and trimming": {"noise": 0.05, "trim": 0.05},
    "noise and a prior": {"noise": True, "prior": "mclust"},
    "noise and equal weights": {"noise": True, "constraints": Constraints(equal_weights=True)},
    "noise and a least weight": {"noise": True, "constraints": Constraints(min_weight=0.45)},
    "trimming and a bounded ratio": {"trim": 0.1, "constraints": Constraints(eigenvalue_ratio=1.5)},
    "a prior and a bounded ratio": {"prior": "mclust", "constraints": Constraints(eigenvalue_ratio=1.5)},
}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    parts = [rng.normal(-4, 1, (200, 4)), rng.normal(4, 1.5, (150, 4)), rng.uniform(-15, 15, (35, 4))]
    return np.concatenate(parts)


@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical", "VEV", "factor"])
@pytest.mark.parametrize("together", TOGETHER)
def test_the_objective_never_falls_and_all_hold(name, together, rows):
    options = TOGETHER[together]
    constraints = options.get("constraints", Constraints())
    refused = {"VEV": constraints.bounded, "factor": constraints.bounded or "prior" in options}
    if refused.get(name):
        with pytest.raises(ValueError, match="not for"):
            fit_mixture(rows, 2, covariance_type=name, **options)
        return
    options = options | {"covariance_type": name, "init_params": "kmeans", "random_state": 0}
    result = fit_mixture(rows, 2, tol=1e-7, max_iter=60, **options)
    mixture = result.mixture
    priors = result.log_priors or np.zeros(len(result.history))
    assert np.diff(np.add(result.history, priors)).min() > -1e-11
    shares = mixture.weights / mixture.weights.sum()
    if constraints.equal_weights:
        np.testing.assert_allclose(shares, 0.5, rtol=1e-12)
    assert shares.min() >= constraints.min_weight - 1e-12
    if constraints.eigenvalue_ratio:
        values = np.linalg.eigvalsh(mixture.dense_covariances)
        assert values.max() <= constraints.eigenvalue_ratio * values.min() * (1 + 1e-9)
    if options.get("noise"):
        assert abs(mixture.weights.sum() + mixture.noise.weight - 1.0) < 1e-12
        assert 0.02 < mixture.noise.weight < 0.12
    if "trim" in options:
        assert abs(result.kept.sum() - (1.0 - options["trim"]) * len(rows)) < 1e-9
    if "trim" in options or "noise" in options:  # the outliers have not moved the means
        np.testing.assert_allclose(np.abs(mixture.means), 4.0, atol=0.4)
