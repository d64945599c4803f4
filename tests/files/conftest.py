"""A file that tests may overwrite. One for a module, since hypothesis wants none made for each test."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "model.safetensors"
