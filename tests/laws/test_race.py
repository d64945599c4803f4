"""The start "auto": mixtures iterated together, moves of split and merge, and the race itself."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import FitStatus, GaussianMixture, fit_mixture
from gaussmix.data.rows import Rows
from gaussmix.datasets import load_faithful
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stack import em_together
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import Ridge, make_regularise
from gaussmix.fit.race import race
from gaussmix.fit.race.field import FIRST, KNOWN
from gaussmix.fit.race.moves import split_and_merge
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import find_stable_order
from tests.helpers import EXECUTORS

FAITHFUL = load_faithful()[0]


def engine_of(X, name, weights=None):
    return LocalEngine(Rows(X, weights), STRUCTURES[name])


def m_step_of(engine, reg_covar="auto"):
    regularise = make_regularise(reg_covar, engine.structure, engine)
    return Maximise(engine.structure, regularise)


def blobs(seed, k=4, d=2, n=300, apart=3.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + apart * rng.normal(size=(k, d))[rng.integers(k, size=n)]


def alone(engine, mixture, m_step, n_iter):
    run = em(engine, Run(mixture, FitStatus.NOT_RUN, ()), m_step, rule=Rule(0.0), max_iter=n_iter)
    return run.mixture, run.history[-1]


def same(one, other, rtol):
    for field in ("weights", "means", "covariances"):
        assert_allclose(getattr(one, field), getattr(other, field), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("executor", [name for name in EXECUTORS if name != "centred"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", STRUCTURES)
def test_mixtures_iterated_together_end_where_each_does_alone(name, weighted, executor, monkeypatch):
    monkeypatch.setenv("GAUSSMIX_EXECUTOR", executor)
    X = blobs(1, d=3)
    weights = np.random.default_rng(2).uniform(0.1, 3.0, len(X)) if weighted else None
    engine = engine_of(X, name, weights)
    m_step = m_step_of(engine)
    rng = np.random.default_rng(3)
    mixtures = [fit_start(engine, rng.integers(4, size=len(X)), m_step) for _ in range(5)]
    ended = em_together(engine, mixtures, m_step, max_iter=6)
    for begun, end in zip(mixtures, ended, strict=True):
        mixture, value = alone(engine, begun, m_step, 6)
        same(end.mixture, mixture, 1e-9)
        assert end.history[-1] == pytest.approx(value, rel=1e-11)


def of_spreads(*components, weights=(0.5, 0.5)):
    """A mixture of which each component is a mean and a variance."""
    means, variances = zip(*components, strict=True)
    return Mixture(weights, np.array(means), [v * np.eye(2) for v in variances], "full")


@pytest.mark.parametrize("executor", [name for name in EXECUTORS if name != "centred"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tight_component_does_not_blur_the_others_of_a_stack(executor, dtype, monkeypatch):
    """It is kept apart in its own place, whatever stands beside it."""
    monkeypatch.setenv("GAUSSMIX_EXECUTOR", executor)
    X = blobs(4).astype(dtype)
    X[:60] = X[0] + dtype(1e-4) * X[:60]
    engine = engine_of(X, "full")
    m_step = m_step_of(engine)
    Z = engine.frame.apply(X).T.astype(np.float64)
    tight = of_spreads((Z[0], 1e-9), ([0.0, 0.0], 1.0), weights=(0.2, 0.8))
    wide = of_spreads((Z[1], 1.0), (Z[2], 1.0))
    ended = em_together(engine, [wide, tight, wide], m_step, max_iter=3)
    for begun, end in zip((wide, tight, wide), ended, strict=True):
        mixture, value = alone(engine, begun, m_step, 3)
        same(end.mixture, mixture, 2e-3 if dtype == np.float32 else 1e-6)
        assert end.history[-1] == pytest.approx(value, abs=1e-3 if dtype == np.float32 else 1e-7)


def test_one_that_collapses_leaves_the_stack_and_the_others_go_on():
    X = blobs(5)
    X[:5] = X[0]
    engine = engine_of(X, "full")
    m_step = m_step_of(engine, reg_covar=0.0)
    Z = engine.frame.apply(X).T
    spike = of_spreads((Z[0], 1e-14), ([0.0, 0.0], 1.0))
    wide = of_spreads((Z[9], 1.0), (Z[7], 1.0))
    first, second, third = em_together(engine, [wide, spike, wide], m_step, max_iter=3)
    assert second.status == FitStatus.DEGENERATE
    expected = alone(engine, wide, m_step, 3)[0]
    same(first.mixture, expected, 1e-9)
    same(third.mixture, expected, 1e-9)


@pytest.mark.parametrize("name", STRUCTURES)
def test_moves_are_mixtures_of_the_family_and_mend_what_EM_cannot(name):
    """Two components in one cluster, one component over two: a local maximum that EM does not leave."""
    rng = np.random.default_rng(6)
    centres = np.array([[-12.0, 0.0], [0.0, 0.0], [4.0, 0.0], [16.0, 0.0]])
    X = np.repeat(centres, 100, axis=0) + rng.normal(size=(400, 2))
    engine = engine_of(X, name)
    m_step = m_step_of(engine)
    labels = np.repeat([0, 1, 1, 3], 100)
    labels[:100][X[:100, 1] > 0.0] = 2
    stuck, low = alone(engine, fit_start(engine, labels, m_step), m_step, 100)
    _, high = alone(engine, fit_start(engine, np.repeat([0, 1, 2, 3], 100), m_step), m_step, 100)
    moved = split_and_merge(engine, stuck, m_step)
    for mixture in moved:
        assert mixture.weights.sum() == pytest.approx(1.0)
        assert mixture.structure is STRUCTURES[name]
    best = max(run.history[-1] for run in em_together(engine, moved, m_step, max_iter=100))
    assert high > low + 0.01
    assert best > high - 1e-3


def fit_start(engine, labels, m_step):
    k = labels.max() + 1
    components = np.arange(k)[:, None]
    return m_step(engine.accumulate_given(lambda rows: (labels[rows] == components).astype(float), k), None)


def test_every_start_of_a_race_is_reported_and_none_ends_higher_than_the_fit():
    result = fit_mixture(FAITHFUL, 3, random_state=0)
    sources = [report.source for report in result.starts]
    for source, _, n in FIRST:
        assert sources.count(source) >= n
    assert sources[0] == "kmeans"
    assert KNOWN in sources
    assert sources[-1] == "auto"
    assert result.starts[-1].outcome == result.status.value
    assert all(report.mean_log_likelihood <= result.mean_log_likelihood + 1e-6 for report in result.starts)
    assert all(report.outcome for report in result.starts)


def test_the_first_start_is_that_of_kmeans_by_the_same_rules():
    for seed in range(3):
        plain = fit_mixture(FAITHFUL, 3, init_params="kmeans", random_state=seed)
        first = fit_mixture(FAITHFUL, 3, random_state=seed).starts[0]
        assert (first.source, first.n_iter) == ("kmeans", plain.n_iter)
        assert first.mean_log_likelihood == plain.mean_log_likelihood


def test_more_effort_is_never_worse_and_settled_races_end_early():
    by_effort = [
        fit_mixture(FAITHFUL, 4, init_params=effort, random_state=1)
        for effort in ("fast", "auto", "thorough")
    ]
    values = [result.mean_log_likelihood for result in by_effort]
    assert values[0] <= values[1] + 1e-3
    assert values[1] <= values[2] + 1e-3
    assert len(by_effort[0].starts) < len(by_effort[2].starts)
    settled = fit_mixture(FAITHFUL, 2, random_state=0)
    assert len(settled.starts) <= len(FIRST) + 6


def test_several_starts_are_one_race_with_a_larger_field():
    one, three = (fit_mixture(FAITHFUL, 5, n_init=n, random_state=2) for n in (1, 3))
    assert [report.source for report in three.starts].count("kmeans") < 8
    assert len(three.starts) > len(one.starts)
    assert three.mean_log_likelihood > one.mean_log_likelihood - 1e-3


def test_a_race_finds_what_a_single_start_does_not():
    single = [
        fit_mixture(FAITHFUL, 3, init_params="kmeans", random_state=s, tol=1e-8, max_iter=2000)
        for s in range(5)
    ]
    raced = [fit_mixture(FAITHFUL, 3, random_state=s).mean_log_likelihood for s in range(5)]
    assert np.median(raced) > max(r.mean_log_likelihood for r in single) + 5e-3


def test_the_same_seed_is_the_same_race():
    one, other = (fit_mixture(FAITHFUL, 4, random_state=7) for _ in range(2))
    assert one.starts == other.starts
    assert np.array_equal(one.mixture.means, other.mixture.means)


def test_a_race_on_a_sample_ends_on_all_rows():
    X = blobs(8, k=5, n=6000, apart=8.0)
    result = fit_mixture(X, 5, random_state=0)
    assert result.mixture.log_prob(X).mean() == pytest.approx(result.mean_log_likelihood, abs=1e-9)
    tight = fit_mixture(X, 5, start=result.mixture, tol=1e-9, max_iter=2000)
    assert tight.mean_log_likelihood - result.mean_log_likelihood < 1e-4


def test_an_optimum_that_says_nothing_does_not_win():
    """29 irises have petals of one width: a diagonal component on them has no bound but the floor."""
    datasets = pytest.importorskip("sklearn.datasets")
    X = datasets.load_iris().data
    for seed in range(4):
        result = fit_mixture(X, 4, covariance_type="diag", random_state=seed)
        assert result.mean_log_likelihood < -1.5
        assert (result.mixture.weights * len(X)).min() >= 5


@pytest.mark.parametrize("reg_covar", ["auto", 1e-6, 0.0])
def test_rows_of_which_there_are_few_different_ones(reg_covar):
    X = np.repeat(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]), 10, axis=0)
    try:
        result = fit_mixture(X, 3, reg_covar=reg_covar, random_state=0)
    except ValueError as error:
        assert "ill-defined" in str(error)  # noqa: PT017 (either is right without a floor)
        assert reg_covar == 0.0
    else:
        assert np.isfinite(result.mean_log_likelihood)


@pytest.mark.parametrize("name", STRUCTURES)
def test_rows_of_few_values_warn_of_nothing(name):
    """Components of equal rows collapse one after the other, in volumes beyond the range of numbers."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 3, size=(150, 2)).astype(float)
        result = fit_mixture(X, 5, covariance_type=name, sample_weight=rng.uniform(0, 2, 150), random_state=0)
        assert np.isfinite(result.mean_log_likelihood)


