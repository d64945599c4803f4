"""A program that turns an ORC file, or a Feather file of the first version, into an Arrow stream.

pyarrow's readers of these formats trust the file: a damaged one can end the process, so that they get one of
their own. Of columns that are no numbers only their types get through, as metadata.

python convert_arrow.py orc|feather < FILE > STREAM
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

#: Where a field without numbers has the name of its type.
TYPE_KEY = b"gaussmix.type"


def is_number(kind: Any) -> bool:
    """Whether values of a type of Arrow are numbers or truth values."""
    from pyarrow import types

    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)
    )


def is_text(kind: Any) -> bool:
    """Whether values of a type of Arrow are texts."""
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def find_value_type(kind: Any) -> Any:
    """The type of a column's values, which dictionaries and run-end encoding hold apart."""
    from pyarrow import types

    return kind.value_type if types.is_dictionary(kind) or types.is_run_end_encoded(kind) else kind


def read_orc(data: bytes) -> tuple[Any, Iterator[Any]]:
    """The schema of an ORC file, and its stripes with the columns of numbers."""
    from pyarrow import orc

    file = orc.ORCFile(io.BytesIO(data))
    names = [field.name for field in file.schema if is_number(field.type)]
    return file.schema, (file.read_stripe(i, columns=names) for i in range(file.nstripes))


def read_feather(data: bytes) -> tuple[Any, Iterator[Any]]:
    """The schema of a Feather file, and its rows."""
    from pyarrow import feather

    table = feather.read_table(io.BytesIO(data))
    table.validate(full=True)
    return table.schema, iter(table.to_batches())


def convert(data: bytes, form: str, out: Any) -> None:
    """Write the stream."""
    import pyarrow as pa
    from pyarrow import ipc

    schema, batches = {"orc": read_orc, "feather": read_feather}[form](data)
    fields = [
        field
        if is_number(find_value_type(field.type))
        else pa.field(field.name, pa.null(), metadata={TYPE_KEY: str(field.type)})
        for field in schema
    ]
    kept = pa.schema(fields)
    with ipc.new_stream(out, kept) as writer:
        for batch in batches:
            columns = [
                pa.nulls(batch.num_rows) if pa.types.is_null(field.type) else batch.column(field.name)
                for field in kept
            ]
            writer.write_batch(pa.record_batch(columns, schema=kept))


if __name__ == "__main__":
    convert(sys.stdin.buffer.read(), sys.argv[1], sys.stdout.buffer)
