"""What families say of themselves."""

from __future__ import annotations

import pytest

from gaussmix.model.covariance import FACTORS, STRUCTURES, get_structure


def test_each_family_has_its_own_words():
    words = [structure.describe(3) for structure in (*STRUCTURES.values(), *FACTORS.values())]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("name", "d", "words"),
    [
        ("VVV", 2, "ellipses, each its own"),
        ("EEE", 2, "equal ellipses"),
        ("EII", 2, "equal spheres"),
        ("VEI", 4, "axis-parallel ellipses of different volumes, equal shapes"),
        ("EEV", 4, "ellipses of equal volumes, equal shapes, different directions"),
        ("E", 1, "equal variances"),
        ("V", 1, "different variances"),
        ("factor", 4, "1 factor: loadings own, uniquenesses own, one a feature"),
    ],
)
def test_the_words_are_plain(name, d, words):
    assert get_structure(name, d).describe(d) == words