def test_a_race_can_be_stopped():
    seen = []

    def stop(progress):
        seen.append((progress.start, progress.iteration))
        return progress.start == 2  # behind EM from k-means

    result = fit_mixture(FAITHFUL, 3, random_state=0, on_progress=stop)
    assert result.status == FitStatus.INTERRUPTED
    assert (2, 0) in seen
    assert len([start for start, _ in seen if start == 2]) <= 3
    plain = fit_mixture(FAITHFUL, 3, random_state=0, init_params="kmeans")
    assert result.mean_log_likelihood >= plain.mean_log_likelihood


def test_other_starts_are_reported_too():
    result = fit_mixture(FAITHFUL, 2, init_params="k-means++", n_init=3, random_state=0)
    assert [report.source for report in result.starts] == ["k-means++"] * 3
    assert max(r.mean_log_likelihood for r in result.starts) == pytest.approx(result.mean_log_likelihood)
    given = fit_mixture(FAITHFUL, 2, start=result.mixture)
    assert [report.source for report in given.starts] == ["given"]


def test_part_of_the_parameters_given_is_no_race():
    model = GaussianMixture(2, means_init=FAITHFUL[:2], random_state=0).fit(FAITHFUL)
    assert len(model.fit_result_.starts) == 1


def test_needles_of_a_ridge_are_seen():
    engine = engine_of(FAITHFUL, "full")
    ridge = make_regularise(1e-6, engine.structure, engine)
    assert isinstance(ridge, Ridge)
    scale = np.diag(1.2e-6 / engine.frame.variances) if engine.frame.matrix.ndim < 2 else None
    covariance = (
        engine.structure.algebra.map_covariances(np.eye(2) * 1.2e-6, engine.frame.matrix)
        if scale is None
        else scale
    )
    mixture = Mixture(
        weights=[0.5, 0.5],
        means=np.zeros((2, 2)),
        covariances=[covariance, np.eye(2)],
        covariance_type="full",
    )
    assert ridge.find_held(mixture) == (0,)


