"""Standard errors of mixtures of linear experts."""

from dataclasses import replace

import numpy as np
import pytest

from gaussmix import MixtureOfExpertsRegressor
from gaussmix.apps.experts.fitting import Effort
from gaussmix.apps.experts.information import ExpertInformation
from gaussmix.errors import DoubtfulFitWarning
from tests.experts.problems import fit, read_reference

#: Families with coordinates that are numbers, and those whose coordinates bend.
FLAT = ("full", "tied", "diag", "spherical", "EII")
BENT = ("VEE", "EVI", "VEV", "EVE")


def make_information(family, gate, alpha, seed=0, n=150):
    """The information at an optimum, and the rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)) * [3.0, 0.1] + [5.0, 0.0]
    second = rng.uniform(size=n) < 1.0 / (1.0 + np.exp(5.0 - X[:, 0]))
    B = rng.normal(size=(2, 2, 2))
    Y = np.einsum("np,npm->nm", X, B[second.astype(int)])
    Y += rng.normal(size=(n, 2)) * np.where(second, 1.0, 0.5)[:, None]
    weights = rng.uniform(0.5, 2.0, n)
    options = {"family": family, "alpha": alpha, "gate_alpha": 0.1, "weights": weights}
    found = fit(X, Y, 2, X if gate else None, effort=Effort(1e-13, 3000, 6), **options)
    Z, ridge = (X, 0.1) if gate else (X[:, :0], 0.0)
    made = ExpertInformation.of_rows(found.model, X, Y, Z, weights, alpha=alpha, gate_alpha=ridge)
    return made, X, Y, weights


def measure(info, Y, weights, move):
    """Log-likelihood and log-prior where parameters have moved; covariances along straight lines."""
    n_gate, n_means, _ = info.sizes
    gate = info.model.gate
    k, m = info.residuals.shape[:2]
    functions = np.zeros((k, len(info.gate_design.columns)))
    if hasattr(gate, "slopes"):
        functions[:, 0] = gate.levels
        functions[:, 1:] = np.linalg.lstsq(info.gate_design.matrix, gate.slopes.T, rcond=None)[0].T
    else:
        functions[:, 0] = np.log(gate.weights)
    functions[1:] += move[:n_gate].reshape(k - 1, -1)
    B = info.coefficients + move[n_gate : n_gate + n_means].reshape(k, m, -1)
    logs = functions @ info.gate_design.columns
    logs = logs - np.logaddexp.reduce(logs, axis=0)
    total = 0.0
    for expert in range(k):
        C = np.linalg.inv(info.precisions[expert])
        C = C + np.tensordot(move[n_gate + n_means :], info.tangents[:, expert], 1)
        errors = Y.T - B[expert] @ info.design.columns
        squares = (errors * np.linalg.solve(C, errors)).sum(axis=0)
        logs[expert] -= 0.5 * (m * np.log(2.0 * np.pi) + np.linalg.slogdet(C)[1] + squares)
        total -= 0.5 * np.trace(np.linalg.solve(C, B[expert] @ info.ridge @ B[expert].T))
    centred = functions - functions.mean(axis=0)
    total -= 0.5 * np.trace(centred @ info.gate_ridge @ centred.T)
    return total + weights @ np.logaddexp.reduce(logs, axis=0)


CASES = [(family, gate, alpha) for family in FLAT for gate in (True, False) for alpha in (0.0, 2.0)]


@pytest.mark.parametrize(("family", "gate", "alpha"), CASES + [(family, True, 2.0) for family in BENT])
def test_the_information_is_minus_the_second_difference(family, gate, alpha):
    info, _, Y, weights = make_information(family, gate, alpha)
    observed, P = info.observed, sum(info.sizes)
    scale = 1.0 / np.sqrt(np.abs(np.diagonal(observed)))
    steps = 1e-2 * np.diag(scale)
    differences = np.empty((P, P))
    for a in range(P):
        for b in range(a + 1):
            ends = [
                sign_a * sign_b * measure(info, Y, weights, sign_a * steps[a] + sign_b * steps[b])
                for sign_a in (1, -1)
                for sign_b in (1, -1)
            ]
            differences[a, b] = differences[b, a] = -sum(ends) / (4.0 * steps[a, a] * steps[b, b])
    if family in BENT:  # where coordinates bend, so does the likelihood, which rises along covariances
        counts, _, _, S = info.sums
        S = S + info.coefficients @ info.ridge @ np.swapaxes(info.coefficients, 1, 2)
        P_k = info.precisions
        gradients = 0.5 * (P_k @ S @ P_k - counts[:, None, None] * P_k)
        rest = slice(sum(info.sizes[:2]), None)
        differences[rest, rest] -= info.parametrisation.bend(info._fold(gradients))
    np.testing.assert_allclose((differences - observed) * scale[:, None] * scale, 0.0, atol=1e-3)


def test_the_gradient_is_the_first_difference():
    info, X, Y, weights = make_information("full", True, 2.0)
    gate = replace(info.model.gate, levels=np.add(info.model.gate.levels, [0.1, -0.1]))
    experts = replace(info.model.experts, levels=info.model.experts.levels + 0.3)
    moved = replace(info.model, gate=gate, experts=experts)
    info = ExpertInformation.of_rows(moved, X, Y, X, weights, alpha=2.0, gate_alpha=0.1)
    shift = 1e-6
    P = sum(info.sizes)
    for place in range(P):
        step = np.zeros(P)
        step[place] = shift
        slope = (measure(info, Y, weights, step) - measure(info, Y, weights, -step)) / (2.0 * shift)
        assert abs(slope - info.gradient[place]) < 1e-3 * np.sqrt(np.abs(info.observed[place, place]))


def fit_npreg(**options):
    data = read_reference()["npreg"]
    X, y = np.array(data["x"])[:, None], np.array(data["y"])
    model = MixtureOfExpertsRegressor(2, gate=None, basis=2, tol=1e-10, random_state=0, **options)
    return model.fit(X, y), X, y


def test_errors_of_npreg_are_those_of_flexmix_s_refit():
    model, X, y = fit_npreg()
    errors = model.estimate_errors(X, y)
    coef = np.concatenate([errors.standard_errors.intercept, errors.standard_errors.coef[:, 0]], axis=1).T
    expected = np.array(read_reference()["npreg"]["standard_errors"])
    np.testing.assert_allclose(np.sort(coef, axis=1), np.sort(expected, axis=1), rtol=2e-3)
    table = errors.to_dict()
    assert table["term"][:3] == ["intercept", "x0", "x0^2"]
    assert set(table["part"]) == {"mean", "variance", "share"}
    ends = zip(table["lower"], table["estimate"], table["upper"], strict=True)
    assert all(lower < estimate < upper for lower, estimate, upper in ends)
    shares = errors.standard_errors.weights
    np.testing.assert_allclose(shares[0], shares[1])
    assert "standard error" in errors.summary()
    sandwich = model.estimate_errors(X, y, information="sandwich")
    ratios = sandwich.standard_errors.coef / errors.standard_errors.coef
    assert (ratios > 0.5).all() and (ratios < 2.0).all()
    assert (ratios != 1.0).all()


def test_errors_have_the_units_of_the_data():
    model, X, y = fit_npreg()
    errors = model.estimate_errors(X, y).standard_errors
    there = MixtureOfExpertsRegressor(2, gate=None, basis=2, tol=1e-10, random_state=0)
    far = there.fit(X * 1e6, y * 1e-3).estimate_errors(X * 1e6, y * 1e-3).standard_errors
    np.testing.assert_allclose(far.coef[:, 0] * [1e9, 1e15], errors.coef[:, 0], rtol=1e-3)
    np.testing.assert_allclose(far.intercept * 1e3, errors.intercept, rtol=1e-3)
    np.testing.assert_allclose(far.weights, errors.weights, rtol=1e-3)


def test_weights_count_as_copies():
    model, X, y = fit_npreg()
    one = model.estimate_errors(X, y, np.full(len(y), 2.0)).standard_errors
    other = model.estimate_errors(np.concatenate([X, X]), np.concatenate([y, y])).standard_errors
    for here, there in zip(one, other, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-8)


def test_a_slope_that_is_not_unique_has_no_error():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (300, 2))
    X = np.column_stack([x, x[:, 0] * 2.0 - 1.0, np.ones(300)])
    y = np.where(rng.uniform(size=300) < 0.5, x[:, 0] + x[:, 1], 2.0 - x[:, 1]) + 0.1 * rng.normal(size=300)
    model = MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(X, y)
    errors = model.estimate_errors(X, y).standard_errors.coef[:, 0]
    assert np.isnan(errors[:, [0, 2, 3]]).all()
    plain = MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(x, y)
    expected = plain.estimate_errors(x, y).standard_errors.coef[:, 0, 1]
    np.testing.assert_allclose(errors[:, 1], expected, rtol=1e-4)


def test_what_has_no_errors_is_refused():
    model, X, y = fit_npreg()
    with pytest.raises(ValueError, match="observed"):
        model.estimate_errors(X, y, information="expected")
    with pytest.raises(ValueError, match="level"):
        model.estimate_errors(X, y).to_dict(level=95)
    other = MixtureOfExpertsRegressor(2, gate="gaussian", random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="softmax gate"):
        other.estimate_errors(X, y)
    counts = MixtureOfExpertsRegressor(2, expert="poisson", random_state=0).fit(X, np.round(X[:, 0]))
    with pytest.raises(ValueError, match="Gaussian linear experts"):
        counts.estimate_errors(X, np.round(X[:, 0]))
    with pytest.warns(DoubtfulFitWarning, match="below the maximum"):
        model.estimate_errors(X, y + 0.5)
