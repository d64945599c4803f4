"""A runner for the command, in the process and in one of its own, and a fitted model to use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import gaussmix
from gaussmix.cli import app
from gaussmix.datasets import faithful_path, load_faithful


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory, monkeypatch):
    """A folder of its own to run in: a search saves its model and its page where it runs."""
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))


@pytest.fixture
def run():
    """Call the command in this process."""

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture(scope="session")
def environment():
    """The environment in which a new process finds this package."""
    source = str(Path(gaussmix.__file__).parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "80"}


@pytest.fixture(scope="session")
def run_process(environment):
    """Call the command in a process of its own."""

    def call(*arguments):
        command = [sys.executable, "-m", "gaussmix", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return call


@pytest.fixture
def faithful():
    return faithful_path()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The path of a model of two components, fitted to Old Faithful."""
    X, names = load_faithful()
    path = tmp_path_factory.mktemp("model") / "faithful.safetensors"
    result = gaussmix.fit_mixture(X, 2, init_params="kmeans", random_state=0, feature_names=names)
    result.mixture.save(path, info={"status": str(result.status), "n_iter": result.n_iter})
    return path


@pytest.fixture
def wide_model(tmp_path):
    """The path of a model of more components and features than a screen shows."""
    rng = np.random.default_rng(0)
    names = [f"a rather long name of feature {j}" for j in range(64)]
    means, variances = rng.normal(size=(40, 64)), rng.uniform(0.5, 2, size=(40, 64))
    gaussmix.Mixture(np.full(40, 1 / 40), means, variances, "diag", feature_names=names).save(
        tmp_path / "wide.gm"
    )
    return tmp_path / "wide.gm"