def test_a_fit_goes_on_behind_its_race(tmp_path):
    """To the bit, and with what became of all that took part."""
    path = tmp_path / "fit.gm"
    options = {"random_state": 3, "tol": 1e-10, "max_iter": 500}
    whole = fit_mixture(FAITHFUL, 3, **options)
    cut = fit_mixture(
        FAITHFUL, 3, checkpoint=path, on_progress=lambda progress: progress.iteration == 2, **options
    )
    assert cut.status == FitStatus.INTERRUPTED
    gone_on = fit_mixture(FAITHFUL, 3, resume=path, **options)
    assert gone_on.history == whole.history
    assert gone_on.starts == whole.starts
    assert np.array_equal(gone_on.mixture.means, whole.mixture.means)


def test_heaps_are_found_and_components_that_coincide_do_not_win():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(300) < 0.6, 0.0, rng.normal(12.0, 2.0, 300))[:, None]
    for seed in range(3):
        model = GaussianMixture(2, random_state=seed).fit(x)
        assert_allclose(model.means_.ravel(), [0.0, 11.95], atol=0.01)
        assert model.score(x) > 3.0


@pytest.mark.parametrize("distance", [30.0, 1e3, 1e5, 1e8])
@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
def test_a_single_far_row_is_a_component_and_is_named(name, distance):
    rng = np.random.default_rng(1)
    X = np.vstack([rng.normal(0, 1, (125, 2)), rng.normal(8, 1, (125, 2)), [[distance, distance]]])
    model = GaussianMixture(3, covariance_type=name, random_state=0)
    if name == "tied":
        model.fit(X)
    else:
        with pytest.warns(DoubtfulFitWarning, match="Component 2 is a single row far from all others, at"):
            model.fit(X)
    labels = model.predict(X)
    assert len(set(labels[:125])) == len(set(labels[125:250])) == 1
    assert len(set(labels)) == 3
    assert_allclose(np.sort(model.weights_), [1 / 251, 125 / 251, 125 / 251], rtol=1e-6)


