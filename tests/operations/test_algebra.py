"""Maps, sums, products, unions and measurements of mixtures, against their definitions in matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import Mixture, Noise
from gaussmix.model.covariance import FACTORS, STRUCTURES
from tests.operations.making import density, few, make_mixture, problems

FAMILIES = [*STRUCTURES, *FACTORS]
#: Families that the laws are tried on: of those that share parts of matrices or loadings, some.
LAWFUL = ["full", "tied", "diag", "spherical", "EEI", "VEI", "VEE", "VVE", "factor", "ppca", "UCC", "CUU"]
#: Families that each of them is paired with.
SOME = ["full", "tied", "diag", "spherical", "EII", "EEI", "VEI", "VVE", "factor", "ppca", "CUU", "CCC"]


@pytest.fixture(params=LAWFUL, scope="module")
def name(request):
    """The name of a family."""
    return request.param


def dense(mixture):
    """Weights, means and matrices."""
    return mixture.weights, mixture.means, mixture.dense_covariances


def assert_same_density(mixture, expected, rows, tolerance=1e-9):
    """Densities agree, and the parts are of the family that is said."""
    actual = density(*dense(mixture), rows)
    assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    Mixture(mixture.weights, mixture.means, mixture.covariances, mixture.covariance_type)
    assert_allclose(mixture.log_prob(rows), actual, rtol=1e-6, atol=1e-6)


def make_spread(m, rng, unit=1.0):
    """A covariance."""
    half = rng.normal(size=(m, m)) * unit
    return half @ half.T / m + 0.1 * unit**2 * np.eye(m)


# ------------------------------------------------------------------------------------------------ measurements


def kalman(weights, means, covariances, A, b, R, y):
    """The posterior's parts and log p(y), by the formulas as they are in books."""
    posterior, joint = [], []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        S = A @ covariance @ A.T + R
        gain = covariance @ A.T @ np.linalg.inv(S)
        residual = y - A @ mean - b
        posterior.append((mean + gain @ residual, covariance - gain @ A @ covariance))
        joint.append(density([weight], [A @ mean + b], [S], y[None])[0])
    joint = np.array(joint)
    evidence = np.logaddexp.reduce(joint)
    return np.exp(joint - evidence), *(np.array(part) for part in zip(*posterior, strict=True)), evidence


@given(**problems, m=st.integers(1, 7), kind=st.sampled_from(["matrix", "vector", "number", "some"]))
@few
def test_a_measurement_is_kalman_s(name, d, k, seed, exponent, m, kind):
    rng = np.random.default_rng(seed)
    mixture, unit = make_mixture(name, k, d, rng, exponent), 10.0**exponent
    shapes = {"matrix": (m, d), "vector": (d,), "number": ()}
    A = rng.normal(size=shapes.get(kind, (d,)))
    if kind == "some":  # each measured number is one feature times a factor
        A = np.diag(A)[rng.permutation(d)[: int(rng.integers(1, d + 1))]]
    full = A if A.ndim == 2 else np.diag(np.broadcast_to(A, d))
    m = len(full)
    R = make_spread(m, rng, unit) if rng.random() < 0.5 else unit**2 * rng.uniform(0.1, 2.0, size=m)
    b = unit * rng.normal(size=m)
    Y = mixture.sample(3, rng)[0] @ full.T + b
    batch = mixture.linear_gaussian_update(A, b, R, Y)
    for i, y in enumerate(Y):
        one = mixture.linear_gaussian_update(A, b, R, y)
        matrix = np.diag(R) if R.ndim == 1 else R
        weights, means, covariances, evidence = kalman(*dense(mixture), full, b, matrix, y)
        for posterior, found in ((one.mixture, one.log_evidence), (batch.mixture[i], batch.log_evidence[i])):
            assert_allclose(found, evidence, rtol=1e-9, atol=1e-9)
            assert_allclose(posterior.weights, weights, rtol=1e-8, atol=1e-10)
            assert_allclose(posterior.means / unit, means / unit, rtol=1e-9, atol=1e-8)
            scale = np.abs(covariances).max()
            assert_allclose(posterior.dense_covariances / scale, covariances / scale, atol=1e-9)
        Mixture(one.mixture.weights, one.mixture.means, one.mixture.covariances, one.mixture.covariance_type)


