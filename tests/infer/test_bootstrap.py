"""The bootstrap: each refit is the fit of its resample, and what is said of all of them."""

import numpy as np
import pytest

import gaussmix
from gaussmix.datasets import load_faithful
from gaussmix.errors import FitError
from gaussmix.infer.refits import Refitter, Settings
from gaussmix.infer.resampling import METHODS, draw_resample, make_seeds
from gaussmix.infer.subject import read_subject
from tests.helpers import NAMES

CLOSE = {"tol": 1e-10, "max_iter": 3000}


def make_rows(d=2, n=90):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0.0, 1.0, (n // 3, d)), rng.normal(4.0, 1.5, (n - n // 3, d))])


def fit_rows(X, k=2, **options):
    return gaussmix.fit_mixture(X, k, random_state=0, tol=1e-8, max_iter=2000, **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NAMES)
def test_stacked_refits_are_fits_of_the_resamples(name, method):
    X = make_rows()
    fit = fit_rows(X, covariance_type=name)
    refitter = Refitter(read_subject(X, fit), Settings(**CLOSE))
    assert refitter.stacks
    resamples = [draw_resample(refitter.subject, method, seed) for seed in make_seeds(1, 3)]
    for resample, refit in zip(resamples, refitter.refit(resamples), strict=True):
        alone = gaussmix.fit_mixture(
            X if resample.rows is None else resample.rows,
            2,
            covariance_type=name,
            sample_weight=resample.weights,
            start=fit.mixture,
            stopping="aitken",
            **CLOSE,
        )
        assert not refit.failure
        assert refit.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-7)
        rows = X if resample.rows is None else resample.rows
        masses = np.ones(len(rows)) if resample.weights is None else resample.weights
        assert refit.log_likelihood == pytest.approx(masses @ refit.mixture.log_prob(rows), rel=1e-9)
        np.testing.assert_allclose(refit.mixture.means, alone.mixture.means, atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_of_one_component_have_a_formula(method):
    X = make_rows(d=1, n=200)
    fit = fit_rows(X, 1)
    found = gaussmix.bootstrap(X, fit, method=method, n_resamples=600, random_state=0)
    assert found.standard_errors.means[0, 0] == pytest.approx(X.std() / np.sqrt(len(X)), rel=0.1)
    fourth = ((X - X.mean()) ** 4).mean() if method != "parametric" else 3.0 * X.var() ** 2
    expected = np.sqrt((fourth - X.var() ** 2) / len(X))
    assert found.standard_errors.covariances[0, 0, 0] == pytest.approx(expected, rel=0.1)
    assert found.standard_errors.weights.max() < 1e-12


def test_old_faithful_as_mclust_has_it():
    # mclust 6: set.seed(1); MclustBootstrap(Mclust(faithful, G = 2, modelNames = "VVV"), nboot = 999, type = "bs")
    weights, means = [0.0286, 0.0286], [[0.0293, 0.607], [0.0323, 0.462]]
    X, names = load_faithful()
    fit = gaussmix.fit_mixture(X, 2, feature_names=names, random_state=0, tol=1e-8)
    found = gaussmix.bootstrap(X, fit, n_resamples=999, random_state=1)
    np.testing.assert_allclose(found.standard_errors.weights, weights, rtol=0.1)
    np.testing.assert_allclose(found.standard_errors.means, means, rtol=0.1)


def test_weights_are_copies():
    X, copies = make_rows(n=60), np.repeat([1, 3], 30)
    fit, whole = fit_rows(X, sample_weight=copies), fit_rows(np.repeat(X, copies, axis=0))
    by_weights = gaussmix.bootstrap(X, fit, sample_weight=copies, n_resamples=400, random_state=0)
    by_copies = gaussmix.bootstrap(np.repeat(X, copies, axis=0), whole, n_resamples=400, random_state=1)
    ratio = by_weights.standard_errors.means / by_copies.standard_errors.means
    np.testing.assert_allclose(ratio, 1.0, atol=0.25)


def test_any_number_of_threads(monkeypatch):
    X = make_rows()
    fit = fit_rows(X)
    alone = gaussmix.bootstrap(X, fit, n_resamples=300, random_state=5, n_jobs=1)
    monkeypatch.setenv("GAUSSMIX_NUM_THREADS", "3")
    shared = gaussmix.bootstrap(X, fit, n_resamples=300, random_state=5)
    np.testing.assert_array_equal(alone.covariances, shared.covariances)


@pytest.mark.parametrize("method", METHODS)
def test_the_first_resamples_are_the_same_of_more(method):
    X = make_rows()
    subject = read_subject(X, fit_rows(X))
    few, more = make_seeds(3, 2), make_seeds(3, 5)
    for one, other in zip(few, more, strict=False):
        for first, second in zip(
            draw_resample(subject, method, one), draw_resample(subject, method, other), strict=True
        ):
            assert (first is None and second is None) or np.array_equal(first, second)
    assert (
        make_seeds(np.random.RandomState(1), 1)[0].entropy
        == make_seeds(np.random.RandomState(1), 1)[0].entropy
    )
    assert make_seeds(np.random.default_rng(1), 1)[0].entropy != make_seeds(None, 1)[0].entropy


def test_components_are_those_of_the_fit_in_any_order():
    X = make_rows()
    fit = fit_rows(X)
    m = fit.mixture
    turned = gaussmix.Mixture(m.weights[::-1], m.means[::-1], m.covariances[::-1])
    found = gaussmix.bootstrap(X, turned, n_resamples=50, random_state=0)
    straight = gaussmix.bootstrap(X, fit, n_resamples=50, random_state=0)
    np.testing.assert_allclose(found.standard_errors.means[::-1], straight.standard_errors.means, rtol=1e-3)
    assert (np.abs(found.means.mean(axis=0) - turned.means) < 0.5).all()


def test_progress_stops_with_what_there_is():
    X = make_rows()
    fit = fit_rows(X)
    seen = []

    def stop(progress):
        seen.append((progress.done, progress.of))
        return progress.done > 0

    found = gaussmix.bootstrap(X, fit, n_resamples=999, random_state=0, n_jobs=1, on_progress=stop)
    assert seen == [(0, 999), (found.n_resamples, 999)]
    assert len(found.weights) == found.n_resamples < 999
    whole = gaussmix.bootstrap(X, fit, n_resamples=999, random_state=0, n_jobs=1)
    np.testing.assert_array_equal(found.means, whole.means[: found.n_resamples])


@pytest.mark.parametrize("method", METHODS)
def test_noise(method):
    rng = np.random.default_rng(0)
    X = np.concatenate([make_rows(), rng.uniform(-15.0, 15.0, (20, 2))])
    fit = fit_rows(X, noise=True)
    found = gaussmix.bootstrap(X, fit, method=method, n_resamples=30, random_state=0)
    assert found.noise.shape == (30,) and found.standard_errors.noise > 0.01
    np.testing.assert_allclose(found.weights.sum(axis=1) + found.noise, 1.0)
    assert found.to_dict()["component"][-1] == -1
    assert "noise" in found.summary()


def test_trimmed_fits():
    rng = np.random.default_rng(0)
    X = np.concatenate([make_rows(), rng.uniform(-40.0, 40.0, (10, 2))])
    fit = fit_rows(X, trim=0.1)
    found = gaussmix.bootstrap(X, fit, n_resamples=20, random_state=0)
    assert (found.standard_errors.means < 2.0).all()
    with pytest.raises(ValueError, match="trimmed"):
        gaussmix.bootstrap(X, fit, method="parametric", n_resamples=20)


def test_factor_analysers_and_priors_go_one_by_one():
    X = make_rows(d=3)
    fit = gaussmix.fit_mixture(X, 2, covariance_type="ppca", random_state=0)
    found = gaussmix.bootstrap(X, fit, n_resamples=3, random_state=0, tol=1e-3)
    assert found.covariances.shape == (3, 2, 3, 3)
    estimator = gaussmix.GaussianMixture(2, prior="mclust", random_state=0).fit(X)
    assert gaussmix.bootstrap(X, estimator, n_resamples=3, random_state=0).means.shape == (3, 2, 3)
    with pytest.raises(ValueError, match="prior"):
        gaussmix.bootstrap(X, estimator.fit_result_, n_resamples=3)


def test_a_constant_column():
    X = np.column_stack([make_rows(), np.full(90, 7.0)])
    found = gaussmix.bootstrap(X, fit_rows(X), n_resamples=5, random_state=0)
    assert (found.means[:, :, 2] == 7.0).all()


def test_many_rows_go_one_by_one():
    X = make_rows(n=120_000)
    fit = gaussmix.fit_mixture(X, 2, random_state=0)
    found = gaussmix.bootstrap(X, fit, n_resamples=4, random_state=0)
    assert found.standard_errors.means.max() < 0.03


def test_resamples_that_collapse_are_named():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(40, 2)), rng.normal(20.0, 1.0, (4, 2))])
    fit = fit_rows(X)
    found = gaussmix.bootstrap(X, fit, n_resamples=200, random_state=0)
    assert 0 < found.n_failed < 200 and len(found.means) == 200 - found.n_failed
    assert {reason for _, reason in found.failures} == {"a component collapsed"}
    assert f"{found.n_failed} without: a component collapsed" in repr(found)
    with pytest.raises(FitError, match="too few"):
        gaussmix.bootstrap(X[:44], gaussmix.fit_mixture(X, 20, random_state=0), n_resamples=2, random_state=0)


