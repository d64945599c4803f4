"""The budgets that keep the code readable: 400 lines a file, 60 a function (without its docstring)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def n_lines(function):
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    return function.end_lineno - first.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_budgets(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "split this file by what its parts are about"
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, FUNCTIONS)]
    long = {function.name: n_lines(function) for function in functions if n_lines(function) > 60}
    assert not long, "split these functions"


def test_the_reader_s_path_is_short():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    path = text.split("## The reader's path")[1].split("##")[0]
    files = re.findall(r"^\d\. `([a-z_/]+\.py)`", path, re.MULTILINE)
    assert len(files) == 6
    lines = [(ROOT / "src/gaussmix" / file).read_text(encoding="utf-8").count("\n") for file in files]
    assert sum(lines) < 1200


def test_the_files_that_the_architecture_names_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    source = ROOT / "src/gaussmix"
    named = {name for name in re.findall(r"`?([a-z_]+/[a-z_/]+\.py)", text) if not name.startswith("tests/")}
    there = {str(path.relative_to(source.parent)) for path in source.rglob("*.py")}
    missing = {name for name in named if not any(file.endswith(name) for file in there)}
    assert not missing
