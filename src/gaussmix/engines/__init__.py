"""Engines: who computes. The loops in `fit` see the protocol alone."""

from __future__ import annotations

from gaussmix.data.rows import Chunks, Rows
from gaussmix.engines.chunks import ChunkEngine
from gaussmix.engines.local import LocalEngine
from gaussmix.engines.protocol import Engine, Quantile, Scales


def choose_engine(rows: Rows) -> type[LocalEngine]:
    """The engine that computes with rows that lie where these do."""
    return ChunkEngine if isinstance(rows.values, Chunks) else LocalEngine


__all__ = ["Engine", "Quantile", "Scales", "choose_engine"]
