"""Every wrong input: one line on stderr that names what is wrong, exit code 2, nothing left behind."""

from __future__ import annotations

import json
import re
import struct

import numpy as np
import pytest

import gaussmix
from gaussmix.datasets import load_faithful


@pytest.fixture
def folder(tmp_path, model, faithful):
    """Files that are wrong, each in its way."""
    whole = model.read_bytes()
    contents = {
        "good.csv": faithful.read_bytes(),
        "good.gm": whole,
        "empty.csv": b"",
        "header.csv": b"eruptions,waiting\n",
        "prose.txt": b"It was a dark night.\nNothing moved at all.\n",
        "junk.csv": bytes(range(256)) * 8,
        "text.csv": b"eruptions,waiting\n1,2\n3,4\n5,many\n7,8\n",
        "nan.csv": b"eruptions,waiting\n1,2\n3,4\n5,nan\n",
        "missing.csv": b"eruptions,waiting\n1,2\n,4\n5,6\n",
        "infinite.csv": b"eruptions,waiting\n1,2\n3,inf\n5,6\n",
        "ragged.csv": b"eruptions,waiting\n1,2\n3,4,5\n",
        "two.csv": b"eruptions,waiting\n1,2\n3,4\n",
        "weights.csv": b"eruptions,waiting,minus,zero,few\n1,2,1,0,0\n3,4,-1,0,0\n5,6,1,0,3\n",
        "words.csv": b"eruptions,waiting,colour\n1,2,red\n3,4,blue\n",
        "others.csv": b"eruptions,height\n1,2\n",
        "three.csv": b"1,2,3\n4,5,6\n",
        "empty.gm": b"",
        "truncated.gm": whole[:-20],
        "half_header.gm": whole[:40],
        "junk.gm": bytes(range(256)) * 8,
        "tensors.gm": struct.pack("<Q", 2) + b"{}",
        "altered.gm": _altered(whole),
        "not_a_mixture.gm": whole[:-8] + struct.pack("<d", -1.0),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.csv").mkdir()
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    np.save(tmp_path / "nan.npy", np.array([[1, 2], [np.nan, 3]]))
    gaussmix.fit_mixture(load_faithful()[0], 2, random_state=5, checkpoint=tmp_path / "checkpoint.gm")
    return tmp_path


def _altered(whole):
    """Return the model with a schema of the future."""
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    document = json.loads(header["__metadata__"]["gaussmix"]) | {"schema": 999}
    header["__metadata__"]["gaussmix"] = json.dumps(document)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + whole[8 + length :]


WRONG = {
    # Tables. The file comes first in the message, then the place, then what is wrong.
    "no such file": ("fit none.csv -k 3 -o out.gm", "none.csv: no such file"),
    "a directory": ("fit folder.csv -k 3 -o out.gm", "folder.csv: is a directory"),
    "empty": ("fit empty.csv -k 3 -o out.gm", "empty.csv: the file is empty"),
    "header only": ("fit header.csv -k 3 -o out.gm", "header.csv: there is a header .* and no row"),
    "prose": ("fit prose.txt -k 3 -o out.gm", "prose.txt: no column of numbers"),
    "junk": ("fit junk.csv -k 3 -o out.gm", "junk.csv: not a text table"),
    "text": (
        "fit text.csv -k 3 -o out.gm",
        r"text.csv: line 4 \(row 3\), column 'waiting': 'many' is not a number",
    ),
    "nan": (
        "fit nan.csv -k 3 -o out.gm",
        r"nan.csv: line 4 \(row 3\), column 'waiting': the value is missing",
    ),
    "missing": (
        "fit missing.csv -k 3 -o out.gm",
        r"missing.csv: line 3 \(row 2\), column 'eruptions': the cell",
    ),
    "infinite": (
        "fit infinite.csv -k 3 -o out.gm",
        r"infinite.csv: line 3 \(row 2\), column 'waiting': 'inf' is",
    ),
    "ragged": ("fit ragged.csv -k 3 -o out.gm", "ragged.csv: line 3: 3 cells, but the header has 2"),
    "words in npy": ("fit words.npy -k 3 -o out.gm", "words.npy: the array is of type <U1"),
    "nan in npy": ("fit nan.npy -k 3 -o out.gm", "nan.npy: row 2, column 'x0': the value is missing"),
    "model as table": ("fit good.gm -k 3 -o out.gm", "good.gm: a model .*; expected a table"),
    "too few rows": ("fit two.csv -k 3 -o out.gm", "two.csv: 2 rows, fewer than the 3 components of -k 3"),
    # Columns and weights.
    "no such column": (
        "fit good.csv -k 3 --columns waitin -o out.gm",
        "no column 'waitin'; did you mean 'waiting'",
    ),
    "word column": (
        "fit words.csv -k 1 --columns colour -o out.gm",
        "column 'colour' is not numeric: .*'red'",
    ),
    "no such weights": ("fit good.csv -k 3 --weights w -o out.gm", "good.csv: no column 'w'"),
    "negative weight": (
        "fit weights.csv -k 1 --weights minus -o out.gm",
        r"weights.csv: line 3 \(row 2\), column 'minus': the weight -1 is negative",
    ),
    "zero weights": (
        "fit weights.csv -k 1 --weights zero -o out.gm",
        "weights.csv: column 'zero': every weight is 0",
    ),
    "few weights": (
        "fit weights.csv -k 2 --weights few -o out.gm",
        "1 row of positive weight, fewer than the 2",
    ),
    "word weights": ("fit words.csv -k 1 --weights colour -o out.gm", "column 'colour' is not numeric"),
    # Options.
    "checkpoint of several": (
        "fit good.csv --checkpoint c",
        "--checkpoint is for one model: name it with -k K",
    ),
    "k downwards": ("fit good.csv -k 5-2", "Invalid value for '-k'"),
    "criterion": ("fit good.csv --criterion waic", "--criterion must be one of bic, aic, icl, cv"),
    "family twice": ("fit good.csv --covariance VVV,VVV", "names a family twice"),
    "report as table": ("fit good.csv --report out.csv", "a report is a page"),
    "bootstrap method": ("bootstrap good.gm good.csv --method jackknife", "method must be"),
    "report of no model": ("report good.csv good.csv -o out.html", "good.csv"),
    "no table": ("fit -k 2", "Missing argument 'DATA...'"),
    "k of zero": ("fit good.csv -k 0", "Invalid value for '-k'"),
    "k of words": ("fit good.csv -k many", "Invalid value for '-k'"),
    "unknown option": ("fit good.csv -k 2 --colour red", "No such option: --colour"),
    "unknown command": ("frobnicate", "No such command 'frobnicate'"),
    "covariance": (
        "fit good.csv -k 2 --covariance round",
        "--covariance must be one of full, .*; got 'round'",
    ),
    "init": (
        "fit good.csv -k 2 --init best",
        "--init must be one of fast, auto, thorough, kmeans, .*; got 'best'",
    ),
    "tol": ("fit good.csv -k 2 --tol nan", "(?:--tol must be a finite number|Invalid value for '--tol')"),
    "reg_covar of words": (
        "fit good.csv -k 2 --reg-covar much",
        "--reg-covar must be auto or .*; got 'much'",
    ),
    "reg_covar of nothing": ("fit good.csv -k 2 --reg-covar=", "--reg-covar must be auto or .*; got ''"),
    "negative reg_covar": ("fit good.csv -k 2 --reg-covar -1", "--reg-covar must be auto or .*; got '-1'"),
    "reg_covar of nan": ("fit good.csv -k 2 --reg-covar nan", "--reg-covar must be auto or .*; got 'nan'"),
    "infinite reg_covar": ("fit good.csv -k 2 --reg-covar inf", "--reg-covar must be auto or .*; got 'inf'"),
    "reg_covar in capitals": ("fit good.csv -k 2 --reg-covar AUTO", "--reg-covar must be .*; got 'AUTO'"),
    "prior": ("fit good.csv -k 2 --prior flat", "--prior must be one of mclust, .*; got 'flat'"),
    "eigenvalue ratio": ("fit good.csv -k 2 --eigenvalue-ratio 0.5", "--eigenvalue-ratio must be at least 1"),
    "eigenvalue ratio of a family": (
        "fit good.csv -k 2 --eigenvalue-ratio 5 --covariance VEV",
        "--eigenvalue-ratio .* not for 'VEV'",
    ),
    "min_weight": ("fit good.csv -k 2 --min-weight 0.6", "--min-weight=0.6 for 2 components"),
    "both weights": ("fit good.csv -k 2 --min-weight 0.1 --equal-weights", "drop them"),
    "no samples": ("sample good.gm -n 0", "Invalid value for '-n'"),
    "both outputs": ("score good.gm good.csv --rows -o out.csv", "out.csv: --rows prints what -o writes"),
    # Outputs, before anything is computed.
    "no output folder": (
        "fit good.csv -k 2 -o none/out.gm",
        "none/out.gm: cannot be written: there is no directory",
    ),
    "output is folder": ("fit good.csv -k 2 -o folder.csv/", "folder.csv: "),
    "model over data": ("fit good.csv -k 2 -o good.csv", "good.csv: a model is not a table"),
    "model as a table": ("fit good.csv -k 2 -o out.parquet", "out.parquet: a model is not a table"),
    "table over data": ("predict good.gm good.csv -o good.csv", "good.csv: is also the input"),
    "output ending": (
        "predict good.gm good.csv -o out.xls",
        "out.xls: cannot write a table ending in '.xls'",
    ),
    "no prediction folder": ("predict good.gm good.csv -o none/out.csv", "none/out.csv: cannot be written"),
    "no sample folder": ("sample good.gm -n 3 -o none/out.csv", "none/out.csv: cannot be written"),
    "no score folder": ("score good.gm good.csv -o none/out.csv", "none/out.csv: cannot be written"),
    # Checkpoints.
    "no checkpoint folder": (
        "fit good.csv -k 2 --checkpoint none/c",
        "none/c: cannot be written: there is no",
    ),
    "checkpoint is folder": ("fit good.csv -k 2 --checkpoint folder.csv/", "folder.csv: "),
    "checkpoint over data": (
        "fit good.csv -k 2 --checkpoint good.csv",
        "good.csv: a checkpoint is not a table",
    ),
    "checkpoint over the model": (
        "fit good.csv -k 2 -o out.gm --checkpoint ./out.gm",
        "out.gm: the model and the checkpoint cannot be the same file",
    ),
    "no such checkpoint": ("fit good.csv -k 2 --resume none.gm", "none.gm: no such file"),
    "resume from a folder": ("fit good.csv -k 2 --resume . --checkpoint c", r"\.: is a directory"),
    "resume from a model": ("fit good.csv -k 2 --resume good.gm", "good.gm: no checkpoint"),
    "resume from junk": ("fit good.csv -k 2 --resume junk.gm", "junk.gm: damaged, truncated, or not a"),
    "resume from a table": (
        "fit good.csv -k 2 --resume two.csv --checkpoint c",
        "two.csv: damaged, truncated, ",
    ),
    "resume with another k": (
        "fit good.csv -k 3 --resume checkpoint.gm",
        "checkpoint.gm: a checkpoint of another fit: it was made with n_components = 2, not 3",
    ),
    "resume with another seed": (
        "fit good.csv -k 2 --seed 1 --resume checkpoint.gm",
        "checkpoint.gm: a checkpoint of another fit: it was made with random_state = 5, not 1",
    ),
    "resume with other data": (
        "fit good.csv -k 2 --columns waiting --resume checkpoint.gm",
        "checkpoint.gm: a checkpoint of another fit: .* shape of the data",
    ),
    "checkpoint as a model": ("show checkpoint.gm", "checkpoint.gm: the checkpoint of a fit, not a model"),
    # Models.
    "no such model": ("predict none.gm good.csv -o out.csv", "none.gm: no such file"),
    "model is a folder": (
        "predict folder.csv good.csv -o out.csv",
        "folder.csv: is a directory; expected a model",
    ),
    "empty model": ("predict empty.gm good.csv -o out.csv", "empty.gm: not a gaussmix model"),
    "truncated model": (
        "predict truncated.gm good.csv -o out.csv",
        "truncated.gm: damaged, truncated, or not a",
    ),
    "half header": ("show half_header.gm", "half_header.gm: damaged, truncated, or not a"),
    "junk model": ("show junk.gm", "junk.gm: damaged, truncated, or not a"),
    "other tensors": ("sample tensors.gm -n 1", "tensors.gm: a safetensors file, but not a gaussmix model"),
    "future model": ("show altered.gm", "altered.gm: schema 999 of model files is unknown"),
    "not a mixture": ("show not_a_mixture.gm", "not_a_mixture.gm: the model is not a valid mixture"),
    "table as model": (
        "predict good.csv good.csv -o out.csv",
        "good.csv: damaged, truncated, or not a gaussmix model",
    ),
    "missing column": (
        "predict good.gm others.csv -o out.csv",
        "others.csv: no column 'waiting', which the model needs; the file has 'eruptions', 'height'",
    ),
    "three columns for two": (
        "score good.gm three.csv -o out.csv",
        "three.csv: 3 numeric columns, but the model has 2 features: 'eruptions', 'waiting'",
    ),
    "nan at predict": ("predict good.gm nan.csv -o out.csv", r"nan.csv: line 4 \(row 3\), column 'waiting'"),
    "score without weights": ("score good.gm good.csv --weights w", "good.csv: no column 'w'"),
}


@pytest.mark.parametrize(("line", "words"), WRONG.values(), ids=WRONG)
def test_one_line_and_nothing_left(run, folder, monkeypatch, line, words):
    monkeypatch.chdir(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    result = run(*line.split())
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.fullmatch(rf"error: [^\n]*{words}[^\n]*\n", result.stderr), result.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_in_a_process_of_its_own(run_process, folder):
    done = run_process("fit", folder / "text.csv", "-k", 2, "--covariance", "full", "-o", folder / "out.gm")
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr
        == f"error: {folder}/text.csv: line 4 (row 3), column 'waiting': 'many' is not a number; leave "
        "the column out with --exclude, or, if that stands for a missing value, say so with --na\n"
    )
    assert not (folder / "out.gm").exists()


def test_plot_without_matplotlib(run, folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run(
        "fit", folder / "good.csv", "-k", 2, "--covariance", "full", "--plot", folder / "picture.png"
    )
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {folder}/picture.png: --plot needs Matplotlib: pip install 'gaussmix[plot]'\n"
    )


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("out.docx", "cannot write a picture ending in '.docx'"),
        ("none/out.png", "cannot be written"),
    ],
)
def test_wrong_pictures(run, folder, monkeypatch, picture, words):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(folder)
    result = run("fit", "good.csv", "-k", 2, "--covariance", "full", "--plot", picture)
    assert result.exit_code == 2 and words in result.stderr


