"""The options that say how a table is to be read, for every command that reads one."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gaussmix.data.reading import Reading
from gaussmix.errors import InputError

Data = Annotated[
    list[Path],
    typer.Argument(
        metavar="DATA...",
        help="Tables of the same columns, one below the other: text under any ending, Parquet, and others; "
        "packed or not; - for the standard input. Separator, header and decimal mark are found.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...",
        help="The columns to use; a name that holds a comma in double quotes. Default: every numeric one.",
        show_default=False,
    ),
]
Exclude = Annotated[
    str | None, typer.Option(metavar="A,B,...", help="Columns not to use.", show_default=False)
]
Weights = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="A column with the weight of each row.", show_default=False),
]
HasHeader = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row names the columns. Default: found.",
        show_default=False,
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        metavar="MARK",
        help="Between cells: a character, tab, or blank for any run of blanks. Default: found.",
        show_default=False,
    ),
]
Decimal = Annotated[
    str | None, typer.Option(metavar=".|,", help="The decimal mark. Default: found.", show_default=False)
]
Comment = Annotated[
    str | None,
    typer.Option(
        metavar="MARK", help="What lines that are no rows begin with. Default: found.", show_default=False
    ),
]
Missing = Annotated[
    str | None,
    typer.Option(
        "--na",
        metavar="A,B,...",
        help="Cells that stand for a missing value, beside NA, nan, ?, empty ones and the like.",
        show_default=False,
    ),
]
DropMissing = Annotated[
    bool,
    typer.Option(
        "--drop-missing",
        help="Leave out rows with a missing value, and lines of more or fewer cells; say how many.",
    ),
]

#: Words for separators.
SEPARATORS = {
    "tab": "\t",
    r"\t": "\t",
    "blank": " ",
    "space": " ",
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
}
#: Characters that cannot stand between cells.
NO_SEPARATORS = '"\r\n.0123456789'


def make_reading(said: Mapping[str, Any]) -> Reading:
    """What the arguments of a command, by name, say of its table. Raises InputError if one is wrong."""
    separator, decimal = said["separator"], said["decimal"]
    if separator is not None:
        separator = SEPARATORS.get(separator.lower(), separator)
        if len(separator) != 1 or separator in NO_SEPARATORS:
            raise InputError(f"--separator must be one character, tab or blank; got {separator!r}")
    if decimal not in (None, ".", ","):
        raise InputError(f"--decimal must be . or ,; got {decimal!r}")
    if separator is not None and separator == decimal:
        raise InputError(f"--separator and --decimal cannot both be {decimal!r}")
    columns = said.get("columns")
    return Reading(
        header=said["header"],
        separator=separator,
        decimal=decimal,
        comment=said["comment"],
        missing=cut_names(said["na"] or "", "--na"),
        drop_missing=said["drop_missing"],
        columns=None if columns is None else cut_names(columns),
        exclude=cut_names(said.get("exclude") or "", "--exclude"),
        weights=said.get("weights"),
        target=said.get("target"),
    )


def cut_names(text: str, option: str = "--columns") -> Sequence[str]:
    """The names in a line of CSV, in which a name with a comma can be quoted."""
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise InputError(f"{option} must be names between commas; got {text!r}: {error}") from None
    if len(records) > 1:
        raise InputError(f"{option} must be names on one line; quote a name with a line break; got {text!r}")
    return [name.strip() for name in records[0]] if records else []


def find_stem(path: Path) -> str:
    """The name of a table without its endings."""
    name = path.name.removesuffix(path.suffix)
    return name.removesuffix(Path(name).suffix) if path.suffix in PACKED else name


#: Endings of packed files.
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
