"""The copy of Vega that pages carry."""

from __future__ import annotations

import pytest

from gaussmix.report.bundle import read_bundle


def test_the_script_can_stand_in_a_page():
    script = read_bundle()
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert "window.vegaEmbed" in script


def test_it_is_what_vl_convert_makes():
    vl_convert = pytest.importorskip("vl_convert")
    from tests.report.bundling import VERSION, make_bundle

    if vl_convert.__version__ != VERSION:
        pytest.skip(f"the script is by vl-convert {VERSION}, and {vl_convert.__version__} is installed")
    assert make_bundle() == read_bundle()
