"""What a search chooses for resamples of the rows."""

import numpy as np
import pytest

import gaussmix
from gaussmix.infer.resampling import METHODS
from gaussmix.infer.stability import Stability, draw_half
from gaussmix.infer.subject import read_subject

GRID = {"n_components": range(1, 4), "covariance_type": ["EII", "EEE"]}


def make_rows(apart=8.0):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(40, 2)), rng.normal(apart, 1.0, (60, 2))])


@pytest.mark.parametrize("method", ["halves", *METHODS])
def test_clear_clusters_are_found_again(method):
    X = make_rows()
    result = gaussmix.search(X, **GRID)
    found = gaussmix.measure_stability(X, result, method=method, n_resamples=8, random_state=0)
    assert found.best_model == result.best_model and found.best_model[1] == 2
    assert found.share >= 0.6 and max(found.shares, key=found.shares.get) == 2
    assert np.quantile(found.rand_indices, 0.3) > 0.9
    for shares in (found.shares, found.family_shares, found.model_shares):
        assert sum(shares.values()) == pytest.approx(1.0)


def test_one_cloud_has_no_stable_groups():
    X = make_rows(apart=0.0)
    result = gaussmix.search(X, 3, covariance_type="VVV")
    found = gaussmix.measure_stability(X, result, n_resamples=8, random_state=0)
    assert found.shares == {3: 1.0} and np.median(found.rand_indices) < 0.9


def test_any_number_of_threads(monkeypatch):
    X = make_rows(apart=2.0)
    result = gaussmix.search(X, **GRID)
    alone = gaussmix.measure_stability(X, result, n_resamples=6, random_state=0, n_jobs=1)
    monkeypatch.setenv("GAUSSMIX_NUM_THREADS", "3")
    shared = gaussmix.measure_stability(X, result, n_resamples=6, random_state=0)
    assert alone.chosen == shared.chosen
    np.testing.assert_array_equal(alone.rand_indices, shared.rand_indices)


def test_what_is_said_of_it():
    found = Stability(
        ("EEE", 2), (("EEE", 2), ("EII", 2), ("EEE", 3), ("EEE", 2)), np.array([1.0, 1.0, 0.5, 1.0])
    )
    assert found.shares == {2: 0.75, 3: 0.25} and found.share == 0.75
    assert found.family_shares == {"EEE": 0.75, "EII": 0.25}
    assert found.model_shares["EEE", 2] == 0.5
    assert "4 resamples; components: 2 in 75%, 3 in 25%; adjusted Rand index: median 1.00" in repr(found)


def test_progress_and_options_of_the_search():
    X = make_rows()
    result = gaussmix.search(X, 2, covariance_type="EII", noise=True)
    options = {"random_state": 0, "n_jobs": 1, "noise": True}
    found = gaussmix.measure_stability(
        X, result, n_resamples=5, on_progress=lambda progress: progress.done == 2, **options
    )
    assert len(found.chosen) + found.n_failed == 2


def test_an_estimator_that_has_searched():
    X = make_rows()
    model = gaussmix.GaussianMixture("auto", covariance_type="tied", random_state=0).fit(X)
    found = gaussmix.measure_stability(X, model, n_resamples=2, random_state=0)
    assert found.best_model == model.search_.best_model
    assert gaussmix.bootstrap(X, model, n_resamples=2, random_state=0).mixture is model.mixture_


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"criterion": "aic"}, "leave them out"),
        ({"method": "pb"}, "method"),
        ({"n_resamples": 0}, "n_resamples"),
    ],
)
def test_wrong_arguments(options, words):
    X = make_rows()
    with pytest.raises(ValueError, match=words):
        gaussmix.measure_stability(X, gaussmix.search(X, 2, covariance_type="EII"), **options)
    with pytest.raises(ValueError, match="gaussmix.search"):
        gaussmix.measure_stability(X, gaussmix.fit_mixture(X, 2, random_state=0))


@pytest.mark.parametrize("option", [{"noise": True}, {"trim": 0.05}, {"prior": "mclust"}])
def test_resamples_are_searched_as_the_rows_were(option):
    X, grid = make_rows(), {"n_components": [1, 2], "covariance_type": "EII"}
    result = gaussmix.search(X, **grid, **option, random_state=0)
    with pytest.raises(ValueError, match=f"the search had {next(iter(option))}"):
        gaussmix.measure_stability(X, result, n_resamples=2)
    asked = gaussmix.measure_stability(X, result, n_resamples=3, random_state=0, **option)
    model = gaussmix.GaussianMixture([1, 2], covariance_type=["EII"], **option, random_state=0).fit(X)
    found = gaussmix.measure_stability(X, model, n_resamples=3, random_state=0)
    assert found.chosen == asked.chosen and len(found.chosen) == 3


def test_halves_count_each_row_once():
    X = np.random.default_rng(0).normal(size=(41, 2))
    subject = read_subject(X, gaussmix.fit_mixture(X, 1).mixture, sample_weight=np.full(41, 2.0))
    weights = draw_half(subject, np.random.SeedSequence(0)).weights
    assert sorted(set(weights)) == [0.0, 2.0] and (weights > 0.0).sum() == 21
