"""Colours, lines and markers by which a label is recognised, in every picture and in the report."""

from __future__ import annotations

#: Okabe and Ito's colours, which differ under every common kind of colour vision. Tol's wine and olive
#: replace their yellow, which is unreadable on white, and their black, which the whole mixture has.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
#: Line styles: a new one for every eight labels.
LINE_STYLES = ("-", "--", ":", "-.")
#: Markers of points. Seven and eight have no common factor, so that a pair repeats after 56 labels.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
#: Colour of the whole mixture and of text.
INK = "#222222"
#: Colour of lines and text of lesser weight; its contrast on white is 5.7.
QUIET = "#666666"
#: Colour of borders between components.
BORDER = "#8C8C8C"
#: Colour of histograms.
PALE = "#DCDCDC"
#: Colour of rows that are noise or left out.
NOISE = "#777777"
#: Colours of uncertainty, from none to the most.
UNCERTAINTY = ("#C4C4C4", "#F0B27A", "#D55E00", "#5C1A00")
#: Greys of the regions of highest density, the largest region first.
SHADES = ("0.95", "0.91", "0.865", "0.82")
#: Blues of the regions of highest density, where they are the subject; the largest region first.
DENSITY = ("#E3EEF6", "#B9D6EA", "#7FB2D8", "#3D85BE")


def pick_colour(label: int) -> str:
    """The colour of a component or cluster; those after the eighth begin again."""
    return COLOURS[label % len(COLOURS)] if label >= 0 else NOISE


def pick_style(label: int) -> str:
    """The line style of a component or cluster."""
    return LINE_STYLES[label // len(COLOURS) % len(LINE_STYLES)] if label >= 0 else "-"


def pick_marker(label: int) -> str:
    """The marker of the rows of a component or cluster."""
    return MARKERS[label % len(MARKERS)] if label >= 0 else "x"
