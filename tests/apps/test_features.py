"""Features that a mixture gives: against definitions, finite differences of the density, and scikit-image."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gaussmix
from gaussmix.apps.features import list_feature_names, make_features, normalize_features
from gaussmix.model.moments.blocks import BLOCKS, AlongAxes
from tests.helpers import NAMES, random_mixture

FACTORS = ("factor", "ppca", "CCC")


def make_mixture(name, k=3, d=3, seed=0):
    rng = np.random.default_rng(seed)
    if name in NAMES:
        return random_mixture(name, k, d, rng, spread=1.0)
    parts = np.concatenate([rng.normal(size=(k, d, 1)), np.full((k, d, 1), 0.5)], axis=2)
    parts = np.broadcast_to(parts[0], parts.shape) if name == "CCC" else parts
    return gaussmix.Mixture(rng.dirichlet(np.full(k, 4.0)), rng.normal(size=(k, d)), parts, name)


def take_parts(mixture, X):
    """Fisher vectors in parts: weights (n, k), means (n, k, d), covariances (n, number of them, size)."""
    F = make_features(mixture, X, "fisher")
    k, d = mixture.means.shape
    n_weights = k + (mixture.noise is not None)
    n_covariances = 1 if mixture.structure.shared else k
    return SimpleNamespace(
        weights=F[:, :n_weights],
        means=F[:, n_weights : n_weights + k * d].reshape(len(X), k, d),
        covariances=F[:, n_weights + k * d :].reshape(len(X), n_covariances, -1),
    )


def whiten(mixture, component, vectors):
    place = 0 if mixture.structure.shared else component
    return mixture.structure.algebra.whiten(mixture.roots[place : place + 1], vectors)


@pytest.mark.parametrize(
    ("name", "d"), [*((name, 1) for name in NAMES), *((name, 3) for name in (*NAMES, *FACTORS))]
)
def test_distances_are_those_of_the_definition(name, d):
    mixture = make_mixture(name, d=d)
    X = mixture.sample(20, 1)[0]
    found = make_features(mixture, X, "distances")
    for k, (mean, covariance) in enumerate(zip(mixture.means, mixture.dense_covariances, strict=True)):
        V = X - mean
        squares = np.einsum("ij,ij->i", V, np.linalg.solve(covariance, V.T).T)
        assert_allclose(found[:, k] ** 2, squares, rtol=1e-9)


def test_distances_are_exact_next_to_a_mean_that_is_far_from_zero():
    mixture = gaussmix.Mixture([1.0], [[1e6, -1e6]], [[1.0, 1.0]], "diag")
    X = mixture.means + np.array([[3e-7, 4e-7]]) * 2**10
    # from a log-density next to its maximum, of which the square root is taken, half of the digits would be lost
    assert_allclose(make_features(mixture, X, "distances"), 5e-7 * 2**10, rtol=1e-6)


@pytest.mark.parametrize("name", [*NAMES, *FACTORS])
def test_fisher_vectors_are_whitened_derivatives_of_the_log_density(name):
    mixture = make_mixture(name)
    (k, d), h = mixture.means.shape, 1e-5
    X = mixture.sample(6, 2)[0]
    found = take_parts(mixture, X)
    dense = mixture.dense_covariances

    def differ(weights=None, means=None, covariances=None):
        """The derivative of log p along a direction of the parameters, by central differences."""
        ends = []
        for sign in (h, -h):
            w = mixture.weights * np.exp(0.0 if weights is None else sign * weights)
            m = mixture.means + (0.0 if means is None else sign * means)
            C = dense + (0.0 if covariances is None else sign * covariances)
            ends.append(gaussmix.Mixture(w / w.sum(), m, C).log_prob(X))
        return (ends[0] - ends[1]) / (2.0 * h)

    for component in range(k):
        one, root = np.zeros(k), np.sqrt(mixture.weights[component])
        one[component] = 1.0
        assert_allclose(found.weights[:, component] * root, differ(weights=one), atol=1e-7)
        # with (U')^-1 e_j as the step of the mean, y_j moves by minus one
        back = np.linalg.inv(np.array([whiten(mixture, component, e[None])[0] for e in np.eye(d)]).T)
        for j in range(d):
            step = np.zeros((k, d))
            step[component] = back[:, j]
            assert_allclose(found.means[:, component, j] * root, differ(means=step), atol=1e-6)
    block, shared = mixture.structure.algebra.block, mixture.structure.shared
    unit = np.eye(block.n_features(d))
    for place in range(1 if shared else k):
        weight = 1.0 if shared else mixture.weights[place]
        for j, variance in enumerate(block.variances(d)):
            # the direction E of (U')^-1 (1 + e E) U^-1 in which q(y) changes by its entry j
            step = block.unpack(unit[j : j + 1], d)[0]
            E = step if np.ndim(step) == 2 else np.diag(step) if np.ndim(step) else step * np.eye(d)
            moves = np.zeros((k, d, d))
            for component in range(k) if shared else [place]:
                U = np.array([whiten(mixture, component, e[None])[0] for e in np.eye(d)])  # y = v U
                back = np.linalg.inv(U)
                moves[component] = back.T @ E @ back
            scale = np.sqrt(weight * variance) * (0.5 if variance != 1.0 else 1.0)
            expected = differ(covariances=moves)
            assert_allclose(found.covariances[:, place, j] * scale, expected, atol=2e-6)


def test_fisher_vectors_are_those_of_scikit_image():
    # skimage 0.26.0, skimage.feature.fisher_vector(x[None], model) for each row, and of all three rows with
    # improved=True; its derivatives by variances have the other sign
    mixture = gaussmix.Mixture([0.3, 0.7], [[0.0, 1.0], [2.0, -1.0]], [[1.0, 0.5], [0.25, 2.0]], "diag")
    X = np.array([[0.5, 0.5], [1.0, 0.0], [2.5, -2.0]])
    expected = np.array(
        [
            *(
                [
                    1.239610834112529,
                    -0.8115157828011442,
                    0.8936666958088474,
                    -1.263835561454023,
                    -0.07543273119879361,
                ],
            ),
            *(
                [
                    0.3207731798996444,
                    -0.20999533968597228,
                    0.8684957374048105,
                    -1.228238450701105,
                    -1.2533293736962063,
                ],
            ),
            *(
                [
                    -0.5477135757602014,
                    0.3585627028680078,
                    0.0000224543624,
                    -0.0000381063166,
                    1.195222729402083,
                ],
            ),
        ]
    )
    others = np.array(
        [
            [
                0.0266694978770445,
                0.9478766710905173,
                0.6319177807270114,
                -0.14223732201090403,
                -0.002222458156420376,
            ],
            [0.44311884960043796, 0.0, -0.6141192253505525, -1.3293565488013133, 0.22155942480021898],
            [-0.8451500969885068, -0.00003334302705, -0.000107967897115, 0.0, 0.42257504849425354],
        ]
    )
    signs = np.repeat([1.0, -1.0], [6, 4])
    F = make_features(mixture, X, "fisher")
    assert_allclose(F, np.concatenate([expected, others], axis=1) * signs, rtol=1e-9, atol=1e-12)
    improved = [
        *(
            0.3261853736988752,
            -0.2639187750758005,
            0.43028494716510446,
            -0.5116985726698846,
            -0.11845000611413131,
        ),
        *(
            -0.19858910765484852,
            0.3155721696432955,
            0.04311233195189547,
            -0.39320986242008193,
            0.25969773951221137,
        ),
    ]
    pooled = normalize_features(F.mean(axis=0, keepdims=True), 0.5, "l2")
    assert_allclose(pooled[0], improved * signs, rtol=1e-6)


@pytest.mark.parametrize("name", ["full", "diag", "spherical", "tied", "EEI", "EII"])
def test_of_components_that_lie_apart_fisher_vectors_are_uncorrelated_and_of_variance_one(name):
    mixture = random_mixture(name, 2, 2, np.random.default_rng(3), spread=60.0)
    X = mixture.sample(40_000, 4)[0]
    found = take_parts(mixture, X)
    F = np.concatenate([found.means.reshape(len(X), -1), found.covariances.reshape(len(X), -1)], axis=1)
    assert_allclose(F.mean(axis=0), 0.0, atol=0.05)
    assert_allclose(F.T @ F / len(X), np.eye(F.shape[1]), atol=0.12)


@pytest.mark.parametrize("block", [*BLOCKS, AlongAxes(2)], ids=lambda block: type(block).__name__)
def test_the_variances_of_second_order_features_are_those_of_normal_draws(block):
    d = 3
    Z = np.random.default_rng(5).normal(size=(d, 100_000))
    Q = np.empty((block.n_features(d), Z.shape[1]))
    block.fill_second(Q, Z)
    assert_allclose(Q.var(axis=1), block.variances(d), rtol=0.05)


def test_noise_has_a_responsibility_and_a_weight_and_nothing_else():
    plain = make_mixture("diag", k=2, d=2)
    mixture = plain.with_noise(gaussmix.Noise(0.2, -4.0))
    X = mixture.without_noise().sample(10, 6)[0]
    for kind, n in {"responsibilities": 3, "log-densities": 2, "distances": 2, "fisher": 3 + 4 + 4}.items():
        assert make_features(mixture, X, kind).shape == (10, n)
        assert len(list_feature_names(mixture, kind, ["a", "b"])) == n
    R = mixture.responsibilities(X)
    assert_allclose(make_features(mixture, X, "fisher")[:, 2], (R[:, 2] - 0.2) / np.sqrt(0.2))
    assert_allclose(make_features(mixture, X, "distances"), make_features(plain, X, "distances"))


def test_a_component_of_no_weight_has_no_part_in_a_fisher_vector():
    mixture = gaussmix.Mixture([1.0, 0.0], [[0.0], [1.0]], [[1.0], [1.0]], "diag")
    F = make_features(mixture, np.array([[0.5], [7.0]]), "fisher")
    assert np.isfinite(F).all()
    assert (F[:, [1, 3, 5]] == 0.0).all()


@pytest.mark.parametrize("kind", ["responsibilities", "log-densities", "distances", "fisher"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_rows_that_are_far_away_have_finite_features_of_their_own_type(kind, dtype, name):
    mixture = make_mixture(name)
    X = np.array([[1e30, -1e30, 1e30], [0.0, 0.0, 0.0]], dtype=dtype)
    found = make_features(mixture, X, kind)
    assert found.dtype == dtype and np.isfinite(found).all()


def test_chunks_make_no_difference(monkeypatch):
    mixture = make_mixture("full")
    X = mixture.sample(1000, 7)[0]
    whole = [make_features(mixture, X, kind) for kind in ("distances", "fisher")]
    monkeypatch.setattr("gaussmix.apps.features.CHUNK_NUMBERS", 3000)
    for before, kind in zip(whole, ("distances", "fisher"), strict=True):
        assert_allclose(make_features(mixture, X, kind), before, rtol=1e-10, atol=1e-12)


def test_normalized_rows_keep_their_signs_and_have_length_one():
    F = np.array([[4.0, -9.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    roots = normalize_features(F, 0.5, None)
    assert_allclose(roots, [[2.0, -3.0, 0.0], [0.0, 0.0, 0.0]], rtol=1e-6)
    assert_allclose(np.linalg.norm(normalize_features(F, 0.5, "l2"), axis=1), [1.0, 0.0], rtol=1e-6)
    assert roots.dtype == normalize_features(F, 1.0, "l2").dtype == np.float32


@pytest.mark.parametrize("name", [*NAMES, "factor"])
def test_every_feature_has_a_name_of_its_own(name):
    mixture = make_mixture(name)
    X = mixture.sample(2, 8)[0]
    for kind in ("responsibilities", "log-densities", "distances", "fisher"):
        names = list_feature_names(mixture, kind, ["a", "b", "c"])
        assert len(set(names)) == len(names) == make_features(mixture, X, kind).shape[1]


def test_the_names_say_which_products_features_are_of():
    mixture = make_mixture("full", k=1, d=2)
    y = whiten(mixture, 0, mixture.sample(1, 9)[0] - mixture.means[0])[0]
    F = make_features(mixture, mixture.sample(1, 9)[0], "fisher")[0]
    named = dict(zip(list_feature_names(mixture, "fisher", ["a", "b"]), F, strict=True))
    expected = {
        "weight0": 0.0,
        "mean0_a": y[0],
        "mean0_b": y[1],
        "variance0_a": (y[0] ** 2 - 1.0) / np.sqrt(2.0),
        "covariance0_a_b": y[0] * y[1],
        "variance0_b": (y[1] ** 2 - 1.0) / np.sqrt(2.0),
    }
    assert named == pytest.approx(expected)
