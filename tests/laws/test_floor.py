"""reg_covar="auto": a floor that knows no units, and collapsed components that get other rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture as Theirs

from gaussmix import FitStatus, Mixture, fit_mixture
from gaussmix.errors import FitError
from gaussmix.fit import multistart
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import NAMES, assert_same_mixture, has_matrices, near, random_mixture

#: Families in which a component has a covariance of its own, so that it can collapse.
OWN = [name for name in NAMES if STRUCTURES[name].least_rows(2) and not STRUCTURES[name].coupled]
problems = {"d": st.integers(1, 5), "k": st.integers(1, 4), "seed": st.integers(0, 2**32 - 1)}


def draw(name, k, d, seed):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    X, _ = mixture.sample(40 * k * (d + 1), rng)
    return X, near(mixture, rng), rng


def mapped(mixture, A, b=0.0):
    """The mixture of A x + b; A a diagonal, or a number."""
    structure = STRUCTURES[mixture.covariance_type]
    covariances = structure.algebra.map_covariances(mixture.covariances, np.asarray(A))
    return Mixture(mixture.weights, mixture.means * A + b, covariances, mixture.covariance_type)


def diagonal(name, rng, d):
    """A map within the family's group, with entries from 1e-12 to 1e12."""
    A = 10.0 ** rng.uniform(-12, 12, size=d)
    return np.asarray(A[0]) if STRUCTURES[name].group == "uniform" else A


def log_det(A, d):
    return np.log(np.broadcast_to(A, (d,))).sum()


def assert_mapped(plain, other, A, b=0.0, rtol=1e-8):
    """Parameters, history and likelihood are the mapped ones, the latter by n log |A|."""
    n, d = plain.n_samples, plain.mixture.n_features
    back = mapped(other.mixture, 1.0 / np.asarray(A), -np.asarray(b) / A)
    assert_same_mixture(back, plain.mixture, rtol)
    assert_allclose(np.add(other.history, log_det(A, d)), plain.history, rtol=rtol, atol=rtol)
    assert_allclose(other.log_likelihood + n * log_det(A, d), plain.log_likelihood, rtol=rtol, atol=n * rtol)
    assert other.status is plain.status and other.collapsed == plain.collapsed


