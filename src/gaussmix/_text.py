"""Safe text for terminals and pages, from files that anyone may have made; tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

#: Between the columns of a table in plain text.
GAP = "   "
#: Characters of a name in a message.
MOST_NAME = 60
#: Things of which a sentence lists all.
MOST_LISTED = 10
#: Things of which it lists so many, where there are more than that.
SHOWN_OF_MANY = 3


def make_printable(text: str, encoding: str = "utf-8") -> str:
    r"""The text on one line. Characters that move a cursor, or that the encoding lacks, are escaped.

    Examples
    --------
    >>> print(make_printable("größe\x1b[2J\n"))
    größe\x1b[2J\n
    """
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return safe.encode(encoding, "backslashreplace").decode(encoding)


def shorten(text: str, most: int, encoding: str = "utf-8") -> str:
    """The printable text, cut to `most` characters that end in an ellipsis."""
    text = make_printable(text, encoding)
    return text if len(text) <= most else text[: most - 3] + "..."


def show_name(name: str) -> str:
    """A name that comes with the data, quoted, and cut where it is too long for a message.

    Examples
    --------
    >>> len(show_name(100_000 * "x"))
    62
    """
    return repr(name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 3]}...")


def count_noun(number: Any, noun: str) -> str:
    """A number with its noun, in the plural unless the number is 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def list_some(words: Sequence[Any], most: int = MOST_LISTED, shown: int = SHOWN_OF_MANY) -> str:
    """Things in a sentence: all of them, or of more than `most` the first few and how many more there are.

    Examples
    --------
    >>> list_some([3]), list_some([3, 7]), list_some("abcde")
    ('3', '3 and 7', 'a, b, c, d and e')
    >>> list_some(range(150))
    '0, 1, 2 and 147 more'
    """
    texts = [str(word) for word in words]
    if len(texts) > most:
        texts = [*texts[:shown], f"{len(texts) - shown} more"]
    return " and ".join([*([", ".join(texts[:-1])] if len(texts) > 1 else []), *texts[-1:]])


def list_first(words: Sequence[str], most: int) -> str:
    """The first things between commas, and how many more there are.

    Examples
    --------
    >>> list_first(["a", "b"], 3), list_first("abcde", 3)
    ('a, b', 'a, b, c and 2 more')
    """
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"


def make_text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first of which is the header, in columns aligned to the right.

    Examples
    --------
    >>> print(make_text_table([["k", "BIC"], ["1", "27.5"], ["10", "9.0"]]))
     k    BIC
     1   27.5
    10    9.0
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        GAP.join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


def make_html_table(rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Rows of cells, the first of which is the header, as an HTML table. Cells are escaped, shown as text."""
    header, *body = rows
    right, line = 'style="text-align:right"', 'style="text-align:left;white-space:nowrap"'
    above = f"<caption {line}>{_escape(caption)}</caption>" if caption else ""
    head = "".join(f"<th {right}>{_escape(cell)}</th>" for cell in header)
    lines = ["".join(f"<td {right}>{_escape(cell)}</td>" for cell in row) for row in body]
    inner = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{inner}</tbody></table>"


def make_html_facts(facts: Sequence[tuple[str, str]]) -> str:
    """Names and values as an HTML table, a line each."""
    left = 'style="text-align:left"'
    lines = [
        f"<tr><th {left}>{_escape(name)}</th><td {left}>{_escape(value)}</td></tr>" for name, value in facts
    ]
    return f"<table><tbody>{''.join(lines)}</tbody></table>" if lines else ""


def make_html_notes(notes: Sequence[str]) -> str:
    """Sentences below an HTML table, a paragraph each."""
    return "".join(f"<p>{_escape(note)}</p>" for note in notes)


def _escape(text: str) -> str:
    return escape(make_printable(text))
