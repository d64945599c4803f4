"""A fit that was cut off and went on ends with the bits of one that never was; no file makes it end wrongly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixture, Mixture, _container, fit_mixture
from gaussmix.errors import FitError, ModelFileError
from gaussmix.fit.checkpoint import read_seed
from gaussmix.fit.given import Given
from tests.files.making import LONGEST_MESSAGE, framed, same, sealed, taken_apart
from tests.helpers import NAMES, random_mixture

KILLS = 20
FLIPS = 400


def overlapping(name="full", k=3, d=2, n=400, dtype=np.float64, seed=0):
    """Rows on which EM takes a while."""
    rng = np.random.default_rng(seed)
    return random_mixture(name, k, d, rng, spread=1.0).sample(n, rng)[0].astype(dtype)


def repeated():
    """Rows on which components collapse and are seeded anew."""
    return np.concatenate([np.zeros((30, 2)), np.random.default_rng(3).normal(3.0, 1.0, (60, 2))])


def assert_same_fit(one, other):
    assert same(one.mixture, other.mixture)
    fields = (
        "status",
        "advice",
        "history",
        "n_samples",
        "failed_starts",
        "collapsed",
        "n_reseeds",
        "log_priors",
    )
    assert all(getattr(one, name) == getattr(other, name) for name in fields)


class Stop:
    """Stops a fit after so many iterations, over all starts."""

    def __init__(self, after=10**9):
        self.after, self.seen = after, 0

    def __call__(self, progress):
        self.seen += progress.iteration > 0
        return progress.iteration > 0 and self.seen == self.after


def cut_off(path, after, X, k, **options):
    stop = Stop(after)
    fit_mixture(X, k, **options, checkpoint=path, checkpoint_interval=3600, on_progress=stop)
    assert stop.seen == after


START = random_mixture("full", 3, 2, np.random.default_rng(5))
SLOW = {"tol": 1e-7, "max_iter": 40, "random_state": 0, "init_params": "kmeans"}
FITS = {
    **{
        f"{name}, {dtype.__name__}": (overlapping(name, dtype=dtype), {"covariance_type": name, **SLOW})
        for name in NAMES
        for dtype in (np.float32, np.float64)
    },
    "weights": (overlapping(), {**SLOW, "sample_weight": np.random.default_rng(1).integers(0, 4, 400) / 2}),
    "several starts": (overlapping(), {**SLOW, "n_init": 3, "init_params": "random_from_data", "tol": 1e-4}),
    "random": (overlapping(), {**SLOW, "n_init": 2, "init_params": "random"}),
    "labels": (overlapping(), {**SLOW, "start": np.arange(len(overlapping())) % 3}),
    "k-means++": (overlapping("tied"), {**SLOW, "init_params": "k-means++", "covariance_type": "tied"}),
    "a mixture to start from": (overlapping(), {**SLOW, "start": START}),
    "means to start from": (overlapping(), {**SLOW, "start": Given(means=START.means), "n_init": 2}),
    "new seedings": (
        repeated(),
        {"random_state": 0, "n_init": 3, "init_params": "random_from_data", "max_iter": 60},
    ),
    "starts that collapse": (
        repeated(),
        {"random_state": 3, "n_init": 5, "init_params": "random_from_data", "reg_covar": 0, "max_iter": 60},
    ),
    "a prior and constraints": (
        overlapping(),
        {**SLOW, "prior": "mclust", "constraints": gaussmix.Constraints(eigenvalue_ratio=9, min_weight=0.2)},
    ),
    "fixed parameters": (
        overlapping(),
        {**SLOW, "start": START, "constraints": gaussmix.Constraints(fixed_means=[1], fixed_covariances=[0])},
    ),
    "many features": (overlapping(d=12, n=3000), {**SLOW, "max_iter": 12}),
    "noise": (overlapping(), {**SLOW, "noise": True, "covariance_type": "tied"}),
    "noise, several starts": (overlapping(), {**SLOW, "noise": 0.05, "n_init": 2, "max_iter": 8}),
    "trimming": (overlapping(), {**SLOW, "trim": 0.07, "n_init": 2, "tol": 1e-12, "covariance_type": "EEI"}),
    "a generator": (overlapping(), {**SLOW, "random_state": np.random.RandomState}),
}


def fresh(options):
    """The options, with a generator of their own where there is to be one."""
    made = np.random.RandomState(4) if callable(options["random_state"]) else options["random_state"]
    return options | {"random_state": made}


@pytest.mark.parametrize("what", FITS)
def test_going_on_gives_the_bits_of_never_having_stopped(place, what):
    X, options = FITS[what]
    count = Stop()
    whole = fit_mixture(X, 3, **fresh(options), on_progress=count)
    assert count.seen > 4
    if what == "new seedings":
        assert whole.n_reseeds
    if what == "starts that collapse":
        assert whole.failed_starts
    for after in sorted({1, 2, count.seen // 3, count.seen // 2, count.seen - 1, count.seen}):
        cut_off(place, after, X, 3, **fresh(options))
        assert_same_fit(fit_mixture(X, 3, **fresh(options), resume=place), whole)


@pytest.mark.parametrize("what", ["new seedings", "starts that collapse"])
def test_wherever_it_is_cut_off(place, what):
    X, options = FITS[what]
    count = Stop()
    whole = fit_mixture(X, 3, **options, on_progress=count)
    for after in range(1, count.seen + 1, 2):
        cut_off(place, after, X, 3, **options)
        assert_same_fit(fit_mixture(X, 3, **options, resume=place), whole)


def test_it_may_be_cut_off_after_each_iteration(place):
    X, options = FITS["several starts"]
    whole = fit_mixture(X, 3, **options)
    path, result = None, None
    for _ in range(1000):
        result = fit_mixture(
            X, 3, **options, checkpoint=place, checkpoint_interval=0, resume=path, on_progress=Stop(1)
        )
        path = place
        if result.status is not gaussmix.fit.result.FitStatus.INTERRUPTED:
            break
    assert_same_fit(result, whole)


RACED = (overlapping(), {"random_state": 0})  # two beginnings of one start


@pytest.mark.parametrize("fit", [FITS["several starts"], RACED], ids=["several starts", "a race"])
def test_a_finished_fit_is_finished(place, fit):
    X, options = fit
    whole = fit_mixture(X, 3, **options, checkpoint=place)
    count = Stop()
    assert_same_fit(fit_mixture(X, 3, **options, resume=place, on_progress=count), whole)
    assert count.seen == 0


def test_no_iterations(place):
    X, options = overlapping(), {"max_iter": 0, "random_state": 0}
    whole = fit_mixture(X, 3, **options, checkpoint=place)
    assert_same_fit(fit_mixture(X, 3, **options, resume=place), whole)


def test_a_fit_that_failed_fails_again(place):
    X = np.repeat([[0.0], [1.0]], 5, axis=0)
    options = {"reg_covar": 0.0, "random_state": 0, "init_params": "kmeans"}
    for more in ({"checkpoint": place}, {"resume": place}):
        with pytest.raises(FitError):
            fit_mixture(X, 2, **options, **more)


# --- killed ------------------------------------------------------------------------------------------------

# A process spends most of its time on imports: each is started early, and waits for the word to begin.
KILLED = """
import sys
import numpy as np
from gaussmix import fit_mixture

