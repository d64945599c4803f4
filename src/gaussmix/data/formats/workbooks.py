"""Workbooks of Excel (.xlsx, .xlsm), with python-calamine (an extra)."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from typing import Any

from gaussmix._text import make_printable
from gaussmix.data.content import Content
from gaussmix.data.formats.archives import Archive
from gaussmix.data.formats.cell_tables import CellTable, judge_column, make_cell_table, make_marks
from gaussmix.data.formats.typed_tables import cut_message, refuse_damage
from gaussmix.data.reading import Reading
from gaussmix.data.text.cells import EMPTY
from gaussmix.data.text.header import find_header
from gaussmix.data.text.records import Dialect
from gaussmix.errors import InputError

#: The part that each workbook has.
WORKBOOK = "xl/workbook.xml"
#: The place of a cell or row in a sheet's XML.
CELL = re.compile(rb"""r\s*=\s*["']([A-Za-z]{0,7})([0-9]{1,10})["']""")
#: Most cells of a rectangle for each cell that is written: calamine holds the rectangle in memory.
MOST_EMPTY = 200
#: Cells of a rectangle, 32 bytes each, that are always allowed.
FREE_CELLS = 1 << 20
#: Rows from which the header is found.
SAMPLE_ROWS = 1000
#: Bytes of a part that are searched, unpacked.
MOST_PART = 1 << 30


def open_workbook(content: Content, reading: Reading, archive: Archive, part: str | None = None) -> CellTable:
    """Read the first sheet with data, or the one that is asked for."""
    path = content.path
    if importlib.util.find_spec("python_calamine") is None:
        raise InputError(
            f"{path}: reading a workbook (.xlsx) needs python-calamine: pip install 'gaussmix[excel]', "
            "or save the sheet as CSV"
        )
    _check_extent(archive)
    with refuse_damage(path, "a damaged workbook (.xlsx)"):
        sheets = _read_sheets(content, part)
    if part is not None and part not in sheets:
        raise InputError(f"{path}: no sheet {part!r}; the workbook has {', '.join(map(repr, sheets))}")
    filled = [name for name, (rows, _) in sheets.items() if rows]
    if not filled:
        what = "no sheet of the workbook has rows" if part is None else f"the sheet {part!r} is empty"
        raise InputError(f"{path}: {what}")
    name, *others = filled
    notes = []
    if others:
        other = make_printable(others[0])
        notes.append(f"{path}: the sheet {name!r} is read; of the others, name one as {path.name}:{other}")
    return _find_table(content, reading, name, *sheets[name], notes)


def _read_sheets(content: Content, part: str | None) -> dict[str, tuple[list[list[Any]], int]]:
    """The rows of each sheet, and the number of the first one."""
    import python_calamine

    sheets: dict[str, tuple[list[list[Any]], int]] = {}
    with content.open() as stream:
        try:
            workbook = python_calamine.CalamineWorkbook.from_filelike(stream)
            for about in workbook.sheets_metadata:
                if str(about.typ).rsplit(".", 1)[-1] != "WorkSheet":
                    continue
                sheets[about.name] = ([], 1)
                if part in (None, about.name):
                    sheet = workbook.get_sheet_by_name(about.name)
                    rows = sheet.to_python(skip_empty_area=True)
                    sheets[about.name] = (rows, 1 + (sheet.start or (0, 0))[0])
        except BaseException as error:
            if isinstance(error, (Exception, KeyboardInterrupt)):
                raise
            raise ValueError(cut_message(error)) from error  # a panic of calamine, which is no Exception
    return sheets


def _check_extent(archive: Archive) -> None:
    """Raise InputError where sheets are rectangles of far more cells than are written.

    Two cells in opposite corners would have calamine ask for 400 GB, and end the process.
    """
    path = archive.content.path
    for member in archive.sizes:
        if not member.lower().endswith((".xml", ".rels")):
            continue
        data = archive.read(member, MOST_PART)
        if b"sheetData" not in data:
            continue
        columns, rows, written = {b""}, {0}, 0
        for letters, digits in CELL.findall(data):
            columns.add(letters.upper())
            rows.add(int(digits))
            written += 1
        n_columns = max(_read_letters(letters) for letters in columns)
        if n_columns * max(rows) > FREE_CELLS + MOST_EMPTY * written:
            extent = f"{max(rows)} rows and {n_columns} columns"
            raise InputError(f"{path}: a sheet has {written} cells in {extent}; save it as CSV")


def _read_letters(letters: bytes) -> int:
    """The number of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _find_table(
    content: Content, reading: Reading, sheet: str, rows: list[list[Any]], first: int, notes: list[str]
) -> CellTable:
    """Find the header and the columns among the rows of a sheet, by the rules of text tables."""
    path, marks = content.path, make_marks(reading)
    filled = [
        (number, [None if cell == "" else cell for cell in row])
        for number, row in enumerate(rows, first)
        if any(cell != "" for cell in row)
    ]
    records = _write_records(filled[:SAMPLE_ROWS])
    header = find_header(path, records, Dialect(separator=","), reading, (), quoted=False, whole=True)
    if header.words:
        options = f"; if that is wrong, say {' or '.join(header.options)}" if header.options else ""
        notes.append(f"{path}: read with {', '.join(header.words)}{options}")
    body = filled[header.n_records :]
    cells = [list(column) for column in zip(*(row for _, row in body), strict=True)]
    columns = [judge_column(column, marks) for column in cells]
    return make_cell_table(
        path,
        header.names,
        columns,
        cells,
        marks,
        has_header=header.found,
        place=f"row {{}} of the sheet {sheet!r}",
        places=[number for number, _ in body],
        notes=notes,
        unnamed=[i for i in header.unnamed if columns[i].kind != EMPTY],
    )


def _write_records(rows: Sequence[tuple[int, list[Any]]]) -> list[tuple[int, list[str]]]:
    """Rows as a text table would have them: a title, which is a single cell, has no empty cells beside it."""
    records = [(number, [_write_cell(cell) for cell in row]) for number, row in rows]
    for at, (number, cells) in enumerate(records):
        texts = [cell for cell in cells if cell]
        if len(texts) > 1:
            break
        records[at] = (number, texts)
    else:  # rows of one cell each: a single column
        return [(number, [_write_cell(cell) for cell in row]) for number, row in rows]
    return records


def _write_cell(cell: Any) -> str:
    """The text of a cell; 2001.0, as workbooks have integers, is 2001."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
