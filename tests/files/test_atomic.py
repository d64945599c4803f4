"""Writing: the file is complete under its name, or as it was, whatever fails and whenever."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import gaussmix
from gaussmix import Mixture, _atomic
from gaussmix._container import MAX_HEADER
from gaussmix._strict_json import MAX_DEPTH
from gaussmix.data.writing import replace_file
from gaussmix.errors import ModelFileError
from gaussmix.io import load_model
from tests.files.making import same, small
from tests.helpers import run_python

posix = pytest.mark.skipif(os.name != "posix", reason="files of POSIX")


@pytest.fixture
def path(tmp_path):
    """A model, alone in its folder."""
    small("full").save(tmp_path / "model.safetensors", info={"which": "old"})
    return tmp_path / "model.safetensors"


def check_untouched(path):
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    saved = load_model(path)
    assert same(saved.mixture, small("full")) and saved.info == {"which": "old"}


def test_there_is_one_way_to_write():
    assert replace_file is _atomic.replace_file


#: What a file goes through, each with what the disk may say to it.
STEPS = {
    "the temporary file cannot be made": ("open", errno.EACCES),
    "there is no room": ("fsync", errno.ENOSPC),
    "the disk fails": ("fsync", errno.EIO),
    "permissions cannot be set": ("chmod", errno.EPERM),
    "the name cannot be changed": ("replace", errno.EACCES),
}


@posix
@pytest.mark.parametrize("what", STEPS)
def test_each_step_may_fail(path, monkeypatch, what):
    step, number = STEPS[what]

    def failing(*arguments, **options):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, failing)
        with pytest.raises(OSError, match=os.strerror(number)):
            small("diag").save(path)
    check_untouched(path)


@posix
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_where_it_is_interrupted(path, monkeypatch, step):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            small("diag").save(path)
    check_untouched(path)


@posix
def test_a_disk_that_is_full(path):
    """In truth: a process that may write no more than 100 bytes to a file."""
    run_python(f"""
import resource
import gaussmix

mixture = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    mixture.save({str(path)!r})
except OSError as error:
    assert "too large" in str(error), error
else:
    raise AssertionError("it was written")