X = np.random.default_rng(0).uniform(size=(300, 3))
fit_mixture(X, 4, max_iter=1, init_params="random", random_state=0)  # imports what is imported late
how, path = sys.stdin.readline().rstrip().split(" ", 1)
result = fit_mixture(
    X, 4, tol=0.0, max_iter=60, n_init=4, init_params="random", random_state=7,
    checkpoint=path, checkpoint_interval=0, resume=path if how == "resume" else None,
    on_progress=lambda progress: print("at", progress.start, progress.iteration, flush=True),
)
result.mixture.save(path + ".model", info={"history": result.history, "failed": result.failed_starts})
"""


@pytest.fixture
def fits():
    """Fits in processes of their own, one after the other: call the next with a path and how to begin."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    waiting = []

    def start(path, how):
        while len(waiting) < 2:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            waiting.append(subprocess.Popen([sys.executable, "-c", KILLED], env=environment, **pipes))
        process = waiting.pop(0)
        process.stdin.write(f"{how} {path}\n")
        process.stdin.flush()
        return process

    yield start
    for process in waiting:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="SIGKILL is of POSIX")
def test_killed_at_random_moments(fits, tmp_path):
    """Random in the work done, and to some milliseconds in time: within a write, too."""
    path, whole = tmp_path / "checkpoint", tmp_path / "whole"
    with fits(whole, "new") as process:
        process.stdout.read()
    assert process.returncode == 0
    rng = np.random.default_rng(11)
    for _ in range(KILLS):
        with fits(path, "resume" if path.exists() else "new") as process:
            for _ in range(rng.integers(1, 10)):
                assert process.stdout.readline().startswith("at")
            time.sleep(rng.uniform(0.0, 0.01))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    with fits(path, "resume") as process:
        process.stdout.read()
    assert process.returncode == 0
    one, other = (gaussmix.io.load_model(f"{p}.model") for p in (path, whole))
    assert same(one.mixture, other.mixture) and one.info == other.info
    # What a killed writer leaves behind is beside the file, never in its place.
    assert all(".part" in p.name for p in tmp_path.glob(".*"))


