"""The header of a text table: whether there is one, where it is, and what it calls the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gaussmix._text import count_noun, shorten, show_name
from gaussmix.data.reading import Reading
from gaussmix.data.text.body import RULER, Body, Record, find_body
from gaussmix.data.text.cells import MOST_SHOWN, NUMBERS, find_kind, find_marks
from gaussmix.data.text.comment_names import find_comment_names
from gaussmix.data.text.first_row import LEAST_ROWS, judge_first
from gaussmix.data.text.records import Dialect, collect_columns
from gaussmix.data.text.safe_names import restore_name
from gaussmix.errors import InputError

#: Names that a message shows.
MOST_NAMES = 8
#: Doubles among the names that a note shows.
MOST_DOUBLES = 2


@dataclass(frozen=True, kw_only=True)
class Header:
    """The names of the columns, and what stands before the first row."""

    #: Records before the first row of data.
    n_records: int
    #: The record below the last row.
    end: int
    names: tuple[str, ...]
    #: Whether the names are the file's.
    found: bool
    #: The columns that the header left blank.
    unnamed: tuple[int, ...] = ()
    #: What was found out that is not usual.
    words: tuple[str, ...] = ()
    #: Options that decide what is in doubt.
    options: tuple[str, ...] = ()


def find_header(
    path: Path,
    records: Sequence[Record],
    dialect: Dialect,
    reading: Reading,
    comments: Sequence[str],
    quoted: bool,
    whole: bool,
) -> Header:
    """Find the header of a table from its first records; `whole` says that there are no others."""
    words: list[str] = []
    options: tuple[str, ...] = ()
    body = find_body(records, quoted, whole)
    begin, width, names, commented = body.begin, body.width, body.names, None
    if reading.header is False:
        begin, names = (begin - 1 if names else begin), None
    elif names is None:
        first, rest = records[begin][1], [cells for _, cells in records[begin + 1 + body.n_units : body.end]]
        has, doubt = judge_first(first, rest, width, quoted, dialect.marks.decimal)
        if reading.header or has:
            names, begin = [cell.strip() for cell in first], begin + 1
        if has and doubt and reading.header is None:
            words.append(f"line {records[begin - 1][0]} as the header, though it has numbers")
            options = ("--no-header",)
        commented = None if names or begin else find_comment_names(comments, dialect, width)
        if commented is not None:
            names, where = commented
            words.append(where)
            options = ("--no-header",)
        elif doubt and not has and reading.header is None:
            words.append(f"line {records[begin][0]} as a row, though it is far from all others")
            options = ("--header",)
    titles = begin - (names is not None and commented is None)
    if titles > 0:
        words.append(f"{count_noun(titles, 'line')} above the table passed over")
    if body.end < len(records):
        words.append(f"{count_noun(len(records) - body.end, 'line')} below it passed over")
    return _end_header(path, records[: body.end], begin, body, names, words, options)


def name_columns(path: Path, records: Sequence[Record], names: Sequence[str]) -> Header:
    """The header of a table whose names are given. Raises InputError if a row has not as many cells."""
    width = len(records[0][1])
    if width != len(names):
        cells = f"{count_noun(width, 'cell')}, but the header declares {len(names)}"
        raise InputError(f"{path}: line {records[0][0]}: {cells}")
    named, unnamed, twice = _complete_names(names)
    return Header(n_records=0, end=len(records), names=named, found=True, unnamed=unnamed, words=tuple(twice))


def _end_header(
    path: Path,
    records: Sequence[Record],
    begin: int,
    body: Body,
    names: Sequence[str] | None,
    words: list[str],
    options: tuple[str, ...],
) -> Header:
    """The header, with each name different, and what stands below it that is no row."""
    if names is None:
        default = tuple(f"x{i}" for i in range(body.width))
        return Header(
            n_records=begin, end=len(records), names=default, found=False, words=tuple(words), options=options
        )
    passed, why = _count_no_rows(records[begin:], body)
    if begin + passed >= len(records):
        shown = ", ".join(shorten(name, MOST_SHOWN) for name in names[:MOST_NAMES])
        raise InputError(f"{path}: there is a header ({shown}) and no row of data")
    named, unnamed, twice = _complete_names([restore_name(name) for name in names])
    return Header(
        n_records=begin + passed,
        end=len(records),
        names=named,
        found=True,
        unnamed=unnamed,
        words=(*words, *why, *twice),
        options=options,
    )


def _count_no_rows(records: Sequence[Record], body: Body) -> tuple[int, list[str]]:
    """How many records below a header are no rows: a rule, a line of units; and words on those."""
    ruled = next((i for i, (_, cells) in enumerate(records[:3]) if RULER.fullmatch("|".join(cells))), None)
    if ruled is not None:
        return ruled + 1, []
    if body.n_units:
        lines = f"{count_noun(body.n_units, 'line')} below the header passed over"
        return body.n_units, [f"{lines} ({_show_cells(records[0][1])}: units?)"]
    if len(records) < LEAST_ROWS:
        return 0, []
    first, rows = records[0][1], [cells for _, cells in records[1:]]
    columns = collect_columns(rows, body.width)
    marks, _ = find_marks(columns, "", None)
    kinds = [find_kind(column, marks) for column in columns]
    above = [cell.strip() for cell, kind in zip(first, kinds, strict=False) if kind == NUMBERS]
    filled = [cell for cell in above if cell]
    if len(above) < 2 or len(set(filled)) < 1 or any(marks.read(cell) is not None for cell in filled):
        return 0, []
    return 1, [f"line {records[0][0]} passed over ({_show_cells(filled)}: units?)"]


def _show_cells(cells: Sequence[str]) -> str:
    return ", ".join(shorten(cell.strip(), MOST_SHOWN) for cell in cells[:3])


def _complete_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...], list[str]]:
    """The columns' names, each different; which are blank; words on doubles."""
    named = list(names)
    unnamed = [i for i, name in enumerate(named) if not name]
    for i in unnamed:
        named[i] = f"x{i}" if f"x{i}" not in named else f"x{i}_unnamed"
    words = []
    taken = set(named)
    for name, times in Counter(named).items():
        for number, i in enumerate([i for i, other in enumerate(named) if other == name][1:], start=1):
            while (other := f"{name}.{number}") in taken:
                number += 1
            named[i] = other
            taken.add(other)
        if times > 1:
            column = named.index(name) + 1
            words.append(f"{show_name(name)} of column {column} and {show_name(named[i])} for its double")
    more = len(words) - MOST_DOUBLES
    words = words if more <= 0 else [*words[:MOST_DOUBLES], f"{count_noun(more, 'more name')} with doubles"]
    return tuple(named), tuple(unnamed), words
