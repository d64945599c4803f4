"""`gaussmix detect`: what it prints and writes is what the library says, and wrong options are refused."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixtureDetector
from gaussmix._reading.named_rows import NamedRows
from gaussmix.data.tables import read_table
from gaussmix.io import load_model

NAMES = ["height", "weight"]


def make_rows(n, seed):
    rng = np.random.default_rng(seed)
    height = rng.normal(1.7, 0.1, n)
    return np.column_stack([height, 40.0 * (height - 1.7) + 65.0 + rng.normal(0.0, 3.0, n)])


def write_rows(path, X, names=NAMES):
    np.savetxt(path, X, delimiter=",", header=",".join(names), comments="")
    return path


@pytest.fixture
def table(tmp_path):
    """Two hundred people, and four rows that are none: the last."""
    odd = [[1.7, 400.0], [2.9, 65.0], [1.5, 110.0], [1.2, 20.0]]
    return write_rows(tmp_path / "people.csv", np.concatenate([make_rows(200, 0), odd]))


@pytest.fixture
def normal(tmp_path):
    return write_rows(tmp_path / "normal.csv", make_rows(300, 1))


def read_lines(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_table_has_a_line_for_each_row(run, table, tmp_path):
    out = tmp_path / "out.csv"
    result = run("detect", table, "--contamination", 0.02, "--seed", 5, "-o", out)
    assert result.exit_code == 0, result.output
    X = read_table(table).values
    expected = GaussianMixtureDetector(contamination=0.02, random_state=5).fit(X)
    lines = read_lines(out)
    assert list(lines[0]) == ["row", "score", "anomaly", "reasons"]
    assert [int(line["row"]) for line in lines] == list(range(1, 205))
    np.testing.assert_allclose([float(line["score"]) for line in lines], expected.score_samples(X))
    flagged = np.array([line["anomaly"] == "true" for line in lines])
    np.testing.assert_array_equal(flagged, expected.predict(X) == -1)
    assert flagged[-4:].all() and flagged.sum() == 4
    assert [bool(line["reasons"]) for line in lines] == flagged.tolist()
    assert lines[200]["reasons"].startswith("weight 400 (expected 6")
    assert lines[201]["reasons"].startswith("height 2.9 (")


def test_the_summary_tells_the_worst_rows_and_why(run, table):
    result = run("detect", table, "--contamination", 0.02, "--seed", 5, "--worst", 2, "--explain", 1)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Of 204 rows 4 are anomalies (1.96 %): they score below ")
    assert lines[1].startswith("Normal rows: ") and "2 features" in lines[1]
    assert lines[3].split() == ["row", "score", "anomaly", "reasons"]
    assert lines[4].split()[:3:2] == ["201", "yes"] and "weight 400 (" in lines[4]
    assert lines[5].split()[0] == "202" and "height" in lines[5] and ";" not in lines[5]
    assert lines[-1].split() == ["seed", "5"]
    assert "reasons" not in run("detect", table, "--explain", 0).stdout
    assert "row" not in run("detect", table, "--worst", 0).stdout.splitlines()[3:]
    quiet = run("detect", table, "-q")
    assert quiet.exit_code == 0 and quiet.output == ""


def test_rows_that_were_dropped_keep_their_numbers(run, table, tmp_path):
    lines = table.read_text().splitlines()
    lines[3] = "NA,70"
    table.write_text("\n".join(lines) + "\n")
    result = run("detect", table, "--drop-missing", "-o", tmp_path / "out.csv", "--contamination", 0.02)
    assert result.exit_code == 0, result.output
    rows = [int(line["row"]) for line in read_lines(tmp_path / "out.csv")]
    assert 3 not in rows and rows[-1] == 204
    assert "201" in result.stdout


def test_another_table_to_learn_from(run, table, normal, tmp_path):
    out = tmp_path / "out.csv"
    arguments = ("--train", normal, "--novelty", "--seed", 1)
    result = run("detect", table, *arguments, "--fdr", 0.2, "-o", out)
    assert result.exit_code == 0, result.output
    assert "chosen so that 20 % of them are normal at most" in result.stdout
    model = GaussianMixtureDetector(novelty=True, calibration="cross", random_state=1)
    model.fit(read_table(normal).values)
    X = read_table(table).values
    lines = read_lines(out)
    np.testing.assert_allclose([float(line["p_value"]) for line in lines], model.pvalues(X))
    flagged = [line["anomaly"] == "true" for line in lines]
    assert flagged == model.select(X, fdr=0.2).tolist() and all(flagged[-4:])
    split = run("detect", table, *arguments, "--calibration", "split", "--fpr", 0.05)
    assert split.exit_code == 0, split.output
    assert "p-value" in split.stdout


def test_a_table_of_one_row_is_one_row(run, normal, tmp_path):
    write_rows(tmp_path / "one.csv", make_rows(1, 0))
    result = run("detect", tmp_path / "one.csv", "--train", normal)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Of 1 row 0 are anomalies")


def test_columns_are_found_by_name_and_weights_are_of_the_fit(run, table, tmp_path):
    X = make_rows(100, 2)
    weights = np.where(np.arange(100) < 60, 1.0, 2.0)
    train = write_rows(
        tmp_path / "train.csv", np.column_stack([weights, X[:, ::-1]]), ["w", "weight", "height"]
    )
    result = run("detect", table, "--train", train, "--weights", "w", "--seed", 0, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    model = GaussianMixtureDetector(calibration="cross", random_state=0).fit(
        X[:, ::-1], sample_weight=weights
    )
    scores = [float(line["score"]) for line in read_lines(tmp_path / "out.csv")]
    np.testing.assert_allclose(scores, model.score_samples(read_table(table).values[:, ::-1]))


def test_a_saved_detector_scores_other_tables(run, table, normal, tmp_path):
    path = tmp_path / "detector.safetensors"
    saved = run("detect", normal, "--train", normal, "--novelty", "--seed", 2, "--save", path)
    assert saved.exit_code == 0 and f"detector saved in {path}" in saved.stdout
    result = run("detect", table, "-m", path, "--fdr", 0.2, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    model = GaussianMixtureDetector.load(path)
    assert model.feature_names_in_.tolist() == NAMES
    X = NamedRows(read_table(table).values, NAMES)
    lines = read_lines(tmp_path / "out.csv")
    assert [line["anomaly"] == "true" for line in lines] == model.select(X, fdr=0.2).tolist()
    assert "seed" not in result.stdout
    shown = run("show", path)
    assert shown.exit_code == 0 and "1 component, 2 features" in shown.stdout
    assert "'height', 'weight'" in shown.stdout and "300 rows, 5 models" in shown.stdout
    # thresholds that the file does not have
    fpr = run("detect", table, "-m", path, "--fpr", 0.05, "-o", tmp_path / "fpr.csv")
    assert fpr.exit_code == 0, fpr.output
    offset = model.calibration_.calibration.find_threshold(0.05)
    flagged = [line["anomaly"] == "true" for line in read_lines(tmp_path / "fpr.csv")]
    assert flagged == (model.score_samples(X) < offset).tolist()
    share = run("detect", table, "-m", path, "--contamination", 0.25)
    assert "Of 204 rows 51 are anomalies (25 %)" in share.stdout


def test_a_mixture_flags_what_is_not_as_drawn_from_it(run, faithful, tmp_path, model):
    result = run("detect", faithful, "--model", model, "--seed", 0, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert "a mixture; threshold and p-values suppose that normal rows are as drawn from it" in result.stderr
    mixture = load_model(model).mixture
    X = read_table(faithful).values
    lines = read_lines(tmp_path / "out.csv")
    np.testing.assert_allclose([float(line["score"]) for line in lines], mixture.log_prob(X))
    p = np.array([float(line["p_value"]) for line in lines])
    np.testing.assert_array_equal([line["anomaly"] == "true" for line in lines], p <= 0.01)


def test_noise_of_a_mixture_is_not_normal(run, table, tmp_path):
    X = read_table(table).values
    box = gaussmix.Noise.between([0, 0], [10, 1000])
    fitted = gaussmix.fit_mixture(X, 1, noise=box, feature_names=NAMES)
    path = tmp_path / "noise.safetensors"
    fitted.mixture.save(path)
    result = run("detect", table, "-m", path, "--seed", 0, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    scores = [float(line["score"]) for line in read_lines(tmp_path / "out.csv")]
    np.testing.assert_allclose(scores, fitted.mixture.without_noise().log_prob(X))


def test_the_picture(run, table, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "scores.png"
    result = run("detect", table, "--plot", path)
    assert result.exit_code == 0 and f"picture saved in {path}" in result.stdout
    assert path.read_bytes().startswith(b"\x89PNG")


def test_names_that_a_spreadsheet_would_run(run, tmp_path):
    X = np.concatenate([make_rows(100, 0), [[1.7, 900.0]]])
    path = write_rows(tmp_path / "table.csv", X, ["height", "\"=cmd|'x'!A\""])
    result = run("detect", path, "-o", tmp_path / "out.csv", "--contamination", 0.01)
    assert result.exit_code == 0, result.output
    assert read_lines(tmp_path / "out.csv")[-1]["reasons"].startswith("'=cmd")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--contamination", "0.7"],
            "--contamination must be auto, or a share of the rows, above 0 and at most 0.5",
        ),
        (["--contamination", "0"], "--contamination must be auto"),
        (["--contamination", "many"], "--contamination must be auto"),
        (["--trim", "1"], "--trim must be auto, or a share of the rows, from 0 to below 1"),
        (["--trim", "nan"], "--trim must be auto"),
        (["-k", "0"], "-k must be auto, or a number of components"),
        (["-k", "two"], "-k must be auto"),
        (["-k", "5000"], "5000"),
        (["--covariance", "round"], "--covariance must be auto, or the name of a family"),
        (["--fpr", "0"], "--fpr must be above 0 and below 1"),
        (["--fdr", "1.5", "--train", "people.csv"], "--fdr must be above 0 and below 1"),
        (["--fdr", "0.1"], "name a table of those with --train"),
        (
            ["--fdr", "0.1", "--fpr", "0.1", "--train", "people.csv"],
            "--fpr and --fdr are different thresholds",
        ),
        (["--contamination", "0.1", "--fpr", "0.1"], "--contamination and --fpr are different thresholds"),
        (["--calibration", "split"], "give --train TABLE as well"),
        (
            ["--calibration", "none", "--train", "people.csv"],
            "--calibration must be one of auto, cross, split",
        ),
        (["--fpr", "0.001", "--train", "people.csv"], "fpr=0.001 needs"),
        (["-o", "out.xyz"], "cannot write a table ending in '.xyz'"),
        (["-o", "people.csv"], "is also the input"),
        (["--save", "detector.csv"], "a detector is not a table"),
        (["--save", "nowhere/detector.gm"], "there is no directory"),
        (["--plot", "scores.xyz"], "cannot write a picture"),
        (
            ["--save", "same.png", "--plot", "same.png"],
            "the detector and the picture cannot be the same file",
        ),
        (["--model", "nothing.gm"], "nothing.gm: no such file"),
        (["--model", "people.csv"], "not a gaussmix model"),
        (["--model", "mixture.gm", "--train", "people.csv"], "does not go with --train"),
        (["--model", "mixture.gm", "-k", "2", "--novelty"], "does not go with --novelty, -k"),
        (["--model", "mixture.gm"], "weights"),
        (["--columns", "height,age"], "age"),
        (["--train", "other.csv"], "weight"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(run, table, tmp_path, monkeypatch, arguments, message):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "other.csv", make_rows(50, 0), ["length", "mass"])
    gaussmix.Mixture([1.0], [[1.0, 1.0]], [1.0], "spherical", feature_names=["weights", "heights"]).save(
        "mixture.gm"
    )
    before = sorted(path.name for path in tmp_path.iterdir())
    result = run("detect", "people.csv", *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.startswith("error: ") or "error: " in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_fdr_and_fpr_need_a_calibration(run, table, tmp_path):
    path = tmp_path / "detector.gm"
    assert run("detect", table, "--save", path).exit_code == 0
    for flag in ("--fdr", "--fpr"):
        result = run("detect", table, "-m", path, flag, 0.1)
        assert result.exit_code == 2 and "with a calibration: one saved by" in result.stderr


def test_too_few_rows(run, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("a,b\n1,2\n")
    result = run("detect", path)
    assert result.exit_code == 2 and result.stderr.startswith("error: ")


def test_the_page(run, table, normal, tmp_path):
    pytest.importorskip("jinja2")
    path = tmp_path / "page.html"
    result = run("detect", table, "--train", normal, "--seed", 3, "--fdr", 0.2, "--report", path)
    assert result.exit_code == 0 and f"report saved in {path}" in result.stdout
    page = path.read_text(encoding="utf-8")
    assert "<title>Anomalies in people.csv</title>" in page and "p-value</th>" in page
    assert "Row 201: show its reasons" in page and "Row 204: show its reasons" in page
    assert "20 % of them are normal at most" in page
    saved = run("detect", table, "--train", normal, "--save", tmp_path / "detector.gm", "-q")
    again = run("detect", table, "-m", tmp_path / "detector.gm", "--report", path)
    assert saved.exit_code == again.exit_code == 0, again.output
