"""A pass of mixtures with rows of their own is what a pass of each by itself is."""

import numpy as np
import pytest

import gaussmix
from gaussmix.data.rows import Rows
from gaussmix.engines import choose_engine
from gaussmix.fit.iterate.stack import Stack
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.kernels.own_rows import OwnRows
from tests.helpers import NAMES


def make_mixtures(name, tight=1.0):
    """Three mixtures of two components in three dimensions; the second component of the last is tight."""
    rng = np.random.default_rng(3)
    structure = STRUCTURES[name]
    mixtures = []
    for g in range(3):
        A = rng.normal(size=(2, 3, 3))
        spread = 0.5 * np.eye(3) + A @ np.swapaxes(A, 1, 2) / 9.0
        spread[1] *= tight if g == 2 else 1.0
        moments = {"vech": spread, "squares": np.diagonal(spread, axis1=1, axis2=2)}
        found = moments.get(structure.algebra.block.name, np.trace(spread, axis1=1, axis2=2) / 3.0)
        if structure.shared:
            found = found.mean(axis=0, keepdims=True)
        covariances = structure.find_nearest(np.ascontiguousarray(found), np.array([0.4, 0.6]))
        parts = structure, np.array([0.4, 0.6]), rng.normal(size=(2, 3)), covariances
        mixtures.append(gaussmix.Mixture.of_parts(*parts, structure.find_roots(covariances)))
    return mixtures


@pytest.mark.parametrize("tight", [1.0, 1e-10], ids=["plain", "apart"])
@pytest.mark.parametrize("same_rows", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_pass(name, same_rows, tight):
    rng, structure = np.random.default_rng(1), STRUCTURES[name]
    X, weights = rng.normal(size=(1 if same_rows else 3, 40, 3)), rng.exponential(size=(3, 40))
    engine = choose_engine(Rows(X[0]))(Rows(X[0]), structure)
    m_step = Maximise(structure, make_regularise("auto", structure, engine))
    mixtures = make_mixtures(name, tight)
    joined = Stack.of(mixtures, m_step).joined
    Z = np.stack([engine.frame.apply(rows) for rows in X])
    form = structure.own_form
    seen = OwnRows.of(form, Z, weights).accumulate(joined.natural_in(form))
    for g, mixture in enumerate(mixtures):
        own, components = Z[g if len(Z) > 1 else 0].T, slice(2 * g, 2 * g + 2)
        log_densities = mixture.log_prob(own)
        assert seen.log_likelihoods[g] + weights[g].sum() * np.log(3.0) == pytest.approx(
            weights[g] @ log_densities, rel=1e-8
        )
        R = mixture.responsibilities(own) * weights[g][:, None]
        np.testing.assert_allclose(seen.moments.counts[components], R.sum(axis=0), rtol=1e-7, atol=1e-12)
        means = seen.moments.means()[components]
        present = R.sum(axis=0) > 1e-9
        np.testing.assert_allclose(
            means[present], (R.T @ own / R.sum(axis=0)[:, None])[present], rtol=1e-7, atol=1e-7
        )


def test_taking_some_of_them():
    rng, form = np.random.default_rng(1), STRUCTURES["full"].own_form
    rows = OwnRows.of(form, rng.normal(size=(3, 2, 10)), rng.exponential(size=(3, 10)))
    some = rows.take([2, 0])
    np.testing.assert_array_equal(some.features, rows.features[[2, 0]])
    np.testing.assert_array_equal(some.weights, rows.weights[[2, 0]])
    assert some.weight == pytest.approx(rows.weights[2].sum())
