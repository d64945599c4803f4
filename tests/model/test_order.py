"""Orders of components, matches of two mixtures, and thresholds of one feature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from gaussmix import GaussianMixture, Mixture, Noise, fit_mixture
from gaussmix.fit.component_names import rename_components
from gaussmix.model.covariance import FACTORS, STRUCTURES
from gaussmix.model.mixture.alignment import find_alignment, measure_bhattacharyya
from gaussmix.model.mixture.order import find_order, find_stable_order, take_components
from tests.helpers import NAMES, random_mixture

RNG = np.random.default_rng(5)


def make_rows(seed=0, n=120):
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [9.0, 1.0], [3.0, 12.0]])
    return centres[np.arange(n) % 3] + rng.normal(size=(n, 2)) * [1.0, 1.5]


class TestSortBy:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("key", ["weight", 1, "x0", "first axis"])
    def test_the_density_is_the_same_and_labels_follow(self, name, key):
        rng = np.random.default_rng(3)
        mixture = random_mixture(name, 5, 3, rng)
        other = mixture.sort_by(key)
        order = find_order(mixture, key)
        X = mixture.sample(50, 1)[0]
        assert_allclose(other.log_prob(X), mixture.log_prob(X), rtol=1e-12)
        assert_array_equal(order[other.predict(X)], mixture.predict(X))
        assert_allclose(other.dense_covariances, mixture.dense_covariances[order])
        assert is_same(other.sort_by(key), other)

    def test_the_keys(self):
        means = [[0.0, 5.0], [2.0, 1.0], [1.0, 9.0], [3.0, 3.0]]
        mixture = Mixture([0.1, 0.4, 0.2, 0.3], means, np.ones(4), "spherical", feature_names=["a", "b"])
        assert find_order(mixture, "weight").tolist() == [1, 3, 2, 0]
        assert find_order(mixture, "a").tolist() == find_order(mixture, 0).tolist() == [0, 2, 1, 3]
        assert find_order(mixture, "b").tolist() == find_order(mixture, np.int64(1)).tolist() == [1, 3, 0, 2]
        assert find_order(mixture, "first axis").tolist() == [1, 3, 0, 2]  # b grows along it

    def test_equal_keys_leave_the_stable_order(self):
        means = [[4.0], [1.0], [3.0], [2.0]]
        mixture = Mixture([0.25 + 1e-9, 0.25 - 1e-9, 0.25, 0.25], means, np.ones(4), "spherical")
        assert find_order(mixture, "weight").tolist() == [1, 3, 2, 0]

    def test_no_rounding_decides_among_axes(self):
        """Corners of a square: both axes are first, and the line through the first feature's is taken."""
        corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        for turn in range(20):
            blurred = corners + 1e-12 * np.random.default_rng(turn).normal(size=(4, 2))
            mixture = Mixture(np.full(4, 0.25), blurred, np.ones(4), "spherical")
            assert find_order(mixture, "first axis").tolist() == [0, 1, 2, 3]

    def test_one_mean_for_all(self):
        mixture = Mixture([0.3, 0.7], np.zeros((2, 2)), [1.0, 9.0], "spherical")
        assert find_order(mixture, "first axis").tolist() == [1, 0]  # the stable order: by weight

    @pytest.mark.parametrize("units", [1.0, 1e9, 1e-9])
    def test_units_of_a_feature_make_no_difference(self, units):
        mixture = random_mixture("full", 6, 3, np.random.default_rng(1))
        scale = np.array([1.0, units, 1.0])
        other = Mixture(
            mixture.weights, mixture.means * scale, mixture.covariances * np.multiply.outer(scale, scale)
        )
        assert find_order(other, "first axis").tolist() == find_order(mixture, "first axis").tolist()
        assert_allclose(
            measure_bhattacharyya(other, other), measure_bhattacharyya(mixture, mixture), atol=1e-9
        )

    @pytest.mark.parametrize("key", ["size", 2, -1, 1.0, True, None])
    def test_a_wrong_key(self, key):
        mixture = random_mixture("diag", 2, 2, np.random.default_rng(1))
        with pytest.raises(ValueError, match="feature"):
            mixture.sort_by(key)

    def test_noise_stays(self):
        mixture = random_mixture("full", 3, 2, np.random.default_rng(2)).with_noise(Noise(0.2, -4.0))
        other = mixture.sort_by("weight")
        assert other.noise == mixture.noise or other.noise is mixture.noise
        X = mixture.without_noise().sample(30, 0)[0]
        assert_allclose(other.responsibilities(X)[:, -1], mixture.responsibilities(X)[:, -1])


