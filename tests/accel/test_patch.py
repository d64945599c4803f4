"""Under the patch scikit-learn's name is ours, and everything that asks for scikit-learn's class finds it."""

from __future__ import annotations

import inspect
import logging
import pickle  # noqa: TID251  (users and joblib pickle estimators)
import sys
import types

import joblib
import numpy as np
import pytest
import sklearn.mixture
from sklearn.base import clone
from sklearn.mixture import _gaussian_mixture as home
from sklearn.mixture._base import BaseMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gaussmix
import gaussmix.accel as accel
from tests.helpers import run_python

X = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0.0, 0.0], [6.0, 3.0]], 100, axis=0)


@pytest.fixture
def importer():
    """A module that imported scikit-learn's class before the patch, under two names."""
    module = types.ModuleType("importer_of_mixtures")
    module.GaussianMixture = module.GMM = home.GaussianMixture
    module.other = sklearn.mixture.BayesianGaussianMixture
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def test_patch_and_unpatch_exchange_the_class_everywhere_and_may_be_repeated(importer):
    original = home.GaussianMixture
    assert not accel.is_patched()
    for _ in range(2):
        accel.unpatch_sklearn()
        assert sklearn.mixture.GaussianMixture is importer.GMM is importer.GaussianMixture is original
    for _ in range(2):
        accel.patch_sklearn()
        assert accel.is_patched()
        assert sklearn.mixture.GaussianMixture is importer.GMM is importer.GaussianMixture
        assert importer.GMM is accel.GaussianMixture
        assert home.GaussianMixture is original  # where pickles look for it
        assert importer.other is sklearn.mixture.BayesianGaussianMixture
    accel.unpatch_sklearn()
    assert sklearn.mixture.GaussianMixture is importer.GMM is importer.GaussianMixture is original
    assert not accel.is_patched()


def test_whose_instances_are_whose(patched):
    name = sklearn.mixture.GaussianMixture
    ours, theirs, direct = name(2), home.GaussianMixture(2), gaussmix.GaussianMixture(2)
    for model in (ours, theirs, direct):
        assert isinstance(model, name)
        assert issubclass(type(model), name)
    for kind in (gaussmix.GaussianMixture, home.GaussianMixture, BaseMixture):
        assert isinstance(ours, kind)
    bayesian = sklearn.mixture.BayesianGaussianMixture()
    assert not isinstance(bayesian, name) and isinstance(bayesian, BaseMixture)
    assert not issubclass(BaseMixture, name)
    assert type(ours) is name


def test_without_the_patch_nothing_is_what_it_is_not():
    for _ in range(2):  # what an abstract class remembers of earlier questions is forgotten
        accel.patch_sklearn()
        assert issubclass(gaussmix.GaussianMixture, sklearn.mixture.GaussianMixture)
        made = sklearn.mixture.GaussianMixture()
        accel.unpatch_sklearn()
        assert not isinstance(
            gaussmix.GaussianMixture(), home.GaussianMixture | BaseMixture | accel.GaussianMixture
        )
        assert not issubclass(gaussmix.GaussianMixture, home.GaussianMixture)
        assert isinstance(made, home.GaussianMixture)
        assert isinstance(home.GaussianMixture(), accel.GaussianMixture)


def test_it_is_ours_that_fits_with_our_parameters_and_defaults(patched):
    model = sklearn.mixture.GaussianMixture(2, random_state=0)
    expected = gaussmix.GaussianMixture(2, random_state=0)
    assert model.get_params() == expected.get_params()
    assert repr(model) == repr(expected)
    assert inspect.signature(type(model)) == inspect.signature(gaussmix.GaussianMixture)
    np.testing.assert_array_equal(model.fit(X).means_, expected.fit(X).means_)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.fit_result_.converged


def test_what_existing_programs_pass(patched):
    parameters = home.GaussianMixture().get_params() | {"n_components": 2, "random_state": 0}
    model = sklearn.mixture.GaussianMixture(**parameters).fit(X)
    np.testing.assert_allclose(model.score(X), home.GaussianMixture(**parameters).fit(X).score(X), rtol=1e-6)


def test_in_the_hands_of_scikit_learn(patched):
    model = sklearn.mixture.GaussianMixture(random_state=0)
    assert type(clone(model)) is type(model)
    search = GridSearchCV(model, {"n_components": [1, 2], "init_params": ["kmeans"]}, cv=2).fit(
        X[np.argsort(X[:, 1] % 1.0)]
    )
    assert search.best_params_["n_components"] == 2
    pipeline = make_pipeline(StandardScaler(), model).fit(X)
    assert pipeline.predict(X).shape == (200,)
    assert not model.__sklearn_tags__().array_api_support
    assert "GaussianMixture" in model._repr_html_()


