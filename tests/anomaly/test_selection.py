"""Thresholds and selection: against the procedures written out, with ties, weights, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix import Mixture
from gaussmix.apps.anomaly.calibration import calibrate_model
from gaussmix.apps.anomaly.selection import adjust_pvalues, advise_more_rows, select_anomalies
from gaussmix.apps.anomaly.thresholds import check_share, find_share_threshold

SHARES = st.sampled_from([0.01, 0.1, 0.25, 0.29, 1 / 3, 0.5, 0.9])


def select_by_steps(p, fdr_per_mille, n):
    """Benjamini and Hochberg in whole numbers: p-values are `p` parts of n, the rate is in thousandths."""
    m = len(p)
    ranks = [i for i, value in enumerate(sorted(p), 1) if 1000 * value * m <= fdr_per_mille * i * n]
    return [value <= sorted(p)[max(ranks) - 1] if ranks else False for value in p]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.sampled_from([10, 50, 100, 200, 300, 700]))
def test_selection_is_that_of_benjamini_and_hochberg_also_where_rounding_would_decide(numerators, per_mille):
    found = select_anomalies(np.array(numerators) / 40.0, per_mille / 1000.0)
    assert found.tolist() == select_by_steps(numerators, per_mille, 40)


def test_adjusted_pvalues_are_the_rates_at_which_rows_are_selected():
    p = np.random.default_rng(0).uniform(size=30) ** 3
    adjusted = adjust_pvalues(p)
    for place in (0, 7, 29):
        rate = adjusted[place]
        assert (
            select_anomalies(p, rate * (1 + 1e-9))[place]
            and not select_anomalies(p, rate * (1 - 1e-9))[place]
        )


def test_of_no_rows_none_is_selected():
    assert select_anomalies([]).shape == (0,)


@given(st.integers(1, 60), st.integers(1, 30), st.integers(0, 30), st.sampled_from([0.05, 0.1, 0.3]))
def test_so_many_calibration_rows_are_asked_for_as_it_takes(n, m, i, fdr):
    """Rows that score below all calibration rows do so however many there are."""
    i = min(i, m)

    def make_pvalues(n):
        return np.where(np.arange(m) < i, 1.0 / (n + 1.0), 1.0)

    advice = advise_more_rows(make_pvalues(n), n, fdr)
    assert (advice is None) == (i == 0 or bool(select_anomalies(make_pvalues(n), fdr).any()))
    if advice:
        needed = int(advice.split("It takes ")[1].split()[0])
        assert select_anomalies(make_pvalues(needed), fdr).sum() == i
        assert not select_anomalies(make_pvalues(needed - 1), fdr).any()


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 2, True, "0.1", None, float("nan")])
def test_rates_are_between_zero_and_one(wrong):
    with pytest.raises(ValueError, match="fdr must be a number above 0 and below 1"):
        select_anomalies([0.5], wrong)
    with pytest.raises(ValueError, match="fpr must be"):
        check_share(wrong, "fpr")


def test_the_share_of_false_discoveries_is_held():
    rng = np.random.default_rng(1)
    model = Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])
    shares, found = [], []
    for _ in range(300):
        calibrated = calibrate_model(model, rng.normal(size=(400, 2)))
        new, anomalous = rng.normal(size=(200, 2)), np.arange(200) < 10
        new[anomalous] += 5.0
        selected = select_anomalies(calibrated.pvalues(new), 0.1)
        shares.append(np.sum(selected & ~anomalous) / max(np.sum(selected), 1))
        found.append(np.mean(selected[anomalous]))
    assert np.mean(shares) < 0.1 + 3.0 * np.std(shares) / np.sqrt(300)
    assert np.mean(found) > 0.5


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), SHARES)
def test_no_more_than_the_share_is_below_the_threshold_and_no_higher_one_has_as_few(scores, share):
    values = np.array(scores, float)
    threshold = find_share_threshold(values, share)
    most = int(np.floor(share * len(values) * (1 + 1e-12)))
    below = int(np.sum(values < threshold))
    assert below <= most
    at_least = values[values >= threshold]
    assert len(at_least)
    # those at the next score would be too many
    assert below + np.sum(values == at_least.min()) > most


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=20), SHARES, st.data())
def test_a_weight_is_a_number_of_copies(scores, share, data):
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores))))
    if not counts.any():
        counts[0] = 1
    values = np.array(scores, float)
    repeated = find_share_threshold(np.repeat(values, counts), share)
    assert find_share_threshold(values, share, counts.astype(float)) == repeated


def test_a_tenth_of_a_hundred_rows_is_ten():
    scores = np.random.default_rng(2).normal(size=100)
    for share in (0.1, 0.29, 0.07):
        assert np.sum(scores < find_share_threshold(scores, share)) == round(100 * share)


def test_scores_without_a_midpoint():
    scores = np.array([-np.inf, -np.inf, 1.0, np.nextafter(1.0, 2.0)])
    assert np.sum(scores < find_share_threshold(scores, 0.5)) == 2
    assert np.sum(scores < find_share_threshold(scores, 0.75)) == 3
    assert find_share_threshold(np.zeros(4), 0.5) == 0.0
