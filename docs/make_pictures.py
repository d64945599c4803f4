"""Make the pictures of docs/pictures.md again: ``python docs/make_pictures.py``.

The page is the program: its blocks are run in order, and the figure that a block leaves behind is written to
the file that the picture below the block names. So a picture is always what the lines above it draw.
"""

from __future__ import annotations

import doctest
import io
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot as plt
from PIL import Image

DOCS = Path(__file__).parent
#: A block of Python, and the picture that follows it.
BLOCK = re.compile(r"^```python\n(.*?)^```|^!\[[^\]]*\]\((pictures/[\w-]+\.png)\)", re.MULTILINE | re.DOTALL)
#: Dots per inch: pictures of seven inches are wide enough for the page on a screen of twice the density.
DPI = 150
#: Colours of a written picture. Few colours halve its size, and no eye sees it.
COLOURS = 128


def write_picture(path: Path) -> None:
    """Write the current figure of pyplot, and close all."""
    drawn = io.BytesIO()
    plt.gcf().savefig(drawn, dpi=DPI)
    plt.close("all")
    picture = Image.open(drawn).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(DOCS)}: {path.stat().st_size / 1000:.0f} kB")


def main(page: Path) -> None:
    """Run the blocks of a page and write its pictures."""
    names: dict[str, object] = {}
    for code, picture in BLOCK.findall(page.read_text(encoding="utf-8")):
        for example in doctest.DocTestParser().get_examples(code):
            exec(compile(example.source, str(page), "exec"), names)
        if picture:
            write_picture(DOCS / picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "pictures.md")