def is_same(one, other):
    return all(
        np.array_equal(getattr(one, n), getattr(other, n)) for n in ("weights", "means", "covariances")
    )


class TestAlignTo:
    @pytest.mark.parametrize("name", NAMES)
    def test_a_permutation_is_undone(self, name):
        rng = np.random.default_rng(4)
        mixture = random_mixture(name, 6, 3, rng)
        shuffled = take_components(mixture, rng.permutation(6))
        assert is_same(shuffled.align_to(mixture), mixture)

    def test_factor_analysers(self):
        rng = np.random.default_rng(4)
        stack = np.concatenate([rng.normal(size=(4, 5, 2)), rng.uniform(0.5, 2.0, size=(4, 5, 1))], axis=2)
        mixture = Mixture(np.full(4, 0.25), rng.normal(size=(4, 5)), stack, "factor")
        shuffled = take_components(mixture, np.array([2, 0, 3, 1]))
        assert is_same(shuffled.align_to(mixture), mixture)
        dense = Mixture(mixture.weights, mixture.means, mixture.dense_covariances)
        assert_allclose(measure_bhattacharyya(mixture, dense), measure_bhattacharyya(dense, dense), atol=1e-9)

    def test_the_distance_is_that_of_the_overlap(self):
        """exp(-D) is the integral of the root of the product of the densities."""
        one = Mixture([0.5, 0.5], [[0.0], [2.0]], [1.0, 0.3], "spherical")
        other = Mixture([1.0], [[-1.0]], [2.0], "spherical")
        x = np.linspace(-30.0, 30.0, 200_001)
        for k, distance in enumerate(measure_bhattacharyya(one, other)[:, 0]):
            densities = norm.pdf(x, one.means[k, 0], np.sqrt(one.covariances[k])) * norm.pdf(
                x, -1.0, np.sqrt(2.0)
            )
            assert_allclose(np.trapezoid(np.sqrt(densities), x), np.exp(-distance), rtol=1e-8)

    def test_families_of_diagonals_and_matrices_agree(self):
        rng = np.random.default_rng(6)
        one, other = (random_mixture("diag", 3, 4, rng) for _ in range(2))
        dense = [Mixture(m.weights, m.means, m.dense_covariances) for m in (one, other)]
        assert_allclose(measure_bhattacharyya(one, other), measure_bhattacharyya(*dense), rtol=1e-9)
        assert_allclose(measure_bhattacharyya(one, dense[1]), measure_bhattacharyya(*dense), rtol=1e-9)

    def test_other_numbers_of_components(self):
        reference = Mixture(np.full(3, 1 / 3), [[0.0], [5.0], [9.0]], np.ones(3), "spherical")
        fewer = Mixture([0.5, 0.5], [[9.1], [0.1]], np.ones(2), "spherical")
        assert fewer.align_to(reference).means.ravel().tolist() == [0.1, 9.1]
        more = Mixture(np.full(5, 0.2), [[9.1], [20.0], [5.1], [-7.0], [0.1]], np.ones(5), "spherical")
        assert more.align_to(reference).means.ravel().tolist() == [0.1, 5.1, 9.1, 20.0, -7.0]

    def test_nearest_one_by_one_would_be_wrong(self):
        """Component 0 is nearest to both; the sum of distances decides."""
        reference = Mixture([0.5, 0.5], [[0.0], [1.0]], np.ones(2), "spherical")
        other = Mixture([0.5, 0.5], [[1.0], [2.0]], np.ones(2), "spherical")
        assert find_alignment(other, reference).tolist() == [0, 1]

    def test_the_same_gaussian_twice_is_told_by_weight(self):
        reference = Mixture([0.3, 0.7], np.zeros((2, 1)), np.ones(2), "spherical")
        other = Mixture([0.68, 0.32], np.zeros((2, 1)), np.ones(2), "spherical")
        assert other.align_to(reference).weights.tolist() == [0.32, 0.68]

    def test_wrong_references(self):
        mixture = random_mixture("full", 2, 2, RNG)
        with pytest.raises(ValueError, match="has 3 features"):
            mixture.align_to(random_mixture("full", 2, 3, RNG))
        with pytest.raises(ValueError, match="must be a Mixture, a FitResult, a SearchResult"):
            mixture.align_to(np.zeros((2, 2)))
        with pytest.raises(ValueError, match="must be a Mixture, a FitResult, a SearchResult"):
            mixture.align_to(GaussianMixture(2))
        named = [
            Mixture(mixture.weights, mixture.means, mixture.covariances, feature_names=names)
            for names in (["a", "b"], ["b", "a"])
        ]
        with pytest.raises(ValueError, match="other features"):
            named[0].align_to(named[1])


