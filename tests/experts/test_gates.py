"""The Gaussian gate: EM of it rises, and it is a density in any units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.apps.experts.gaussian_gate import GaussianStep
from gaussmix.apps.experts.linear_step import LinearStep
from gaussmix.apps.experts.state import Training, begin_run, run_em
from gaussmix.fit.iterate.stopping import ENDLESS
from gaussmix.model.covariance import STRUCTURES, get_structure
from tests.experts.problems import make_crossing, make_pieces


def make_gaussian_training(X, Y, family="full", weights=None):
    masses = np.ones(len(Y)) if weights is None else weights
    gate = GaussianStep.of_rows(X, masses, get_structure(family))
    return Training(gate, LinearStep.of_rows(X, Y, masses, get_structure("full")), masses)


@given(seed=st.integers(0, 2**16), k=st.integers(1, 4), weighted=st.booleans())
def test_the_joint_likelihood_never_falls(seed, k, weighted):
    X, Y = make_pieces(120, seed)
    rng = np.random.default_rng(seed)
    training = make_gaussian_training(X, Y, weights=rng.uniform(0.1, 3.0, 120) if weighted else None)
    run = begin_run(training, rng.dirichlet(np.ones(k), size=120))
    found = run_em(training, [run], rule=ENDLESS, max_iter=30)[0]
    assert np.diff(found.objectives).min(initial=0.0) > -1e-11


@pytest.mark.parametrize("family", STRUCTURES)
def test_every_family_of_gates(family):
    X, Y = make_crossing(150, 2)
    far = X * [1.0, 1e5] + [0.0, 1e9] if get_structure(family).group != "uniform" else X * 1e5 + 1e9
    shift = np.log(1e5) * (1 if get_structure(family).group != "uniform" else 2)
    found = []
    for rows in (X, far):
        training = make_gaussian_training(rows, Y, family)
        run = begin_run(training, np.random.default_rng(0).dirichlet(np.ones(2), size=150))
        end = run_em(training, [run], rule=ENDLESS, max_iter=20)[0]
        gate = training.gate_step.publish(end.mixture.gate)
        np.testing.assert_allclose(
            gate.log_weights(rows), training.gate_step.evaluate(end.mixture.gate), atol=1e-4
        )
        np.testing.assert_allclose(np.exp(gate.log_shares(rows)).sum(axis=1), 1.0)
        np.testing.assert_allclose(
            np.logaddexp.reduce(gate.log_weights(rows), axis=1), gate.log_density(rows), atol=1e-10
        )
        assert gate.n_parameters == gate.mixture.n_parameters
        found.append(end.history[-1])
    assert found[0] - shift == pytest.approx(found[1], abs=1e-5)


def test_shares_far_away_are_exact():
    X, Y = make_pieces(150, 0)
    training = make_gaussian_training(X, Y)
    run = begin_run(training, np.eye(3)[np.digitize(X[:, 0], [1.0, 2.0])])
    gate = training.gate_step.publish(run.mixture.gate)
    shares = np.exp(gate.log_shares(np.array([[1e8], [-1e8]])))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert shares.max(axis=1).min() > 0.99  # the widest has it


def test_a_gate_component_of_few_near_inputs_is_a_spike():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(100, 1)), rng.normal(size=(100, 1))
    X[:4, 0] = [0.5, 0.501, 0.499, 0.502]
    training = make_gaussian_training(X, Y)
    for n, spikes in ((4, (0,)), (30, ())):
        R = np.full((100, 2), [1e-9, 1.0 - 1e-9])
        R[:n] = [1.0, 0.0]
        run = begin_run(training, R)
        assert training.gate_step.find_spikes(run.mixture.gate, training.count_rows(R)) == spikes
