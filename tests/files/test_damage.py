"""Damage by accident: cut off, a byte changed, a block zeroed, a piece of another file. All is found out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.files.making import judged, same, saved, small
from tests.helpers import KINDS

FLIPS = 10_000


@pytest.mark.parametrize("name", KINDS)
def test_every_truncation_is_refused(place, name):
    whole = saved(small(name), place)
    for length in range(len(whole)):
        assert judged(place, whole[:length]) is None
    assert same(judged(place, whole).mixture, small(name))


def test_ten_thousand_random_bytes(place):
    """One byte becomes another: the file is refused, or it says what it said before.

    The second can happen: a blank of the padding may become a tab.
    """
    mixture, rng = small("full"), np.random.default_rng(20_240_613)
    whole = saved(mixture, place)
    before = judged(place)
    accepted = 0
    positions = rng.integers(len(whole), size=FLIPS)
    changes = rng.integers(1, 256, size=FLIPS)
    for position, change in zip(positions.tolist(), changes.tolist(), strict=True):
        damaged = bytearray(whole)
        damaged[position] ^= change
        loaded = judged(place, damaged)
        if loaded is not None:
            accepted += 1
            assert same(loaded.mixture, before.mixture) and loaded.info == before.info
    assert accepted < 10


def test_blocks_that_were_lost(place):
    """As a disk would lose them: zeros, or what another file has in that place."""
    whole = saved(small("full"), place)
    other = saved(small("diag"), place) * 2
    before = judged(place, whole)
    rng = np.random.default_rng(0)
    for _ in range(500):
        begin, end = sorted(rng.integers(len(whole) + 1, size=2).tolist())
        for filling in (bytes(end - begin), other[begin:end], whole[::-1][begin:end]):
            damaged = whole[:begin] + filling + whole[end:]
            loaded = judged(place, damaged)
            assert loaded is None or (same(loaded.mixture, before.mixture) and loaded.info == before.info)
        assert begin == end or judged(place, whole[:begin] + whole[end:]) is None


def test_the_message_tells_damage_from_something_else(place):
    whole = saved(small(), place)
    changed = bytearray(whole)
    changed[-1] ^= 1  # the last bits of a variance: nothing but the checksum can tell
    place.write_bytes(changed)
    from gaussmix import Mixture
    from gaussmix.errors import ModelFileError

    with pytest.raises(
        ModelFileError, match=r"damaged: the content has changed since it was written .*crc32"
    ):
        Mixture.load(place)
