"""Experts with log links: their densities, their M-steps, and what a regressor says with them."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from gaussmix import MixtureOfExpertsRegressor
from gaussmix.apps.experts.fitting import Effort, fit_experts
from gaussmix.apps.experts.gate_steps import SoftmaxStep
from gaussmix.apps.experts.linked_batch import LinkedBatch
from gaussmix.apps.experts.log_linear import GammaExperts, PoissonExperts
from gaussmix.apps.experts.log_linear_step import GammaStep, PoissonStep, find_shapes
from gaussmix.apps.experts.starts import StartRows
from gaussmix.apps.experts.state import Training, begin_run, run_em
from gaussmix.fit.iterate.stopping import ENDLESS
from tests.experts.problems import read_reference

STEPS = {"poisson": PoissonStep, "gamma": GammaStep}


def make_rows(kind, n=300, seed=0):
    """Two experts, one on each side of zero."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, size=(n, 2))
    left = X[:, 1] < 0.0
    means = np.exp(np.where(left, 1.0 + X[:, 0], 3.0 - 0.5 * X[:, 0]))
    if kind == "poisson":
        return X, rng.poisson(means)[:, None].astype(float)
    shapes = np.where(left, 20.0, 5.0)
    return X, (rng.gamma(shapes) * means / shapes)[:, None]


def make_training(kind, X, Y, weights=None, alpha=0.0):
    masses = np.ones(len(Y)) if weights is None else weights
    return Training(SoftmaxStep.of_rows(X, masses, 1e-3), STEPS[kind].of_rows(X, Y, masses, alpha), masses)


def fit(kind, X, Y, weights=None, alpha=0.0, seed=0):
    training = make_training(kind, X, Y, weights, alpha)
    rows = StartRows.of_rows(X, np.log(Y + 0.5), X, training.masses)
    return fit_experts(training, rows, 2, np.random.RandomState(seed), effort=Effort(1e-12, 3000, 8))


@pytest.mark.parametrize("kind", STEPS)
@given(seed=st.integers(0, 10**6), alpha=st.sampled_from([0.0, 3.0]))
def test_em_never_falls(kind, seed, alpha):
    X, Y = make_rows(kind, 60, seed)
    rng = np.random.default_rng(seed)
    training = make_training(kind, X, Y, rng.uniform(0.2, 3.0, 60), alpha)
    run = begin_run(training, rng.dirichlet([1.0, 1.0, 1.0], size=60))
    (ended,) = run_em(training, [run], rule=ENDLESS, max_iter=25)
    assert np.diff(ended.objectives).min() > -1e-10


@pytest.mark.parametrize("kind", STEPS)
def test_the_likelihood_has_no_slope_where_em_ends(kind):
    X, Y = make_rows(kind)
    model = fit(kind, X, Y).model
    experts = model.experts

    def measure(name, step):
        moved = {name: getattr(experts, name) + step}
        changed = type(model)(model.gate, type(experts)(**(vars_of(experts) | moved)))
        return changed.log_prob(X, Y, X).sum()

    for name in ["levels", "slopes", *(["shapes"] if kind == "gamma" else [])]:
        for place in np.ndindex(getattr(experts, name).shape):
            step = np.zeros(getattr(experts, name).shape)
            step[place] = 1e-5
            slope = (measure(name, step) - measure(name, -step)) / 2e-5
            assert abs(slope) < 1e-3 * len(X) ** 0.5


def vars_of(experts):
    names = [name for name in ("centre", "levels", "slopes", "rank", "shapes") if hasattr(experts, name)]
    return {name: getattr(experts, name) for name in names}


@pytest.mark.parametrize("kind", STEPS)
def test_weights_are_copies(kind):
    X, Y = make_rows(kind, 80)
    counts = np.random.default_rng(1).integers(1, 4, size=80)
    training = make_training(kind, X, Y, counts.astype(float))
    copies = make_training(kind, np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0))
    R = np.random.default_rng(2).dirichlet([1.0, 1.0], size=80)
    one, other = begin_run(training, R), begin_run(copies, np.repeat(R, counts, axis=0))
    (one,) = run_em(training, [one], rule=ENDLESS, max_iter=10)
    (other,) = run_em(copies, [other], rule=ENDLESS, max_iter=10)
    np.testing.assert_allclose(one.history, other.history, rtol=1e-9)