class TestResults:
    def test_a_result_follows(self):
        """The result of a fit in which one component has two rows that are the same."""
        X = np.concatenate([make_rows(), [[60.0, 60.0]] * 2])
        spike = 3
        weights, means = [0.3, 0.2, 0.48, 0.02], [[3.0, 12.0], [9.0, 1.0], [0.0, 0.0], [60.0, 60.0]]
        start = Mixture(weights, means, np.array([1.0, 1.0, 1.0, 1e-8])[:, None, None] * np.eye(2))
        result = fit_mixture(X, 4, start=start, max_iter=3)
        result = replace(result, collapsed=(spike,), advice="Component 3 collapsed on next to no rows.")
        for other in (result.sort_by("first axis"), result.align_to(result.mixture.sort_by("first axis"))):
            [place] = other.collapsed
            assert_allclose(other.mixture.means[place], 60.0)
            assert other.advice == f"Component {place} collapsed on next to no rows."
            assert other.bic == result.bic and other.history == result.history
        shuffled = result.take_components(np.array([1, 3, 0, 2]))
        assert shuffled.collapsed == (1,) and shuffled.advice.startswith("Component 1 ")
        back = shuffled.align_to(result)
        assert back.collapsed == (3,) and back.advice == result.advice
        assert is_same(back.mixture, result.mixture)

    def test_the_words_of_advice(self):
        assert rename_components("Component 1 collapsed. Use fewer components.", [1, 0]) == (
            "Component 0 collapsed. Use fewer components."
        )
        assert rename_components("Components 0 and 2 coincide; component 1", [2, 1, 0]) == (
            "Components 0 and 2 coincide; component 1"
        )
        assert rename_components("at (1, 2): 3 rows", [0]) == "at (1, 2): 3 rows"


