"""Progress: what is shown says how far the work is, changes no bit of it, and stops it with the best so far."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import gaussmix
from gaussmix import FitStatus, GaussianMixture, Progress, ProgressPrinter, fit_mixture
from gaussmix._progress import FIRST_LINE, NEXT_LINE, TimeLeft, write_progress, write_seconds
from gaussmix.datasets import load_faithful
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.race.showing import RACE
from gaussmix.select.many_rows import FEW_ROWS
from tests.helpers import random_mixture

FAITHFUL = load_faithful()[0]


def overlapping(n, k=6, d=3, seed=0):
    """Rows on which starts end in different places, so that a race goes its whole way."""
    rng = np.random.default_rng(seed)
    return random_mixture("full", k, d, rng, spread=1.5).sample(n, rng)[0]


#: A race over all rows, with joining starts and moves; one over a sample; one with a prior; factor analysers.
RACES = {
    "all rows": (overlapping(600), 6, {}),
    "a sample": (overlapping(6000), 6, {}),
    "several times": (overlapping(400), 5, {"n_init": 2}),
    "a prior": (overlapping(400), 4, {"prior": "mclust"}),
    "factors": (overlapping(400, d=5), 3, {"covariance_type": "factor"}),
    "constant column": (np.column_stack([overlapping(400), np.ones(400)]), 4, {}),
    "one feature": (overlapping(400, d=1), 4, {}),
}


def watch_fit(X, k, stop=lambda progress: False, **options):
    seen = []
    result = fit_mixture(X, k, random_state=0, on_progress=lambda p: seen.append(p) or stop(p), **options)
    return result, seen


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


# --- what is shown -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", RACES)
def test_a_callback_changes_no_bit(what):
    X, k, options = RACES[what]
    plain = fit_mixture(X, k, random_state=0, **options)
    watched, seen = watch_fit(X, k, **options)
    assert watched.history == plain.history and watched.starts == plain.starts
    assert_array_equal(watched.mixture.means, plain.mixture.means)
    assert_array_equal(watched.mixture.covariances, plain.mixture.covariances)
    assert [p.stage for p in seen if p.stage == RACE]


@pytest.mark.parametrize("what", ["all rows", "a sample", "several times"])
def test_a_race_says_how_far_it_is(what):
    X, k, options = RACES[what]
    result, seen = watch_fit(X, k, **options)
    race = [p for p in seen if p.stage == RACE and p.done]
    assert len(race) > 50, "or the race ended at once, and this tests little"
    assert all(0 <= p.done <= p.of and not p.has_bound for p in race)
    shares = [p.share for p in race if not math.isnan(p.share)]  # a plan may be used up
    assert all(0.0 <= share < 1.0 for share in shares) and max(shares) > 0.5 > shares[0]
    if what != "a sample":  # where the last part is over other rows
        likelihoods = [p.mean_log_likelihood for p in race]
        assert likelihoods == sorted(likelihoods)
        assert max(likelihoods) <= result.mean_log_likelihood + 1e-9
    stages = list(dict.fromkeys(p.stage for p in seen))
    assert stages == [
        "measuring the rows",
        "start from k-means",
        "EM from k-means",
        RACE,
        "EM from the winner",
    ]


def test_stages_of_several_starts_have_their_number():
    _, seen = watch_fit(FAITHFUL, 2, init_params="random_from_data", n_init=2)
    assert list(dict.fromkeys(p.stage for p in seen))[1:] == [
        "start 1 of 2, start from random rows",
        "start 1 of 2, EM from random rows",
        "start 2 of 2, start from random rows",
        "start 2 of 2, EM from random rows",
    ]


def test_likelihoods_of_a_race_are_those_of_all_columns():
    X, k, _ = RACES["constant column"]
    result, seen = watch_fit(X, k)
    race = [p.mean_log_likelihood for p in seen if p.stage == RACE and p.done]
    assert abs(max(race) - result.mean_log_likelihood) < 0.5


@pytest.mark.parametrize("n", [300, FEW_ROWS + 500])
@pytest.mark.parametrize("options", [{}, {"noise": True}, {"criterion": "cv", "cv": 3}])
def test_a_search_is_the_same_with_a_callback(n, options):
    X, seen = overlapping(n, k=3), []
    asked = {"covariance_type": ["EEE", "VVV"], "random_state": 0, **options}
    plain = gaussmix.search(X, [1, 3], **asked)
    watched = gaussmix.search(X, [1, 3], **asked, on_progress=lambda p: seen.append(p))
    assert plain.best_model == watched.best_model and plain.held_out == watched.held_out
    assert all(fit.history == watched.fits[key].history for key, fit in plain.fits.items())
    models = [p for p in seen if p.unit == "model"]
    assert models[0].done == 0 and (models[-1].done, models[-1].of) == (4, 4)
    shares = [p.share for p in models]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    if options.get("criterion") == "cv":
        assert {p.stage for p in models} == {"search", *(f"search, fold {i} of 3" for i in (1, 2, 3))}


def test_fits_of_many_models():
    seen = []
    asked = {"covariance_type": ["EEE", "VVV"], "random_state": 0}
    plain = gaussmix.fit_mixtures(FAITHFUL, [2, 3], **asked)
    watched = gaussmix.fit_mixtures(FAITHFUL, [2, 3], **asked, on_progress=lambda p: seen.append(p))
    assert all(fit.history == watched.fits[key].history for key, fit in plain.fits.items())
    assert (seen[-1].stage, seen[-1].done, seen[-1].of) == ("fits", 4, 4)
    stopped = gaussmix.fit_mixtures(FAITHFUL, [2, 3], **asked, on_progress=lambda p: p.done == 2)
    assert list(stopped.fits) == [("EEE", 2), ("EEE", 3)] and set(stopped.failures) == {
        ("VVV", 2),
        ("VVV", 3),
    }


def test_a_descent_and_a_test_of_components():
    seen = []
    gaussmix.fit_message_length(FAITHFUL, 6, random_state=0, on_progress=lambda p: seen.append(p))
    assert {p.note for p in seen} >= {"6 components", "1 component"}
    assert [p.share for p in seen] == sorted(p.share for p in seen)
    seen.clear()
    options = {"max_components": 3, "n_resamples": 19, "random_state": 0, "n_jobs": 1}
    gaussmix.bootstrap_lrt(FAITHFUL, "EEE", **options, on_progress=lambda p: seen.append(p))
    assert (seen[0].stage, seen[0].done, seen[0].of) == ("1 against 2 components", 0, 19)


# --- stops -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", RACES)
def test_a_fit_may_be_stopped_anywhere(what):
    """The result is never lower than what was done before, and nothing goes on for long."""
    X, k, options = RACES[what]
    _, every = watch_fit(X, k, **options)
    known = fit_mixture(X, k, random_state=0, **{**options, "init_params": "kmeans", "n_init": 1})
    for at in np.unique(np.linspace(0, len(every) - 1, 12).astype(int)):
        count = 0

        def stop(progress, at=at):
            nonlocal count
            count += 1
            return count > at

        result, seen = watch_fit(X, k, stop, **options)
        assert result.status == FitStatus.INTERRUPTED and len(seen) == at + 1
        if every[at].stage in (RACE, "EM from the winner"):
            assert result.objective[-1] >= known.objective[-1] - 1e-9


def test_nothing_of_the_race_is_shown_after_a_stop():
    """A stop is taken within an iteration: of a long race no more than a handful of passes follow."""
    X, k, options = RACES["all rows"]
    passes, original = [], LocalEngine.accumulate_groups

    def count(self, mixture, *arguments, **more):
        passes.append(1)
        return original(self, mixture, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalEngine, "accumulate_groups", count)
        _, every = watch_fit(X, k, **options)
        whole = len(passes)
        passes.clear()
        race = [place for place, p in enumerate(every) if p.stage == RACE and p.done]
        middle = race[len(race) // 4]
        at = 0

        def stop(progress):
            nonlocal at
            at += 1
            if at == middle:
                passes.clear()
            return at >= middle

        watch_fit(X, k, stop, **options)
    assert len(passes) <= 2 < whole


@pytest.mark.parametrize("what", ["all rows", "a sample", "several times"])
def test_a_stopped_race_is_run_again_from_a_checkpoint(tmp_path, what):
    X, k, options = RACES[what]
    whole, every = watch_fit(X, k, **options)
    places = [place for place, p in enumerate(every) if p.stage == RACE]
    for at in (places[0], places[1], places[len(places) // 2], places[-1]):
        path, count = tmp_path / f"{at}.gm", 0

        def stop(progress, at=at):
            nonlocal count
            count += 1
            return count > at

        cut, _ = watch_fit(X, k, stop, checkpoint=path, **options)
        assert cut.status == FitStatus.INTERRUPTED
        gone_on = fit_mixture(X, k, random_state=0, resume=path, **options)
        assert gone_on.history == whole.history and gone_on.starts == whole.starts
        assert_array_equal(gone_on.mixture.means, whole.mixture.means)


@pytest.mark.parametrize("n", [300, FEW_ROWS + 500])
@pytest.mark.parametrize("options", [{}, {"noise": True}, {"criterion": "cv", "cv": 4}])
def test_a_search_may_be_stopped_anywhere(n, options):
    X, every = overlapping(n, k=3), []
    asked = {"covariance_type": ["EEE", "VVV"], "random_state": 0, **options}
    whole = gaussmix.search(X, [1, 3], **asked, on_progress=lambda p: every.append(p))
    for at in np.unique(np.linspace(0, len(every) - 1, 4 if "cv" in options else 9).astype(int)):
        seen = []
        result = gaussmix.search(
            X, [1, 3], **asked, on_progress=lambda p, seen=seen, at=at: seen.append(p) or len(seen) > at
        )
        assert len(seen) == at + 1
        assert result.best.mixture.n_components in (1, 3)  # there is always something to keep
        if options.get("criterion") == "cv":
            assert {len(folds) for folds in result.held_out.values()} <= {2, 3, 4}
        done = [key for key, fit in result.fits.items() if fit.status != FitStatus.INTERRUPTED]
        assert all(result.fits[key].history == whole.fits[key].history for key in done if n <= FEW_ROWS)


# --- lines and time ----------------------------------------------------------------------------------------


def test_lines():
    race = Progress("race of starts", "start", 12, 37, -3.21, 0.4, True)
    assert write_progress(race, 8.2) == (
        "race of starts: start 12 of at most 37, best log-likelihood -3.21000 a row; about 9 s left"
    )
    em = Progress("EM from k-means", "iteration", 5, 100, -3.21, 0.05, True)
    assert write_progress(em, 8.2).endswith("log-likelihood -3.21000 a row; at most about 9 s left")
    fold = Progress("search, fold 2 of 5", "model", 31, 126, note="VVE with 5, best so far EEE with 3")
    assert str(fold) == "search, fold 2 of 5: model 31 of 126, VVE with 5, best so far EEE with 3"
    assert str(Progress("measuring the rows", "row")) == "measuring the rows"
    assert [write_seconds(each) for each in (0.0, 99.5, 100.0, 7200.0)] == ["1 s", "100 s", "2 min", "2.0 h"]


def test_time_left_is_told_once_it_can_be_known():
    clock = Clock()
    left = TimeLeft(clock)
    assert left(Progress("a", "b", share=0.0)) is None
    clock.now = 0.9
    assert left(Progress("a", "b", share=0.5)) is None  # too early
    clock.now = 2.0
    assert left(Progress("a", "b", share=0.001)) is None  # too little
    assert left(Progress("a", "b", share=math.nan)) is None
    assert left(Progress("a", "b", share=0.25)) == pytest.approx(6.0)
    assert left(Progress("a", "b", share=1.0)) == 0.0
    clock.now = 1e7
    assert left(Progress("a", "b", share=0.02)) is None  # years
    assert left(Progress("another", "b", share=0.5)) is None
    clock.now += 2.0
    assert left(Progress("another", "b", share=0.75)) == pytest.approx(2.0)  # from where the stage began
    assert left(Progress("another", "b", share=0.75, start=2)) is None


def test_a_printer_names_a_stage_within_a_second_and_then_has_patience():
    clock, lines = Clock(), []
    show = ProgressPrinter(lines.append, clock)
    for step in range(200):  # ten seconds
        clock.now = step / 20
        assert show(Progress("race of starts", "start", step, 400, share=step / 400)) is False
    assert len(lines) == 1 + int((199 / 20 - FIRST_LINE) / NEXT_LINE)
    assert lines[0].startswith("race of starts: start 20 of 400; about ")
    assert "left" in lines[-1]
    clock.now += FIRST_LINE
    show(Progress("EM from the winner", "iteration", 1, 100))
    assert lines[-1] == "EM from the winner: iteration 1 of 100"


def test_a_printer_of_short_work_prints_nothing(capsys):
    gaussmix.bootstrap(
        FAITHFUL, fit_mixture(FAITHFUL, 2), n_resamples=2, on_progress=ProgressPrinter(clock=lambda: 0.0)
    )
    assert capsys.readouterr() == ("", "")


def test_verbose_names_the_race(capsys, monkeypatch):
    """With a clock that runs fast, each stage of a fit has lines, beside scikit-learn's."""
    clock = Clock()

    def tick():
        clock.now += 0.05
        return clock.now

    monkeypatch.setattr("gaussmix.estimators._printing.ProgressPrinter", lambda: ProgressPrinter(clock=tick))
    X, k, options = RACES["all rows"]
    model = GaussianMixture(k, random_state=0, verbose=2, **options).fit(X)
    out = capsys.readouterr().out
    assert (
        out.index("Initialization 0\n") < out.index("Initialization 1\n") < out.index("race of starts: start")
    )
    assert "a row" in out and "; about " in out and "EM from the winner" in out
    assert out.endswith(f"Converged. Mean log-likelihood {model.lower_bound_:.5f}\n")


def test_verbose_names_the_models_of_a_search(capsys, monkeypatch):
    clock = Clock()

    def tick():
        clock.now += 0.1
        return clock.now

    monkeypatch.setattr("gaussmix.estimators._printing.ProgressPrinter", lambda: ProgressPrinter(clock=tick))
    X = overlapping(FEW_ROWS + 500, k=3)
    GaussianMixture([1, 2, 3], covariance_type=["EEE", "VVV"], verbose=1, random_state=0).fit(X)
    out = capsys.readouterr().out
    assert "search: model 6 of 6, best log-likelihood" in out
    assert "iteration" in out and "best so far" in out and "left" in out


def test_silent_unless_asked(capsys):
    GaussianMixture(3, random_state=0).fit(FAITHFUL)
    GaussianMixture("auto", covariance_type="EEE").fit(FAITHFUL)
    fit_mixture(FAITHFUL, 3, on_progress=lambda progress: None)
    assert capsys.readouterr() == ("", "")
