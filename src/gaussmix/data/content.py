"""The bytes of a table: of a file as it lies, of one that is packed, or of a stream that can be read once."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from gaussmix.errors import InputError

#: What stands for the standard input among paths, and what it is called in messages.
STANDARD_INPUT, INPUT_NAME = "-", "standard input"
#: Bytes from which format, encoding and separator are judged.
HEAD_BYTES = 1 << 16
#: Bytes that are unpacked at a time.
BLOCK_BYTES = 1 << 22
#: Share of the machine's memory that an unpacked file may take.
MOST_MEMORY = 0.5
#: Times that a file may be packed: some unpack to themselves.
MOST_PACKED = 4


@dataclass(frozen=True)
class Content:
    """Bytes that can be read from their beginning again and again."""

    #: What messages call it.
    path: Path
    #: The first bytes, at most HEAD_BYTES.
    head: bytes
    #: All bytes, where they do not lie in a file as they are.
    held: bytes | None = None

    def open(self) -> BinaryIO:
        """A stream of all bytes."""
        return open(self.path, "rb") if self.held is None else io.BytesIO(self.held)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.path.stat().st_size if self.held is None else len(self.held)

    def read(self) -> bytes:
        """All bytes."""
        if self.held is not None:
            return self.held
        with self.open() as stream:
            return stream.read()


def open_content(path: Path) -> Content:
    """The content of a file, of a pipe, or of the standard input (-); packed files are unpacked.

    A pipe is opened once. Raises InputError if it is empty, damaged, or packed in a way that nothing
    installed can unpack, and OSError if it cannot be read.
    """
    if str(path) == STANDARD_INPUT:
        return unpack(Path(INPUT_NAME), _read_input())
    if path.is_file():
        with open(path, "rb") as stream:
            head = stream.read(HEAD_BYTES)
            if _find_packing(head) is None:
                content = Content(path, head)
            else:
                content = unpack(path, head + stream.read())
    elif path.is_char_device() or path.is_block_device():
        raise InputError(f"{path}: is a device, which need not end; expected a table")
    else:
        content = unpack(path, path.read_bytes())
    if not content.head:
        raise InputError(f"{path}: the file is empty")
    return content


def _read_input() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise InputError(f"{INPUT_NAME}: is closed; expected a table")
    if sys.stdin.isatty():
        raise InputError(f"{INPUT_NAME}: is a terminal; expected a table from a file or a pipe")
    data = sys.stdin.buffer.read()
    if not data:
        raise InputError(f"{INPUT_NAME}: is empty; expected a table")
    return data


def unpack(path: Path, data: bytes) -> Content:
    """Unpack data until they are not packed (any more)."""
    for _ in range(MOST_PACKED):
        packing = _find_packing(data)
        if packing is None:
            return Content(path, data[:HEAD_BYTES], data)
        data = _unpack_once(path, data, packing)
    raise InputError(f"{path}: is packed more than {MOST_PACKED} times; unpack it")


def _unpack_once(path: Path, data: bytes, packing: bytes) -> bytes:
    name, open_packed = PACKINGS[packing]
    parts, size, most = [], 0, find_most_bytes()
    try:
        with open_packed(path, data) as stream:
            while block := stream.read(BLOCK_BYTES):
                parts.append(block)
                size += len(block)
                if size > most:
                    raise InputError(f"{path}: unpacks to more than {most >> 20} MiB; unpack it into a file")
    except InputError:
        raise
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path}: a damaged {name} file: {error}") from error
    if not size:
        raise InputError(f"{path}: the {name} file holds nothing")
    return b"".join(parts)


def _open_zstd(path: Path, data: bytes) -> BinaryIO:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return cast(BinaryIO, zstd.ZstdFile(io.BytesIO(data)))
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"{path}: unpacking zstd needs pyarrow: pip install 'gaussmix[arrow]'")
    import pyarrow as pa

    return cast(BinaryIO, pa.input_stream(pa.py_buffer(data), compression="zstd"))


def _open_xz(path: Path, data: bytes) -> BinaryIO:
    return cast(BinaryIO, lzma.LZMAFile(io.BytesIO(data)))


def _find_packing(head: bytes) -> bytes | None:
    """The mark that packed bytes begin with."""
    return next((mark for mark in PACKINGS if head.startswith(mark)), None)


def find_most_bytes() -> int:
    """Bytes that an unpacked file may have."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # a system that does not tell
        return sys.maxsize
    return int(MOST_MEMORY * memory)


#: Ways to pack: the mark of each, its name, and what opens it.
PACKINGS: dict[bytes, tuple[str, Callable[[Path, bytes], BinaryIO]]] = {
    b"\x1f\x8b": ("gzip", lambda path, data: cast(BinaryIO, gzip.GzipFile(fileobj=io.BytesIO(data)))),
    b"BZh": ("bzip2", lambda path, data: cast(BinaryIO, bz2.BZ2File(io.BytesIO(data)))),
    b"\xfd7zXZ\x00": ("xz", _open_xz),
    b"\x28\xb5\x2f\xfd": ("zstd", _open_zstd),
}
