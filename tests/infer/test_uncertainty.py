"""Classification uncertainty of rows."""

import numpy as np

import gaussmix


def test_uncertainty_is_what_the_best_component_leaves():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(50, 2)), rng.normal(3.0, 1.0, (50, 2))])
    for noise in (False, True):
        model = gaussmix.GaussianMixture(2, noise=noise, random_state=0).fit(X)
        expected = 1.0 - model.predict_proba(X).max(axis=1)
        np.testing.assert_allclose(model.uncertainty(X), expected, atol=1e-15)
        np.testing.assert_allclose(model.mixture_.uncertainty(X), expected, atol=1e-12)
    assert (gaussmix.GaussianMixture(1).fit(X).uncertainty(X) == 0.0).all()
    assert model.mixture_.uncertainty(X.astype(np.float32)).dtype == np.float32
