"""Marginals and conditionals of mixtures: they recombine to the joint density, in every family and unit."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import Mixture, Noise
from gaussmix.model.covariance import FACTORS, STRUCTURES
from tests.operations.making import density, few, make_mixture, problems, split

CLOSED = ("full", "tied", "diag", "spherical", "EII", "EEI", "VEI", "VEE")
TALL = {"height": 0, "weight": 1, "age": 2}


@pytest.fixture
def people():
    """A mixture with names."""
    rng = np.random.default_rng(3)
    return Mixture(
        [0.4, 0.6], rng.normal(size=(2, 3)), [np.eye(3) + 0.3, np.eye(3) + 0.5], feature_names=list(TALL)
    )


@given(**problems)
@few
def test_a_marginal_and_the_conditional_recombine_to_the_joint(name, d, k, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture = make_mixture(name, k, d, rng, exponent)
    given_features, left = split(d, rng)
    X = mixture.sample(5, rng)[0]
    joint = density(mixture.weights, mixture.means, mixture.dense_covariances, X)
    batch = mixture.condition(X[:, given_features], features=given_features)
    marginal = mixture.marginal(given_features)
    means, covariances = mixture.means[:, given_features], mixture.dense_covariances
    expected = density(
        mixture.weights, means, covariances[:, given_features[:, None], given_features], X[:, given_features]
    )
    assert_allclose(batch.log_evidence, expected, rtol=1e-9, atol=1e-9)
    assert_allclose(marginal.log_prob(X[:, given_features]), expected, rtol=1e-6, atol=1e-6)
    assert_allclose(batch.log_prob(X[:, left]) + batch.log_evidence, joint, rtol=1e-9, atol=1e-9)


@given(**problems)
@few
def test_a_batch_is_the_mixtures_of_its_conditions(name, d, k, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture = make_mixture(name, k, d, rng, exponent)
    given_features, left = split(d, rng)
    X = mixture.sample(4, rng)[0]
    batch = mixture.condition(X[:, given_features], features=given_features)
    unit = 10.0**exponent
    for i, one in enumerate(batch):
        alone = mixture.condition(dict(zip(given_features.tolist(), X[i, given_features], strict=True)))
        assert one.covariance_type == alone.covariance_type == batch.covariance_type
        for parts in (alone, one):
            assert_allclose(parts.weights, batch.weights[i], rtol=1e-9, atol=1e-12)
            assert_allclose(parts.means / unit, batch.means[i] / unit, rtol=1e-9, atol=1e-9)
            assert_allclose(parts.covariances, batch.covariances, rtol=1e-9)
        assert_allclose(one.mean / unit, batch.mean[i] / unit, rtol=1e-9, atol=1e-9)
        assert_allclose(one.covariance / unit**2, batch.covariance[i] / unit**2, rtol=1e-9, atol=1e-9)
        assert_allclose(one.total_variances, batch.total_variances[i], rtol=1e-9)
        assert_allclose(one.log_prob(X[i : i + 1, left]), batch.log_prob(X[:, left])[i], rtol=1e-6, atol=1e-6)
        shares = batch.responsibilities(X[:, left])
        assert_allclose(one.responsibilities(X[i : i + 1, left])[0], shares[i], atol=1e-6)
        # the parts are members of the family that is said: the checks of a new mixture take them
        Mixture(one.weights, one.means, one.covariances, one.covariance_type)


@pytest.mark.parametrize("name", [*STRUCTURES, *FACTORS])
def test_families_stay_where_they_can_and_widen_where_they_cannot(name):
    mixture = make_mixture(name, 3, 6, np.random.default_rng(2))
    q = mixture.n_factors
    few, most = mixture.marginal([4, 1]), mixture.marginal([0, 3, 2, 5, 1])
    left = mixture.condition({2: 1.0})
    if name in FACTORS:
        assert few.covariance_type == (name if q < 2 else "full")
        assert most.covariance_type == (name if q < 5 else "full")
        own = {"CUU": "factor", "CUC": "ppca"}.get(name, name)
        assert left.covariance_type == (own if q < 5 else "full")
    else:
        wider = name if name in CLOSED else "diag" if name == "EVI" else "full"
        assert few.covariance_type == most.covariance_type == left.covariance_type == wider
    turned = mixture.marginal([5, 4, 3, 2, 1, 0])
    assert turned.covariance_type == name
    for part in (few, most, left, turned):
        Mixture(part.weights, part.means, part.covariances, part.covariance_type)
    assert_allclose(few.dense_covariances, mixture.dense_covariances[:, [[4], [1]], [4, 1]], rtol=1e-13)


def test_factor_analysers_of_many_features_stay_small():
    rng = np.random.default_rng(0)
    d, k, q = 3000, 2, 3
    columns = np.concatenate([rng.normal(size=(k, d, q)), 1.0 + rng.random((k, d, 1))], axis=2)
    mixture = Mixture([0.5, 0.5], rng.normal(size=(k, d)), columns, "factor")
    batch = mixture.condition(mixture.sample(3, 1)[0][:, :1500], features=range(1500))
    assert batch.covariances.shape == (k, 1500, q + 1)
    assert batch.mean.shape == (3, 1500)
    assert batch[1].sample(2, 0)[0].shape == (2, 1500)


@pytest.mark.parametrize("distance", [1e3, 1e8, 1e12])
def test_the_ratio_of_weights_is_exact_far_in_the_tails(distance):
    mixture = Mixture([0.3, 0.7], [[0.0, 0.0], [1.0, 5.0]], np.array([np.eye(2)] * 2))
    batch = mixture.condition({0: [distance]})
    # log N(y | 1, 1) - log N(y | 0, 1) = y - 1/2
    ratio = batch.log_weights[0, 1] - batch.log_weights[0, 0]
    assert_allclose(ratio, np.log(0.7 / 0.3) + distance - 0.5, rtol=1e-15 * max(1.0, distance))
    assert_allclose(batch.weights, [[0.0, 1.0]], atol=1e-300)
    assert_allclose(batch.mean, [[5.0]])


def test_offsets_of_many_spreads_cost_the_digits_of_the_numbers_alone():
    rng = np.random.default_rng(5)
    mixture = make_mixture("full", 3, 4, rng)
    offset = 2.0**27  # of which sums are exact to 2^-26
    rows = np.round(mixture.sample(20, rng)[0] * 1024) / 1024
    means = np.round(mixture.means * 1024) / 1024
    near = Mixture(mixture.weights, means, mixture.covariances)
    far = Mixture(mixture.weights, means + offset, mixture.covariances)
    here, there = (m.condition({0: x[:, 0], 2: x[:, 2]}) for m, x in ((near, rows), (far, rows + offset)))
    assert_allclose(there.log_evidence, here.log_evidence, rtol=1e-12)
    assert_allclose(there.mean - offset, here.mean, atol=1e-7)


def test_draws_of_a_batch_have_its_weights_means_and_covariances(name):
    rng = np.random.default_rng(1)
    mixture = make_mixture(name, 3, 4, rng)
    batch = mixture.condition({1: mixture.sample(3, rng)[0][:, 1]})
    n = 3000
    X, labels = batch.sample(n, rng)
    assert X.shape == (3, n, 3) and labels.shape == (3, n)
    shares = np.stack([np.bincount(row, minlength=3) for row in labels]) / n
    assert (np.abs(shares - batch.weights) <= 6.0 * np.sqrt(batch.weights / n) + 1e-12).all()
    assert (np.abs(X.mean(axis=1) - batch.mean) <= 6.0 * batch.std / np.sqrt(n)).all()
    for j, covariance in enumerate(batch.dense_covariances):
        i, places = np.nonzero(labels == j)
        white = np.linalg.solve(np.linalg.cholesky(covariance), (X[i, places] - batch.means[i, j]).T)
        assert (np.abs(white.mean(axis=1)) <= 6.0 / np.sqrt(len(i))).all()
        assert (np.abs(white @ white.T / len(i) - np.eye(3)) <= 9.0 / np.sqrt(len(i))).all()


def test_features_are_given_in_many_ways(people):
    values = {"weight": 0.3, "age": -0.2}
    one = people.condition(values)
    for other in (
        people.condition(weight=0.3, age=-0.2),
        people.condition({1: 0.3, "age": np.float32(-0.2).astype(float)}),
        people.condition([0.3, -0.2], features=["weight", "age"]),
        people.condition([-0.2, 0.3], features=[2, 1]),
        people.condition([[0.3, -0.2]], features=["weight", "age"])[0],
        people.condition({"weight": [0.3], "age": -0.2})[0],
        people.condition(0.3, features="weight").condition(age=-0.2),
    ):
        assert other.feature_names == ("height",)
        assert_allclose(other.log_prob([[0.1], [2.0]]), one.log_prob([[0.1], [2.0]]), rtol=1e-6)
    assert len(people.condition([0.3, 0.4], features="weight")) == 2
    assert people.condition(0.3, features="weight").feature_names == ("height", "age")


def test_frames_name_their_features(people):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [0.1, 0.2, 0.3], "weight": [1.0, 2.0, 3.0]})
    batch = people.condition(frame)
    assert len(batch) == 3 and batch.feature_names == ("height",)
    assert_allclose(batch.mean, people.condition(age=frame["age"], weight=frame["weight"]).mean)
    alone = people.condition(frame, features=["weight"])
    assert alone.feature_names == ("height", "age")
    assert_allclose(people.condition(frame.iloc[1]).mean, batch.mean[1])
    more = frame.assign(name=["a", "b", "c"])  # what is not asked for is not read
    assert_allclose(people.condition(more, features=["age", "weight"]).mean, batch.mean)
    with pytest.raises(ValueError, match="no feature 'name'.*features= says which columns"):
        people.condition(more)
    with pytest.raises(ValueError, match="0 columns 'height'"):
        people.condition(more, features=["height"])
    with pytest.raises(ValueError, match="row 1 of column 'age'"):
        people.condition(frame.mask(frame["age"] == 0.2))
    with pytest.raises(ValueError, match="need names"):
        people.condition(pandas.DataFrame([[1.0, 2.0]]))


def test_no_conditions_are_a_batch_of_none(people):
    batch = people.condition(height=[])
    assert len(batch) == 0 and batch.mean.shape == (0, 2) and batch.covariance.shape == (0, 2, 2)
    assert batch.sample(2, 0)[0].shape == (0, 2, 2) and batch.log_prob(np.zeros((0, 2))).shape == (0,)
    assert batch.mode().shape == (0, 2) and batch.marginal(0).quantile(0.5).shape == (0,)


def test_a_batch_is_copied_with_all_that_it_has(people):
    batch = people.condition(height=[0.0, 1.0])
    copy = deepcopy(batch)
    assert_array_equal(copy.mean, batch.mean)
    assert copy.feature_names == batch.feature_names


def test_a_batch_is_a_sequence_that_never_changes(people):
    batch = people.condition(height=np.linspace(-1.0, 1.0, 7))
    assert len(batch) == len(list(batch)) == 7
    assert_allclose(batch[2:5].means, batch.means[2:5])
    assert_allclose(batch[np.array([6, 0])].mean, batch.mean[[6, 0]])
    assert_allclose(batch[-1].mean, batch.mean[6])
    assert_allclose(batch.marginal("age").mean[:, 0], batch.mean[:, 1])
    assert batch.marginal(["age", "weight"]).feature_names == ("age", "weight")
    with pytest.raises(IndexError):
        batch[7]
    values = np.zeros((2, 1))
    later = people.condition(values, features=[0])
    values[:] = 9.0
    assert_allclose(later.means[0], people.condition(height=[0.0]).means[0])
    with pytest.raises(ValueError, match="read-only"):
        batch.means[0] = 1.0
    with pytest.raises(AttributeError):
        batch.log_weights = None
    assert "MixtureBatch(n_mixtures=7, n_components=2, n_features=2" in repr(batch)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m: m.condition(), "nothing is given"),
        (lambda m: m.condition({}), "nothing is given"),
        (lambda m: m.condition({0: 1.0}, height=1.0), "not several"),
        (lambda m: m.condition({0: 1.0, 1: 1.0, 2: 1.0}), "none is left"),
        (lambda m: m.condition({0: 1.0, "height": 1.0}), "'height' is there twice"),
        (lambda m: m.condition(size=1.0), "no feature 'size'.*'height', 'weight' and 'age'"),
        (lambda m: m.condition({3: 1.0}), "from 0 to 2; got 3"),
        (lambda m: m.condition({-1: 1.0}), "from 0 to 2; got -1"),
        (lambda m: m.condition({True: 1.0}), "got True"),
        (lambda m: m.condition(height=np.nan), "value of 'height' contains NaN"),
        (lambda m: m.condition(height="tall"), "must be numbers"),
        (lambda m: m.condition(height=[[1.0]]), "a number, or n of them"),
        (lambda m: m.condition(height=[1.0, 2.0], age=[1.0, 2.0, 3.0]), "as many values as one another"),
        (lambda m: m.condition([1.0, 2.0]), "needs features="),
        (lambda m: m.condition([1.0, 2.0], features=[0]), r"shape \(1,\).*got \(2,\)"),
        (lambda m: m.condition({0: 1.0}, features=[0]), "leave out features="),
        (lambda m: m.condition(height=1e200), "row 0 .* so far from every component"),
        (lambda m: m.condition(height=[0.0, 1e200]), "row 1 .* so far from every component"),
        (lambda m: m.marginal([]), "at least one feature"),
        (lambda m: m.marginal([0, 0]), "'height' is there twice"),
        (lambda m: m.marginal(1.0), "got 1.0"),
        (lambda m: m.select([]), "at least one"),
        (lambda m: m.select([2]), "no component 2"),
        (lambda m: m.select([-1]), "no component -1"),
        (lambda m: m.select([0, 0]), "once each"),
        (lambda m: m.select([True]), "2 in all"),
        (lambda m: m.condition(height=[1.0]).log_prob([[1.0, 2.0]] * 2), "one row for each of 1"),
        (lambda m: m.condition(height=[1.0]).sample(0), "n_samples"),
        (lambda m: m.with_noise(Noise(0.1, -3.0)).condition(height=1.0), "without_noise"),
        (lambda m: m.with_noise(Noise(0.1, -3.0)).select(0), "without_noise"),
        (lambda m: m.with_noise(Noise(0.1, -3.0)).marginal(0), "no box"),
    ],
)
def test_bad_input_gets_one_clear_error(people, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(people)


def test_names_that_do_not_tell_features_apart_are_refused():
    mixture = Mixture([1.0], [[0.0, 0.0]], [[1.0, 1.0]], "diag", feature_names=["a", "a"])
    with pytest.raises(ValueError, match="2 features are called 'a'"):
        mixture.marginal("a")
    assert mixture.marginal(1).feature_names == ("a",)


def test_a_marginal_of_noise_is_uniform_over_the_sides_of_its_box(people):
    noise = Noise.between([-5.0, -6.0, -7.0], [5.0, 6.0, 7.0], weight=0.2)
    marginal = people.with_noise(noise).marginal(["age", "height"])
    assert_allclose(np.exp(marginal.noise.log_density), 1.0 / (14.0 * 10.0))
    assert marginal.noise.weight == 0.2
    assert_array_equal(np.asarray(marginal.noise.box)[0], [-7.0, -5.0])
    turned = Noise(0.2, box=[[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(ValueError, match="not parallel"):
        people.with_noise(turned).marginal(0)
    assert people.with_noise(turned).marginal([2, 0, 1]).noise.weight == 0.2


def test_selected_components_keep_their_proportions(people):
    mixture = Mixture([0.2, 0.5, 0.3], [[3.0], [9.0], [6.0]], [1.0, 2.0, 3.0], "spherical")
    chosen = mixture.select([2, 0])
    assert_allclose(chosen.weights, [0.6, 0.4])
    assert_array_equal(chosen.covariances, [3.0, 1.0])
    assert_array_equal(mixture.select([True, False, True]).means, [[3.0], [6.0]])
    assert people.select(1).feature_names == people.feature_names
    with pytest.raises(ValueError, match="no proportions"):
        Mixture([1.0, 0.0], [[0.0], [1.0]], [1.0, 1.0], "spherical").select(1)


def test_components_without_weight_stay_without():
    mixture = Mixture([1.0, 0.0], [[0.0, 0.0], [9.0, 9.0]], [1.0, 1.0], "spherical")
    batch = mixture.condition({0: [9.0, 0.0]})
    assert_array_equal(batch.weights, [[1.0, 0.0]] * 2)
    assert_allclose(batch.log_prob([[0.0], [0.0]]), batch[0].log_prob([[0.0], [0.0]]), rtol=1e-9)
    assert (batch.sample(50, 0)[1] == 0).all()