@given(**problems)
@few
def test_the_evidence_is_the_density_of_the_measurement(name, d, k, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture, unit = make_mixture(name, k, d, rng, exponent), 10.0**exponent
    m = int(rng.integers(1, d + 1))
    A, R, b = rng.normal(size=(m, d)), make_spread(m, rng, unit), unit * rng.normal(size=m)
    Y = mixture.sample(4, rng)[0] @ A.T + b
    measured = mixture.affine(A, b).convolve(R)
    evidence = mixture.linear_gaussian_update(A, b, R, Y).log_evidence
    assert_allclose(evidence, density(*dense(measured), Y), rtol=1e-9, atol=1e-9)


@given(**problems)
@few
def test_one_measurement_after_another_is_both_at_once(name, d, k, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture, unit = make_mixture(name, k, d, rng, exponent), 10.0**exponent
    A = rng.normal(size=(3, d))
    R = unit**2 * rng.uniform(0.1, 2.0, size=3)
    x = mixture.sample(1, rng)[0][0]
    y = A @ x
    at_once = mixture.linear_gaussian_update(A, None, R, y)
    first = mixture.linear_gaussian_update(A[:1], None, R[:1], y[:1])
    second = first.mixture.linear_gaussian_update(A[1:], None, R[1:], y[1:])
    assert_allclose(first.log_evidence + second.log_evidence, at_once.log_evidence, rtol=1e-9, atol=1e-9)
    rows = at_once.mixture.sample(4, rng)[0]
    expected = density(*dense(at_once.mixture), rows)
    assert_same_density(second.mixture, expected, rows)


@pytest.mark.parametrize("name", FAMILIES)
def test_measured_features_keep_the_family(name):
    rng = np.random.default_rng(4)
    mixture = make_mixture(name, 3, 5, rng)
    widened = {"spherical": "diag", "EII": "EEI", "VEI": "diag", "EVI": "diag"}
    widened |= {"ppca": "factor", "UCC": "UCU", "CUU": "factor", "CUC": "factor", "CCC": "CCU"}
    uniform = {"VEI": "diag", "EVI": "diag", "CUU": "factor", "CUC": "ppca"}
    diagonal = name in FACTORS or mixture.structure.algebra.shape(5) != (5, 5)
    dense_name = "tied" if mixture.structure.shared else "full"
    R, y = [1.0, 2.0, 1.0, 1.0, 1.0], np.ones(5)
    one_each = mixture.linear_gaussian_update(2.0, None, R, y).mixture
    all_alike = mixture.linear_gaussian_update(-2.0, None, 0.5, y).mixture
    combined = mixture.linear_gaussian_update(np.ones((1, 5)), None, 1.0, [1.0]).mixture
    assert one_each.covariance_type == (widened.get(name, name) if diagonal else dense_name)
    assert all_alike.covariance_type == (uniform.get(name, name) if diagonal else dense_name)
    assert combined.covariance_type == dense_name
    assert one_each.n_factors == (mixture.n_factors if diagonal else 0)


@pytest.mark.parametrize("sharpness", [1e-6, 1e-10, 1e-14])
def test_a_sharp_measurement_keeps_its_digits(sharpness):
    """Differences of covariances would lose the square of the sharpness."""
    mixture = Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.5, 1.0]]])
    posterior = mixture.linear_gaussian_update([[1.0, 1.0]], None, sharpness**2, [0.3]).mixture
    spread = posterior.affine([[1.0, 1.0]]).covariances[0, 0, 0]
    assert_allclose(np.sqrt(spread), sharpness / np.sqrt(1.0 + sharpness**2 / 3.0), rtol=3e-2)
    assert_allclose(posterior.mean.sum(), 0.3, rtol=1e-12)


# -------------------------------------------------------------------------------------------------------- maps


