"""How a fit goes: recovery of the truth, restarts, warm starts, warnings, what it prints and keeps."""

from __future__ import annotations

import copy
import math
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from gaussmix import FitStatus, GaussianMixture
from tests.helpers import NAMES, has_matrices, near, start_parameters

NOT_CONVERGED = (
    "Best performing initialization did not converge. Try different init parameters, or increase max_iter, "
    "tol, or check for degenerate data."
)
COLLAPSED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for "
    "instance caused by singleton or collapsed samples). Try to decrease the number of components, increase "
    "reg_covar, or scale the input data."
)
DTYPES = (np.float64, np.float32)
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_found(make_clusters, name, dtype):
    data = make_clusters(name, k=3, d=2, n=4000, dtype=dtype, seed=3)
    model = GaussianMixture(
        3, covariance_type=name, n_init=5, reg_covar=0, random_state=0, init_params="kmeans"
    ).fit(data.X)
    truth = data.mixture
    order = cdist(truth.means, model.means_).argmin(axis=1)
    assert sorted(order) == [0, 1, 2]
    assert_allclose(model.weights_[order], truth.weights, atol=0.03)
    assert_allclose(model.means_[order], truth.means, atol=0.1 * np.sqrt(truth.variances.max()))
    found = model.mixture_.dense_covariances[order]
    whiten = np.linalg.inv(np.linalg.cholesky(truth.dense_covariances))
    assert_allclose(whiten @ found @ whiten.transpose(0, 2, 1), [np.eye(2)] * 3, atol=0.2)
    assert adjusted_rand_score(data.labels, model.predict(data.X)) > 0.95


@quiet
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("max_iter", "tol"), [(2, 1e-7), (300, 1e-2)])
@pytest.mark.parametrize("name", NAMES)
def test_fit_predict_is_fit_then_predict(make_clusters, name, max_iter, tol, dtype):
    data = make_clusters(name, k=3, spread=1.0, dtype=dtype)
    model = GaussianMixture(
        3, covariance_type=name, max_iter=max_iter, tol=tol, random_state=0, init_params="kmeans"
    )
    other = copy.deepcopy(model)
    assert_array_equal(model.fit(data.X).predict(data.X), other.fit_predict(data.X))
    assert {model.means_.dtype, model.weights_.dtype, model.precisions_.dtype} == {np.dtype(dtype)}


@quiet
def test_fit_predict_with_several_starts_labels_by_the_best():
    X = np.random.default_rng(0).normal(size=(500, 5))
    model = GaussianMixture(5, n_init=4, random_state=0, init_params="kmeans")
    assert_array_equal(model.fit_predict(X), model.predict(X))


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_the_most_probable_components(make_clusters, name):
    data = make_clusters(name, k=3, spread=3.0)
    model = GaussianMixture(3, covariance_type=name, random_state=0, init_params="kmeans").fit(data.X)
    proba = model.predict_proba(data.X)
    assert_array_equal(model.predict(data.X), proba.argmax(axis=1))
    assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_precisions_are_the_inverses_of_the_covariances(make_clusters, name, dtype):
    data = make_clusters(name, k=2, d=3, spread=5.0, dtype=dtype)
    model = GaussianMixture(2, covariance_type=name, random_state=0, init_params="kmeans").fit(data.X)
    assert {model.precisions_.dtype, model.covariances_.dtype} == {np.dtype(dtype)}
    rtol = 1e-9 if dtype == np.float64 else 1e-3
    if has_matrices(name):
        covariances, precisions, factors = (
            array.reshape(-1, 3, 3)
            for array in (model.covariances_, model.precisions_, model.precisions_cholesky_)
        )
        identities = np.array([np.eye(3)] * len(covariances))
        assert_allclose(precisions @ covariances, identities, atol=rtol)
        assert_allclose(factors @ factors.transpose(0, 2, 1), precisions, rtol=rtol, atol=rtol)
    else:
        assert_allclose(model.precisions_ * model.covariances_, np.ones(model.covariances_.shape), rtol=rtol)
        assert_allclose(model.precisions_cholesky_**2, model.precisions_, rtol=rtol)


