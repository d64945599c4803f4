"""Laws of the projection: what it maximises, units, families, completion to a plane."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import GaussianMixture, Mixture, Noise, project
from tests.helpers import NAMES, random_mixture


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
def test_the_directions_solve_the_eigenproblem(name, share):
    mixture = random_mixture(name, 4, 5, np.random.default_rng(1))
    found = project(mixture, n_directions=5, means_share=share)
    S, C = mixture.covariance, mixture.dense_covariances
    apart = mixture.means - mixture.mean
    B = (mixture.weights[:, None] * apart).T @ apart
    D = C - np.tensordot(mixture.weights, C, axes=1)
    M = 2.0 * share * B @ np.linalg.solve(S, B)
    M += (
        2.0
        * (1.0 - share)
        * sum(w * m @ np.linalg.solve(S, m) for w, m in zip(mixture.weights, D, strict=True))
    )
    for value, direction in zip(found.eigenvalues, found.basis.T, strict=True):
        scale = np.abs(M).max() + np.abs(S).max()
        assert_allclose(M @ direction, value * S @ direction, atol=1e-7 * scale)
    assert (np.diff(found.eigenvalues) <= 1e-12).all()
    assert_allclose(np.linalg.norm(found.basis, axis=0), 1.0)
    along = found.basis.T @ S @ found.basis  # the directions are uncorrelated
    spread = np.sqrt(np.diagonal(along))
    assert_allclose(along / np.multiply.outer(spread, spread), np.eye(5), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_all_directions_lose_nothing(name):
    """Responsibilities of rows in all directions are those of the rows."""
    mixture = random_mixture(name, 3, 4, np.random.default_rng(2))
    X = mixture.sample(50, 0)[0]
    found = project(mixture, X, n_directions=4)
    shadow = found.project_mixture()
    assert_allclose(shadow.responsibilities(found.transform(X)), mixture.responsibilities(X), atol=1e-8)
    assert shadow.feature_names == ("direction 1", "direction 2", "direction 3", "direction 4")


def test_means_alone_need_no_more_directions_than_components_less_one():
    """Where all components have one covariance, nothing is lost in these."""
    mixture = random_mixture("tied", 3, 6, np.random.default_rng(3))
    X = mixture.sample(80, 0)[0]
    found = project(mixture)
    assert found.basis.shape == (6, 2) and (found.eigenvalues > 0.0).all()
    shadow = found.project_mixture(2)
    assert shadow.covariance_type == "tied"
    assert_allclose(shadow.responsibilities(found.transform(X)), mixture.responsibilities(X), atol=1e-8)


def test_a_plane_for_two_components():
    mixture = Mixture([0.5, 0.5], [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]], np.array([[1.0, 2.0, 9.0]] * 2), "diag")
    found = project(mixture)
    assert found.basis.shape == (3, 2) and found.shares.tolist() == [1.0, 0.0]
    assert_allclose(found.basis[:, 0], [1.0, 0.0, 0.0], atol=1e-9)
    assert project(mixture, n_directions=1).basis.shape == (3, 1)
    assert_allclose((project(mixture, n_directions=3).basis ** 2).sum(axis=0), 1.0)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_make_no_difference(scale):
    mixture = random_mixture("full", 4, 3, np.random.default_rng(4))
    units = np.array([1.0, scale, 1.0])
    outer = np.multiply.outer(units, units)
    other = Mixture(mixture.weights, mixture.means * units, mixture.covariances * outer)
    one, two = (project(each, n_directions=3, means_share=0.5) for each in (mixture, other))
    assert_allclose(one.eigenvalues, two.eigenvalues, rtol=1e-6)
    assert_allclose(one.coefficients, two.coefficients, atol=1e-6)


def test_rows_and_their_weights():
    mixture = random_mixture("full", 3, 3, np.random.default_rng(5))
    X = mixture.sample(60, 0)[0]
    copies = np.random.default_rng(0).integers(0, 3, size=60)
    one = project(mixture, X, sample_weight=copies)
    other = project(mixture, np.repeat(X, copies, axis=0))
    assert_allclose(one.basis, other.basis, atol=1e-9)
    assert_allclose(one.centre, np.repeat(X, copies, axis=0).mean(axis=0))
    many = mixture.sample(200_000, 1)[0]
    assert_allclose(
        np.abs((project(mixture, many).basis * project(mixture).basis).sum(axis=0)), 1.0, atol=1e-3
    )


def test_noise_takes_no_part():
    mixture = random_mixture("VEV", 3, 3, np.random.default_rng(6))
    with_noise = mixture.with_noise(Noise(0.3, -9.0))
    assert_allclose(project(with_noise).basis, project(mixture).basis, atol=1e-9)
    assert project(with_noise).project_mixture().noise is None


def test_one_feature_and_one_component():
    one = Mixture([0.5, 0.5], [[0.0], [3.0]], [1.0, 1.0], "spherical")
    assert_allclose(project(one).basis, [[1.0]])
    alone = Mixture([1.0], [[0.0, 1.0]], [[[2.0, 0.5], [0.5, 1.0]]])
    found = project(alone)
    assert found.basis.shape == (2, 2) and found.shares.tolist() == [0.0, 0.0]


def test_features_without_variance_and_collinear_ones():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(100, 2)) + 6.0 * (np.arange(100) % 2)[:, None]
    X = np.column_stack([X, np.full(100, 5.0), X[:, 0] + X[:, 1]])
    model = GaussianMixture(2, random_state=0).fit(X)
    found = project(model, X)
    assert found.coefficients[2].tolist() == [0.0, 0.0] and np.isfinite(found.basis).all()
    assert project(model, X, n_directions=4).basis.shape == (4, 2)  # no more than the rows have


def test_what_is_printed():
    mixture = random_mixture("full", 3, 25, np.random.default_rng(8))
    text = repr(project(mixture))
    assert "3 components in 2 directions" in text and "Not shown: 5 features." in text and "share" in text
    assert "<table>" in project(mixture)._repr_html_()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_directions": 0}, "n_directions must be a whole number from 1 to 3"),
        ({"n_directions": 4}, "from 1 to 3; got 4"),
        ({"means_share": 1.5}, "means_share must be a number from 0 to 1"),
        ({"sample_weight": [1.0]}, "there is no X"),
        ({"X": np.empty((0, 3))}, "no rows"),
        ({"X": np.ones((5, 3))}, "no feature varies"),
        ({"X": np.ones((5, 2))}, "one column a feature"),
    ],
)
def test_wrong_arguments(options, said):
    mixture = random_mixture("full", 2, 3, np.random.default_rng(9))
    with pytest.raises(ValueError, match=said):
        project(mixture, **options)
