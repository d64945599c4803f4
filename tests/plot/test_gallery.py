"""The page of pictures: every display has one, and each is small."""

import re
from pathlib import Path

from gaussmix import plot

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "pictures.md").read_text(encoding="utf-8")
#: Bytes that a picture may have, so that the repository stays small.
MOST = 150_000


def test_every_display_has_a_picture():
    lost = [name for name in plot.__all__ if name.endswith("Display") and f"{name}.from_" not in PAGE]
    assert not lost


def test_pictures_are_those_of_the_page_and_small():
    named = re.findall(r"^!\[.+\]\((pictures/[\w-]+\.png)\)$", PAGE, re.MULTILINE)
    assert len(named) == len(set(named)) >= 14
    for name in named:
        data = (DOCS / name).read_bytes()
        assert data.startswith(b"\x89PNG") and len(data) < MOST, name
