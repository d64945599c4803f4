"""``python -m gaussmix.accel``: as Python runs a program, but for the patch and one line."""

from __future__ import annotations

import pytest

LINE = "gaussmix.accel: sklearn.mixture.GaussianMixture is gaussmix"

PROGRAM = """\
import sys
import beside
from sklearn.mixture import GaussianMixture
if __name__ == "__main__":
    import __main__
    print(sys.argv, __file__, sys.path[0], beside.value, __main__.GaussianMixture is GaussianMixture)
    print(GaussianMixture.__module__, file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "beside.py").write_text("value = 5\n")
    (tmp_path / "inner" / "program.py").write_text(PROGRAM)
    return tmp_path


def test_a_script_finds_itself_as_python_runs_it(run, folder):
    arguments = "inner/program.py", "--flag", "a b", "-m"
    ours, plain = run("-m", "gaussmix.accel", *arguments), run(*arguments)
    assert (ours.returncode, ours.stdout) == (0, plain.stdout)
    assert "'--flag', 'a b', '-m'" in plain.stdout
    line, module = ours.stderr.splitlines()
    assert line.startswith(LINE)
    assert (module, plain.stderr.strip()) == ("gaussmix.accel", "sklearn.mixture._gaussian_mixture")


def test_a_module_finds_itself_as_python_runs_it(run, folder):
    arguments = "-m", "program", "argument"
    ours, plain = (run(*first, *arguments, cwd=folder / "inner") for first in (["-m", "gaussmix.accel"], []))
    assert (ours.returncode, ours.stdout) == (0, plain.stdout)
    assert ours.stderr.splitlines()[1:] == ["gaussmix.accel"]


ENDS = {
    "exit code": "import sys; sys.exit(3)",
    "message": "import sys; sys.exit('no data')",
    "error": "def f():\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n        raise OSError('x') from error\nf()",
    "import": "import module_that_is_not_there",
    "syntax": "x = (1,\n",
    "encoding": "# -*- coding: no-such-coding -*-\n",
    "nothing": "",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_program_ends_as_it_would(run, tmp_path, end):
    (tmp_path / "program.py").write_text(ENDS[end])
    ours, plain = run("-m", "gaussmix.accel", "program.py"), run("program.py")
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)
    lines = ours.stderr.splitlines()
    if lines and lines[0].startswith(LINE):  # not where the program is none
        lines = lines[1:]
    expected = plain.stderr.splitlines()
    if end == "encoding":  # Python itself words that in two ways
        lines, expected = lines[-1].split(":")[0], expected[-1].split(":")[0]
    assert lines == expected


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "no program to run"),
        (["-m"], 2, "no module after -m"),
        (["--fast", "program.py"], 2, "unknown option --fast"),
        (["absent.py"], 2, "can't open file 'absent.py': [Errno 2] No such file or directory"),
        (["."], 2, "can't open file '.'"),
        (["-m", "module_that_is_not_there"], 1, "No module named module_that_is_not_there"),
    ],
)
def test_no_program(run, arguments, code, message):
    process = run("-m", "gaussmix.accel", *arguments)
    assert process.returncode == code and process.stdout == ""
    assert message in process.stderr.splitlines()[-1]
    assert "Traceback" not in process.stderr
    assert ("usage:" in process.stderr) == (message.startswith(("no ", "unknown")))


def test_help(run):
    process = run("-m", "gaussmix.accel", "--help")
    assert process.returncode == 0 and process.stdout.startswith("usage: python -m gaussmix.accel script.py")
