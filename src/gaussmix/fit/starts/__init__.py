"""Starts: from the rows to a first mixture, one file each. This is their table."""

from __future__ import annotations

from gaussmix.fit.starts.base import Start
from gaussmix.fit.starts.first import first_mixture, place_given, with_means
from gaussmix.fit.starts.given import Given, StartFrom, memberships_of
from gaussmix.fit.starts.table import AUTO, EFFORTS, NAMES, SCIKIT_LEARN, STARTS

__all__ = [
    "AUTO",
    "EFFORTS",
    "NAMES",
    "SCIKIT_LEARN",
    "STARTS",
    "Given",
    "Start",
    "StartFrom",
    "first_mixture",
    "memberships_of",
    "place_given",
    "with_means",
]