@quiet
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("max_iter", [0, 1, 3, 100])
@pytest.mark.parametrize("name", NAMES)
def test_the_lower_bound_is_of_the_fitted_parameters(make_clusters, name, max_iter, dtype):
    X = make_clusters(name, k=3, spread=1.5, dtype=dtype).X
    model = GaussianMixture(
        3, covariance_type=name, max_iter=max_iter, random_state=0, init_params="kmeans"
    ).fit(X)
    assert_allclose(model.lower_bound_, model.score(X), rtol=1e-12 if dtype == np.float64 else 1e-5)
    assert isinstance(model.lower_bound_, float) and isinstance(model.lower_bounds_, list)
    assert len(model.lower_bounds_) == model.n_iter_
    if max_iter:
        assert model.lower_bounds_[-1] == model.lower_bound_


@pytest.mark.parametrize("name", NAMES)
def test_the_lower_bounds_rise(make_clusters, name):
    X = make_clusters(name, k=3, spread=1.0).X
    model = GaussianMixture(
        3, covariance_type=name, reg_covar=0, tol=1e-6, max_iter=2000, random_state=0, init_params="kmeans"
    ).fit(X)
    assert model.converged_ and model.n_iter_ > 3
    assert (np.diff(model.lower_bounds_) >= -1e-12).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_fit_stops_in_the_iteration_after_the_small_change(make_clusters, name):
    X = make_clusters(name, k=3, spread=1.0).X
    model = GaussianMixture(
        3,
        covariance_type=name,
        tol=1e-4,
        max_iter=500,
        random_state=0,
        acceleration=None,
        init_params="kmeans",
    ).fit(X)
    changes = np.abs(np.diff(model.fit_result_.history))
    assert model.converged_ and changes[-2] < 1e-4 and (changes[:-2] >= 1e-4).all()


def test_the_tolerance_is_per_sample(make_clusters):
    """The same rows several times over take the same iterations."""
    data = make_clusters(k=3, spread=1.0)
    start = start_parameters(near(data.mixture, np.random.default_rng(0)))
    once, often = (
        GaussianMixture(3, max_iter=500, **start).fit(X) for X in (data.X, np.tile(data.X, (7, 1)))
    )
    assert once.n_iter_ == often.n_iter_ > 3
    assert_allclose(once.means_, often.means_, rtol=1e-9)


def test_n_iter_is_the_number_of_iterations(make_clusters):
    X = make_clusters(k=3, spread=0.5).X
    for max_iter in (1, 4):
        with pytest.warns(ConvergenceWarning):
            model = GaussianMixture(3, max_iter=max_iter, tol=0.0, random_state=0).fit(X)
        assert model.n_iter_ == max_iter == len(model.lower_bounds_)


@pytest.mark.parametrize("name", NAMES)
def test_not_to_converge_is_a_warning(make_clusters, name):
    X = make_clusters(name, spread=0.5).X
    model = GaussianMixture(2, covariance_type=name, max_iter=1, reg_covar=0, random_state=0)
    with pytest.warns(ConvergenceWarning, match=re.escape(NOT_CONVERGED)) as caught:
        model.fit(X)
    assert len(caught) == 1
    assert caught[0].filename == __file__, "the warning should point at the caller's line"
    assert not model.converged_ and model.fit_result_.status is FitStatus.MAX_ITER
    assert model.fit_result_.advice == NOT_CONVERGED


def test_a_good_fit_and_max_iter_zero_do_not_warn(make_clusters):
    X = make_clusters().X
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        good = GaussianMixture(2, random_state=0, init_params="kmeans").fit(X)
        kept = GaussianMixture(2, random_state=0, max_iter=0).fit(X)
    assert good.fit_result_.status is FitStatus.CONVERGED and good.fit_result_.advice == ""
    assert kept.fit_result_.status is FitStatus.NOT_RUN