# --- the file ----------------------------------------------------------------------------------------------


def test_a_reader_never_sees_half_a_file(place):
    X = overlapping()
    place.unlink(missing_ok=True)
    seen, done = [], threading.Event()

    def read():
        while not done.is_set():
            try:
                seen.append(_container.read(place).intact)
            except FileNotFoundError:
                assert not seen  # once there, it stays there
            except BaseException as error:
                seen.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        fit_mixture(X, 3, **SLOW | {"tol": 0.0, "max_iter": 300}, checkpoint=place, checkpoint_interval=0)
    finally:
        done.set()
        reader.join()
    assert len(seen) > 3 and all(entry is True for entry in seen)
    assert [p.name for p in place.parent.glob(".*")] == []


@pytest.mark.parametrize(("interval", "expected"), [(3600.0, 2), (0.0, 41)])
def test_it_is_written_no_more_often_than_asked(place, monkeypatch, interval, expected):
    """The first iteration, the end, and between them as the interval says."""
    written = []

    def write(path, tensors, document):
        written.append(document["start"])

    monkeypatch.setattr("gaussmix.fit.checkpoint._container.write", write)
    options = SLOW | {"tol": 0.0}
    fit_mixture(overlapping(), 3, **options, checkpoint=place, checkpoint_interval=interval)
    assert len(written) == expected and written[-1] == 1


def test_a_callback_that_stops_is_written_at_once(place):
    X = overlapping()
    options = SLOW | {"tol": 0.0}
    stopped = fit_mixture(X, 3, **options, checkpoint=place, checkpoint_interval=3600, on_progress=Stop(9))
    assert stopped.status == "interrupted" and stopped.n_iter == 9
    count = Stop()
    fit_mixture(X, 3, **options, resume=place, on_progress=count)
    assert count.seen == 40 - 9


def test_a_stop_in_the_iteration_that_converges_is_a_stop(place):
    X, options = FITS["several starts"]
    whole = fit_mixture(X, 3, **options)
    seen = []
    fit_mixture(X, 3, **options, on_progress=lambda progress: seen.append(progress.start))
    last_of_the_first = seen.count(1)
    stop = Stop(last_of_the_first)
    stopped = fit_mixture(X, 3, **options, checkpoint=place, on_progress=stop)
    assert stop.seen == last_of_the_first and stopped.status == "interrupted"
    assert_same_fit(fit_mixture(X, 3, **options, resume=place), whole)


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        fit_mixture(overlapping(), 3, **SLOW, checkpoint=tmp_path / "none" / "file")


# --- generators --------------------------------------------------------------------------------------------


def test_the_seed_is_kept(place):
    X, options = FITS["several starts"]
    cut_off(place, 5, X, 3, **options)
    assert read_seed(place) == 0
    whole = fit_mixture(X, 3, **options)
    options = {**options, "random_state": None}
    fit_mixture(X, 3, **options, resume=place, checkpoint=place, on_progress=Stop(3))
    assert read_seed(place) == 0  # though no seed was given
    assert_same_fit(fit_mixture(X, 3, **options, resume=place), whole)


def test_the_callers_generator_ends_where_it_would_have(place):
    X, options = FITS["several starts"]
    one, other = np.random.RandomState(1), np.random.RandomState(2)
    fit_mixture(X, 3, **options | {"random_state": one})
    cut_off(place, 5, X, 3, **options | {"random_state": np.random.RandomState(1)})
    assert read_seed(place) is None
    fit_mixture(X, 3, **options | {"random_state": other}, resume=place)
    assert one.uniform() == other.uniform()


def test_numpys_own_generator_is_left_alone(place):
    X, options = FITS["several starts"]
    cut_off(place, 5, X, 3, **options)
    before = np.random.mtrand._rand.get_state()[1].copy()
    fit_mixture(X, 3, **options | {"random_state": None}, resume=place)
    np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], before)


