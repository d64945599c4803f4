"""The axis across which a component is divided: found for any numbers, with nothing to warn of."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix.fit.race.moves import _find_two_sided


def two_clusters_on_the_second_axis():
    rng = np.random.default_rng(0)
    T = rng.normal(size=(3, 400))
    T[1] = np.sign(T[1]) * 3.0 + 0.1 * rng.normal(size=400)
    return T


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e150, 1e300])
@pytest.mark.parametrize("weight", [5e-324, 1e-200, 1.0, 1e300])
def test_two_clusters_are_seen_at_any_size(size, weight):
    assert _find_two_sided(size * two_clusters_on_the_second_axis(), np.full(400, weight)) == 1


@pytest.mark.parametrize("size", [0.0, 1e-320, 1e-170, 1e-80, 1e-8])
def test_a_direction_without_spread_is_none(size):
    T = two_clusters_on_the_second_axis()
    T[0] = size * T[1]
    assert _find_two_sided(T, np.ones(400)) == 1


@pytest.mark.parametrize("weight", [0.0, 5e-324, 1e-160])
def test_rows_that_count_for_nothing_warn_of_nothing(weight):
    """All that is left of the rows, or one row that has the sum but not the spread."""
    T = two_clusters_on_the_second_axis()
    T[:, 0] = 0.0
    r = np.full(400, weight)
    assert 0 <= _find_two_sided(T, r) < 3
    r[0] = 1.0
    assert 0 <= _find_two_sided(T, r) < 3
    assert 0 <= _find_two_sided(np.zeros((3, 400)), r) < 3
