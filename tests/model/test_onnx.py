"""Mixtures as ONNX models: what onnxruntime makes of rows is what the mixture does."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gaussmix
from gaussmix.model.covariance import FACTORS
from tests.helpers import NAMES, random_mixture

OUTPUTS = ["label", "probabilities", "log_prob"]


@pytest.fixture(autouse=True)
def onnxruntime():
    return pytest.importorskip("onnxruntime")


def run(model, X):
    """Labels, probabilities and log-densities, as onnxruntime finds them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(OUTPUTS, {"X": X})


def factor_mixture(name, rng, k=3, d=6, q=2):
    structure = FACTORS[name]
    loadings = rng.normal(size=(1 if name[0] == "C" else k, d, q))
    psi = rng.uniform(0.3, 2.0, size=(1 if name[1:2] == "C" else k, 1 if structure.algebra.isotropic else d))
    parts = np.broadcast_to(loadings, (k, d, q)), np.broadcast_to(psi, (k, d))[:, :, None]
    return gaussmix.Mixture(
        rng.dirichlet(np.full(k, 5.0)), 2.0 * rng.normal(size=(k, d)), np.concatenate(parts, axis=2), name
    )


def make_mixture(name, rng):
    return factor_mixture(name, rng) if name in FACTORS else random_mixture(name, 4, 5, rng)


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
@pytest.mark.parametrize("name", [*NAMES, *FACTORS])
def test_onnxruntime_gives_what_the_mixture_gives_in_float32(name, arithmetic):
    import onnx

    mixture = make_mixture(name, np.random.default_rng(7))
    rows = mixture.sample(500, 1)[0].astype(np.float32)
    model = mixture.to_onnx(arithmetic=arithmetic)
    onnx.checker.check_model(model, full_check=True)
    assert {opset.domain for opset in model.opset_import} == {""}
    labels, probabilities, log_prob = run(model, rows)
    exact = rows.astype(np.float64)
    expected = mixture.responsibilities(exact)
    assert labels.dtype == np.int64 and probabilities.dtype == log_prob.dtype == np.float32
    assert_allclose(log_prob, mixture.log_prob(exact), rtol=1e-5, atol=1e-5)
    assert_allclose(probabilities, expected, atol=1e-5)
    top = np.sort(expected, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-5
    assert clear.mean() > 0.99
    assert_array_equal(labels[clear], mixture.predict(exact)[clear])


@pytest.mark.parametrize("name", [*NAMES, *FACTORS])
def test_in_float64_both_agree_to_rounding(name):
    mixture = make_mixture(name, np.random.default_rng(8))
    rows = mixture.sample(200, 1)[0]
    labels, probabilities, log_prob = run(mixture.to_onnx(dtype="float64"), rows)
    assert probabilities.dtype == log_prob.dtype == np.float64
    assert_allclose(log_prob, mixture.log_prob(rows), rtol=1e-10, atol=1e-10)
    assert_allclose(probabilities, mixture.responsibilities(rows), atol=1e-10)
    assert_array_equal(labels, mixture.predict(rows))


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
def test_rows_at_an_offset_of_a_million_spreads_lose_nothing_but_their_own_rounding(arithmetic):
    rng = np.random.default_rng(3)
    near = random_mixture("full", 3, 2, rng)
    spread = np.sqrt(near.total_variances)
    mixture = near.replace(means=near.means + 1e6 * spread)
    rows = mixture.sample(300, 2)[0].astype(np.float32)
    _, probabilities, log_prob = run(mixture.to_onnx(arithmetic=arithmetic), rows)
    exact = rows.astype(np.float64)
    assert_allclose(log_prob, mixture.log_prob(exact), rtol=1e-5, atol=1e-5)
    assert_allclose(probabilities, mixture.responsibilities(exact), atol=1e-5)


@pytest.mark.parametrize("units", [1e-12, 1e12])
@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
def test_units_do_not_matter(units, arithmetic):
    scales = np.array([units, 1.0, 1.0 / units])
    mixture = gaussmix.Mixture(
        [0.4, 0.6], scales * np.array([[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]), np.stack([np.diag(scales**2)] * 2)
    )
    rows = mixture.sample(100, 0)[0].astype(np.float32)
    _, probabilities, log_prob = run(mixture.to_onnx(arithmetic=arithmetic), rows)
    exact = rows.astype(np.float64)
    assert_allclose(log_prob, mixture.log_prob(exact), rtol=1e-5, atol=1e-5)
    assert_allclose(probabilities, mixture.responsibilities(exact), atol=1e-5)


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
def test_many_features_do_not_drown_what_tells_components_apart(arithmetic):
    """Constants of thousands of nats, of which float32 keeps three decimals."""
    d, unit = 400, 1e-9
    means = unit * np.random.default_rng(0).normal(size=(2, d)) * 0.05
    mixture = gaussmix.Mixture([0.5, 0.5], means, [unit**2] * 2, "spherical")
    rows = mixture.sample(100, 1)[0].astype(np.float32)
    _, probabilities, log_prob = run(mixture.to_onnx(arithmetic=arithmetic), rows)
    exact = rows.astype(np.float64)
    assert float(mixture.log_prob(exact).min()) > 7000.0
    assert_allclose(log_prob, mixture.log_prob(exact), rtol=1e-5)
    tolerance = 1e-5 if arithmetic == "float64" else 2e-4
    assert_allclose(probabilities, mixture.responsibilities(exact), atol=tolerance)


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
@pytest.mark.parametrize("name", ["full", "diag", "spherical", "factor"])
def test_rows_far_away_and_weights_of_zero_stay_finite(name, arithmetic):
    mixture = make_mixture(name, np.random.default_rng(5))
    k = mixture.n_components
    mixture = mixture.replace(weights=np.array([0.0] + [1.0 / (k - 1)] * (k - 1)))
    rows = np.zeros((6, mixture.n_features), dtype=np.float32)
    rows[1:] = np.array([1e3, -1e6, 1e9, -1e30, 3e38], dtype=np.float32)[:, None]
    labels, probabilities, log_prob = run(mixture.to_onnx(arithmetic=arithmetic), rows)
    assert np.isfinite(log_prob).all()
    assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert_array_equal(probabilities[:, 0], 0.0)
    assert (labels != 0).all()
    exact = rows[:4].astype(np.float64)
    assert_allclose(log_prob[:4], mixture.log_prob(exact), rtol=1e-5)


@pytest.mark.parametrize("ratio", [1e2, 1e5, 1e9])
@pytest.mark.parametrize("name", ["diag", "spherical"])
def test_needles_far_apart_keep_their_digits(name, ratio):
    """Diagonals as products of matrices lose the square of the ratio of distances to deviations."""
    deviation = 1.0 / ratio
    covariances = {"diag": [[deviation**2, 1.0]] * 2, "spherical": [deviation**2] * 2}[name]
    mixture = gaussmix.Mixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], covariances, name)
    rows = mixture.sample(50, 0)[0]
    labels, _, log_prob = run(mixture.to_onnx(dtype="float64"), rows)
    assert_allclose(log_prob, mixture.log_prob(rows), atol=1e-6)
    assert_array_equal(labels, mixture.predict(rows))


