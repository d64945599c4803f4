"""The search over models: what is chosen and why, what is shared, and what users ask of its table."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

import gaussmix
from gaussmix import GaussianMixture, search
from gaussmix.datasets import load_faithful
from gaussmix.errors import FitError
from gaussmix.fit.result import FitStatus
from gaussmix.select.criteria import CRITERIA, find_criterion
from gaussmix.select.many_rows import FEW_ROWS

X, NAMES = load_faithful()
FAMILIES = ["EII", "EEE", "VVV"]


@pytest.fixture(scope="module")
def found():
    return search(X, range(1, 5), covariance_type=FAMILIES, feature_names=NAMES)


def draw_clusters(n, d=3, k=4, seed=0, apart=6.0):
    rng = np.random.default_rng(seed)
    means = apart * np.array([[np.cos(j), np.sin(j), j, *np.zeros(d)][:d] for j in 2 * np.arange(k)])
    labels = rng.choice(k, n)
    return means[labels] + rng.normal(size=(n, d)), labels


def test_the_fits_are_those_of_fit_mixtures(found):
    others = gaussmix.fit_mixtures(X, range(1, 5), covariance_type=FAMILIES)
    assert list(found.fits) == list(others.fits)
    for key, fit in others.fits.items():
        assert found.fits[key].log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)


def test_criteria_are_their_formulas(found):
    for key, fit in found.fits.items():
        mixture, n = fit.mixture, len(X)
        log_likelihood = mixture.log_prob(X).sum()
        doubt = -np.log(mixture.responsibilities(X).max(axis=1)).sum()
        bic = mixture.n_parameters * np.log(n) - 2.0 * log_likelihood
        assert found.measure("bic")[key] == pytest.approx(bic, abs=1e-6)
        assert found.measure("aic")[key] == pytest.approx(
            2 * mixture.n_parameters - 2 * log_likelihood, abs=1e-6
        )
        assert found.measure("icl")[key] == pytest.approx(bic + 2.0 * doubt, abs=1e-6)


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_says_where_it_is_from(name):
    criterion = find_criterion(name)
    assert "log" in criterion.formula and any(char.isdigit() for char in criterion.reference)


@pytest.mark.parametrize(
    ("criterion", "best", "value"), [("bic", ("EEE", 3), 2314.32), ("icl", ("VVE", 2), 2320.76)]
)
def test_old_faithful_as_in_mclust(criterion, best, value):
    """R: data(faithful); summary(mclustBIC(faithful)), summary(mclustICL(faithful)), mclust 6.0.0."""
    result = search(X, criterion=criterion)
    assert result.best_model == best
    assert result.scores[best] == pytest.approx(value, abs=0.3)


def test_iris_as_in_mclust():
    """R: summary(mclustBIC(iris[, 1:4])): VEV,2 at -561.7285, VEV,3 at -562.5522."""
    result = search(load_iris().data)
    assert result.best_model == ("VEV", 2)
    assert result.scores["VEV", 2] == pytest.approx(561.73, abs=0.2)
    assert "3 groups (VEV) are almost as good" in result.verdict()[1]


def test_the_words_are_those_of_grid_search(found):
    theirs = GridSearchCV(GaussianMixture(random_state=0), {"n_components": [1, 2]}, cv=3).fit(X)
    ours = {"params", "param_n_components", "mean_test_score", "rank_test_score", "mean_fit_time"}
    assert ours <= set(theirs.cv_results_) and ours <= set(found.cv_results_)
    assert found.best_score_ == -found.best.bic
    assert found.cv_results_["params"][found.best_index_] == found.best_params_
    assert found.cv_results_["rank_test_score"][found.best_index_] == 1
    GaussianMixture(**found.best_params_, random_state=0).fit(X)


def test_the_table_goes_into_any_data_frame(found):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(found.cv_results_)
    assert len(frame) == len(pytest.importorskip("polars").DataFrame(found.cv_results_)) == 12
    assert frame["weight"].sum() == pytest.approx(1.0)
    best = frame.loc[found.best_index_]
    assert best["difference"] == 0.0 and best["bic"] == pytest.approx(found.best.bic)
    assert (frame["mean_fit_time"] > 0.0).all()
    weights = np.exp(-0.5 * (frame["bic"] - frame["bic"].min()))
    assert np.allclose(frame["weight"], weights / weights.sum())


def test_what_collapses_has_no_score_and_a_reason():
    rows = np.repeat([[0.0, 0.0], [1.0, 2.0], [5.0, 1.0], [4.0, 4.0]], 6, axis=0)
    rows[:12] += np.random.default_rng(0).normal(size=(12, 2))
    result = search(rows, range(1, 4), covariance_type=["EII", "VVV"])
    table = result.cv_results_
    without = np.isnan(table["mean_test_score"])
    assert without.any() and (table["reason"][without] != "").all()
    assert (table["rank_test_score"][without] > table["rank_test_score"].min()).all()
    assert "x" in repr(result.criterion_table()).split()


def test_a_fit_that_the_least_variance_decides_does_not_win():
    """Rounded to whole minutes, the eruptions of Old Faithful repeat; a component on one value has no bound."""
    result = search(np.round(X), range(1, 6))
    assert not result.best.held and not result.best.collapsed
    held = [key for key, fit in result.fits.items() if fit.held]
    assert held and all(key not in result.scores for key in held)
    assert min(result.fits.values(), key=lambda fit: fit.bic).held


def test_more_components_than_rows_are_skipped():
    result = search(X[:4], range(1, 7), covariance_type="EII")
    assert [key[1] for key in result.skipped] == [5, 6]
    assert "4 rows" in result.skipped["EII", 5]


def test_weights_are_copies():
    weights = np.r_[np.full(60, 2.0), np.zeros(40), np.ones(40)]
    one = search(X[:140], range(1, 4), covariance_type=FAMILIES, sample_weight=weights)
    copies = search(np.concatenate([X[:60], X[:60], X[100:140]]), range(1, 4), covariance_type=FAMILIES)
    for key, fit in copies.fits.items():
        if key[1] == 1:
            assert one.fits[key].bic == pytest.approx(fit.bic, abs=1e-6)
            assert one.fits[key].icl == pytest.approx(fit.icl, abs=1e-6)
    assert one.best.n_samples == 160.0


@pytest.mark.parametrize(
    "options",
    [
        {"noise": True},
        {"trim": 0.05},
        {"prior": "mclust"},
        {"constraints": gaussmix.Constraints(min_weight=0.2)},
    ],
)
def test_options_of_the_model_hold_for_every_cell(options):
    result = search(X, [1, 2, 3], covariance_type=["EEI", "VVV"], random_state=0, **options)
    assert len(result.fits) == 6
    for (name, k), fit in result.fits.items():
        alone = gaussmix.fit_mixture(
            X,
            k,
            covariance_type=name,
            init_params="agglomerative",
            tol=1e-5,
            max_iter=1000,
            random_state=np.random.RandomState(0).randint(2**31),
            **options,
        )
        assert fit.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-6)
        assert (fit.mixture.noise is not None) == bool(options.get("noise"))
        assert (fit.kept is not None) == bool(options.get("trim"))
        assert fit.doubt is not None and fit.doubt >= 0.0


def test_constraints_that_a_number_cannot_meet_skip_it():
    result = search(X, [2, 6], covariance_type="EEI", constraints=gaussmix.Constraints(min_weight=0.3))
    assert list(result.fits) == [("EEI", 2)] and "min_weight" in result.skipped["EEI", 6]


def test_one_feature_has_two_families():
    result = search(X[:, :1], range(1, 4))
    assert result.criterion_table().families == ("E", "V")


def test_cross_validation_holds_rows_out():
    result = search(X, [1, 2, 3], covariance_type=["EII", "VVV"], criterion="cv", cv=KFold(4), random_state=0)
    folds = list(KFold(4).split(X))
    rest, fold = folds[1]
    fit = search(X[rest], [1, 2, 3], covariance_type=["EII", "VVV"]).fits["VVV", 2]
    assert result.held_out["VVV", 2][1] == pytest.approx(fit.mixture.log_prob(X[fold]).mean(), abs=1e-5)
    assert result.best_model == ("VVV", 2)
    table = result.cv_results_
    assert {"split0_test_score", "split3_test_score", "std_test_score", "standard_error"} <= set(table)
    assert np.isnan(table["weight"]).all()


def test_the_simplest_within_one_standard_error_is_chosen(found):
    scores = {
        ("EII", 1): (-5.0, -5.2),
        ("EEE", 2): (-4.0, -4.1),
        ("VVV", 2): (-3.9, -4.1),
        ("VVV", 3): (-3.8, -4.3),
    }
    result = dataclasses.replace(found, criterion_name="cv", held_out=scores)
    assert max(result.scores, key=result.scores.get) == ("VVV", 2)
    assert result.best_model == ("EEE", 2)  # worse by 0.05 +- 0.05
    assert result.best_score_ == pytest.approx(-4.05)


def test_a_fold_without_a_sound_fit_counts_against_the_model(found):
    scores = {("EEE", 2): (-4.0, -4.1), ("VVV", 2): (-3.0, np.nan)}
    result = dataclasses.replace(found, criterion_name="cv", held_out=scores)
    assert list(result.scores) == [("EEE", 2)]


def test_progress_and_its_end():
    seen = []
    whole = search(X, [1, 2], covariance_type=FAMILIES, on_progress=lambda now: seen.append(now))
    assert list(dict.fromkeys((now.done, now.of) for now in seen)) == [(0, 6), (2, 6), (4, 6), (6, 6)]
    assert seen[-1].mean_log_likelihood == whole.best.mean_log_likelihood
    assert "best so far {} with {}".format(*whole.best_model) in str(seen[-1])
    shares = [now.share for now in seen]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0.0, 1.0)
    result = search(X, [1, 2], covariance_type=FAMILIES, on_progress=lambda now: now.done == 2)
    assert list(result.fits) == [("EII", 1), ("EII", 2)]
    assert all(fit.converged for fit in result.fits.values())
    assert all("interrupted" in reason for reason in result.skipped.values())


def test_the_same_seed_gives_the_same_bits():
    rows, _ = draw_clusters(FEW_ROWS + 500)
    one, other = (search(rows, [2, 3], covariance_type=["VVV", "EEI"], random_state=3) for _ in range(2))
    assert all(fit.history == other.fits[key].history for key, fit in one.fits.items())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criterion": "waic"}, "criterion must be one of bic, aic, icl, cv"),
        ({"covariance_type": ["VVV", "XXX"]}, "covariance_type must be one of"),
        ({"covariance_type": []}, "covariance_type must be one name or several"),
        ({"n_components": []}, "n_components must be one number or several"),
        ({"n_components": 0}, "n_components must be a whole number"),
        ({"init_params": "nowhere"}, "init_params must be one of"),
        ({"n_components": 300}, "n_samples >= n_components"),
        ({"criterion": "cv", "cv": StratifiedKFold(3)}, "cv must be a number of folds or a splitter of rows"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        search(X, **({"n_components": [1, 2]} | options))


class TestManyRows:
    rows, labels = draw_clusters(FEW_ROWS + 3000)

    def test_the_truth_is_chosen_and_little_is_fitted(self):
        result = search(self.rows, range(1, 8), covariance_type=["EII", "EEE", "VVV"], random_state=0)
        assert result.best_model == ("EII", 4)
        assert ("VVV", 1) in result.skipped and "cannot win" in result.skipped["VVV", 1]
        assert {("EII", k) for k in range(1, 8)} | {("EEE", 4), ("VVV", 4)} <= set(result.fits)
        assert result.keys == [(name, k) for name in ("EII", "EEE", "VVV") for k in range(1, 8)]
        assert "." in repr(result.criterion_table()).split()

    def test_complete_fits_all_and_as_well_as_by_itself(self):
        result = search(self.rows, range(1, 7), covariance_type="VVV", complete=True, random_state=0)
        assert not result.skipped
        for (name, k), fit in result.fits.items():
            alone = gaussmix.fit_mixture(
                self.rows, k, covariance_type=name, init_params="kmeans", random_state=0
            )
            assert fit.mean_log_likelihood > alone.mean_log_likelihood - 2e-3
        likelihoods = [fit.mean_log_likelihood for fit in result.fits.values()]
        assert all(after > before - 1e-3 for before, after in itertools.pairwise(likelihoods))

    def test_no_skipped_model_would_have_won(self):
        options = {"n_components": range(1, 7), "random_state": 1}
        rows = self.rows[:, :2]
        quick, whole = (search(rows, complete=complete, **options) for complete in (False, True))
        assert quick.best_model == whole.best_model
        assert quick.skipped and set(quick.skipped) < set(whole.fits)

    def test_labels_of_the_chosen_fit(self):
        model = GaussianMixture("auto", covariance_type=["EII", "VVV"], random_state=0).fit(self.rows)
        assert adjusted_rand_score(model.predict(self.rows), self.labels) > 0.98


class TestEstimator:
    def test_parameters_stay_as_they_are(self):
        model = GaussianMixture("auto", covariance_type="auto", random_state=0).fit(X)
        assert (model.n_components, model.covariance_type) == ("auto", "auto")
        assert (model.n_components_, model.covariance_type_) == (3, "EEE")
        assert model.search_.best.mixture is model.mixture_
        assert model.bic(X) == pytest.approx(model.search_.best.bic)
        assert model.icl(X) == pytest.approx(model.search_.best.icl)

    def test_every_fit_says_its_model_and_forgets_the_search(self):
        model = GaussianMixture("auto", random_state=0).fit(X)
        assert model.covariance_type_ == "full" and len(model.search_.fits) == 9
        model.set_params(n_components=2).fit(X)
        assert model.n_components_ == 2 and not hasattr(model, "search_")

    def test_edits_after_a_search(self):
        model = GaussianMixture([1, 2], covariance_type=["VVV", "EEE"], random_state=0).fit(X)
        model.means_ = model.means_ + 1.0
        assert np.allclose(model.mixture_.means, model.means_)

    def test_attributes_without_a_family(self):
        model = GaussianMixture(2, covariance_type="auto")
        model.weights_, model.means_ = np.full(2, 0.5), np.zeros((2, 2))
        model.covariances_ = np.stack([np.eye(2)] * 2)
        with pytest.raises(ValueError, match="says nothing of the shape"):
            model.predict(X)

    def test_scikit_learns_model(self):
        model = GaussianMixture("auto", covariance_type=["VVI"], random_state=0).fit(X)
        theirs = model.to_sklearn()
        assert theirs.n_components == model.n_components_ and theirs.covariance_type == "diag"
        with pytest.raises(ValueError, match="fit first"):
            GaussianMixture("auto").to_sklearn()

    @pytest.mark.parametrize("options", [{"means_init": [[1.0, 2.0]]}, {"weights_init": [1.0]}])
    def test_starts_are_of_one_model(self, options):
        with pytest.raises(ValueError, match="cannot be used where the number of components"):
            GaussianMixture("auto", **options).fit(X)

    def test_few_rows(self):
        model = GaussianMixture("auto", covariance_type="diag").fit(X[:3])
        assert model.n_components_ <= 3
        with pytest.raises(NotFittedError):
            GaussianMixture("auto").predict(X)

    def test_verbose(self, capsys):
        GaussianMixture([1, 2], covariance_type=["VVV", "EEE"], verbose=1, verbose_interval=2).fit(X)
        out = capsys.readouterr().out
        assert "search: model 4 of 4, best log-likelihood" in out and "best so far" in out

    def test_callbacks_see_models(self):
        callback = pytest.importorskip("sklearn.callback")

        class Count:
            def __init__(self):
                self.names = []

            def setup(self, estimator, context):
                self.names.append("setup")

            def teardown(self, estimator, context):
                self.names.append("teardown")

            def on_fit_task_begin(self, estimator, context, **more):
                pass

            def on_fit_task_end(self, estimator, context, **more):
                self.names.append(context.task_name)

        count = Count()
        assert isinstance(count, callback.FitCallback)
        GaussianMixture([1, 2], covariance_type=["VVV", "EEE"]).set_callbacks(count).fit(X)
        assert count.names == ["setup", *["model"] * 4, "fit", "teardown"]
        count.names.clear()
        model = GaussianMixture(2, random_state=0).set_callbacks(count).fit(X)
        assert count.names[0] == "setup" and count.names[-2:] == ["fit", "teardown"]
        assert "iteration" in count.names and model.converged_


class TestVerdict:
    def test_one_group(self):
        rows = np.random.default_rng(0).normal(size=(200, 2))
        first, second = search(rows, range(1, 5)).verdict()[:2]
        assert first == "The 200 rows look like one group."
        assert second.startswith("The evidence for that number is")

    def test_clear_groups(self):
        rows, _ = draw_clusters(600)
        sentences = search(rows, range(1, 8)).verdict()
        assert sentences[0].startswith("The 600 rows fall into 4 groups")
        assert "very strong" in sentences[1] and "over 100 times" in sentences[1]
        assert "lie apart" in sentences[2]

    def test_the_largest_number_is_a_caution(self):
        rows, _ = draw_clusters(600)
        assert any("More groups may be better still" in each for each in search(rows, [1, 2, 3]).verdict())

    def test_noise(self):
        result = search(X, [2], covariance_type="VVV", noise=0.1, random_state=0)
        assert "that fit in none" in result.verdict()[0]

    def test_stability(self, found):
        class Stability:
            chosen = [("EEE", 3)] * 4 + [("VVV", 2)] * 5 + [("EII", 4)]

        sentences = found.verdict(Stability())
        assert sentences[2] == "Of 10 resamples of the rows 4 lead to the same number, 5 to 2, 1 to 4."
        assert len(sentences) == len(found.verdict()) + 1

    def test_nothing_sound(self, found):
        broken = {
            key: dataclasses.replace(fit, status=FitStatus.DEGENERATE) for key, fit in found.fits.items()
        }
        result = dataclasses.replace(found, fits=broken)
        with pytest.raises(FitError):
            result.verdict()
        assert "No model is sound." in repr(result.criterion_table())
        assert result.cv_results_["status"].tolist() == ["collapsed"] * 12


def test_icl_of_a_fit_needs_rows():
    result = gaussmix.fit_mixture(X, 2, random_state=0)
    with pytest.raises(ValueError, match="GaussianMixture.icl"):
        _ = result.icl
