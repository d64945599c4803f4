"""What the command is told of a table: its form, its rows and columns, and where it comes from."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from gaussmix.cli.reading_options import find_stem
from gaussmix.data.tables import read_table
from gaussmix.io import load_model

ROWS = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0.0, 0.0], [6.0, 3.0]], 30, axis=0)
ONE = ("-k", "2", "--covariance", "full", "--seed", "0")


def write_rows(path, rows=ROWS, header="a,b", separator=",", decimal="."):
    lines = [separator.join(f"{value:.5f}".replace(".", decimal) for value in row) for row in rows]
    path.write_text("\n".join(([header] if header else []) + lines) + "\n")
    return path


@pytest.fixture
def expected(run, tmp_path):
    """The mixture of all rows."""
    path = tmp_path / "expected.gm"
    assert run("fit", write_rows(tmp_path / "all.csv"), *ONE, "-o", path).exit_code == 0
    return load_model(path).mixture


def fit(run, tmp_path, *arguments):
    """Fit, and load what was saved; with the lines on the standard error."""
    result = run("fit", *arguments, *ONE, "-o", tmp_path / "m.gm")
    assert result.exit_code == 0, result.output
    return load_model(tmp_path / "m.gm"), result.stderr


def same(mixture, expected):
    np.testing.assert_allclose(mixture.means, expected.means, rtol=1e-12)
    return True


def test_several_files_are_one_table(run, tmp_path, expected):
    (tmp_path / "parts").mkdir()
    parts = [write_rows(tmp_path / "parts" / f"p-{i}.csv", ROWS[20 * i : 20 * i + 20]) for i in range(3)]
    for data in (parts, [tmp_path / "parts" / "p-*.csv"]):
        saved, told = fit(run, tmp_path, *data)
        assert same(saved.mixture, expected) and told == ""
        assert saved.info["source"] == "p-0.csv and 2 more" and saved.info["n_rows"] == 60
    write_rows(tmp_path / "parts" / "p-1.csv", ROWS[:20], header="a,c")
    result = run("fit", *parts, *ONE)
    assert result.exit_code == 2 and "p-1.csv: no column 'b'" in result.stderr
    assert "no file matches" in run("fit", tmp_path / "q-*.csv", *ONE).stderr


def test_what_is_said_of_many_files_is_said_once(run, tmp_path, expected):
    paths = [tmp_path / f"part-{i}.csv" for i in range(4)]
    for path, rows in zip(paths, np.split(ROWS, 4), strict=True):
        write_rows(path, rows, "a;b", ";", ",")
    saved, told = fit(run, tmp_path, *paths)
    assert same(saved.mixture, expected)
    assert told == f"note: {paths[0]} and 3 more: read with decimal commas\n"


def test_columns_of_several_files_may_stand_in_another_order(run, tmp_path, expected):
    first = write_rows(tmp_path / "1.csv", ROWS[:30])
    second = write_rows(tmp_path / "2.csv", ROWS[30:, ::-1], header="b,a")
    assert same(fit(run, tmp_path, first, second)[0].mixture, expected)


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input(environment, tmp_path, expected, packed):
    data = write_rows(tmp_path / "t.csv").read_bytes()
    command = [sys.executable, "-m", "gaussmix", "fit", "-", *ONE, "-o", str(tmp_path / "m.gm")]
    done = subprocess.run(
        command,
        env=environment,
        input=gzip.compress(data) if packed else data,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    saved = load_model(tmp_path / "m.gm")
    assert same(saved.mixture, expected) and saved.info["source"] == "standard input"


def test_nothing_on_the_standard_input(environment):
    command = [sys.executable, "-m", "gaussmix", "fit", "-", *ONE]
    done = subprocess.run(command, env=environment, input="", capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr == "error: standard input: is empty; expected a table\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_named_pipe_is_opened_once(run, tmp_path, expected):
    pipe, content = tmp_path / "pipe", write_rows(tmp_path / "t.csv").read_bytes()
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    assert same(fit(run, tmp_path, pipe)[0].mixture, expected)
    writer.join(10)
    assert not writer.is_alive()


def test_a_packed_table_gives_its_name(tmp_path):
    assert [find_stem(tmp_path / name) for name in ("t.csv", "t.csv.gz", "t.v2.csv", "t")] == [
        "t",
        "t",
        "t.v2",
        "t",
    ]


def test_the_form_is_told(run, tmp_path, expected):
    path = write_rows(tmp_path / "t.data", header="* made by hand\n400:410", separator=":", decimal=",")
    told = ("--header", "--separator", ":", "--decimal", ",", "--comment", "*")
    saved, notes = fit(run, tmp_path, path, *told)
    assert same(saved.mixture, expected) and saved.mixture.feature_names == ("400", "410")
    assert notes == f"note: {path}: read with lines that begin with '*' passed over\n"
    saved, _ = fit(run, tmp_path, path, "--no-header", *told[1:])
    assert saved.info["n_rows"] == 61


def test_missing_values(run, tmp_path, expected):
    path = write_rows(tmp_path / "t.csv")
    path.write_text(path.read_text() + "-99,1\n,2\n3,unknown\n")
    result = run("fit", path, *ONE)
    assert (
        result.exit_code == 2 and "column 'b': 'unknown' is not a number; leave the column" in result.stderr
    )
    result = run("fit", path, *ONE, "--na", "unknown")
    assert result.exit_code == 2
    assert (
        "line 63 (row 62), column 'a': the cell is empty; leave such rows out with --drop-missing"
        in result.stderr
    )
    told = ("--drop-missing", "--na", "-99, unknown")
    saved, notes = fit(run, tmp_path, path, *told)
    assert same(saved.mixture, expected)
    assert notes == f"note: {path}: 3 of 63 rows dropped: a value is missing\n"
    predicted = run("predict", tmp_path / "m.gm", path, *told, "-o", tmp_path / "out.csv")
    assert predicted.exit_code == 0, predicted.output
    table = read_table(tmp_path / "out.csv")
    assert table.names[:2] == ("row", "label") and table.values[:, 0].tolist() == list(range(1, 61))
    rows = run("score", tmp_path / "m.gm", path, *told, "--rows").stdout.splitlines()
    assert rows[0] == "row,log_density" and len(rows) == 61


def test_rows_are_counted_over_all_files(run, tmp_path, model):
    header = "eruptions,waiting\n"
    (tmp_path / "1.csv").write_text(header + "2,50\n,60\n4,80\n")
    (tmp_path / "2.csv").write_text(header + "3,NA\n2,51\n")
    files = (tmp_path / "1.csv", tmp_path / "2.csv")
    result = run("predict", model, *files, "--drop-missing")
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == ["row", "1", "3", "5"]


def test_columns_with_commas_in_their_names(run, tmp_path, expected):
    path = write_rows(tmp_path / "t.csv", np.column_stack([ROWS, ROWS[:, :1]]), header='"length, cm",b,c')
    saved, _ = fit(run, tmp_path, path, "--columns", '"length, cm",b')
    assert same(saved.mixture, expected) and saved.mixture.feature_names == ("length, cm", "b")
    assert same(fit(run, tmp_path, path, "--exclude", "c")[0].mixture, expected)
    assert same(fit(run, tmp_path, path, "--exclude", "'c'".strip("'"))[0].mixture, expected)
    result = run("fit", path, *ONE, "--columns", "length, cm,b")
    assert result.exit_code == 2 and "quote" in result.stderr


def test_columns_that_name_the_rows_are_told(run, tmp_path):
    path = write_rows(tmp_path / "t.csv", np.column_stack([np.arange(60.0), ROWS]), header="id,a,b")
    notes = run("fit", path, *ONE).stderr
    assert "column 'id' goes up by one from row to row" in notes and "--exclude id" in notes
    assert "--exclude" not in run("fit", path, *ONE, "--columns", "id,a").stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--separator", "::"), "--separator must be one character, tab or blank; got '::'"),
        (("--separator", "5"), "--separator must be one character"),
        (("--separator", ""), "--separator must be one character"),
        (("--decimal", "x"), "--decimal must be . or ,; got 'x'"),
        (("--decimal", ",", "--separator", ","), "cannot both be ','"),
        (("--exclude", "zz"), "no column 'zz'"),
        (("--exclude", "a,b"), "no column of numbers is left"),
        (("--columns", "a", "--exclude", "a"), "column 'a' is picked and excluded"),
    ],
)
def test_wrong_options(run, tmp_path, arguments, words):
    result = run("fit", write_rows(tmp_path / "t.csv"), *ONE, *arguments)
    assert result.exit_code == 2 and words in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--columns", "--exclude", "--na"])
@pytest.mark.parametrize("text", ["a\nb", '"a', '"a"b', "a\rb", "\x00"])
def test_odd_lists_of_names(run, tmp_path, option, text):
    result = run("fit", write_rows(tmp_path / "t.csv"), *ONE, option, text)
    assert result.exit_code in (0, 2) and result.stderr.count("\n") == (result.exit_code > 0)
    assert result.exit_code == 2 or option == "--na"
