"""The table of covariance structures. A new family is one file here and one row below."""

from __future__ import annotations

from functools import partial

from gaussmix.model.covariance.algebra import NotPositiveDefiniteError
from gaussmix.model.covariance.celeux_govaert import (
    CeleuxGovaert,
    share_eigenvalues,
    share_shape,
    share_volume,
)
from gaussmix.model.covariance.factors import FactorAnalyser
from gaussmix.model.covariance.orientation import share_orientation
from gaussmix.model.covariance.structure import Structure
from gaussmix.model.covariance.volumes import share_all_but_volume

#: mclust's fourteen families; four of them have scikit-learn's names.
STRUCTURES: dict[str, Structure] = {
    structure.name: structure
    for structure in (
        CeleuxGovaert("full", "VVV"),
        CeleuxGovaert("tied", "EEE"),
        CeleuxGovaert("diag", "VVI"),
        CeleuxGovaert("spherical", "VII"),
        CeleuxGovaert("EII", "EII"),
        CeleuxGovaert("EEI", "EEI"),
        CeleuxGovaert("VEI", "VEI", share_all_but_volume),
        CeleuxGovaert("EVI", "EVI", share_volume),
        CeleuxGovaert("VEE", "VEE", share_all_but_volume),
        CeleuxGovaert("EVE", "EVE", partial(share_orientation, equal_volumes=True)),
        CeleuxGovaert("VVE", "VVE", partial(share_orientation, equal_volumes=False)),
        CeleuxGovaert("EEV", "EEV", share_eigenvalues),
        CeleuxGovaert("VEV", "VEV", share_shape),
        CeleuxGovaert("EVV", "EVV", share_volume),
    )
}

#: Factor analysers, here of one factor, by the letters of McNicholas and Murphy.
FACTORS: dict[str, Structure] = {
    structure.name: structure
    for structure in (
        FactorAnalyser("factor", "UUU"),
        FactorAnalyser("ppca", "UUC"),
        FactorAnalyser("UCU", "UCU"),
        FactorAnalyser("UCC", "UCC"),
        FactorAnalyser("CUU", "CUU"),
        FactorAnalyser("CUC", "CUC"),
        FactorAnalyser("CCU", "CCU"),
        FactorAnalyser("CCC", "CCC"),
    )
}

#: Names of mclust, and of McNicholas and Murphy, for families that have another name above. E and V are for
#: one feature.
SYNONYMS = {
    "VVV": "full",
    "EEE": "tied",
    "VVI": "diag",
    "VII": "spherical",
    "E": "EII",
    "V": "spherical",
    "UUU": "factor",
    "UUC": "ppca",
}

#: Every name of a family.
KNOWN = (*STRUCTURES, *FACTORS, *SYNONYMS)


def get_structure(name: str, d: int | None = None, n_factors: int = 1) -> Structure:
    """The structure of this name, scikit-learn's, mclust's or McNicholas and Murphy's; ValueError names all.

    Given the number of features, names that are for one feature are refused for more, and more factors than
    there can be, too.
    """
    try:
        known = SYNONYMS.get(name, name)
        structure = STRUCTURES.get(known) or FACTORS[known]
    except (KeyError, TypeError):
        raise ValueError(f"covariance_type must be one of {', '.join(KNOWN)}; got {name!r}") from None
    if name in ("E", "V") and d not in (None, 1):
        raise ValueError(f"covariance_type {name!r} is for one feature; for {d} use {name + 'II'!r}")
    if structure.n_factors and d is not None:
        return structure.of_shape((1, d, n_factors + 1))
    return structure


__all__ = [
    "FACTORS",
    "KNOWN",
    "STRUCTURES",
    "SYNONYMS",
    "NotPositiveDefiniteError",
    "Structure",
    "get_structure",
]
