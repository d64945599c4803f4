"""Names of columns that stand in the comments above a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gaussmix.data.text.records import Dialect, cut_records

#: A comment that gives a column's number and its name, as SExtractor has them.
NUMBERED = re.compile(r"(?:col(?:umn)?\.?\s*)?(\d+)\s*[:=]?\s+([^\W\d]\S*)(\s.*)?", re.IGNORECASE)

#: What is no name: a number, a date, the name of a setting.
NO_NAME = re.compile(r"[+-]?[.,]?\d|.*[:=]$|$")


def find_comment_names(comments: Sequence[str], dialect: Dialect, width: int) -> tuple[list[str], str] | None:
    """The names of the columns, and words on where they stand; None where no comment has them."""
    bare = [line[len(dialect.comment) :].strip() for line in comments]
    if (names := _read_numbered(bare, width)) is not None:
        return names, "the names of numbered comments"
    if bare and (names := _read_last(bare[-1], dialect, width)) is not None:
        return names, "the names of the last comment above it"
    return None


def _read_numbered(comments: Sequence[str], width: int) -> list[str] | None:
    """Names that stand one in a comment, by their numbers; columns between them are parts of a vector."""
    found = [match for comment in comments if (match := NUMBERED.fullmatch(comment))]
    places = [int(match[1]) for match in found]
    if not places or places[0] not in (0, 1) or sorted(set(places)) != places:
        return None
    start = places[0]
    if places[-1] - start >= width or 2 * len(places) <= width < 6:
        return None
    names = [""] * width
    for place, match in zip(places, found, strict=True):
        names[place - start] = match[2]
    for i in range(1, width):
        names[i] = names[i] or names[i - 1]
    return names


def _read_last(comment: str, dialect: Dialect, width: int) -> list[str] | None:
    for separator in (dialect.separator, " ", ",", "\t"):
        plain = replace(dialect, separator=separator, comment="", bordered=False)
        for _, cells in cut_records(Path(), [comment], plain):
            names = [cell.strip() for cell in cells]
            if len(names) == width and not any(map(NO_NAME.match, names)):
                # A sentence above a single column is no name.
                return names if width > 1 or len(comment.split()) == 1 else None
    return None
