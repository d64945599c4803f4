"""What the command does with good input."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

import gaussmix
from gaussmix.data.tables import read_table
from gaussmix.datasets import load_faithful
from gaussmix.io import load_model


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)]


def test_without_arguments_it_prints_the_help(run):
    result = run()
    assert result.exit_code == 0
    for word in ("Usage", "fit", "predict", "score", "sample", "show", "Exit codes"):
        assert word in result.stdout


@pytest.mark.parametrize("command", ["fit", "predict", "score", "sample", "show"])
def test_every_command_has_help(run, command):
    for option in ("--help", "-h"):
        result = run(command, option)
        assert result.exit_code == 0 and "Usage" in result.stdout


def test_paragraphs_of_a_help_are_as_wide_as_the_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert (
        "and --covariance narrow the search; with one of each, that model is" in run("fit", "--help").stdout
    )


def test_version(run):
    assert run("--version").stdout == f"gaussmix {gaussmix.__version__}\n"


def test_help_imports_nothing_heavy(environment):
    """It must answer at once: no library of arrays is imported for it."""
    program = "import sys; from gaussmix.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass\n"
    program += "print(sorted({'numpy', 'scipy', 'sklearn', 'numba', 'matplotlib'} & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n[]\n")


def test_fit_prints_and_saves(run, tmp_path, faithful):
    path = tmp_path / "model.safetensors"
    result = run(
        "fit", faithful, "-k", 2, "--covariance", "full", "--init", "kmeans", "--seed", 0, "-o", path
    )
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    text = result.stdout
    X, names = load_faithful()
    fitted = gaussmix.fit_mixture(X, 2, init_params="kmeans", random_state=0)
    assert "2 components, 2 features, covariance full" in text
    for name in names:
        assert name in text
    assert f"{fitted.mixture.weights[0]:.4f}" in text
    assert f"{fitted.mixture.means[0, 1]:.2f}" in text
    assert f"{np.sqrt(fitted.mixture.covariances[0, 1, 1]):.2f}" in text
    assert numbers(re.search("log-likelihood.*", text)[0])[:2] == pytest.approx(
        [fitted.log_likelihood, fitted.mean_log_likelihood], rel=1e-5
    )
    assert numbers(re.search("BIC.*", text)[0])[0] == pytest.approx(fitted.bic)
    assert numbers(re.search("AIC.*", text)[0])[0] == pytest.approx(fitted.aic)
    assert f"converged after {fitted.n_iter} iterations" in text
    assert f"model saved in {path}" in text
    saved = load_model(path)
    np.testing.assert_array_equal(saved.mixture.means, fitted.mixture.means)
    assert saved.mixture.feature_names == names
    assert saved.info == {
        "source": "faithful.csv",
        "n_rows": 272,
        "n_samples": 272.0,
        "log_likelihood": pytest.approx(fitted.log_likelihood),
        "bic": pytest.approx(fitted.bic),
        "aic": pytest.approx(fitted.aic),
        "status": "converged",
        "n_iter": fitted.n_iter,
        "seed": 0,
    }
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    shown = run("show", path)
    assert shown.exit_code == 0
    assert shown.stdout == text.removesuffix(f"model saved in {path}\n")


def test_the_seed_that_was_drawn_gives_the_same_fit(run, tmp_path, faithful):
    fit = ("fit", faithful, "-k", 3, "--covariance", "full", "--init", "kmeans", "-q")
    run(*fit, "-o", tmp_path / "a")
    seed = load_model(tmp_path / "a").info["seed"]
    run(*fit, "-o", tmp_path / "b", "--seed", seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_options_reach_the_fit(run, tmp_path, faithful, covariance):
    path = tmp_path / "model"
    options = ["--seed", 1, "--tol", 1e-6, "--reg-covar", 1e-3, "--max-iter", 7, "--n-init", 2]
    result = run(
        "fit",
        faithful,
        "-k",
        3,
        "--covariance",
        covariance,
        "--init",
        "random_from_data",
        *options,
        "-o",
        path,
    )
    assert result.exit_code == 0, result.output
    expected = gaussmix.fit_mixture(
        load_faithful()[0],
        3,
        covariance_type=covariance,
        init_params="random_from_data",
        random_state=1,
        tol=1e-6,
        reg_covar=1e-3,
        max_iter=7,
        n_init=2,
    )
    np.testing.assert_array_equal(load_model(path).mixture.means, expected.mixture.means)


def test_prior_and_constraints_reach_the_fit(run, tmp_path, faithful):
    path = tmp_path / "model"
    options = ["--prior", "mclust", "--eigenvalue-ratio", 200, "--min-weight", 0.4, "--init", "kmeans"]
    result = run("fit", faithful, "-k", 2, "--covariance", "full", "--seed", 0, *options, "-o", path)
    assert result.exit_code == 0, result.output
    expected = gaussmix.fit_mixture(
        load_faithful()[0],
        2,
        init_params="kmeans",
        random_state=0,
        prior="mclust",
        constraints=gaussmix.Constraints(eigenvalue_ratio=200, min_weight=0.4),
    )
    np.testing.assert_array_equal(load_model(path).mixture.covariances, expected.mixture.covariances)
    run(
        "fit",
        faithful,
        "-k",
        3,
        "--covariance",
        "full",
        "--init",
        "kmeans",
        "--equal-weights",
        "-o",
        path,
        "-q",
    )
    assert load_model(path).mixture.weights.tolist() == [1 / 3, 1 / 3, 1 / 3]


def test_reaching_max_iter_is_told_with_advice(run, faithful):
    result = run("fit", faithful, "-k", 3, "--covariance", "full", "--seed", 0, "--max-iter", 2)
    assert result.exit_code == 0
    assert "reached max_iter after 2 iterations" in result.stdout
    assert re.search("advice .*max_iter", result.stdout)


def test_quiet_prints_nothing(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,word\n1,x\n2,y\n4,z\n")
    result = run(
        "fit", tmp_path / "t.csv", "-k", 1, "--covariance", "full", "--quiet", "-o", tmp_path / "model"
    )
    assert (result.exit_code, result.output) == (0, "")
    assert load_model(tmp_path / "model").mixture.feature_names == ("a",)


def test_weights_columns_and_what_is_left_out(run, tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.6f},name{i},{b:.6f},{i % 3}" for i, (a, b) in enumerate(rng.normal(size=(60, 2)))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["a,name,b,copies", *rows]))
    options = ["--weights", "copies", "--init", "kmeans", "--seed", 0]
    result = run("fit", path, "-k", 2, "--covariance", "full", *options, "-o", tmp_path / "weighted")
    assert result.exit_code == 0, result.output
    assert result.stderr == f"note: {path}: left out, text: column 'name'\n"
    assert "samples         60 (the sum of the weights of 60 rows)" in result.stdout
    assert "weighted by     copies" in result.stdout
    copied = [row for i, row in enumerate(rows) for _ in range(i % 3)]
    (tmp_path / "copied.csv").write_text("\n".join(["a,name,b,copies", *copied]))
    picked = ["--columns", "a,b"]
    score = run("score", tmp_path / "weighted", path, "--weights", "copies").stdout
    assert score == run("score", tmp_path / "weighted", tmp_path / "copied.csv").stdout
    one = run(
        "fit", path, "-k", 1, "--covariance", "full", "--weights", "copies", *picked, "-o", tmp_path / "one"
    )
    other = run(
        "fit", tmp_path / "copied.csv", "-k", 1, "--covariance", "full", *picked, "-o", tmp_path / "other"
    )
    assert one.exit_code == other.exit_code == 0
    means = [load_model(tmp_path / name).mixture.means for name in ("one", "other")]
    np.testing.assert_allclose(*means, rtol=1e-12)
    run("fit", path, "-k", 1, "--covariance", "full", "--columns", "b", "-o", tmp_path / "b")
    assert load_model(tmp_path / "b").mixture.feature_names == ("b",)


def test_names_with_commas_are_quoted(run, tmp_path):
    (tmp_path / "t.csv").write_text('"a, b",c,d\n1,2,3\n2,3,1\n')
    assert (
        run(
            "fit",
            tmp_path / "t.csv",
            "-k",
            1,
            "--covariance",
            "full",
            "--columns",
            '"a, b",d',
            "-o",
            tmp_path / "m",
        ).exit_code
        == 0
    )
    assert load_model(tmp_path / "m").mixture.feature_names == ("a, b", "d")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_npy_in(run, tmp_path, dtype):
    np.save(tmp_path / "t.npy", load_faithful()[0].astype(dtype))
    result = run(
        "fit",
        tmp_path / "t.npy",
        "-k",
        2,
        "--covariance",
        "full",
        "--init",
        "kmeans",
        "--seed",
        0,
        "-o",
        tmp_path / "model",
    )
    assert result.exit_code == 0, result.output
    assert load_model(tmp_path / "model").mixture.feature_names == ("x0", "x1")
    assert run("predict", tmp_path / "model", tmp_path / "t.npy").stdout.count("\n") == 273


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", None])
def test_predict(run, tmp_path, model, faithful, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"out{ending or '.csv'}"
    result = run("predict", model, faithful, *(["-o", path] if ending else []))
    assert result.exit_code == 0 and result.stderr == ""
    if ending is None:
        path.write_text(result.stdout)
    table = read_table(path)
    mixture = load_model(model).mixture
    X, _ = load_faithful()
    assert table.names == ("label", "p_0", "p_1", "log_density")
    np.testing.assert_array_equal(table.values[:, 0], mixture.predict(X))
    np.testing.assert_array_equal(table.values[:, 1:3], mixture.responsibilities(X))
    np.testing.assert_array_equal(table.values[:, 3], mixture.log_prob(X))


def test_results_do_not_depend_on_the_blocks(run, model, faithful, monkeypatch):
    whole = run("predict", model, faithful).stdout
    monkeypatch.setattr("gaussmix.cli.using.BLOCK_ROWS", 100)
    by_blocks = run("predict", model, faithful).stdout
    assert len(by_blocks.splitlines()) == 273
    np.testing.assert_allclose(
        *(np.loadtxt(text.splitlines()[1:], delimiter=",") for text in (whole, by_blocks))
    )


def test_columns_are_matched_by_name(run, tmp_path, model, faithful):
    (tmp_path / "turned.csv").write_text(
        "\n".join(
            ",".join([w, f"id{i}", e])
            for i, (e, w) in enumerate(
                row.split(",") for row in faithful.read_text().replace('"', "").split()
            )
        ).replace("id0", "id", 1)
    )
    turned = run("predict", model, tmp_path / "turned.csv")
    assert turned.stdout == run("predict", model, faithful).stdout
    assert turned.stderr == f"note: {tmp_path / 'turned.csv'}: left out, not in the model: column 'id'\n"
    bare = tmp_path / "bare.csv"
    bare.write_text("\n".join(faithful.read_text().split()[1:]))
    assert run("predict", model, bare).stdout == turned.stdout


def test_score(run, tmp_path, model, faithful):
    result = run("score", model, faithful, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0
    mixture, (X, _) = load_model(model).mixture, load_faithful()
    total = mixture.log_prob(X).sum()
    found = dict(re.findall(r"(samples|log-likelihood|BIC|AIC) +(\S+)", result.stdout))
    assert float(found["samples"]) == 272
    assert float(found["log-likelihood"]) == pytest.approx(total)
    assert float(found["BIC"]) == pytest.approx(11 * np.log(272) - 2 * total)
    assert float(found["AIC"]) == pytest.approx(22 - 2 * total)
    np.testing.assert_array_equal(read_table(tmp_path / "out.csv").values[:, 0], mixture.log_prob(X))
    rows = run("score", model, faithful, "--rows")
    assert rows.stdout == (tmp_path / "out.csv").read_text()


def test_sample(run, tmp_path, model):
    first = run("sample", model, "-n", 1000, "--seed", 3)
    assert first.exit_code == 0
    assert first.stdout == run("sample", model, "-n", 1000, "--seed", 3).stdout
    assert first.stdout != run("sample", model, "-n", 1000).stdout
    run("sample", model, "-n", 1000, "--seed", 3, "-o", tmp_path / "out.tsv")
    table = read_table(tmp_path / "out.tsv")
    assert table.names == ("eruptions", "waiting", "component")
    assert table.values.shape == (1000, 3) and set(table.values[:, 2]) == {0.0, 1.0}
    mixture = load_model(model).mixture
    np.testing.assert_allclose(table.values[:, :2].mean(axis=0), mixture.mean, rtol=0.1)
    assert run("predict", model, tmp_path / "out.tsv").exit_code == 0


def test_a_feature_may_be_called_component(run, tmp_path):
    gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical", feature_names=("component",)).save(tmp_path / "m")
    assert run("sample", tmp_path / "m", "-n", 1).stdout.startswith("component,mixture_component\n")


def test_show_of_a_model_made_in_python(run, tmp_path):
    gaussmix.Mixture([1.0], [[0.0, 1.0]], [[4.0, 9.0]], "diag").save(tmp_path / "m", info={"made by": "hand"})
    text = run("show", tmp_path / "m").stdout
    assert "x0" in text and "0.00 ± 2.00" in text and "1.00 ± 3.00" in text
    assert "made by  hand" in text


def test_many_features_and_components_stay_legible(run, wide_model):
    text = run("show", wide_model).stdout
    lines = text.splitlines()
    assert len(lines) < 40
    assert max(len(line) for line in lines if "To see all" not in line) <= 80
    shown = text.count("a rather long name of")
    assert 1 <= shown < 64
    hidden = (
        f"Not shown: {64 - shown} features and 16 components. To see all: gaussmix show {wide_model} --all"
    )
    assert hidden in text
    everything = run("show", wide_model, "--all").stdout
    assert everything.count("a rather long name of") == 64
    assert len(re.findall(r"^ +39 ", everything, re.MULTILINE)) == -(-64 // shown)
    assert "Not shown" not in everything


@pytest.mark.parametrize(
    ("mean", "deviation", "words"),
    [
        (1e8 + 0.25, 1.0, "100000000.25 ± 1.00"),
        (3e-9, 1e-9, "3e-09 ± 1e-09"),
        (-2.5, 0.0123, "-2.5000 ± 0.0123"),
        (1e15, 1e3, "1e+15 ± 1e+03"),
        (12345.678, 200.0, "12346 ± 200"),
        (-0.001, 2.0, " 0.00 ± 2.00"),
    ],
)
def test_means_are_written_as_exactly_as_the_deviations_allow(run, tmp_path, mean, deviation, words):
    gaussmix.Mixture([1.0], [[mean]], [deviation**2], "spherical").save(tmp_path / "m")
    assert words in run("show", tmp_path / "m").stdout


def test_names_are_printed_as_they_are(run, tmp_path):
    gaussmix.Mixture(
        [1.0], [[0.0, 0, 0]], [1.0], "spherical", feature_names=("[red]a", "b\x1b[0m", ":smile:")
    ).save(tmp_path / "m")
    text = run("show", tmp_path / "m").stdout
    assert "[red]a" in text and r"b\x1b[0m" in text and ":smile:" in text


def test_plot(run, tmp_path, faithful):
    pytest.importorskip("matplotlib")
    result = run(
        "fit",
        faithful,
        "-k",
        2,
        "--covariance",
        "full",
        "--init",
        "kmeans",
        "--seed",
        0,
        "--plot",
        tmp_path / "picture.png",
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert f"picture saved in {tmp_path / 'picture.png'}" in result.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_acceleration_and_stopping_are_options(run, faithful, tmp_path):
    slow = (
        "fit",
        faithful,
        "-k",
        4,
        "--covariance",
        "full",
        "--init",
        "kmeans",
        "--seed",
        0,
        "--tol",
        1e-8,
        "--max-iter",
        1000,
    )
    n_iter = {}
    for options in (("--acceleration", "none"), (), ("--stopping", "aitken")):
        assert run(*slow, *options, "-o", tmp_path / "model").exit_code == 0
        n_iter[options] = load_model(tmp_path / "model").info["n_iter"]
    plain, auto, aitken = n_iter.values()
    assert 4 * auto < plain and aitken != auto
    for option, known in (("--acceleration", "auto, quasi-newton"), ("--stopping", "change, aitken")):
        wrong = run("fit", faithful, "-k", 2, "--covariance", "full", option, "soon")
        assert wrong.exit_code == 2 and f"{option} must be one of {known}" in wrong.stderr
