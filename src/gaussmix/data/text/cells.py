"""The cells of text tables: numbers as people write them, truth values, and what stands for nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: Cells that stand for a missing value, in lower case.
MISSING = frozenset(
    [
        "",
        "?",
        "-",
        "--",
        "---",
        ".",
        "..",
        "...",
        ":",
        "*",
        "**",
        "***",
        "n.a.",
        "#value!",
        "#div/0!",
        "#num!",
        "#ref!",
        "#name?",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "+nan",
        "-nan",
        "null",
        "none",
        "missing",
        "<na>",
        "nil",
    ]
)
#: Cells that stand for a truth value, in lower case.
TRUTH = {"true": 1.0, "false": 0.0}
#: Kinds of columns.
NUMBERS, BOOLEANS, TEXT, EMPTY = "numbers", "booleans", "text", "empty"
#: Most characters of a cell that a message shows.
MOST_SHOWN = 40

#: Blanks that people put between groups of digits: plain, no-break, thin, narrow no-break.
BLANKS = " \u00a0\u2009\u202f"

#: A number whose exponent FORTRAN has written: 1.5D+03.
FORTRAN = re.compile(r"[+-]?((\d+\.\d*|\.\d+)[dD][+-]?|\d+[dD][+-])\d{1,3}", re.ASCII)

#: What dates and times begin with: 2024-01-02, 1.2.2024, 12:30, 2-Jan-24.
DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}:\d\d|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}", re.ASCII
)
#: What amounts and quantities begin with.
BEGUN = re.compile(
    r"[(<>~≤≥]?\s*[$€£¥]?\s*[+\-−]?\s*[$€£¥]?[.,]?\d[\d.,]*(\s|%|[*†‡]|±|[^\W\d_]{1,3}\b|$|[)\]/;-])"
)
#: Cells from which alike ones are no accident.
LEAST_ALIKE = 2


@dataclass(frozen=True)
class Marks:
    """How the numbers of a file are written, and what stands for a missing one."""

    decimal: str = "."
    #: Between groups of three digits; "" where there is none.
    thousands: str = ""
    #: Cells that stand for a missing value beside the usual ones, in lower case.
    words: frozenset[str] = frozenset()
    #: Numbers that do.
    numbers: frozenset[float] = frozenset()
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.plain:
            return
        group, decimal = re.escape(self.thousands), re.escape(self.decimal)
        if self.thousands == " ":
            group = f"[{BLANKS}]"
        elif self.thousands == "'":
            group = "['’]"
        whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d*)" if self.thousands else r"\d*"
        pattern = rf"[+-]?{whole}(?:{decimal}\d*)?(?:[eE][+-]?\d+)?"
        object.__setattr__(self, "_pattern", re.compile(pattern, re.ASCII))

    @property
    def plain(self) -> bool:
        """Whether numbers are written as in Python."""
        return self.decimal == "." and not self.thousands

    def is_missing(self, cell: str) -> bool:
        """Whether a cell stands for a missing value."""
        word = cell.strip().lower()
        return word in MISSING or word in self.words

    def read(self, cell: str) -> float | None:
        """The number in a cell; NaN if it is missing, None if the cell holds neither."""
        number = self._read_number(cell.strip())
        if number is None:
            return math.nan if self.is_missing(cell) else TRUTH.get(cell.strip().lower())
        return math.nan if number in self.numbers or self.is_missing(cell) else number

    def _read_number(self, cell: str) -> float | None:
        if self._pattern is not None and any(
            mark in cell for mark in f"{self.decimal}{self.thousands}.'’{BLANKS}"
        ):
            if not self._pattern.fullmatch(cell):
                return None
            for mark in (
                BLANKS if self.thousands == " " else "'’" if self.thousands == "'" else self.thousands
            ):
                cell = cell.replace(mark, "")
            cell = cell.replace(self.decimal, ".")
        if cell.startswith("\u2212"):  # the minus sign of typesetters
            cell = f"-{cell[1:]}"
        if ("d" in cell or "D" in cell) and FORTRAN.fullmatch(cell):
            cell = cell.replace("d", "e").replace("D", "e")
        try:
            # Python reads 2024_01 as a number, but in a table it is a label.
            return None if "_" in cell else float(cell)
        except ValueError:
            return None

    def is_missing_number(self, cell: str) -> bool:
        """Whether a cell holds one of the numbers that stand for a missing value."""
        return bool(self.numbers) and self._read_number(cell.strip()) in self.numbers

    def is_number(self, cell: str) -> bool:
        """Whether a cell holds a number (or a truth value) that is not missing."""
        number = self.read(cell)
        return number is not None and not math.isnan(number)

    def read_column(self, cells: Sequence[str]) -> tuple[list[float], list[int]]:
        """The numbers of cells, NaN where they are missing, and the places of cells that hold neither."""
        if self.plain and not self.numbers and not self.words and "_" not in "".join(cells):
            try:
                return list(map(float, cells)), []
            except ValueError:
                pass
        found = [self.read(cell) for cell in cells]
        flaws = [i for i, number in enumerate(found) if number is None]
        return [math.nan if number is None else number for number in found], flaws


PLAIN = Marks()
#: Ways to write numbers, the likelier first.
WAYS = (
    PLAIN,
    Marks(","),
    Marks(".", ","),
    Marks(",", "."),
    Marks(",", " "),
    Marks(".", " "),
    Marks(".", "'"),
    Marks(",", "'"),
)
#: 1,538 may be 1538 or 1.538.
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)

#: What may be a number in some way.
CANDIDATE = re.compile(rf"[{BLANKS}]*[+\-\u2212]?[\d.,'’{BLANKS}]+([eEdD][+-]?\d+)?[{BLANKS}]*")


def find_marks(columns: Sequence[Sequence[str]], separator: str, decimal: str | None) -> tuple[Marks, str]:
    """How numbers are written, and a cell that could be read otherwise ("" if there is none)."""
    # Columns of words alone, which may be hundreds, say nothing of numbers.
    columns = [column for column in columns if any(map(CANDIDATE.fullmatch, column))]
    odd = {column[i] for column in columns for i in PLAIN.read_column(column)[1]}
    odd = {cell for cell in odd if not PLAIN.is_missing(cell) and any("0" <= char <= "9" for char in cell)}
    ways = [way for way in WAYS if decimal in (None, way.decimal)]
    if not odd and decimal != ",":
        return PLAIN, ""
    cells = [cell for column in columns for cell in column] if decimal == "," or odd else []
    counts = {way: sum(map(way.is_number, cells)) for way in ways}
    best = max(counts.values(), default=0)
    among = [way for way in ways if counts[way] == best]
    if not among:
        return Marks(decimal or "."), ""
    if {Marks(","), Marks(".", ",")} <= set(among) and PLAIN not in among:
        example = next((cell for cell in sorted(odd) if EITHER.fullmatch(cell.strip())), "")
        grouped = separator == "," or any(_has_small_numbers(column) for column in columns)
        return (Marks(".", ",") if grouped else Marks(",")), example.strip()
    return among[0], ""


def _has_small_numbers(column: Iterable[str]) -> bool:
    """Whether some cells are groups of three after a comma, and others whole numbers under a thousand."""
    cells = [cell.strip() for cell in column]
    return any(EITHER.fullmatch(cell) for cell in cells) and any(
        cell.isdecimal() and len(cell) < 4 and cell != "0" for cell in cells
    )


def show_cell(cell: str) -> str:
    """A cell as a message shows it."""
    cell = cell if len(cell) <= MOST_SHOWN else cell[: MOST_SHOWN - 3] + "..."
    return ascii(cell) if not cell.isprintable() else repr(cell)


def describe_text(cells: Sequence[str]) -> str:
    """Why a column of text is left out: dates, numbers with signs beside them, or words."""
    filled = [cell.strip() for cell in cells if not PLAIN.is_missing(cell)]
    if 2 * sum(DATE.match(cell) is not None for cell in filled) > len(filled):
        return "dates or times"
    begun = [cell for cell in filled if BEGUN.match(cell)]
    if 2 * len(begun) <= len(filled) or len(filled) < LEAST_ALIKE:
        return TEXT
    return f"not plain numbers, such as {show_cell(begun[0])}"


def find_kind(cells: Sequence[str], marks: Marks) -> str:
    """The kind of a column: numbers if at least half of its filled cells are, so that a typo is an error."""
    filled = [cell for cell in cells if not marks.is_missing(cell)]
    if not filled:
        return EMPTY
    if all(cell.strip().lower() in TRUTH for cell in filled):
        return BOOLEANS
    numbers, _ = marks.read_column(filled)
    return NUMBERS if 2 * sum(number == number for number in numbers) >= len(filled) else TEXT
