"""The table of covariance structures. A new family is one file here and one row below."""

from __future__ import annotations

from gaussmix.model.structures.base import NotPositiveDefiniteError, Structure
from gaussmix.model.structures.diagonal import Diagonal
from gaussmix.model.structures.eei import EEI
from gaussmix.model.structures.eev import EEV
from gaussmix.model.structures.eii import EII
from gaussmix.model.structures.eve import EVE
from gaussmix.model.structures.evi import EVI
from gaussmix.model.structures.evv import EVV
from gaussmix.model.structures.full import Full
from gaussmix.model.structures.spherical import Spherical
from gaussmix.model.structures.tied import Tied
from gaussmix.model.structures.vee import VEE
from gaussmix.model.structures.vei import VEI
from gaussmix.model.structures.vev import VEV
from gaussmix.model.structures.vve import VVE

STRUCTURES: dict[str, Structure] = {
    structure.name: structure
    for structure in (
        *(Full(), Tied(), Diagonal(), Spherical()),
        *(EII(), EEI(), VEI(), EVI(), VEE(), EVE(), VVE(), EEV(), VEV(), EVV()),
    )
}

#: mclust's names for families that have another name above. The last two are for one feature.
SYNONYMS = {"VVV": "full", "EEE": "tied", "VVI": "diag", "VII": "spherical", "E": "EII", "V": "spherical"}


def get_structure(name: str, d: int | None = None) -> Structure:
    """The structure of this name, scikit-learn's or mclust's; ValueError names the known ones.

    Given the number of features, names that are for one feature are refused for more.
    """
    try:
        structure = STRUCTURES[SYNONYMS.get(name, name)]
    except (KeyError, TypeError):
        known = ", ".join([*STRUCTURES, *SYNONYMS])
        raise ValueError(f"covariance_type must be one of {known}; got {name!r}") from None
    if name in ("E", "V") and d not in (None, 1):
        raise ValueError(f"covariance_type {name!r} is for one feature; for {d} use {name + 'II'!r}")
    return structure


__all__ = ["STRUCTURES", "SYNONYMS", "NotPositiveDefiniteError", "Structure", "get_structure"]
