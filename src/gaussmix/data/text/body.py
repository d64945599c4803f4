"""Where the rows of a text table begin and end among its first records: titles above, sources below."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gaussmix.data.text.cells import PLAIN, TEXT, find_kind
from gaussmix.data.text.first_row import LEAST_ROWS, is_count_of_names
from gaussmix.data.text.records import collect_columns

#: Most records above a header, or below the rows, that are passed over.
MOST_TITLES, MOST_SOURCES = 60, 40
#: Rows that titles must be followed by.
LEAST_BELOW = 3
#: Records of words from which on the last one is the header, and those above it are settings.
LEAST_SETTINGS = 4
#: What numbers begin with, also those with units or in parts.
NUMERIC = re.compile(r"\s*[(<>~$€£]?\s*[+\-−]?[.,]?\d")
#: A power of ten at the end of a number.
POWER = re.compile(r"[eEdD][+-]?\d+$")
#: A line that only rules.
RULER = re.compile(r"[\s|:+]*([-=]{2,}[\s|:+]*)+")

Record = tuple[int, list[str]]


@dataclass(frozen=True, kw_only=True)
class Body:
    """The records of a table among those of a text."""

    #: The record of the header, or of the first row where there is none.
    begin: int
    #: The record below the last row.
    end: int
    #: Cells of a row.
    width: int
    #: The names above the rows, where their number is not that of the cells.
    names: list[str] | None = None
    #: Records between the header and the first row, such as units.
    n_units: int = 0


def find_body(records: Sequence[Record], quoted: bool, whole: bool) -> Body:
    """Find the rows: those of most records' width, up to the end, or to sources below them.

    `whole` says that the records are all there are; else nothing is known of what stands below.
    """
    widths = [len(cells) for _, cells in records]
    # Above the middle there may be more titles than rows.
    width = Counter(widths[1 + len(widths) // 2 :] or widths[1:] or widths).most_common(1)[0][0]
    numeric = _find_numeric([cells for _, cells in records if len(cells) == width], width)
    end = len(records) - (_count_sources(records, width, numeric) if whole else 0)
    widths = [width if RULER.fullmatch("|".join(cells)) else len(cells) for _, cells in records]
    begin = end
    while begin and widths[begin - 1] == width:
        begin -= 1
    while width > 1 and begin < end - 1 and RULER.fullmatch("|".join(records[begin][1])):
        begin += 1
    if begin and not _are_titles(records[:begin], end - begin, width, numeric):
        begin = widths.index(width)
        if not _are_short(widths[:begin], widths.count(width), width):
            return Body(begin=0, end=end, width=widths[0])
    rows = [cells for _, cells in records[begin:end]]
    names = _fit_names(records[begin - 1][1], rows, numeric, width, quoted, begin == 1) if begin else None
    if names is not None:
        return Body(begin=begin, end=end, width=width, names=names)
    skipped, n_units = _find_heading(rows, numeric)
    return Body(begin=begin + skipped, end=end, width=width, n_units=n_units)


def is_numeric(cell: str) -> bool:
    """Whether a cell begins as a number does."""
    return NUMERIC.match(cell) is not None


def _find_numeric(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns most of whose filled cells begin as numbers do."""
    found = []
    for i, column in enumerate(collect_columns(rows, width)):
        filled = [cell for cell in column if not PLAIN.is_missing(cell)]
        if filled and 2 * sum(map(is_numeric, filled)) >= len(filled):
            found.append(i)
    return found


def _count_sources(records: Sequence[Record], width: int, numeric: Sequence[int]) -> int:
    """How many records at the end are words on the table, of another width, or rules, or blank.

    Words above which such a record stands may have the table's width.
    """
    if width == 1:
        return 0
    n = 0
    for i, (_, cells) in enumerate(records[:1:-1], start=1):
        filled = [cell.strip() for cell in cells if cell.strip()]
        numbers = [
            cell for cell in filled if is_numeric(cell) and not any(map(str.isalpha, POWER.sub("", cell)))
        ]
        if len(cells) == width and (len(filled) > 1 or numbers):
            if len(numeric) < 2 or any(is_numeric(cells[at]) or not cells[at].strip() for at in numeric):
                break
            continue
        if len(cells) > width and numbers:
            break  # a row in which a separator is not quoted
        if 2 * len(numbers) > len(filled) or (numbers and numbers[0] == filled[0] and len(filled) < 3):
            break
        n = i
    return n if n <= MOST_SOURCES else 0


