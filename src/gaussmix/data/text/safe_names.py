"""Names of columns that a spreadsheet would run: `=cmd|...`, `+x`, `@x` in the header of a text table.

Such a name is written with an apostrophe before it, as spreadsheets mark text, and read back without it.
Names that have apostrophes before such a sign already get one more, so that each is read back as it was.
"""

from __future__ import annotations

import re

#: Names that a spreadsheet would run as a formula, or that have been made safe from it.
FORMULA = re.compile(r"['\s]*[=+\-@]")


def protect_name(name: str) -> str:
    """The name as it stands in a header.

    Examples
    --------
    >>> protect_name("=1+1"), protect_name("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{name}" if FORMULA.match(name) else name


def restore_name(name: str) -> str:
    """The name that stands in a header.

    Examples
    --------
    >>> restore_name("'=1+1"), restore_name("'a'")
    ('=1+1', "'a'")
    """
    return name[1:] if name.startswith("'") and FORMULA.match(name, 1) else name
