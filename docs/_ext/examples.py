"""Blocks of code without the blank line at their end, by which doctest tells output from the fence."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class StripBlocks(SphinxTransform):
    """Strip the ends of all literal blocks."""

    default_priority = 5

    def apply(self, **options: Any) -> None:
        for block in self.document.findall(nodes.literal_block):
            if len(block.children) == 1:  # more are words with colours of their own
                text = block.astext().rstrip()
                block.rawsource, block.children = text, []
                block += nodes.Text(text)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(StripBlocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