def test_another_kind_of_generator_is_refused(place):
    rng = np.random.RandomState(np.random.PCG64(0))
    for path in ("checkpoint", "resume"):
        with pytest.raises(ValueError, match="Mersenne Twister alone: give random_state an integer"):
            fit_mixture(overlapping(), 3, random_state=rng, **{path: place})


# --- what is refused ---------------------------------------------------------------------------------------

SMALL = overlapping(n=60)
BASE = {**SLOW, "n_init": 2, "init_params": "random_from_data", "start": Given(means=START.means)}


@pytest.fixture(scope="module")
def cut(place):
    """The bytes of a checkpoint of a small fit, cut off in its second start."""
    X = SMALL
    count = Stop()
    fit_mixture(X, 3, **BASE, on_progress=count)
    cut_off(place, count.seen - 2, X, 3, **BASE)
    content = place.read_bytes()
    assert "best.means" in taken_apart(content)[0]
    return content


def resumed(path, content=None):
    """What going on from the file comes to, or None if it was refused as it should be."""
    if content is not None:
        path.write_bytes(content)
    try:
        return fit_mixture(SMALL, 3, **BASE, resume=path)
    except ModelFileError as error:
        message = str(error)
        assert message.startswith(f"{path}: ") and len(message) - len(str(path)) < LONGEST_MESSAGE
        assert "\n" not in message
        return None


OTHERS = {
    "covariance_type": ("diag", "covariance_type = 'full', not 'diag'"),
    "reg_covar": (1e-6, "reg_covar = 'auto', not 1e-06"),
    "tol": (1e-3, "tol = 1e-07, not 0.001"),
    "max_iter": (41, "max_iter = 40, not 41"),
    "n_init": (3, "n_init = 2, not 3"),
    "init_params": ("random", "init_params = 'random_from_data', not 'random'"),
    "random_state": (1, "random_state = 0, not 1"),
    "previous": (-3.0, "previous = '-inf', not '-3.0'"),
    "sample_weight": (np.linspace(1, 2, 60), "made with other data"),
    "start": (Given(means=START.means + 1e-9), "made with another start"),
}


@pytest.mark.parametrize("option", OTHERS)
def test_other_options_are_refused_by_name(place, cut, option):
    value, words = OTHERS[option]
    place.write_bytes(cut)
    with pytest.raises(ModelFileError, match=f"model.safetensors: a checkpoint of another fit: .*{words}"):
        fit_mixture(SMALL, 3, **{**BASE, option: value}, resume=place)


def test_other_data_are_refused(place, cut):
    place.write_bytes(cut)
    X = SMALL
    changed = X.copy()
    changed[7, 1] = np.nextafter(changed[7, 1], np.inf)
    for rows, words in (
        (changed, "made with other data"),
        (X[:-1], r"shape of the data = \[60, 2\], not \[59, 2\]"),
        (X.astype(np.float32), "dtype of the data = 'float64', not 'float32'"),
    ):
        with pytest.raises(ModelFileError, match=words):
            fit_mixture(rows, 3, **BASE, resume=place)
    with pytest.raises(ModelFileError, match="n_components = 3, not 4"):
        fit_mixture(X, 4, **{**BASE, "start": None}, resume=place)


def test_no_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        fit_mixture(overlapping(), 3, resume=tmp_path / "none")
    with pytest.raises(ModelFileError, match="is a directory"):
        fit_mixture(overlapping(), 3, resume=tmp_path)


def test_a_model_is_no_checkpoint_and_a_checkpoint_no_model(place, cut):
    place.write_bytes(cut)
    with pytest.raises(ModelFileError, match="the checkpoint of a fit, not a model"):
        Mixture.load(place)
    START.save(place)
    with pytest.raises(ModelFileError, match="no checkpoint; a model is for predicting"):
        fit_mixture(SMALL, 3, **BASE, resume=place)
    with pytest.raises(ModelFileError, match="no checkpoint"):
        read_seed(place)
    place.write_bytes(b"")
    with pytest.raises(ModelFileError, match="0 bytes"):
        read_seed(place)


