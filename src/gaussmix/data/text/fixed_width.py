"""Texts whose columns have fixed places in a line: where these are, and a line cut at them."""

from __future__ import annotations

from collections.abc import Sequence

from gaussmix.data.text.cells import PLAIN

#: Rows from which the places of columns are judged.
LEAST_LINES = 3


def find_cuts(lines: Sequence[str]) -> tuple[int, ...]:
    """The places at which lines are cut into cells; () where the lines have no such places.

    Only the last two thirds of the lines tell them: above may stand titles. At each place all of these lines
    have a blank, or the sign of a number that touches the one before it.
    """
    lines = [line.rstrip() for line in lines]
    rows = lines[len(lines) // 3 :]
    if len(rows) < LEAST_LINES or any("\t" in line for line in rows):
        return ()
    width = max(map(len, rows))
    padded = [line.ljust(width) for line in rows]
    columns = ["".join(column) for column in zip(*padded, strict=True)]
    blank = [not column.strip() for column in columns]
    cuts, gap = [], -1
    for at in range(1, width):
        if blank[at]:
            gap = at if not blank[at - 1] else gap
        elif blank[at - 1] and gap > 0:
            cuts.append(_choose_place(lines, gap, at))
        elif not blank[at - 1] and _touches(columns[at - 1], columns[at]):
            cuts.append(at)
    cells = [cut_line(line, tuple(cuts)) for line in rows]
    if not cuts or any(len(row) <= len(cuts) for row in cells) or _hold_several(cells):
        return ()
    numbers = [sum(map(PLAIN.is_number, column)) for column in zip(*cells, strict=True)]
    return tuple(cuts) if max(numbers) == len(rows) else ()


def _hold_several(rows: Sequence[Sequence[str]]) -> bool:
    """Whether some cell holds several numbers: then its place is that of several columns."""
    parts = [cell.split() for row in rows for cell in row if " " in cell]
    return any(all(PLAIN.read(part) is not None for part in cell) for cell in parts)


def cut_line(line: str, cuts: Sequence[int]) -> list[str]:
    """The cells of a line; the whole line as one cell where a word stands across a place."""
    if any(line[at - 1 : at].strip() and line[at : at + 1].strip(" \r\n+-") for at in cuts):
        return [line.strip()]
    return [line[start:end].strip() for start, end in zip((0, *cuts), (*cuts, None), strict=True)]


def _choose_place(lines: Sequence[str], start: int, end: int) -> int:
    """The place in a gap at which the fewest lines, titles included, have a word."""
    across = [
        sum(bool(line[at - 1 : at].strip() and line[at : at + 1].strip()) for line in lines)
        for at in range(start, end + 1)
    ]
    return start + across.index(min(across))


def _touches(before: str, column: str) -> bool:
    """Whether numbers begin in a column of characters, mostly behind a blank, else with a sign."""
    if column.strip(" +-") or 2 * column.count(" ") < len(column):
        return False
    return all(
        char == " " or last.isdigit() or last in ". " for last, char in zip(before, column, strict=True)
    )
