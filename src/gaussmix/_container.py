"""The container of model files: safetensors with one JSON document and a checksum in its header.

Nothing is unpickled and nothing executed. A reader compares each length with the length of the file before
it uses it. So a file cannot ask for more memory than a small multiple of its own size. docs/format.md
describes the bytes.
"""

from __future__ import annotations

import json
import math
import os
import reprlib
import stat
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np

from gaussmix import _strict_json
from gaussmix._atomic import replace_file
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.errors import ModelFileError

#: The entries of the safetensors metadata that hold our JSON document and the checksum.
KEY = "gaussmix"
CHECKSUM = "gaussmix.crc32"

#: Bytes of the longest header that is written or read.
MAX_HEADER = 16 << 20
#: The most axes of a tensor.
MAX_DIMENSIONS = 8
#: Bytes of a number, by its type in the header.
ITEM_SIZES = {"F64": 8, "F32": 4}


class Content(NamedTuple):
    """What a file holds, and whether the checksum in it agrees."""

    tensors: dict[str, Float64Array]
    document: dict[str, Any]
    intact: bool


class _Flaw(Exception):
    """What is wrong with the bytes. The caller adds the name of the file."""


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, FloatArray], document: Mapping[str, Any]
) -> None:
    """Write atomically: the file is complete under its name, or as it was before.

    Raises
    ------
    TypeError, ValueError
        If the document is not JSON or too large; nothing is written then.
    OSError
        If the file cannot be written; it is as it was before.
    """
    content = pack(tensors, document)
    with replace_file(path) as temporary:
        temporary.write_bytes(content)


def pack(tensors: Mapping[str, FloatArray], document: Mapping[str, Any]) -> bytes:
    """The bytes of a file; numbers of single precision stay so.

    They depend on the content alone, not on the version of a library.
    """
    text = _strict_json.dump(document)
    kinds = ["F32" if tensor.dtype == np.float32 else "F64" for tensor in tensors.values()]
    data = [
        np.ascontiguousarray(tensor, dtype=f"<f{ITEM_SIZES[kind]}").tobytes()
        for tensor, kind in zip(tensors.values(), kinds, strict=True)
    ]
    blocks = dict(zip(tensors, data, strict=True))
    header: dict[str, Any] = {"__metadata__": {KEY: text, CHECKSUM: _compute_checksum(text, blocks)}}
    begin = 0
    for (name, tensor), kind in zip(tensors.items(), kinds, strict=True):
        end = begin + len(blocks[name])
        header[name] = {"dtype": kind, "shape": list(np.shape(tensor)), "data_offsets": [begin, end]}
        begin = end
    encoded = json.dumps(header, separators=(",", ":")).encode("ascii")
    encoded += b" " * (-len(encoded) % 8)  # so that the numbers begin at a multiple of eight
    if len(encoded) > MAX_HEADER:
        raise ValueError(
            f"the header of the model file would take {len(encoded)} bytes, and the most is {MAX_HEADER}: "
            "shorten the info or the feature names"
        )
    return b"".join([len(encoded).to_bytes(8, "little"), encoded, *data])


def read(path: str | os.PathLike[str]) -> Content:
    """The content of a model file.

    The caller judges the checksum, after all other checks, since these say better what is wrong.

    Raises
    ------
    ModelFileError
        If it is no model file.
    OSError
        If it cannot be opened.
    """
    try:
        with _open_ordinary(path) as file:
            return _read_content(file)
    except _Flaw as flaw:
        raise ModelFileError(f"{path}: {flaw}") from None