def test_damage_is_found_out(place, cut):
    whole = resumed(place, cut)
    rng = np.random.default_rng(20_240_613)
    for length in [0, 7, 8, *rng.integers(len(cut), size=100).tolist()]:
        assert resumed(place, cut[:length]) is None
    for bit in rng.integers(8 * len(cut), size=FLIPS).tolist():
        flipped = bytearray(cut)
        flipped[bit // 8] ^= 1 << bit % 8
        result = resumed(place, flipped)
        if result is not None:  # a blank of the padding may become a tab
            assert_same_fit(result, whole)
    assert resumed(place, cut + b"\0") is None


DOCUMENTS = {
    "kind": ["model", None, [], 1],
    "schema": [0, 1, 2, 3, 4, 6, None, "1", [], 10**400],
    "fit": [None, [], "x", {}],
    "seed": [-1, 2**32, 1.0, "0", True, [], {}, 10**400],
    "start": [-1, 3, 1.0, "1", None, True, 10**400],
    "attempt": [-1, 4, 0.0, "0", None, 10**400],
    "statuses": [None, [], {}, {"other": "converged"}, {"running": "converged"}],
    "failures": [None, {}, "x", [1], [None]],
    "n_reseeds": [-1, 7, None, 0.0],
    "rng": [
        *(None, [], {}, {"pos": 1}),
        *({"pos": pos, "has_gauss": 0, "gauss": 0.0} for pos in (-1, 625, 1.0, None, "1", 10**400)),
        *({"pos": 1, "has_gauss": has, "gauss": 0.0} for has in (-1, 2, None, True)),
        *({"pos": 1, "has_gauss": 0, "gauss": gauss} for gauss in (None, "0", [], 10**400)),
    ],
}


@pytest.mark.parametrize("field", DOCUMENTS)
def test_documents_that_lie(place, cut, field):
    header, data = taken_apart(cut)
    document = json.loads(header["__metadata__"]["gaussmix"])

    def refused(document):
        header["__metadata__"] = {"gaussmix": json.dumps(document)}
        assert resumed(place, sealed(header, data)) is None

    for value in DOCUMENTS[field]:
        refused(document | {field: value})
    refused({name: value for name, value in document.items() if name != field})
    refused(document | {"more": 1})


def test_fields_of_the_fit_and_statuses_that_lie(place, cut):
    header, data = taken_apart(cut)
    document = json.loads(header["__metadata__"]["gaussmix"])
    wrong = [
        document | {"fit": {k: v for k, v in document["fit"].items() if k != name}}
        for name in document["fit"]
    ]
    wrong += [document | {"fit": document["fit"] | {name: [[]]}} for name in document["fit"]]
    for value in ("unknown", None, 1, [], {}):
        wrong.append(document | {"statuses": document["statuses"] | {"best": value}})
    for changed in wrong:
        header["__metadata__"] = {"gaussmix": json.dumps(changed)}
        assert resumed(place, sealed(header, data)) is None


def test_tensors_that_lie(place, cut):
    content = _container.read((place.write_bytes(cut), place)[1])
    tensors, document = content.tensors, content.document
    k, d = tensors["running.means"].shape

    def refused(changed):
        place.write_bytes(_container.pack(changed, document))
        assert resumed(place) is None

    for name in tensors:
        refused({other: tensor for other, tensor in tensors.items() if other != name})
        refused(tensors | {name: tensors[name][None]})
        refused(
            tensors | {name: tensors[name][:-1]} if "history" not in name else tensors | {name: np.ones(42)}
        )
        if "history" not in name:
            refused(tensors | {name: np.full_like(tensors[name], np.nan)})
        if not name.endswith(("history", "means", ".memory")):  # which may be negative
            refused(tensors | {name: -1.0 - np.abs(tensors[name])})
    refused(tensors | {"more": np.ones(1)})
    for number in (-1.0, 0.5, 2.0**32, np.inf):
        refused(tensors | {"rng": np.full(624, number)})
    other = random_mixture("full", k + 1, d, np.random.default_rng(0))
    fields = ("weights", "means", "covariances", "precisions_cholesky")
    refused(tensors | {f"running.{name}": getattr(other, name) for name in fields})


def test_a_safetensors_file_of_something_else(place):
    assert (
        resumed(place, framed({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)))
        is None
    )


# --- the estimator -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("random_state", [0, None])
def test_the_estimator(place, random_state):
    X = overlapping()
    model = GaussianMixture(
        3, tol=1e-4, max_iter=300, n_init=2, init_params="kmeans", random_state=random_state
    )
    model.fit(X, checkpoint=place)
    again = GaussianMixture(
        3, tol=1e-4, max_iter=300, n_init=2, init_params="kmeans", random_state=random_state
    ).fit(X, resume=place)
    assert_same_fit(again.fit_result_, model.fit_result_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
