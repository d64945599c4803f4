"""What a caller says of a table before it is read. What is not said is found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a table is to be read; None stands for what the file shows."""

    #: Whether the first row of a text table has the names of the columns.
    header: bool | None = None
    #: What stands between the cells of a text table: one character; " " stands for any run of blanks.
    separator: str | None = None
    #: The decimal mark of a text table: "." or ",".
    decimal: str | None = None
    #: What lines that are no rows begin with in a text table; "" says that there are none.
    comment: str | None = None
    #: Cells that stand for a missing value, beside the usual ones; a number stands for all spellings of it.
    missing: Sequence[str] = ()
    #: Whether rows with a missing value are left out. Else the first one is an error.
    drop_missing: bool = False
    #: The columns to read, in this order; None stands for all numeric ones.
    columns: Sequence[str] | None = None
    #: Columns that are not read.
    exclude: Sequence[str] = ()
    #: A column with the rows' weights.
    weights: str | None = None
    #: A column with the classes of the rows, text or numbers, which is no feature.
    target: str | None = None

    def of_model(self) -> Reading:
        """The same of a table whose columns a model names, and whose rows have no weights and no classes."""
        return replace(self, columns=None, exclude=(), weights=None, target=None)


#: Nothing is said: all is found out.
AS_FOUND = Reading()
