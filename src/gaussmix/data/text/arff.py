"""The header of Weka's texts (ARFF): a line for each column, with its name, and @data above the rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gaussmix.errors import InputError

ATTRIBUTE = re.compile(r"\s*@attribute\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s{]+)", re.IGNORECASE)
DATA = re.compile(r"\s*@data\s*", re.IGNORECASE)
#: What ARFF's comments begin with.
COMMENT = "%"


def read_arff(path: Path, lines: Sequence[str]) -> tuple[list[str], int] | None:
    """The names of the columns and the number of lines above the rows; None where the text is no ARFF.

    Raises InputError where the rows are sparse.
    """
    above = next((i for i, line in enumerate(lines) if DATA.fullmatch(line)), None)
    found = [match for line in lines[:above] if (match := ATTRIBUTE.match(line))] if above else []
    if above is None or not found:
        return None
    first = next((line for line in lines[above + 1 :] if line.strip() and not line.startswith(COMMENT)), "")
    if first.lstrip().startswith("{"):
        raise InputError(
            f"{path}: a sparse ARFF file, which gaussmix does not read; write it without sparsity"
        )
    names = [re.sub(r"\\(.)", r"\1", match[1].strip("'\"")) for match in found]
    return names, above + 1
