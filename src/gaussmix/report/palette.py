"""Colours of components: those of all pictures, and lighter ones of the same hues on a dark page."""

from gaussmix.plot.palette import COLOURS

LIGHT = COLOURS
#: Each at least 4.5 to 1 against the dark page.
DARK = ("#5AB0F0", "#FF8B4A", "#35CFA3", "#EBA6D2", "#F5BE4B", "#A6DCFF", "#E387AE", "#CFCF6B")