@pytest.mark.parametrize("fill", [99999.0, 1e9, -2147483648.0])
@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
def test_fill_values_do_not_lift_the_floor_over_the_clusters(name, fill):
    rng = np.random.default_rng(2)
    X = np.vstack([rng.normal(0, 0.9, (125, 2)), rng.normal(6, 0.9, (125, 2)), np.full((5, 2), fill)])
    model = GaussianMixture(3, covariance_type=name, random_state=0).fit(X)
    labels = model.predict(X)
    assert len(set(labels[:125])) == len(set(labels[125:250])) == 1
    assert len(set(labels)) == 3
    spreads = np.sqrt(model.mixture_.variances)
    assert (np.sort(spreads, axis=0)[1:] < 1.2).all()


def test_components_that_coincide_are_said():
    X = FAITHFUL
    mean, covariance = X.mean(axis=0), np.cov(X, rowvar=False)
    with pytest.warns(DoubtfulFitWarning, match="Components 0 and 1 coincide"):
        GaussianMixture(
            2,
            weights_init=[0.5, 0.5],
            means_init=[mean, mean],
            precisions_init=[np.linalg.inv(covariance)] * 2,
        ).fit(X)


def test_components_come_in_an_order_that_a_seed_does_not_change():
    X = blobs(3, k=4, apart=8.0)
    first = GaussianMixture(4, random_state=0).fit(X)
    assert (np.diff(first.means_[:, 0]) > 0.0).all()
    for seed in range(1, 4):
        other = GaussianMixture(4, random_state=seed).fit(X[np.random.default_rng(seed).permutation(len(X))])
        assert_allclose(other.means_, first.means_, atol=1e-2)


def test_equal_means_are_in_the_order_of_weights():
    mixture = Mixture([0.3, 0.5, 0.2], [[1.0, 0.0], [1.0 + 1e-9, 0.0], [0.0, 5.0]], [np.eye(2)] * 3, "full")
    assert find_stable_order(mixture).tolist() == [2, 1, 0]


def test_rows_too_few_for_a_general_covariance_are_said_at_once():
    X = np.random.default_rng(0).normal(size=(20, 30))
    with pytest.warns() as caught:
        GaussianMixture(2, random_state=0).fit(X)
    assert caught[0].category is DoubtfulFitWarning
    assert "20 rows of 30 features leave every covariance" in str(caught[0].message)
    assert '"diag", or "factor"' in str(caught[0].message)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["full", "tied", "diag", "EEI"])
