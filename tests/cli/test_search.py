"""`gaussmix fit` without options: a search, a verdict, and the files that it leaves."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path

import pytest

import gaussmix
from gaussmix.cli.fit_options import parse_numbers
from gaussmix.io import load_model

WITH_REPORT = importlib.util.find_spec("jinja2") is not None


def test_no_option_searches_and_saves(run, faithful):
    result = run("fit", faithful)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("The 272 rows fall into 3 groups")
    assert lines[1].startswith("Their number is likely, not certain: the next best, 2 groups (VVE)")
    assert lines[2].startswith("The groups overlap in part")
    assert "The best of 126 models:" in lines
    saved = load_model("faithful.safetensors")
    assert saved.mixture.n_components == 3
    assert saved.info["chosen"] == "EEE with 3, of 126 models by bic"
    files = {"faithful.safetensors", "faithful.html"} if WITH_REPORT else {"faithful.safetensors"}
    assert {path.name for path in Path().iterdir()} == files
    assert run("fit", faithful, "-q").stdout == ""  # once more, over its own files


@pytest.mark.parametrize("name", ["faithful.safetensors", *(["faithful.html"] if WITH_REPORT else [])])
def test_files_of_others_are_not_written_over(run, faithful, name):
    Path(name).write_text("mine")
    result = run("fit", faithful)
    assert (result.exit_code, result.stdout) == (2, "")
    assert name in result.stderr
    assert Path(name).read_text() == "mine"
    assert [path.name for path in Path().iterdir()] == [name]


def test_options_narrow_the_search(run, faithful):
    result = run("fit", faithful, "-k", "2-4", "--covariance", "VVV, EEI", "--criterion", "icl", "-o", "m.gm")
    assert "The best of 6 models:" in result.stdout
    assert [path.name for path in Path().iterdir()] == ["m.gm"]
    assert load_model("m.gm").mixture.n_components == 2
    result = run("fit", faithful, "-k", 2, "-o", "m.gm")
    assert "The best of 14 models:" in result.stdout
    result = run("fit", faithful, "--covariance", "VVV", "-o", "m.gm")
    assert "The best of 9 models:" in result.stdout


def test_one_model_is_fitted_as_it_was(run, faithful):
    result = run("fit", faithful, "-k", 2, "--covariance", "full", "--seed", 0)
    assert "The best of" not in result.stdout
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("option", [("--noise", "auto"), ("--trim", 0.02), ("--min-weight", 0.3)])
def test_options_of_the_model_hold_for_all(run, faithful, option):
    result = run("fit", faithful, "-k", "1-4", "--covariance", "EEI", *option, "-o", "m.gm", "--seed", 0)
    assert result.exit_code == 0, result.stderr
    assert "The best of 4 models:" in result.stdout
    assert load_model("m.gm").mixture.weights.min() >= (0.3 if option[0] == "--min-weight" else 0.0)


def test_an_interrupt_keeps_what_there_is(run, faithful, monkeypatch):
    def interrupted(*arguments, on_progress, **options):
        def show(progress):
            on_progress(progress)
            if progress.done:
                signal.raise_signal(signal.SIGINT)
            return on_progress(progress)

        return gaussmix.search(*arguments, on_progress=show, **options)

    monkeypatch.setattr("gaussmix.cli.fit_table.search", interrupted)
    result = run("fit", faithful, "-o", "m.gm")
    assert result.exit_code == 0
    assert load_model("m.gm").info["chosen"].startswith("EII with")


def test_stability_is_in_the_verdict(run, faithful):
    result = run(
        "fit", faithful, "-k", "1-3", "--covariance", "EEE", "--stability", 3, "-o", "m.gm", "--seed", 0
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[2].startswith("Of 3 resamples of the rows ")


@pytest.mark.parametrize(
    ("text", "numbers"), [("3", [3]), ("2-4", [2, 3, 4]), ("8, 2,2-3", [2, 3, 8]), ("1", [1])]
)
def test_numbers(text, numbers):
    assert parse_numbers(text) == numbers


def test_bootstrap(run, faithful, model):
    result = run("bootstrap", model, faithful, "-n", 50, "--seed", 0)
    assert result.exit_code == 0, result.stderr
    assert "weight" in result.stdout and "eruptions" in result.stdout


@pytest.mark.skipif(not WITH_REPORT, reason="the report needs the extra of that name")
def test_report(run, faithful, model):
    result = run("report", model, faithful, "-o", "page.html")
    assert result.exit_code == 0, result.stderr
    assert "faithful.csv" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not WITH_REPORT, reason="the report needs the extra of that name")
def test_a_report_has_the_whole_command(run_process, model, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("eruptions,waiting\n" + "".join(f"{2 + i % 3},{50 + i}\n" for i in range(20)) + "-9,-9\n")
    done = run_process("report", model, rows, "-o", "page.html", "--na", "-9", "--drop-missing")
    assert done.returncode == 0, done.stderr
    assert "--na -9 --drop-missing" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not WITH_REPORT, reason="the report needs the extra of that name")
def test_names_with_half_a_character(run, tmp_path):
    rows = tmp_path / "rows.json"
    rows.write_text("".join(f'{{"\\ud800": {i % 7}, "b": {i}}}\n' for i in range(20)))
    result = run("fit", rows, "-k", "1", "--covariance", "full,diag")
    assert result.exit_code == 0, result.stderr
    assert "\\ud800" in Path("rows.html").read_text(encoding="utf-8")