def _are_titles(above: Sequence[Record], n_rows: int, width: int, numeric: Sequence[int]) -> bool:
    """Whether records above the rows are none of them, and few enough."""
    if not numeric or n_rows < max(LEAST_BELOW, len(above)) or len(above) > MOST_TITLES:
        return False
    if len(above) == 1 and len(above[0][1]) > width and not any(map(PLAIN.is_number, above[0][1])):
        return not any(map(str.strip, above[0][1][width:]))  # names, more than there are cells
    if width < 2:
        return False
    for _, cells in above:
        held = [cells[i] for i in numeric if i < len(cells) and cells[i].strip()]
        if len(held) > 1 and all(map(is_numeric, held)):
            return False
    return True


def _are_short(titles: Sequence[int], n_rows: int, width: int) -> bool:
    return (
        max(titles, default=0) < width
        and len(titles) <= MOST_TITLES
        and n_rows >= max(LEAST_BELOW, len(titles))
    )


def _fit_names(
    above: list[str],
    rows: Sequence[list[str]],
    numeric: Sequence[int],
    width: int,
    quoted: bool,
    first: bool,
) -> list[str] | None:
    """The names in a record whose cells are more or fewer than those of a row; None if it is no header.

    `first` says that nothing stands above that record.
    """
    held = [rows[0][i] for i in numeric if i < len(rows[0])]
    if numeric and not any(is_numeric(cell) or PLAIN.is_missing(cell) for cell in held):
        return None  # the header is the first record below
    names = [cell.strip() for cell in above]
    if len(names) > width:
        # commas at the end of the header alone
        return None if any(names[width:]) else names[:width]
    if len(names) != width - 1 or (len(names) == 1 and width > 2):
        return None
    if all(len(row) == width and not row[-1].strip() for row in rows if len(row) == width):
        return [*names, ""]  # commas at the end of the rows alone
    if not first or (len(names) == 1 and _has_fractions(row[0] for row in rows)):
        return None
    numbers = [name for name in names if PLAIN.is_number(name)]
    if len(set(numbers)) < len(numbers):
        return None
    if not any(name and not PLAIN.is_number(name) for name in names):
        labelled = find_kind([row[0] for row in rows if len(row) == width], PLAIN) == TEXT
        if not quoted and not (labelled and is_count_of_names(names, PLAIN)):
            return None
    return ["", *names]  # R's write.table: the rows have names, which have none themselves


def _has_fractions(cells: Iterable[str]) -> bool:
    """Whether some cells are numbers that are not whole, as no names of rows are."""
    found = [cell.strip() for cell in cells if is_numeric(cell)]
    return any(re.search(r"[.,]\d*[1-9]|[eE]-", cell) for cell in found)


def _find_heading(rows: Sequence[Sequence[str]], numeric: Sequence[int]) -> tuple[int, int]:
    """Records above the header, and between it and the first row, where several have words above numbers.

    Settings of an instrument, a name and a value each, end with the header. Without such values, the header
    is the first record that is filled most; what follows are units, or the words of a questionnaire.
    """
    above = []
    for cells in rows[:MOST_TITLES]:
        held = [cells[i] for i in numeric if i < len(cells) and not PLAIN.is_missing(cells[i])]
        if not held or all(map(is_numeric, held)):
            break
        above.append(held)
    n = len(above)
    if n < 2 or len(rows) - n < max(LEAST_ROWS, n):
        return 0, 0
    filled = [sum(bool(cell.strip()) for cell in cells) for cells in rows[:n]]
    wordy = [not any(map(is_numeric, held)) for held in above]
    # names such as "2019 sold", of more columns than a setting has
    wordy[0] = wordy[0] or (filled[0] > 2 and not any(map(PLAIN.is_number, above[0])))
    last = [cell.strip() for cell in above[-1]]
    if not wordy[-1] or len(set(last)) < len(last):
        return (0, n - 1) if all(wordy) and n < LEAST_SETTINGS else (0, 0)
    if not all(wordy) or (n >= LEAST_SETTINGS and len(set(filled)) == 1):
        return n - 1, 0
    best = filled.index(max(filled))
    words = [cell.strip() for held in above[best:] for cell in held]
    if len(numeric) < 2 and (n < 3 or len(set(words)) < len(words)):
        return 0, 0
    return best, n - 1 - best
