"""The encoding of a text: found from its first bytes, and its lines."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from gaussmix.data.content import Content
from gaussmix.errors import InputError

#: Encodings of two or four bytes a character.
WIDE = ("utf-16", "utf-32")


def open_lines(content: Content, encoding: str) -> io.TextIOWrapper:
    """The text of a table. Bytes of another encoding, in cells that are not read, do not stop it."""
    return io.TextIOWrapper(content.open(), encoding=encoding, errors="surrogateescape", newline="")


def find_encoding(content: Content) -> str:
    """The encoding of a text. Raises InputError for bytes that no text has."""
    head = content.head
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(zeros) > 1 and zeros.count(0) > 0.9 * len(zeros):
            return encoding
    text = head.rstrip(b"\x1a\x00") if len(head) == content.size else head  # the end of a text in DOS
    control = next((byte for byte in text if byte < 32 and byte not in b"\t\n\r\f\v"), None)
    if control is not None:
        raise InputError(
            f"{content.path}: not a text table: it holds the byte 0x{control:02x} at position "
            f"{head.index(control)}"
        )
    # A character may be cut at the end of the head.
    begun = head.rstrip(bytes(range(128, 256))) if len(head) < content.size else head
    for encoding in ("utf-8", "cp1252"):
        try:
            begun.decode(encoding)
        except UnicodeDecodeError:
            continue
        return "utf-8-sig" if encoding == "utf-8" else encoding
    return "latin-1"


def explain_encoding(path: Path, encoding: str) -> str:
    """Say that a text does not go on as it begins."""
    return f"{path}: not a text table: it begins as {encoding} and does not go on so"
