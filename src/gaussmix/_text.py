"""Text from files that anyone may have made, on its way to a terminal."""

from __future__ import annotations


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""The text on one line, with escapes for what moves a terminal's cursor or is not in an encoding.

    Examples
    --------
    >>> print(printable("größe\x1b[2J\n"))
    größe\x1b[2J\n
    """
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return safe.encode(encoding, "backslashreplace").decode(encoding)