def test_a_missing_number_gives_no_number_and_infinity_is_far_away():
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0))
    rows = np.array([[np.nan, 0.0], [np.inf, 0.0]], dtype=np.float32)
    _, probabilities, log_prob = run(mixture.to_onnx(), rows)
    assert np.isnan(log_prob[0]) and np.isnan(probabilities[0]).all()
    assert log_prob[1] < -1e6 and np.isfinite(log_prob[1])


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
def test_noise_is_the_last_column_and_has_the_label_of_predict(arithmetic):
    noise = gaussmix.Noise.between([-9.0, -9.0], [9.0, 9.0], weight=0.2)
    mixture = random_mixture("diag", 3, 2, np.random.default_rng(1)).with_noise(noise)
    rows = np.random.default_rng(2).uniform(-9.0, 9.0, size=(400, 2)).astype(np.float32)
    labels, probabilities, log_prob = run(mixture.to_onnx(arithmetic=arithmetic), rows)
    exact = rows.astype(np.float64)
    assert_array_equal(labels, mixture.predict(exact))
    assert {-1, 0} <= set(labels)
    assert_allclose(probabilities, mixture.responsibilities(exact), atol=1e-5)
    assert_allclose(log_prob, mixture.log_prob(exact), rtol=1e-5, atol=1e-5)