@pytest.mark.parametrize("reg_covar", ["auto", 1e-6])
def test_constant_columns_change_nothing_of_the_others(name, reg_covar):
    X = np.insert(FAITHFUL, 1, 7.0, axis=1)
    options = {"covariance_type": name, "reg_covar": reg_covar, "random_state": 0}
    with_it, without = fit_mixture(X, 3, **options), fit_mixture(FAITHFUL, 3, **options)
    assert_allclose(with_it.mixture.means[:, [0, 2]], without.mixture.means, rtol=1e-12)
    assert_allclose(with_it.mixture.means[:, 1], 7.0)
    assert with_it.mixture.log_prob(X).mean() == pytest.approx(with_it.mean_log_likelihood, rel=1e-9)
    assert "constant or collinear" in with_it.advice
    variance = 1e-10 * 7.0**2 if reg_covar == "auto" else reg_covar
    assert_allclose(with_it.mixture.variances[:, 1], variance)


def test_a_few_equal_rows_are_a_heap_where_k_means_meets_them():
    """Twelve of a hundred rows of truth values, of which scikit-learn's start makes a component, too."""
    X = (np.random.default_rng(5).random((100, 3)) < 0.5).astype(float)
    for name in ("full", "diag", "spherical"):
        for seed in range(3):
            options = {"covariance_type": name, "random_state": seed}
            plain = fit_mixture(X, 3, init_params="kmeans", **options)
            assert fit_mixture(X, 3, **options).mean_log_likelihood > plain.mean_log_likelihood - 1e-6


@pytest.mark.parametrize("n_sound", [1, 3, 4, 5])
def test_racers_may_all_collapse_in_any_round(n_sound, monkeypatch):
    """Those that were ahead before are taken as they were: the leader of a race is never lost."""
    X, rounds = blobs(5, k=6, n=2600, apart=1.5), []
    together, single = race.em_together, race.em

    def collapse(run):
        return replace(run, status=FitStatus.DEGENERATE, collapsed=(0,))

    def iterate(*args, **options):
        rounds.append(options["max_iter"])
        runs = together(*args, **options)
        return runs if len(rounds) <= n_sound else [collapse(run) for run in runs]

    monkeypatch.setattr(race, "em_together", iterate)
    monkeypatch.setattr(race, "em", lambda *args, **options: collapse(single(*args, **options)))
    result = fit_mixture(X, 6, random_state=0, max_iter=30)
    assert len(rounds) > n_sound
    reported = "collapsed" in [report.outcome for report in result.starts]
    assert reported or n_sound == 5  # rounds of moves, of which there is no report
    assert result.mixture.log_prob(X).mean() == pytest.approx(result.mean_log_likelihood, abs=1e-9)


def test_the_history_of_a_winner_is_all_that_EM_did_for_it(tmp_path):
    """The racer's iterations come before those of the run from it, which alone max_iter bounds."""
    n_won = 0
    for seed in range(4):
        result = fit_mixture(FAITHFUL, 3, random_state=seed, tol=1e-5, max_iter=60)
        (winner,) = (report for report in result.starts if report.outcome == "the best")
        final = result.starts[-1]
        if final.mean_log_likelihood != result.mean_log_likelihood or winner.source == KNOWN:
            continue
        n_won += 1
        assert result.n_iter == winner.n_iter + final.n_iter and final.n_iter <= 60
        assert (np.diff(result.history) > -1e-12).all()
        assert result.history[winner.n_iter] == pytest.approx(winner.mean_log_likelihood, rel=1e-9)
    assert n_won
    path, options = tmp_path / "fit.gm", {"random_state": seed, "tol": 1e-10, "max_iter": 500}
    whole = fit_mixture(FAITHFUL, 3, **options)
    stop = {"on_progress": lambda progress: progress.start == 2 and progress.iteration == 1}
    cut = fit_mixture(FAITHFUL, 3, checkpoint=path, **stop, **options)
    assert cut.status == FitStatus.INTERRUPTED and len(whole.history) > len(cut.history)
    assert fit_mixture(FAITHFUL, 3, resume=path, **options).history == whole.history
