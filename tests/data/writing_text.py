"""Text tables in many dialects, made from the same numbers: what they hold, and what is to be read."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

NAMES = ("length", "größe", "count")
VALUES = np.array(
    [
        [1.538, -9.736, 3],
        [0.25, 12.5, 40],
        [-7.125, 1234.75, 5],
        [2e-05, 0.5, 117],
        [31.0, -0.0625, 22],
        [6.5, 8.75, 1],
    ]
)

#: Names of separators for the tests' own names.
WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank", "   ": "blanks"}
ENDS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
PACKINGS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@dataclass(frozen=True)
class Case:
    """A file, and the table in it."""

    name: str
    content: bytes
    names: tuple[str, ...] = NAMES
    values: np.ndarray = field(default_factory=lambda: VALUES)
    options: dict[str, object] = field(default_factory=dict)
    #: Words that a note must have; None: no note at all.
    note: str | None = None


def write_number(value: float, decimal: str) -> str:
    text = repr(int(value)) if value == int(value) and abs(value) < 1e6 else repr(float(value))
    return text.replace(".", decimal)


def write_text(
    separator=",", decimal=".", *, quoted=False, names=NAMES, values=VALUES, end="\n", last=True
) -> str:
    lines = [separator.join(f'"{name}"' if quoted else name for name in names)] if names else []
    lines += [separator.join(write_number(value, decimal) for value in row) for row in values.tolist()]
    return end.join(lines) + (end if last else "")


def list_plain() -> Iterator[Case]:
    """Separators x decimal marks x encodings x ends of lines, and some packed."""
    marks = [(s, d) for s, d in itertools.product(WORDS, ".,") if (s, d) != (",", ",")]
    for (separator, decimal), encoding, end in itertools.product(
        marks, ("utf-8", "utf-8-sig", "utf-16", "cp1252"), ENDS
    ):
        text = write_text(separator, decimal, end=end, last=end != "\r", quoted=encoding == "cp1252")
        note = "decimal commas" if decimal == "," else None
        name = f"{WORDS[separator]} {'point' if decimal == '.' else decimal} {encoding} {ENDS[end]}"
        yield Case(name, text.encode(encoding), note=note)
    for (separator, decimal), packing in itertools.product(marks, PACKINGS):
        name = f"{WORDS[separator]} {decimal} {packing}"
        note = "decimal commas" if decimal == "," else None
        yield Case(name, PACKINGS[packing](write_text(separator, decimal).encode()), note=note)


PLAIN = write_text()
ROWS = write_text(names=())
ASCII = ("a", "b", "c")
WAVES = ("400", "410", "420")
SPECTRA = np.array(
    [[0.11, 0.25, 0.31], [0.12, 0.2, 0.35], [0.4, 0.26, 0.33], [0.15, 0.5, 0.3], [0.12, 0.3, 0.5]]
)


def prefix_rows(text: str, labels: str = "r{}", separator: str = ",") -> str:
    """R's row names: the rows have one cell more than the header."""
    header, *rows = text.splitlines()
    return (
        "\n".join([header, *(f'"{labels.format(i + 1)}"{separator}{row}' for i, row in enumerate(rows))])
        + "\n"
    )