""")
    check_untouched(path)


@posix
def test_a_folder_that_cannot_be_flushed_does_no_harm(path, monkeypatch):
    honest = os.fsync

    def only_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        honest(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    small("diag").save(path)
    assert same(Mixture.load(path), small("diag"))


@posix
def test_the_content_reaches_the_disk_before_the_name_and_the_name_before_the_end(path, monkeypatch):
    events = []
    for name in ("fsync", "replace"):
        honest = getattr(os, name)

        def noted(*arguments, name=name, honest=honest):
            is_folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            events.append("folder" if is_folder else name)
            return honest(*arguments)

        monkeypatch.setattr(os, name, noted)
    small("diag").save(path)
    assert events == ["fsync", "replace", "folder"]


AS_DEEP_AS_MAY_BE: list = []  # within two objects, the document and its info
for _ in range(MAX_DEPTH - 3):
    AS_DEEP_AS_MAY_BE = [AS_DEEP_AS_MAY_BE]
CIRCLE: dict = {}
CIRCLE["circle"] = CIRCLE
MUCH_TOO_DEEP: list = []
for _ in range(100_000):
    MUCH_TOO_DEEP = [MUCH_TOO_DEEP]

NO_INFO = {
    "an object": ({"x": object()}, TypeError, "expected text, finite numbers"),
    "a set": ({"x": {1, 2}}, TypeError, "expected text, finite numbers"),
    "bytes": ({"x": b"1"}, TypeError, "expected text, finite numbers"),
    "NumPy's integer": ({"x": np.int64(1)}, TypeError, "int64 is not JSON serializable; expected text"),
    "a tuple as a key": ({(1, 2): 3}, TypeError, "expected text, finite numbers"),
    "NaN": ({"x": float("nan")}, ValueError, "not JSON compliant.*; expected text"),
    "infinity": ({"x": [1.0, np.inf]}, ValueError, "not JSON compliant.*; expected text"),
    "one key twice": ({"x": {1: "a", "1": "b"}}, ValueError, "a key occurs twice in an object; expected"),
    "a circle": (CIRCLE, ValueError, "Circular reference detected; expected"),
    "too deep": ({"x": [AS_DEEP_AS_MAY_BE]}, ValueError, f"at most {MAX_DEPTH} within each other"),
    "much too deep": ({"x": MUCH_TOO_DEEP}, ValueError, f"at most {MAX_DEPTH} within each other"),
    "too long a number": ({"x": 10**4300}, ValueError, "expected text, finite numbers"),
    "too much": ({"x": "x" * MAX_HEADER}, ValueError, "shorten the info or the feature names"),
}


@pytest.mark.parametrize("what", NO_INFO)
def test_info_that_could_not_be_read_again_is_not_written(path, what):
    info, kind, match = NO_INFO[what]
    with pytest.raises(kind, match=match):
        small("diag").save(path, info=info)
    check_untouched(path)


def test_info_at_the_limits_comes_back(path):
    info = {
        "deep": AS_DEEP_AS_MAY_BE,
        "large": 1e308,
        "small": 5e-324,
        "long": 10**4299,
        "": "\ud800\0\x1b",
        "minus": -0.0,
    }
    small("diag").save(path, info=info)
    assert load_model(path).info == info


def test_a_mixture_that_could_not_be_read_again_is_not_written(path):
    """Its factors were found where numbers are well scaled, but its covariance is singular to rounding."""
    singular = Mixture.of_parts(
        small("full").structure,
        np.ones(1),
        np.zeros((1, 2)),
        np.ones((1, 2, 2)),
        np.array([[[1.0, -1e9], [0.0, 1e9]]]),
    )
    with pytest.raises(ModelFileError, match=r"not saved, because it could not be loaded again: .*definite"):
        singular.save(path)
    check_untouched(path)


@posix
class TestWhatStandsThere:
    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
    def test_permissions_stay(self, path, mode, monkeypatch):
        path.chmod(mode)
        modes = []
        honest = Path.write_bytes

        def noted(temporary, content):
            modes.append(stat.S_IMODE(temporary.stat().st_mode))
            return honest(temporary, content)

        monkeypatch.setattr(Path, "write_bytes", noted)
        small("diag").save(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert modes == [0o600]  # while it is written, too, nobody else reads what may be private

    @pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
    def test_a_new_file_has_the_usual_permissions(self, tmp_path, umask):
        before = os.umask(umask)
        try:
            small().save(tmp_path / "new")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask

    def test_a_link_stays_a_link(self, path):
        link, relative = path.with_name("link"), path.with_name("relative")
        link.symlink_to(path)
        relative.symlink_to("link")
        small("diag").save(relative)
        assert relative.is_symlink() and link.is_symlink() and not path.is_symlink()
        assert same(Mixture.load(path), small("diag"))

    def test_a_link_to_what_is_not_there_yet(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "later")
        small().save(tmp_path / "link")
        assert (tmp_path / "link").is_symlink() and same(Mixture.load(tmp_path / "later"), small())

    def test_a_circle_of_links(self, tmp_path):
        (tmp_path / "circle").symlink_to(tmp_path / "circle")
        with pytest.raises(OSError, match="circle"):
            small().save(tmp_path / "circle")
        assert (tmp_path / "circle").is_symlink() and len(list(tmp_path.iterdir())) == 1

    def test_a_pipe_and_a_device_are_not_replaced(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/null")):
            with pytest.raises(OSError, match="not an ordinary file"):
                small().save(path)
        assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode) and len(list(tmp_path.iterdir())) == 1
        assert Path("/dev/null").is_char_device()

    def test_a_folder_is_not_replaced(self, tmp_path):
        with pytest.raises(IsADirectoryError):
            small().save(tmp_path)

    def test_the_longest_names(self, tmp_path):
        for name in ("x" * 255, "x" * 242 + ".safetensors", "ß" * 127, "x." + "y" * 253):
            small().save(tmp_path / name)
            assert same(Mixture.load(tmp_path / name), small())

    def test_a_hard_link_keeps_the_old_content(self, path):
        os.link(path, path.with_name("other"))
        small("diag").save(path)
        assert same(Mixture.load(path.with_name("other")), small("full"))


def test_readers_never_see_half_a_file(path):
    """Four writers and a reader at once, by one name."""
    kinds = ("full", "tied", "diag", "spherical")
    failures, kinds_read, done = [], [], threading.Event()

    def write(kind):
        try:
            for _ in range(15):
                small(kind).save(path)
        except Exception as error:
            failures.append(error)

    def read():
        while not done.is_set():
            try:
                loaded = Mixture.load(path)
                assert same(loaded, small(loaded.covariance_type))
                kinds_read.append(loaded.covariance_type)
            except Exception as error:
                failures.append(error)

    writers = [threading.Thread(target=write, args=(kind,)) for kind in kinds]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not failures and kinds_read
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@posix
def test_a_process_that_is_killed_leaves_a_whole_file(path):
    code = f"""
from tests.files.making import small
print("ready", flush=True)
while True:
    for kind in ("diag", "tied"):
        small(kind).save({str(path)!r}, info={{"padding": "x" * 1_000_000}})
"""
    source = os.pathsep.join([str(Path(gaussmix.__file__).parents[1]), str(Path(__file__).parents[2])])
    chance = random.Random(0)
    for _ in range(4):
        command = [sys.executable, "-c", code]
        environment = os.environ | {"PYTHONPATH": source}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            done = threading.Event()
            done.wait(chance.uniform(0.0, 0.2))
            process.send_signal(signal.SIGKILL)
        loaded = load_model(path)
        assert same(loaded.mixture, small(loaded.mixture.covariance_type))
    for entry in path.parent.iterdir():  # what a killed process cannot remove shows by its name what it is
        assert entry == path or (entry.name.startswith(".model.safetensors.") and ".part" in entry.name)
