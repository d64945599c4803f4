"""The formats of Apache Arrow's family, with pyarrow (an extra): Parquet, Feather, Arrow IPC, ORC."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from gaussmix._text import shorten
from gaussmix.data.content import HEAD_BYTES, Content
from gaussmix.data.formats.convert_arrow import TYPE_KEY, find_value_type, is_number, is_text
from gaussmix.data.formats.typed_tables import (
    SHOWN,
    TypedTable,
    check_names,
    describe_type,
    find_missing_numbers,
    refuse_damage,
    refuse_part,
)
from gaussmix.data.reading import Reading
from gaussmix.data.source import Label
from gaussmix.errors import InputError

PARQUET_MARK, ORC_MARK = b"PAR1", b"ORC"
FEATHER_MARK, FILE_MARK = b"FEA1", b"ARROW1\x00\x00"
#: The first bytes of an Arrow stream: a message follows, whose length comes next.
STREAM_MARK = b"\xff\xff\xff\xff"

T = TypeVar("T", bound="ArrowTable")


@dataclass(frozen=True, kw_only=True)
class ArrowTable(TypedTable):
    """A table whose schema pyarrow has read."""

    #: What stands for a missing class beside an empty text, in lower case.
    missing_words: frozenset[str] = frozenset()

    @abstractmethod
    def read_batches(self, stream: BinaryIO, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Yield blocks of rows: an Arrow array of each column."""

    def read_labels(self, column: int) -> list[Label]:
        """Read a column of classes: texts, truth values or numbers."""
        found: list[Label] = []
        with refuse_damage(self.content.path, f"a damaged {self.form}"), self.content.open() as stream:
            for (values,) in self.read_batches(stream, [column]):
                if not (is_text(find_value_type(values.type)) or is_number(find_value_type(values.type))):
                    return super().read_labels(column)
                found += [self._take_label(value) for value in values.to_pylist()]
        return found

    def _take_label(self, value: Any) -> Label:
        if isinstance(value, (str, bool)):
            word = str(value).strip()
            return None if not word or word.lower() in self.missing_words else word
        number = math.nan if value is None else float(value)
        return None if math.isnan(number) or number in self.missing else number

    def read_blocks(self, positions: Sequence[int]) -> Iterator[list[NDArray[Any]]]:
        """Yield blocks of rows as arrays of NumPy."""
        with self.content.open() as stream:
            for columns in self.read_batches(stream, positions):
                yield [convert_column(column) for column in columns]


@dataclass(frozen=True, kw_only=True)
class ParquetTable(ArrowTable):
    """A Parquet file."""

    def read_batches(self, stream: BinaryIO, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Yield parts of row groups."""
        import pyarrow.parquet as pq

        names = [self.names[i] for i in positions]
        # Select the columns by name again: asked for "a", pyarrow also gives "a.b", as if nested in "a".
        for batch in pq.ParquetFile(stream).iter_batches(columns=names):
            yield [batch.column(name) for name in names]


@dataclass(frozen=True, kw_only=True)
class BatchTable(ArrowTable):
    """An Arrow IPC file, which is Feather today, or an Arrow stream."""

    open_batches: Callable[[Any, Any], Any]

    def read_batches(self, stream: BinaryIO, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Yield the batches, checked: the reader trusts the file's lengths and indices."""
        from pyarrow import ipc

        fields = sorted(set(positions))
        options = ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        for batch in _list_batches(self.open_batches(stream, options)):
            batch.validate(full=True)
            yield [batch.column(fields.index(i)) for i in positions]


def open_parquet(content: Content, reading: Reading, part: str | None = None) -> ParquetTable:
    """Read a Parquet file's schema."""
    form = "Parquet file"
    _require_pyarrow(content.path, "Parquet", form, part)
    import pyarrow.parquet as pq

    with refuse_damage(content.path, f"not a {form}, or a truncated one"), content.open() as stream:
        file = pq.ParquetFile(stream)
        return _make_table(ParquetTable, content, reading, form, file.schema_arrow, file.metadata.num_rows)


def open_feather(content: Content, reading: Reading, part: str | None = None) -> BatchTable:
    """Read the schema of an Arrow IPC file."""
    return _open_batches(content, reading, part, "Feather or Arrow IPC file", _open_file)


def open_stream(content: Content, reading: Reading, part: str | None = None) -> BatchTable:
    """Read the schema of an Arrow stream."""
    return _open_batches(content, reading, part, "Arrow stream", _open_stream)


def open_old_feather(content: Content, reading: Reading, part: str | None = None) -> BatchTable:
    """Read the schema of a Feather file of the first version."""
    return _open_converted(content, reading, part, "Feather file of version 1", "feather")


def open_orc(content: Content, reading: Reading, part: str | None = None) -> BatchTable:
    """Read an ORC file's schema."""
    return _open_converted(content, reading, part, "ORC file", "orc")


def is_stream(head: bytes) -> bool:
    """Whether the first bytes are those of an Arrow stream: a mark, and the length of a schema."""
    return head.startswith(STREAM_MARK) and 0 < int.from_bytes(head[4:8], "little") < 1 << 31


def _open_batches(
    content: Content, reading: Reading, part: str | None, form: str, open_batches: Callable[[Any, Any], Any]
) -> BatchTable:
    _require_pyarrow(content.path, "Feather and Arrow", form, part)
    with refuse_damage(content.path, f"not a {form}, or a truncated one"), content.open() as stream:
        schema = open_batches(stream, None).schema
        return _make_table(BatchTable, content, reading, form, schema, None, open_batches=open_batches)


def _open_converted(content: Content, reading: Reading, part: str | None, form: str, what: str) -> BatchTable:
    """Have a process of its own read a file, and read the stream that it gives."""
    _require_pyarrow(content.path, form.split()[0], form, part)
    program = str(Path(__file__).with_name("convert_arrow.py"))
    process = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", program, what], input=content.read(), capture_output=True
    )
    if process.returncode or not process.stdout:
        said = process.stderr.decode(errors="replace").strip().splitlines()
        why = f": {said[-1]}" if said and process.returncode > 0 else ""
        raise InputError(f"{content.path}: not a sound {form}, or a truncated one{shorten(why, SHOWN)}")
    held = process.stdout
    return _open_batches(Content(content.path, held[:HEAD_BYTES], held), reading, None, form, _open_stream)


