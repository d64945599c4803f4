"""One column of numbers with decimal commas, told from two columns of whole numbers between commas."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gaussmix.data.text.cells import PLAIN

#: A number with a decimal comma, or a whole one: its part before the comma, behind it, and the power of ten.
NUMBER = re.compile(r'"?([+-]?\d*)(?:,(\d*))?([eE][+-]?\d+)?"?', re.ASCII)
#: A name that cannot be two, unless it is quoted; separators may stand behind it.
NAME = re.compile(r'("[^"]*"|[^,;|\t"]+)[;|\t]*')
#: Lines above the numbers: a title, a name, a unit.
MOST_NAMES = 3
#: Digits of a double that is written in full. Whole numbers that are so long are times, all equally long.
MANY_DIGITS = 14
#: Rows, and digits behind the comma, equally many in each, from which on one column is nearly as likely.
LEAST_ROWS, LEAST_DIGITS = 5, 3

#: Before the comma, behind it, and the power of ten.
Part = tuple[str, str | None, str | None]


def is_decimal_column(lines: Sequence[str], *, told: bool) -> bool:
    """Whether the text is one column of numbers with decimal commas, rather than two of whole numbers.

    It is if one name stands above it, or if the parts are none of whole numbers: if one behind the comma
    begins with a zero, is very long or of the form 25e-3, if -0 stands before a comma, or if there is no
    comma in some rows. `told` says that the commas are known to be decimal marks.
    """
    named, parts = _cut_rows(lines)
    if not parts or all(behind is None for _, behind, _ in parts):
        return False
    if parts[0] == ("", "0", None) and all(before for before, _, _ in parts[1:]):
        return told  # pandas writes the name 0 of a series so, above its index and values
    return named or told or _are_parts_of_numbers(parts)


def is_doubtful(lines: Sequence[str]) -> bool:
    """Whether two columns of whole numbers could well be one: as many digits are behind each comma.

    Years and the like, as long before the comma as behind it, are two.
    """
    named, parts = _cut_rows(lines)
    lengths = {len(behind or "") for _, behind, _ in parts}
    if named or len(parts) < LEAST_ROWS or len(lengths) > 1 or min(lengths) < LEAST_DIGITS:
        return False
    return {len(before) for before, _, _ in parts} != lengths


def _cut_rows(lines: Sequence[str]) -> tuple[bool, list[Part]]:
    """Whether names stand above, one a line, and the parts of the rows; none if some row is no number."""
    rows = [line.strip() for line in lines]
    named = 0
    while (
        named < min(MOST_NAMES, len(rows))
        and NAME.fullmatch(rows[named])
        and not PLAIN.is_number(rows[named])
    ):
        named += 1
    filled = [row for row in rows[named:] if not PLAIN.is_missing(row.strip('"'))]
    found = [NUMBER.fullmatch(row) for row in filled if any(map(str.isdecimal, row))]
    parts = [(match[1], match[2], match[3]) for match in found if match]
    return named > 0, parts if len(parts) == len(filled) else []


def _are_parts_of_numbers(parts: Sequence[Part]) -> bool:
    before, digits = [part[0] for part in parts], [part[1] for part in parts if part[1]]
    lengths = set(map(len, digits))
    return (
        len(digits) < len(parts)
        or any(part[0] == "0" and len(part) > 1 for part in digits)
        or (len(lengths) > 1 and max(lengths) >= MANY_DIGITS)
        or any(part in ("-0", "+0") or not part.strip("+-") for part in before)
        or set(before) == {"0"}
        or set(digits) == {"0"}
        or any(power and len(part or "") > 1 for _, part, power in parts)
    )
