"""Every start of the table, and every kind that is given, yields a proper mixture of the right scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import eigvalsh

from gaussmix import Mixture, NormalInverseWishart, fit_mixture
from gaussmix.fit import memberships
from gaussmix.fit.given import Given
from gaussmix.fit.starts import first
from gaussmix.fit.starts.pca import divide, two_means
from gaussmix.fit.starts.table import STARTS
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.mixture.order import find_stable_order, take_components
from tests.helpers import KINDS, assert_same_mixture, random_mixture

#: Starts that draw nothing where the rows are few.
DETERMINISTIC = ("agglomerative", "pca")
EACH = pytest.mark.parametrize("init", STARTS)
EACH_DETERMINISTIC = pytest.mark.parametrize("init", DETERMINISTIC)


def start(X, k, init="kmeans", seed=0, **options):
    """The mixture that a fit begins with."""
    return fit_mixture(X, k, init_params=init, random_state=seed, max_iter=0, **options).mixture


def clusters(k=4, d=3, n=600, seed=0):
    """Rows with labels of clusters that overlap a little."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=n)
    labels[:k] = np.arange(k)
    return rng.normal(size=(k, d))[labels] * 4.0 + rng.normal(size=(n, d)) * np.arange(1, d + 1), labels


def assert_proper(mixture, X, weights=None):
    """Weights that sum to one, means within the rows, covariances that are positive and no wider than they."""
    assert_allclose(mixture.weights.sum(), 1.0, rtol=1e-12)
    assert (mixture.weights >= 0.0).all()
    present = mixture.weights > 0.0
    span = np.ptp(X.astype(np.float64), axis=0) + 1e-9
    means = mixture.means[present]
    assert (means >= X.min(axis=0) - 1e-6 * span).all() and (means <= X.max(axis=0) + 1e-6 * span).all()
    dense = mixture.dense_covariances
    assert np.isfinite(dense).all() and np.isfinite(mixture.log_prob(X)).all()
    assert (np.linalg.eigvalsh(dense) > 0.0).all()
    # no mixture of theirs is wider than the rows: a part's scatter is a part of the scatter of all
    pooled = np.atleast_2d(np.cov(X, rowvar=False, bias=True, aweights=weights))
    share = mixture.weights[present, None, None] * dense[present]
    assert eigvalsh(share.sum(axis=0), pooled + 1e-9 * np.diag(span**2)).max() < 1.0 + 1e-6


@EACH
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("k", "d"), [(1, 2), (4, 3), (3, 1)])
def test_a_start_is_a_proper_mixture(init, k, d, dtype):
    X = clusters(4, d)[0].astype(dtype)
    assert_proper(start(X, k, init), X)


@EACH
@pytest.mark.parametrize("name", KINDS)
def test_a_start_of_every_kind_of_family_is_reproducible(name, init):
    X, _ = clusters()
    one, same = (start(X, 4, init, seed=3, covariance_type=name) for _ in range(2))
    assert_array_equal(one.means, same.means)
    assert_array_equal(one.covariances, same.covariances)
    assert_allclose(one.weights.sum(), 1.0, rtol=1e-12)
    assert (one.variances > 0.0).all()


@EACH
@pytest.mark.parametrize("turn", [1, 2])
def test_further_starts_are_proper_too(init, turn):
    X, _ = clusters()
    result = fit_mixture(X, 4, init_params=init, n_init=turn + 1, max_iter=0, random_state=0)
    assert_proper(result.mixture, X)
    assert result.failed_starts == ()


@EACH
def test_as_many_components_as_rows(init):
    X = np.random.default_rng(0).normal(size=(6, 2))
    mixture = start(X, 6, init)
    assert_allclose(mixture.weights.sum(), 1.0, rtol=1e-12)
    assert np.isfinite(mixture.means).all() and (mixture.variances > 0.0).all()