def _open_file(stream: Any, options: Any) -> Any:
    from pyarrow import ipc

    return ipc.open_file(stream, options=options)


def _open_stream(stream: Any, options: Any) -> Any:
    from pyarrow import ipc

    return ipc.open_stream(stream, options=options)


def _list_batches(batches: Any) -> Iterator[Any]:
    """The batches of a file, which are numbered, or of a stream."""
    if hasattr(batches, "num_record_batches"):
        return (batches.get_batch(i) for i in range(batches.num_record_batches))
    return iter(batches)


def _require_pyarrow(path: Path, name: str, form: str, part: str | None) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"{path}: reading {name} needs pyarrow: pip install 'gaussmix[arrow]'")
    refuse_part(path, part, form)


def _make_table(
    form_of: type[T],
    content: Content,
    reading: Reading,
    form: str,
    schema: Any,
    n_rows: int | None,
    **more: Any,
) -> T:
    import pyarrow.types as types

    names = tuple(schema.names)
    check_names(content.path, names)
    if n_rows == 0:
        raise InputError(f"{content.path}: the table has {len(names)} columns and 0 rows")
    kinds = [find_value_type(kind) for kind in schema.types]
    left_out = {i: _describe_field(schema.field(i)) for i, kind in enumerate(kinds) if not is_number(kind)}
    singles = (i for i, kind in enumerate(kinds) if types.is_float32(kind) or types.is_float16(kind))
    return form_of(
        path=content.path,
        content=content,
        form=form,
        names=names,
        has_header=True,
        left_out=left_out,
        not_numbers={i: f"values of type {kind}" for i, kind in left_out.items()},
        n_rows=n_rows,
        singles=frozenset(singles),
        missing=find_missing_numbers(reading),
        missing_words=frozenset(word.strip().lower() for word in reading.missing),
        **more,
    )


def _describe_field(field: Any) -> str:
    """The type of a column without numbers: its own, or that of the file which was converted."""
    told = (field.metadata or {}).get(TYPE_KEY)
    return describe_type(field.type if told is None else told.decode(errors="replace"))


def convert_column(column: Any) -> NDArray[Any]:
    """A column of Arrow as an array of numbers, with NaN for missing values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        return np.concatenate([convert_column(chunk) for chunk in column.chunks] or [np.empty(0)])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    elif pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if column.null_count:
        kind = pa.float32() if pa.types.is_float16(column.type) else column.type
        kind = kind if pa.types.is_floating(kind) else pa.float64()
        column = column.cast(kind, safe=False).fill_null(math.nan)
    # Asked for an array of NumPy, pyarrow would import pandas.
    kind = column.type
    letter = "f" if pa.types.is_floating(kind) else "i" if pa.types.is_signed_integer(kind) else "u"
    size = kind.bit_width // 8
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.empty(0)
    return np.frombuffer(buffer, f"{letter}{size}", len(column), column.offset * size)
