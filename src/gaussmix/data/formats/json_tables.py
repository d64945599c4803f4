"""Tables in JSON: a record a line, or one array or object in the forms that pandas writes."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gaussmix.data.content import Content
from gaussmix.data.formats.arrow_tables import convert_column
from gaussmix.data.formats.cell_tables import (
    NESTED,
    CellColumn,
    CellTable,
    judge_column,
    judge_numbers,
    make_cell_table,
    make_marks,
)
from gaussmix.data.formats.typed_tables import check_names, refuse_damage, refuse_part
from gaussmix.data.reading import Reading
from gaussmix.data.text.cells import TEXT, Marks
from gaussmix.errors import InputError
from gaussmix.model.mixture.printing import default_names

#: How a JSON value that can be a table begins; a header such as [Fe/H] does not.
OBJECT = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*("|\}|$)')
ARRAY = re.compile(
    rb'(\xef\xbb\xbf)?\s*\[\s*(\[|\{|$|\]\s*\Z|(-?\d[^,\]]*|"[^"]*"|null|true|false|NaN)\s*(,[^\]]*)?(\]\s*$|\Z))',
    re.MULTILINE,
)
#: Keys of a row's number, as pandas writes them.
ROW_NUMBER = re.compile(r"\d+")
#: How messages call a row.
PLACE = "record {}"


@dataclass(frozen=True)
class Records:
    """The columns of a JSON document: names and cells."""

    names: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]
    has_names: bool = True
    note: str | None = None
    row_names: tuple[str, ...] = ()  # columns that pandas has as its index


def is_json(head: bytes) -> bool:
    """Whether the first bytes are those of a JSON document, or of lines of such."""
    return OBJECT.match(head) is not None or ARRAY.match(head) is not None


def open_json(content: Content, reading: Reading, part: str | None = None) -> CellTable:
    """Read a table in JSON, whole."""
    path = content.path
    refuse_part(path, part, "JSON file")
    with refuse_damage(path, "not a table in JSON"):
        table = _read_lines_compiled(content, reading)
        if table is not None:
            return table
        records = _read_records(content)
    if not records.names or not records.columns[0]:
        raise InputError(f"{path}: the table in JSON has no rows")
    notes = [] if records.note is None else [f"{path}: {records.note}"]
    marks = make_marks(reading)
    return make_cell_table(
        path,
        records.names,
        [judge_column(column, marks) for column in records.columns],
        records.columns,
        marks,
        has_header=records.has_names,
        place=PLACE,
        places=range(1, len(records.columns[0]) + 1),
        notes=notes,
        unnamed=[i for i, name in enumerate(records.names) if name in records.row_names],
    )


def _read_records(content: Content) -> Records:
    """The columns of a document, or of many, a line each."""
    text = content.read().decode("utf-8-sig")
    decoder = json.JSONDecoder()
    start = len(text) - len(text.lstrip())
    try:
        first, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise InputError(f"{content.path}: line {error.lineno}: not JSON: {error.msg}") from error
    if text[end:].strip():
        return _collect_records(content, list(_read_lines(content, text)))
    single_row = isinstance(first, dict) and not any(isinstance(v, (dict, list)) for v in first.values())
    is_row = isinstance(first, list) and not any(isinstance(v, (dict, list)) for v in first)
    if single_row or is_row:  # a file of one line
        return _collect_records(content, [first])
    return _collect_document(content, first)


def _read_lines(content: Content, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{content.path}: line {number}: not JSON: {error.msg}") from error


def _collect_document(content: Content, document: Any, depth: int = 0) -> Records:
    """The columns of one JSON value: records, rows, or an object as pandas writes it."""
    if isinstance(document, list):
        return _collect_records(content, document)
    values = list(document.values())
    names = tuple(document)
    if {"columns", "data"} <= set(names) and isinstance(document["columns"], list):
        rows = _collect_records(content, document["data"])
        given = tuple(map(str, document["columns"]))
        if len(given) != len(rows.names):
            raise InputError(
                f"{content.path}: {len(given)} columns are named, and rows have {len(rows.names)}"
            )
        check_names(content.path, given)
        return Records(given, rows.columns)
    flat = [isinstance(value, list) and not any(isinstance(cell, dict) for cell in value) for value in values]
    if all(flat) and values:
        if len({len(value) for value in values}) > 1:
            raise InputError(f"{content.path}: the columns {_list_lengths(document)} are not of one length")
        return Records(names, tuple(values))
    if all(isinstance(value, dict) for value in values):
        if all(map(ROW_NUMBER.fullmatch, names)) and not all(map(ROW_NUMBER.fullmatch, values[0])):
            return _collect_records(content, values)  # pandas' orient="index"
        keys = list(dict.fromkeys(key for value in values for key in value))
        return Records(names, tuple([value.get(key) for key in keys] for value in values))
    tables = [name for name in names if isinstance(document[name], list) and document[name]]
    if len(tables) == 1 and depth == 0:
        found = _collect_records(content, document[tables[0]])
        note = f"read {tables[0]!r}, the array in the object"
        return replace(found, note=note, row_names=_find_index(document))
    raise InputError(f"{content.path}: an object that is no table; expected an array of records, or columns")


def _find_index(document: dict[str, Any]) -> tuple[str, ...]:
    """The columns that the schema of pandas' orient="table" has as the index."""
    schema = document.get("schema")
    keys = schema.get("primaryKey") if isinstance(schema, dict) else None
    return tuple(map(str, keys)) if isinstance(keys, list) else ()