class TestEstimator:
    @pytest.mark.parametrize("name", [*STRUCTURES, *list(FACTORS)[:2]])
    @pytest.mark.parametrize("noise", [False, True])
    def test_all_attributes_follow(self, name, noise):
        X = make_rows()
        model = GaussianMixture(3, covariance_type=name, noise=noise, random_state=0).fit(
            X.astype(np.float32)
        )
        before, labels, proba = model.mixture_, model.predict(X), model.predict_proba(X)
        score = model.score(X)
        assert model.sort_by("weight") is model
        order = find_order(before, "weight")
        places = np.append(np.argsort(order), -1)
        assert model.weights_.dtype == np.float32
        assert_array_equal(model.predict(X), places[labels])
        assert_allclose(model.predict_proba(X)[:, :3], proba[:, order], atol=1e-6)
        assert_allclose(model.score(X), score, rtol=1e-6)
        assert_array_equal(model.means_, before.means[order].astype(np.float32))
        assert model.fit_result_.mixture is model.mixture_
        model.align_to(before)
        assert_array_equal(model.predict(X), labels)
        assert is_same(model.mixture_, before)

    def test_edits_count(self):
        X = make_rows()
        model = GaussianMixture(3, random_state=0).fit(X)
        model.weights_ = [0.2, 0.2, 0.8]  # need not sum to one
        score = model.score_samples(X)
        model.sort_by("weight")
        assert_allclose(model.weights_, [0.8, 0.2, 0.2])
        assert_allclose(model.score_samples(X), score, rtol=1e-12)

    def test_a_model_without_a_fit(self):
        model = GaussianMixture(2)
        model.weights_, model.means_ = np.array([0.3, 0.7]), np.array([[5.0], [1.0]])
        model.covariances_ = np.ones((2, 1, 1))
        model.sort_by(0)
        assert model.means_.ravel().tolist() == [1.0, 5.0]
        assert model.thresholds()[0].below == 0

    def test_a_warm_start_goes_on(self):
        X = make_rows()
        model = GaussianMixture(3, random_state=0, warm_start=True, max_iter=200).fit(X).sort_by("weight")
        means = model.means_.copy()
        assert model.fit(X).n_iter_ <= 2
        assert_allclose(model.means_, means, atol=0.05)


