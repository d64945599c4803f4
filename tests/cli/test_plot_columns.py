"""`gaussmix fit --plot-columns`: which columns are shown, and what is refused before the fit."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4)) + np.where(np.arange(60) < 30, 0.0, 5.0)[:, None]
    path = tmp_path / "table.csv"
    header = 'length,width,"mass, dry",$\\undefined$'
    np.savetxt(path, values, fmt="%.6f", delimiter=",", header=header, comments="")
    return path


@pytest.fixture
def shown(monkeypatch):
    """The arguments of the pictures that are drawn."""
    from gaussmix import plot

    calls = []
    draw = plot.save_plot

    def save_plot(*arguments, **options):
        calls.append(options)
        draw(*arguments, **options)

    monkeypatch.setattr("gaussmix.plot.save_plot", save_plot)
    return calls


def fit(run, table, *options):
    return run("fit", table, "-k", 2, "--covariance", "diag", "--seed", 0, *options)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (None, None),
        ("width", ["width"]),
        ("width, length", ["width", "length"]),
        ('"mass, dry",$\\undefined$,width', ["mass, dry", "$\\undefined$", "width"]),
    ],
)
def test_columns_are_shown_in_their_order(run, table, shown, tmp_path, columns, expected):
    more = () if columns is None else ("--plot-columns", columns)
    result = fit(run, table, "--plot", tmp_path / "picture.png", *more)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert shown[0]["features"] == expected


def test_weights_and_rows_left_out_are_in_the_picture(run, table, shown, tmp_path):
    options = ("--weights", "width", "--plot", tmp_path / "picture.png")
    table.write_text(table.read_text().replace("-", ""))  # no weight is negative
    result = fit(run, table, *options)
    assert result.exit_code == 0, result.output
    assert shown[0]["sample_weight"].shape == (60,) and shown[0]["left_out"] is None
    assert fit(run, table, "--trim", "0.1", "--plot", tmp_path / "picture.png").exit_code == 0
    assert 0 < shown[1]["left_out"].sum() <= 7


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("widht", "--plot-columns: no column 'widht' is fitted; did you mean 'width'?"),
        ("width,width", "--plot-columns names 'width' twice"),
        ("", "--plot-columns names no column"),
        ("9", "--plot-columns: no column '9' is fitted; they are 'length', 'width', 'mass, dry', "),
    ],
)
def test_wrong_columns_are_refused_before_the_fit(run, table, tmp_path, monkeypatch, columns, message):
    monkeypatch.setattr("gaussmix.cli.fit_table._fit_rows", lambda *_: pytest.fail("there was a fit"))
    result = fit(run, table, "--plot", tmp_path / "picture.png", "--plot-columns", columns)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"error: {message}")
    assert not (tmp_path / "picture.png").exists()


def test_names_that_are_not_among_columns_are_refused_before_reading(run, table, tmp_path, monkeypatch):
    monkeypatch.setattr("gaussmix.cli.fit_table.read_tables", lambda *_, **__: pytest.fail("it was read"))
    options = (
        "--columns",
        "length,width",
        "--plot",
        tmp_path / "picture.png",
        "--plot-columns",
        "length,mass",
    )
    result = fit(run, table, *options)
    assert result.exit_code == 2
    assert "no column 'mass' is fitted; they are 'length', 'width'" in result.stderr


def test_it_takes_a_picture(run, table):
    result = fit(run, table, "--plot-columns", "width")
    assert result.exit_code == 2
    assert result.stderr == "error: --plot-columns says what --plot shows; give --plot PNG as well\n"
