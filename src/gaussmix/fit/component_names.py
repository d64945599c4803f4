"""Components in the words of messages, by number, and the same words once they have other numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gaussmix._text import list_some

#: What `name_components` writes of components in particular.
NAMES = re.compile(r"\b([Cc]omponents?) (\d+(?:, \d+)*(?: and \d+\b(?! more))?)( and \d+ more)?")


def name_components(components: tuple[int, ...]) -> str:
    """The components in words, of many the first few; none of them in particular means all."""
    if not components:
        return "the covariance of all components"
    return f"component{'s' if len(components) > 1 else ''} {list_some(components)}"


def begin_with(components: tuple[int, ...]) -> str:
    """The components in words at the beginning of a sentence."""
    words = name_components(components)
    return words[:1].upper() + words[1:]


def rename_components(text: str, places: Sequence[int]) -> str:
    """The text with the number of each component that it names replaced by `places[number]`.

    Results hold their advice as text, those from files of earlier versions among them. So the text follows
    when components change places.

    Examples
    --------
    >>> rename_components("Components 0, 1 and 3 coincide. Use fewer components.", [2, 3, 0, 1])
    'Components 1, 2 and 3 coincide. Use fewer components.'
    >>> rename_components("Components 0, 1, 2 and 147 more collapsed.", range(149, -1, -1))
    'Components 147, 148, 149 and 147 more collapsed.'
    """

    def rename(found: re.Match[str]) -> str:
        numbers = sorted(places[int(number)] for number in re.findall(r"\d+", found[2]))
        if found[3]:  # of others no text says which they are
            return f"{found[1]} {', '.join(map(str, numbers))}{found[3]}"
        return found[1][0] + name_components(tuple(numbers))[1:]

    return NAMES.sub(rename, text)