@EACH
@pytest.mark.parametrize("k", [2, 4])
def test_rows_that_occur_often(init, k):
    """Two different rows, for as many components and for more."""
    X = np.repeat([[0.0, 1.0], [5.0, -1.0]], 20, axis=0)
    mixture = start(X, k, init)
    assert_allclose(mixture.weights.sum(), 1.0, rtol=1e-12)
    assert np.isfinite(mixture.means).all() and (mixture.variances > 0.0).all()


@EACH_DETERMINISTIC
def test_these_draw_nothing(init):
    X, _ = clusters()
    assert_array_equal(start(X, 4, init, seed=0).means, start(X, 4, init, seed=1).means)


def test_further_divisions_are_others():
    X, _ = clusters(8, 4)
    options = {"init_params": "pca", "max_iter": 0, "random_state": 0}
    one, best = (fit_mixture(X, 8, n_init=n, **options) for n in (1, 20))
    assert best.log_likelihood > one.log_likelihood


def test_an_integer_weight_is_copies_for_a_division():
    X, _ = clusters(n=150)
    weights = np.random.default_rng(1).integers(0, 4, size=len(X))
    assert_same_mixture(
        start(X, 4, "pca", sample_weight=weights), start(np.repeat(X, weights, axis=0), 4, "pca"), rtol=1e-10
    )


@EACH_DETERMINISTIC
@pytest.mark.parametrize("name", ["full", "tied", "diag"])
def test_no_unit_matters_to(init, name):
    X, _ = clusters()
    A, b = np.array([1e-9, -1.0, 1e9]), np.array([1.0, -5.0, 1e10])
    one, other = (start(rows, 4, init, covariance_type=name) for rows in (X, X * A + b))
    order = [int(np.abs(one.means - (mean - b) / A).max(axis=1).argmin()) for mean in other.means]
    assert sorted(order) == [0, 1, 2, 3]
    assert_allclose((other.means - b) / A, one.means[order], rtol=1e-5, atol=1e-5)
    assert_allclose(other.variances / A**2, one.variances[order], rtol=1e-5)