class TestUnits:
    @given(**problems)
    def test_of_the_features_do_not_matter(self, name, d, k, seed):
        X, start, rng = draw(name, k, d, seed)
        A = diagonal(name, rng, d)
        options = {"covariance_type": name, "tol": 0.0, "max_iter": 6}
        plain = fit_mixture(X, k, start=start, **options)
        assert_mapped(plain, fit_mixture(X * A, k, start=mapped(start, A), **options), A)

    @given(**problems)
    def test_do_not_matter_where_the_floor_is_met(self, name, d, k, seed):
        """A heap of equal rows: a component that sits on it is held in all directions."""
        X, start, rng = draw(name, k, d, seed)
        X[: len(X) // 3] = start.means[0]
        A = diagonal(name, rng, d)
        options = {"covariance_type": name, "tol": 0.0, "max_iter": 20}
        plain = fit_mixture(X, k, start=start, **options)
        other = fit_mixture(X * A, k, start=mapped(start, A), **options)
        if STRUCTURES[name].coupled:  # EM ends before the floor, in an iteration that rounding decides
            assert plain.status is other.status
            return
        # a matrix of doubles holds a variance at the floor to eps / 1e-10 of itself
        assert_mapped(plain, other, A, rtol=1e-5)

    @given(**problems)
    def test_that_are_powers_of_two_change_no_bit_of_a_fit_from_k_means(self, name, d, k, seed):
        X, _, _ = draw(name, k, d, seed)
        options = {"covariance_type": name, "init_params": "kmeans", "random_state": 0, "max_iter": 10}
        plain, other = fit_mixture(X, k, **options), fit_mixture(X * 2.0**40, k, **options)
        assert_array_equal(other.mixture.weights, plain.mixture.weights)
        assert_array_equal(other.mixture.means, plain.mixture.means * 2.0**40)
        assert_array_equal(other.mixture.covariances, plain.mixture.covariances * 2.0**80)
        assert_allclose(np.add(other.history, log_det(2.0**40, d)), plain.history, rtol=1e-13, atol=1e-12)

    @given(**problems)
    def test_and_an_offset_of_a_hundred_million_deviations(self, name, d, k, seed):
        """On a grid, where the shifted rows are exact."""
        X, _, rng = draw(name, k, d, seed)
        X = np.round(X / X.std(axis=0) * 2.0**18) / 2.0**18
        covariances = np.broadcast_to(np.eye(d) if has_matrices(name) else 1.0, STRUCTURES[name].shape(k, d))
        start = Mixture(np.full(k, 1.0 / k), X[rng.choice(len(X), k, replace=False)], covariances, name)
        A = 2.0 ** rng.integers(-40, 40, size=d)
        A = np.asarray(A[0]) if STRUCTURES[name].group == "uniform" else A
        b = 2.0**27 * A
        options = {"covariance_type": name, "tol": 0.0, "max_iter": 5}
        plain = fit_mixture(X, k, start=start, **options)
        other = fit_mixture(X * A + b, k, start=mapped(start, A, b), **options)
        # to the rounding of the means, which are numbers as large as the offset
        assert_mapped(plain, other, A, b, rtol=3e-7)

    @pytest.mark.parametrize("offset", [0.0, 1e8])
    def test_of_an_offset_cost_no_structure_its_variances(self, name, offset):
        X, _, _ = draw(name, 3, 3, 5)
        X = X / X.std(axis=0) + offset
        result = fit_mixture(X, 3, covariance_type=name, init_params="kmeans", random_state=0)
        assert result.status is FitStatus.CONVERGED and result.advice == ""
        assert (result.mixture.variances > 1e-3).all()
        assert_allclose(
            result.mixture.log_prob(X).mean(dtype=np.float64), result.mean_log_likelihood, rtol=1e-7
        )

    def test_of_an_offset_in_single_precision(self, name):
        X, _, _ = draw(name, 3, 3, 5)
        X = X / X.std(axis=0) + 1e4
        options = {"covariance_type": name, "random_state": 0, "tol": 1e-6, "max_iter": 500}
        options["init_params"] = "kmeans"
        double = fit_mixture(X, 3, **options)
        single = fit_mixture(X.astype(np.float32), 3, **options)
        assert (single.mixture.variances > 1e-3).all()
        assert abs(single.mean_log_likelihood - double.mean_log_likelihood) < 1e-3

    def test_cost_scikit_learn_likelihood_but_not_us(self, name):
        """Its ridge is as large as the variances of these data: two hundred nats, of a thousand rows."""
        X = np.random.default_rng(0).normal(size=(1000, 2))
        small = X * 1e-3

        def loss(fit):
            return fit(X) - (fit(small) + 1000 * log_det(1e-3, 2))

        def theirs(rows):
            known = name if name in ("full", "tied", "diag", "spherical") else "full"
            return 1000 * Theirs(1, covariance_type=known).fit(rows).score(rows)

        def ours(rows):
            return fit_mixture(rows, 1, covariance_type=name).log_likelihood

        assert 150.0 < loss(theirs) < 250.0
        assert abs(loss(ours)) < 1e-6


class TestFloor:
    @given(**problems)
    def test_changes_nothing_of_a_fit_that_does_not_meet_it(self, name, d, k, seed):
        """A floor, not a ridge: elsewhere the maximum of the likelihood is what it was."""
        X, start, _ = draw(name, k, d, seed)
        options = {"covariance_type": name, "start": start, "tol": 0.0, "max_iter": 5}
        auto, plain = fit_mixture(X, k, **options), fit_mixture(X, k, reg_covar=0.0, **options)
        assert_array_equal(auto.mixture.covariances, plain.mixture.covariances)
        assert auto.history == plain.history

    def test_is_the_variance_of_a_heap(self):
        """1e-10 of the variances of the features, whatever those are."""
        rng = np.random.default_rng(0)
        X = np.concatenate([rng.normal(size=(60, 2)) * [1e3, 1e-3], np.tile([5e3, 5e-3], (40, 1))])
        fitted = fit_mixture(X, 2, covariance_type="diag", init_params="kmeans", random_state=0).mixture
        heap = int(fitted.weights.argmin())
        assert_allclose(fitted.weights[heap], 0.4, rtol=1e-9)
        assert_allclose(fitted.variances[heap], 1e-10 * X.var(axis=0), rtol=1e-6)

    @pytest.mark.parametrize("reg_covar", [0.0, 1e-6, 1e6])
    @pytest.mark.parametrize("d", [3, 12])
    @pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-5])
    def test_of_a_number_on_nearly_collinear_columns(self, name, d, noise, reg_covar, tmp_path):
        """Far from one in size, too: the mixture has factors and can be saved, or nothing is left.

        Whether a covariance that is singular but for rounding has a factor, rounding decides.
        """
        rng = np.random.default_rng(d)
        X = rng.normal(size=(200, d))
        X[:, 1] = 2.0 * X[:, 0] + 1.0 + noise * rng.normal(size=200)
        X *= 1e6
        options = {
            "covariance_type": name,
            "reg_covar": reg_covar,
            "init_params": "kmeans",
            "random_state": 0,
        }
        singular = noise == 0.0 and reg_covar == 0.0 and has_matrices(name)
        # families whose matrices share a part need it to be better determined
        shares = noise < 1e-6 and reg_covar < 1.0 and has_matrices(name) and STRUCTURES[name].coupled
        try:
            result = fit_mixture(X, 2, **options)
        except FitError as error:
            if (singular or shares) and "ill-defined empirical covariance" in str(error):
                return
            raise
        mixture = result.mixture
        STRUCTURES[name].find_roots(mixture.covariance_stack)
        mixture.save(tmp_path / "model.safetensors")
        loaded = Mixture.load(tmp_path / "model.safetensors")
        change = loaded.log_prob(X).mean() - result.mean_log_likelihood
        assert np.isfinite(change) and (singular or abs(change) < 1e-3)


