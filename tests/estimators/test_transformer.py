"""The transformer: inside scikit-learn, with a mixture that is fitted or given, and what it refuses."""

from __future__ import annotations

import json
import pickle  # noqa: TID251  (users and joblib pickle estimators, whatever model files are)

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union

from gaussmix import GaussianMixture, GaussianMixtureTransformer, Mixture
from tests.helpers import NAMES, run_python

# The check of weights compares, digit by digit, features of 15 rows with 30 columns. Without responsibilities
# those of general covariances, which are singular there, are decided by rounding.
VARIANTS = (
    "GaussianMixtureTransformer()",
    "GaussianMixtureTransformer(mixture=GaussianMixture(covariance_type='EEI'), kind='fisher', power=.5, norm='l2')",
)
CODE = """
import json, warnings
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import GaussianMixture, GaussianMixtureTransformer

warnings.simplefilter("ignore")
report = {}
for variant in %r:
    results = check_estimator(eval(variant), on_skip=None, on_fail=None)
    report[variant] = [[r["check_name"], r["status"], str(r["exception"])] for r in results]
print(json.dumps(report))
"""


def test_no_check_of_scikit_learn_fails_or_is_skipped():
    pytest.importorskip("pandas", reason="a check of column names needs it")
    report = json.loads(run_python(CODE % (VARIANTS,), SCIPY_ARRAY_API="1"))
    for variant in VARIANTS:
        assert len(report[variant]) > 40
        assert [result for result in report[variant] if result[1] != "passed"] == []


@pytest.mark.parametrize("name", NAMES)
def test_features_are_those_of_the_fitted_estimator(iris, name):
    model = GaussianMixture(2, covariance_type=name, random_state=0)
    transformer = GaussianMixtureTransformer(mixture=model).fit(iris)
    fitted = clone(model).fit(iris)
    assert not hasattr(model, "means_")
    assert_array_equal(transformer.transform(iris), fitted.predict_proba(iris))
    assert_array_equal(
        transformer.set_params(kind="log-densities").transform(iris), fitted.mixture_.component_log_prob(iris)
    )
    assert transformer.n_components_ == 2
    assert_array_equal(transformer.estimator_.means_, fitted.means_)


def test_weights_reach_the_fit(iris):
    weights = np.random.default_rng(0).integers(0, 3, len(iris))
    kwargs = {"covariance_type": "diag", "random_state": 0}
    transformer = GaussianMixtureTransformer(2, **kwargs)
    found = transformer.fit_transform(iris, sample_weight=weights)
    fitted = GaussianMixture(2, **kwargs).fit(iris, sample_weight=weights)
    assert_array_equal(found, fitted.predict_proba(iris))


def test_what_is_set_here_wins_over_the_estimator(iris):
    model = GaussianMixture(2, covariance_type="diag")
    transformer = GaussianMixtureTransformer(3, covariance_type="tied", random_state=1, mixture=model).fit(
        iris
    )
    assert transformer.mixture_.covariance_type == "tied"
    assert transformer.n_components_ == 3
    assert transformer.estimator_.random_state == 1


def test_a_given_mixture_stays_as_it_is(iris):
    fitted = GaussianMixture(3, random_state=0).fit(iris)
    by_value = GaussianMixtureTransformer(mixture=fitted.mixture_).fit(iris[:10])
    frozen = GaussianMixtureTransformer(mixture=FrozenEstimator(fitted)).fit(iris[:10])
    assert by_value.mixture_ is fitted.mixture_
    assert not hasattr(by_value, "estimator_")
    for transformer in (by_value, frozen, clone(by_value).fit(iris[:10])):
        assert_array_equal(transformer.transform(iris), fitted.predict_proba(iris))


def test_a_refit_leaves_nothing_of_the_fit_before(iris):
    transformer = GaussianMixtureTransformer(2).fit(iris)
    transformer.set_params(n_components=None, mixture=Mixture([1.0], [[0.0] * 4], [1.0], "spherical"))
    transformer.fit(iris)
    assert not hasattr(transformer, "estimator_")
    assert transformer.transform(iris).shape == (150, 1)


