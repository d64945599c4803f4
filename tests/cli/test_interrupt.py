"""Ctrl-C in a real process, the bar of a long fit, and a reader that goes away."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import gaussmix
from gaussmix.io import load_model

pty = pytest.importorskip("pty")

# Rows without clusters and a tolerance that is never met: this fit ends only when it is told to.
ENDLESS = [
    "-k",
    8,
    "--covariance",
    "full",
    "--tol",
    0,
    "--max-iter",
    10**9,
    "--init",
    "random_from_data",
    "--seed",
    0,
]


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    path = tmp_path_factory.mktemp("endless") / "uniform.npy"
    np.save(path, np.random.default_rng(0).uniform(size=(20_000, 4)))
    return path


def interrupt(environment, arguments):
    """Run with stderr on a terminal and send Ctrl-C once the bar shows an iteration."""
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "gaussmix", *map(str, arguments)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=end, text=True) as process:
        os.close(end)
        shown, sent = "", False
        # Reading a terminal whose other end is closed is an error on Linux, and the end on others.
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 1 << 16):
                shown += piece.decode()
                if not sent and re.search(r"iteration \d+/", shown):
                    process.send_signal(signal.SIGINT)
                    sent = True
        os.close(terminal)
        printed = process.stdout.read()
        return process.wait(), printed, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_the_bar_and_one_interrupt(environment, endless, tmp_path):
    path = tmp_path / "model"
    code, printed, shown = interrupt(environment, ["fit", endless, *ENDLESS, "-o", path])
    assert code == 0, shown[-500:]
    assert re.search(r"iteration \d+/1000000000, log-likelihood -?\d+\.\d+ a row", shown)
    saved = load_model(path)
    assert f"interrupted after {saved.info['n_iter']} iterations; the best so far is in {path}" in shown
    assert "stopping with the best so far; Ctrl-C again gives up" in shown
    assert saved.info["status"] == "interrupted"
    assert saved.mixture.n_components == 8
    assert "interrupted after" in printed and f"model saved in {path}" in printed
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def interrupted_in_an_iteration(*arguments, on_progress, **options):
    """A fit in whose second iteration Ctrl-C is pressed."""

    def report(progress):
        if progress.iteration == 2:
            signal.raise_signal(signal.SIGINT)
        return on_progress(progress)

    return gaussmix.fit_mixture(*arguments, on_progress=report, **options)


def test_one_interrupt_where_nothing_is_saved(run, faithful, monkeypatch):
    monkeypatch.setattr("gaussmix.cli.fit_table.fit_mixture", interrupted_in_an_iteration)
    result = run("fit", faithful, "-k", 2, "--covariance", "full", "--init", "kmeans", "--seed", 0)
    assert result.exit_code == 130
    assert result.stderr.endswith("interrupted after 2 iterations; nothing was saved: there was no -o\n")
    assert "interrupted after 2 iterations\n" in result.stdout


def test_an_interrupt_before_the_first_iteration_gives_up_at_once(run, tmp_path, faithful, monkeypatch):
    def interrupted(*_, **__):
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("went on")

    monkeypatch.setattr("sklearn.cluster.KMeans.fit", interrupted)
    result = run(
        "fit",
        faithful,
        "-k",
        2,
        "--covariance",
        "full",
        "-o",
        tmp_path / "model",
        "--checkpoint",
        tmp_path / "checkpoint",
    )
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "error: given up: nothing was fitted yet\n"
    assert list(tmp_path.iterdir()) == []


def test_the_handler_gives_up_at_the_second(monkeypatch):
    from gaussmix.cli.progress import StopOnInterrupt

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("os.write", lambda *_: None)
    with StopOnInterrupt(begun=True) as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_giving_up_leaves_nothing(run, tmp_path, faithful, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gaussmix.cli.fit_table.fit_mixture", interrupted)
    result = run("fit", faithful, "-k", 2, "--covariance", "full", "-o", tmp_path / "model")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "error: given up\n"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_had_enough(environment, model):
    command = [sys.executable, "-m", "gaussmix", "sample", str(model), "-n", "200000"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"eruptions,waiting,component\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