def list_odd() -> Iterator[Case]:
    """What programs and people write beside numbers."""
    commented = "".join(f"# {line}\n" for line in ("made by hand", "units: cm, cm, -", ""))
    yield Case("comments above", (commented + PLAIN).encode(), note="'#'")
    yield Case("comments of 400 lines", (commented * 133 + PLAIN).encode(), note="'#'")
    yield Case("comments within", PLAIN.replace("\n", "\n# a remark\n", 3).encode(), note="'#'")
    yield Case("per cent comments", ("% made by a program\n" + PLAIN).encode(), note="'%'")
    yield Case(
        "savetxt's header",
        ("# a b c\n" + write_text(" ", names=())).encode(),
        ASCII,
        note="last comment above",
    )
    yield Case("savetxt's header, commas", ("# a,b,c\n" + ROWS).encode(), ASCII, note="last comment above")
    yield Case(
        "header behind a mark", ("#a\tb\tc\n" + write_text("\t", names=())).encode(), ASCII, note="comment"
    )
    ecsv = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: float64}\n# schema: astropy-2.0\n"
    yield Case("ECSV", (ecsv + write_text(" ", names=ASCII)).encode(), ASCII, note="'#'")
    archive = "# This file was produced by an archive\n# COLUMN a:  Length [cm]\n# COLUMN b:  Size, total\n"
    yield Case("archive", (archive + write_text(names=ASCII)).encode(), ASCII, note="'#'")
    vizier = "#RESOURCE=x\n#Name: y\n" + write_text("\t", names=ASCII)
    units = "cm\tcm\t \n------\t-----\t---"
    yield Case("VizieR", vizier.replace("a\tb\tc", f"a\tb\tc\n{units}").encode(), ASCII, note="'#'")
    yield Case("sep=;", ("sep=;\n" + write_text(";", ",")).encode(), note="decimal commas")
    yield Case("sep=,", ("sep=,\n" + PLAIN).encode())
    yield Case(
        "R's write.table",
        prefix_rows(write_text(" ", quoted=True), separator=" ").encode(),
        note="of the rows",
    )
    yield Case("R's write.table, numbers", prefix_rows(PLAIN, "{}").encode(), note="of the rows")
    yield Case("R's write.csv", prefix_rows('"",' + PLAIN).encode(), note="of the rows")
    yield Case(
        "R's write.csv2",
        prefix_rows('"";' + write_text(";", ",", quoted=True), separator=";").encode(),
        note="of the rows",
    )
    yield Case("trailing comma in the header", PLAIN.replace("count\n", "count,\n").encode())
    yield Case("trailing commas in the header", PLAIN.replace("count\n", "count,,,\n").encode())
    yield Case(
        "trailing comma in the rows",
        PLAIN.replace("\n", ",\n").replace("count,", "count").encode(),
        note="empty",
    )
    yield Case("trailing comma everywhere", PLAIN.replace("\n", ",\n").encode(), note="empty")
    yield Case("borders", "".join(f"| {line} |\n" for line in write_text(" | ").splitlines()).encode())
    ruled = [f"| {line} |" for line in write_text(" | ").splitlines()]
    yield Case("Markdown", "\n".join([ruled[0], "|---|:---:|---:|", *ruled[1:]]).encode())
    psql = write_text(" | ").splitlines()
    yield Case("psql", "\n".join([psql[0], "--------+-------+------", *psql[1:]]).encode())
    yield Case(
        "titles above", ("A survey\nmade in 2024\n\n" + PLAIN).encode(), note="2 lines above the table"
    )
    yield Case("a line of units", PLAIN.replace("count\n", "count\ncm,cm,pieces\n").encode(), note="units")
    yield Case(
        "column of decimal commas",
        b"height\n1,5\n2,75\n3,25\n",
        ("height",),
        np.array([[1.5], [2.75], [3.25]]),
        note="decimal commas",
    )
    yield Case(
        "column of decimal commas, no header",
        b"1,05\n2,75\n3,25\n",
        ("x0",),
        np.array([[1.05], [2.75], [3.25]]),
        note="decimal commas",
    )
    yield Case(
        "thousands",
        b'a,b\n"1,234",5\n"12,345,678",6\n"999",7\n',
        ("a", "b"),
        np.array([[1234, 5], [12345678, 6], [999, 7]]),
        note="','",
    )
    yield Case(
        "thousands, European",
        b"a;b\n1.234,5;5\n12.345.678,25;6\n",
        ("a", "b"),
        np.array([[1234.5, 5], [12345678.25, 6]]),
        note="'.'",
    )
    yield Case(
        "thousands, Swiss",
        "a\tb\n1'234.5\t5\n12’345\t6\n".encode(),
        ("a", "b"),
        np.array([[1234.5, 5], [12345, 6]]),
        note="between thousands",
    )
    yield Case(
        "thousands, blanks",
        "a;b\n1 234,5;5\n12\u202f345\u00a0678;6\n".encode(),
        ("a", "b"),
        np.array([[1234.5, 5], [12345678, 6]]),
        note="between thousands",
    )
    yield Case(
        "quoted decimal commas",
        b'a,b\n"1,5","2,75"\n"3,25","4,5"\n',
        ("a", "b"),
        np.array([[1.5, 2.75], [3.25, 4.5]]),
        note="decimal commas",
    )
    yield Case(
        "header of wavelengths",
        write_text(names=WAVES, values=SPECTRA).encode(),
        WAVES,
        SPECTRA,
        note="--no-header",
    )
    yield Case(
        "header of two wavelengths",
        write_text(names=WAVES[:2], values=SPECTRA[:, :2]).encode(),
        WAVES[:2],
        SPECTRA[:, :2],
        note="--no-header",
    )
    years, counts = ("1990", "1991", "1992", "1993"), np.arange(24).reshape(6, 4)[:, [2, 0, 3, 1]] + 10.0
    yield Case(
        "header of years", write_text(names=years, values=counts).encode(), years, counts, note="--no-header"
    )
    yield Case(
        "quoted header of numbers",
        b'"5","3"\n1,2\n7,8\n4,4\n',
        ("5", "3"),
        np.array([[1, 2], [7, 8], [4, 4]]),
        note="--no-header",
    )
    yield Case(
        "rows that count",
        write_text(names=(), values=np.arange(12.0).reshape(4, 3)).encode(),
        ("x0", "x1", "x2"),
        np.arange(12.0).reshape(4, 3),
    )
    yield Case("no header", ROWS.encode(), ("x0", "x1", "x2"))
    yield Case(
        "names twice",
        PLAIN.replace("count", "length").encode(),
        ("length", "größe", "length.1"),
        note="'length.1'",
    )
    yield Case("single quotes", b"a,b\n'1','2.5'\n'3','4'\n", ("a", "b"), np.array([[1, 2.5], [3, 4]]))
    yield Case("UTF-16 without a mark", PLAIN.encode("utf-16-le"))
    yield Case("UTF-32", PLAIN.encode("utf-32"))
    yield Case("the end of a text in DOS", PLAIN.encode() + b"\x1a")
    yield Case(
        "a long cell",
        ("word,a\n" + "x" * 200_000 + ",1\ny,2\n").encode(),
        ("a",),
        np.array([[1.0], [2.0]]),
        note="text",
    )
    yield Case("packed twice", gzip.compress(gzip.compress(PLAIN.encode())))
    yield Case(
        "wide",
        write_text(names=(), values=np.arange(24000.0).reshape(3, 8000) % 7 + 0.5).encode(),
        tuple(f"x{i}" for i in range(8000)),
        np.arange(24000.0).reshape(3, 8000) % 7 + 0.5,
    )
    late = np.column_stack([np.arange(3000.0), np.arange(3000.0) % 5])
    text = "".join(f"{i:.0f},{'' if i < 1500 else f'{j:.0f}'}\n" for i, j in late)
    yield Case(
        "a column that begins late",
        ("a,b\n" + text).encode(),
        ("a", "b"),
        late[1500:],
        {"drop_missing": True},
        "1500 of 3000 rows dropped",
    )


