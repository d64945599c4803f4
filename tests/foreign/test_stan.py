"""As a prior in Stan: the texts fit together, and a program with both is compiled and sampled where PyStan is."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from tests.foreign.cases import CASES, make_case
from tests.foreign.exact import DESIGN, ERRORS, MEASURED, PRIOR, check_draws, check_posterior


@pytest.mark.parametrize("case", CASES)
def test_the_data_are_the_mixture_and_are_all_declared(case):
    mixture, rows = make_case(case)
    prior = mixture.to_stan("theta")
    data = json.loads(json.dumps(prior.data))
    declared = re.findall(r"(\w+);", prior.data_block)
    assert declared == list(data)
    assert set(re.findall(r"theta_\w+", prior.model)) <= set(data)
    # the log-density, as the text has it
    means = np.reshape(data["theta_means"], (mixture.n_components, -1))
    if "theta_roots" in data:
        roots = np.array(data["theta_roots"])
        covariances = roots @ roots.transpose(0, 2, 1)
    else:
        covariances = [np.diag(np.atleast_1d(scales)) ** 2 for scales in data["theta_scales"]]
    terms = [multivariate_normal(mean, C).logpdf(rows) for mean, C in zip(means, covariances, strict=True)]
    found = logsumexp(np.array(data["theta_log_weights"])[:, None] + np.array(terms), axis=0)
    assert_allclose(found, mixture.log_prob(rows), rtol=1e-9)


def test_kinds_of_mixtures_have_functions_of_their_own():
    texts = {make_case(case)[0].to_stan("a").functions for case in CASES}
    names = [re.search(r"real (\w+)_lpdf", text)[1] for text in texts]
    assert sorted(names) == ["diagonal_gaussian_mixture", "gaussian_mixture", "scalar_gaussian_mixture"]


@pytest.mark.filterwarnings("ignore")  # as below
@pytest.mark.parametrize("case", ["full", "diag", "factor", "one feature", "one component"])
def test_stan_reads_the_program_of_the_prior_alone(case):
    compiler = pytest.importorskip("httpstan.compile")
    code, _ = compiler.compile(
        make_case(case)[0].to_stan("beta").program, "prior"
    )  # ValueError if it is wrong
    assert "gaussian_mixture" in code


@pytest.mark.parametrize("name", ["1st", "a b", "real", "theta__", "", "größe", None])
def test_a_name_that_stan_cannot_have_is_refused(name):
    with pytest.raises(ValueError, match="a name in Stan has letters"):
        PRIOR.to_stan(name)


@pytest.mark.filterwarnings("ignore")  # PyStan stands on packages that deprecate much of what it uses
def test_the_posterior_of_a_vector_of_effects_is_the_exact_one():
    stan = pytest.importorskip("stan")
    number, _ = make_case("one feature")
    independent, _ = make_case("diag")
    effects, scalar, apart = PRIOR.to_stan("effects"), number.to_stan("scalar"), independent.to_stan("apart")
    priors = effects, scalar, apart
    lines = {
        part: "\n".join(getattr(prior, part) for prior in priors)
        for part in ("functions", "data_block", "parameters", "model")
    }
    program = f"""
functions {{
{lines["functions"]}
}}
data {{
{lines["data_block"]}
  matrix[3, 2] design;
  cov_matrix[3] errors;
  vector[3] measured;
}}
parameters {{
{lines["parameters"]}
}}
model {{
{lines["model"]}
  measured ~ multi_normal(design * effects, errors);
}}
generated quantities {{
  vector[2] drawn = gaussian_mixture_rng(effects_log_weights, effects_means, effects_roots);
  real number = scalar_gaussian_mixture_rng(scalar_log_weights, scalar_means, scalar_scales);
  vector[3] independent = diagonal_gaussian_mixture_rng(apart_log_weights, apart_means, apart_scales);
}}
"""
    data = {"design": DESIGN.tolist(), "errors": ERRORS.tolist(), "measured": MEASURED.tolist()}
    model = stan.build(program, data=data | effects.data | scalar.data | apart.data, random_seed=1)
    fit = model.sample(num_chains=4, num_samples=2000, num_warmup=500)

    def of(name):
        return np.moveaxis(fit[name].reshape(len(fit[name]), 2000, 4), (0, 1, 2), (2, 1, 0))

    check_posterior(of("effects"))
    check_draws(of("drawn"), PRIOR)
    check_draws(of("number"), number)
    check_draws(of("independent"), independent)
    # the density of the whole, by the program's own arithmetic, less constants of the likelihood
    found = [model.log_prob([*PRIOR.means[0], *number.means[0], *independent.means[0]])]
    found.append(model.log_prob([*PRIOR.means[1], *number.means[1], *independent.means[1]]))
    expected = [
        PRIOR.log_prob(PRIOR.means[i : i + 1])[0]
        + number.log_prob(number.means[i : i + 1])[0]
        + independent.log_prob(independent.means[i : i + 1])[0]
        + multivariate_normal(DESIGN @ PRIOR.means[i], ERRORS).logpdf(MEASURED)
        for i in (0, 1)
    ]
    assert_allclose(found[0] - found[1], expected[0] - expected[1], rtol=1e-9)