def two_clusters(n=150):
    rng = np.random.default_rng(1)
    return np.concatenate(
        [rng.normal(-4, 1, (n, 2)), rng.normal(4, 1, (n, 2)), rng.normal([0, 8], 0.3, (60, 2))]
    )


def tight_on_a_row(name, X):
    """Two components where they belong, and one on a single row, too tight to see another."""
    shape = STRUCTURES[name].shape(3, 2)
    size = np.array([1.0, 1.0, 1e-6]).reshape(3, *[1] * (len(shape) - 1))
    unit = np.eye(2) if has_matrices(name) else 1.0
    covariances = np.broadcast_to(size * unit, shape)
    return Mixture([0.45, 0.45, 0.1], [[-4.0, -4.0], [4.0, 4.0], X[7]], covariances, name)


@pytest.mark.parametrize("name", OWN)
class TestCollapse:
    def test_is_mended_by_other_rows(self, name, monkeypatch):
        X = two_clusters()
        options = {"covariance_type": name, "start": tight_on_a_row(name, X), "random_state": 0}
        mended = fit_mixture(X, 3, **options)
        assert mended.status is FitStatus.CONVERGED and mended.advice == ""
        assert 1 <= mended.n_reseeds <= multistart.MAX_RESEEDS
        assert mended.collapsed == () and mended.failed_starts == ()
        assert_allclose(np.sort(mended.mixture.weights), [60 / 360, 150 / 360, 150 / 360], atol=0.02)
        monkeypatch.setattr(multistart, "MAX_RESEEDS", 0)
        left = fit_mixture(X, 3, **options)
        assert left.status is FitStatus.DEGENERATE and left.n_reseeds == 0
        assert left.collapsed == (2,) and "Component 2 collapsed on next to no rows" in left.advice
        assert left.failed_starts == ("start 1: component 2 collapsed",)
        assert mended.mean_log_likelihood > left.mean_log_likelihood + 0.3

    def test_a_row_that_no_other_component_can_take_in_is_left_alone(self, name):
        X = np.concatenate([two_clusters(), [[1e7, -1e7]]])
        result = fit_mixture(X, 3, covariance_type=name, init_params="kmeans", random_state=0)
        assert result.status is FitStatus.CONVERGED
        assert result.n_reseeds == 0 and result.collapsed == () and result.failed_starts == ()
        assert "single row far from all others, at (1e+07, -1e+07)" in result.advice

    def test_is_left_alone_under_a_ridge(self, name):
        X = two_clusters()
        options = {"covariance_type": name, "start": tight_on_a_row(name, X)}
        result = fit_mixture(X, 3, reg_covar=1e-9, **options)
        assert result.n_reseeds == 0 and np.isfinite(result.log_likelihood)

    def test_without_any_floor_names_the_component(self, name):
        X = two_clusters()
        X[300:320] = [0.0, 20.0]
        plain = tight_on_a_row(name, X)
        start = Mixture(plain.weights, [*plain.means[:2], [0.0, 20.0]], plain.covariances, name)
        result = fit_mixture(X, 3, covariance_type=name, start=start, reg_covar=0.0)
        assert result.status is FitStatus.DEGENERATE and result.collapsed == (2,)
        assert result.advice.startswith("Component 2 collapsed") and "larger reg_covar" in result.advice
        assert result.failed_starts == ("start 1: component 2 collapsed",)

    def test_weights_count_as_copies(self, name, monkeypatch):
        monkeypatch.setattr(multistart, "MAX_RESEEDS", 0)
        rng = np.random.default_rng(2)
        X = np.concatenate([two_clusters(40), [[0.0, 0.0]]])
        weights = rng.integers(1, 4, size=len(X))
        for heaviness in (1, 4):  # one row is a spike, four equal rows are a heap
            weights[-1] = heaviness
            copies = np.repeat(X, weights, axis=0)
            tight = covariances_like(name, 4) * np.array([1, 1, 1, 1e-8]).reshape(
                4, *[1] * (covariances_like(name, 4).ndim - 1)
            )
            start = Mixture([0.3, 0.3, 0.2, 0.2], [[-4, -4], [4, 4], [0, 8], [0, 0]], tight, name)
            options = {"covariance_type": name, "start": start, "random_state": 0, "max_iter": 20}
            weighted = fit_mixture(X, 4, sample_weight=weights, **options)
            copied = fit_mixture(copies, 4, **options)
            assert weighted.collapsed == copied.collapsed == ((3,) if heaviness == 1 else ())
            assert weighted.status is copied.status and weighted.n_samples == copied.n_samples

    def test_is_the_same_for_weights_as_shares_of_one(self, name, monkeypatch):
        X = np.concatenate([two_clusters(40), [[0.0, 0.0]]])
        tight = covariances_like(name, 3) * np.array([1, 1, 1e-8]).reshape(
            3, *[1] * (covariances_like(name, 3).ndim - 1)
        )
        start = Mixture([0.4, 0.4, 0.2], [[-4, -4], [4, 4], [0, 0]], tight, name)
        options = {"covariance_type": name, "start": start, "random_state": 0, "max_iter": 20}
        monkeypatch.setattr(multistart, "MAX_RESEEDS", 0)
        weights = np.random.default_rng(4).uniform(0.3, 1.0, len(X))
        ones = fit_mixture(X, 3, sample_weight=weights, **options)
        shares = fit_mixture(X, 3, sample_weight=1e-6 * weights, **options)
        assert ones.collapsed and shares.collapsed == ones.collapsed and shares.status is ones.status
        assert shares.n_reseeds == ones.n_reseeds and shares.failed_starts == ones.failed_starts
        assert_same_mixture(shares.mixture, ones.mixture, 1e-6)


