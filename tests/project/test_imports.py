"""Inside every package imports form no circle: those of types alone count, and those inside functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gaussmix

SOURCE = Path(gaussmix.__file__).parent

#: Circles by package, each as the modules and packages in it. They may only go: one that has gone goes from here, too.
KNOWN: dict[str, set[frozenset[str]]] = {}


def read_modules(source):
    """The code of each module under a folder by its dotted name; a package's own is `package.__init__`."""
    return {
        ".".join(path.relative_to(source.parent).with_suffix("").parts): path.read_text("utf-8")
        for path in source.rglob("*.py")
    }


def find_imports(modules):
    """Of each module, those of the others that its code imports anywhere."""
    imports = {}
    for importer, code in modules.items():
        imports[importer] = set()
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Import):
                wanted = [(alias.name,) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{importer} has a relative import"
                wanted = [(f"{node.module}.{alias.name}", node.module) for alias in node.names]
            else:
                continue
            for names in wanted:  # a module of the package, or a name in one
                homes = [home for name in names for home in (name, f"{name}.__init__") if home in modules]
                imports[importer] |= set(homes[:1])
    return imports


def find_circles(imports, package):
    """Sets of a package's own modules and packages that import each other, directly or by way of others."""
    depth = package.count(".") + 1
    inside = [name for name in imports if name.startswith(f"{package}.")]
    children = {name: name.split(".")[depth] for name in inside}
    graph = {child: set() for child in children.values()}
    for name in inside:
        graph[children[name]] |= {children[other] for other in imports[name] if other in children}
        graph[children[name]].discard(children[name])
    reached = {child: reach(graph, child) for child in graph}
    return {
        frozenset(other for other in graph if other in reached[child] and child in reached[other])
        for child in graph
        if child in reached[child]
    }


def reach(graph, start):
    """All nodes at the end of a path from `start`."""
    found, ahead = set(), [start]
    while ahead:
        new = graph[ahead.pop()] - found
        found |= new
        ahead += new
    return found


IMPORTS = find_imports(read_modules(SOURCE))
PACKAGES = sorted({name.rpartition(".")[0] for name in IMPORTS})


def test_the_walk_meets_the_package():
    assert "gaussmix.model.kernels" in PACKAGES and len(IMPORTS) > 100
    assert sum(map(len, IMPORTS.values())) > 3 * len(IMPORTS)
    assert set(KNOWN) <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_of_a_package_form_no_circle_but_the_known(package):
    circles, known = find_circles(IMPORTS, package), KNOWN.get(package, set())
    assert not circles - known, "a new circle"
    assert not known - circles, "a circle less: take it from KNOWN"


@pytest.mark.parametrize(
    "back",
    [
        "import top.one.a",
        "from top.one import a",
        "from top.one.a import name",
        "if TYPE_CHECKING:\n    from top.one.a import Name",
        "def late():\n    import top.one.a",
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(back):
    modules = {
        "top.__init__": "",
        "top.one.__init__": "",
        "top.one.a": "from top.one import b\nimport numpy",
        "top.one.b": "from top.one.c import thing",
        "top.one.c": "",
        "top.two.__init__": "from top.one.a import name",
    }
    none = find_imports(modules)
    assert none["top.one.a"] == {"top.one.b"} and none["top.two.__init__"] == {"top.one.a"}
    assert not find_circles(none, "top") and not find_circles(none, "top.one")
    inner = find_imports(modules | {"top.one.c": back})
    assert find_circles(inner, "top.one") == {frozenset("abc")} and not find_circles(inner, "top")
    outer = find_imports(modules | {"top.one.c": "from top.two import name"})
    assert find_circles(outer, "top") == {frozenset({"one", "two"})} and not find_circles(outer, "top.one")