def test_a_division_turns_with_the_rows():
    """Of the families of spheres, which a turn leaves alone."""
    X, _ = clusters()
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    one, other = (start(rows, 4, "pca", covariance_type="spherical") for rows in (X, 7.0 * X @ turn.T))
    turned = 7.0 * one.means @ turn.T
    order = [int(np.abs(turned - mean).max(axis=1).argmin()) for mean in other.means]
    assert_allclose(other.means, turned[order], rtol=1e-9, atol=1e-9)
    assert_allclose(other.covariances, 49.0 * one.covariances[order], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_place_of_a_cut_is_that_of_least_squares(seed):
    rng = np.random.default_rng(seed)
    t, w = np.sort(rng.integers(0, 12, size=40) * 1.0), rng.uniform(0.5, 3.0, size=40)
    t -= np.average(t, weights=w)

    def within(part, weights):
        return weights @ (part - np.average(part, weights=weights)) ** 2

    cuts = [i for i in range(1, 40) if t[i] > t[i - 1]]
    best = min(cuts, key=lambda i: within(t[:i], w[:i]) + within(t[i:], w[i:]))
    assert two_means(t, w) == best
    assert two_means(np.zeros(4), np.ones(4)) == 0
    assert two_means(np.arange(4) * 1e-17, np.ones(4)) == 0


def test_a_division_finds_clusters_apart():
    X, labels = clusters(5, 2, seed=2)
    rng = np.random.default_rng(0)
    X = 60.0 * rng.normal(size=(5, 2))[labels] + rng.normal(size=(len(X), 2))
    found = divide(X, np.ones(len(X)), 5)
    assert len(set(zip(found.tolist(), labels.tolist(), strict=True))) == 5


#: Memberships that do not suit ten rows and two components, and what the error says.
WRONG = {
    "length": (np.zeros(3, dtype=int), "a label for each of the 10 rows of X; got 3"),
    "floats": (np.zeros(10), "labels that are integers, or .* got an array of float64"),
    "range": (np.arange(10), r"labels from 0 to 1, or -1.*row 2 has 2 \(8 such in all\)"),
    "minus two": (np.arange(10) % 2 - 2, "row 0 has -2"),
    "empty": (np.zeros(10, dtype=int), "component 1 no row; each of the 2"),
    "shape": (np.ones((10, 3)), r"responsibilities of the shape \(10, 2\); got \(10, 3\)"),
    "negative": (np.tile([1.5, -0.5], (10, 1)), "not negative; row 0 has -0.5 for component 1"),
    "sums": (np.tile([0.5, 0.6], (10, 1)), r"row 0 sum to 1.1 \(10 such rows\)"),
    "nothing": (np.tile([1.0, 0.0], (10, 1)), "component 1 no row"),
    "not finite": (np.full((10, 2), np.nan), "start contains NaN"),
    "text": (np.array(["a", "b"] * 5), "labels that are integers"),
}


class TestGiven:
    """Labels and responsibilities in place of a start that is named."""

    @pytest.mark.parametrize("name", [*KINDS, "factor"])
    @pytest.mark.parametrize("init", ["kmeans", "agglomerative"])
    def test_the_labels_of_a_start_are_that_start(self, monkeypatch, name, init):
        X, _ = clusters()
        seen = []
        own = memberships.make_responsibilities
        monkeypatch.setattr(
            memberships, "make_responsibilities", lambda labels, k: seen.append(labels) or own(labels, k)
        )
        mixture = start(X, 4, init, covariance_type=name)
        for members in (seen[0], (seen[0][:, None] == np.arange(4)).astype(np.float32)):
            given = start(X, 4, start=members, covariance_type=name)
            if init == "agglomerative":  # its components come in an order of their own
                given = take_components(given, find_stable_order(given))
            assert_array_equal(given.means, mixture.means)
            assert_array_equal(given.covariances, mixture.covariances)
            assert_array_equal(given.weights, mixture.weights)

    @pytest.mark.parametrize("name", STRUCTURES)
    def test_responsibilities_are_those_of_an_m_step(self, name):
        rng = np.random.default_rng(0)
        mixture = random_mixture(name, 3, 2, rng)
        X, _ = mixture.sample(400, rng)
        R = mixture.responsibilities(X)
        once = fit_mixture(X, 3, start=mixture, covariance_type=name, max_iter=1, tol=0.0, acceleration=None)
        assert_same_mixture(start(X, 3, start=R, covariance_type=name), once.mixture, rtol=1e-5)

    def test_of_many_rows_they_are_of_all(self, monkeypatch):
        X, labels = clusters(n=700)
        exact = start(X, 4, start=labels)
        monkeypatch.setattr("gaussmix.fit.memberships.ENOUGH", 50)
        assert_same_mixture(start(X, 4, start=labels), exact, rtol=1e-12)

    def test_rows_of_no_weight_have_labels_that_do_not_matter(self):
        X, labels = clusters()
        weights = np.random.default_rng(0).integers(0, 3, size=len(X))
        kept = weights > 0
        one = start(X, 4, start=np.where(kept, labels, 0), sample_weight=weights)
        other = start(X[kept], 4, start=labels[kept], sample_weight=weights[kept])
        assert_array_equal(one.covariances, other.covariances)
        assert_array_equal(one.weights, other.weights)

    def test_rows_that_belong_to_none_do_not_count(self):
        X, labels = clusters()
        some = np.arange(len(X)) % 3 > 0
        one = start(X, 4, start=np.where(some, labels, -1), covariance_type="diag")
        assert_allclose(one.weights, np.bincount(labels[some]) / some.sum(), rtol=1e-12)
        assert_allclose(one.means, [X[some & (labels == j)].mean(axis=0) for j in range(4)], rtol=1e-10)

    @pytest.mark.parametrize("kind", ["labels", "responsibilities"])
    def test_beside_noise_they_say_its_weight(self, kind):
        X, labels = clusters()
        labels = np.where(np.arange(len(X)) % 10 == 0, -1, labels)
        memberships = labels if kind == "labels" else np.eye(5)[labels]  # -1 is the last column
        mixture = start(X, 4, start=memberships, noise=True)
        assert_allclose(mixture.noise.weight, np.mean(labels < 0), rtol=1e-12)
        assert_allclose(mixture.weights, [np.mean(labels == j) for j in range(4)], rtol=1e-12)

    def test_a_trimmed_fit_takes_them(self):
        X, labels = clusters()
        result = fit_mixture(X, 4, start=labels, trim=0.1, random_state=0)
        assert result.converged and result.trimmed.sum() == 60

    def test_they_leave_nothing_to_draw(self):
        X, labels = clusters()
        one, other = (fit_mixture(X, 4, start=labels, n_init=3, random_state=seed) for seed in (0, 1))
        assert_array_equal(one.mixture.means, other.mixture.means)

    def test_the_number_of_factors_may_be_found(self):
        X, labels = clusters(2, 4)
        result = fit_mixture(X, 2, start=labels, covariance_type="factor", n_factors="auto", max_iter=5)
        assert result.mixture.n_factors == 1

    @pytest.mark.parametrize("what", WRONG)
    def test_what_is_wrong_is_named(self, what):
        memberships, message = WRONG[what]
        with pytest.raises(ValueError, match=message):
            fit_mixture(np.random.default_rng(0).normal(size=(10, 2)), 2, start=memberships)

    def test_a_component_of_rows_without_weight_is_named(self):
        X, labels = clusters(2, 2, n=20)
        with pytest.raises(ValueError, match="component 1 no row of positive weight"):
            fit_mixture(X, 2, start=labels, sample_weight=labels == 0)


class TestManyRows:
    """Of more rows than enough, a start works from a sample."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        monkeypatch.setattr(first, "ENOUGH", 400)
        monkeypatch.setattr(first, "ENOUGH_EACH", 1)

    @EACH
    def test_the_mixture_is_proper_and_that_of_its_seed(self, init):
        X, _ = clusters(4, 2, n=3000)
        one, same, other = (start(X, 4, init, seed=seed) for seed in (0, 0, 1))
        assert_array_equal(one.covariances, same.covariances)
        assert not np.array_equal(one.means, other.means)
        assert_allclose(one.weights.sum(), 1.0, rtol=1e-12)
        # of the right scale: that of the rows, of which a sample has a little more or less
        seen, rows = Mixture(one.weights, one.means, one.covariances), X.std(axis=0)
        spread = np.sqrt(seen.weights @ (seen.variances + seen.means**2) - (seen.weights @ seen.means) ** 2)
        assert_allclose(spread, rows, rtol=0.5 if init in ("k-means++", "random_from_data") else 0.15)

    def test_a_prior_weighs_against_all_rows(self, monkeypatch):
        """And not against those of the sample, of which there are a tenth."""
        X, _ = clusters(2, 2, n=4000)
        prior = NormalInverseWishart(dof=2000.0, scale=1.0)
        sampled = start(X, 1, prior=prior)
        monkeypatch.setattr(first, "ENOUGH", len(X))
        assert_allclose(sampled.variances, start(X, 1, prior=prior).variances, rtol=0.2)

    def test_means_that_are_fixed_take_their_rows_from_it(self):
        X, labels = clusters(3, 2, n=3000)
        means = np.array([X[labels == j].mean(axis=0) for j in range(3)])
        mixture = start(X, 3, start=Given(means=means), constraints=Constraints(fixed_means=True))
        assert_array_equal(mixture.means, means)
        assert_allclose(mixture.weights, np.bincount(labels) / len(X), atol=0.1)
