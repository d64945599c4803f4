"""Tables of libraries that only hand them on: Arrow streams, and the interchange protocol of data frames.

Some library has to read them, and it matters little which. It is imported by name when there is something to
read, since gaussmix needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from typing import Any

#: What reads an object with `__arrow_c_stream__`: a module and a function of it, the first that is there.
STREAM_READERS = (("pyarrow", "table"), ("polars", "DataFrame"), ("pandas", "DataFrame.from_arrow"))
#: What reads an object with `__dataframe__`.
PROTOCOL_READERS = (
    ("pyarrow.interchange", "from_dataframe"),
    ("pandas.api.interchange", "from_dataframe"),
    ("polars", "from_dataframe"),
)


def import_table(X: Any, readers: tuple[tuple[str, str], ...], argument: str) -> Any:
    """X as a table of a library that is there; ValueError where there is none."""
    for module, function in readers:
        try:
            read = attrgetter(function)(import_module(module))
        except (ImportError, AttributeError):
            continue
        return read(X)
    libraries = ", ".join(module.split(".")[0] for module, _ in readers)
    raise ValueError(
        f"{argument} is a {type(X).__name__}, which one of {libraries} can read, and none is installed: "
        "pip install 'gaussmix[arrow]'"
    )
