"""The command `gaussmix`: mixtures fitted to tables, without writing Python."""

from __future__ import annotations

from gaussmix.cli.app import app, main

__all__ = ["app", "main"]