@given(**problems, kind=st.sampled_from(["matrix", "vector", "number", "permuted"]))
@few
def test_a_map_changes_the_density_by_its_determinant(name, d, k, seed, exponent, kind):
    rng = np.random.default_rng(seed)
    mixture, unit = make_mixture(name, k, d, rng, exponent), 10.0**exponent
    A = rng.normal(size={"matrix": (d, d), "number": ()}.get(kind, (d,)))
    if kind == "permuted":
        A = np.diag(A)[rng.permutation(d)]
    full = A if A.ndim == 2 else np.diag(np.broadcast_to(A, d))
    b = unit * rng.normal(size=d)
    X = mixture.sample(4, rng)[0]
    expected = density(*dense(mixture), X) - np.linalg.slogdet(full)[1]
    assert_same_density(mixture.affine(A, b), expected, X @ full.T + b, 1e-8)


@given(**problems)
@few
def test_a_projection_is_that_of_the_moments(name, d, k, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture, unit = make_mixture(name, k, d, rng, exponent), 10.0**exponent
    A = rng.normal(size=(int(rng.integers(1, d)), d))
    mapped = mixture.affine(A)
    assert_allclose(mapped.means / unit, mixture.means @ A.T / unit, rtol=1e-12, atol=1e-12)
    expected = A @ mixture.dense_covariances @ A.T
    scale = np.abs(expected).max()
    assert_allclose(mapped.dense_covariances / scale, expected / scale, atol=1e-12)
    roots = (
        mapped.precisions_cholesky if mapped.covariance_type != "tied" else mapped.precisions_cholesky[None]
    )
    assert_allclose(
        roots @ np.swapaxes(roots, 1, 2) @ mapped.dense_covariances,
        np.broadcast_to(np.eye(len(A)), (k, len(A), len(A))),
        atol=1e-8,
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_maps_keep_the_family_where_the_algebra_allows(name):
    rng = np.random.default_rng(5)
    mixture = make_mixture(name, 3, 5, rng)
    turned = {"EVE", "VVE", "EEV", "VEV"}
    widened = {"spherical": "diag", "EII": "EEI", "ppca": "factor", "UCC": "UCU", "CUC": "CUU", "CCC": "CCU"}
    by_each = "full" if name in turned else widened.get(name, name)
    assert mixture.affine(-3.0).covariance_type == name
    assert mixture.affine([1.0, -2.0, 3.0, 4.0, 5.0]).covariance_type == by_each
    general = "tied" if mixture.structure.shared else "full"
    square = name if name in ("VEE", "EVV") else general
    assert mixture.affine(rng.normal(size=(5, 5))).covariance_type == square
    flat = name if name == "VEE" else general
    assert mixture.affine(rng.normal(size=(2, 5))).covariance_type == flat


def test_maps_name_their_features():
    mixture = Mixture([1.0], [[0.0, 1.0]], [[1.0, 1.0]], "diag", feature_names=["a", "b"])
    assert mixture.affine(2.0, 1.0).feature_names == ("a", "b")
    assert mixture.affine([[0.0, 2.0]]).feature_names == ("b",)
    assert mixture.affine([[1.0, 2.0]]).feature_names is None
    assert mixture.affine([[1.0, 2.0]], feature_names=["c"]).feature_names == ("c",)


def test_maps_turn_the_box_of_the_noise():
    mixture = Mixture([1.0], [[0.0, 1.0]], [[1.0, 1.0]], "diag")
    noisy = mixture.with_noise(Noise.between([-3.0, -3.0], [4.0, 4.0], weight=0.2))
    A, b = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([1.0, 2.0])
    X = noisy.sample(20, 0)[0]
    mapped = noisy.affine(A, b)
    assert_allclose(mapped.log_prob(X @ A.T + b), noisy.log_prob(X) - np.log(2.0), rtol=1e-9)
    assert_allclose(np.asarray(mapped.noise.box)[0], A @ [-3.0, -3.0] + b)
    known = mixture.with_noise(Noise(0.2, -3.0)).affine(2.0)
    assert_allclose(known.noise.log_density, -3.0 - np.log(4.0))
    with pytest.raises(ValueError, match="without_noise"):
        noisy.affine([[1.0, 1.0]])


# --------------------------------------------------------------------------------------------- sums and products


@given(**problems, other=st.sampled_from(SOME))
@few
def test_sums_add_the_moments_of_each_pair(name, d, k, seed, exponent, other):
    rng = np.random.default_rng(seed)
    first, second = (make_mixture(each, k, d, rng, exponent) for each in (name, other))
    total = first.convolve(second)
    expected = [
        (w * v, m + n, C + D)
        for w, m, C in zip(*dense(first), strict=True)
        for v, n, D in zip(*dense(second), strict=True)
    ]
    rows = total.sample(3, rng)[0]
    assert_same_density(total, density(*zip(*expected, strict=True), rows), rows)


@given(**problems, other=st.sampled_from(SOME))
@few
def test_products_commute_and_are_the_product_of_the_densities(name, d, k, seed, exponent, other):
    rng = np.random.default_rng(seed)
    first, second = (make_mixture(each, k, d, rng, exponent) for each in (name, other))
    product, mirrored = first.product(second), second.product(first)
    assert_allclose(product.log_evidence, mirrored.log_evidence, rtol=1e-9, atol=1e-9)
    rows = product.mixture.sample(4, rng)[0]
    expected = density(*dense(first), rows) + density(*dense(second), rows) - product.log_evidence
    assert_same_density(product.mixture, expected, rows, 1e-8)
    assert_allclose(density(*dense(mirrored.mixture), rows), expected, rtol=1e-8, atol=1e-8)
    assert mirrored.mixture.covariance_type == product.mixture.covariance_type


@given(**problems)
@few
def test_a_product_with_a_gaussian_is_a_measurement(name, d, k, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture, unit = make_mixture(name, k, d, rng, exponent), 10.0**exponent
    R, y = make_spread(d, rng, unit), mixture.sample(1, rng)[0][0]
    product = mixture.product(Mixture([1.0], [y], [R]))
    posterior = mixture.linear_gaussian_update(1.0, None, R, y)
    assert_allclose(product.log_evidence, posterior.log_evidence, rtol=1e-9, atol=1e-9)
    rows = posterior.mixture.sample(4, rng)[0]
    assert_same_density(product.mixture, density(*dense(posterior.mixture), rows), rows)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("diag", "spherical", "diag"),
        ("spherical", "EII", "spherical"),
        ("EII", "EII", "EII"),
        ("EEI", "EII", "EEI"),
        ("tied", "EEI", "tied"),
        ("tied", "diag", "full"),
        ("VVE", "diag", "full"),
        ("factor", "VEI", "factor"),
        ("ppca", "spherical", "ppca"),
        ("CCC", "CUU", "factor"),
        ("factor", "tied", "full"),
    ],
)
def test_sums_and_products_have_the_narrowest_family(first, second, expected):
    rng = np.random.default_rng(8)
    one, two = (
        make_factors(each, 2, rng) if each in FACTORS else make_mixture(each, 3, 6, rng)
        for each in (first, second)
    )
    assert one.convolve(two).covariance_type == expected
    product = one.product(two).mixture
    assert product.covariance_type == expected
    assert product.n_factors == (0 if expected in STRUCTURES else one.n_factors + two.n_factors)


def make_factors(name, q, rng):
    """Factor analysers of six features."""
    sharing = FACTORS[name].sharing
    loadings = np.broadcast_to(rng.normal(size=(1, 6, q)), (3, 6, q))
    psi = sharing.share(np.full((3, 6), 0.5), np.full(3, 1 / 3))
    return Mixture(
        [0.2, 0.3, 0.5], rng.normal(size=(3, 6)), np.concatenate([loadings, psi[:, :, None]], 2), name
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_added_noise_keeps_the_family_where_the_algebra_allows(name):
    rng = np.random.default_rng(9)
    mixture = make_mixture(name, 3, 5, rng)
    general = "tied" if mixture.structure.shared else "full"
    partly = {"VEI", "EVI"}, {"VEE", "EVE", "VVE", "EEV", "VEV", "EVV"}
    alike = "diag" if name in partly[0] else "full" if name in partly[1] else name
    widened = {"spherical": "diag", "EII": "EEI", "ppca": "factor", "UCC": "UCU", "CUC": "CUU", "CCC": "CCU"}
    S = make_spread(5, rng)
    for noise, expected in ((0.7, alike), (np.arange(5.0), widened.get(name, alike)), (S, general)):
        total = mixture.convolve(noise)
        assert total.covariance_type == expected
        added = np.diag(np.broadcast_to(noise, 5)) if np.ndim(noise) < 2 else noise
        assert_allclose(total.dense_covariances, mixture.dense_covariances + added, rtol=1e-12)
        Mixture(total.weights, total.means, total.covariances, total.covariance_type)
    direction = np.array([1.0, 2.0, 0.0, 0.0, -1.0])
    flat = mixture.convolve(np.multiply.outer(direction, direction))
    assert_allclose(flat.variances, mixture.variances + direction**2)


# ----------------------------------------------------------------------------------------------------- unions


@given(**problems, other=st.sampled_from(SOME))
@few
def test_a_union_is_the_sum_of_the_densities(name, d, k, seed, exponent, other):
    rng = np.random.default_rng(seed)
    first, second = (make_mixture(each, k, d, rng, exponent) for each in (name, other))
    union = Mixture.mix([first, second], [0.3, 0.7])
    rows = union.sample(4, rng)[0]
    expected = np.logaddexp(
        density(*dense(first), rows) + np.log(0.3), density(*dense(second), rows) + np.log(0.7)
    )
    assert_same_density(union, expected, rows)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("diag", "diag"), "diag"),
        (("spherical", "EII"), "spherical"),
        (("EEI", "spherical"), "diag"),
        (("factor", "VEI"), "factor"),
        (("ppca", "EII"), "ppca"),
        (("tied", "tied"), "full"),
        (("factor", "full"), "full"),
    ],
)
def test_families_join_to_the_common_one(names, expected):
    rng = np.random.default_rng(10)
    mixtures = [make_mixture(each, 2, 4, rng) for each in names]
    assert Mixture.mix(mixtures).covariance_type == expected
    alone = Mixture.mix([mixtures[0], mixtures[0]])
    assert alone.covariance_type == names[0] and alone.n_components == 4


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m: m.affine(np.ones((3, 2))), "more rows than features"),
        (lambda m: m.affine([[1.0, 1.0], [2.0, 2.0]]), "full row rank"),
        (lambda m: m.affine(0.0), "full row rank"),
        (lambda m: m.affine([1.0, 0.0]), "full row rank"),
        (lambda m: m.affine([1.0, 2.0, 3.0]), "a vector of 2"),
        (lambda m: m.affine([[1.0]]), r"shape \(m, 2\)"),
        (lambda m: m.affine(1.0, [1.0, 2.0, 3.0]), r"b must be a number or have the shape \(2,\)"),
        (lambda m: m.affine([[np.inf, 1.0]]), "A contains NaN or infinity"),
        (lambda m: m.affine(2.0, feature_names=["a"]), "2 names"),
        (lambda m: m.affine(1e300), "too large"),
        (lambda m: m.convolve(-1.0), "no negative variance"),
        (lambda m: m.convolve([[1.0, 2.0], [2.0, 1.0]]), "no negative variance.*-1"),
        (lambda m: m.convolve([[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (lambda m: m.convolve([1.0, 2.0, 3.0]), "2 variances"),
        (lambda m: m.convolve(m.marginal(0)), "same features; got 2 and 1"),
        (lambda m: m.product(m.marginal([1, 0])), "same features in the same order"),
        (lambda m: m.product("x"), "other must be a Mixture"),
        (lambda m: m.product(m.affine(1.0, 1e200)), "so far from each other"),
        (lambda m: m.product(m.with_noise(Noise(0.1, -3.0))), "without_noise"),
        (lambda m: m.with_noise(Noise(0.1, -3.0)).convolve(1.0), "without_noise"),
        (lambda m: Mixture.mix([]), "at least one"),
        (lambda m: Mixture.mix([m, m], [0.5, 0.6]), "sum to 1"),
        (lambda m: Mixture.mix([m, m], [1.0]), r"shape \(2,\)"),
        (lambda m: Mixture.mix([m, 3]), "each of mixtures must be a Mixture"),
        (
            lambda m: m.linear_gaussian_update(1.0, None, 0.0, [1.0, 1.0]),
            "R must be positive definite.*condition",
        ),
        (
            lambda m: m.linear_gaussian_update(1.0, None, [1.0, 0.0], [1.0, 1.0]),
            "R must be positive definite",
        ),
        (
            lambda m: m.linear_gaussian_update(1.0, None, np.ones((2, 2)), [1.0, 1.0]),
            "R must be positive def",
        ),
        (lambda m: m.linear_gaussian_update(1.0, None, 1.0, [1.0]), r"y must have the shape \(2,\)"),
        (lambda m: m.linear_gaussian_update([[1.0, 1.0]], None, 1.0, [1.0, 2.0]), r"y.reshape\(-1, 1\)"),
        (lambda m: m.linear_gaussian_update(1.0, None, 1.0, [1.0, np.nan]), "y contains NaN"),
        (lambda m: m.linear_gaussian_update(1.0, None, 1.0, [1.0, 1e200]), "row 0 .* so far"),
        (lambda m: m.linear_gaussian_update(1.0, [1.0] * 3, 1.0, [1.0, 1.0]), "b must be"),
        (lambda m: m.linear_gaussian_update(1.0, None, [1.0] * 3, [1.0, 1.0]), "R must be a variance, 2"),
    ],
)
def test_bad_input_gets_one_clear_error(ask, message):
    people = Mixture([0.4, 0.6], [[0.0, 1.0], [2.0, 3.0]], [np.eye(2)] * 2, feature_names=["a", "b"])
    with pytest.raises(ValueError, match=message):
        ask(people)


def test_results_of_fits_are_taken_for_their_mixtures():
    class Result:
        """What a fit gives."""

        mixture = Mixture([1.0], [[1.0]], [1.0], "spherical")

    own = Mixture([1.0], [[0.0]], [1.0], "spherical")
    assert_array_equal(own.convolve(Result()).means, [[1.0]])
    assert_allclose(own.product(Result()).mixture.means, [[0.5]])
    assert Mixture.mix([own, Result()]).n_components == 2


@pytest.mark.parametrize("family", ["full", "tied", "diag", "factor"])
@given(seed=st.integers(0, 2**32 - 1))
@few
def test_the_units_of_the_features_make_no_difference(family, seed):
    rng = np.random.default_rng(seed)
    mixture = make_mixture(family, 3, 4, rng)
    units = 10.0 ** np.array([12.0, -12.0, 6.0, 0.0])
    other = mixture.affine(units)
    x = mixture.sample(1, rng)[0][0]
    here, there = mixture.condition({0: x[0], 2: x[2]}), other.condition({0: 1e12 * x[0], 2: 1e6 * x[2]})
    assert_allclose(there.weights, here.weights, rtol=1e-9)
    assert_allclose(there.mean / units[[1, 3]], here.mean, rtol=1e-9)
    assert_allclose(there.variances / units[[1, 3]] ** 2, here.variances, rtol=1e-9)
    A = rng.normal(size=(2, 4))
    y, R, sizes = A @ x, make_spread(2, rng), np.array([1e-9, 1e9])
    here = mixture.linear_gaussian_update(A, None, R, y)
    scaled = sizes[:, None] * A / units
    there = other.linear_gaussian_update(scaled, None, sizes[:, None] * R * sizes, sizes * y)
    assert_allclose(there.log_evidence, here.log_evidence, rtol=1e-9, atol=1e-9)  # the sizes cancel
    assert_allclose(there.mixture.mean / units, here.mixture.mean, rtol=1e-9, atol=1e-12)
    assert_allclose(there.mixture.variances / units**2, here.mixture.variances, rtol=1e-9)
    sums, mapped = mixture.affine(A), other.affine(scaled)
    assert_allclose(mapped.means / sizes, sums.means, rtol=1e-9, atol=1e-12)
    assert_allclose(mapped.variances / sizes**2, sums.variances, rtol=1e-9)
    product, elsewhere = mixture.product(mixture), other.product(other)
    assert_allclose(elsewhere.log_evidence + np.log(units).sum(), product.log_evidence, rtol=1e-9, atol=1e-9)
    assert_allclose(elsewhere.mixture.mean / units, product.mixture.mean, rtol=1e-9, atol=1e-12)
