"""Fits of every kind end where they ended: bit for bit on the machine that kept them, else to rounding.

Who means to change them says `python -m tests.project.kept_fits --keep`, and why in the message of the commit.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.project.kept_fits import FITS, KEPT, Outcome, describe_machine, make

KEEPING = json.loads(KEPT.read_text("utf-8"))

#: Difference of mean log-likelihoods that is rounding, in nats: of rows in double precision, and in single.
DOUBLE = 1e-6
SINGLE = 1e-5


@pytest.fixture(scope="module")
def same_machine():
    """Whether this machine, with its libraries and settings, is the one that made the file."""
    return describe_machine() == KEEPING["machine"]


def test_the_file_has_all_fits():
    assert list(KEEPING["fits"]) == list(FITS)
    assert all(all(kept.values()) for kept in KEEPING["fits"].values())


@pytest.mark.parametrize("name", FITS)
def test_a_fit_ends_where_it_ended(name, same_machine):
    outcome, kept = make(name), KEEPING["fits"][name]
    assert list(outcome.n_components) == kept["n_components"]
    tolerance = SINGLE if "float32" in name else DOUBLE
    assert_allclose(outcome.mean_log_likelihoods, kept["mean_log_likelihoods"], rtol=0, atol=tolerance)
    if same_machine:
        assert outcome.digest == kept["digest"]


def test_a_digest_tells_the_last_bit_the_shape_and_the_type():
    arrays = [np.ones(4), np.nextafter(np.ones(4), 2.0), np.ones((2, 2)), np.ones(4, np.float32)]
    assert len({Outcome([array], [0.0], [1]).digest for array in arrays}) == len(arrays)
    assert len({Outcome([], [0.0], [1], [array]).digest for array in arrays}) == len(arrays)


def test_a_machine_is_told_by_what_decides_bits(monkeypatch):
    here = describe_machine()
    assert here == describe_machine() == json.loads(json.dumps(here))
    assert any(kernel.startswith("openblas") for kernel in here["kernels"]) and here["features of NumPy"]
    monkeypatch.setenv("GAUSSMIX_NUM_THREADS", "1")
    assert describe_machine() == here
    monkeypatch.setenv("GAUSSMIX_EXECUTOR", "another")
    assert describe_machine() != here
