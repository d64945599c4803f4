"""Model files: the same bits come back, damage is found, nothing half-written stays, nothing is executed."""

from __future__ import annotations

import json
import os
import pickle  # noqa: TID251  (to see that none is read)
import stat
import sys
import zlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file

from gaussmix import GaussianMixture, Mixture
from gaussmix.errors import ModelFileError
from gaussmix.io import SavedModel, load_model
from tests.helpers import NAMES, random_mixture, run_python

FIELDS = ("weights", "means", "covariances")


@pytest.fixture(params=NAMES)
def mixture(request):
    plain = random_mixture(request.param, 3, 2, np.random.default_rng(1))
    return Mixture(
        plain.weights, plain.means, plain.covariances, request.param, feature_names=["größe", "a\nb"]
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def assert_equal(one, other):
    for field in FIELDS:
        a, b = getattr(one, field), getattr(other, field)
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes(), field
    assert one.covariance_type == other.covariance_type
    assert one.feature_names == other.feature_names


def test_the_same_bits_come_back(mixture, path):
    mixture.save(path)
    loaded = Mixture.load(path)
    assert_equal(loaded, mixture)
    X = mixture.sample(50, 0)[0]
    assert_array_equal(loaded.log_prob(X), mixture.log_prob(X))
    assert_array_equal(loaded.sample(5, 3)[0], mixture.sample(5, 3)[0])


def test_a_fitted_mixture_comes_back(iris, path):
    for name in NAMES:
        model = GaussianMixture(3, covariance_type=name, random_state=0, init_params="kmeans").fit(iris)
        model.mixture_.save(path)
        loaded = Mixture.load(path)
        assert_equal(loaded, model.mixture_)
        assert_array_equal(loaded.predict(iris), model.predict(iris))


@pytest.fixture
def iris():
    from sklearn.datasets import load_iris

    return load_iris().data


def test_extreme_numbers_come_back(path):
    smallest, largest = np.nextafter(0.0, 1.0), np.finfo(float).max
    weights = [1.0 - 2.0**-53, 2.0**-53, 0.0]
    mixture = Mixture(weights, [[smallest], [-largest], [-0.0]], [1e-300, 1e300, 1.0 / 3.0], "spherical")
    mixture.save(path)
    assert_equal(Mixture.load(path), mixture)


def test_info_travels_with_it(mixture, path):
    info = {
        "status": "converged",
        "n_iter": 7,
        "history": [-1.5, -1.25],
        "größe": None,
        "nested": {"a": [True]},
    }
    mixture.save(path, info=info)
    saved = load_model(path)
    assert isinstance(saved, SavedModel)
    assert saved.info == info
    assert_equal(saved.mixture, mixture)
    mixture.save(path)
    assert load_model(path).info == {}


def test_info_that_json_cannot_hold_is_refused_before_anything_is_written(mixture, path):
    for info in ({"what": object()}, {"x": np.nan}, {"x": {1, 2}}):
        with pytest.raises((TypeError, ValueError)):
            mixture.save(path, info=info)
    assert list(path.parent.iterdir()) == []


def test_any_kind_of_path_will_do(mixture, tmp_path):
    for path in (str(tmp_path / "a.safetensors"), tmp_path / "no ending", tmp_path / "größe.gm"):
        mixture.save(path)
        assert_equal(Mixture.load(path), mixture)


def test_it_is_a_plain_safetensors_file(mixture, path):
    """Other programs can read it without us."""
    mixture.save(path)
    tensors = load_file(path)
    assert set(tensors) == set(FIELDS)
    for field in FIELDS:
        assert_array_equal(tensors[field], getattr(mixture, field))
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    document = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["gaussmix"])
    assert document["covariance_type"] == mixture.covariance_type
    assert document["feature_names"] == ["größe", "a\nb"]
    assert document["schema"] == 1


