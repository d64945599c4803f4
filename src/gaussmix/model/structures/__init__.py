"""The table of covariance structures. A new family is one file here and one row below."""

from __future__ import annotations

from gaussmix.model.structures.base import NotPositiveDefiniteError, Structure
from gaussmix.model.structures.diagonal import Diagonal
from gaussmix.model.structures.full import Full
from gaussmix.model.structures.spherical import Spherical
from gaussmix.model.structures.tied import Tied

STRUCTURES: dict[str, Structure] = {
    structure.name: structure for structure in (Full(), Tied(), Diagonal(), Spherical())
}


def get_structure(name: str) -> Structure:
    """The structure of this name; ValueError names the known ones."""
    try:
        return STRUCTURES[name]
    except (KeyError, TypeError):
        raise ValueError(f"covariance_type must be one of {', '.join(STRUCTURES)}; got {name!r}") from None


__all__ = ["STRUCTURES", "NotPositiveDefiniteError", "Structure", "get_structure"]
