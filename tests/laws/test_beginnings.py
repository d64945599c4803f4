"""Where the runs of a fit begin, which outcome is better, and what becomes of it in the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix import FitStatus, fit_mixture
from gaussmix.data.rows import Rows
from gaussmix.engines import choose_engine
from gaussmix.fit.beginnings import GivenStart, NamedStart, RaceWinner, choose_beginnings, orders_components
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.ranking import Standing, choose_run, order_by_score
from gaussmix.model.covariance import STRUCTURES

X = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0, 0], [6, 6]], 100, axis=0)
MEMBERSHIPS = np.repeat([0, 1], 100)
MEANS = np.array([[0.0, 0.0], [6.0, 6.0]])
WHOLE = Given(np.full(2, 0.5), MEANS, np.stack([np.eye(2)] * 2))


def make_judge():
    rows = Rows(X)
    engine = choose_engine(rows)(rows, STRUCTURES["full"])
    return Judge(engine, Maximise(engine.structure, make_regularise("auto", engine.structure, engine)))


def beginnings(init_params="auto", start=Given(), n_init=3, max_iter=100, k=2):  # noqa: B008
    rng = np.random.RandomState(0)
    options = {"concentrated": None, "n_init": n_init, "tol": 1e-3, "max_iter": max_iter}
    return choose_beginnings(make_judge(), k, None, init_params, start, rng, **options)


@pytest.mark.parametrize(
    ("options", "kinds", "sources"),
    [
        ({}, [NamedStart, RaceWinner], ["kmeans", "auto"]),
        ({"init_params": "thorough"}, [NamedStart, RaceWinner], ["kmeans", "thorough"]),
        ({"max_iter": 7}, [NamedStart] * 3, ["auto"] * 3),
        ({"k": 1}, [NamedStart] * 3, ["auto"] * 3),
        ({"init_params": "pca", "n_init": 2}, [NamedStart] * 2, ["pca"] * 2),
        ({"start": Given(means=MEANS)}, [NamedStart] * 3, ["given"] * 3),
        ({"start": WHOLE}, [GivenStart], ["given"]),
        ({"start": Given(memberships=MEMBERSHIPS)}, [GivenStart], ["given"]),
    ],
)
def test_each_start_of_a_fit_is_chosen_once(options, kinds, sources):
    found = beginnings(**options)
    assert [type(beginning) for beginning in found] == kinds
    assert [beginning.source for beginning in found] == sources
    assert [beginning.raced for beginning in found] == [kind is RaceWinner for kind in kinds]
    run, reports = found[0].begin(None, None)
    assert run.mixture.means.shape == (options.get("k", 2), 2) and run.history == reports == ()


def test_components_keep_an_order_that_was_given_or_is_scikit_learns():
    assert orders_components("auto", Given()) and orders_components("pca", Given())
    for start in (WHOLE, Given(means=MEANS), Given(memberships=MEMBERSHIPS)):
        assert not orders_components("auto", start)
    assert not orders_components("kmeans", Given())


def test_soundness_comes_before_value_and_of_equals_the_first_stays():
    assert Standing(True, -5.0).beats(Standing(False, 9.0))
    assert not Standing(True, 1.0).beats(Standing(True, 1.0))
    assert Standing(True, 1.2).beats(Standing(True, 1.0), margin=0.1)
    assert not Standing(True, 1.2).beats(Standing(True, 1.0), margin=0.3)
    mixture = fit_mixture(X, 2, init_params="kmeans", random_state=0).mixture
    first, equal = (Run(mixture, FitStatus.CONVERGED, (-2.0, -1.0)) for _ in range(2))
    spike = replace(first, status=FitStatus.DEGENERATE, history=(5.0,))
    assert choose_run(None, spike) is spike
    assert choose_run(first, equal) is first and choose_run(first, spike) is first
    assert choose_run(spike, first) is first
    better = replace(equal, history=(-0.5,))
    assert choose_run(first, better) is better


@given(st.lists(st.integers(-3, 3), max_size=8), st.integers(0, 2**32 - 1))
def test_no_rounding_decides_an_order(values, seed):
    """Equal scores, but for rounding, stay in the order of their places."""
    shifts = 1e-12 * np.random.default_rng(seed).normal(size=len(values))
    order = order_by_score([value + shift for value, shift in zip(values, shifts, strict=True)], 1e-9)
    assert order == sorted(range(len(values)), key=lambda place: (-values[place], place))