@pytest.mark.parametrize("name", NAMES)
def test_more_starts_are_never_worse(make_clusters, name):
    X = make_clusters(name, k=4, d=3, n=80, spread=1.0).X
    for init_params in ("kmeans", "random_from_data"):
        model = GaussianMixture(
            4, covariance_type=name, init_params=init_params, random_state=1, max_iter=300
        )
        one = model.fit(X).lower_bound_
        assert model.set_params(n_init=6).fit(X).lower_bound_ >= one


@quiet
def test_the_best_of_the_starts_is_kept(make_clusters):
    """With one random state, the starts of a fit are those of as many fits in turn."""
    X = make_clusters(k=4, spread=1.0).X
    options = {"init_params": "random_from_data", "max_iter": 20}
    state = np.random.RandomState(5)
    each = [GaussianMixture(4, random_state=state, **options).fit(X) for _ in range(6)]
    best = GaussianMixture(4, random_state=np.random.RandomState(5), n_init=6, **options).fit(X)
    bounds = [model.lower_bound_ for model in each]
    assert max(bounds) - min(bounds) > 1e-3, "the starts must differ for this to be a test"
    assert best.lower_bound_ == max(bounds)
    assert_array_equal(best.means_, each[int(np.argmax(bounds))].means_)
    assert best.lower_bounds_ == each[int(np.argmax(bounds))].lower_bounds_


