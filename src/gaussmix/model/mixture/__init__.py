"""The mixture of Gaussians as a value: densities, draws, files, and how it presents itself."""

from __future__ import annotations

from gaussmix.model.mixture.mixture import Mixture

__all__ = ["Mixture"]
