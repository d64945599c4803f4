"""The patch for the time of a test, and Python in a folder of its own."""

from __future__ import annotations

from functools import partial

import pytest

from gaussmix.accel import patch_sklearn, unpatch_sklearn
from tests.accel.running import run_python


@pytest.fixture
def patched():
    patch_sklearn()
    yield
    unpatch_sklearn()


@pytest.fixture
def run(tmp_path):
    return partial(run_python, cwd=tmp_path)