def _collect_records(content: Content, records: Any) -> Records:
    """The columns of records, which may lack some, or of rows."""
    if isinstance(records, list) and records:
        if all(isinstance(record, dict) for record in records):
            names = tuple(dict.fromkeys(name for record in records for name in record))
            return Records(names, tuple([record.get(name) for record in records] for name in names))
        if all(isinstance(record, list) for record in records):
            return _collect_rows(content, records)
    raise InputError(f'{content.path}: JSON that is no table; expected records such as {{"a": 1, "b": 2}}')


def _collect_rows(content: Content, rows: list[list[Any]]) -> Records:
    width = len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise InputError(
                f"{content.path}: row {number}: {len(row)} values, but the first row has {width}"
            )
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    if width and len(rows) > 1 and all(isinstance(name, str) for name in rows[0]):
        below = (cell for column in columns for cell in column[1:])
        if any(isinstance(cell, (int, float)) for cell in below):  # an array of names, and then rows
            check_names(content.path, rows[0])
            return Records(tuple(rows[0]), tuple(column[1:] for column in columns))
    return Records(default_names(width), tuple(columns), has_names=False)


def _list_lengths(document: dict[str, list[Any]]) -> str:
    shown = [f"{name!r} ({len(value)})" for name, value in list(document.items())[:4]]
    return ", ".join(shown)


def _read_lines_compiled(content: Content, reading: Reading) -> CellTable | None:
    """Read records a line with pyarrow, far faster than `json`; None where it cannot, or may misread."""
    if importlib.util.find_spec("pyarrow") is None or OBJECT.match(content.head) is None:
        return None
    first = content.head.split(b"\n", 1)
    if len(first) < 2 or not first[0].rstrip().endswith(b"}") or not OBJECT.match(first[1]):
        return None
    import pyarrow as pa
    from pyarrow import json as arrow_json

    marks = make_marks(reading)
    try:
        with content.open() as stream:
            table = arrow_json.read_json(stream)
        columns = [_judge_arrow(column, marks) for column in table.columns]
    except (pa.ArrowException, UnicodeError):
        return None
    names = table.column_names
    if len(set(names)) < len(names) or not len(table):
        return None
    return make_cell_table(
        content.path,
        names,
        columns,
        table.columns,
        marks,
        has_header=True,
        place=PLACE,
        places=range(1, len(table) + 1),
    )


def _judge_arrow(column: Any, marks: Marks) -> CellColumn:
    import pyarrow.types as types

    kind = column.type
    if types.is_null(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return judge_numbers(convert_column(column), marks)
    if types.is_string(kind):
        return judge_column(column.to_pylist(), marks)
    return CellColumn(np.full(len(column), np.nan), TEXT if types.is_temporal(kind) else NESTED, 0)
