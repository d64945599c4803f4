"""Model files whose info and names are odd but valid: printed, safely, and nothing but printed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import gaussmix

HUGE = 10**400
INFOS = {
    "no samples": ({"n_samples": 0, "log_likelihood": 1.5}, ["samples         0", "log-likelihood  1.5\n"]),
    "samples of text": ({"n_samples": "many", "log_likelihood": 1.5}, ["samples         many"]),
    "no sum": ({"n_samples": 3, "weights": [], "n_rows": {}}, ["samples      3\n"]),
    "huge samples": ({"n_samples": HUGE, "log_likelihood": 1}, [f"samples         {HUGE}"]),
    "a huge likelihood": ({"n_samples": 0.0, "log_likelihood": HUGE}, [f"log-likelihood  {HUGE}"]),
    "a huge criterion": ({"bic": 10**4000, "aic": "low"}, ["BIC  1000", "...", "AIC  low"]),
    "huge iterations": ({"status": "x", "n_iter": HUGE}, [f"status  x after {HUGE} iterations"]),
    "iterations of text": ({"status": ["x"], "n_iter": "no"}, ["status  ['x'] after no iterations"]),
    "iterations alone": ({"n_iter": 1}, ["n_iter  1"]),
    "rows alone": ({"n_rows": 7}, ["n_rows  7"]),
    "true": ({"n_samples": True, "log_likelihood": False}, ["samples         True", "log-likelihood  False"]),
    "empty": ({"status": "", "advice": None, "seed": 0}, ["seed  0"]),
    "nothing": ({"status": ""}, ["mean ± standard deviation."]),
    "no name": ({"": ""}, ["\n\n"]),
    "a surrogate": ({"source": "\ud800", "\udfff": 1}, [r"data    \ud800", r"\udfff  1"]),
    "escapes": ({"source": "a\x1b]0;b\x07\x1b[31mred\x9b2J"}, [r"data  a\x1b]0;b\x07\x1b[31mred\x9b2J"]),
    "a name of escapes": ({"\x1b[31m": "red"}, [r"\x1b[31m  red"]),
    "text from right to left": ({"source": "a\u202egpj.exe"}, [r"data  a\u202egpj.exe"]),
    "lines": ({"x": "one\ntwo\rthree"}, [r"x  one\ntwo\rthree"]),
    "markup": ({"x": "[bold]:smile:[/bold]"}, ["x  [bold]:smile:[/bold]"]),
    "nested": ({"x": [{"y": [1, None, "\x1b"]}]}, [r"x  [{'y': [1, None, '\x1b']}]"]),
    "long": ({"x" * 10_000: "y" * 1_000_000, "z": 1}, ["xxx...", "yyy...", "\nz    "]),
}


@pytest.fixture
def odd(tmp_path):
    def make(info=None, names=None):
        mixture = gaussmix.Mixture([0.5, 0.5], [[0.0, 1], [1, 2]], [1.0, 2], "spherical", feature_names=names)
        mixture.save(tmp_path / "odd", info=info)
        return tmp_path / "odd"

    return make


def is_safe(text):
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("what", INFOS)
def test_odd_info(run, odd, what):
    info, expected = INFOS[what]
    result = run("show", odd(info))
    assert result.exit_code == 0, result.output
    assert all(words in result.stdout for words in expected), result.stdout
    assert is_safe(result.stdout) and len(result.stdout) < 6000


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_the_output_cannot_hold_is_escaped(environment, odd, encoding):
    path = odd({"source": "größe.csv", "x": "\u2603\ud800"}, ["größe", "\u2603"])
    command = [sys.executable, "-m", "gaussmix", "show", str(path)]
    done = subprocess.run(command, env=environment | {"PYTHONIOENCODING": encoding}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert r"\ud800" in done.stdout.decode(encoding)
    assert ("größe.csv" in done.stdout.decode(encoding)) is (encoding != "ascii")


def test_odd_names(run, odd):
    path = odd(None, ["a\x1b[31m\n", "\ud800"])
    result = run("show", path)
    assert r"a\x1b[31m\n" in result.stdout and r"\ud800" in result.stdout and is_safe(result.stdout)
    assert run("show", odd(None, ["", "a" * 100])).exit_code == 0


def test_names_that_no_table_can_have(run, odd, tmp_path):
    result = run("sample", odd(None, ["a", "a"]), "-n", 2)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "two features are called 'a'" in result.stderr
    path = odd(None, ["\ud800", "a"])
    for where in ([], ["-o", tmp_path / "out.csv"]):
        result = run("sample", path, "-n", 2, *where)
        assert result.exit_code == 2
        assert r"'\ud800' in a column's name cannot be written as utf-8" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["odd"]


def test_parquet_cannot_have_them_either(run, odd, tmp_path):
    pytest.importorskip("pyarrow")
    result = run("sample", odd(None, ["\ud800", "a"]), "-n", 2, "-o", tmp_path / "out.parquet")
    assert result.exit_code == 2 and "cannot be written as utf-8" in result.stderr


def test_names_are_escaped_on_a_terminal_alone(environment, run, odd):
    pty = pytest.importorskip("pty")
    path = odd(None, ["a\x1b[31m", "b"])
    assert run("sample", path, "-n", 1).stdout.startswith('"a\x1b[31m","b","component"\n')
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "gaussmix", "sample", str(path), "-n", "1"]
    with subprocess.Popen(command, env=environment, stdout=end) as process:
        os.close(end)
        assert process.wait() == 0
    assert os.read(terminal, 1 << 16).startswith(rb'"a\x1b[31m","b","component"')
    os.close(terminal)
