"""Tables whose files say what type each column has: what their readers have in common."""

from __future__ import annotations

import itertools
import math
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussmix._text import shorten, show_name
from gaussmix._typing import FloatArray
from gaussmix.data.content import Content
from gaussmix.data.reading import Reading
from gaussmix.data.source import Source
from gaussmix.data.text.cells import PLAIN
from gaussmix.errors import InputError

#: Characters of a type or of another library's message that are shown.
SHOWN = 100
#: Bytes that are read at a time.
BLOCK_BYTES = 1 << 22


@dataclass(frozen=True, kw_only=True)
class TypedTable(Source):
    """A table whose numeric columns come as blocks of rows."""

    content: Content
    form: str  # what the file is called in messages: "Parquet file"
    n_rows: int | None  # None where it is known only after reading
    singles: frozenset[int]  # the columns of float32
    missing: tuple[float, ...] = ()  # numbers that stand for a missing value

    @abstractmethod
    def read_blocks(self, positions: Sequence[int]) -> Iterator[Sequence[NDArray[Any]]]:
        """Yield blocks of rows, from the first to the last: of each column an array of numbers."""

    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Read an array for each group; a group of float32 columns only stays float32."""
        positions = list(itertools.chain.from_iterable(groups))
        with refuse_damage(self.content.path, f"a damaged {self.form}"):
            blocks: Iterator[Sequence[NDArray[Any]]] = self.read_blocks(positions)
            n = self.n_rows
            if n is None:
                held = list(blocks)
                n, blocks = sum(len(block[0]) for block in held), iter(held)
                if not n:
                    raise InputError(f"{self.path}: the table has {len(self.names)} columns and 0 rows")
            arrays = [np.empty((n, len(group)), self._find_dtype(group)) for group in groups]
            columns = [values[:, at] for values in arrays for at in range(values.shape[1])]
            start = 0
            for block in blocks:
                stop = start + len(block[0])
                for column, part in zip(columns, block, strict=True):
                    column[start:stop] = part  # an error where the block has rows too many
                start = stop
            if start != n:
                raise InputError(f"{self.path}: a damaged {self.form}: {start} rows, where it promises {n}")
            for values, number in itertools.product(arrays, self.missing):
                values[values == number] = np.nan
        return arrays

    def _find_dtype(self, group: Sequence[int]) -> type[np.floating[Any]]:
        return np.float32 if group and self.singles.issuperset(group) else np.float64


@contextmanager
def refuse_damage(path: Path, what: str) -> Iterator[None]:
    """Raise InputError, which begins with the path and says `what` the file is, for whatever a reader raises.

    Readers of binary formats meet damage everywhere and raise anything: KeyError, MemoryError for a length
    that is absurd, errors of their own. Their warnings say nothing to whoever reads a table.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except NotImplementedError as error:  # of pyarrow and zipfile: sound, but too new or with unknown codecs
        raise InputError(f"{path}: cannot be read with what is installed: {cut_message(error)}") from error
    except MemoryError as error:
        raise InputError(f"{path}: {what}, or one that needs more memory than there is") from error
    except Exception as error:
        raise InputError(f"{path}: {what}: {cut_message(error)}") from error


def cut_message(error: BaseException) -> str:
    """The first line of an error's message, or its class."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return shorten((text.strip().splitlines() or [type(error).__name__])[0], SHOWN)


def find_missing_numbers(reading: Reading) -> tuple[float, ...]:
    """The numbers among what the caller says to be missing."""
    numbers = [PLAIN.read(word) for word in reading.missing]
    return tuple(number for number in numbers if number is not None and not math.isnan(number))


def check_names(path: Path, names: Sequence[str]) -> None:
    """Raise InputError unless there are names, each once."""
    if not names:
        raise InputError(f"{path}: the table has no columns")
    seen = set()
    for name in names:
        if name in seen:
            raise InputError(f"{path}: two columns are named {show_name(name)}; rename one of them")
        seen.add(name)


def describe_type(kind: object) -> str:
    """A type for a message: on one line, and not too long."""
    return shorten(str(kind), SHOWN)


def refuse_part(path: Path, part: str | None, form: str) -> None:
    """Raise InputError if a part is asked for of a format that has none."""
    if part is not None:
        raise InputError(f"{path}: a {form} has no parts; expected its name without ':{part}'")
