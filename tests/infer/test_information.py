"""Observed information: second differences of the log-likelihood, by parametrisations of the tests' own."""

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm, helmert

import gaussmix
from gaussmix.errors import DoubtfulFitWarning
from tests.helpers import NAMES

LETTERS = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
STEP = 1e-4


def make_rows(d, n=120):
    rng = np.random.default_rng(0)
    turn = np.eye(d) + 0.4 * rng.normal(size=(d, d))
    return np.concatenate([rng.normal(0.0, 1.0, (n // 3, d)) @ turn, rng.normal(2.5, 1.3, (n - n // 3, d))])


def fit_closely(X, k, name, **options):
    return gaussmix.fit_mixture(
        X, k, covariance_type=name, random_state=0, tol=1e-14, max_iter=20_000, acceleration=None, **options
    )


class Curve:
    """A mixture near another as a function of free coordinates: volumes, shapes and rotations by letters."""

    def __init__(self, mixture):
        self.mixture, self.letters = mixture, LETTERS.get(mixture.covariance_type, mixture.covariance_type)
        k, d = mixture.means.shape
        self.k, self.d = k, d
        self.noise = mixture.noise is not None
        self.contrasts = helmert(k + self.noise).T if k + self.noise > 1 else np.zeros((1, 0))
        self.shapes = helmert(d).T if d > 1 else np.zeros((1, 0))
        dense = mixture.dense_covariances
        volume, shape, orientation = self.letters
        if orientation == "I":
            self.axes = np.stack([np.eye(d)] * k)
        elif orientation == "E":
            total = sum((j + 1.5) * C / np.trace(C) for j, C in enumerate(dense))
            self.axes = np.stack([np.linalg.eigh(total)[1]] * k)
        else:
            self.axes = np.stack([np.linalg.eigh(C)[1] for C in dense])
        self.values = np.stack([np.diagonal(A.T @ C @ A) for A, C in zip(self.axes, dense, strict=True)])
        self.planes = [(i, j) for i in range(d) for j in range(i)] if orientation != "I" else []
        sizes = 1, 0 if shape == "I" else d - 1, len(self.planes)
        self.counts = [
            size * (k if letter == "V" else 1) for letter, size in zip(self.letters, sizes, strict=True)
        ]
        self.n = self.contrasts.shape[1] + k * d + sum(self.counts)

    def __call__(self, step):
        """Weights (with the noise's), means and covariances as matrices."""
        k, d = self.k, self.d
        ends = np.cumsum([self.contrasts.shape[1], k * d, *self.counts])
        along, means, volumes, shapes, angles = np.split(step, ends[:-1])
        weights = (
            self.mixture.weights
            if not self.noise
            else np.append(self.mixture.weights, self.mixture.noise.weight)
        )
        covariances = np.empty((k, d, d))
        parts = [
            np.resize(values, (k, len(values) // n))
            for values, n in zip(
                (volumes, shapes, angles), [k if letter == "V" else 1 for letter in self.letters], strict=True
            )
        ]
        for j in range(k):
            logs = parts[0][j].sum() + (self.shapes @ parts[1][j] if parts[1].size else 0.0)
            skew = np.zeros((d, d))
            for angle, (a, b) in zip(parts[2][j], self.planes, strict=False):
                skew[a, b], skew[b, a] = angle, -angle
            turn = self.axes[j] @ expm(skew)
            covariances[j] = (turn * (self.values[j] * np.exp(logs))) @ turn.T
        return weights + self.contrasts @ along, self.mixture.means + means.reshape(k, d), covariances


def log_likelihood(curve, step, X, masses):
    weights, means, covariances = curve(step)
    density = 0.0
    for w, m, C in zip(weights, means, covariances, strict=False):
        D = X - m
        density = density + w * np.exp(-0.5 * np.einsum("ij,ij->i", D @ np.linalg.inv(C), D)) / np.sqrt(
            np.linalg.det(2.0 * np.pi * C)
        )
    if curve.noise:
        density = density + weights[-1] * np.exp(curve.mixture.noise.log_density)
    return masses @ np.log(density)


def differentiate(curve, X, masses):
    """Standard errors of weights, means and covariances by second differences."""
    P, unit = curve.n, np.eye(curve.n) * STEP

    def value(step):
        return log_likelihood(curve, step, X, masses)

    H = np.empty((P, P))
    for a in range(P):
        for b in range(a + 1):
            H[a, b] = H[b, a] = (
                value(unit[a] + unit[b])
                - value(unit[a] - unit[b])
                - value(unit[b] - unit[a])
                + value(-unit[a] - unit[b])
            ) / (4.0 * STEP**2)
    V = np.linalg.inv(-H)
    errors = []
    for part in range(3):
        J = np.stack([(curve(unit[a])[part] - curve(-unit[a])[part]).ravel() for a in range(P)], axis=1) / (
            2.0 * STEP
        )
        errors.append(np.sqrt(np.einsum("xa,ab,xb->x", J, V, J)))
    return errors


@pytest.mark.parametrize(("k", "d"), [(2, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("name", NAMES)
def test_errors_are_those_of_second_differences(name, k, d):
    X = make_rows(d)
    if k == 3:
        X = np.concatenate([X, X[:40] + 9.0])
    masses = np.random.default_rng(1).integers(1, 3, len(X)).astype(float)
    fit = fit_closely(X, k, name, sample_weight=masses)
    found = gaussmix.estimate_errors(X, fit, sample_weight=masses)
    weights, means, covariances = differentiate(Curve(fit.mixture), X, masses)
    assert found.shortfall < 1e-6
    np.testing.assert_allclose(found.standard_errors.weights, weights, rtol=1e-3)
    np.testing.assert_allclose(found.standard_errors.means.ravel(), means, rtol=1e-3)
    dense = fit.mixture.structure.algebra.to_dense(
        fit.mixture.structure.stack(found.standard_errors.covariances, d), k, d
    )
    np.testing.assert_allclose(dense.ravel(), covariances, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["full", "tied", "diag", "EII", "VEV"])
def test_noise(name):
    rng = np.random.default_rng(0)
    X = np.concatenate([make_rows(2), rng.uniform(-12.0, 12.0, (30, 2))])
    fit = fit_closely(X, 2, name, noise=True)
    found = gaussmix.estimate_errors(X, fit)
    weights, means, _ = differentiate(Curve(fit.mixture), X, np.ones(len(X)))
    np.testing.assert_allclose(
        np.append(found.standard_errors.weights, found.standard_errors.noise), weights, rtol=1e-3
    )
    np.testing.assert_allclose(found.standard_errors.means.ravel(), means, rtol=1e-3)


@pytest.mark.parametrize("information", ["observed", "empirical", "sandwich"])
def test_weights_are_copies(information):
    X, copies = make_rows(2), np.resize([1, 2], 120)
    fit = fit_closely(X, 2, "VVE", sample_weight=copies)
    found = gaussmix.estimate_errors(X, fit, information=information, sample_weight=copies)
    whole = gaussmix.estimate_errors(np.repeat(X, copies, axis=0), fit, information=information)
    np.testing.assert_allclose(found.standard_errors.means, whole.standard_errors.means, rtol=1e-9)
    np.testing.assert_allclose(
        found.standard_errors.covariances, whole.standard_errors.covariances, rtol=1e-9
    )


@pytest.mark.parametrize("name", ["full", "VVE", "EEI", "spherical"])
def test_units_do_not_matter(name):
    X, unit = make_rows(3), 1e-7 if name != "full" else np.array([1e-8, 1.0, 1e6])
    fit = fit_closely(X, 2, name)
    m = fit.mixture
    scale = np.broadcast_to(unit, 3)
    powers = {"full": np.multiply.outer(scale, scale), "EEI": scale**2}.get(name, scale[0] ** 2)
    scaled = gaussmix.Mixture(m.weights, m.means * scale, m.covariances * powers, name)
    here, there = gaussmix.estimate_errors(X, m), gaussmix.estimate_errors(X * scale, scaled)
    np.testing.assert_allclose(there.standard_errors.weights, here.standard_errors.weights, rtol=1e-6)
    np.testing.assert_allclose(there.standard_errors.means, here.standard_errors.means * scale, rtol=1e-6)
    np.testing.assert_allclose(
        there.standard_errors.covariances, here.standard_errors.covariances * powers, rtol=1e-6
    )


@pytest.mark.parametrize("information", ["observed", "empirical", "sandwich"])
def test_many_rows_agree_with_the_bootstrap(information):
    truth = gaussmix.Mixture([0.4, 0.6], [[0.0, 0.0], [4.0, 1.0]], [np.eye(2), [[1.0, 0.5], [0.5, 1.0]]])
    X = truth.sample(3000, 0)[0]
    fit = gaussmix.fit_mixture(X, 2, start=truth, tol=1e-10)
    errors = gaussmix.estimate_errors(X, fit, information=information).standard_errors
    drawn = gaussmix.bootstrap(X, fit, n_resamples=400, random_state=0).standard_errors
    np.testing.assert_allclose(errors.weights, drawn.weights, rtol=0.12)
    np.testing.assert_allclose(errors.means, drawn.means, rtol=0.15)
    np.testing.assert_allclose(errors.covariances, drawn.covariances, rtol=0.2)


def test_intervals_and_tables():
    X = make_rows(2)
    fit = fit_closely(X, 2, "tied")
    found = gaussmix.estimate_errors(X, fit)
    lower, upper = found.intervals(0.95)
    error, m = found.standard_errors.means, fit.mixture
    q = stats.t.ppf(0.975, 120.0 * m.weights - 1.0)
    np.testing.assert_allclose(upper.means - lower.means, 2.0 * q[:, None] * error, rtol=1e-9)
    w, s = m.weights[0], found.standard_errors.weights[0]
    odds = np.log(w / (1.0 - w)) - stats.norm.ppf(0.975) * s / (w * (1.0 - w))
    assert lower.weights[0] == pytest.approx(1.0 / (1.0 + np.exp(-odds)), rel=1e-9)
    q, (v, c, u), S = (
        stats.t.ppf(0.975, 118.0),
        m.covariances[[0, 0, 1], [0, 1, 1]],
        found.standard_errors.covariances,
    )
    assert upper.covariances[0, 0] == pytest.approx(v * np.exp(q * S[0, 0] / v), rel=1e-9)
    a = np.sqrt((v * u - c * c) / (3.0 + c * c / (v * u)))
    end = a * np.sinh(np.arcsinh(c / a) + q * S[0, 1] / np.hypot(a, c))
    assert upper.covariances[0, 1] == upper.covariances[1, 0] == pytest.approx(end, rel=1e-9)
    table = found.to_dict(0.9)
    assert table["standard_error"][1] == error[0, 0] and "bias" not in table
    assert "90 %" in found.summary(0.9)


def test_an_unfinished_fit_is_doubtful():
    X = make_rows(2)
    fit = gaussmix.fit_mixture(X, 2, random_state=0, init_params="kmeans", max_iter=2, acceleration=None)
    with pytest.warns(DoubtfulFitWarning, match="below the maximum"):
        assert gaussmix.estimate_errors(X, fit).shortfall > 0.5


def test_parameters_that_rows_say_nothing_of():
    X = make_rows(2)
    m = fit_closely(X, 2, "full").mixture
    twice = gaussmix.Mixture(
        np.append(m.weights[:1] / 2, [m.weights[0] / 2, m.weights[1]]),
        m.means[[0, 0, 1]],
        m.covariances[[0, 0, 1]],
    )
    with pytest.raises(ValueError, match="not positive definite"):
        gaussmix.estimate_errors(X, twice)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"covariance_type": "ppca"}, "loadings"),
        ({"trim": 0.1}, "trimmed"),
        ({"prior": "mclust"}, "prior"),
    ],
)
def test_fits_that_are_no_maximum_are_refused(options, words):
    X = make_rows(3)
    estimator = gaussmix.GaussianMixture(2, random_state=0, **options).fit(X)
    with pytest.raises(ValueError, match=words):
        gaussmix.estimate_errors(X, estimator)


def test_too_many_parameters():
    mixture = gaussmix.Mixture([0.5, 0.5], np.zeros((2, 100)), np.stack([np.eye(100), 2.0 * np.eye(100)]))
    with pytest.raises(ValueError, match="too many parameters"):
        gaussmix.estimate_errors(np.random.default_rng(0).normal(size=(300, 100)), mixture)
    with pytest.raises(ValueError, match="information must be one of"):
        gaussmix.estimate_errors(np.zeros((300, 100)), mixture, information="expected")
