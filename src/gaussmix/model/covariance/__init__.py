"""The table of covariance structures. A new family is one file here and one row below."""

from __future__ import annotations

from gaussmix.model.covariance.analysis import Sharing
from gaussmix.model.covariance.diagonal import Diagonal
from gaussmix.model.covariance.eei import EEI
from gaussmix.model.covariance.eev import EEV
from gaussmix.model.covariance.eii import EII
from gaussmix.model.covariance.eve import EVE
from gaussmix.model.covariance.evi import EVI
from gaussmix.model.covariance.evv import EVV
from gaussmix.model.covariance.factors import Factors
from gaussmix.model.covariance.full import Full
from gaussmix.model.covariance.matrices import NotPositiveDefiniteError
from gaussmix.model.covariance.spherical import Spherical
from gaussmix.model.covariance.structure import Structure
from gaussmix.model.covariance.tied import Tied
from gaussmix.model.covariance.vee import VEE
from gaussmix.model.covariance.vei import VEI
from gaussmix.model.covariance.vev import VEV
from gaussmix.model.covariance.vve import VVE

STRUCTURES: dict[str, Structure] = {
    structure.name: structure
    for structure in (
        *(Full(), Tied(), Diagonal(), Spherical()),
        *(EII(), EEI(), VEI(), EVI(), VEE(), EVE(), VVE(), EEV(), VEV(), EVV()),
    )
}

#: Factor analysers, here of one factor. The letters of McNicholas and Murphy say whether loadings are shared,
#: whether noise is, and whether noise is isotropic (C, constrained) or not (U); "factor" is their UUU.
FACTORS: dict[str, Structure] = {
    structure.name: structure
    for structure in (
        Factors("factor", Sharing(own_loadings=True, own_noise=True, isotropic=False)),
        Factors("ppca", Sharing(own_loadings=True, own_noise=True, isotropic=True)),
        Factors("UCU", Sharing(own_loadings=True, own_noise=False, isotropic=False)),
        Factors("UCC", Sharing(own_loadings=True, own_noise=False, isotropic=True)),
        Factors("CUU", Sharing(own_loadings=False, own_noise=True, isotropic=False)),
        Factors("CUC", Sharing(own_loadings=False, own_noise=True, isotropic=True)),
        Factors("CCU", Sharing(own_loadings=False, own_noise=False, isotropic=False)),
        Factors("CCC", Sharing(own_loadings=False, own_noise=False, isotropic=True)),
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

#: Every name that there is.
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
        return structure.holding((1, d, n_factors + 1))
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
