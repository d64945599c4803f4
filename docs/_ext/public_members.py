"""Which members of a class the reference lists: those that gaussmix defines."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def skip_member(app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what base classes of other packages bring, as `get_params`: their own docs have that."""
    if what != "class" or isinstance(member, property):
        return None
    home = getattr(member, "__module__", None) or ""
    return True if home.split(".")[0] in ("sklearn", "pyod", "builtins", "enum") else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-skip-member", skip_member)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
