"""Which format a table has, by its first bytes: the ending of its name may say anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gaussmix._text import make_printable
from gaussmix.data.content import STANDARD_INPUT, Content, find_most_bytes, open_content, unpack
from gaussmix.data.formats import (
    archives,
    arrow_tables,
    fits_tables,
    json_tables,
    npy_tables,
    others,
    workbooks,
)
from gaussmix.data.formats.archives import Archive, list_tables, open_archive
from gaussmix.data.formats.typed_tables import refuse_part
from gaussmix.data.reading import Reading
from gaussmix.data.source import Source, refuse_os_errors
from gaussmix.data.text.tables import open_text
from gaussmix.errors import InputError

#: Bytes that no text has, but for UTF-16: control characters other than tabs, ends of lines and of pages.
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))
#: Endings of tables in an archive of several files.
TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".parquet", ".feather", ".arrow", ".orc", ".jsonl", ".fits", ".xlsx")


@dataclass(frozen=True)
class Format:
    """A way to know a format, and what opens it."""

    is_it: Callable[[bytes], bool]
    open: Callable[[Content, Reading, str | None], Source]


def _begin(mark: bytes) -> Callable[[bytes], bool]:
    """Bytes that begin with a mark, or as it does. A text may begin with the same letters, and stays one."""
    return lambda head: head[: len(mark)] == mark[: len(head)] and (head == mark or has_controls(head))


def has_controls(head: bytes) -> bool:
    """Whether there are bytes that no text has."""
    return len(head.translate(None, CONTROLS)) < len(head)


FORMATS = (
    Format(_begin(arrow_tables.PARQUET_MARK), arrow_tables.open_parquet),
    Format(_begin(arrow_tables.FILE_MARK), arrow_tables.open_feather),
    Format(arrow_tables.is_stream, arrow_tables.open_stream),
    Format(_begin(arrow_tables.FEATHER_MARK), arrow_tables.open_old_feather),
    Format(_begin(arrow_tables.ORC_MARK), arrow_tables.open_orc),
    Format(lambda head: head.startswith(npy_tables.MARK), npy_tables.open_npy),
    Format(lambda head: fits_tables.MARK.match(head) is not None, fits_tables.open_fits),
    Format(json_tables.is_json, json_tables.open_json),
)


def open_source(path: str | os.PathLike[str], reading: Reading) -> Source:
    """Find the format of a table, and its columns. Raises InputError where it is none that can be read.

    A part of a file that has several is asked for as FILE:PART: an array of an .npz file, a sheet, a
    member of an archive, a table of a FITS file.
    """
    path, part = _find_part(Path(path))
    if str(path) != STANDARD_INPUT:
        if path.is_dir():
            raise InputError(f"{path}: is a directory; expected a table")
        with refuse_os_errors(path, "read"):
            there = path.exists()
        if not there:
            raise InputError(f"{path}: no such file")
    with refuse_os_errors(path, "read"):
        return _open_format(open_content(path), reading, part)


def _find_part(path: Path) -> tuple[Path, str | None]:
    """A file, and the part of it that is asked for; a file whose name has a colon is that file."""
    if ":" in path.name:
        file, part = str(path).rsplit(":", 1)
        with refuse_os_errors(path, "read"):
            if part and not path.exists() and Path(file).is_file():
                return Path(file), part
    return path, None


def _open_format(content: Content, reading: Reading, part: str | None, *, nested: bool = False) -> Source:
    if content.head.startswith((archives.MARK, archives.EMPTY_MARK)):
        return _open_archive(content, reading, part, nested)
    for form in FORMATS:
        if form.is_it(content.head):
            return form.open(content, reading, part)
    other = others.find_other(content.head)
    if other is not None:
        raise InputError(f"{content.path}: {other}")
    refuse_part(content.path, part, "text table")
    return open_text(content, reading)


def _open_archive(content: Content, reading: Reading, part: str | None, nested: bool) -> Source:
    """Open what an archive is: a workbook, arrays of NumPy, or a table that was packed."""
    archive = open_archive(content)
    path, members = content.path, archive.sizes
    if workbooks.WORKBOOK in members:
        return workbooks.open_workbook(content, reading, archive, part)
    for mark, what in OFFICE.items():
        if mark in members:
            raise InputError(f"{path}: {what}")
    if all(name.endswith(".npy") for name in members):
        return npy_tables.open_npz(content, reading, archive, part)
    if nested:
        raise InputError(f"{path}: an archive in an archive; unpack it first")
    member = _choose_member(archive, part)
    packed = unpack(path, archive.read(member, find_most_bytes()))
    if not packed.head:
        raise InputError(f"{path}: {member!r} is empty")
    return _open_format(packed, reading, None, nested=True)


def _choose_member(archive: Archive, part: str | None) -> str:
    path, members = archive.content.path, list_tables(archive)
    if part is not None:
        if part not in archive.sizes:
            raise InputError(f"{path}: no file {part!r}; the archive has {', '.join(map(repr, members[:8]))}")
        return part
    tables = [name for name in members if name.lower().endswith(TABLE_ENDINGS)]
    chosen = members if len(members) == 1 else tables
    if len(chosen) != 1:
        listed = ", ".join(map(repr, members[:8])) or "none"
        more = f"; name one: {path.name}:{make_printable(members[0])}" if members else ""
        raise InputError(
            f"{path}: the archive has {len(members)} files, and which is the table? {listed}{more}"
        )
    return chosen[0]


#: Members that tell an office's files, and the line for each.
OFFICE = {
    "xl/workbook.bin": "a binary workbook (.xlsb), which gaussmix does not read; save it as .xlsx or as CSV",
    "word/document.xml": "a document of Word; save the table as CSV",
    "ppt/presentation.xml": "a presentation; save the table as CSV",
    "content.xml": "an OpenDocument file (.ods), which gaussmix does not read; save it as .xlsx or as CSV",
    "Index/Document.iwa": "a spreadsheet of Numbers, which gaussmix does not read; export it as CSV",
    "data.pkl": "an archive of PyTorch, which can hold any code; save the array with np.save",
}
