"""A report of Old Faithful, made when the site is built, as old-faithful.html beside its first page."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

import gaussmix
from gaussmix.datasets import load_faithful


def write_example(app: Sphinx, failure: Exception | None) -> None:
    if failure is None:
        rows, names = load_faithful()
        found = gaussmix.search(rows, feature_names=names)
        path = Path(app.outdir) / "old-faithful.html"
        gaussmix.write_report(found, rows, path, source="Old Faithful", title="Eruptions of Old Faithful")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write_example)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
