"""`gaussmix fit --checkpoint` and `--resume`: cut off by Ctrl-C, and ended as if it had not been."""

from __future__ import annotations

import pytest

from gaussmix.io import load_model
from tests.cli.test_interrupt import interrupted_in_an_iteration

FIT = ("fit", "--init", "kmeans")


@pytest.fixture
def cut_off(run, faithful, tmp_path, monkeypatch):
    """Interrupt a fit in its second iteration; gives what it printed."""

    def call(*options):
        with monkeypatch.context() as patched:
            patched.setattr("gaussmix.cli.fit_table.fit_mixture", interrupted_in_an_iteration)
            return run(
                *FIT, faithful, "-k", 3, "--covariance", "full", "--checkpoint", tmp_path / "c", *options
            )

    return call


@pytest.mark.parametrize("seed", [[], ["--seed", 3]])
def test_a_fit_that_goes_on_is_the_fit_that_was_not_cut_off(run, faithful, tmp_path, cut_off, seed):
    stopped = cut_off(*seed, "-o", tmp_path / "half")
    assert stopped.exit_code == 0
    assert stopped.stderr.endswith(
        f"interrupted after 2 iterations; the best so far is in {tmp_path / 'half'}; "
        f"go on with --resume {tmp_path / 'c'}\n"
    )
    done = run(
        *FIT,
        faithful,
        "-k",
        3,
        "--covariance",
        "full",
        "--resume",
        tmp_path / "c",
        "-o",
        tmp_path / "resumed",
    )
    assert done.exit_code == 0 and "status          converged" in done.stdout
    drawn = load_model(tmp_path / "resumed").info["seed"]
    assert drawn == load_model(tmp_path / "half").info["seed"] and (not seed or drawn == 3)
    assert f"seed            {drawn}\n" in done.stdout
    run(*FIT, faithful, "-k", 3, "--covariance", "full", "--seed", drawn, "-o", tmp_path / "whole")
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()


def test_without_a_model_to_save(cut_off, tmp_path):
    stopped = cut_off()
    assert stopped.exit_code == 130
    assert stopped.stderr.endswith(
        f"; no model was saved: there was no -o; go on with --resume {tmp_path / 'c'}\n"
    )


def test_resume_keeps_the_checkpoint_up_to_date_or_another(run, faithful, tmp_path, cut_off):
    cut_off()
    half = (tmp_path / "c").read_bytes()
    assert (
        run(
            *FIT,
            faithful,
            "-k",
            3,
            "--covariance",
            "full",
            "--resume",
            tmp_path / "c",
            "--checkpoint",
            tmp_path / "d",
        ).exit_code
        == 0
    )
    assert (tmp_path / "c").read_bytes() == half
    assert run(*FIT, faithful, "-k", 3, "--covariance", "full", "--resume", tmp_path / "c").exit_code == 0
    assert (tmp_path / "c").read_bytes() == (tmp_path / "d").read_bytes() != half


def test_a_checkpoint_made_without_a_seed_tells_none(run, faithful, tmp_path):
    import gaussmix
    from gaussmix.datasets import load_faithful

    gaussmix.fit_mixture(load_faithful()[0], 2, init_params="kmeans", checkpoint=tmp_path / "c")
    done = run(
        *FIT, faithful, "-k", 2, "--covariance", "full", "--resume", tmp_path / "c", "-o", tmp_path / "model"
    )
    assert done.exit_code == 0, done.stderr
    assert "seed" not in done.stdout and "seed" not in load_model(tmp_path / "model").info


def test_a_disk_that_is_full(run, faithful, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gaussmix.fit.checkpoint._container.write", full_disk)
    result = run(*FIT, faithful, "-k", 2, "--covariance", "full", "--checkpoint", tmp_path / "c")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {tmp_path / 'c'}: cannot be written: No space left on device\n"