def test_tables():
    X = make_rows()
    fit = fit_rows(X, covariance_type="tied", feature_names=["a", "b"])
    found = gaussmix.bootstrap(X, fit, n_resamples=30, random_state=0)
    table = found.to_dict()
    assert len(set(map(len, table.values()))) == 1
    assert table["parameter"] == ["weight", "mean", "mean"] * 2 + ["variance", "covariance", "variance"]
    assert table["component"] == [0] * 3 + [1] * 3 + [None] * 3
    assert table["other"][-2:] == ["b", None] and table["feature"][-2:] == ["a", "b"]
    assert table["estimate"][1] == fit.mixture.means[0, 0]
    assert table["estimate"][-2] == fit.mixture.covariances[0, 1]
    assert "1 parameter more" in found.summary(max_rows=8)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_tables_of_any_kind(backend):
    pytest.importorskip(backend)
    X = make_rows()
    found = gaussmix.bootstrap(X, fit_rows(X), n_resamples=5, random_state=0)
    assert list(found.to_frame(backend)["estimate"].to_numpy()) == found.to_dict()["estimate"]


@pytest.mark.parametrize("kind", ["normal", "percentile", "basic"])
def test_intervals(kind):
    X = make_rows()
    fit = fit_rows(X)
    found = gaussmix.bootstrap(X, fit, n_resamples=199, random_state=0)
    wide, narrow = found.intervals(0.99, kind), found.intervals(0.5, kind)
    assert (wide.lower.means < narrow.lower.means).all() and (narrow.upper.means < wide.upper.means).all()
    assert (wide.lower.weights > 0.0).all() and (wide.upper.weights < 1.0).all()
    if kind == "percentile":
        assert (
            (found.means >= wide.lower.means) & (found.means <= wide.upper.means)
        ).mean() == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "bs"}, "method must be one of"),
        ({"n_resamples": 1}, "n_resamples must be a whole number"),
        ({"fit": 3}, "fit must be a Mixture"),
        ({"X": make_rows(d=3)}, "the fit has 2 features"),
        ({"X": make_rows(n=60)}, "the fit is of 90 rows"),
        ({"sample_weight": np.full(90, 0.01)}, "Scale sample_weight"),
        ({"reg_covar": -1.0}, "reg_covar"),
    ],
)
def test_wrong_arguments(options, words):
    X = make_rows()
    with pytest.raises(ValueError, match=words):
        gaussmix.bootstrap(**{"X": X, "fit": fit_rows(X), "n_resamples": 5} | options)


def test_fits_under_constraints_are_refused():
    X = make_rows()
    fit = fit_rows(X, constraints=gaussmix.Constraints(equal_weights=True))
    with pytest.raises(ValueError, match="constraints held"):
        gaussmix.bootstrap(X, fit, n_resamples=5)