@pytest.mark.parametrize("unit", [1e-9, 1e12])
def test_gamma_experts_do_not_depend_on_units(unit):
    X, Y = make_rows("gamma")
    there, here = fit("gamma", X * 1e6 + 1e9, Y * unit), fit("gamma", X, Y)
    np.testing.assert_allclose(there.mean_log_likelihood + np.log(unit), here.mean_log_likelihood, atol=1e-6)
    np.testing.assert_allclose(there.model.experts.shapes, here.model.experts.shapes, rtol=1e-3)


def test_the_shape_of_a_gamma_is_that_of_greatest_likelihood():
    y = np.random.default_rng(0).gamma(3.0, size=500)
    ratio = y / y.mean()
    found = find_shapes(np.array([np.mean(ratio - 1.0 - np.log(ratio))]))[0]
    np.testing.assert_allclose(found, stats.gamma.fit(y, floc=0.0)[0], rtol=1e-6)
    extremes = find_shapes(np.array([0.0, 1e-8, 1e3]))
    np.testing.assert_allclose(extremes, [5e9, 5e7, 1e-3], rtol=0.02)


LAWS = {
    "poisson": PoissonExperts(np.zeros(1), np.zeros(2), np.zeros((2, 1)), 1),
    "gamma": GammaExperts(np.zeros(1), np.zeros(2), np.zeros((2, 1)), 1, np.array([2.0, 9.0])),
}
SHARES = np.array([[0.3, 0.7], [0.6, 0.4]])
MEANS = np.array([[3.0, 8.0], [0.5, 20.0]])


def find_law(kind, row):
    """Density and distribution function of a mixture, by SciPy's distributions."""
    if kind == "poisson":
        parts = [stats.poisson(mean) for mean in MEANS[row]]
        densities = [part.pmf for part in parts]
    else:
        shapes = LAWS["gamma"].shapes
        parts = [stats.gamma(nu, scale=mean / nu) for nu, mean in zip(shapes, MEANS[row], strict=True)]
        densities = [part.pdf for part in parts]

    def average(functions, y):
        return sum(share * each(y) for share, each in zip(SHARES[row], functions, strict=True))

    return partial(average, densities), partial(average, [part.cdf for part in parts])


def find_moments(kind, row, y):
    """Mean, mean square and CRPS of a mixture, by sums or quadrature."""
    p, F = find_law(kind, row)
    if kind == "poisson":
        grid = np.arange(200.0)
        return np.sum(grid * p(grid)), np.sum(grid**2 * p(grid)), np.sum(np.square(F(grid) - (grid >= y)))
    mean, second = (quad(lambda t, a=a: t**a * p(t), 0, 200, limit=200)[0] for a in (1, 2))
    below, above = quad(lambda t: F(t) ** 2, 0, y)[0], quad(lambda t: (1 - F(t)) ** 2, y, 200, limit=200)[0]
    return mean, second, below + above


@pytest.mark.parametrize("kind", LAWS)
def test_predictive_distributions_are_scipy_s(kind):
    batch = LinkedBatch(LAWS[kind], np.log(SHARES), np.log(MEANS))
    y = np.array([4.0, 2.0])
    laws = [find_law(kind, row) for row in range(2)]
    np.testing.assert_allclose(batch.log_prob(y), [np.log(p(t)) for (p, _), t in zip(laws, y, strict=True)])
    np.testing.assert_allclose(batch.cdf(y), [F(t) for (_, F), t in zip(laws, y, strict=True)])
    quantiles = batch.quantile([0.05, 0.5, 0.95])
    for (_, F), found in zip(laws, quantiles, strict=True):
        for share, point in zip([0.05, 0.5, 0.95], found, strict=True):
            assert F(point * (1 + 1e-9)) >= share - 1e-12
            assert point == 0.0 or F(point * (1 - 1e-9) - 1e-12) < share
    for row in range(2):
        mean, second, crps = find_moments(kind, row, y[row])
        np.testing.assert_allclose(batch.mean[row, 0], mean, rtol=1e-6)
        np.testing.assert_allclose(batch.std[row, 0], np.sqrt(second - mean**2), rtol=1e-6)
        np.testing.assert_allclose(batch.crps(y)[row, 0], crps, rtol=1e-6)
    draws, labels = batch.sample(20_000, 0)
    np.testing.assert_allclose(draws[:, :, 0].mean(axis=1), batch.mean[:, 0], rtol=0.05)
    np.testing.assert_allclose((labels == 1).mean(axis=1), SHARES[:, 1], atol=0.02)


