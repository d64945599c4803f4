"""Estimators as ONNX models, alone and, by sklearn-onnx's converter, in pipelines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import GaussianMixture, GaussianMixtureClassifier

X = load_iris().data.astype(np.float32)


@pytest.fixture(autouse=True)
def onnxruntime():
    return pytest.importorskip("onnxruntime")


@pytest.fixture
def skl2onnx():
    found = pytest.importorskip("skl2onnx")
    from gaussmix.onnx import register_converter

    register_converter()
    return found


def run(model, rows, name="X"):
    """The outputs by name, as onnxruntime finds them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = rows if isinstance(rows, dict) else {name: rows}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def check(found, model, rows, atol=1e-5):
    exact = rows.astype(np.float64)
    assert_array_equal(found["label"], model.predict(exact))
    assert_allclose(found["probabilities"], model.predict_proba(exact), atol=atol)
    scores = found["score_samples"] if "score_samples" in found else found["log_prob"]
    assert_allclose(scores, model.score_samples(exact), rtol=1e-5, atol=atol)


@pytest.fixture(scope="module")
def fitted():
    return GaussianMixture(3, random_state=0).fit(X)


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0)).fit(X)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical", "VEV", "factor"])
def test_iris(covariance_type):
    model = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(X)
    check(run(model.to_onnx(), X), model, X)


def test_noise():
    rows = np.vstack([X, np.random.default_rng(0).uniform(-10.0, 20.0, size=(20, 4)).astype(np.float32)])
    model = GaussianMixture(2, noise=True, random_state=0).fit(rows)
    found = run(model.to_onnx(), rows)
    assert (found["label"] == -1).any()
    check(found, model, rows)


def test_a_file(fitted, tmp_path):
    import onnx

    path = tmp_path / "iris.onnx"
    assert fitted.to_onnx(path, opset=15) == onnx.load(path)


def test_what_decides_beside_the_mixture_is_refused():
    class Shifted(GaussianMixture):
        def _estimate_log_prob(self, X):
            return super()._estimate_log_prob(X) - 1.0

    with pytest.raises(ValueError, match="steps that are overridden"):
        Shifted(2, random_state=0).fit(X).to_onnx()
    model = GaussianMixture(2, random_state=0).fit(X)
    model.weights_ = model.weights_ * 1.001
    with pytest.raises(ValueError, match="do not sum to one"):
        model.to_onnx()
    with pytest.raises(NotFittedError):
        GaussianMixture(2).to_onnx()


KINDS = {"numbers": [0, 5, 7], "text": ["setosa", "versicolor", "virginica"], "floats": [1.0, 2.0, 4.0]}


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier(kind, arithmetic):
    y = np.array(KINDS[kind])[load_iris().target]
    model = GaussianMixtureClassifier((1, 2, 2), covariance_type="full", random_state=0).fit(X, y)
    assert model.calibration_.temperature > 1.0 or model.calibration_.floor > 0.0
    found = run(model.to_onnx(arithmetic=arithmetic), X)
    check(found, model, X)
    far = np.float32([[1e6] * 4, [-1e20] * 4])
    assert np.isfinite(run(model.to_onnx(arithmetic=arithmetic), far)["probabilities"]).all()


@pytest.mark.parametrize(("kind", "reject_label"), [("numbers", None), ("text", "none of them")])
def test_rows_that_a_classifier_rejects(kind, reject_label):
    y = np.array(KINDS[kind])[load_iris().target]
    model = GaussianMixtureClassifier(
        1, covariance_type="full", reject_density=0.02, reject_posterior=0.9, reject_label=reject_label
    ).fit(X, y)
    rows = np.concatenate([X, np.float32([[50.0] * 4])])
    found = run(model.to_onnx(), rows)
    check(found, model, rows)
    rejected = found["label"] == (-1 if reject_label is None else reject_label)
    assert rejected[-1] and 2 < rejected.sum() < 30


def test_a_component_of_several_classes_and_names():
    import json

    y = load_iris().target > 0
    model = GaussianMixtureClassifier(2, share="components", covariance_type="full", random_state=0).fit(X, y)
    graph = model.to_onnx(dtype="float64")
    found = run(graph, X.astype(np.float64))
    assert found["label"].dtype == np.bool_
    check(found, model, X, atol=1e-9)
    told = {entry.key: entry.value for entry in graph.metadata_props}
    assert json.loads(told["classes"]) == [False, True]