class TestDamage:
    @pytest.fixture
    def content(self, path):
        random_mixture("spherical", 1, 1, np.random.default_rng(0)).save(path)
        return path.read_bytes()

    def test_a_file_cut_off_anywhere_is_found_out(self, content, path):
        for length in range(len(content)):
            path.write_bytes(content[:length])
            with pytest.raises(ModelFileError, match="model.safetensors: "):
                Mixture.load(path)

    def test_a_file_with_more_at_its_end_is_found_out(self, content, path):
        path.write_bytes(content + b"\0")
        with pytest.raises(ModelFileError, match="model.safetensors"):
            Mixture.load(path)

    def test_a_byte_changed_anywhere_is_found_out(self, content, path):
        for place in range(len(content)):
            for byte in {0, content[place] ^ 1, content[place] ^ 32, 255} - {content[place]}:
                path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
                with pytest.raises(ModelFileError, match="model.safetensors: "):
                    Mixture.load(path)

    @pytest.mark.parametrize(
        "other",
        [
            b"",
            b"short",
            b"x,y\n1,2\n3,4\n" * 50,
            b"\x93NUMPY\x01\x00" + b"\0" * 200,
            b"PK\x03\x04" + b"\0" * 200,
            b"\xff" * 200,
            b"\0" * 200,
            (2**62).to_bytes(8, "little") + b"{}",
            (2).to_bytes(8, "little") + b"{}",
        ],
        ids=["empty", "short", "csv", "npy", "zip", "ones", "zeros", "a huge header", "an empty container"],
    )
    def test_another_file_is_found_out(self, path, other):
        path.write_bytes(other)
        for load in (Mixture.load, load_model):
            with pytest.raises(ModelFileError, match="model.safetensors"):
                load(path)

    def test_a_pickle_is_not_executed(self, path, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (os.mkdir, (str(tmp_path / "executed"),))

        path.write_bytes(pickle.dumps(Bomb()) + b"\0" * 100)
        with pytest.raises(ModelFileError):
            Mixture.load(path)
        assert not (tmp_path / "executed").exists()

    def test_somebody_elses_tensors_are_found_out(self, path):
        save_file({"weights": np.ones(1)}, path)
        with pytest.raises(ModelFileError, match="a safetensors file, but not a gaussmix model"):
            Mixture.load(path)

    def test_no_file_and_a_folder_are_named(self, path, tmp_path):
        with pytest.raises(FileNotFoundError, match="model.safetensors"):
            Mixture.load(path)
        with pytest.raises((ModelFileError, OSError), match=f"{tmp_path.name}.*directory"):
            Mixture.load(tmp_path)


def write(path, document, **tensors):
    """A container of this document and these tensors (None: left out), its checksum right."""
    good = {"weights": np.array([0.5, 0.5]), "means": np.zeros((2, 1)), "covariances": np.ones(2)}
    merged = {name: value for name, value in (good | tensors).items() if value is not None}
    text = document if isinstance(document, str) else json.dumps(document)
    checksum = zlib.crc32(text.encode() + b"".join(merged[name].tobytes() for name in sorted(merged)))
    save_file(merged, path, metadata={"gaussmix": text, "gaussmix.crc32": f"{checksum:08x}"})


DOCUMENT = {"schema": 1, "covariance_type": "spherical", "feature_names": None, "info": {}}

UNSOUND = {
    "no JSON": ("{", {}, "not JSON"),
    "no object": ("[]", {}, "not a JSON object"),
    "a later schema": (DOCUMENT | {"schema": 99}, {}, "schema 99 .*unknown to this version of gaussmix"),
    "no schema": ({}, {}, "schema None"),
    "another type": (DOCUMENT | {"covariance_type": "round"}, {}, "covariance_type.*'round'"),
    "no type": (DOCUMENT | {"covariance_type": None}, {}, "covariance_type.*None"),
    "a list for a type": (DOCUMENT | {"covariance_type": ["full"]}, {}, r"covariance_type.*\['full'\]"),
    "no means": (DOCUMENT, {"means": None}, "means"),
    "bad weights": (DOCUMENT, {"weights": np.array([0.5, 0.6])}, "weights must sum to 1; they sum to 1.1"),
    "NaN": (DOCUMENT, {"means": np.full((2, 1), np.nan)}, "means contains NaN"),
    "a negative variance": (DOCUMENT, {"covariances": np.array([1.0, -1.0])}, "positive definite"),
    "another shape": (DOCUMENT, {"covariances": np.ones(3)}, "covariances must have the shape"),
    "scalars": (DOCUMENT, {"means": np.array(1.0)}, "means"),
    "numbers for names": (DOCUMENT | {"feature_names": [1]}, {}, "feature_names .*list of text"),
    "text for names": (DOCUMENT | {"feature_names": "a"}, {}, "feature_names .*list of text"),
    "too many names": (DOCUMENT | {"feature_names": ["a", "b"]}, {}, "feature_names must be 1 names"),
    "a list for the info": (DOCUMENT | {"info": [1, 2]}, {}, "info must be an object"),
}


@pytest.mark.parametrize("what", UNSOUND)
def test_a_sound_container_of_an_unsound_model_is_found_out(path, what):
    document, tensors, message = UNSOUND[what]
    write(path, document, **tensors)
    for load in (Mixture.load, load_model):
        with pytest.raises(ModelFileError, match=f"model.safetensors.*{message}"):
            load(path)


def test_numbers_of_lower_precision_are_read_as_double(path):
    write(path, DOCUMENT, means=np.zeros((2, 1), np.float32))
    assert Mixture.load(path).means.dtype == np.float64


class TestAtomicity:
    """Where a save fails, the folder is as it was before."""

    @pytest.fixture
    def old(self, path):
        old = random_mixture("diag", 2, 3, np.random.default_rng(5))
        old.save(path)
        return old

    @pytest.fixture
    def new(self):
        return random_mixture("full", 4, 2, np.random.default_rng(6))

    def check(self, old, path):
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]
        assert_equal(Mixture.load(path), old)

    def test_a_save_replaces_the_old_file(self, old, new, path):
        new.save(path)
        self.check(new, path)

    @pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_a_failed_step_leaves_the_old_file(self, old, new, path, monkeypatch, step, error):
        def fail(*arguments, **options):
            raise error

        monkeypatch.setattr(os, step, fail)
        with pytest.raises(type(error)):
            new.save(path)
        monkeypatch.undo()
        self.check(old, path)

    @pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
    def test_a_write_that_ends_early_leaves_the_old_file(self, old, path):
        """By a limit of the system, which is met in the middle as a full disk is."""
        run_python(
            "import resource, signal, gaussmix\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "new = gaussmix.Mixture([1.0], [[0.0] * 400], [1.0], 'spherical')\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try:\n"
            f"    new.save({str(path)!r})\n"
            "except OSError as error:\n"
            "    assert error.errno == 27, error\n"
            "else:\n"
            "    raise AssertionError('the write was to fail')\n"
        )
        self.check(old, path)

    def test_a_folder_that_is_not_there(self, new, tmp_path):
        with pytest.raises(FileNotFoundError):
            new.save(tmp_path / "absent" / "model.safetensors")
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_in_the_place_of_the_file(self, new, tmp_path):
        (tmp_path / "model").mkdir()
        with pytest.raises(OSError, match="model"):
            new.save(tmp_path / "model")
        assert [entry.name for entry in tmp_path.iterdir()] == ["model"]

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_a_folder_that_cannot_be_written_to(self, old, path):
        """In a process of its own, since root, who may write anywhere, has to become somebody else first."""
        source = str(path)
        run_python(
            "import os, pathlib, shutil, tempfile, gaussmix\n"
            f"old = gaussmix.Mixture.load({source!r})\n"
            "new = gaussmix.Mixture([1.0], [[0.0]], [1.0], 'spherical')\n"
            "folder = pathlib.Path(tempfile.mkdtemp())\n"
            "old.save(folder / 'model')\n"
            "folder.chmod(0o555)\n"
            "user = os.geteuid()\n"
            "if user == 0:\n"
            "    os.seteuid(65534)\n"
            "for name in ('model', 'other'):\n"
            "    try:\n"
            "        new.save(folder / name)\n"
            "    except PermissionError:\n"
            "        continue\n"
            "    raise AssertionError('the folder was to be protected')\n"
            "os.seteuid(user)\n"
            "assert os.listdir(folder) == ['model']\n"
            "assert gaussmix.Mixture.load(folder / 'model').n_components == old.n_components\n"
            "folder.chmod(0o755)\n"
            "shutil.rmtree(folder)\n"
        )

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_the_file_has_the_permissions_of_any_new_file(self, new, path):
        plain = path.with_name("plain")
        plain.touch()
        new.save(path)
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", NAMES)
def test_parameters_given_as_float32_are_made_exact_and_can_be_saved(name, seed, path):
    """Their rounding is more than a file of doubles is allowed."""
    rng = np.random.default_rng(seed)
    plain = random_mixture(name, 7, 3, rng)
    weights = (plain.weights * (1.0 + 3e-7)).astype(np.float32)
    covariances = plain.covariances.astype(np.float32)
    if covariances.ndim > 1:  # no matrix is symmetric any more
        covariances *= 1.0 + 2e-6 * rng.random(covariances.shape, dtype=np.float32)
    assert abs(weights.astype(np.float64).sum() - 1.0) > 1e-8
    single = Mixture(weights, plain.means.astype(np.float32), covariances, name)
    assert abs(single.weights.sum() - 1.0) < 1e-15
    dense = single.dense_covariances
    assert_array_equal(dense, np.swapaxes(dense, -1, -2))
    np.testing.assert_allclose(single.covariances, covariances, rtol=1e-5, atol=1e-6)
    single.save(path)
    assert_equal(Mixture.load(path), single)
    with pytest.raises(ValueError, match="immutable|read-only"):
        single.weights[0] = 0.5
    with pytest.raises(ValueError, match="weights must sum to 1"):
        Mixture(weights.astype(np.float64), plain.means, plain.covariances, name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_that_are_exact_are_kept_to_the_bit(dtype):
    weights, covariances = np.array([0.25, 0.75], dtype), np.array([[0.3, 0.1], [0.1, 0.2]], dtype)
    mixture = Mixture(weights, np.zeros((2, 2)), covariances, "tied")
    assert_array_equal(mixture.weights, weights)
    assert_array_equal(mixture.covariances, covariances)
