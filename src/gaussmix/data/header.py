"""The header of a text table: whether there is one, where it is, and what it calls the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gaussmix._text import count_noun, shorten, show_name
from gaussmix.data.cells import MOST_SHOWN, NUMBERS, PLAIN, TEXT, find_kind, find_marks
from gaussmix.data.comment_names import find_comment_names
from gaussmix.data.first_row import LEAST_ROWS, is_count_of_names, judge_first
from gaussmix.data.reading import Reading
from gaussmix.data.records import Dialect, collect_columns
from gaussmix.data.safe_names import restore_name
from gaussmix.errors import InputError

#: Most lines above a header that are passed over.
MOST_TITLES = 30
#: Names that a message shows.
MOST_NAMES = 8
#: Rows that titles must be followed by.
LEAST_BELOW = 3
#: Doubles among the names that a note shows.
MOST_DOUBLES = 2
#: A line that only rules.
RULER = re.compile(r"[\s|:+]*([-=]{2,}[\s|:+]*)+")

Record = tuple[int, list[str]]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The names of the columns, and what stands before the first row."""

    #: Records before the first row of data.
    n_records: int
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
) -> Header:
    """Find the header of a table from its first records."""
    words: list[str] = []
    options: tuple[str, ...] = ()
    begin, width, names = _find_body(records, quoted)
    commented = None
    if reading.header is False:
        begin, names = (begin - 1 if names else begin), None
    elif names is None:
        first, rest = records[begin][1], [cells for _, cells in records[begin + 1 :]]
        has, doubt = judge_first(first, rest, width, quoted, dialect.marks.decimal)
        if reading.header or has:
            names, begin = [cell.strip() for cell in first], begin + 1
        if has and doubt and reading.header is None:
            words.append(f"line {records[begin - 1][0]} as the header, though it has numbers")
            options = ("--no-header",)
        commented = None if names else find_comment_names(comments, dialect, width)
        if commented is not None:
            names, where = commented
            words.append(where)
            options = ("--no-header",)
    titles = begin - (names is not None and commented is None)
    if titles > 0:
        words.append(f"{count_noun(titles, 'line')} above the table passed over")
    return _end_header(path, records, begin, width, names, words, options)


def _end_header(
    path: Path,
    records: Sequence[Record],
    begin: int,
    width: int,
    names: Sequence[str] | None,
    words: list[str],
    options: tuple[str, ...],
) -> Header:
    """The header, with each name different, and what stands below it that is no row."""
    if names is None:
        default = tuple(f"x{i}" for i in range(width))
        return Header(n_records=begin, names=default, found=False, words=tuple(words))
    passed, why = _count_no_rows(records[begin:], width)
    if begin + passed >= len(records):
        shown = ", ".join(shorten(name, MOST_SHOWN) for name in names[:MOST_NAMES])
        raise InputError(f"{path}: there is a header ({shown}) and no row of data")
    named, unnamed, twice = _complete_names([restore_name(name) for name in names])
    return Header(
        n_records=begin + passed,
        names=named,
        found=True,
        unnamed=unnamed,
        words=(*words, *why, *twice),
        options=options,
    )


def _find_body(records: Sequence[Record], quoted: bool) -> tuple[int, int, list[str] | None]:
    """The first record of the body, the number of its cells, and the names above it if they differ in number.

    The body has the number of cells of most records. What stands above it are titles, with fewer cells.
    """
    widths = [len(cells) for _, cells in records]
    width = Counter(widths[1:] or widths).most_common(1)[0][0]
    begin = next((i for i, other in enumerate(widths) if other == width), 0)
    if not begin:
        return 0, width, None
    names = _fit_header(records[begin - 1][1], [cells for _, cells in records[begin:]], width, quoted)
    titles = widths[: begin - 1 if names else begin]
    if titles and (
        max(titles) >= width
        or len(titles) > MOST_TITLES
        or widths.count(width) < max(LEAST_BELOW, len(titles))
    ):
        return 0, widths[0], None
    return begin, width, names


def _fit_header(above: list[str], rows: Sequence[list[str]], width: int, quoted: bool) -> list[str] | None:
    """The names in a record whose cells are more or fewer than those of a row; None if it is no header."""
    names = [cell.strip() for cell in above]
    if len(names) > width:
        # commas at the end of the header alone
        return None if any(names[width:]) else names[:width]
    if len(names) != width - 1 or (len(names) == 1 and width > 2):
        return None
    numbers = [name for name in names if PLAIN.is_number(name)]
    if len(set(numbers)) < len(numbers):
        return None
    if not any(name and not PLAIN.is_number(name) for name in names):
        labelled = find_kind([row[0] for row in rows if len(row) == width], PLAIN) == TEXT
        if not labelled or not (quoted or is_count_of_names(names, PLAIN)):
            return None
    if all(len(row) == width and not row[-1].strip() for row in rows if len(row) == width):
        return [*names, ""]  # commas at the end of the rows alone
    return ["", *names]  # R's write.table: the rows have names, which have none themselves


def _count_no_rows(records: Sequence[Record], width: int) -> tuple[int, list[str]]:
    """How many records below a header are no rows: a rule, a line of units; and words on those."""
    ruled = next((i for i, (_, cells) in enumerate(records[:3]) if RULER.fullmatch("|".join(cells))), None)
    if ruled is not None:
        return ruled + 1, []
    if len(records) < LEAST_ROWS:
        return 0, []
    first, rows = records[0][1], [cells for _, cells in records[1:]]
    columns = collect_columns(rows, width)
    marks, _ = find_marks(columns, "", None)
    kinds = [find_kind(column, marks) for column in columns]
    above = [cell.strip() for cell, kind in zip(first, kinds, strict=False) if kind == NUMBERS]
    filled = [cell for cell in above if cell]
    if len(above) < 2 or len(set(filled)) < 1 or any(marks.read(cell) is not None for cell in filled):
        return 0, []
    shown = ", ".join(shorten(cell, MOST_SHOWN) for cell in filled[:3])
    return 1, [f"line {records[0][0]} passed over ({shown}: units?)"]


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
