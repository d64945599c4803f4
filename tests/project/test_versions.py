"""The versions and machines that are tested are those that are promised."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

from tests import machines
from tests.oldest import floors

ROOT = Path(__file__).parents[2]


def test_every_floor_has_a_number():
    """Else the run with the oldest versions would take a newer one without a word."""
    found = floors()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {Requirement(text).name for text in project["dependencies"]}
    assert needed <= set(found)
    assert found["scikit-learn"] == "1.6"


def test_the_floors_can_stand_beside_any_scikit_learn():
    """The newest asks for what the oldest did not: the floors have to satisfy it, too."""
    found = floors()
    asked = [Requirement(text) for text in requires("scikit-learn") or [] if "extra ==" not in text]
    assert {"numpy", "scipy", "threadpoolctl"} <= {requirement.name for requirement in asked}
    for requirement in asked:
        if requirement.name in found:
            assert requirement.specifier.contains(found[requirement.name]), str(requirement)


def test_every_machine_has_its_run():
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci" / "run").read_text()
    assert re.search(f"^MACHINES := {' '.join(machines.MACHINES)}$", makefile, re.MULTILINE)
    own = re.findall("make test-on-([a-z]+)", ci)
    assert {*own, *re.findall("AS=([a-z]+)", ci)} == set(machines.MACHINES)


def test_a_machine_that_this_processor_cannot_be_is_skipped_with_a_reason(monkeypatch):
    monkeypatch.setitem(machines.NEEDS, "SkylakeX", ("NO_SUCH_FEATURE",))
    assert machines.why_not(machines.MACHINES["skylakex"]) == "this processor has no NO_SUCH_FEATURE"
