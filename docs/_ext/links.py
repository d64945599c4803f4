"""Links that work in the repository and on the site, and links from public names to the reference.

A page may link to a file of the repository beside `docs`; on the site the link leads to the page that holds
that file. A link to any other file outside `docs` ends the build: a reader of the site does not have it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

import gaussmix

logger = logging.getLogger(__name__)

#: Files of the repository, and the pages of the site that hold them.
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "development/architecture.md",
    "CHANGELOG.md": "development/changelog.md",
    "CONTRIBUTING.md": "development/contributing.md",
}
#: A Markdown link or picture to a place in the repository: its text and bracket, the path, the anchor.
RELATIVE_LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)#\s]+)(#[^)\s]*)?(?=\))")

#: A page as a docstring names it, for a reader of the source.
PAGE = re.compile(r"docs/([\w/-]+)\.md")


def lead_to_pages(text: str, file: Path, page: Path, docs: Path) -> str:
    """Rewrite the relative links of a file so that they hold in the page that shows it."""

    def rewrite(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(file.parent / link[2]))
        if not target.is_relative_to(docs):
            name = target.relative_to(docs.parent).as_posix()
            if name not in PAGES:
                logger.warning("%s links to %s, which no page of the site holds", file.name, name)
                return link[0]
            target = docs / PAGES[name]
        return link[1] + Path(os.path.relpath(target, page.parent)).as_posix() + (link[3] or "")

    return RELATIVE_LINK.sub(rewrite, text)


def rewrite_page(app: Sphinx, name: str, content: list[str]) -> None:
    page = Path(app.env.doc2path(name))
    if page.suffix == ".md":
        content[0] = lead_to_pages(content[0], page, page, Path(app.srcdir))


def rewrite_included(app: Sphinx, path: Path, name: str, content: list[str]) -> None:
    page, docs = Path(app.env.doc2path(app.env.docname)), Path(app.srcdir)  # MyST's `name` lacks the folder
    content[0] = lead_to_pages(content[0], Path(os.path.normpath(docs / path)), page, docs)


class LinkPublicNames(SphinxTransform):
    """Make code that is a public name, as `fit_mixture`, a link to its entry in the reference."""

    default_priority = 5  # before references are resolved

    def apply(self, **options: Any) -> None:
        own = Path(self.env.docname).name  # an entry of the reference needs no link to itself
        for code in list(self.document.findall(nodes.literal)):
            name = f"gaussmix.{code.astext().removeprefix('gaussmix.').removesuffix('()')}"
            linked = isinstance(code.parent, nodes.reference | pending_xref | nodes.title)
            if name.removeprefix("gaussmix.") in gaussmix.__all__ and name != own and not linked:
                link = pending_xref(
                    "", refdomain="py", reftype="obj", reftarget=name, refexplicit=True, refwarn=True
                )
                code.replace_self(link)
                link += code


def link_pages(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make a page that a docstring names, as in (docs/starts.md), a link to it."""
    lines[:] = [PAGE.sub(r":doc:`/\1`", line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", rewrite_page)
    app.connect("include-read", rewrite_included)
    app.connect("autodoc-process-docstring", link_pages, priority=600)  # after numpydoc
    app.add_transform(LinkPublicNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