def test_in_a_grid_search_over_its_own_parameters_and_those_of_the_mixture(iris):
    rows, labels = iris, np.repeat([0, 1, 2], 50)
    pipeline = make_pipeline(
        GaussianMixtureTransformer(mixture=GaussianMixture(init_params="kmeans"), random_state=0),
        LogisticRegression(max_iter=1000),
    )
    grid = {
        "gaussianmixturetransformer__kind": ["distances"],
        "gaussianmixturetransformer__n_components": [1, 3],
        "gaussianmixturetransformer__mixture__covariance_type": ["diag"],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(rows, labels)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.9
    assert search.best_params_["gaussianmixturetransformer__n_components"] == 3


def test_in_a_union_and_a_pickle(iris):
    union = make_union(
        GaussianMixtureTransformer(2, random_state=0),
        GaussianMixtureTransformer(2, kind="distances", random_state=0),
    ).fit(iris)
    assert union.transform(iris).shape == (150, 4)
    names = union.get_feature_names_out()
    assert names[0] == "gaussianmixturetransformer-1__responsibility0"
    again = pickle.loads(pickle.dumps(union))
    assert_array_equal(again.transform(iris), union.transform(iris))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_go_in_and_come_out(iris, library):
    frames = pytest.importorskip(library)
    table = frames.DataFrame({name: iris[:, i] for i, name in enumerate("abcd")})
    transformer = GaussianMixtureTransformer(2, covariance_type="diag", kind="fisher", random_state=0)
    transformer.set_output(transform=library)
    found = transformer.fit_transform(table)
    assert isinstance(found, frames.DataFrame)
    assert list(found.columns)[:4] == ["weight0", "weight1", "mean0_a", "mean0_b"]
    assert list(transformer.feature_names_in_) == list("abcd")
    assert_array_equal(transformer.get_feature_names_out(), found.columns)
    plain = GaussianMixtureTransformer(2, covariance_type="diag", kind="fisher", random_state=0)
    assert_allclose(found.to_numpy(), plain.fit_transform(iris))


def test_normalized_fisher_vectors(iris):
    transformer = GaussianMixtureTransformer(2, covariance_type="diag", kind="fisher", random_state=0).fit(
        iris
    )
    raw = transformer.transform(iris)
    improved = transformer.set_params(power=0.5, norm="l2").transform(iris)
    expected = np.sign(raw) * np.sqrt(np.abs(raw))
    assert_allclose(improved, expected / np.linalg.norm(expected, axis=1, keepdims=True))
    distances = transformer.set_params(kind="distances").transform(iris)
    assert (np.linalg.norm(distances, axis=1) > 1.0).any()  # of other kinds they are no options


def refuse(message, *, fit=None, **parameters):
    X = np.random.default_rng(0).normal(size=(20, 2)) if fit is None else fit
    with pytest.raises(ValueError, match=message):
        GaussianMixtureTransformer(**parameters).fit(X)


MIXTURE = Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical", feature_names=["a", "b"])


def test_wrong_parameters_are_refused():
    refuse("'kind' parameter of GaussianMixtureTransformer must be a str among", kind="fischer")
    refuse("'power' parameter of GaussianMixtureTransformer must be", power=0)
    refuse("'norm' parameter of GaussianMixtureTransformer must be", norm="l1")
    refuse("'n_components' parameter of GaussianMixture", n_components=0)
    refuse("'mixture' parameter of GaussianMixtureTransformer must be", mixture="full")
    refuse("gaussmix.Mixture or None; got Scaler, which has no mixture_", mixture=Scaler())
    refuse("n_components=2 is not what the given 'mixture' has", mixture=MIXTURE, n_components=2)
    refuse(
        "covariance_type='full' is not what the given 'mixture' has", mixture=MIXTURE, covariance_type="full"
    )
    refuse("X has 3 features, but the given 'mixture' has 2", mixture=MIXTURE, fit=np.eye(3))
    refuse("X contains NaN|NaN", mixture=MIXTURE, fit=np.array([[np.nan, 1.0], [0.0, 1.0]]))


def test_a_frame_of_other_columns_than_a_given_mixture_is_refused():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="not those of the mixture"):
        GaussianMixtureTransformer(mixture=MIXTURE).fit(pandas.DataFrame(np.eye(2), columns=["b", "a"]))


class Scaler:
    """An estimator that fits no mixture."""

    def get_params(self, deep=True):
        return {}

    def set_params(self, **parameters):
        return self

    def fit(self, X, y=None, sample_weight=None):
        return self
