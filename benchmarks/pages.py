"""Tables that a benchmark writes into a page of the documentation, between comments."""

from __future__ import annotations

import re
from pathlib import Path


def update(page: Path, name: str, lines: list[str]) -> None:
    """Replace the lines between the comments ``<!-- name -->`` and ``<!-- end of name -->`` of a page."""
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{page} has no comments <!-- {name} --> and <!-- end of {name} -->")
    found = pattern.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], text)
    page.write_text(found, encoding="utf-8")
