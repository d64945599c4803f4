"""--strategy message-length and --init annealing."""

from __future__ import annotations

import pytest

import gaussmix
from gaussmix.data.tables import read_table
from gaussmix.io import load_model


def test_message_length(run, faithful, tmp_path):
    path = tmp_path / "model.safetensors"
    result = run(
        "fit",
        faithful,
        "-k",
        9,
        "--covariance",
        "full",
        "--strategy",
        "message-length",
        "--seed",
        1,
        "-o",
        path,
    )
    assert result.exit_code == 0, result.output
    expected = gaussmix.fit_message_length(read_table(faithful).values, 9, random_state=1)
    saved = load_model(path)
    assert saved.mixture.means.tolist() == expected.mixture.means.tolist()
    assert saved.info["message_length"] == expected.message_length
    assert f"message length  {expected.message_length:.10g} (lower is better)" in result.stdout


def test_annealing(run, faithful, tmp_path):
    path = tmp_path / "model.safetensors"
    result = run(
        "fit", faithful, "-k", 3, "--covariance", "full", "--init", "annealing", "--seed", 1, "-o", path
    )
    assert result.exit_code == 0, result.output
    X = read_table(faithful).values
    expected = gaussmix.fit_mixture(X, 3, init_params="annealing", random_state=1)
    assert load_model(path).mixture.means.tolist() == expected.mixture.means.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--strategy", "best"], "--strategy must be one of em, message-length; got 'best'"),
        (
            ["--strategy", "message-length", "--trim", "0.1", "--init", "random"],
            "--strategy message-length does not go with --init, --trim",
        ),
        (
            ["--strategy", "message-length", "--checkpoint", "a.gm"],
            "--strategy message-length does not go with --checkpoint",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(run, faithful, options, message):
    result = run("fit", faithful, "-k", 3, "--covariance", "full", *options)
    assert result.exit_code == 2 and message in result.stderr
