"""Which format a table has, by its first bytes: the ending of its name may say anything."""

from __future__ import annotations

import os
from pathlib import Path

from gaussmix.data.binary_tables import open_npy, open_parquet
from gaussmix.data.content import STANDARD_INPUT, open_content
from gaussmix.data.reading import Reading
from gaussmix.data.source import Source, refuse_os_errors
from gaussmix.data.text_tables import open_text
from gaussmix.errors import InputError

#: Formats by the bytes that they begin with, and what opens each; all else is text.
MARKS = {b"PAR1": open_parquet, b"\x93NUMPY": open_npy}

#: What is no table, by the bytes that it begins with.
OTHERS: dict[bytes, str] = {}


def open_source(path: str | os.PathLike[str], reading: Reading) -> Source:
    """Find the format of a table, and its columns. Raises InputError where it is none that can be read."""
    path = Path(path)
    if str(path) != STANDARD_INPUT:
        if path.is_dir():
            raise InputError(f"{path}: is a directory; expected a table")
        with refuse_os_errors(path, "read"):
            there = path.exists()
        if not there:
            raise InputError(f"{path}: no such file")
    with refuse_os_errors(path, "read"):
        content = open_content(path)
        for mark, open_format in MARKS.items():
            if content.head.startswith(mark):
                return open_format(content)
        for mark, what in OTHERS.items():
            if content.head.startswith(mark):
                raise InputError(f"{content.path}: {what}")
        return open_text(content, reading)
