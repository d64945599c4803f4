"""Fits ask of an engine what the protocol names, nothing else; and all that it names is asked for."""

from __future__ import annotations

import sys

import pytest

from gaussmix.engines import Engine
from gaussmix.engines.local import LocalEngine
from tests.project.kept_fits import make

#: Fits that need an engine in different ways, by their names among those that are kept.
KINDS = (
    "full, race, weights",
    "tied",
    "EII",
    "VEV",
    "factor",
    "noise",
    "trimming, weights",
    "prior",
    "constraints",
    "annealing",
    "labels",
    "collapses",
    "resumed",
    "message length",
    "many models, noise of shared families",
)
MEMBERS = {name for name in (*Engine.__annotations__, *vars(Engine)) if not name.startswith("_")}


@pytest.fixture
def asked(monkeypatch):
    """The names of an engine's attributes that the code of fits reads or sets while the test runs, each with a module."""
    found = {}

    def record(name):
        caller = sys._getframe(2).f_globals["__name__"]
        if caller.startswith(("gaussmix.fit", "gaussmix.select")) and not name.startswith("__"):
            found.setdefault(name, caller)

    def read(self, name):
        record(name)
        return object.__getattribute__(self, name)

    def write(self, name, value):
        record(name)
        object.__setattr__(self, name, value)

    monkeypatch.setattr(LocalEngine, "__getattribute__", read, raising=False)
    monkeypatch.setattr(LocalEngine, "__setattr__", write, raising=False)
    return found


def test_fits_use_the_members_of_the_protocol_and_all_of_them(asked):
    for name in KINDS:
        make(name)
    assert {name: module for name, module in asked.items() if name not in MEMBERS} == {}
    assert set(asked) == MEMBERS


def test_a_member_that_is_no_protocols_is_noticed(asked):
    fit = {"__name__": "gaussmix.fit.some_module"}
    exec("def change(engine): engine.threads = engine.form", fit)
    engine = LocalEngine.__new__(LocalEngine)
    engine.form = "a form"  # by this module, which is no fit
    assert not asked
    fit["change"](engine)
    assert asked == dict.fromkeys(("form", "threads"), "gaussmix.fit.some_module")
