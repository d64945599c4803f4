"""Data that ships with the package, for a first try.

`faithful.csv` has 272 eruptions of the Old Faithful geyser in Yellowstone National Park: the duration of each
and the waiting time to the next one, both in minutes. From A. Azzalini and
A. W. Bowman (1990), "A look at some data on the Old Faithful geyser", Applied Statistics 39, 357-365.

`natural-patches.safetensors` is a mixture of 200 Gaussians of patches of natural photographs, 8 x 8 pixels;
`natural-patches.txt` says of which, and how it was made.
"""

from __future__ import annotations

from pathlib import Path

from gaussmix._typing import FloatArray
from gaussmix.data.tables import read_table


def faithful_path() -> Path:
    """Return the path of the table of Old Faithful's eruptions, a CSV file with a header.

    Examples
    --------
    >>> faithful_path().name
    'faithful.csv'
    """
    return Path(__file__).with_name("faithful.csv")


def natural_patches_path() -> Path:
    """Return the path of the prior of natural patches that :meth:`gaussmix.PatchPrior.natural` reads.

    Examples
    --------
    >>> natural_patches_path().name
    'natural-patches.safetensors'
    """
    return Path(__file__).with_name("natural-patches.safetensors")


def load_faithful() -> tuple[FloatArray, tuple[str, ...]]:
    """Return the 272 eruptions of Old Faithful, of shape (272, 2), and the names of the two columns.

    Examples
    --------
    >>> X, names = load_faithful()
    >>> X.shape, names
    ((272, 2), ('eruptions', 'waiting'))
    """
    table = read_table(faithful_path())
    return table.values, table.names
