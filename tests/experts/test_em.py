"""EM of mixtures of experts: what it must do whatever the rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from gaussmix.apps.experts.fitting import Effort
from gaussmix.apps.experts.gate_steps import MOST_PARAMETERS, SoftmaxStep
from gaussmix.apps.experts.state import begin_run, run_em
from gaussmix.errors import FitError
from gaussmix.fit.iterate.stopping import ENDLESS
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import STRUCTURES
from tests.experts.problems import fit, make_crossing, make_pieces, make_training

#: What rounding may take from an objective, in nats a row.
ROUNDING = 1e-11


def iterate(training, R, n_iter=30):
    run = begin_run(training, R)
    return run_em(training, [run], rule=ENDLESS, max_iter=n_iter)[0]


@given(
    seed=st.integers(0, 2**16),
    k=st.integers(1, 4),
    alpha=st.sampled_from([0.0, 0.1, 10.0]),
    gated=st.booleans(),
    gate_alpha=st.sampled_from([0.0, 1e-3, 1.0]),
    weighted=st.booleans(),
)
def test_the_objective_never_falls(seed, k, alpha, gated, gate_alpha, weighted):
    X, Y = make_pieces(120, seed) if gated else make_crossing(120, seed)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.1, 3.0, size=120) if weighted else None
    Z = X if gated else None
    training = make_training(X, Y, Z, alpha=alpha, gate_alpha=gate_alpha, weights=weights)
    run = iterate(training, rng.dirichlet(np.ones(k), size=120))
    assert np.diff(run.objectives).min(initial=0.0) > -ROUNDING


@pytest.mark.parametrize("family", STRUCTURES)
def test_it_rises_in_every_family(family):
    X, Y = make_crossing(150, 3, n_outputs=3)
    training = make_training(X, Y, family=family, alpha=0.5)
    run = iterate(training, np.random.default_rng(0).dirichlet(np.ones(2), size=150))
    assert len(run.history) == 31
    # the M-step of families with a common orientation iterates, and what it maximises it need not reach
    assert np.diff(run.objectives).min() > -1e-9


def test_the_gate_of_many_parameters_rises_by_the_bound():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(400, 120))
    R = rng.dirichlet(np.ones(4) * 0.2, size=400)
    step = SoftmaxStep.of_rows(Z, np.ones(400), 0.1)
    assert 3 * (1 + Z.shape[1]) > MOST_PARAMETERS
    gate, values = None, []
    for _ in range(10):
        gate = step.update(R, gate)
        values.append(np.vdot(R, step.evaluate(gate)) + step.log_prior(gate))
    assert np.diff(values).min() > 0.0


def test_the_gate_converges_to_the_multinomial_regression():
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(150, 2)) * [1.0, 50.0] + [3.0, -700.0]
    R = rng.dirichlet(np.ones(3), size=150)
    step = SoftmaxStep.of_rows(Z, np.ones(150), 0.7)
    gate = None
    for _ in range(30):
        gate = step.update(R, gate)
    standard = (Z - Z.mean(axis=0)) / Z.std(axis=0)

    def lose(parameters):
        B = parameters.reshape(3, 3)
        logits = standard @ B[:, 1:].T + B[:, 0]
        shares = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        slopes = B[:, 1:] - B[:, 1:].mean(axis=0)
        return -np.vdot(R, shares) + 0.35 * np.square(slopes).sum()

    best = minimize(lose, np.zeros(9), method="BFGS", options={"gtol": 1e-8})
    assert -np.vdot(R, step.evaluate(gate)) - step.log_prior(gate) == pytest.approx(best.fun, abs=1e-7)
    published = step.publish(gate)
    np.testing.assert_allclose(published.log_shares(Z), step.evaluate(gate), atol=1e-10)
    np.testing.assert_allclose(
        published.intercepts + Z @ published.slopes.T,
        published.levels + (Z - published.centre) @ published.slopes.T,
        atol=1e-9,
    )


@pytest.mark.parametrize("gated", [False, True])
def test_the_gradient_vanishes_where_em_ends(gated):
    X, Y = make_pieces(200, 5) if gated else make_crossing(200, 5)
    Z = X if gated else np.zeros((200, 0))
    k = 3 if gated else 2
    found = fit(
        X, Y, k, X if gated else None, gate_alpha=0.0 if not gated else 1.0, effort=Effort(1e-13, 5000)
    )
    model = found.model
    experts, gate = model.experts, model.gate
    spread = X.std(axis=0)

    def objective(experts, gate):
        shares = gate.log_shares(Z)
        ridge = 0.5 * np.square(gate.slopes * spread).sum() if gated else 0.0
        return np.logaddexp.reduce(shares + experts.log_prob(X, Y), axis=1).sum() - ridge

    def differentiate(change):
        h = 1e-5
        return (objective(*change(h)) - objective(*change(-h))) / (2.0 * h)

    for i in range(k):
        unit = np.eye(k)[i]
        down = [
            differentiate(lambda h, u=unit: (replace(experts, levels=experts.levels + h * u[:, None]), gate)),
            differentiate(
                lambda h, u=unit: (replace(experts, slopes=experts.slopes + h * u[:, None, None]), gate)
            ),
            differentiate(
                lambda h, u=unit: (
                    replace(
                        experts,
                        covariance_stack=experts.covariance_stack * np.exp(h * u)[:, None, None],
                        roots=experts.roots * np.exp(-0.5 * h * u)[:, None, None],
                    ),
                    gate,
                )
            ),
        ]
        if gated:
            down.append(
                differentiate(
                    lambda h, u=unit: (
                        experts,
                        replace(gate, slopes=gate.slopes + h * (u - 1.0 / k)[:, None]),
                    )
                )
            )
        else:
            down.append(
                differentiate(
                    lambda h, u=unit: (
                        experts,
                        replace(
                            gate,
                            weights=gate.weights
                            * np.exp(h * (u - gate.weights @ u))
                            / (gate.weights * np.exp(h * (u - gate.weights @ u))).sum(),
                        ),
                    )
                )
            )
        np.testing.assert_allclose(down, 0.0, atol=2e-3)


def test_the_likelihood_is_that_of_the_published_model():
    X, Y = make_pieces(150, 2)
    found = fit(X, Y, 3, X)
    assert found.log_likelihood == pytest.approx(found.model.log_prob(X, Y, X).sum(), rel=1e-9)
    assert found.converged and found.advice == ""
    assert found.counts.sum() == pytest.approx(150.0)
    assert found.bic == pytest.approx(found.n_parameters * np.log(150.0) - 2.0 * found.log_likelihood)
    assert found.n_parameters == 3 * 2 + 3 + 2 * 2


def test_densities_integrate_to_one():
    X, Y = make_pieces(150, 2)
    model = fit(X, Y, 3, X).model
    grid = np.linspace(-10.0, 12.0, 20001)[:, None]
    for x in (0.2, 1.1, 2.5):
        rows = np.full((len(grid), 1), x)
        density = np.exp(model.log_prob(rows, grid, rows))
        assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1.0, abs=1e-8)
        shares = np.exp(model.gate.log_shares(rows[:1]))[0]
        mean = shares @ model.experts.locate(rows[:1])[0, :, 0]
        assert np.trapezoid(density * grid[:, 0], grid[:, 0]) == pytest.approx(mean, abs=1e-8)


@given(
    seed=st.integers(0, 2**16),
    scales=st.tuples(*[st.sampled_from([1e-12, 1.0, 1e12])] * 2),
    offsets=st.tuples(*[st.sampled_from([0.0, 1e6])] * 2),
    gated=st.booleans(),
)
def test_units_make_no_difference(seed, scales, offsets, gated):
    X, Y = make_pieces(150, seed)
    X2, Y2 = (X + offsets[0]) * scales[0], (Y + offsets[1]) * scales[1]
    R = np.random.default_rng(seed).dirichlet(np.ones(3), size=150)
    options = {"given": R, "alpha": 0.1, "effort": Effort(0.0, 10)}
    one = fit(X, Y, 3, X if gated else None, **options)
    two = fit(X2, Y2, 3, X2 if gated else None, **options)
    np.testing.assert_allclose(np.asarray(two.history) + np.log(scales[1]), one.history, rtol=0.0, atol=1e-5)
    np.testing.assert_allclose(
        two.model.experts.slopes * scales[0] / scales[1], one.model.experts.slopes, rtol=1e-4, atol=1e-4
    )


def test_weights_are_copies():
    X, Y = make_pieces(100, 8)
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 4, size=100)
    copies = np.repeat(np.arange(100), weights)
    R = rng.dirichlet(np.ones(3), size=100)
    options = {"alpha": 0.3, "effort": Effort(0.0, 20)}
    weighed = fit(X, Y, 3, X, given=R, weights=weights.astype(float), **options)
    copied = fit(X[copies], Y[copies], 3, X[copies], given=R[copies], **options)
    np.testing.assert_allclose(weighed.history, copied.history, atol=1e-9)
    np.testing.assert_allclose(weighed.model.experts.slopes, copied.model.experts.slopes, atol=1e-7)
    np.testing.assert_allclose(weighed.model.gate.slopes, copied.model.gate.slopes, atol=1e-7)


def test_a_spike_is_not_chosen():
    X, Y = make_crossing(60, 1)
    found = fit(X, Y, 3, effort=Effort(1e-6, 1000, 24))
    assert not found.spikes
    assert found.model.experts.variances.min() > 1e-4


def test_a_spike_is_reported():
    X, Y = make_crossing(60, 1)
    R = np.full((60, 2), [1e-9, 1.0 - 1e-9])
    R[:3] = [1.0, 0.0]  # as many rows as the regression has parameters
    found = fit(X, Y, 2, given=R)
    assert len(found.spikes) == 1
    assert "all but exactly" in found.advice and "n_experts" in found.advice


def test_experts_without_rows():
    X, Y = make_crossing(60, 1)
    R = np.tile([1.0, 0.0], (60, 1))
    with pytest.raises(FitError, match="without rows"):
        fit(X, Y, 2, given=R)


def test_coinciding_experts_are_told_of():
    X, Y = make_crossing(60, 1)
    found = fit(X, Y, 2, given=np.full((60, 2), 0.5))
    assert "Experts 0 and 1 coincide" in found.advice


def test_a_run_that_is_cut_short_says_so():
    X, Y = make_crossing(100, 1)
    found = fit(X, Y, 2, effort=Effort(1e-12, 3))
    assert found.status == FitStatus.MAX_ITER and "max_iter" in found.advice


def test_collinear_and_constant_features():
    X, Y = make_crossing(100, 4)
    wide = np.column_stack([X, X[:, 0] + 2.0 * X[:, 1], np.full(100, 7.0)])
    options = {"given": np.random.default_rng(0).dirichlet(np.ones(2), size=100), "effort": Effort(0.0, 20)}
    one, two = fit(X, Y, 2, X, **options), fit(wide, Y, 2, wide, **options)
    assert one.n_parameters == two.n_parameters
    new = np.column_stack([X, X[:, 0] + 2.0 * X[:, 1], np.full(100, 7.0)])[:5]
    np.testing.assert_allclose(one.model.experts.locate(X[:5]), two.model.experts.locate(new), atol=1e-6)


def test_rows_without_noise():
    x = np.linspace(-1.0, 1.0, 60)
    Y = np.where(np.arange(60) % 2, 2.0 * x + 1.0, -x)[:, None]
    found = fit(x[:, None], Y, 2)
    assert not found.spikes  # experts of many rows, which fit them exactly
    assert found.held == (0, 1) and "least allowed" in found.advice
    np.testing.assert_allclose(np.sort(found.model.experts.slopes.ravel()), [-1.0, 2.0], atol=1e-6)


def test_a_heap_of_outputs_is_told_of():
    X, Y = make_crossing(200, 4)
    Y[:60] = 0.25
    found = fit(X, Y, 3)
    assert found.held and not found.spikes
    assert f"Expert {found.held[0]} fits rows exactly" in found.advice


def test_a_far_row_changes_no_units():
    X, Y = make_crossing(200, 4)
    without = fit(X, Y, 2)
    far = np.array([[1e7, 1e7]])
    on_a_line = without.model.experts.locate(far)[:, 0]
    found = fit(np.vstack([X, far]), np.vstack([Y, on_a_line]), 2)
    assert not found.held and found.n_parameters == without.n_parameters
    deviations = np.sqrt([found.model.experts.variances, without.model.experts.variances])[:, :, 0]
    np.testing.assert_allclose(np.sort(deviations[0]), np.sort(deviations[1]), rtol=0.1)