def list_told() -> Iterator[Case]:
    """What only the caller can know."""
    yield Case("header told", b"1,2\n3,4\n5,6\n", ("1", "2"), np.array([[3, 4], [5, 6]]), {"header": True})
    yield Case(
        "no header told",
        write_text(names=WAVES, values=SPECTRA).encode(),
        ("x0", "x1", "x2"),
        np.vstack([[400, 410, 420], SPECTRA]),
        {"header": False},
    )
    yield Case(
        "separator told", b"a:b\n1:2\n3:4\n", ("a", "b"), np.array([[1, 2], [3, 4]]), {"separator": ":"}
    )
    yield Case(
        "decimal comma told",
        b"1,538\t9,736\n2,118\t1,345\n",
        ("x0", "x1"),
        np.array([[1.538, 9.736], [2.118, 1.345]]),
        {"decimal": ","},
    )
    yield Case(
        "decimal point told",
        b"1,538\t9,736\n2,118\t1,345\n",
        ("x0", "x1"),
        np.array([[1538, 9736], [2118, 1345]]),
        {"decimal": "."},
        "between thousands",
    )
    yield Case(
        "in doubt",
        b"1,538 9,736\n2,118 1,345\n",
        ("x0", "x1"),
        np.array([[1.538, 9.736], [2.118, 1.345]]),
        note="say --decimal .",
    )
    yield Case(
        "comment told",
        b"a,b\n1,2\n* all\n3,4\n",
        ("a", "b"),
        np.array([[1, 2], [3, 4]]),
        {"comment": "*"},
        "'*'",
    )
    yield Case(
        "missing told",
        b"a,b\n1,2\n-999,4\n3,x\n5,-999.0\n",
        ("a", "b"),
        np.array([[1, 2]]),
        {"missing": ["-999", "x"], "drop_missing": True},
        "3 of 4 rows dropped",
    )
    yield Case(
        "missing dropped",
        b"a,b\n1,2\n,4\n3,NA\n5,6\n",
        ("a", "b"),
        np.array([[1, 2], [5, 6]]),
        {"drop_missing": True},
        "2 of 4 rows dropped",
    )
    yield Case(
        "excluded",
        b"a,b,c\n1,2,x\n3,y,5\n7,8,z\n",
        ("a",),
        np.array([[1], [3], [7]]),
        {"exclude": ["b", "c"]},
    )


CASES = [*list_plain(), *list_odd(), *list_told()]
