"""Tables as text: numbers in the fewest digits that read back the same, text that no spreadsheet runs.

With pyarrow the text is made several times as fast, and it is the same text.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussmix.data.text.safe_names import protect_name

Columns = Mapping[str, NDArray[Any]]

#: Rows held as text at a time.
TEXT_ROWS = 1 << 14
#: Numbers from which the import of pyarrow pays.
MANY = 1 << 15
#: Decimal exponents of numbers that are written without an exponent, as pyarrow has it.
LEAST_EXPONENT, MOST_EXPONENT = -6, 9
#: Names that are read back as they are without quotes.
PLAIN_NAME = re.compile(r"[A-Za-z_][\w.%/()\[\]-]*( [\w.%/()\[\]-]+)*")
#: Names that would be numbers or missing values without quotes.
NO_WORDS = frozenset(["nan", "inf", "infinity", "na", "null", "none", "missing", "nil", "true", "false"])


def write_text(put: Callable[[str], Any], blocks: Iterable[Columns], separator: str) -> None:
    """Put a table as text: a header, and then its rows."""
    for number, columns in enumerate(blocks):
        if number == 0:
            put(format_header(list(columns), separator))
        compiled = _pays_compiled(columns)
        for rows in _cut_rows(columns):
            put(_format_compiled(rows, separator) if compiled else _format_rows(rows, separator))


def write_json_lines(put: Callable[[str], Any], blocks: Iterable[Columns]) -> None:
    """Put a table as JSON, an object a line; numbers that JSON lacks are null."""
    for columns in blocks:
        names = [json.dumps(name).replace("%", "%%") for name in columns]
        line = "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"
        for rows in _cut_rows(columns):
            cells = [_list_values(column) for column in rows.values()]
            put("".join(map(line.__mod__, zip(*cells, strict=True))))


def _list_values(column: NDArray[Any]) -> list[str]:
    """The entries of a column as JSON."""
    if is_text(column):
        return [json.dumps(text) for text in column.tolist()]
    values: list[str] = np.where(np.isfinite(column), format_numbers(column), "null").tolist()
    return values


def format_header(names: list[str], separator: str) -> str:
    """The line of the names, quoted where a name would not be read back as it is."""
    plain = all(PLAIN_NAME.fullmatch(name) and name.lower() not in NO_WORDS for name in names)
    line = io.StringIO()
    writer = csv.writer(
        line,
        delimiter=separator,
        lineterminator="\n",
        quoting=csv.QUOTE_MINIMAL if plain else csv.QUOTE_ALL,
    )
    writer.writerow([protect_name(name) for name in names])
    return line.getvalue()


def format_numbers(numbers: NDArray[Any]) -> list[str]:
    """Each number in the fewest digits that read back the same."""
    if numbers.dtype.kind == "b":
        return ["true" if value else "false" for value in numbers.tolist()]
    if numbers.dtype.kind != "f":
        return list(map(str, numbers.tolist()))
    # As a Python float, a float32 would be written with digits that it does not have.
    single = numbers.dtype == np.float32
    texts: list[str] = numbers.astype(str).tolist() if single else list(map(repr, numbers.tolist()))
    size = np.abs(numbers)
    odd = single | (size < 1e-3) | (size >= 1e7) | (numbers == np.trunc(numbers))
    for i in np.flatnonzero(odd & np.isfinite(numbers)).tolist():
        texts[i] = _lay_out(texts[i])
    return texts


def is_text(column: NDArray[Any]) -> bool:
    """Whether a column holds text, and not numbers."""
    return column.dtype.kind in "UO"


def format_texts(texts: NDArray[Any], separator: str) -> list[str]:
    """Each text as a cell: quoted if need be, and with an apostrophe where a spreadsheet would run it."""
    marks = re.compile(f'[{re.escape(separator)}"\r\n]')
    cells = map(protect_name, texts.tolist())
    return ['"' + cell.replace('"', '""') + '"' if marks.search(cell) else cell for cell in cells]


def _lay_out(text: str) -> str:
    """The same digits as pyarrow lays them out: 75, 0.00001, 1e-7, 1e+14."""
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0"
    if not LEAST_EXPONENT <= exponent <= MOST_EXPONENT:
        return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{exponent:+d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    digits = digits.ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{sign}{digits[: exponent + 1]}{'.' if fraction else ''}{fraction}"


def _cut_rows(columns: Columns) -> Iterable[Columns]:
    n_rows = len(next(iter(columns.values())))
    for start in range(0, n_rows, TEXT_ROWS):
        yield {name: column[start : start + TEXT_ROWS] for name, column in columns.items()}


def _pays_compiled(columns: Columns) -> bool:
    n_numbers = sum(map(len, columns.values()))
    known = all(
        column.dtype.kind in "bui" or column.dtype in (np.float32, np.float64) for column in columns.values()
    )
    return known and n_numbers >= MANY and importlib.util.find_spec("pyarrow") is not None


def _format_rows(columns: Columns, separator: str) -> str:
    cells = [
        format_texts(column, separator) if is_text(column) else format_numbers(column)
        for column in columns.values()
    ]
    # Numbers need no quotes. Without csv's search for characters to quote this is a third faster.
    return "".join([f"{line}\n" for line in map(separator.join, zip(*cells, strict=True))])


def _format_compiled(columns: Columns, separator: str) -> str:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    # Names play no part, but they have to differ.
    table = make_arrow_table({str(i): column for i, column in enumerate(columns.values())})
    options = arrow_csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="none")
    stream = pa.BufferOutputStream()
    arrow_csv.write_csv(table, stream, options)
    return str(stream.getvalue().to_pybytes(), "ascii")


def make_arrow_table(columns: Columns) -> Any:
    """The columns as a table of Arrow. Given arrays of NumPy, pyarrow would import pandas to look at them."""
    import pyarrow as pa

    arrays = []
    for column in columns.values():
        if is_text(column):
            arrays.append(pa.array(column.tolist(), pa.string()))
            continue
        data = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("="))
        kind = pa.from_numpy_dtype(data.dtype)
        buffer = np.packbits(data, bitorder="little") if data.dtype.kind == "b" else data
        arrays.append(pa.Array.from_buffers(kind, len(data), [None, pa.py_buffer(buffer)]))
    return pa.Table.from_arrays(arrays, names=list(columns))
