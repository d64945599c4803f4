"""JSON that reads back as it was written: Python's own reader and writer, with stricter checks.

Python's reader accepts NaN and infinity. It reads numbers beyond the range of a double as infinity, and takes
the last value of a repeated key. Its writer writes NaN and infinity, and repeats a key where a dict has
both 1 and "1".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

#: Levels to which lists and objects may be nested.
MAX_DEPTH = 64
#: Characters of the longest number.
MAX_DIGITS = 4300

RULES = (
    "expected text, finite numbers, True, False, None, and lists and dicts of these with text as keys, "
    f"at most {MAX_DEPTH} within each other"
)


def dump(document: Mapping[str, Any]) -> str:
    """The document as ASCII text that :func:`parse` accepts.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it. The message says what JSON can hold.

    Examples
    --------
    >>> dump({"n": 3})
    '{"n":3}'
    """
    try:
        text = json.dumps(document, allow_nan=False, separators=(",", ":"))
        parse(text)
    except TypeError as error:
        raise TypeError(f"cannot be saved as JSON: {error}; {RULES}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"cannot be saved as JSON: {error}; {RULES}") from None
    return text


def parse(text: str) -> Any:
    """The value of a JSON text. Raises ValueError where JSON or the rules above do not allow it."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_make_object,
            parse_constant=_refuse_constant,
            parse_int=_read_integer,
            parse_float=_read_float,
        )
    except RecursionError:
        raise _make_depth_error() from None
    _check_depth(value)
    return value


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key occurs twice in an object")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _read_integer(text: str) -> int:
    if len(text) > MAX_DIGITS:  # the time for the conversion grows with the square of the length
        raise ValueError(f"a number has {len(text)} digits; the most is {MAX_DIGITS}")
    return int(text)


def _read_float(text: str) -> float:
    number = float(text) if len(text) <= MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError("a number is too long, or too large for double precision")
    return number


def _check_depth(value: Any) -> None:
    """Go through the value level by level: the caller's own depth would limit a recursion."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        outers = [member for member in level if isinstance(member, dict | list)]
        if not outers:
            return
        level = [
            inner for outer in outers for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    raise _make_depth_error()


def _make_depth_error() -> ValueError:
    return ValueError(f"lists and objects are more than {MAX_DEPTH} within each other")
