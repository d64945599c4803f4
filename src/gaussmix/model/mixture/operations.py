"""The algebra of mixtures: operations that make other mixtures of one."""

from __future__ import annotations

from gaussmix.model.mixture.evaluated import Evaluated


class Operations(Evaluated):
    """The methods of :class:`gaussmix.Mixture` that make other mixtures."""
