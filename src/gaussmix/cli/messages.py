"""Messages on stderr: each is one line, of which no terminal can be harmed."""

from __future__ import annotations

from contextlib import suppress

import typer

from gaussmix._text import make_printable

#: Characters of a message; of a longer one the middle is left out, since names come first and reasons last.
MOST_MESSAGE = 1200
#: Characters at its beginning that are kept then.
HEAD = 400


def print_message(kind: str, message: str) -> None:
    """Print an error, a warning or a note, with its kind before it."""
    print_line(f"{kind}: {message}")


def print_line(message: str) -> None:
    """Print one line on stderr; where that cannot be written, there is nobody to tell it to."""
    with suppress(OSError):
        typer.echo(write_line(message), err=True)


def write_line(text: str) -> str:
    r"""The text as one printable line of bounded length.

    Examples
    --------
    >>> print(write_line("no such file:\nevil\x1b[2J"))
    no such file:; evil\x1b[2J
    >>> len(write_line("x" * 10_000))
    1200
    """
    line = make_printable("; ".join(text.splitlines()))
    if len(line) <= MOST_MESSAGE:
        return line
    return f"{line[:HEAD]} ... {line[HEAD + 5 - MOST_MESSAGE :]}"
