"""--noise and --trim, and what the other commands make of a model with noise."""

from __future__ import annotations

import numpy as np
import pytest

import gaussmix
from gaussmix.data.tables import read_table
from gaussmix.io import load_model


@pytest.fixture
def table(tmp_path):
    """Two clusters of a hundred rows, and twenty rows anywhere."""
    rng = np.random.default_rng(0)
    X = np.concatenate(
        [rng.normal(0, 1, (100, 2)), rng.normal(9, 1, (100, 2)), rng.uniform(-20, 30, (20, 2))]
    )
    path = tmp_path / "table.csv"
    np.savetxt(path, X, delimiter=",", header="a,b", comments="")
    return path


@pytest.mark.parametrize(("asked", "noise"), [("auto", True), ("0.2", 0.2)])
def test_noise(run, table, tmp_path, asked, noise):
    path = tmp_path / "model.safetensors"
    result = run("fit", table, "-k", 2, "--covariance", "full", "--seed", 0, "--noise", asked, "-o", path)
    assert result.exit_code == 0, result.output
    X = read_table(table).values
    expected = gaussmix.fit_mixture(X, 2, noise=noise, random_state=0)
    assert (
        load_model(path).mixture.noise.tensors["noise"].tolist()
        == expected.mixture.noise.tensors["noise"].tolist()
    )
    assert f"Noise: weight {expected.mixture.noise.weight:.4f}, log-density" in result.stdout
    assert f"{expected.bic:.10g}" in result.stdout and "Noise: weight" in run("show", path).stdout

    out = tmp_path / "labels.csv"
    assert run("predict", path, table, "-o", out).exit_code == 0
    told = read_table(out)
    assert told.names == ("label", "p_0", "p_1", "p_noise", "log_density")
    np.testing.assert_array_equal(told.values[:, 0], expected.mixture.predict(X))
    assert (told.values[-20:, 0] == -1).sum() > 15
    drawn = tmp_path / "drawn.csv"
    assert run("sample", path, "-n", 500, "--seed", 1, "-o", drawn).exit_code == 0
    assert set(read_table(drawn).values[:, -1]) == {-1.0, 0.0, 1.0}
    assert f"{expected.bic:.8g}"[:8] in run("score", path, table).stdout


def test_trim(run, table, tmp_path):
    path = tmp_path / "model.safetensors"
    result = run("fit", table, "-k", 2, "--covariance", "full", "--seed", 0, "--trim", 0.1, "-o", path)
    assert result.exit_code == 0, result.output
    expected = gaussmix.fit_mixture(read_table(table).values, 2, trim=0.1, random_state=0)
    info = load_model(path).info
    assert info["n_samples"] == 198 and info["n_trimmed"] == expected.trimmed.sum() == 22
    assert info["log_likelihood"] == expected.log_likelihood
    assert "22 rows of lowest density" in result.stdout


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--noise", "much", "--noise must be auto or a share over 0 and under 1; got 'much'"),
        ("--noise", "1", "--noise must be auto or a share over 0 and under 1; got '1'"),
        ("--trim", "1", "--trim must be a share of at least 0 and under 1; got 1.0"),
        ("--trim", "0.999", "table.csv: trim=0.999 leaves fewer rows than the 2 components"),
    ],
)
def test_shares_that_make_no_sense(run, table, option, value, said):
    result = run("fit", table, "-k", 2, "--covariance", "full", option, value)
    assert result.exit_code == 2 and said in result.stderr


def test_a_picture_shows_noise(table):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from gaussmix.plot import plot_mixture

    X = read_table(table).values
    mixture = gaussmix.fit_mixture(X, 2, noise=True, random_state=0).mixture
    ax = plot_mixture(mixture, X, ax=Figure().subplots())
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[-1].startswith("noise") and len(said) == 3
    rows = {
        scatter.get_offsets().shape[0]: scatter for scatter in ax.collections if len(scatter.get_offsets())
    }
    noise = rows[(mixture.predict(X) == -1).sum()]
    assert (np.ptp(noise.get_edgecolors()[:, :3], axis=1) == 0.0).all()  # grey
