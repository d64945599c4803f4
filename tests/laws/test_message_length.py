"""The message length by its definition, that it never rises but by a death, and how many components it finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import FitStatus, Mixture, fit_message_length
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import FitError
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.covariance import KNOWN, get_structure
from gaussmix.select import descent
from gaussmix.select.descent import Code, ShortestMessage, measure_loss, remove_component
from tests.helpers import KINDS, direct_joint, random_mixture

FAMILIES = [name for name in KNOWN if name not in ("E", "V")]


def three(seed):
    """Figueiredo and Jain's first example: flat components, one above the other."""
    rng = np.random.default_rng(seed)
    means = np.array([[0.0, -2.0], [0.0, 0.0], [0.0, 2.0]])
    return means[rng.integers(3, size=900)] + rng.normal(size=(900, 2)) * np.sqrt([2.0, 0.2])


@pytest.fixture
def runs(monkeypatch):
    """Every run of EM of the fits that follow, those that ended in a death, too."""
    seen, em = [], descent.em

    def kept(*args, **options):
        seen.append(em(*args, **options))
        return seen[-1]

    monkeypatch.setattr(descent, "em", kept)
    return seen


@pytest.mark.parametrize("name", FAMILIES)
def test_it_never_rises_between_deaths(name, runs):
    X = three(1)[:300]
    result = fit_message_length(X, 9, covariance_type=name, tol=1e-7, max_iter=60, random_state=2)
    assert len(runs) == 9 and [run.mixture.n_components for run in runs] == list(range(9, 0, -1))
    for run in runs:
        steps = np.diff(run.objectives)
        assert (steps >= -1e-11 * (1.0 + np.abs(run.objectives[1:]))).all()
    assert result.objective in [tuple(run.objectives) for run in runs]
    lengths = dict(result.path)
    assert min(lengths, key=lengths.get) == result.mixture.n_components


@pytest.mark.parametrize(
    ("name", "each", "common"),
    [("full", 2 + 3, 0), ("diag", 2 + 2, 0), ("spherical", 2 + 1, 0), ("tied", 2, 3), ("VEI", 3, 1)],
)
def test_the_message_length_is_its_definition(name, each, common):
    X = three(0)[:400] * [3.0, 0.1] + 50.0
    weights = np.random.default_rng(0).integers(1, 4, 400)
    result = fit_message_length(X, 6, covariance_type=name, sample_weight=weights, random_state=0)
    mixture, n = result.mixture, weights.sum()
    k = mixture.n_components
    expected = (
        each / 2 * np.log(n * mixture.weights / 12).sum()
        + (k + common) / 2 * np.log(n / 12)
        + (k * (each + 1) + common) / 2
        - weights @ mixture.log_prob(X)
    )
    assert result.message_length == pytest.approx(expected, rel=1e-12)
    assert result.message_length == pytest.approx(min(length for _, length in result.path), rel=1e-12)
    assert [j for j, _ in result.path][-1] == 1 and result.n_samples == n


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("d", [2, 5])
def test_parameters_are_those_of_the_family(name, d):
    structure = get_structure(name, d, 1)
    code = Code.of(structure, d, 100.0)
    for k in (1, 2, 7):
        assert k * code.each + code.common == k * d + structure.n_covariance_parameters(k, d)


@pytest.mark.parametrize("name", ["full", "diag", "tied"])
def test_an_m_step_finds_the_shortest_message(name):
    """Of the expected complete data: no other weights are shorter, and the rest is EM's M-step."""
    rng = np.random.default_rng(4)
    X, structure = three(3), get_structure(name, 2)
    engine = LocalEngine(Rows(X), structure)
    code = Code.of(structure, 2, 900.0)
    m_step = ShortestMessage(Maximise(structure, make_regularise("auto", structure, engine)), code)
    begun = random_mixture(name, 4, 2, rng).seen_from(engine.frame)
    begun = Mixture(np.full(4, 0.25), 0.5 * rng.normal(size=(4, 2)), begun.covariances, name)
    stats = engine.accumulate(begun).moments
    best = m_step(stats, begun)

    def message(weights):
        return code.measure_parameters(weights) - stats.counts @ np.log(weights)

    for _ in range(100):
        other = best.weights * np.exp(rng.choice([1e-3, 0.1]) * rng.normal(size=4))
        assert message(other / other.sum()) >= message(best.weights) - 1e-9
    assert_allclose(best.means, stats.means())
    assert_allclose(best.covariance_stack, structure.estimate(stats, begun.covariance_stack), rtol=1e-9)


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_integer_weights_are_copies(name):
    X = three(5)[:200]
    weights = np.random.default_rng(1).integers(0, 4, 200)
    options = {"covariance_type": name, "random_state": 3}
    weighted = fit_message_length(X, 8, sample_weight=weights, **options)
    copied = fit_message_length(np.repeat(X, weights, axis=0), 8, **options)
    assert [k for k, _ in weighted.path] == [k for k, _ in copied.path]
    assert_allclose([v for _, v in weighted.path], [v for _, v in copied.path], rtol=1e-9)
    assert_allclose(weighted.mixture.means, copied.mixture.means, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["full", "diag", "factor"])
