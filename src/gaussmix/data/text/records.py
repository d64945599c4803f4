"""Text cut into records, one by one: for the first rows of a table, and to say where a row is wrong."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gaussmix.data.text.cells import PLAIN, Marks
from gaussmix.data.text.fixed_width import cut_line
from gaussmix.errors import InputError

#: Most characters of a cell: the parser's own limit is one that tables of genes exceed.
MOST_CHARACTERS = 2**31 - 1
#: What a blank line has; DOS ended its texts with the last one.
BLANK = " \t\r\n\v\f\x1a"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a text is cut into cells, and how the cells are written."""

    #: Between cells; " " stands for any run of blanks.
    separator: str
    #: Around cells that hold the separator.
    quote: str = '"'
    #: Before a quotation mark in a cell, where it is not doubled.
    escape: str = ""
    #: What lines that are no rows begin with; "" where there are none.
    comment: str = ""
    #: Whether the separator also stands at both ends of a line.
    bordered: bool = False
    #: Where lines are cut, if the columns have fixed places.
    cuts: tuple[int, ...] = ()
    #: Lines before the first row.
    start: int = 0
    #: The line of the last row, where others stand below; else 0.
    end: int = 0
    marks: Marks = field(default=PLAIN)

    def prepare(self, line: str) -> str:
        """The line as the parser takes it."""
        if self.cuts:
            return line
        if self.separator == " ":
            # Blanks at the ends of a line would make empty cells. Tabs count as blanks.
            return line.replace("\t", " ").strip()
        return line.strip().strip(self.separator) if self.bordered else line


class _Lines:
    """Lines that are not comments, and the number of the last one in the file."""

    def __init__(self, lines: Iterable[str], dialect: Dialect, skip: int) -> None:
        self.number = skip
        self._lines, self._dialect = itertools.islice(lines, skip, None), dialect

    def __iter__(self) -> Iterator[str]:
        dialect = self._dialect
        for line in self._lines:
            self.number += 1
            if not dialect.comment or not line.lstrip().startswith(dialect.comment):
                yield dialect.prepare(line)


def cut_records(
    path: Path, lines: Iterable[str], dialect: Dialect, *, single: bool = False, skip: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its last line, cells) of each record that is not blank, after `skip` lines.

    With `single`, of a single column, a blank line between others is a missing cell.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MOST_CHARACTERS))
    source = _Lines(lines, dialect, skip)
    pending: list[int] = []
    try:
        reader = csv.reader(
            source,
            delimiter=dialect.separator,
            quotechar=dialect.quote,
            escapechar=dialect.escape or None,
            skipinitialspace=True,
        )
        for cells in (cut_line(line, dialect.cuts) for line in source) if dialect.cuts else reader:
            if 0 < dialect.end < source.number:
                return
            if not cells or (len(cells) == 1 and not cells[0].strip(BLANK)):
                pending.append(source.number)
                continue
            if single:
                yield from ((line, [""]) for line in pending)
            pending = []
            yield source.number, cells
    except csv.Error as error:
        raise InputError(f"{path}: line {source.number}: cannot be cut into cells: {error}") from error


def collect_columns(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """The cells of each column; rows may be too short."""
    if all(len(row) == width for row in rows):
        return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
    return [[cells[i] for cells in rows if i < len(cells)] for i in range(width)]
