"""What the verdict calls the rows, where they are weighted, trimmed, or one."""

import numpy as np

from gaussmix import search
from gaussmix.datasets import load_faithful

X, _ = load_faithful()
GRID = {"n_components": [1, 2], "covariance_type": "EEE"}


def test_trimmed_rows_are_whole_rows():
    result = search(X, **GRID, trim=0.01, random_state=0)
    assert not float(result.best.n_samples).is_integer()  # of one row a part is kept
    kept = np.count_nonzero(result.best.kept)
    assert result.verdict()[0].startswith(f"The {kept} rows that trimming kept fall into 2 groups")


def test_weights_are_no_numbers_of_rows():
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(X))
    result = search(X, **GRID, sample_weight=weights)
    assert result.verdict()[0].startswith(
        f"The rows, of weight {weights.sum():.1f} in all, fall into 2 groups"
    )
    twice = search(X, **GRID, sample_weight=np.full(len(X), 2.0))
    assert twice.verdict()[0].startswith("The 544 rows fall into 2 groups")
    scaled = search(X, **GRID, sample_weight=weights * (len(X) / weights.sum()))
    assert scaled.verdict()[0].startswith("The 272 rows fall into 2 groups")


def test_weights_that_sum_to_one_are_a_caution():
    result = search(X, **GRID, sample_weight=np.full(len(X), 1.0 / len(X)))
    sentences = result.verdict()
    assert sentences[0].startswith("The rows, of weight 1")
    assert any(each.startswith("The weights sum to 1,") and "scale them" in each for each in sentences)
    assert not any("numbers were fitted" in each for each in sentences)


def test_one_row():
    sentences = search(X[:1], [1]).verdict()
    assert sentences[0] == "The 1 row looks like one group."
    assert any("fitted to 1 row," in each for each in sentences)


def test_models_left_out_for_any_reason_are_marked_so():
    table = search(X[:3], range(1, 6), covariance_type="EII").criterion_table()
    assert table.skipped.sum() == 2
    assert "could not win" not in repr(table) and "not fitted" in repr(table)


def test_a_search_that_was_stopped_says_so():
    result = search(
        X, [1, 2], covariance_type=["EII", "EEE", "VVV"], on_progress=lambda progress: progress.done > 0
    )
    assert len(result.skipped) == 4
    assert any(each.startswith("The search was stopped: 4 of 6 models") for each in result.verdict())
