"""Data that ships with the package, for a first try.

`faithful.csv` has 272 eruptions of the Old Faithful geyser in Yellowstone National Park: the duration of each
and the waiting time to the next one, both in minutes. From A. Azzalini and
A. W. Bowman (1990), "A look at some data on the Old Faithful geyser", Applied Statistics 39, 357-365.

Three tables are for regressions; the output is the last column of each.

`motorcycle.csv` has 133 measurements of the acceleration of a rider's head (in g) at times after a simulated
motorcycle accident (in milliseconds), in trials of helmets. From B. W. Silverman (1985), "Some aspects of the
spline smoothing approach to non-parametric curve fitting", J. R. Stat. Soc. B 47, 1-52.

`ethanol.csv` has 88 runs of an engine that burns ethanol: compression ratio, equivalence ratio (how rich the
mixture of ethanol and air is), and the nitrogen oxides in the exhaust, in micrograms per joule. From
N. D. Brinkman (1981), "Ethanol fuel - a single-cylinder engine study of efficiency and exhaust emissions",
SAE Transactions 90, 1410-1424.

`tones.csv` has 150 trials in which a musician tuned a tone to the octave above a fundamental tone: the ratio
by which the overtones of this were stretched (2 is that of usual instruments), and that of the tuned tone to
it. From E. A. Cohen (1980), "Inharmonic tone perception", PhD thesis, Stanford University; see
R. D. De Veaux (1989), "Mixtures of linear regressions", Comput. Stat. Data Anal. 8, 227-245.

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


def load_motorcycle() -> tuple[FloatArray, tuple[str, ...]]:
    """Return 133 times and accelerations of a head, of shape (133, 2), and the names of the two columns.

    Examples
    --------
    >>> rows, names = load_motorcycle()
    >>> rows.shape, names
    ((133, 2), ('time', 'acceleration'))
    """
    return _load("motorcycle")


def load_ethanol() -> tuple[FloatArray, tuple[str, ...]]:
    """Return 88 runs of an engine, of shape (88, 3), and the names of the three columns.

    Examples
    --------
    >>> rows, names = load_ethanol()
    >>> rows.shape, names
    ((88, 3), ('compression', 'equivalence', 'nitrogen_oxides'))
    """
    return _load("ethanol")


def load_tones() -> tuple[FloatArray, tuple[str, ...]]:
    """Return 150 trials of a musician, of shape (150, 2), and the names of the two columns.

    Examples
    --------
    >>> rows, names = load_tones()
    >>> rows.shape, names
    ((150, 2), ('stretch', 'tuned'))
    """
    return _load("tones")


def _load(name: str) -> tuple[FloatArray, tuple[str, ...]]:
    table = read_table(Path(__file__).with_name(f"{name}.csv"))
    return table.values, table.names
