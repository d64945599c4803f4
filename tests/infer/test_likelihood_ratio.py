"""The bootstrap likelihood-ratio test of one number of components against the next."""

import numpy as np
import pytest

import gaussmix
from gaussmix.datasets import load_faithful
from gaussmix.errors import FitError
from gaussmix.infer.likelihood_ratio import Comparison, LikelihoodRatioTest, label_by_hierarchy
from gaussmix.infer.refits import Refitter, Settings
from gaussmix.infer.resampling import Resample, draw_resample
from gaussmix.infer.subject import read_subject

OPTIONS = {"n_resamples": 19, "random_state": 0}


def make_rows(d=2, apart=5.0, n=90):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0.0, 1.0, (n // 3, d)), rng.normal(apart, 1.5, (n - n // 3, d))])


@pytest.mark.parametrize("name", ["full", "tied", "VEI", "spherical"])
def test_two_clusters_are_two_components(name):
    X = make_rows()
    found = gaussmix.bootstrap_lrt(X, name, **OPTIONS)
    assert found[0].p_value == pytest.approx(1.0 / 20.0)
    assert found.n_components >= 2 and found.best.mixture.n_components == found.n_components
    models = gaussmix.fit_mixtures(X, [1, 2], covariance_type=name, tol=1e-4)
    gain = models.fits[name, 2].log_likelihood - models.fits[name, 1].log_likelihood
    assert found[0].statistic == pytest.approx(2.0 * gain)
    assert len(found.fits) == len(found) + 1 == len(found.to_dict()["p_value"]) + 1
    assert (
        found[-1].p_value > 0.05 or found.n_components == 9
    ) and f"level 0.05: {found.n_components}" in repr(found)


def test_one_cluster_is_one_component():
    X = np.random.default_rng(2).normal(size=(100, 2))
    found = gaussmix.bootstrap_lrt(X, "tied", **OPTIONS)
    assert found.n_components == 1 and len(found) == 1
    assert (found[0].resampled >= 0.0).all()


def test_p_values_are_even_where_one_component_is_right():
    # 40 samples of one component: about one p-value in ten is below 0.1, and half below one half
    rng = np.random.default_rng(0)
    p = [
        gaussmix.bootstrap_lrt(
            rng.normal(size=(40, 1)), "tied", max_components=2, n_resamples=19, random_state=i
        )[0].p_value
        for i in range(40)
    ]
    assert 0 <= np.mean(np.array(p) <= 0.1) <= 0.25 and 0.25 <= np.mean(np.array(p) <= 0.5) <= 0.75


def test_the_p_value_counts_the_data_as_one_draw():
    test = LikelihoodRatioTest(2, 5.0, np.array([1.0, 5.0, 7.0]))
    assert test.p_value == 3.0 / 4.0
    assert repr(test) == "LikelihoodRatioTest(2 against 3: statistic 5, p 0.75)"


def test_draws_have_the_gain_of_fits_to_them():
    X = make_rows(apart=3.0)
    fit = gaussmix.fit_mixture(X, 1, random_state=0)
    comparison = Comparison(Refitter(read_subject(X, fit), Settings(1e-9, 5000, "change")))
    seed = np.random.SeedSequence(5)
    gains = comparison.run(3, seed, 1, lambda progress: False)
    for gain, own in zip(gains, np.random.SeedSequence(5).spawn(3), strict=True):
        rows = draw_resample(comparison.refitter.subject, "parametric", own).rows
        labels = label_by_hierarchy(Resample(rows, None), 2)
        small, large = (
            gaussmix.fit_mixture(rows, k, start=start, tol=1e-9, max_iter=5000, acceleration=None)
            for k, start in ((1, np.zeros(90, dtype=int)), (2, labels))
        )
        if not large.collapsed and large.log_likelihood > small.log_likelihood:
            assert gain == pytest.approx(2.0 * (large.log_likelihood - small.log_likelihood), rel=1e-4)


def test_any_number_of_threads(monkeypatch):
    X = make_rows()
    alone = gaussmix.bootstrap_lrt(X, n_jobs=1, **OPTIONS)
    monkeypatch.setenv("GAUSSMIX_NUM_THREADS", "3")
    shared = gaussmix.bootstrap_lrt(X, **OPTIONS)
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one.resampled, other.resampled)


def test_progress_stops():
    found = gaussmix.bootstrap_lrt(
        make_rows(), n_resamples=999, random_state=0, n_jobs=1, on_progress=lambda progress: True
    )
    assert len(found) == 1 and len(found[0].resampled) + found[0].n_failed < 999


def test_one_by_one():
    found = gaussmix.bootstrap_lrt(make_rows(d=3), "ppca", n_resamples=5, max_components=2, random_state=0)
    assert len(found[0].resampled) + found[0].n_failed == 5


def test_weights_are_numbers_of_rows():
    X = make_rows(apart=3.0)
    once = gaussmix.bootstrap_lrt(X, "tied", max_components=2, **OPTIONS)
    twice = gaussmix.bootstrap_lrt(X, "tied", max_components=2, sample_weight=np.full(90, 2.0), **OPTIONS)
    assert twice[0].statistic == pytest.approx(2.0 * once[0].statistic, rel=1e-3)


def test_of_many_rows_some_are_clustered():
    rows = make_rows(n=3000)
    labels = label_by_hierarchy(Resample(rows, None), 2)
    assert set(labels[:1000].tolist()) == {0, 1} and (labels[1000:] == -1).all()


def test_a_following_fit_that_collapses_ends_the_tests():
    X = np.repeat(np.random.default_rng(0).normal(size=(3, 2)), 10, axis=0)
    X += np.random.default_rng(1).normal(scale=1e-9, size=X.shape)
    found = gaussmix.bootstrap_lrt(X, max_components=5, n_resamples=9, random_state=0)
    assert len(found.fits) < 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_components": 1}, "max_components"),
        ({"n_resamples": 0}, "n_resamples"),
        ({"level": 1.0}, "level"),
        ({"covariance_type": "round"}, "covariance_type"),
    ],
)
def test_wrong_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        gaussmix.bootstrap_lrt(make_rows(), **{**OPTIONS, **options})


def test_rows_without_spread():
    with pytest.raises(FitError, match="no spread"):
        gaussmix.bootstrap_lrt(np.ones((20, 2)), reg_covar=0.0, **OPTIONS)


def test_no_statistic_is_negative_where_the_hierarchy_leads_lower():
    """Of Old Faithful the hierarchy's 4 components of one covariance end 8 nats below its 3."""
    X, _ = load_faithful()
    tests = gaussmix.bootstrap_lrt(X, "EEE", max_components=4, n_resamples=9, level=0.99, random_state=0)
    assert len(tests) == 3
    assert all(test.statistic > 0.0 for test in tests)
