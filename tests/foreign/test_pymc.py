"""As a prior in PyMC: the density and its gradient, draws, dims, and a model whose effects it is the prior of."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import Mixture
from tests.foreign.cases import as_values, make_case
from tests.foreign.exact import DESIGN, ERRORS, MEASURED, PRIOR, check_draws, check_posterior

pymc = pytest.importorskip("pymc")


@pytest.fixture(autouse=True)
def without_compiler(request):
    """Graphs that are evaluated a few times are not compiled to C, but for what is sampled."""
    from pytensor import config

    sampled = request.node.name.startswith("test_the_posterior")
    with config.change_flags(**({} if sampled else {"cxx": ""})):
        yield


@pytest.mark.parametrize(
    "case", ["full", "tied", "EII", "EEV", "factor", "one component", "one feature", "one number"]
)
def test_the_density_and_its_gradient_are_the_same(case):
    mixture, rows = make_case(case)
    with pymc.Model() as model:
        mixture.to_pymc("theta")
    values = as_values(rows)
    density, slope = model.compile_logp(), model.compile_dlogp()
    d, step = mixture.n_features, 1e-5
    for value, expected in zip(values, mixture.log_prob(rows), strict=True):
        assert_allclose(density({"theta": value}), expected, rtol=1e-10, atol=1e-10)
    for row, value in zip(rows[:3], values[:3], strict=True):
        moved = row + step * np.concatenate([np.eye(d), -np.eye(d)])
        ahead, behind = np.split(mixture.log_prob(moved), 2)
        assert_allclose(slope({"theta": value}), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", ["full", "factor", "one feature"])
def test_samplers_on_jax_can_have_it(case):
    pytest.importorskip("jax")
    mixture, rows = make_case(case)
    with pymc.Model() as model:
        mixture.to_pymc("theta")
    found = model.compile_fn(model.logp(), mode="JAX")({"theta": as_values(rows)[0]})
    assert_allclose(found, mixture.log_prob(rows)[0], rtol=1e-5)


def test_dims_take_the_names_of_the_features():
    with pymc.Model(coords={"group": ["a", "b", "c"]}) as model:
        effects = PRIOR.to_pymc("effects", dims=("group", "effect"))
    assert model.coords["effect"] == ("treatment", "age")
    assert model.named_vars_to_dims["effects"] == ("group", "effect")
    assert effects.eval().shape == (3, 2)
    value = np.arange(6.0).reshape(3, 2) / 3.0
    assert_allclose(model.compile_logp()({"effects": value}), PRIOR.log_prob(value).sum(), rtol=1e-10)


def test_a_dim_in_another_order_of_the_features_is_refused():
    with (
        pymc.Model(coords={"effect": ["age", "treatment"]}),
        pytest.raises(ValueError, match="in another order"),
    ):
        PRIOR.to_pymc("effects", dims="effect")
    with pymc.Model(coords={"effect": ["a", "b"]}) as model:  # names of the model's own
        PRIOR.to_pymc("effects", dims=["effect"])
        Mixture(PRIOR.weights, PRIOR.means, PRIOR.covariances).to_pymc("others", dims="row")
    assert model.coords["effect"] == ("a", "b") and model.coords["row"] == (0, 1)


def test_shapes_are_of_independent_vectors_and_of_numbers():
    number, _ = make_case("one feature")
    with pymc.Model(coords={"site": range(5)}) as model:
        vectors = PRIOR.to_pymc("vectors", shape=(4, 2))
        numbers = number.to_pymc("numbers", dims="site")
        one = number.to_pymc("one")
    assert vectors.eval().shape == (4, 2) and numbers.eval().shape == (5,) and one.eval().shape == ()
    start = model.initial_point()
    assert_allclose(start["vectors"], np.tile(PRIOR.mean, (4, 1)))


def test_draws_from_the_prior_are_of_the_mixture():
    with pymc.Model():
        PRIOR.to_pymc("effects")
        drawn = pymc.draw(PRIOR.to_pymc("more", shape=(4, 2)), draws=5000, random_seed=1)
        prior = pymc.sample_prior_predictive(40_000, var_names=["effects"], random_seed=2)
    check_draws(np.swapaxes(drawn, 0, 1), PRIOR)
    check_draws(prior.prior["effects"].values.reshape(4, -1, 2), PRIOR)


def test_it_can_be_what_is_observed():
    rows = PRIOR.sample(50, rng=0)[0]
    with pymc.Model() as model:
        PRIOR.to_pymc("rows", observed=rows)
    assert_allclose(model.compile_logp()({}), PRIOR.log_prob(rows).sum(), rtol=1e-10)


def test_the_posterior_of_a_vector_of_effects_is_the_exact_one():
    with pymc.Model():
        effects = PRIOR.to_pymc("effects", dims="effect")
        pymc.MvNormal("measured", mu=DESIGN @ effects, cov=ERRORS, observed=MEASURED)
        found = pymc.sample(
            2000,
            tune=500,
            chains=4,
            cores=1,
            random_seed=1,
            progressbar=False,
            compute_convergence_checks=False,
        )
    assert list(found.posterior["effect"].values) == ["treatment", "age"]
    check_posterior(found.posterior["effects"].values)
