"""NumPy's arrays: .npy, and .npz with several of them."""

from __future__ import annotations

import ast
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gaussmix._text import list_first, make_printable
from gaussmix.data.content import Content
from gaussmix.data.formats.archives import Archive
from gaussmix.data.formats.typed_tables import (
    BLOCK_BYTES,
    TypedTable,
    check_names,
    describe_type,
    find_missing_numbers,
    refuse_damage,
    refuse_part,
)
from gaussmix.data.reading import Reading
from gaussmix.errors import InputError

MARK = b"\x93NUMPY"
#: Arrays of an .npz file that a message lists.
MOST_ARRAYS = 6
#: Bytes of a header. NumPy stops at a sixth of it; one of a thousand fields has 40,000.
MOST_HEADER = 1 << 16

#: Opens the bytes of an array anew.
Opener = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class Header:
    """What the header of a .npy file says of its array, which is known to fit into the file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool  # Fortran's order
    start: int  # bytes before the array

    @property
    def is_numeric(self) -> bool:
        """Whether these are real numbers, or fields."""
        return self.dtype.kind in "buif" or self.dtype.names is not None

    def describe(self) -> str:
        """Shape and type for a message."""
        kind = (
            f"{len(self.dtype.names)} fields" if self.dtype.names is not None else describe_type(self.dtype)
        )
        return f"{self.shape} of {kind}"


@dataclass(frozen=True, kw_only=True)
class NpyTable(TypedTable):
    """An array in a file, read rather than mapped: a map of a file that shrinks ends the process."""

    header: Header
    open_array: Opener

    def read_blocks(self, positions: Sequence[int]) -> Iterator[list[NDArray[Any]]]:
        """Yield blocks of the columns, or fields."""
        header = self.header
        with self.open_array() as stream:
            stream.seek(header.start)
            if header.by_columns and len(header.shape) == 2:
                yield _read_columns(stream, header, positions)
                return
            names = header.dtype.names
            width = 1 if names is not None or len(header.shape) == 1 else header.shape[1]
            rows = max(1, BLOCK_BYTES // max(1, width * header.dtype.itemsize))
            for start in range(0, header.shape[0], rows):
                n = min(rows, header.shape[0] - start)
                block = _read_numbers(stream, header.dtype, n * width)
                if names is not None:
                    yield [block[names[i]] for i in positions]
                else:
                    columns = block.reshape(n, width)
                    yield [columns[:, i] for i in positions]


@dataclass(frozen=True, kw_only=True)
class ArraysTable(TypedTable):
    """Arrays of one length as columns, from an .npz file."""

    arrays: tuple[NpyTable, ...]
    places: tuple[tuple[int, int], ...]  # of each column: which array, and which column of it

    def read_blocks(self, positions: Sequence[int]) -> Iterator[list[NDArray[Any]]]:
        """Yield the columns as one block: each array is unpacked once."""
        read: dict[int, NDArray[Any]] = {}
        for number, array in enumerate(self.arrays):
            wanted = [i for i in positions if self.places[i][0] == number]
            if wanted:
                values = array.read([[self.places[i][1] for i in wanted]])[0]
                read |= {i: values[:, at] for at, i in enumerate(wanted)}
        yield [read[i] for i in positions]


def open_npy(content: Content, reading: Reading, part: str | None = None) -> NpyTable:
    """Read the header of a .npy file, and check that it is a matrix of real numbers or has fields."""
    refuse_part(content.path, part, ".npy file")
    return _open_array(content, reading, content.open, content.size)


def open_npz(content: Content, reading: Reading, archive: Archive, part: str | None = None) -> TypedTable:
    """Find the table among the arrays of an .npz file.

    It is the array that is asked for, the only array of two dimensions, or arrays of one dimension and of
    one length, side by side.
    """
    path = content.path
    members = {name.removesuffix(".npy"): name for name in archive.sizes}
    headers: dict[str, Header] = {}
    for name, member in members.items():
        with refuse_damage(path, f"a damaged .npz file: array {name!r}"), archive.open(member) as stream:
            headers[name] = _read_header(path, stream, archive.sizes[member])
    listed = list_first([f"{name!r} {header.describe()}" for name, header in headers.items()], MOST_ARRAYS)

    def open_one(name: str) -> NpyTable:
        member = members[name]
        return _open_array(content, reading, lambda: archive.open(member), archive.sizes[member])

    if part is not None:
        if part.removesuffix(".npy") not in members:
            raise InputError(f"{path}: no array {part!r}; the file has {listed}")
        return open_one(part.removesuffix(".npy"))
    matrices = [name for name, h in headers.items() if h.is_numeric and _is_table(h)]
    if len(headers) == 1:
        return open_one(next(iter(headers)))
    main = matrices[0] if len(matrices) == 1 else None
    lines = {name: h for name, h in headers.items() if len(h.shape) == 1 and h.dtype.names is None}
    n_rows = (
        headers[main].shape[0] if main is not None else next(iter({h.shape[0] for h in lines.values()}), 0)
    )
    beside = [name for name, h in lines.items() if h.shape[0] == n_rows]
    if main is None and (matrices or not n_rows or len(beside) < len(lines)):
        remedy = f"name one of them: {path.name}:{make_printable(next(iter(headers)))}"
        raise InputError(f"{path}: which of its arrays is the table? It has {listed}; {remedy}")
    others = [name for name in headers if name != main and name not in beside]
    notes = (f"{path}: left out, of another shape: {', '.join(map(repr, others))}",) if others else ()
    return _join_arrays(
        content, reading, None if main is None else open_one(main), beside, headers, open_one, notes
    )


def _join_arrays(
    content: Content,
    reading: Reading,
    main: NpyTable | None,
    beside: list[str],
    headers: dict[str, Header],
    open_one: Callable[[str], NpyTable],
    notes: tuple[str, ...],
) -> TypedTable:
    """The columns of a matrix, and arrays of one dimension: its columns where there is no matrix."""
    names = [] if main is None else list(main.names)
    beside = [name for name in beside if name not in names]
    numeric = {name: headers[name].is_numeric for name in beside}
    arrays = [] if main is None else [main]
    places = [(0, i) for i in range(len(names))]
    left_out = {} if main is None else dict(main.left_out)
    not_numbers = {} if main is None else dict(main.not_numbers)
    for name in beside:
        i = len(names)
        names.append(name)
        if not numeric[name]:
            not_numbers[i] = f"values of type {describe_type(headers[name].dtype)}"
            left_out[i] = describe_type(headers[name].dtype)
            places.append((-1, 0))
            continue
        if main is not None:
            left_out[i] = "an array beside the table"
        places.append((len(arrays), 0))
        arrays.append(open_one(name))
    singles = {i for i, (a, at) in enumerate(places) if a >= 0 and at in arrays[a].singles}
    return ArraysTable(
        path=content.path,
        content=content,
        form=".npz file",
        names=tuple(names),
        has_header=main is None or main.has_header,
        left_out=left_out,
        not_numbers=not_numbers,
        notes=notes,
        n_rows=headers[beside[0]].shape[0] if main is None else main.n_rows,
        singles=frozenset(singles),
        missing=find_missing_numbers(reading),
        arrays=tuple(arrays),
        places=tuple(places),
    )


def _is_table(header: Header) -> bool:
    """Whether an array is a table by itself: two dimensions, or one and fields."""
    return len(header.shape) == 2 or (len(header.shape) == 1 and header.dtype.names is not None)


def _open_array(content: Content, reading: Reading, open_array: Opener, size: int) -> NpyTable:
    path = content.path
    with refuse_damage(path, "not a .npy file, or a truncated one"), open_array() as stream:
        header = _read_header(path, stream, size)
    dtype, shape = header.dtype, header.shape
    if not header.is_numeric:
        raise InputError(f"{path}: the array is of type {describe_type(dtype)}; expected real numbers")
    most = 2 if dtype.names is None else 1
    if not 1 <= len(shape) <= most:
        expected = "(rows, columns)" if dtype.names is None else "(rows,), since it has fields"
        raise InputError(f"{path}: the array has shape {shape}; expected {expected}")
    if 0 in shape:
        raise InputError(f"{path}: the array is empty: its shape is {shape}")
    left_out: dict[int, str] = {}
    if dtype.names is None:
        names = tuple(f"x{i}" for i in range(1 if len(shape) == 1 else shape[1]))
        kinds = [dtype] * len(names)
    else:
        names = dtype.names
        kinds = [dtype[name] for name in names]
        check_names(path, names)
        left_out = {i: describe_type(kind) for i, kind in enumerate(kinds) if kind.kind not in "buif"}
    singles = frozenset(i for i, kind in enumerate(kinds) if kind.newbyteorder("=") == np.float32)
    return NpyTable(
        path=path,
        content=content,
        form=".npy file",
        names=names,
        has_header=dtype.names is not None,
        left_out=left_out,
        not_numbers={i: f"values of type {kind}" for i, kind in left_out.items()},
        n_rows=shape[0],
        singles=singles,
        missing=find_missing_numbers(reading),
        header=header,
        open_array=open_array,
    )


def _read_header(path: Path, stream: BinaryIO, size: int) -> Header:
    """Read the header of an array, and check that what it promises is there. Nothing is unpickled."""
    start = stream.read(10)
    if not start.startswith(MARK) or len(start) < 10:
        raise ValueError("it has no header")
    if start[6] not in (1, 2, 3):
        raise ValueError(f"the version {start[6]}.{start[7]} of the format is not known")
    wide = start[6] > 1
    length = int.from_bytes(start[8:] + (stream.read(2) if wide else b""), "little")
    if length > min(size, MOST_HEADER):
        raise ValueError(f"a header of {length} bytes")
    text = stream.read(length).decode("utf-8" if start[6] == 3 else "latin-1")
    if len(text.encode("utf-8" if start[6] == 3 else "latin-1")) < length:
        raise ValueError("its header is cut off")
    dtype, shape, by_columns = _parse_header(text)
    if dtype.hasobject:
        raise InputError(
            f"{path}: not a .npy file of numbers: it has Python objects, which are not unpickled"
        )
    start_of_data = 10 + 2 * wide + length
    needed = math.prod(shape) * dtype.itemsize
    if not 0 <= needed <= size - start_of_data:
        raise ValueError(
            f"{needed} bytes for shape {describe_type(shape)}, of which {size - start_of_data} are there"
        )
    return Header(dtype, shape, by_columns, start_of_data)


def _parse_header(text: str) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    try:
        fields = ast.literal_eval(text.strip())
        described, by_columns, shape = fields["descr"], fields["fortran_order"], fields["shape"]
        dtype = np.lib.format.descr_to_dtype(described)
    except Exception as error:  # SyntaxError, RecursionError, KeyError, and what NumPy raises for odd types
        raise ValueError("its header is damaged") from error
    counts = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if not counts or type(by_columns) is not bool:
        raise ValueError(f"its header is damaged: shape {describe_type(shape)}")
    return dtype, shape, by_columns


def _read_columns(stream: BinaryIO, header: Header, positions: Sequence[int]) -> list[NDArray[Any]]:
    """Read columns that lie one after the other; those that are not wanted are skipped."""
    n, d = header.shape
    wanted, columns, at = set(positions), {}, 0
    for i in range(d):
        if i in wanted:
            stream.seek((i - at) * n * header.dtype.itemsize, io.SEEK_CUR)
            columns[i] = _read_numbers(stream, header.dtype, n)
            at = i + 1
    return [columns[i] for i in positions]


def _read_numbers(stream: BinaryIO, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    data = stream.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise ValueError("it ends before its last row")
    return np.frombuffer(data, dtype, count)