def test_the_picture_cannot_be_the_model(run, folder, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(folder)
    result = run("fit", "good.csv", "-k", 2, "--covariance", "full", "-o", "out.png", "--plot", "./out.png")
    assert result.exit_code == 2 and "cannot be the same file" in result.stderr


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1e200,1\n-1e200,2\n3,4\n", "whose squares overflow; divide it by a power of ten"),
        ("1e308,1\n1e308,2\n3,4\n", "whose squares overflow; divide it by a power of ten"),
        ("1e-200,1\n-1e-200,2\n3e-201,4\n", "underflows; multiply it by a power of ten"),
    ],
    ids=["variances too large", "sums too large", "variances too small"],
)
def test_columns_whose_squares_leave_the_range_of_numbers_are_wrong_input(run, tmp_path, rows, words):
    (tmp_path / "t.csv").write_text("a,b\n" + rows)
    done = run("fit", tmp_path / "t.csv", "-k", 2, "--covariance", "full", "-o", tmp_path / "out.gm")
    assert done.exit_code == 2 and done.stdout == ""
    assert "column 0" in done.stderr and words in done.stderr
    assert not (tmp_path / "out.gm").exists()


def test_a_fit_of_which_nothing_is_left_fails(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 20)
    done = run(
        "fit",
        tmp_path / "t.csv",
        "-k",
        2,
        "--covariance",
        "full",
        "--reg-covar",
        0,
        "-o",
        tmp_path / "out.gm",
    )
    assert done.exit_code == 1 and done.stdout == ""
    assert re.fullmatch(r"error: [^\n]*the fit failed: [^\n]+\n", done.stderr), done.stderr
    assert not (tmp_path / "out.gm").exists()


