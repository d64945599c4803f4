"""`gaussmix classify`: what it prints and writes is what the library says, and wrong options are refused."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris

from gaussmix import GaussianMixtureClassifier
from gaussmix.errors import ModelFileError
from tests.cli.test_hostile import HOSTILE, check, list_options

#: A model that is fitted at once, with nothing to choose.
LDA = ["-k", 1, "--covariance", "tied", "--shrinkage", 0, "--seed", 3]
X, PLACES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def write_table(path, labels, target="kind", values=X):
    lines = [
        f"a,b,c,d,{target}",
        *(f"{','.join(map(repr, row))},{label}" for row, label in zip(values.tolist(), labels, strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def read_rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "iris.csv", NAMES[PLACES])


def test_the_summary_and_the_table(run, table, tmp_path):
    out = tmp_path / "out.csv"
    result = run("classify", table, "--target", "kind", *LDA, "-o", out)
    assert result.exit_code == 0, result.output
    assert "150 rows of 3 classes (kind): setosa 50, versicolor 50, virginica 50." in result.stdout
    assert "Model: 1 component a class, covariance tied." in result.stdout
    assert f"table saved in {out}" in result.stdout and "seed   3" in result.stdout
    rows = read_rows(out)
    assert list(rows[0]) == ["row", "label", "p_setosa", "p_versicolor", "p_virginica", "log_density"]
    P = np.array([[float(row[f"p_{name}"]) for name in NAMES] for row in rows])
    assert_allclose(P.sum(axis=1), 1.0)
    assert [row["label"] for row in rows] == NAMES[P.argmax(axis=1)].tolist()
    # the accuracy, the losses and the table that are printed are those of the rows in the file
    accuracy, own = (P.argmax(axis=1) == PLACES).mean(), P[np.arange(150), PLACES]
    assert f"accuracy           {accuracy:.4f}" in result.stdout
    assert f"log-loss           {-np.log(own).mean():.4f} nats" in result.stdout
    assert f"Brier score        {((P - np.eye(3)[PLACES]) ** 2).sum(axis=1).mean():.4f}" in result.stdout
    counts = np.array([[((i == PLACES) & (P.argmax(axis=1) == j)).sum() for j in range(3)] for i in range(3)])
    printed = [
        line.split()[1:]
        for line in result.stdout.splitlines()
        if line.split()[:1] in [[name] for name in NAMES]
    ]
    assert np.array(printed, dtype=int).tolist() == counts.tolist()


def test_rows_were_held_out_for_what_is_said_of_them(run, tmp_path):
    # the class of these rows is drawn: who has seen them could know it, with so many components
    rng = np.random.default_rng(0)
    table = write_table(tmp_path / "t.csv", rng.integers(0, 2, 60), values=rng.normal(size=(60, 4)))
    options = ["-k", 1, "--covariance", "full", "--shrinkage", 0, "--seed", 0, "-o", tmp_path / "out.csv"]
    run("classify", table, "--target", "kind", *options)
    held = np.mean(
        [
            row["label"] == truth
            for row, truth in zip(
                read_rows(tmp_path / "out.csv"), (line["kind"] for line in read_rows(table)), strict=True
            )
        ]
    )
    result = run("classify", table, "--target", "kind", *options, "--folds", 0)
    seen = np.mean(
        [
            row["label"] == truth
            for row, truth in zip(
                read_rows(tmp_path / "out.csv"), (line["kind"] for line in read_rows(table)), strict=True
            )
        ]
    )
    assert seen > held + 0.1
    assert "held out" not in result.stdout


def test_other_rows_are_classified_by_the_fit_of_all(run, table, tmp_path):
    others = tmp_path / "others.csv"
    others.write_text("d,c,b,a\n0.2,1.4,3.5,5.1\n2.5,6.0,3.3,6.3\n")
    result = run("classify", table, "--target", "kind", *LDA, "--predict", others)
    assert result.exit_code == 0
    lines = list(csv.DictReader(result.stdout.splitlines()))
    assert [line["label"] for line in lines] == ["setosa", "virginica"]
    model = GaussianMixtureClassifier(1, covariance_type="tied", shrinkage=0.0).fit(X, NAMES[PLACES])
    P = model.predict_proba([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
    assert_allclose(
        [[float(line[f"p_{name}"]) for name in NAMES] for line in lines], P, rtol=1e-6, atol=1e-12
    )


def test_rows_of_unknown_class_help_to_learn_and_get_one(run, tmp_path):
    labels = np.where(np.arange(150) % 3 == 0, NAMES[PLACES], "")
    table = write_table(tmp_path / "t.csv", labels)
    out = tmp_path / "out.csv"
    result = run("classify", table, "--target", "kind", *LDA, "-o", out)
    assert (
        "150 rows, 50 of them of 3 known classes (kind): setosa 17, versicolor 17, virginica 16."
        in result.stdout
    )
    rows = read_rows(out)
    assert len(rows) == 150
    assert np.mean([row["label"] == truth for row, truth in zip(rows, NAMES[PLACES], strict=True)]) > 0.9


def test_a_saved_classifier_classifies_other_tables(run, table, tmp_path):
    path = tmp_path / "iris.safetensors"
    saved = run(
        "classify", table, "--target", "kind", *LDA, "--folds", 0, "--save", path, "-o", tmp_path / "fit.csv"
    )
    assert f"classifier saved in {path}" in saved.stdout
    result = run("classify", table, "-m", path, "-o", tmp_path / "used.csv")
    assert result.exit_code == 0
    for row, other in zip(read_rows(tmp_path / "used.csv"), read_rows(tmp_path / "fit.csv"), strict=True):
        assert (row["row"], row["label"]) == (other["row"], other["label"])
        assert float(row["p_setosa"]) == pytest.approx(float(other["p_setosa"]), rel=1e-6, abs=1e-12)
    assert list(GaussianMixtureClassifier.load(path).feature_names_in_) == ["a", "b", "c", "d"]
    shown = run("show", path)
    assert shown.exit_code == 0
    assert "Classifier. Model: 1 component a class, covariance tied." in shown.stdout
    assert "0: setosa, 1: versicolor, 2: virginica" in shown.stdout.replace("\n", " ")
    wrong = run("predict", path, table)
    assert wrong.exit_code == 2 and "gaussmix classify --model" in wrong.stderr


def test_classes_that_are_numbers_and_rows_that_get_none(run, tmp_path):
    table = write_table(tmp_path / "t.csv", PLACES + 1)
    result = run(
        "classify", table, "--target", "kind", *LDA, "--reject-posterior", 0.9, "-o", tmp_path / "out.csv"
    )
    assert "no class given" in result.stdout
    rows = read_rows(tmp_path / "out.csv")
    assert {"p_1", "p_2", "p_3", "rejected"} <= set(rows[0])
    for row in rows:
        best = max(float(row[f"p_{name}"]) for name in (1, 2, 3))
        assert (row["rejected"] == "true") == (best < 0.9)


def test_quiet_and_the_same_seed(run, table, tmp_path):
    for name in ("one.csv", "two.csv"):
        result = run("classify", table, "--target", "kind", *LDA, "-q", "-o", tmp_path / name)
        assert result.output == ""
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()


def refuse(result, message):
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    *notes, error = result.stderr.splitlines()
    assert error.startswith("error: ") and all(note.startswith("note: ") for note in notes)


def test_wrong_options_are_refused(run, table, tmp_path):
    target = ["--target", "kind"]
    refuse(run("classify", table), "--target names the column with the classes")
    refuse(run("classify", table, "--target", "kid"), "no column 'kid'; did you mean 'kind'?")
    refuse(
        run("classify", table, "--target", "a"), "column 'a' has numbers such as 4.3, which are no classes"
    )
    refuse(run("classify", table, *target, "-k", "x"), "'-k'")
    refuse(
        run("classify", table, *target, "--covariance", "x"),
        "--covariance must be auto, or names of families",
    )
    refuse(run("classify", table, *target, "--criterion", "x"), "--criterion must be one of cv, bic")
    refuse(
        run("classify", table, *target, "--share", "x"),
        "--share must be one of covariances, nothing, components",
    )
    refuse(
        run("classify", table, *target, "--shrinkage", "-1"), "--shrinkage must be auto, or a number of rows"
    )
    refuse(run("classify", table, *target, "--folds", 1), "--folds must be 0, or 2 or more")
    refuse(
        run("classify", table, *target, "--reject-posterior", 1),
        "--reject-posterior must be from 0 to below 1",
    )
    refuse(
        run("classify", table, *target, "-m", "x"), "--model is fitted already, and does not go with --target"
    )
    refuse(run("classify", table, "-m", tmp_path / "none"), "no such file")
    refuse(run("classify", table, *target, "--save", "x.csv"), "a classifier is not a table")
    refuse(run("classify", table, *target, "-o", table), "is also the input")


def test_a_target_of_too_few_classes_or_rows_is_refused(run, tmp_path):
    refuse(
        run("classify", write_table(tmp_path / "t.csv", ["x"] * 150), "--target", "kind"),
        "has one class, 'x'",
    )
    refuse(
        run("classify", write_table(tmp_path / "t.csv", [""] * 150), "--target", "kind"),
        "has no class at all",
    )
    lone = ["x"] + ["y"] * 149
    result = run("classify", write_table(tmp_path / "t.csv", lone), "--target", "kind", *LDA)
    refuse(result, "t.csv: ")


def test_no_mixture_is_taken_for_a_classifier(run, table, model):
    refuse(run("classify", table, "-m", model), "not a classifier; a mixture is for Mixture.load")
    with pytest.raises(ModelFileError, match="not a classifier"):
        GaussianMixtureClassifier.load(model)


@pytest.mark.parametrize("option", list_options("classify"))
def test_hostile_values_of_every_option(run, tmp_path, option):
    table = write_table(tmp_path / "t.csv", NAMES[PLACES][::3], values=X[::3])
    for value in HOSTILE[len(option) % 4 :: 4]:
        arguments = ["classify", table, "--target", "kind", *LDA, "--folds", 2, option, value]
        check(run(*arguments), arguments)


def test_classes_that_a_spreadsheet_would_run_or_a_terminal_obey(run, tmp_path):
    labels = np.where(PLACES == 0, "[red]x\u202e", "=1+1")
    table = write_table(tmp_path / "t.csv", labels)
    result = run("classify", table, "--target", "kind", *LDA, "-o", tmp_path / "o.csv")
    check(result, [])
    assert result.exit_code == 0
    assert "[red]x\\u202e 50" in result.stdout and "\u202e" not in result.stdout
    rows = read_rows(tmp_path / "o.csv")
    assert rows[-1]["label"] == "'=1+1" and "p_=1+1" in rows[0]


def test_a_page(run, table, tmp_path):
    pytest.importorskip("jinja2")
    path = tmp_path / "page.html"
    result = run("classify", table, "--target", "kind", *LDA, "--report", path)
    assert f"report saved in {path}" in result.stdout
    assert "Classes of kind in iris.csv" in path.read_text(encoding="utf-8")
    refuse(
        run("classify", table, "--target", "kind", "--folds", 0, "--report", path), "rows that were held out"
    )


def test_a_picture(run, table, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "honest.png"
    result = run("classify", table, "--target", "kind", *LDA, "--plot", path)
    assert f"picture saved in {path}" in result.stdout
    assert path.read_bytes().startswith(b"\x89PNG")
    refuse(run("classify", table, "--target", "kind", *LDA, "--plot", "x.bmp"), "cannot write a picture")
    refuse(
        run("classify", table, "--target", "kind", "--folds", 0, "--plot", path), "rows that were held out"
    )
