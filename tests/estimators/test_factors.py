"""Factor analysers by scikit-learn's names, and by the command."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from typer.testing import CliRunner

from gaussmix import GaussianMixture
from gaussmix.cli import app
from gaussmix.io import load_model


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(150, 2)) @ rng.normal(size=(2, 6)) + 4.0 * rng.normal(size=6) for _ in range(2)]
    return np.concatenate(parts) + 0.5 * rng.normal(size=(300, 6))


def fitted(rows, **parameters):
    parameters = {
        "covariance_type": "factor",
        "n_factors": 2,
        "random_state": 0,
        "max_iter": 500,
    } | parameters
    return GaussianMixture(2, **parameters).fit(rows)


def test_matrices_are_made_when_asked_for(rows):
    model = fitted(rows)
    assert model.n_factors_ == 2
    assert model.loadings_.shape == (2, 6, 2) and model.noise_variances_.shape == (2, 6)
    L, psi = model.loadings_, model.noise_variances_
    assert_allclose(model.covariances_, L @ L.swapaxes(1, 2) + psi[:, :, None] * np.eye(6))
    assert_allclose(model.precisions_ @ model.covariances_, np.tile(np.eye(6), (2, 1, 1)), atol=1e-9)
    U = model.precisions_cholesky_
    assert_allclose(U @ U.swapaxes(1, 2), model.precisions_, atol=1e-9)
    assert_array_equal(np.tril(U, -1), 0.0)
    assert "covariances_" not in vars(model)
    single = fitted(rows.astype(np.float32))
    assert {single.covariances_.dtype, single.loadings_.dtype} == {np.dtype(np.float32)}
    again = copy.deepcopy(model)
    assert_array_equal(again.loadings_, model.loadings_)
    assert_array_equal(again.score_samples(rows), model.score_samples(rows))
    with pytest.raises(AttributeError, match="no attribute 'loadings_'"):
        _ = clone(model).loadings_


def test_another_family_leaves_nothing_of_the_one_before(rows):
    model = fitted(rows).set_params(covariance_type="full").fit(rows)
    assert model.covariances_.shape == (2, 6, 6) and not hasattr(model, "loadings_")
    model.set_params(covariance_type="ppca").fit(rows)
    assert "covariances_" not in vars(model)
    psi = model.noise_variances_
    assert_allclose(psi, np.repeat(psi[:, :1], 6, axis=1), rtol=1e-9)


def test_starts_that_are_given(rows):
    model = fitted(rows, tol=1e-8)
    given = {"weights_init": model.weights_, "means_init": model.means_}
    again = fitted(rows, precisions_init=model.mixture_.precisions, tol=1e-6, **given)
    assert again.n_iter_ <= 3
    assert again.lower_bound_ == pytest.approx(model.lower_bound_, abs=1e-5)
    warm = fitted(rows, warm_start=True)
    assert warm.fit(rows).n_iter_ <= 2
    assert warm.set_params(n_factors=1).fit(rows).n_factors_ == 1
    assert warm.set_params(n_factors="auto").fit(rows).n_factors_ == 1  # goes on with what it has


def test_sample_weights_count(rows):
    rows = rows[:150]
    weights = np.random.default_rng(0).integers(0, 3, len(rows))
    options = {"covariance_type": "factor", "n_factors": 2, "tol": 1e-5, "max_iter": 500}
    weighted = GaussianMixture(1, **options).fit(rows, sample_weight=weights)
    copied = GaussianMixture(1, **options).fit(np.repeat(rows, weights, axis=0))
    assert_allclose(weighted.covariances_, copied.covariances_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("asked", "told"), [("2", "of 2 factors"), ("auto", "of 2 factors"), ("1", "of 1 factor")]
)
def test_the_command(rows, tmp_path, asked, told):
    table, model = tmp_path / "rows.csv", tmp_path / "model.safetensors"
    np.savetxt(table, rows, delimiter=",", header="a,b,c,d,e,f", comments="")
    words = ["fit", str(table), "-k", "2", "--covariance", "factor", "--factors", asked, "--seed", "0"]
    result = CliRunner().invoke(app, [*words, "--max-iter", "500", "-o", str(model)])
    assert result.exit_code == 0, result.output
    assert f"covariance factor {told}\n" in result.stdout
    assert f"{load_model(model).mixture.n_factors}" in told
    shown = CliRunner().invoke(app, ["show", str(model)])
    assert told in shown.stdout


@pytest.mark.parametrize(
    ("asked", "message"),
    [("0", "--factors must be auto or a whole number of at least 1; got '0'"), ("6", "from 1 to 5; got 6")],
)
def test_the_command_refuses_what_cannot_be(rows, tmp_path, asked, message):
    table = tmp_path / "rows.csv"
    np.savetxt(table, rows, delimiter=",")
    words = ["fit", str(table), "-k", "2", "--covariance", "ppca", "--factors", asked]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2 and message in result.stderr
