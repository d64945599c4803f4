"""Names that come with the data, as a picture shows them: on one line, cut, in any script, and no formulas.

What the usual font lacks is taken from others that are installed, and escaped if none has it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from gaussmix._text import make_printable
from gaussmix.plot.figures import import_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

#: Characters of a feature's name that a picture shows.
MOST_CHARACTERS = 40
#: Characters of it in a panel of a pairs picture, which is two inches wide.
FEW_CHARACTERS = 20
#: Families that have the characters of some script, as they come with systems.
SUBSTITUTES = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR"),
    *("Source Han Sans", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback"),
    *("IPAexGothic", "IPAGothic", "TakaoGothic", "NanumGothic", "Baekmuk Gulim"),
    *("Yu Gothic", "Meiryo", "MS Gothic", "Microsoft YaHei", "SimHei", "Malgun Gothic"),
    *("Hiragino Sans", "Hiragino Sans GB", "PingFang SC", "Heiti TC", "Apple SD Gothic Neo"),
    *("Arial Unicode MS", "Noto Sans", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Tamil"),
    *("Nirmala UI", "Leelawadee UI", "FreeSans", "Segoe UI Symbol", "Noto Emoji", "Unifont"),
)


def format_name(name: str, most: int = MOST_CHARACTERS) -> str:
    """A name on one line, cut to the width of so many letters."""
    text, _ = cover(make_printable(name))
    if measure_width(text) <= most:
        return text
    while measure_width(text) > most - 3:
        text = text[: min(len(text) - 1, most)]
    return text + "..."


def choose_look(*texts: str) -> dict[str, Any]:
    """Properties of a Matplotlib text that shows every character: "$x$" is no formula, nor "_" TeX."""
    look: dict[str, Any] = {"parse_math": False, "usetex": False}
    families = [family for text in texts for family in cover(text)[1]]
    if families:
        usual = import_matplotlib("font_manager").FontProperties().get_family()
        look["fontfamily"] = [*usual, *dict.fromkeys(families)]
    return look


def write_plainly(*texts: Text) -> None:
    """Give texts that hold names the look of names."""
    for text in texts:
        text.set(**choose_look(text.get_text()))


def name_axes(
    panel: Axes, x: str | None = None, y: str | None = None, *, most: int = MOST_CHARACTERS
) -> None:
    """Label the axes with names of features, cut to this number of letters."""
    if x is not None:
        panel.set_xlabel(format_name(x, most))
        write_plainly(panel.xaxis.label)
    if y is not None:
        panel.set_ylabel(format_name(y, most))
        write_plainly(panel.yaxis.label)


def cover(text: str) -> tuple[str, list[str]]:
    """The text, with the characters escaped that no font has; and the families that the others take."""
    missing = {char for char in text if ord(char) not in _list_usual_characters()}
    families = []
    for family, path in _find_substitutes() if missing else ():
        found = {char for char in missing if ord(char) in _list_characters(path)}
        if found:
            families.append(family)
            missing -= found
    return "".join(ascii(char)[1:-1] if char in missing else char for char in text), families


def measure_width(text: str) -> int:
    """The width of a text in letters: characters of East Asian scripts are as wide as two."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _list_usual_characters() -> frozenset[int]:
    """The characters of the families of Matplotlib's settings, of which each fills the gaps of the others."""
    manager = import_matplotlib("font_manager")
    known: frozenset[int] = frozenset()
    for family in manager.FontProperties().get_family():
        known |= _list_characters(manager.findfont(manager.FontProperties(family=[family])))
    return known


@cache
def _list_characters(path: str) -> frozenset[int]:
    return frozenset(import_matplotlib("font_manager").get_font(path).get_charmap())


@cache
def _find_substitutes() -> tuple[tuple[str, str], ...]:
    """Those of the families that are installed, with their files."""
    installed = {font.name: font.fname for font in import_matplotlib("font_manager").fontManager.ttflist}
    return tuple((family, installed[family]) for family in SUBSTITUTES if family in installed)
