"""The lines below a picture that say what is drawn: wrapped, and placed where nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.plot.figures import import_matplotlib
from gaussmix.plot.palette import QUIET

if TYPE_CHECKING:
    from matplotlib.text import Text

#: Size of the text, in points.
SIZE = 7.5
#: Room to both sides of a caption below a figure, in inches.
MARGIN = 0.12
#: Distance of a caption from the name of the axis above it, in points.
GAP = 4.0
#: The share of a width that lines fill: on a screen letters are rounded to whole dots, and a little wider.
ROUNDED = 0.97
#: Points in an inch.
POINTS = 72.0


def join_words(words: Sequence[str]) -> str:
    """Words as in a sentence: "25, 50 and 75"."""
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])


def add_caption(text: str, panels: Any, figure: Any, *, wanted: bool | None) -> Text | None:
    """Write a caption below Axes; `figure` is theirs if it is ours, and None if it is the caller's.

    By default there is one below a figure of ours only.
    """
    if not (figure is not None if wanted is None else wanted):
        return None
    look: dict[str, Any] = {"fontsize": SIZE, "color": QUIET, "ha": "left"}
    look |= {"parse_math": False, "usetex": False}
    if figure is not None:
        if figure.get_layout_engine() is None:
            figure.set_layout_engine("constrained")
        # The layout makes room for this label below all Axes, and for no other text of a figure.
        width = figure.get_size_inches()[0]
        lines = wrap_text(text, ROUNDED * POINTS * (width - 2 * MARGIN))
        below: Text = figure.supxlabel(lines, x=MARGIN / width, **look)
        return below
    lowest = np.atleast_2d(np.asarray(panels, dtype=object))[-1]
    first, last = lowest[0], lowest[-1]
    note: Text = first.annotate(
        wrap_text(text, ROUNDED * POINTS * (last.bbox.x1 - first.bbox.x0) / first.figure.dpi),
        (0.0, 0.0),
        xycoords=("axes fraction", first.xaxis.label),
        xytext=(0.0, -GAP),
        textcoords="offset points",
        va="top",
        annotation_clip=False,
        **look,
    )
    return note


def wrap_text(text: str, width: float) -> str:
    """The text in lines of at most this width in points, as far as single words allow."""
    measure = import_matplotlib("textpath").text_to_path.get_text_width_height_descent
    font = import_matplotlib("font_manager").FontProperties(size=SIZE)
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and measure(longer, font, ismath=False)[0] > width:
            lines.append(line)
            longer = word
        line = longer
    return "\n".join([*lines, line])
