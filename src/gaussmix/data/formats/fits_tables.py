"""FITS, the tables of astronomy, binary and ASCII; astropy (an extra) reads the headers.

The rows are decoded here, in blocks: astropy would fill missing values in with 0 or hold the whole table.

Reference: W. D. Pence et al., Definition of the Flexible Image Transport System, version 3.0,
Astronomy & Astrophysics 524 (2010), A42.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussmix._text import list_first
from gaussmix._typing import Float64Array
from gaussmix.data.content import Content
from gaussmix.data.formats.typed_tables import (
    BLOCK_BYTES,
    TypedTable,
    check_names,
    describe_type,
    find_missing_numbers,
    refuse_damage,
)
from gaussmix.data.reading import Reading
from gaussmix.errors import InputError

#: How each FITS file begins.
MARK = re.compile(rb"SIMPLE  = +T")
#: Types of binary columns: the letter of TFORM, NumPy's type of what is stored, and what it is.
TYPES = {
    "L": ("S1", "logical"),
    "B": ("u1", "byte"),
    "I": (">i2", "short"),
    "J": (">i4", "integer"),
    "K": (">i8", "long"),
    "E": (">f4", "float"),
    "D": (">f8", "double"),
}
#: Types that are no numbers, with the bytes of one value.
OTHERS = {
    "A": (1, "text"),
    "X": (0, "bits"),
    "C": (8, "complex"),
    "M": (16, "complex"),
    "P": (8, "array"),
    "Q": (16, "array"),
}
#: Types of columns of ASCII tables that are numbers.
ASCII_NUMBERS = "IFED"
BINARY_FORM = re.compile(r"\s*(\d*)([LXBIJKAEDCMPQ])")
ASCII_FORM = re.compile(r"\s*([AIFED])(\d+)")


@dataclass(frozen=True)
class Field:
    """A column of numbers: where it stands in a row, and what turns what is stored into numbers."""

    at: int
    stored: np.dtype[Any]
    scale: float = 1.0
    zero: float = 0.0
    null: str | int | None = None

    def convert(self, block: NDArray[Any]) -> NDArray[Any]:
        """The numbers of a block of rows, NaN where there is none."""
        stored = np.ndarray(len(block), self.stored, block, self.at, (block.itemsize,))
        if self.stored.kind == "S":
            return self._read_text(stored) * self.scale + self.zero
        if self.scale == 1.0 and self.zero == 0.0 and self.null is None:
            return stored
        values = stored.astype(np.float64) * self.scale + self.zero
        if self.null is not None:
            values[stored == self.null] = np.nan
        return values

    def _read_text(self, stored: NDArray[Any]) -> Float64Array:
        if self.stored.itemsize == 1 and self.null is None:  # a logical: T, F or nothing
            return np.select([stored == b"T", stored == b"F"], [1.0, 0.0], np.nan)
        texts: Any = np.char.strip(np.char.upper(stored))
        texts = np.char.replace(texts, b"D", b"E")
        null = str(self.null).strip().upper().encode("latin-1").replace(b"D", b"E")
        missing = (texts == null[: self.stored.itemsize]) | (texts == b"")
        return np.where(missing, b"nan", texts).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class FitsTable(TypedTable):
    """A table of a FITS file."""

    fields: dict[int, Field]
    start: int
    row_bytes: int

    def read_blocks(self, positions: Sequence[int]) -> Iterator[list[NDArray[Any]]]:
        """Yield blocks of rows."""
        left = self.n_rows or 0
        most = max(1, BLOCK_BYTES // self.row_bytes)
        with self.content.open() as stream:
            stream.seek(self.start)
            while left:
                n = min(most, left)
                data = stream.read(n * self.row_bytes)
                if len(data) < n * self.row_bytes:
                    raise ValueError("it ends before its last row")
                block = np.frombuffer(data, f"V{self.row_bytes}")
                yield [self.fields[i].convert(block) for i in positions]
                left -= n


def open_fits(content: Content, reading: Reading, part: str | None = None) -> FitsTable:
    """Find the first table of a FITS file, or the one that is asked for by its name or number."""
    path = content.path
    if importlib.util.find_spec("astropy") is None:
        raise InputError(f"{path}: reading FITS needs astropy: pip install 'gaussmix[fits]'")
    from astropy.io import fits

    with (
        refuse_damage(path, "a damaged FITS file"),
        content.open() as stream,
        fits.open(stream, memmap=False, disable_image_compression=True) as units,
    ):
        seen = []
        for number, unit in enumerate(units):
            header, name = unit.header, str(unit.header.get("EXTNAME", "")).strip()
            kind = str(header.get("XTENSION", "IMAGE")).strip()
            wanted = (
                kind in ("BINTABLE", "TABLE") and not header.get("ZIMAGE", False)
                if part is None
                else part in (name, str(number))
            )
            if not wanted:
                seen.append(f"{number}{f' ({name})' if name else ''}: {_describe_unit(kind, header)}")
                continue
            if kind not in ("BINTABLE", "TABLE") or header.get("ZIMAGE", False):
                raise InputError(f"{path}: {part!r} is {_describe_unit(kind, header)}; expected a table")
            if header.get("ZTABLE", False):
                raise InputError(f"{path}: the table is compressed; unpack it with funpack first")
            start = int(unit.fileinfo()["datLoc"])
            return _make_table(content, reading, header, start, kind == "TABLE")
    listed = describe_type("; ".join(seen))
    if part is not None:
        raise InputError(f"{path}: no part {part!r}; the FITS file has {listed}")
    raise InputError(f"{path}: a FITS file without a table: it has {listed}")


def _describe_unit(kind: str, header: Any) -> str:
    if kind in ("BINTABLE", "TABLE") and not header.get("ZIMAGE", False):
        return f"a table of {header.get('NAXIS2')} rows"
    shape = " x ".join(
        str(header.get(f"NAXIS{i}")) for i in range(1, min(int(header.get("NAXIS", 0)), 4) + 1)
    )
    return f"an image of {shape} pixels" if shape else "no data"


def _make_table(content: Content, reading: Reading, header: Any, start: int, ascii_table: bool) -> FitsTable:
    path = content.path
    row_bytes, n_rows, n_fields = (int(header[key]) for key in ("NAXIS1", "NAXIS2", "TFIELDS"))
    if row_bytes <= 0 or n_rows <= 0:
        raise InputError(f"{path}: the table has {n_fields} columns and {n_rows} rows")
    if start + row_bytes * n_rows > content.size:
        raise ValueError(
            f"{n_rows} rows of {row_bytes} bytes, of which {content.size - start} bytes are there"
        )
    names = tuple(str(header.get(f"TTYPE{i}", f"x{i - 1}")).strip() for i in range(1, n_fields + 1))
    check_names(path, names)
    read = _read_ascii_fields if ascii_table else _read_binary_fields
    fields, left_out = read(header, n_fields, row_bytes)
    units = [
        f"{name!r} {header[f'TUNIT{i}']}"
        for i, name in enumerate(names, 1)
        if f"TUNIT{i}" in header and i - 1 in fields
    ]
    return FitsTable(
        path=path,
        content=content,
        form="FITS file",
        names=names,
        has_header=True,
        left_out=left_out,
        not_numbers={i: f"values of type {kind}" for i, kind in left_out.items()},
        notes=_note_units(path, units),
        n_rows=n_rows,
        singles=frozenset(
            i
            for i, field in fields.items()
            if field.stored == ">f4" and field.scale == 1.0 and not field.zero
        ),
        missing=find_missing_numbers(reading),
        fields=fields,
        start=start,
        row_bytes=row_bytes,
    )


def _note_units(path: Path, units: Sequence[str], most: int = 8) -> tuple[str, ...]:
    return (f"{path}: units: {list_first(units, most)}",) if units else ()


def _read_binary_fields(
    header: Any, n_fields: int, row_bytes: int
) -> tuple[dict[int, Field], dict[int, str]]:
    """The columns of a binary table, and those that are no single numbers."""
    fields, left_out, at = {}, {}, 0
    for i in range(n_fields):
        form = BINARY_FORM.match(str(header[f"TFORM{i + 1}"]))
        if form is None:
            raise ValueError(f"TFORM{i + 1} is {header[f'TFORM{i + 1}']!r}")
        repeat, letter = int(form[1] or 1), form[2]
        if letter in TYPES:
            stored = np.dtype(TYPES[letter][0])
            length = repeat * stored.itemsize
            if repeat == 1:
                fields[i] = _make_field(header, i + 1, at, stored)
            else:
                left_out[i] = f"vectors of {repeat} {TYPES[letter][1]}s"
        else:
            size, left_out[i] = OTHERS[letter]
            length = (repeat + 7) // 8 if letter == "X" else repeat * size
        at += length
        if at > row_bytes:
            raise ValueError(f"its columns need more than the {row_bytes} bytes of a row")
    return fields, left_out


def _make_field(header: Any, number: int, at: int, stored: np.dtype[Any]) -> Field:
    null = header.get(f"TNULL{number}") if stored.kind in "iu" else None
    scale, zero = float(header.get(f"TSCAL{number}", 1)), float(header.get(f"TZERO{number}", 0))
    if stored.kind == "S":
        scale, zero = 1.0, 0.0
    return Field(at, stored, scale, zero, None if null is None else int(null))


def _read_ascii_fields(header: Any, n_fields: int, row_bytes: int) -> tuple[dict[int, Field], dict[int, str]]:
    """The columns of an ASCII table, and those that are text."""
    fields, left_out = {}, {}
    for i in range(n_fields):
        form = ASCII_FORM.match(str(header[f"TFORM{i + 1}"]))
        if form is None:
            raise ValueError(f"TFORM{i + 1} is {header[f'TFORM{i + 1}']!r}")
        at, width = int(header[f"TBCOL{i + 1}"]) - 1, int(form[2])
        if at < 0 or width < 1 or at + width > row_bytes:
            raise ValueError(f"column {i + 1} is not within the {row_bytes} bytes of a row")
        if form[1] in ASCII_NUMBERS:
            scale, zero = (
                float(header.get(f"{key}{i + 1}", default)) for key, default in (("TSCAL", 1), ("TZERO", 0))
            )
            fields[i] = Field(at, np.dtype(f"S{width}"), scale, zero, str(header.get(f"TNULL{i + 1}", "")))
        else:
            left_out[i] = "text"
    return fields, left_out