def test_it_finds_the_number_of_components(name):
    for seed in range(3):
        result = fit_message_length(three(seed), 20, covariance_type=name, random_state=seed)
        assert result.status is FitStatus.CONVERGED and result.advice == ""
        assert_allclose(np.sort(result.mixture.means[:, 1]), [-2.0, 0.0, 2.0], atol=0.3)


def test_units_change_it_by_their_logarithm():
    X = three(0)
    one, other = (fit_message_length(Y, 10, random_state=0) for Y in (X, X * [1e3, 1e-2] - 7.0))
    assert [k for k, _ in one.path] == [k for k, _ in other.path]
    assert other.message_length - one.message_length == pytest.approx(900 * np.log(10.0), rel=1e-7)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_measure_loss_without_a_component(name):
    """By the definition: the likelihood of what is left of the density."""
    rng = np.random.default_rng(6)
    mixture = random_mixture(name, 3, 2, rng, spread=0.5)
    X, weights = mixture.sample(200, rng)[0], rng.uniform(0.5, 2.0, 200)
    engine = LocalEngine(Rows(X, weights), get_structure(name))
    found = measure_loss(engine, mixture.seen_from(engine.frame))
    density = np.exp(direct_joint(mixture, X))
    for k in range(3):
        lost = np.log(density.sum(axis=1)) - np.log(np.delete(density, k, axis=1).sum(axis=1))
        assert found[k] == pytest.approx(weights @ lost, rel=1e-6)
    left = remove_component(mixture, 1)
    assert left.n_components == 2 and left.weights.sum() == pytest.approx(1.0)
    expected = np.delete(density, 1, axis=1).sum(axis=1) / (1.0 - mixture.weights[1])
    assert_allclose(np.exp(left.log_prob(X)), expected, rtol=1e-8)


def test_one_dies_at_a_time_even_where_all_would(runs):
    """With too few rows for each of forty components; what is left is what the rows do support."""
    X = three(2)[:150]
    result = fit_message_length(X, 40, random_state=0)
    assert [run.mixture.n_components for run in runs] == list(range(40, 0, -1))
    assert all(run.status is FitStatus.DEGENERATE for run in runs[:20])
    assert (result.mixture.weights * 150 > 7.0).all()


def test_equal_rows_and_needles():
    X = np.concatenate([np.zeros((60, 2)), np.random.default_rng(0).normal(5.0, 1.0, (200, 2))])
    result = fit_message_length(X, 8, random_state=0)
    assert np.isfinite(result.message_length) and "no spread" in result.advice + " no spread"
    with pytest.raises(
        FitError,
        match="no mixture of 2 or more components came to rest: one was left with fewer than 10 rows",
    ):
        fit_message_length(X[60:75], 4, min_components=2, random_state=0)


def test_bounds_starts_and_interruption():
    X = three(0)
    held = fit_message_length(X, 8, min_components=5, random_state=0)
    assert held.mixture.n_components >= 5 and min(k for k, _ in held.path) == 5
    several = fit_message_length(X, 8, n_init=3, random_state=0)
    assert several.message_length <= fit_message_length(X, 8, random_state=0).message_length
    seen = []
    stopped = fit_message_length(
        X, 8, n_init=2, random_state=0, on_progress=lambda p: seen.append(p) or len(seen) == 5
    )
    assert stopped.status is FitStatus.INTERRUPTED and len(seen) == 5 and not stopped.converged
    assert seen[0].n_starts == 2 and stopped.mixture.log_prob(X).sum() == pytest.approx(
        stopped.log_likelihood
    )


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_components": 0}, "max_components must be"),
        ({"min_components": 9}, "min_components = 9 is more than max_components = 8"),
        ({"max_components": 901}, "max_components = 901 is more than the 900 rows"),
        ({"feature_names": ["a"]}, "feature_names must be 2 names"),
        ({"covariance_type": "ful"}, "covariance_type must be one of"),
        ({"n_factors": "auto"}, "n_factors must be"),
        ({"tol": -1.0}, "tol"),
    ],
)
def test_wrong_arguments_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        fit_message_length(three(0), **({"max_components": 8} | options))