@pytest.fixture
def repeated_row():
    """Two normal clusters and a row that occurs twelve times: a component of its own has no spread at all."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(-3.0, 1.0, (40, 2)), rng.normal(3.0, 1.0, (40, 2)), [[9.0, -9.0]] * 12])


@quiet
@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_starts_that_collapse_do_not_end_the_others(repeated_row, name):
    model = GaussianMixture(
        3, covariance_type=name, reg_covar=0, init_params="random_from_data", max_iter=500
    )
    statuses = set()
    for seed in range(12):
        try:
            result = model.set_params(random_state=seed).fit(repeated_row).fit_result_
        except ValueError as error:
            assert str(error) == COLLAPSED  # noqa: PT017 (some seeds fit, some collapse)
            statuses.add("failed")
            continue
        statuses.add(result.status)
        assert np.isfinite(result.history).all()
        assert_allclose(model.lower_bound_, model.score(repeated_row), rtol=1e-9)
    assert statuses >= {"failed", FitStatus.DEGENERATE, FitStatus.CONVERGED}, "or this tests nothing"

    model.set_params(random_state=0, n_init=12).fit(repeated_row)
    assert model.fit_result_.n_failed_starts > 0
    # the likelihood of a collapsing component has no bound, so that it says nothing for that start
    assert model.fit_result_.status is FitStatus.CONVERGED
    assert (model.mixture_.variances > 1e-3).all()


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_a_component_that_collapses_on_the_way_is_reported(repeated_row, name):
    d = 2
    tight = {"full": 100.0 * np.eye(d), "diag": np.full(d, 100.0), "spherical": np.array(100.0)}[name]
    model = GaussianMixture(
        3,
        covariance_type=name,
        reg_covar=0,
        weights_init=[0.45, 0.45, 0.1],
        means_init=[[-3.0, -3.0], [3.0, 3.0], [8.9, -8.9]],
        precisions_init=np.array([tight / 100.0, tight / 100.0, tight]),
    )
    with pytest.warns(ConvergenceWarning, match="Component 2 collapsed"):
        model.fit(repeated_row)
    assert model.fit_result_.status is FitStatus.DEGENERATE and not model.converged_
    assert np.isfinite(model.lower_bound_) and np.isfinite(model.covariances_).all()
    # a component this tight costs the sums some digits
    assert_allclose(model.lower_bound_, model.score(repeated_row), rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_collapse_of_every_start_is_an_error_that_says_what_to_do(name):
    X = np.vstack([np.ones((5, 5)), np.zeros((5, 5))])
    model = GaussianMixture(10, reg_covar=0, covariance_type=name, random_state=0, init_params="kmeans")
    with pytest.raises(ValueError, match=re.escape(COLLAPSED)):
        model.fit(X)
    assert not hasattr(model, "means_")
    model.set_params(reg_covar=1e-6).fit(X)
    assert np.isfinite(model.score(X))


def test_a_fit_that_diverges_keeps_its_parameters():
    """Two components start on single rows, all but collapsed; one iteration must give a usable mixture."""
    X = np.random.default_rng(0).uniform(size=(30, 3))
    model = GaussianMixture(
        4,
        covariance_type="spherical",
        reg_covar=0,
        weights_init=[0.03, 0.03, 0.54, 0.4],
        means_init=X[:4],
        precisions_init=[1e6, 1e6, 10.0, 20.0],
        max_iter=1,
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    assert not model.converged_
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_", "n_iter_", "lower_bound_"):
        assert np.isfinite(getattr(model, name)).all(), name


@pytest.mark.parametrize("name", NAMES)
def test_reg_covar_is_added_to_the_variances(name):
    """Rows that agree have no spread of their own: what is left is the ridge."""
    X = np.repeat([[0.0, 0.0], [5.0, 1.0]], 10, axis=0)
    model = GaussianMixture(
        2, covariance_type=name, reg_covar=0.25, random_state=0, init_params="kmeans"
    ).fit(X)
    assert_allclose(model.mixture_.dense_covariances, [0.25 * np.eye(2)] * 2, atol=1e-9)


class TestWarmStart:
    @quiet
    @pytest.mark.parametrize("name", NAMES)
    def test_goes_on_where_it_stopped(self, make_clusters, name):
        X = make_clusters(name, spread=0.5).X
        at_once = GaussianMixture(2, covariance_type=name, max_iter=4, tol=0.0, random_state=0).fit(X)
        in_steps = GaussianMixture(
            2, covariance_type=name, max_iter=1, tol=0.0, random_state=0, warm_start=True
        )
        scores = [in_steps.fit(X).score(X) for _ in range(4)]
        assert_allclose(in_steps.weights_, at_once.weights_, rtol=1e-9)
        assert_allclose(in_steps.means_, at_once.means_, rtol=1e-9)
        assert_allclose(in_steps.precisions_, at_once.precisions_, rtol=1e-8, atol=1e-10)
        assert (np.diff(scores) > 0.0).all()

    @quiet
    @pytest.mark.parametrize("max_iter", [1, 2, 50])
    def test_detects_convergence(self, make_clusters, max_iter):
        X = make_clusters(spread=2.0).X
        model = GaussianMixture(2, warm_start=True, max_iter=max_iter, random_state=0, init_params="kmeans")
        for _ in range(100):
            if model.fit(X).converged_:
                break
        assert model.converged_
        assert model.n_iter_ <= max_iter
        # in as many iterations as in one go
        assert_allclose(
            model.means_, GaussianMixture(2, random_state=0, init_params="kmeans").fit(X).means_, rtol=1e-3
        )

    @quiet
    def test_ignores_the_starts_asked_for_after_the_first_fit(self, make_clusters):
        X = make_clusters(k=3, spread=0.5).X
        model = GaussianMixture(3, warm_start=True, max_iter=3, n_init=5, random_state=0)
        first = model.fit(X).lower_bound_
        assert model.fit(X).fit_result_.history[0] == pytest.approx(first, rel=1e-12)

    @quiet
    def test_without_it_each_fit_starts_anew(self, make_clusters):
        X = make_clusters(spread=0.5).X
        model = GaussianMixture(2, max_iter=2, random_state=0)
        first = model.fit(X).means_.copy()
        assert_array_equal(model.fit(X).means_, first)

    def test_other_rows_continue_from_the_old_mixture(self, make_clusters):
        data = make_clusters(n=600)
        model = GaussianMixture(2, warm_start=True, random_state=0, init_params="kmeans").fit(data.X[:300])
        old = model.mixture_
        model.fit(data.X[300:])
        assert_allclose(model.fit_result_.history[0], old.log_prob(data.X[300:]).mean(), rtol=1e-10)

    @pytest.mark.parametrize("change", [{"n_components": 3}, {"covariance_type": "diag"}])
    def test_changed_parameters_are_honoured(self, make_clusters, change):
        X = make_clusters(k=3).X
        model = (
            GaussianMixture(2, warm_start=True, random_state=0, init_params="kmeans")
            .fit(X)
            .set_params(**change)
            .fit(X)
        )
        assert model.mixture_.n_components == model.n_components
        assert model.mixture_.covariance_type == model.covariance_type
        assert model.covariances_.shape == model.mixture_.structure.shape(model.n_components, 2)


class TestVerbose:
    def test_silence_is_the_default(self, make_clusters, capsys):
        GaussianMixture(2, n_init=2, random_state=0, init_params="kmeans").fit(make_clusters().X)
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize("name", NAMES)
    def test_one_says_which_start_and_iteration(self, make_clusters, capsys, name):
        X = make_clusters(name).X
        model = GaussianMixture(
            2,
            covariance_type=name,
            n_init=2,
            random_state=0,
            verbose=1,
            verbose_interval=1,
            init_params="kmeans",
        )
        model.fit(X)
        out = capsys.readouterr().out
        assert "Initialization 0\n" in out and "Initialization 1\n" in out
        assert "  Iteration 1\n" in out and f"  Iteration {model.n_iter_}\n" in out
        assert "onverged" in out

    def test_two_adds_the_change_of_the_likelihood(self, make_clusters, capsys):
        X = make_clusters(spread=1.0).X
        model = GaussianMixture(2, random_state=0, verbose=2, verbose_interval=1, init_params="kmeans").fit(X)
        changes = re.findall(r"ll change (\S+)", capsys.readouterr().out)
        assert len(changes) == model.n_iter_
        # nothing precedes the first iteration
        assert_allclose([float(change) for change in changes[1:]], np.diff(model.lower_bounds_), atol=1e-5)

    def test_the_interval_thins_the_lines(self, make_clusters, capsys):
        X = make_clusters(spread=0.5).X
        model = GaussianMixture(
            2, tol=1e-6, max_iter=500, random_state=0, verbose=1, verbose_interval=10, init_params="kmeans"
        ).fit(X)
        iterations = re.findall(r"Iteration (\d+)", capsys.readouterr().out)
        assert [int(i) for i in iterations] == list(range(10, model.n_iter_ + 1, 10))


class TestRandomState:
    def test_the_same_seed_gives_the_same_bits(self, make_clusters):
        X = make_clusters(k=3, spread=1.0).X
        for init_params in ("kmeans", "k-means++", "random", "random_from_data"):
            fits = [
                GaussianMixture(3, init_params=init_params, n_init=2, random_state=4, max_iter=500).fit(X)
                for _ in range(2)
            ]
            assert_array_equal(fits[0].means_, fits[1].means_)
            assert fits[0].lower_bounds_ == fits[1].lower_bounds_

    @quiet
    def test_another_seed_gives_another_start(self, make_clusters):
        X = make_clusters(k=3, spread=1.0).X
        means = [
            GaussianMixture(3, init_params="random_from_data", random_state=s, max_iter=0).fit(X).means_
            for s in range(3)
        ]
        assert not np.allclose(means[0], means[1]) and not np.allclose(means[1], means[2])

    @quiet
    def test_a_random_state_instance_goes_on(self, make_clusters):
        X = make_clusters(k=3, spread=1.0).X
        model = GaussianMixture(
            3, init_params="random_from_data", random_state=np.random.RandomState(0), max_iter=0
        )
        assert not np.allclose(model.fit(X).means_, model.fit(X).means_)

    def test_the_global_state_is_not_reseeded(self, make_clusters):
        X = make_clusters().X
        np.random.seed(0)  # noqa: NPY002
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        GaussianMixture(2, random_state=0, init_params="kmeans").fit(X).sample(5)
        assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


class TestSample:
    @pytest.mark.parametrize("name", NAMES)
    def test_draws_follow_the_mixture(self, make_clusters, name):
        model = GaussianMixture(3, covariance_type=name, random_state=0, init_params="kmeans").fit(
            make_clusters(name, k=3, spread=3.0).X
        )
        X, labels = model.sample(20000)
        assert X.shape == (20000, 2) and labels.shape == (20000,)
        assert_allclose(np.bincount(labels) / 20000, model.weights_, atol=0.015)
        mixture = model.mixture_
        for k, (mean, covariance) in enumerate(zip(mixture.means, mixture.dense_covariances, strict=True)):
            rows = X[labels == k]
            deviation = np.sqrt(np.diagonal(covariance))
            assert_allclose(rows.mean(axis=0), mean, atol=5.0 * deviation.max() / math.sqrt(len(rows)))
            scale = np.outer(deviation, deviation)
            assert_allclose(np.cov(rows.T) / scale, covariance / scale, atol=0.1)

    def test_each_call_draws_afresh_yet_reproducibly_after_a_fit(self, make_clusters):
        X = make_clusters().X
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(X)
        first, second = model.sample(10), model.sample(10)
        assert not np.isclose(first[0], second[0]).any()
        model.fit(X)
        assert_array_equal(model.sample(10)[0], first[0])
        assert_array_equal(model.sample(10)[0], second[0])

    def test_without_a_seed_fits_draw_differently(self, make_clusters):
        X = make_clusters().X
        assert not np.isclose(
            GaussianMixture(2, init_params="kmeans").fit(X).sample(5)[0],
            GaussianMixture(2, init_params="kmeans").fit(X).sample(5)[0],
        ).any()

    def test_sampling_does_not_change_the_next_fit(self, make_clusters):
        X = make_clusters(k=3, spread=1.0).X
        model = GaussianMixture(3, random_state=0, init_params="kmeans").fit(X)
        means = model.means_.copy()
        model.sample(100)
        assert_array_equal(model.fit(X).means_, means)

    def test_any_number_of_rows(self, make_clusters):
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(make_clusters(d=3).X)
        for n in (1, 2, 3, 17, 100):
            X, labels = model.sample(n)
            assert X.shape == (n, 3) and labels.shape == (n,)
        with pytest.raises(ValueError, match="Invalid value for 'n_samples'"):
            model.sample(0)


class TestCriteria:
    def test_parameter_counts(self):
        X = np.random.default_rng(0).normal(size=(50, 5))
        expected = {"spherical": 13, "diag": 21, "tied": 26, "full": 41}  # k = 2, d = 5
        for name, count in expected.items():
            model = GaussianMixture(
                2, covariance_type=name, random_state=0, max_iter=500, init_params="kmeans"
            ).fit(X)
            assert model.mixture_.n_parameters == count
            total = model.score(X) * 50
            assert_allclose(model.bic(X), count * math.log(50) - 2 * total, rtol=1e-12)
            assert_allclose(model.aic(X), 2 * count - 2 * total, rtol=1e-12)
            assert_allclose(
                [model.fit_result_.bic, model.fit_result_.aic], [model.bic(X), model.aic(X)], rtol=1e-10
            )

    def test_one_normal_in_one_dimension_is_the_same_in_every_family(self):
        X = np.random.default_rng(0).normal(size=(100, 1))
        bics = [GaussianMixture(1, covariance_type=name).fit(X).bic(X) for name in NAMES]
        assert_allclose(bics, bics[0], rtol=1e-12)

    def test_near_the_entropy_of_one_normal(self):
        n, d = 200, 3
        X = np.random.default_rng(0).normal(size=(n, d))
        entropy = 0.5 * (np.linalg.slogdet(np.cov(X.T, bias=True))[1] + d * (1 + math.log(2 * math.pi)))
        for name in NAMES:
            model = GaussianMixture(
                2, covariance_type=name, random_state=0, max_iter=500, init_params="kmeans"
            ).fit(X)
            p = model.mixture_.n_parameters
            assert abs(model.aic(X) - 2 * n * entropy - 2 * p) / n < d / math.sqrt(n)
            assert abs(model.bic(X) - 2 * n * entropy - math.log(n) * p) / n < d / math.sqrt(n)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_score_is_the_mean_of_score_samples(self, make_clusters, dtype):
        X = make_clusters(dtype=dtype).X
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(X)
        samples = model.score_samples(X)
        assert samples.dtype == dtype and samples.shape == (len(X),)
        assert type(model.score(X)) is float
        assert_allclose(model.score(X), samples.mean(), rtol=1e-12 if dtype == np.float64 else 1e-6)