def covariances_like(name, k):
    unit = np.eye(2) if has_matrices(name) else 1.0
    return np.broadcast_to(unit, STRUCTURES[name].shape(k, 2))


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_a_factor_common_to_all_weights_changes_nothing(name, factor):
    X = two_clusters()
    weights = np.random.default_rng(3).uniform(0.1, 2.0, len(X))
    options = {"covariance_type": name, "init_params": "kmeans", "random_state": 0}
    one, other = (fit_mixture(X, 3, sample_weight=w, **options) for w in (weights, factor * weights))
    assert_same_mixture(other.mixture, one.mixture, 1e-9)
    assert_allclose(other.history, one.history, rtol=1e-10)
    assert other.status is one.status and other.advice == one.advice and other.n_reseeds == one.n_reseeds


@pytest.mark.parametrize("reg_covar", [0.0])
def test_starts_that_collapse_do_not_end_the_others(reg_covar):
    """Twenty starts on drawn rows, of which some draw from three far ones: the best of the rest comes out."""
    clusters = two_clusters()[:300]
    X = np.concatenate([clusters, [[60.0, 60.0], [-80.0, 70.0], [90.0, -50.0]]])
    options = {"reg_covar": reg_covar, "init_params": "random_from_data", "max_iter": 300, "tol": 1e-5}
    rng = np.random.RandomState(0)  # one stream, so that the single starts are those of the twenty
    singles = []
    for _ in range(20):
        try:
            singles.append(fit_mixture(X, 3, random_state=rng, **options))
        except ValueError:
            singles.append(None)
    sound = [r.mean_log_likelihood for r in singles if r and r.status is not FitStatus.DEGENERATE]
    result = fit_mixture(X, 3, random_state=0, n_init=20, **options)
    assert 0 < len(sound) < 20
    assert result.status is FitStatus.CONVERGED
    assert result.mean_log_likelihood == max(sound)
    assert result.n_failed_starts == len(result.failed_starts) == 20 - len(sound)
    for failure in result.failed_starts:
        number, why = failure.removeprefix("start ").split(": ")
        failed = singles[int(number) - 1]
        assert failed is None or failed.status is FitStatus.DEGENERATE
        assert "component" in why and "collapsed" in why


@pytest.mark.parametrize("scale", [1e-144, 1e143, 1e-147, 1e147])
def test_units_at_the_ends_of_the_range_fit_or_are_refused(name, scale):
    """A heap, so that there is a precision ten thousand million times as large as that of the rows.

    Families that share a part of their covariances have none for a heap, but one for clusters.
    """
    heap = np.full((30, 2), 5.0)
    if STRUCTURES[name].coupled:
        heap = heap + np.random.default_rng(1).normal(size=heap.shape)
    X = np.concatenate([np.random.default_rng(0).normal(size=(60, 2)), heap])
    options = {"covariance_type": name, "init_params": "kmeans", "random_state": 0}
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        if not 1e-145 < scale < 1e145:
            with pytest.raises(ValueError, match=r"column 0 .*(overflow|underflow).* by a power of ten"):
                fit_mixture(scale * X, 2, **options)
            return
        plain, other = (fit_mixture(factor * X, 2, **options) for factor in (1.0, scale))
        precisions = other.mixture.precisions
    assert np.isfinite(precisions).all()
    assert_allclose(np.add(other.history, log_det(scale, 2)), plain.history, rtol=1e-6)
