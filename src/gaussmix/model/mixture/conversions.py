"""Mixtures to and from other people's packages; each is imported only where it is used."""

from __future__ import annotations

from gaussmix.model.mixture.exported import Exported


class Conversions(Exported):
    """The methods of :class:`gaussmix.Mixture` that give it to other packages, and take it from them."""