def test_labels_that_onnx_cannot_have_and_an_unfitted_classifier():
    y = np.array(KINDS["text"])[load_iris().target]
    model = GaussianMixtureClassifier(1, covariance_type="full", reject_density=0.02).fit(X, y)
    with pytest.raises(ValueError, match="give a reject_label of the type of the classes"):
        model.to_onnx()
    with pytest.raises(NotFittedError):
        GaussianMixtureClassifier().to_onnx()


@pytest.mark.parametrize("arithmetic", ["float64", "float32"])
@pytest.mark.parametrize("target_opset", [13, 18, None])
def test_a_pipeline_gives_scores_where_they_are_asked_for(skl2onnx, pipeline, arithmetic, target_opset):
    options = {"gaussianmixture__score_samples": True, "gaussianmixture__arithmetic": arithmetic}
    model = skl2onnx.to_onnx(pipeline, X[:1], options=options, target_opset=target_opset)
    found = run(model, X)
    assert list(found) == ["label", "probabilities", "score_samples"]
    check(found, pipeline, X)


def test_a_pipeline_in_float64_agrees_to_rounding(skl2onnx, pipeline):
    from skl2onnx.common.data_types import DoubleTensorType

    types = [("rows", DoubleTensorType([None, 4]))]
    options = {id(pipeline[-1]): {"score_samples": True}}
    model = skl2onnx.convert_sklearn(pipeline, initial_types=types, options=options)
    check(run(model, X.astype(np.float64), "rows"), pipeline, X, atol=1e-9)


def test_scores_are_left_out_by_default_and_shapes_are_said(skl2onnx, fitted):
    model = skl2onnx.to_onnx(fitted, X[:1])
    assert list(run(model, X)) == ["label", "probabilities"]
    shapes = [[dim.dim_value for dim in output.type.tensor_type.shape.dim] for output in model.graph.output]
    assert shapes == [[0], [0, 3]]


def test_hostile_rows_and_a_weight_of_zero(skl2onnx):
    model = GaussianMixture(2, covariance_type="diag")
    model.weights_, model.means_ = np.array([1.0, 0.0]), np.array([[0.0, 0.0], [1.0, 1.0]])
    model.precisions_cholesky_ = np.array([[1.0, 2.0], [1e3, 1e3]])
    model.covariances_ = model.precisions_cholesky_**-2.0
    rows = np.array([[0.0, 0.0], [1.0, 1.0], [1e8, -1e8], [1e30, 0.0], [-3e38, 3e38]], dtype=np.float32)
    found = run(skl2onnx.to_onnx(model, rows[:1], options={"score_samples": True}), rows)
    assert_array_equal(found["label"], 0)
    assert_array_equal(found["probabilities"], [[1.0, 0.0]] * 5)
    assert np.isfinite(found["score_samples"]).all()
    assert_allclose(found["score_samples"][:3], model.score_samples(rows[:3].astype(np.float64)), rtol=1e-5)


def test_columns_that_come_one_by_one_and_whole_numbers(skl2onnx):
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType

    rows = (10.0 * X).round()
    model = GaussianMixture(2, random_state=0).fit(rows)
    types = [(name, FloatTensorType([None, 1])) for name in "abcd"]
    options = {"score_samples": True}
    converted = skl2onnx.convert_sklearn(model, initial_types=types, options=options)
    check(run(converted, {name: rows[:, [j]] for j, name in enumerate("abcd")}), model, rows)
    types = [("X", Int64TensorType([None, 4]))]
    converted = skl2onnx.convert_sklearn(model, initial_types=types, options=options)
    check(run(converted, rows.astype(np.int64)), model, rows)


def test_wrong_conversions_are_named(skl2onnx, fitted):
    with pytest.raises(ValueError, match="the inputs have 3 features, and the fitted model 4"):
        skl2onnx.to_onnx(fitted, X[:1, :3])
    with pytest.raises(ValueError, match="target_opset must be 13 or newer; got 12"):
        skl2onnx.to_onnx(fitted, X[:1], target_opset=12)
    with pytest.raises(ValueError, match="Unexpected value \\['float16'\\] for option 'arithmetic'"):
        skl2onnx.to_onnx(fitted, X[:1], options={"arithmetic": "float16"})
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(GaussianMixture(2), X[:1])
