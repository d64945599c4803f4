"""The pages of the site: nothing public is left out, and nothing links to what is not there."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import gaussmix

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOT_PAGES = ("_templates", "generated")
PAGES = sorted(
    path
    for path in DOCS.rglob("*")
    if path.suffix in (".md", ".rst") and not set(path.parts) & set(NOT_PAGES)
)
WITH_LINKS = [*(path for path in PAGES if path.suffix == ".md"), *ROOT.glob("*.md")]

#: A Markdown link or picture to a place in the repository: its path and its anchor.
RELATIVE_LINK = re.compile(r"\]\((?![a-z]+:|/)([^)#\s]*)(#[^)\s]*)?\)")
#: Fenced blocks, in which brackets are Python's. A directive has braces after the fence, and its links count.
CODE = re.compile(r"^(```+)(?!\{)[^\n]*\n.*?^\1$|^```\{code-cell\}.*?^```$", re.MULTILINE | re.DOTALL)
TOCTREE = re.compile(
    r"^```\{toctree\}\n(.*?)^```$|^\.\. toctree::\n((?:\n| +[^\n]*\n?)+)", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def read_text(page: Path) -> str:
    return CODE.sub("", page.read_text())


def list_entries(page: Path) -> list[Path]:
    """The pages in the tables of contents of a page; an entry may have a title before its name in brackets."""
    lines = [
        line.strip() for found in TOCTREE.findall(page.read_text()) for line in "".join(found).splitlines()
    ]
    names = [re.sub(r"^.*<(.*)>$", r"\1", line) for line in lines if line and not line.startswith(":")]
    places = [Path(os.path.normpath(page.parent / name)) for name in names]
    return [next((path for path in PAGES if path.with_suffix("") == place), place) for place in places]


def list_anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(read_text(page)))
    return {"#" + text.strip().replace(" ", "-") for text in words}


def list_reference() -> set[str]:
    """The names that the reference has an entry for, with their modules."""
    names, module = set(), "gaussmix"
    for line in (DOCS / "reference" / "index.rst").read_text().splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        elif re.fullmatch(r"   [\w.]+", line):
            names.add(f"{module}.{line.strip()}")
    return names


@pytest.mark.parametrize("name", [name for name in gaussmix.__all__ if not name.startswith("_")])
def test_every_public_name_is_in_the_reference(name):
    assert f"gaussmix.{name}" in list_reference(), f"add {name} to docs/reference/index.rst"


def test_pictures_are_in_the_reference():
    plot = pytest.importorskip("gaussmix.plot")
    missing = {f"gaussmix.plot.{name}" for name in plot.__all__} - list_reference()
    assert not missing, f"add them to docs/reference/index.rst: {missing}"


def test_every_page_is_reached_from_the_first():
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        assert page in PAGES, f"a table of contents has {page.relative_to(ROOT)}, which is no page"
        waiting += list_entries(page) if page not in reached else []
        reached.add(page)
    lost = [str(page.relative_to(ROOT)) for page in PAGES if page not in reached]
    assert not lost, f"add them to a toctree, such as that of docs/guides.md: {lost}"


def test_no_page_has_the_name_of_one_that_sphinx_writes():
    """It would be written over without a word."""
    assert {"search", "genindex", "py-modindex", "objects"}.isdisjoint(page.stem for page in DOCS.glob("*.*"))


@pytest.mark.parametrize("page", WITH_LINKS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    for path, anchor in RELATIVE_LINK.findall(read_text(page)):
        target = Path(os.path.normpath(page.parent / path)) if path else page
        assert target.exists(), f"{path}: no such file"
        if anchor and target.suffix == ".md":
            assert anchor in list_anchors(target), f"{path}{anchor}: no such heading"


@pytest.mark.parametrize(
    "name", [name for name in gaussmix.__all__ if inspect.isclass(getattr(gaussmix, name))]
)
def test_public_methods_say_what_they_do(name):
    cls = getattr(gaussmix, name)
    bases = [base for base in cls.__mro__ if base.__module__.startswith("gaussmix.")]
    for base in bases:
        for key, member in vars(base).items():
            described = isinstance(member, property | classmethod | staticmethod) or inspect.isfunction(
                member
            )
            if described and not key.startswith("_") and not hasattr(BaseEstimator, key):
                assert inspect.getdoc(getattr(cls, key)) or inspect.getdoc(member), f"{name}.{key}"


def test_every_benchmark_is_among_the_pages():
    """Else nobody knows that its figures can be made again."""
    text = "\n".join(page.read_text() for page in PAGES if page.suffix == ".md")
    programs = [path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text()]
    lost = [name for name in programs if name != "__main__" and f"benchmarks.{name}" not in text]
    assert not lost, f"add them to docs/benchmarks.md: {lost}"