def test_noise_of_no_weight_and_noise_alone():
    mixture = random_mixture("full", 2, 1, np.random.default_rng(0))
    rows = np.linspace(-5.0, 9.0, 20, dtype=np.float32)[:, None]
    silent = mixture.with_noise(gaussmix.Noise(0.0, -2.0))
    labels, probabilities, log_prob = run(silent.to_onnx(), rows)
    assert (labels >= 0).all() and not probabilities[:, 2].any()
    alone = mixture.with_noise(gaussmix.Noise(1.0, -2.0))
    labels, probabilities, log_prob = run(alone.to_onnx(), rows)
    assert (labels == -1).all()
    assert_array_equal(probabilities[:, 2], 1.0)
    assert_allclose(log_prob, -2.0)


@pytest.mark.parametrize("n", [0, 1])
def test_one_component_of_one_feature_and_few_rows(n):
    mixture = gaussmix.Mixture([1.0], [[2.0]], [4.0], "spherical")
    labels, probabilities, log_prob = run(mixture.to_onnx(), np.zeros((n, 1), dtype=np.float32))
    assert labels.shape == log_prob.shape == (n,) and probabilities.shape == (n, 1)
    assert_allclose(log_prob, np.full(n, -0.5 - np.log(2.0 * np.sqrt(2.0 * np.pi))), rtol=1e-6)


def test_equal_components_have_the_first_label():
    mixture = gaussmix.Mixture([0.5, 0.5], [[0.0], [0.0]], [1.0, 1.0], "spherical")
    labels, probabilities, _ = run(mixture.to_onnx(), np.ones((3, 1), dtype=np.float32))
    assert_array_equal(labels, 0)
    assert_allclose(probabilities, 0.5)


@pytest.mark.parametrize("opset", [*range(13, 20), 21])
def test_every_opset_runs(opset):
    """Up to what the oldest supported onnxruntime knows."""
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0)).with_noise(gaussmix.Noise(0.1, -3.0))
    rows = mixture.means.astype(np.float32)
    model = mixture.to_onnx(opset=opset)
    assert model.opset_import[0].version == opset
    for one, other in zip(run(model, rows), run(mixture.to_onnx(), rows), strict=True):
        assert_allclose(one, other, rtol=1e-6)


def test_the_file_has_what_is_returned_and_says_what_it_is(tmp_path):
    import onnx

    names = ("length", "width")
    mixture = random_mixture("tied", 2, 2, np.random.default_rng(0)).replace(feature_names=names)
    path = tmp_path / "mixture.onnx"
    model = mixture.to_onnx(path)
    assert onnx.load(path) == model
    assert [file.name for file in tmp_path.iterdir()] == ["mixture.onnx"]
    assert (model.producer_name, model.producer_version) == ("gaussmix", gaussmix.__version__)
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(told["feature_names"]) == list(names)
    assert (told["n_components"], told["covariance_type"], told["noise"]) == ("2", "tied", "false")
    assert [output.name for output in model.graph.output] == OUTPUTS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dtype": "float16"}, "dtype must be one of 'float32', 'float64'; got 'float16'"),
        ({"arithmetic": "auto"}, "arithmetic must be one of 'float32', 'float64'; got 'auto'"),
        ({"dtype": None}, "dtype must be one of"),
        ({"opset": 12}, "opset must be from 13 to"),
        ({"opset": 10_000}, "opset must be from 13 to"),
        ({"opset": 13.5}, "opset must be a whole number; got 13.5"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        gaussmix.Mixture([1.0], [[2.0]], [4.0], "spherical").to_onnx(**arguments)


def test_types_may_be_those_of_numpy():
    mixture = gaussmix.Mixture([1.0], [[2.0]], [4.0], "spherical")
    assert mixture.to_onnx(dtype=np.float64, arithmetic=np.dtype("f4")) == mixture.to_onnx(
        dtype="float64", arithmetic="float32"
    )


def test_a_model_that_is_too_large_says_so(monkeypatch):
    monkeypatch.setattr("gaussmix.foreign.onnx.MOST_BYTES", 3000)
    mixture = random_mixture("full", 2, 20, np.random.default_rng(0))
    with pytest.raises(ValueError, match="an ONNX model holds 2: compute in"):
        mixture.to_onnx()


def test_without_the_package_the_error_says_how_to_get_it():
    code = (
        "import sys; sys.modules['onnx'] = None; import gaussmix\n"
        "try: gaussmix.Mixture([1.0], [[2.0]], [4.0], 'spherical').to_onnx()\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'gaussmix[onnx]'" in done.stdout