def _open_ordinary(path: str | os.PathLike[str]) -> BinaryIO:
    """Open the file if it is an ordinary one. Opening a pipe would wait for a program that writes into it."""
    _check_ordinary(os.stat(path).st_mode)
    flags = getattr(os, "O_NONBLOCK", 0)  # a pipe may have taken the place of the file since
    file = open(path, "rb", opener=lambda name, given: os.open(name, given | flags))  # noqa: SIM115
    try:
        _check_ordinary(os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def _check_ordinary(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise _Flaw("is a directory; expected a model file")
    if not stat.S_ISREG(mode):
        raise _Flaw("is a pipe, a socket or a device; expected a model file")


def _read_content(file: BinaryIO) -> Content:
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    if len(start) < 8:
        raise _Flaw(f"not a gaussmix model: the file is only {len(start)} bytes long")
    length, room = int.from_bytes(start, "little"), size - 8
    if not 2 <= length <= min(room, MAX_HEADER):
        _refuse_damaged(f"it gives its header {length} bytes, of {room} in the file and {MAX_HEADER} at most")
    header = file.read(length)
    metadata, places = _check_header(header, room - length)
    data = file.read(room - length)
    if len(header) + len(data) != room:
        _refuse_damaged("it became shorter while it was read")
    document = _read_document(metadata[KEY])
    blocks = {name: memoryview(data)[begin:end] for name, (begin, end) in places.items()}
    intact = metadata.get(CHECKSUM) == _compute_checksum(metadata[KEY], blocks)
    return Content(_read_tensors(start + header + data), document, intact)


def _read_tensors(content: bytes) -> dict[str, Float64Array]:
    """The tensors as the reader of the safetensors project finds them, which checks the file once more."""
    from safetensors.numpy import load

    try:
        tensors = load(content)
    except Exception as error:  # its errors share no base class
        _refuse_damaged(str(error))
    # The mixture may be saved again in double precision, so single precision has to pass the same checks.
    return {name: tensor.astype(np.float64) for name, tensor in tensors.items()}


def _check_header(header: bytes, n_data: int) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
    """The metadata, and where each tensor begins and ends in the `n_data` bytes that they fill."""
    try:
        text = header.decode("utf-8")
        entries = _strict_json.parse(text) if text.startswith("{") else None
    except ValueError as error:
        _refuse_damaged(f"its header is not JSON: {error}")
    if not isinstance(entries, dict):
        _refuse_damaged("its header is not a JSON object")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _refuse_damaged("its metadata are not text")
    if KEY not in metadata:
        raise _Flaw(f"a safetensors file, but not a gaussmix model: its metadata have no entry {KEY!r}")
    places = {name: _read_place(name, entry, n_data) for name, entry in entries.items()}
    end = 0
    for begin, following in sorted(places.values()):
        if begin != end:
            _refuse_damaged("its tensors do not follow each other without gap or overlap")
        end = following
    if end != n_data:
        _refuse_damaged(f"its tensors take {end} bytes, but {n_data} follow the header")
    return metadata, places


def _read_place(name: str, entry: Any, n_data: int) -> tuple[int, int]:
    """Where a tensor whose type, shape and length agree begins and ends."""
    shown = reprlib.repr(name)
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        _refuse_damaged(f"tensor {shown} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        _refuse_damaged(f"tensor {shown} is of type {reprlib.repr(dtype)}; expected F64 or F32")
    if not _are_integers(shape, 1, n_data) or len(shape) > MAX_DIMENSIONS:
        _refuse_damaged(
            f"tensor {shown} has the shape {reprlib.repr(shape)}, in a file with {n_data} bytes of data"
        )
    if not _are_integers(offsets, 0, n_data) or len(offsets) != 2:
        _refuse_damaged(f"tensor {shown} has the offsets {reprlib.repr(offsets)} in {n_data} bytes of data")
    begin, end = offsets
    if end - begin != math.prod(shape) * ITEM_SIZES[dtype]:
        _refuse_damaged(f"tensor {shown} of type {dtype} and shape {shape} cannot have the offsets {offsets}")
    return begin, end


def _are_integers(values: Any, least: int, most: int) -> bool:
    # type() rather than isinstance(), since True is no length
    return isinstance(values, list) and all(type(x) is int and least <= x <= most for x in values)


def _read_document(text: str) -> dict[str, Any]:
    try:
        document = _strict_json.parse(text)
    except ValueError as error:
        raise _Flaw(f"damaged: its document is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _Flaw("damaged: its document is not a JSON object")
    return document


def _compute_checksum(text: str, blocks: Mapping[str, bytes | memoryview]) -> str:
    """CRC-32 of the document and of the tensors by name, whatever their order in the file; eight digits."""
    total = zlib.crc32(text.encode("utf-8", "surrogatepass"))
    for name in sorted(blocks):
        total = zlib.crc32(blocks[name], total)
    return f"{total:08x}"


def _refuse_damaged(reason: str) -> NoReturn:
    raise _Flaw(f"damaged, truncated, or not a gaussmix model: {reason}")
