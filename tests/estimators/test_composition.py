"""Inside the rest of scikit-learn: pipelines, searches, clones, copies, processes, metadata routing."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251  (users and joblib pickle estimators, whatever model files are)

import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import GaussianMixture
from tests.helpers import NAMES


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_in_a_pipeline(iris):
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0, init_params="kmeans"))
    labels = pipeline.fit_predict(iris)
    scaled = StandardScaler().fit_transform(iris)
    alone = GaussianMixture(3, random_state=0, init_params="kmeans").fit(scaled)
    assert_array_equal(labels, alone.predict(scaled))
    assert pipeline.score(iris) == alone.score(scaled)
    assert_array_equal(pipeline.predict_proba(iris), alone.predict_proba(scaled))


def test_in_a_grid_search(iris):
    grid = {"n_components": [1, 2, 3], "covariance_type": list(NAMES)}
    rows = np.random.default_rng(0).permutation(iris)
    search = GridSearchCV(
        GaussianMixture(random_state=0, max_iter=500, init_params="kmeans"), grid, cv=KFold(3)
    ).fit(rows)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = clone(search.estimator).set_params(**search.best_params_)
    assert_allclose(search.best_score_, cross_val_score(best, rows, cv=KFold(3)).mean(), rtol=1e-12)
    assert search.best_score_ > search.cv_results_["mean_test_score"].min()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_in_joblib(iris, backend):
    def fit(seed):
        return GaussianMixture(3, random_state=seed, init_params="random_from_data", max_iter=500).fit(iris)

    expected = [fit(seed).means_ for seed in range(4)]
    fitted = Parallel(n_jobs=2, backend=backend)(delayed(fit)(seed) for seed in range(4))
    for model, means in zip(fitted, expected, strict=True):
        assert_allclose(model.means_, means, rtol=1e-12)


def test_a_clone_is_unfitted_with_the_same_parameters(iris):
    model = GaussianMixture(3, covariance_type="diag", tol=1e-4, means_init=iris[:3], random_state=0).fit(
        iris
    )
    other = clone(model)
    assert not hasattr(other, "means_") and not hasattr(other, "mixture_")
    assert_array_equal(other.means_init, model.means_init)
    assert_array_equal(other.fit(iris).means_, model.means_)


@pytest.mark.parametrize("through", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy, copy.copy])
@pytest.mark.parametrize("name", NAMES)
def test_copies_answer_alike(iris, through, name):
    model = GaussianMixture(3, covariance_type=name, random_state=0, init_params="kmeans").fit(iris)
    other = through(model)
    for method in ("predict", "predict_proba", "score_samples"):
        assert_array_equal(getattr(other, method)(iris), getattr(model, method)(iris))
    assert other.fit_result_.history == model.fit_result_.history
    assert other.fit_result_.status is model.fit_result_.status
    assert not other.mixture_.means.flags.writeable
    assert other.mixture_.covariance_type == name


def test_a_copy_goes_on_drawing_where_the_original_stood(iris):
    model = GaussianMixture(3, random_state=0, init_params="kmeans").fit(iris)
    model.sample(3)
    other = pickle.loads(pickle.dumps(model))
    assert_array_equal(other.sample(4)[0], model.sample(4)[0])


def test_a_pickled_unfitted_model(iris):
    model = pickle.loads(pickle.dumps(GaussianMixture(2, random_state=0, init_params="kmeans")))
    assert model.get_params() == GaussianMixture(2, random_state=0, init_params="kmeans").get_params()
    model.fit(iris)


def test_weights_reach_the_fit_by_name(iris):
    weights = np.arange(len(iris)) % 3 + 1.0
    scaler = StandardScaler().fit(iris)
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("mixture", GaussianMixture(2, random_state=0, init_params="kmeans"))]
    )
    pipeline.fit(iris, mixture__sample_weight=weights)
    alone = GaussianMixture(2, random_state=0, init_params="kmeans").fit(
        scaler.transform(iris), sample_weight=weights
    )
    assert_array_equal(pipeline["mixture"].means_, alone.means_)


@pytest.mark.usefixtures("routing")
class TestRouting:
    def test_a_pipeline_routes_weights_to_fit_and_score(self, iris):
        weights = np.arange(len(iris)) % 3 + 1.0
        mixture = GaussianMixture(2, random_state=0, init_params="kmeans")
        mixture.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, mixture).fit(iris, sample_weight=weights)
        scaled = StandardScaler().fit_transform(iris)
        alone = GaussianMixture(2, random_state=0, init_params="kmeans").fit(scaled, sample_weight=weights)
        assert_array_equal(pipeline[-1].means_, alone.means_)
        assert not np.allclose(
            alone.means_, GaussianMixture(2, random_state=0, init_params="kmeans").fit(scaled).means_
        )
        assert pipeline.score(iris, sample_weight=weights) == alone.score(scaled, sample_weight=weights)
        assert pipeline.score(iris, sample_weight=weights) != pipeline[-1].score(scaled)

    def test_a_search_splits_the_weights_with_the_rows(self, iris):
        order = np.random.default_rng(0).permutation(len(iris))
        rows, weights = iris[order], order % 3 + 1.0
        model = GaussianMixture(random_state=0, max_iter=500, init_params="kmeans")
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"n_components": [1, 2]}, cv=KFold(2)).fit(rows, sample_weight=weights)
        scores = [
            GaussianMixture(2, random_state=0, max_iter=500, init_params="kmeans")
            .fit(rows[train], sample_weight=weights[train])
            .score(rows[test], sample_weight=weights[test])
            for train, test in KFold(2).split(rows)
        ]
        assert_allclose(search.cv_results_["mean_test_score"][1], np.mean(scores), rtol=1e-12)

    def test_weights_nobody_asked_for_are_an_error(self, iris):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            make_pipeline(GaussianMixture(2)).fit(iris, sample_weight=np.ones(len(iris)))


def test_checkpoints_through_a_pipeline(iris, tmp_path):
    pipeline = make_pipeline(
        StandardScaler(), GaussianMixture(3, tol=1e-5, max_iter=500, random_state=0, init_params="kmeans")
    )
    whole = clone(pipeline).fit(iris)
    clone(pipeline).fit(iris, gaussianmixture__checkpoint=tmp_path / "c")
    resumed = clone(pipeline).fit(iris, gaussianmixture__resume=tmp_path / "c")
    assert resumed[-1].fit_result_.history == whole[-1].fit_result_.history
    assert_array_equal(resumed.predict_proba(iris), whole.predict_proba(iris))


def test_checkpoints_are_routed_where_asked_for(iris, tmp_path, routing):
    model = GaussianMixture(3, random_state=0, max_iter=500, init_params="kmeans")
    with pytest.raises(UnsetMetadataPassedError, match="checkpoint"):
        make_pipeline(StandardScaler(), model).fit(iris, checkpoint=tmp_path / "c")
    asking = clone(model).set_fit_request(checkpoint=True, resume=True)
    first = make_pipeline(StandardScaler(), clone(asking)).fit(iris, checkpoint=tmp_path / "c")
    resumed = make_pipeline(StandardScaler(), asking).fit(iris, resume=tmp_path / "c")
    assert_array_equal(resumed[-1].means_, first[-1].means_)


def test_y_is_ignored(iris):
    model = GaussianMixture(2, random_state=0, init_params="kmeans")
    means = model.fit(iris).means_
    assert_array_equal(model.fit(iris, y=np.arange(len(iris))).means_, means)
    assert model.score(iris, y="anything") == model.score(iris)


def test_the_html_picture_of_a_notebook(iris):
    assert "GaussianMixture" in GaussianMixture(2)._repr_html_()
    assert repr(GaussianMixture(2, tol=1e-4)) == "GaussianMixture(n_components=2, tol=0.0001)"