class TestSubclasses:
    def test_one_that_leaves_the_algorithm_alone_is_ours(self, patched):
        class Shifted(sklearn.mixture.GaussianMixture):
            def predict(self, X):
                return super().predict(X) + 1

        model = Shifted(2, random_state=0).fit(X)
        assert isinstance(model, gaussmix.GaussianMixture | sklearn.mixture.GaussianMixture)
        assert set(model.predict(X)) == {1, 2}
        assert not isinstance(sklearn.mixture.GaussianMixture(), Shifted)
        assert not isinstance(home.GaussianMixture(), Shifted)

    @pytest.mark.parametrize("where", ["the class", "a mixin"])
    def test_one_that_overrides_a_step_of_the_algorithm_has_it_called(self, patched, where):
        class Equal:
            def _m_step(self, X, log_resp, xp=None):
                super()._m_step(X, log_resp)
                self.weights_ = np.full(self.n_components, 1.0 / self.n_components)

        if where == "a mixin":

            class EqualMixture(Equal, sklearn.mixture.GaussianMixture):
                pass
        else:

            class EqualMixture(sklearn.mixture.GaussianMixture):
                def _m_step(self, X, log_resp, xp=None):
                    sklearn.mixture.GaussianMixture._m_step(self, X, log_resp)
                    self.weights_ = np.full(self.n_components, 1.0 / self.n_components)

        model = EqualMixture(2, random_state=0).fit(X[:150])
        assert model.weights_.tolist() == [0.5, 0.5]
        assert isinstance(model, sklearn.mixture.GaussianMixture)
        assert isinstance(model, gaussmix.GaussianMixture)


class TestPickles:
    LOAD = """
import pickle
from sklearn.mixture import GaussianMixture
%s
for model in pickle.loads(bytes.fromhex(%r)):
    assert isinstance(model, GaussianMixture), type(model)
    print(type(model).__module__, *model.predict([[0.0, 0.0], [6.0, 3.0]]))
"""

    @pytest.mark.parametrize("loader", ["", "import gaussmix.accel; gaussmix.accel.patch_sklearn()"])
    @pytest.mark.parametrize("patch_first", [True, False])
    def test_either_class_travels_with_and_without_the_patch(self, patch_first, loader):
        theirs = home.GaussianMixture(2, random_state=0).fit(X)
        accel.patch_sklearn()
        ours = sklearn.mixture.GaussianMixture(2, random_state=0).fit(X)
        if not patch_first:
            accel.unpatch_sklearn()
        content = pickle.dumps([ours, theirs])
        accel.unpatch_sklearn()
        lines = run_python(self.LOAD % (loader, content.hex())).splitlines()
        where = [0.0, 0.0], [6.0, 3.0]
        assert lines == [
            " ".join(map(str, ["gaussmix.accel", *ours.predict(where)])),
            " ".join(map(str, ["sklearn.mixture._gaussian_mixture", *theirs.predict(where)])),
        ]

    def test_joblib_workers_fit_ours(self, patched):
        """They are not patched: what they are sent is made here."""
        models = [sklearn.mixture.GaussianMixture(k, random_state=0) for k in (1, 2)]
        fitted = joblib.Parallel(n_jobs=2)(joblib.delayed(model.fit)(X) for model in models)
        assert [type(model) for model in fitted] == [accel.GaussianMixture] * 2
        assert [len(model.weights_) for model in fitted] == [1, 2]


def test_the_log_says_so(caplog):
    caplog.set_level(logging.INFO, "gaussmix")
    accel.stand_in.users.clear()
    accel.patch_sklearn()
    accel.patch_sklearn()
    for _ in range(2):
        clone(sklearn.mixture.GaussianMixture())
    accel.unpatch_sklearn()
    accel.unpatch_sklearn()
    first, second, last = [record.getMessage() for record in caplog.records]
    assert f"sklearn.mixture.GaussianMixture is gaussmix {gaussmix.__version__}'s" in first
    assert second == f"gaussmix.accel: {__name__} uses gaussmix's GaussianMixture"
    assert "is scikit-learn's again" in last


def test_importing_the_module_patches_nothing():
    assert not accel.is_patched()
    code = "import gaussmix.accel, sklearn.mixture as m; print(m.GaussianMixture.__module__)"
    assert run_python(code).strip() == "sklearn.mixture._gaussian_mixture"
