"""Arguments and options that several commands have, but for those that say how a table is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT_CODES = (
    "Exit codes: 0 good, 1 the fit failed, 2 the input is wrong, 130 given up with Ctrl-C. "
    "A fit stopped by one Ctrl-C that saved its model is good."
)

#: Starts and resamples that may be asked for: what is more is a slip of the hand.
MOST_TIMES = 1_000_000
#: The largest seed of NumPy's generators of old, which fits draw with.
MOST_SEED = 2**32 - 1

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by 'gaussmix fit -o MODEL'.")]
TableOut = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Write to this .csv, .tsv, .jsonl, .parquet or .feather; text also with .gz or .zst.",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=MOST_SEED,
        help="For the same result each time. Default: drawn, and told.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
