"""To NumPyro: the density, and a model whose effects have a mixture as their prior."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.foreign.cases import CASES, as_values, make_case
from tests.foreign.exact import DESIGN, ERRORS, MEASURED, PRIOR, check_draws, check_posterior

numpyro = pytest.importorskip("numpyro")


@pytest.fixture
def jax():
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("case", CASES)
def test_the_density_is_the_same(jax, case):
    mixture, rows = make_case(case)
    distribution = mixture.to_numpyro()
    found = distribution.log_prob(jax.numpy.asarray(as_values(rows)))
    assert_allclose(np.asarray(found), mixture.log_prob(rows), rtol=1e-9, atol=1e-9)
    assert distribution.event_shape == (() if mixture.n_features == 1 else (3,))


@pytest.mark.parametrize("name", ["full", "diag", "factor"])
def test_components_are_as_lean_as_their_family(jax, name):
    kinds = {"full": "MultivariateNormal", "diag": "Independent", "factor": "LowRankMultivariateNormal"}
    distribution = make_case(name)[0].to_numpyro()
    assert type(distribution.component_distribution).__name__ == kinds[name]


def test_it_is_in_single_precision_as_jax_is_by_default(jax):
    jax.config.update("jax_enable_x64", False)
    drawn = PRIOR.to_numpyro().sample(jax.random.key(0), (4, 20_000))
    assert drawn.dtype == np.float32
    check_draws(drawn, PRIOR)


def test_the_posterior_of_a_vector_of_effects_is_the_exact_one(jax):
    from numpyro.distributions import MultivariateNormal
    from numpyro.infer import MCMC, NUTS

    def model():
        effects = numpyro.sample("effects", PRIOR.to_numpyro())
        numpyro.sample("measured", MultivariateNormal(DESIGN @ effects, ERRORS), obs=MEASURED)

    chains = MCMC(
        NUTS(model),
        num_warmup=500,
        num_samples=2000,
        num_chains=4,
        chain_method="vectorized",
        progress_bar=False,
    )
    chains.run(jax.random.key(1))
    check_posterior(chains.get_samples(group_by_chain=True)["effects"])