@pytest.mark.parametrize("kind", STEPS)
def test_a_regressor_of_linked_experts(kind):
    X, Y = make_rows(kind, 600)
    model = MixtureOfExpertsRegressor(2, expert=kind, features=[0], gate_features=[1], random_state=0)
    model.fit(X, Y[:, 0])
    np.testing.assert_allclose(model.coef_.ravel(), [1.0, -0.5], atol=0.15)
    np.testing.assert_allclose(model.intercept_, [1.0, 3.0], atol=0.2)
    point, std, quantiles = model.predict(X, return_std=True, quantiles=[0.1, 0.9])
    assert point.shape == std.shape == (600,)
    inside = (Y[:, 0] >= quantiles[:, 0]) & (Y[:, 0] <= quantiles[:, 1])
    assert 0.7 < inside.mean() < 0.95
    np.testing.assert_allclose(model.log_score(X, Y[:, 0]), model.fit_result_.mean_log_likelihood)
    by_draws = model.energy_score(X[:100], Y[:100, 0], rng=0)
    np.testing.assert_allclose(model.crps(X[:100], Y[:100, 0]), by_draws, rtol=0.05)


def test_poisson_regressions_of_npreg_are_flexmix_s():
    data = read_reference()["npreg"]
    model = MixtureOfExpertsRegressor(2, expert="poisson", gate=None, tol=1e-10, random_state=0)
    model.fit(np.array(data["x"])[:, None], data["counts"])
    assert model.fit_result_.log_likelihood > data["poisson_log_likelihood"] - 1e-4
    intercepts, slopes = data["poisson_parameters"]
    np.testing.assert_allclose(sorted(model.intercept_), sorted(intercepts), rtol=1e-3)
    np.testing.assert_allclose(sorted(model.coef_.ravel()), sorted(slopes), rtol=1e-3)


def test_rows_that_say_nothing_of_slopes():
    X = np.random.default_rng(0).normal(size=(40, 3))
    for y in (np.zeros(40), np.full(40, 7.0)):
        step = PoissonStep.of_rows(X, y[:, None], np.ones(40), 0.0)
        experts = step.update(np.ones((40, 1)), None)
        for _ in range(30):
            experts = step.update(np.ones((40, 1)), experts)
        found = step.publish(experts)
        assert np.isfinite(found.log_prob(X, y[:, None])).all()
        np.testing.assert_allclose(found.locate(X)[:, 0, 0], y, atol=1e-6)


def test_outputs_of_the_wrong_kind_are_refused():
    X = np.arange(10.0)[:, None]
    with pytest.raises(ValueError, match="whole numbers from 0; row 3 of y has 0.5"):
        MixtureOfExpertsRegressor(2, expert="poisson").fit(X, [0, 1, 2, 0.5, 1, 2, 3, 4, 5, 6])
    with pytest.raises(ValueError, match="numbers above 0; row 0 of y has 0.0"):
        MixtureOfExpertsRegressor(2, expert="gamma").fit(X, np.arange(10.0))
    with pytest.raises(ValueError, match="one output; got 2"):
        MixtureOfExpertsRegressor(2, expert="gamma").fit(X, np.ones((10, 2)))


def test_what_cannot_come_has_no_probability():
    X = np.linspace(-1.0, 1.0, 60)[:, None]
    y = np.random.default_rng(0).poisson(np.exp(1.0 + X[:, 0])) + 1.0
    wrong = {"poisson": [-1.0, 0.5, 2.0], "gamma": [-1.0, 0.0, 2.0]}
    for kind, came in wrong.items():
        model = MixtureOfExpertsRegressor(2, expert=kind, random_state=0).fit(X, y)
        batch = model.predict(X[:3], return_mixture=True)[1]
        for found in (model.log_prob(X[:3], came), batch.log_prob(came)):
            assert (found[:2] == -np.inf).all() and np.isfinite(found[2])
        for shares in (model.responsibilities(X[:3], came), batch.responsibilities(came)):
            np.testing.assert_allclose(shares[:2], model.predict_shares(X[:2]))
        mean, std = model.predict([[1e5]], return_std=True)  # beyond floating-point numbers, or zero
        assert not np.isnan(mean).any() and not np.isnan(std).any()