@pytest.mark.parametrize("rows", ["1e200,1\n-1e200,2\n3,4\n", "1e308,1\n1e308,2\n3,4\n"])
def test_numbers_too_large_are_named(run, tmp_path, rows):
    (tmp_path / "t.csv").write_text("a,b\n" + rows)
    done = run("fit", tmp_path / "t.csv", "-k", 2, "--covariance", "full", "-o", tmp_path / "out.gm")
    assert done.exit_code == 2 and done.stdout == ""
    assert re.fullmatch(r"error: [^\n]*t.csv: column 0 has values as large as [^\n]+\n", done.stderr)
    assert not (tmp_path / "out.gm").exists()


def test_memory_that_is_not_there_is_a_failed_run(run, model, faithful, monkeypatch):
    def no_memory(*_):
        raise MemoryError("Unable to allocate 8 TiB")

    monkeypatch.setattr("gaussmix.model.mixture.Mixture.responsibilities", no_memory)
    result = run("predict", model, faithful)
    assert (result.exit_code, result.stderr) == (1, "error: out of memory: Unable to allocate 8 TiB\n")


def test_files_are_as_before_when_writing_breaks_off(run, folder, monkeypatch):
    (folder / "out.csv").write_text("before")
    names = {path.name for path in folder.iterdir()}

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gaussmix.data.writing.write_text", full_disk)
    result = run("predict", folder / "good.gm", folder / "good.csv", "-o", folder / "out.csv")
    assert result.exit_code == 2
    assert result.stderr == f"error: {folder}/out.csv: cannot be written: No space left on device\n"
    assert (folder / "out.csv").read_text() == "before"
    assert {path.name for path in folder.iterdir()} == names
    assert load_faithful()[0].shape == (272, 2)
