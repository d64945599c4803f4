"""Tables whose files have types: Parquet (with pyarrow, an extra) and NumPy's .npy."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._typing import FloatArray
from gaussmix.data.content import Content
from gaussmix.data.source import Source
from gaussmix.errors import InputError


@dataclass(frozen=True, kw_only=True)
class NpyTable(Source):
    """An array in a .npy file, mapped rather than read."""

    array: Any

    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Take the columns of each group; float32 and float64 keep their type."""
        return [self._take_columns(list(group)) for group in groups]

    def _take_columns(self, group: list[int]) -> FloatArray:
        single = self.array.dtype.newbyteorder("=") == np.float32
        whole = group == list(range(len(self.names)))
        chosen = self.array if whole else self.array[:, group]
        # A view of its own, so that the caller may change its flags.
        dtype: type[np.floating[Any]] = np.float32 if single else np.float64
        values: FloatArray = np.asarray(chosen, dtype=dtype).view()
        return values


@dataclass(frozen=True, kw_only=True)
class ParquetTable(Source):
    """A Parquet file whose schema is known."""

    file: Any
    types: tuple[Any, ...]

    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Read the columns of each group; a group of float32 columns only stays float32."""
        import pyarrow as pa

        try:
            return [self._take_columns(list(group)) for group in groups]
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{self.path}: a damaged Parquet file: {_cut_message(error)}") from error

    def _take_columns(self, group: list[int]) -> FloatArray:
        import pyarrow as pa

        single = all(pa.types.is_float32(self.types[i]) or pa.types.is_float16(self.types[i]) for i in group)
        shape = (self.file.metadata.num_rows, len(group))
        values: FloatArray = np.empty(shape, dtype=np.float32 if single else np.float64)
        for at, i in enumerate(group):
            start = 0
            # Select the column by name again: asked for "a", pyarrow also gives "a.b", as if nested in "a".
            for batch in self.file.iter_batches(columns=[self.names[i]]):
                values[start : start + len(batch), at] = _convert_column(batch.column(self.names[i]))
                start += len(batch)
        return values


def open_npy(content: Content) -> NpyTable:
    """Map a .npy file and check that it is a matrix of real numbers."""
    path = content.path
    try:
        if content.held is None:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            array = np.load(content.open(), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path}: not a .npy file, or a truncated one: {_cut_message(error)}") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: is an archive of arrays (.npz); expected one array in a .npy file")
    if array.dtype.kind not in "buif":
        raise InputError(f"{path}: the array is of type {array.dtype}; expected real numbers")
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise InputError(f"{path}: the array has shape {array.shape}; expected (rows, columns)")
    if 0 in array.shape:
        raise InputError(f"{path}: the array is empty: its shape is {array.shape}")
    names = tuple(f"x{i}" for i in range(array.shape[1]))
    return NpyTable(path=path, names=names, has_header=False, left_out={}, not_numbers={}, array=array)


def open_parquet(content: Content) -> ParquetTable:
    """Read a Parquet file's schema."""
    path = content.path
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"{path}: reading Parquet needs pyarrow: pip install 'gaussmix[arrow]'")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(content.open())
        schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file, or a truncated one: {_cut_message(error)}") from error
    names = tuple(schema.names)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are named {twice!r}; rename one of them")
    if not names or file.metadata.num_rows == 0:
        raise InputError(f"{path}: the table has {len(names)} columns and {file.metadata.num_rows} rows")
    types = tuple(schema.types)
    left_out = {i: str(kind) for i, kind in enumerate(types) if not _is_numeric(kind)}
    return ParquetTable(
        path=path,
        names=names,
        has_header=True,
        left_out=left_out,
        not_numbers={i: f"values of type {kind}" for i, kind in left_out.items()},
        file=file,
        types=types,
    )


def _is_numeric(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)
    )


def _convert_column(column: Any) -> Any:
    """Return a column of Arrow as an array of floats, with NaN for missing values."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return column.to_numpy(zero_copy_only=False)


def _cut_message(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
