"""What an idiom returns, and when two programs have returned the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from sklearn.metrics import adjusted_rand_score


@dataclass
class Labels:
    """The same partition, whatever the numbers of its parts."""

    value: Any

    def check(self, theirs):
        assert_like(self.value, theirs.value)
        assert adjusted_rand_score(theirs.value, self.value) == 1.0


@dataclass
class NoWorse:
    """A likelihood, which may be higher."""

    value: Any
    slack: float = 1e-2

    def check(self, theirs):
        assert_like(self.value, theirs.value)
        assert np.all(np.asarray(self.value) >= np.asarray(theirs.value) - self.slack)


@dataclass
class Near:
    """Numbers that agree; of a fit, to the tolerance that both stopped at."""

    value: Any
    rtol: float = 1e-2
    atol: float = 1e-8

    def check(self, theirs):
        assert_like(self.value, theirs.value)
        assert_allclose(self.value, theirs.value, rtol=self.rtol, atol=self.atol)


def exactly(value):
    """Numbers that no fit had a part in."""
    return Near(value, 1e-7)


@dataclass
class Like:
    """The same type, shape and type of numbers."""

    value: Any

    def check(self, theirs):
        assert_like(self.value, theirs.value)


def assert_like(ours, theirs):
    """The same type of object, and for arrays the same shape and type of numbers."""
    if isinstance(theirs, float):
        assert isinstance(ours, float)
    elif isinstance(theirs, np.ndarray):
        assert isinstance(ours, np.ndarray)
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
    else:
        assert type(ours) is type(theirs)


def assert_same(ours, theirs):
    """The same, as each part of what an idiom returned says; what says nothing must be equal."""
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    elif hasattr(theirs, "check"):
        ours.check(theirs)
    else:
        assert ours == theirs
