"""The compiled kernel where nothing can be kept: it is compiled anew, and nobody is told off for it."""

from __future__ import annotations

import pytest

from tests.helpers import run_python

pytest.importorskip("numba")

NO_PLACE = "caching.CacheImpl._locator_classes = []"
FULL_DISK = """
def save(self, signature, data):
    raise OSError(28, "No space left on device")
caching.FunctionCache.save_overload = save
"""
CODE = """
import numba.core.caching as caching
{}
import numpy as np
from gaussmix import Mixture
mixture = Mixture([0.5, 0.5], [[0.0, 0.0], [4.0, 1.0]], [[1.0, 2.0], [0.5, 0.5]], "diag")
assert abs(mixture.log_prob([[0.0, 0.0]])[0] + 2.877598) < 1e-6
print("good")
"""


@pytest.mark.parametrize("obstacle", [NO_PLACE, FULL_DISK], ids=["no place", "full disk"])
def test_the_kernel_works_wherever_it_is_kept(tmp_path, obstacle):
    variables = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "GAUSSMIX_EXECUTOR": "compiled"}
    assert run_python(CODE.format(obstacle), **variables).strip() == "good"
    assert not list(tmp_path.rglob("*.nbc")), "nothing was kept, or this is no test"
