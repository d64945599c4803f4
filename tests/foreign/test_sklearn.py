"""To a fitted estimator of scikit-learn and back: the same density, labels and names."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.mixture
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import GaussianMixture, Mixture
from tests.foreign.cases import CASES, make_case

TYPES = ("full", "tied", "diag", "spherical")


@pytest.mark.filterwarnings("ignore:divide by zero")  # scikit-learn's logarithm of a zero weight
@pytest.mark.parametrize("case", CASES)
def test_the_density_is_the_same(case):
    mixture, rows = make_case(case)
    theirs = mixture.to_sklearn()
    assert theirs.covariance_type in TYPES
    assert_allclose(theirs.score_samples(rows), mixture.log_prob(rows), rtol=1e-9, atol=1e-9)
    assert_array_equal(theirs.predict(rows), mixture.predict(rows))
    drawn, _ = theirs.sample(10)
    assert drawn.shape == (10, mixture.n_features)
    again = Mixture.from_sklearn(theirs)
    assert again.covariance_type == theirs.covariance_type
    assert_allclose(again.log_prob(rows), mixture.log_prob(rows), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("EII", "spherical"),
        ("EEI", "diag"),
        ("VEI", "diag"),
        ("EVI", "diag"),
        ("VVE", "full"),
        ("EEV", "full"),
    ]
    + [(name, name) for name in TYPES],
)
def test_families_widen_to_the_smallest_that_holds_them(name, kind):
    assert make_case(name)[0].to_sklearn().covariance_type == kind


def test_arrays_are_copies_and_names_go_along():
    mixture = Mixture([1.0], [[0.0, 1.0]], [[1.0, 2.0]], "diag", feature_names=["a", "b"])
    theirs = mixture.to_sklearn()
    theirs.means_ += 1.0
    assert mixture.means[0, 0] == 0.0
    assert Mixture.from_sklearn(theirs).feature_names == ("a", "b")


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("kind", [sklearn.mixture.GaussianMixture, sklearn.mixture.BayesianGaussianMixture])
def test_fits_of_scikit_learn_are_read(kind, name):
    X = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0.0], [5.0]], 30, axis=0)
    theirs = kind(n_components=2, covariance_type=name, random_state=0).fit(X)
    mixture = Mixture.from_sklearn(theirs)
    assert mixture.covariance_type == name
    assert_array_equal(mixture.means, theirs.means_)
    assert_array_equal(mixture.covariances, theirs.covariances_)
    if kind is sklearn.mixture.GaussianMixture:
        assert_allclose(mixture.log_prob(X), theirs.score_samples(X), rtol=1e-10)


def test_ours_are_read_as_they_are_and_a_subclass_stays_one():
    class Own(Mixture):
        pass

    model = GaussianMixture(2, random_state=0).fit([[1.0], [2.0], [8.0], [9.0]])
    found = Own.from_sklearn(model)
    assert type(found) is Own
    assert_array_equal(found.means, model.mixture_.means)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (sklearn.mixture.GaussianMixture(2), "got GaussianMixture, not fitted yet"),
        (GaussianMixture(2), "got GaussianMixture, not fitted yet"),
        (object(), "got object"),
    ],
)
def test_what_is_not_fitted_or_no_mixture_is_refused(estimator, message):
    with pytest.raises(ValueError, match=message):
        Mixture.from_sklearn(estimator)
