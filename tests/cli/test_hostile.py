"""Hostile arguments, streams and names: one line, an exit code, never a traceback, nothing a terminal obeys."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import typer

from gaussmix._progress import Progress
from gaussmix.cli.app import app
from gaussmix.cli.fit_options import parse_numbers
from gaussmix.cli.messages import MOST_MESSAGE, write_line
from gaussmix.cli.progress import Stage, is_shown
from gaussmix.cli.progress import write_line as write_bar
from gaussmix.errors import InputError

#: What no option expects. Nothing here is long work where it is taken at its word.
HOSTILE = [
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\x1b[2Jx",
        "a\nb",
        "a\r\nb",
        '"a\nb',
        "\udcff",
        "x" * 300,
        "x" * 5000,
        "é",
        "[red]x",
    ),
    *(
        "99999999999999999999",
        "-1",
        "nan",
        "inf",
        "-inf",
        "1e308",
        "1e400",
        str(2**64),
        "1-99999999999999999999",
    ),
    *("--", "-", "/", ".", "..", "a/b/c", "%s", "{}", "'", '"', ",", ";", "٣", "0x10", "1_0", "None"),
]
FIT = ["-k", "1", "--covariance", "EII", "--max-iter", "2", "--seed", "0"]


def list_options(command):
    """All options of a subcommand that take a value, by one spelling each."""
    found = typer.main.get_command(app).commands[command]
    return [p.opts[0] for p in found.params if p.param_type_name == "option" and not p.is_flag]


def check(result, arguments):
    """One line for an error, and nothing that a terminal would obey."""
    said = [line for line in result.stderr.splitlines() if not line.startswith(("note: ", "warning: "))]
    where = f"{arguments!r}: {result.exit_code} {result.exception!r} {result.output[-300:]!r}"
    assert result.exception is None or isinstance(result.exception, SystemExit), where
    assert result.exit_code in (0, 1, 2), where
    assert "Traceback" not in result.output and "\x1b" not in result.output and "\0" not in result.output, (
        where
    )
    if result.exit_code:
        assert len(said) == 1 and said[0].startswith("error: ") and len(said[0]) <= MOST_MESSAGE + 7, where


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.csv"
    rows = np.random.default_rng(0).normal(size=(30, 2))
    np.savetxt(path, rows, delimiter=",", header="eruptions,waiting", comments="")
    return path


@pytest.mark.parametrize("option", list_options("fit"))
def test_every_option_of_a_fit(run, small, option):
    for value in HOSTILE[::2] if option in ("-o", "-k", "--columns", "--reg-covar") else HOSTILE[1::4]:
        arguments = ["fit", small, *FIT, option, value]
        check(run(*arguments), arguments)


@pytest.mark.parametrize("command", ["predict", "score", "sample", "show", "report", "bootstrap"])
def test_every_option_and_argument_of_the_others(run, small, model, command):
    plain = {
        "sample": ["sample", model, "-n", "3"],
        "show": ["show", model],
        "report": ["report", model, small, "-o", "page.html"],
        "bootstrap": ["bootstrap", model, small, "-n", "2"],
    }.get(command, [command, model, small])
    for option in list_options(command):
        # other ones for each option, the same in each run
        for value in HOSTILE[len(option) % 7 :: 7]:
            if option != "-n" or not value.isdecimal():  # a number is what was asked for
                check(run(*plain, option, value), [*plain, option, value])
    for value in HOSTILE[:12:2]:
        for arguments in ([command, value], [command, model, value], [command, value, small]):
            check(run(*arguments), arguments)


def test_commands_that_there_are_not(run):
    for value in HOSTILE:
        if value not in ("--",):
            check(run(value), [value])
        check(run("--" + value.lstrip("-") + "x"), [value])


def test_the_reasons_are_said(run, small, tmp_path):
    long = "x" * 300
    for arguments, reason in {
        ("--reg-covar", "1e308"): "reg_covar = 1e+308 is more than 1e+100 times the variances",
        ("-o", f"{long}.gm"): "File name too long",
        ("--plot", f"{long}.png"): "File name too long",
        ("--report", f"{long}.html"): "File name too long",
        ("--checkpoint", long): "File name too long",
        ("--columns", "a\nb"): "--columns must be names",
        ("-k", "1-99999999999999999999"): "must be a number of at least 1",
        ("--n-init", "99999999999999999999"): "1000000",
        ("--seed", str(2**64)): "'--seed'",
        ("--tol", "nan"): "--tol",
    }.items():
        result = run("fit", small, *FIT, *arguments)
        assert result.exit_code == 2, arguments
        # Without what draws pictures and pages, that is said first.
        lacks = " needs " in result.stderr and arguments[0] in ("--plot", "--report")
        assert reason in result.stderr or lacks, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["small.csv"]


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no such device")
def test_a_device_is_no_table(run):
    """It need not end: its reader would take all memory."""
    result = run("fit", "/dev/zero", "-k", "2")
    assert result.exit_code == 2 and "is a device" in result.stderr


def test_a_name_of_a_file_that_would_clear_the_screen(run, small, tmp_path):
    evil = tmp_path / "a\x1b[2J\nb.csv"
    evil.write_bytes(small.read_bytes() + b"1,x\n")
    result = run("fit", evil, *FIT)
    assert result.exit_code == 2 and "a\\x1b[2J" in result.stderr
    evil.write_bytes(small.read_bytes())
    result = run("fit", evil, *FIT, "-o", tmp_path / "m\x1b[2J.gm")
    assert result.exit_code == 0 and "\x1b" not in result.output
    assert "model saved in" in result.stdout


def test_numbers_of_components_have_a_bound():
    assert len(parse_numbers("1-1000")) == 1000
    for text in ("1-1001", "1-10000000000", "9" * 5000):
        with pytest.raises(InputError, match="must be a number"):
            parse_numbers(text)


def test_a_long_message_keeps_its_beginning_and_its_end():
    line = write_line("model.gm: " + "x" * 10_000 + ": no such column")
    assert line.startswith("model.gm: x") and line.endswith("x: no such column") and len(line) == MOST_MESSAGE


# --- streams -----------------------------------------------------------------------------------------------

COMMANDS = {
    "--help": [],
    "--version": [],
    "fit": ["{data}", *FIT],
    "predict": ["{model}", "{data}"],
    "score": ["{model}", "{data}", "--rows"],
    "sample": ["{model}", "-n", "5000"],
    "show": ["{model}"],
    "bootstrap": ["{model}", "{data}", "-n", "2", "--seed", "0"],
}


def call(environment, command, model, small, redirect):
    words = [word.format(model=model, data=small) for word in COMMANDS[command]]
    shell = ["bash", "-c", f'"$@" {redirect}', "-", sys.executable, "-m", "gaussmix", command, *words]
    return subprocess.run(shell, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_line(environment, model, faithful, command):
    done = call(environment, command, model, faithful, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: standard output: cannot be written: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors of a POSIX system")
@pytest.mark.parametrize("command", ["--version", "fit", "predict", "sample"])
def test_a_closed_output_is_one_line(environment, model, small, command):
    done = call(environment, command, model, small, ">&-")
    assert done.returncode == 2
    assert (
        done.stderr.startswith("error: standard output: cannot be written") and done.stderr.count("\n") == 1
    )


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors of a POSIX system")
@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full"])
def test_messages_that_nobody_can_read_change_no_exit_code(environment, model, small, redirect):
    assert call(environment, "fit", model, small, redirect).returncode == 0
    missing = call(environment, "show", small.with_name("none.gm"), small, redirect)
    assert (missing.returncode, missing.stdout) == (2, "")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a POSIX system")
@pytest.mark.parametrize("command", ["--help", "show", "predict"])
def test_a_reader_that_goes_away_is_no_error(environment, model, small, command):
    done = call(environment, command, model, small, "| true; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stderr) == (0, "")


# --- the bar -----------------------------------------------------------------------------------------------


def test_nothing_is_shown_of_short_work_or_without_a_terminal(capfd):
    assert not is_shown(quiet=True) and not is_shown()  # the tests have no terminal
    for shown in (True, False):
        with Stage(shown, "reading data.csv") as stage:
            stage.update(Progress("search", "model", 1, 2))
    assert capfd.readouterr() == ("", "")


def test_a_stage_appears_after_a_while(monkeypatch):
    """On a terminal, with its name made harmless, and gone at its end."""
    pty = pytest.importorskip("pty")
    script = (
        "import time, gaussmix.cli.progress as p; p.DELAY = 0.01; from gaussmix._progress import Progress\n"
        "with p.Stage(p.is_shown(), 'reading [red]a\\x1b[5mb.csv') as stage:\n"
        "    time.sleep(1.0)\n"
        "    stage.update(Progress('search', 'model', 31, 126, -3.25, 0.25))\n"
        "    time.sleep(0.5)\n"
    )
    terminal, end = pty.openpty()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "COLUMNS": "120",
        "TERM": "xterm",
    }
    with subprocess.Popen([sys.executable, "-c", script], stderr=end, env=environment) as process:
        os.close(end)
        shown = b""
        try:
            while piece := os.read(terminal, 1 << 16):
                shown += piece
        except OSError:  # Linux: the other end is closed
            pass
        assert process.wait() == 0
    os.close(terminal)
    text = shown.decode()
    assert "reading [red]a\\x1b[5mb.csv" in text
    assert "search: model 31/126, log-likelihood -3.25000 a row" in text
    assert "\x1b[5m" not in text


def test_what_a_bar_says_has_the_most_important_first():
    race = Progress("race of starts", "start", 12, 47, -3.21, 0.4, True, "on a sample")
    assert write_bar(race, 8.2) == (
        "race of starts: start 12/47, log-likelihood -3.21000 a row, 9 s left, on a sample"
    )
    assert write_bar(Progress("measuring the rows", "row"), None) == "measuring the rows"
