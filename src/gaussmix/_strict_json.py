"""JSON that reads back as it was written: Python's own reader and writer, less what they let pass.

Python reads NaN, infinity, numbers beyond the range of a double as infinity, and a key given twice as its
last value; it writes the first two, and keys twice where 1 and "1" are keys of one dict.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

#: How far lists and objects may be within each other, and how long a number may be.
MAX_DEPTH = 64
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
        If JSON cannot hold it; the message says what it can.

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
    """The value of a JSON text. ValueError for what JSON or the rules above do not allow."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_int=_integer,
            parse_float=_float,
        )
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key occurs twice in an object")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:  # the time for the conversion grows with the square of the length
        raise ValueError(f"a number has {len(text)} digits; the most is {MAX_DIGITS}")
    return int(text)


def _float(text: str) -> float:
    number = float(text) if len(text) <= MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError("a number is too long, or too large for double precision")
    return number


def _check_depth(value: Any) -> None:
    """Level by level, since a recursion would be limited by the caller's own depth."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [member for outer in level for member in _members(outer) if isinstance(member, dict | list)]
        if not level:
            return
    raise _too_deep()


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ValueError:
    return ValueError(f"lists and objects are more than {MAX_DEPTH} within each other")