class TestThresholds:
    @pytest.mark.parametrize("seed", range(40))
    def test_labels_are_those_of_predict(self, seed):
        rng = np.random.default_rng(seed)
        k = int(rng.integers(1, 9))
        noise = Noise.between([-9.0], [12.0], weight=0.15) if seed % 3 == 0 else None
        name = ("spherical", "tied", "full")[seed % 3 - 1]
        spread = np.exp(rng.normal(size=k) * (2.0 if seed % 2 else 0.3)) if name == "spherical" else None
        covariances = {"tied": np.ones((1, 1)), "full": np.exp(rng.normal(size=(k, 1, 1)))}.get(name, spread)
        weights = rng.dirichlet(np.ones(k)) * (1.0 if noise is None else 0.85)
        mixture = Mixture(weights, rng.normal(size=(k, 1)) * 3.0, covariances, name, noise=noise)
        found = mixture.thresholds()
        points = found.points
        assert (np.diff(points) > 0.0).all() and len(found.labels) == len(points) + 1 == len(found) + 1
        inside = (points[1:] + points[:-1]) / 2.0
        grid = np.concatenate([np.linspace(-50.0, 50.0, 5001), inside])
        grid = grid[np.abs(grid[:, None] - points).min(axis=1, initial=1.0) > 1e-8]
        labels = np.array(found.labels)[np.searchsorted(points, grid)]
        assert_array_equal(labels, mixture.predict(grid[:, None]))
        assert [(t.below, t.above) for t in found] == list(zip(found.labels, found.labels[1:], strict=False))

    @pytest.mark.parametrize("noise", [None, Noise.between([-6.0], [9.0], weight=0.2)])
    def test_error_rates_are_those_of_rows(self, noise):
        weights = np.array([0.5, 0.3, 0.2]) * (1.0 if noise is None else 0.8)
        mixture = Mixture(weights, [[0.0], [1.0], [4.0]], [1.0, 9.0, 0.5], "spherical", noise=noise)
        found = mixture.thresholds()
        X, truth = mixture.sample(400_000, 7)
        labels = mixture.predict(X)
        assert_allclose(found.error_rate, (labels != truth).mean(), atol=4e-3)
        for k in range(3):
            assert_allclose(found.error_rates[k], (labels[truth == k] != k).mean(), atol=8e-3)
        for each in found:
            over = ((X[:, 0] > each.point) & (labels != each.below))[truth == each.below].mean()
            under = ((X[:, 0] < each.point) & (labels != each.above))[truth == each.above].mean()
            assert_allclose([each.error_below, each.error_above], [over, under], atol=8e-3)

    def test_two_of_the_same_variance(self):
        found = Mixture([0.8, 0.2], [[0.0], [4.0]], [1.0], "EII").thresholds()
        point = 2.0 + np.log(4.0) / 4.0
        assert_allclose(found.points, [point])
        assert_allclose(found[0].error, 0.8 * norm.sf(point) + 0.2 * norm.cdf(point - 4.0))
        assert_allclose(found.error_rate, found[0].error)

    def test_variances_that_are_the_same_but_for_rounding(self):
        mixture = Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0 + 1e-14], "spherical")
        assert_allclose(mixture.thresholds().points, [2.0])

    def test_a_wide_component_around_a_narrow_one(self):
        found = Mixture([0.5, 0.5], [[0.0], [0.0]], [1.0, 25.0], "spherical").thresholds()
        assert found.labels == (1, 0, 1)
        assert_allclose(found.points[0], -found.points[1])
        assert_allclose(found.points[1] ** 2 * (1.0 - 1.0 / 25.0), 2.0 * np.log(5.0))
        inside = 2.0 * norm.cdf(found.points[1] / 5.0) - 1.0
        assert_allclose([found[0].error_below, found[1].error_above], inside)
        assert_allclose(found.error_rates, [2.0 * norm.sf(found.points[1]), inside])

    def test_a_component_that_wins_nowhere(self):
        found = Mixture([0.94, 0.05, 0.01], [[0.0], [9.0], [0.1]], [1.0], "EII").thresholds()
        assert found.labels == (0, 1) and found.error_rates[2] == 1.0
        assert "Labels of no row: 2." in repr(found)

    def test_three_meet_in_a_point(self):
        """By symmetry the middle one touches the crossing of the others: whatever rounding makes of it."""
        outer = np.log(norm.pdf(2.0))
        weight = np.exp(outer) / norm.pdf(0.0)  # as high in the middle as both others are there
        weights = np.array([1.0, weight, 1.0]) / (2.0 + weight)
        found = Mixture(weights, [[-2.0], [0.0], [2.0]], [1.0], "EII").thresholds()
        assert found.labels[0] == 0 and found.labels[-1] == 2
        assert_allclose(found.points, 0.0, atol=1e-6)

    def test_one_component(self):
        found = Mixture([1.0], [[3.0]], [2.0], "spherical", feature_names=["age"]).thresholds()
        assert len(found) == 0 and found.points.shape == (0,) and found.labels == (0,)
        assert repr(found).startswith("No threshold: every row is labelled 0.")
        assert found.error_rate == 0.0 and "No threshold" in found._repr_html_()

    def test_noise_without_a_box(self):
        mixture = Mixture([0.9], [[0.0]], [1.0], "spherical", noise=Noise(0.1, -4.0))
        found = mixture.thresholds()
        assert found.labels == (-1, 0, -1) and np.isnan(found.error_rate) and "noise" in repr(found)
        assert 0.0 < found[0].error_above < 0.01

    @pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
    @pytest.mark.parametrize("shift", [0.0, 1e4])
    def test_units(self, scale, shift):
        one = Mixture([0.3, 0.3, 0.4], [[0.0], [1.0], [5.0]], [1.0, 9.0, 1e-6], "spherical")
        other = Mixture(one.weights, (one.means + shift) * scale, one.covariances * scale**2, "spherical")
        assert_allclose(other.thresholds().points / scale - shift, one.thresholds().points, atol=1e-7)

    def test_dates_keep_their_digits(self):
        mixture = Mixture([0.5, 0.5], [[2459000.0], [2459001.0]], [0.01, 0.01], "spherical")
        assert "2459000.500" in repr(mixture.thresholds())

    def test_several_features(self):
        with pytest.raises(ValueError, match="one feature, and this mixture has 2"):
            random_mixture("full", 2, 2, RNG).thresholds()


def test_equal_components_of_many_features_have_an_order():
    """They are equal in more numbers than Python's functions may call each other."""
    mixture = Mixture([0.5, 0.5], np.zeros((2, 700)), np.ones((2, 700)), "diag")
    assert find_stable_order(mixture).tolist() == [0, 1]
