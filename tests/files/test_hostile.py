"""Files made to do harm: one clear error each, though the checksum is right, and memory in proportion."""

from __future__ import annotations

import json
import os
import socket
import tracemalloc

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix._container import MAX_HEADER
from gaussmix._strict_json import MAX_DEPTH
from gaussmix.errors import ModelFileError
from gaussmix.io import load_model
from tests.files.making import framed, judged, saved, sealed, small, taken_apart
from tests.helpers import run_python

posix = pytest.mark.skipif(os.name != "posix", reason="files of POSIX")


@pytest.fixture
def parts(place):
    """Header, document and data of a good file, to be spoiled."""
    header, data = taken_apart(saved(small(), place))
    return header, json.loads(header["__metadata__"]["gaussmix"]), data


def refused(place, header, data, match):
    place.write_bytes(sealed(header, data))
    with pytest.raises(ModelFileError, match=f"model.safetensors: .*{match}"):
        Mixture.load(place)
    assert judged(place) is None


def with_document(header, document):
    text = document if isinstance(document, str) else json.dumps(document)
    return header | {"__metadata__": {"gaussmix": text}}


def test_a_good_file_put_together_again_is_good(place, parts):
    header, document, data = parts
    assert judged(place, sealed(with_document(header, document), data)) is not None


def test_without_a_checksum(place, parts):
    header, document, data = parts
    place.write_bytes(framed(with_document(header, document), data))
    with pytest.raises(ModelFileError, match=r"damaged: .*checksum"):
        Mixture.load(place)


TENSORS = {
    "another type": ({"dtype": "I64"}, "type 'I64'; expected F64 or F32"),
    "half precision": ({"dtype": "BF16"}, "type 'BF16'; expected F64 or F32"),
    "no type": ({"dtype": None}, "type None"),
    "a type of lists": ({"dtype": ["F64"]}, r"type \['F64'\]"),
    "the other type": ({"dtype": "F32"}, "cannot have the offsets"),
    "no shape": ({"shape": None}, "shape None"),
    "a shape of text": ({"shape": "22"}, "shape '22'"),
    "a fractional shape": ({"shape": [2.0, 2]}, r"shape \[2.0, 2\]"),
    "a true shape": ({"shape": [True, 4]}, r"shape \[True, 4\]"),
    "a negative shape": ({"shape": [-2, -2]}, r"shape \[-2, -2\]"),
    "an empty shape": ({"shape": [0, 2]}, r"has the shape \[0, 2\]"),
    "nothing times a lot": ({"shape": [0, 2**62], "data_offsets": [16, 16]}, "shape"),
    "a product beyond 64 bits": ({"shape": [2**32, 2**32 + 1]}, "shape"),
    "a product that wraps around": ({"shape": [2**62 + 1, 4]}, "shape"),
    "a huge shape": ({"shape": [10**4000]}, "shape"),
    "nine dimensions": ({"shape": [4, 1, 1, 1, 1, 1, 1, 1, 1]}, "shape"),
    "many dimensions": ({"shape": [1] * 10_000}, "shape"),
    "no offsets": ({"data_offsets": []}, r"offsets \[\]"),
    "three offsets": ({"data_offsets": [16, 48, 48]}, r"offsets \[16, 48, 48\]"),
    "offsets beyond the end": ({"data_offsets": [16, 16 + 2**40]}, "offsets"),
    "negative offsets": ({"data_offsets": [-32, 0]}, "offsets"),
    "reversed offsets": ({"data_offsets": [48, 16]}, "cannot have the offsets"),
    "fractional offsets": ({"data_offsets": [16.0, 48.0]}, "offsets"),
    "an overlap": ({"data_offsets": [8, 40]}, "without gap or overlap"),
    "one more field": ({"strides": [1, 2]}, "not described by dtype, shape and data_offsets"),
}


@pytest.mark.parametrize("what", TENSORS)
def test_tensors_that_lie(place, parts, what):
    header, _, data = parts
    change, match = TENSORS[what]
    header["means"] |= change
    refused(place, header, data, match)


def test_tensors_that_are_not_ours(place, parts):
    header, document, data = parts
    more = {"dtype": "F64", "shape": [1], "data_offsets": [len(data), len(data) + 8]}
    refused(place, header | {"priors": more}, data + bytes(8), "expected the tensors weights, .*'priors'")
    fewer = {name: entry for name, entry in header.items() if name != "covariances"}
    refused(place, fewer, data[:48], "expected the tensors weights, means, covariances; got")
    refused(place, fewer, data, "its tensors take 48 bytes, but 80 follow")
    refused(place, header, data + b"\0", "its tensors take 80 bytes, but 81 follow")
    refused(place, header | {"means": [1, 2]}, data, "not described by dtype, shape and data_offsets")
    refused(place, with_document({}, document), b"", "expected the tensors")
    twice = header | {"covariances": header["means"]}
    refused(place, twice, data[:48], "without gap or overlap")
    header["x" * 1_000_000] = header.pop("means")
    refused(place, header, data, "expected the tensors")


def test_numbers_that_are_none(place, parts):
    header, _, data = parts
    for place_of_number in range(0, len(data), 8):
        for number in (np.nan, np.inf, -np.inf, -1e308):
            changed = data[:place_of_number] + np.float64(number).tobytes() + data[place_of_number + 8 :]
            loaded = judged(place, sealed(header, changed))
            assert loaded is None or (number == -1e308 and loaded.mixture.means.min() == number)


@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("number", [1.7e308, 5e-324, 1e200, 1e-200])
def test_numbers_at_the_ends_of_the_range_pass_the_checks_or_fail_them(place, name, number):
    """They overflow within the checks, of which nobody is warned: what they find counts."""
    header, data = taken_apart(saved(small(name), place))
    begin = header["covariances"]["data_offsets"][0]
    for at in range(begin, len(data), 8):
        judged(place, sealed(header, data[:at] + np.float64(number).tobytes() + data[at + 8 :]))
    judged(place, sealed(header, data[:begin] + np.full((len(data) - begin) // 8, number).tobytes()))


def test_mirrored_entries_whose_difference_overflows(place):
    header, data = taken_apart(saved(small("tied"), place))
    matrix = np.array([[1.0, 1.7e308], [-1.7e308, 1.0]])
    refused(place, header, data[:-32] + matrix.tobytes(), "must be symmetric")


DOCUMENTS = {
    "a list": ("[]", "not a JSON object"),
    "nothing": ("", "not JSON"),
    "cut off": ('{"schema": 1', "not JSON"),
    "a bomb": ("[" * 100_000, "within each other"),
    "a bomb of objects": ('{"a":' * 100_000, "within each other"),
    "a bomb of the right length": ("[" * 100_000 + "]" * 100_000, "within each other"),
    "a schema of true": ({"schema": True}, "schema True"),
    "a fractional schema": ({"schema": 1.0}, "schema 1.0"),
    "a schema of text": ({"schema": "1"}, "schema '1'"),
    "schema zero": ({"schema": 0}, "schema 0"),
    "a huge schema": ({"schema": 10**4000}, "schema 1000"),
    "a long schema": ({"schema": "x" * 1_000_000}, "schema 'xxx"),
    "a long type": ({"covariance_type": "x" * 1_000_000}, "covariance_type must be one of full, .*'xxx"),
    "a type of lists": ({"covariance_type": [[]]}, "covariance_type"),
    "names of numbers": ({"feature_names": [1, 2]}, "feature_names must be a list of text"),
    "one name too many": ({"feature_names": ["a"] * 3}, "feature_names must be 2 names"),
    "many names": ({"feature_names": ["a"] * 10_000}, "feature_names must be 2 names"),
    "no info": ({"info": None}, "info must be an object; got None"),
    "a deep info": ({"info": {"x": eval("[" * 70 + "]" * 70)}}, f"more than {MAX_DEPTH} within each other"),
    "an unknown field": ({"script": "import os"}, "expected the fields schema, .*; got .*'script'"),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_documents_that_lie(place, parts, what):
    header, document, data = parts
    change, match = DOCUMENTS[what]
    refused(
        place, with_document(header, change if isinstance(change, str) else document | change), data, match
    )


NOISE = {
    "of another kind": ({"noise": "x" * 1_000_000}, {}, "noise must be one of density, box"),
    "a list": ({"noise": ["box"]}, {}, "noise must be one of density, box"),
    "without its box": ({"noise": "density"}, {}, "expected the tensors weights, means, covariances, noise;"),
    "in schema 1": ({"schema": 1}, {}, "expected the fields schema"),
    "of no weight": ({}, {"noise": [np.nan, 0.0]}, "from 0 to 1"),
    "of too much weight": (
        {},
        {"noise": [0.25, -np.log(6e6)]},
        "weights must sum to 1 with that of the noise",
    ),
    "of another density": ({}, {"noise": [0.125, 7.0]}, "log_density of 7, but its box"),
    "of no volume": ({}, {"noise_box": [0.0] * 6}, "no volume"),
}


@pytest.mark.parametrize("what", NOISE)
def test_noise_that_lies(place, what):
    header, data = taken_apart(saved(small("full", "box"), place))
    document = json.loads(header["__metadata__"]["gaussmix"])
    change, tensors, match = NOISE[what]
    for name, values in tensors.items():
        begin, end = header[name]["data_offsets"]
        data = data[:begin] + np.array(values).tobytes() + data[end:]
    refused(place, with_document(header, document | change), data, match)


@pytest.mark.parametrize("missing", ["schema", "covariance_type", "feature_names", "info"])
def test_a_field_that_is_missing(place, parts, missing):
    header, document, data = parts
    del document[missing]
    match = "schema None" if missing == "schema" else "expected the fields"
    refused(place, with_document(header, document), data, match)


#: What stands for the value of one entry of `info`, and what is said of it.
NO_JSON = {
    "NaN": ("NaN", "NaN is no number"),
    "infinity": ("-Infinity", "-Infinity is no number"),
    "beyond the range": ("1e999", "too large for double precision"),
    "a million digits": ("1" * 1_000_000, "has 1000000 digits; the most is 4300"),
    "a million decimals": ("0." + "1" * 1_000_000, "too long"),
    "a key twice": ('{"a": 1, "a": 2}', "a key occurs twice"),
    "a line break in text": ('"a\nb"', "not JSON"),
    "a comment": ("1 // one", "not JSON"),
    "a comma at the end": ("[1,]", "not JSON"),
    "Python": ("__import__('os').getcwd()", "not JSON"),
}


@pytest.mark.parametrize("what", NO_JSON)
def test_what_is_not_json_in_the_document(place, parts, what):
    header, document, data = parts
    value, match = NO_JSON[what]
    text = json.dumps(document | {"info": {"x": 0}}).replace('{"x": 0}', f'{{"x": {value}}}')
    refused(place, with_document(header, text), data, match)


def test_what_is_not_json_in_the_header(place, parts):
    header, _, data = parts
    text = json.dumps(header)
    twice = text[:-1] + ', "means": ' + json.dumps(header["means"]) + "}"
    bombs = ["[" * 100_000, '{"a":' * 100_000, "{" + '"a":[' * 100_000]
    others = [
        "{}x",
        " " + text,
        "[" + text + "]",
        "\ufeff" + text,
        "null",
        '""',
        "{ ",
        text.replace('"shape": [2', '"shape": [NaN'),
    ]
    for wrong in [twice, *bombs, *others]:
        refused(place, wrong, data, "damaged, truncated, or not a gaussmix model: .*JSON")
    for encoding in ("utf-16", "utf-32", "latin-1"):
        refused(place, text.replace("schema", "schöma").encode(encoding), data, "not JSON")


def test_metadata_that_are_no_text(place, parts):
    header, document, data = parts
    for metadata in ([], "gaussmix", {"gaussmix": document}, {"gaussmix": "{}", "other": 1}, None):
        refused(place, header | {"__metadata__": metadata}, data, "metadata")
    for metadata in ({}, {"Gaussmix": json.dumps(document)}):
        refused(
            place, header | {"__metadata__": metadata}, data, "a safetensors file, but not a gaussmix model"
        )


def test_half_of_a_character_in_the_names(place, parts):
    """JSON can escape it, so can a mixture be named; what cannot be encoded in the header is refused."""
    header, document, data = parts
    assert judged(place, sealed(with_document(header, document | {"feature_names": ["\ud800", "b"]}), data))
    text = json.dumps(document | {"feature_names": ["a", "b"]}).replace('"a"', '"\ud800"')
    refused(place, with_document(header, text), data, "")


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file(place, parts, length):
    header, _, data = parts
    content = framed(header, data)
    place.write_bytes(length.to_bytes(8, "little") + content[8:])
    tracemalloc.start()
    assert judged(place) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_lengths_that_a_hole_in_the_file_makes_true(place, parts):
    """A gigabyte that takes no disk: the header's limit and its checks come before any of it is read."""
    header, _, data = parts
    header["covariances"]["shape"] = [2, 10**8]
    for length in (MAX_HEADER + 1, 10**9, None):
        content = framed(header, data)
        place.write_bytes(content if length is None else length.to_bytes(8, "little") + content[8:])
        os.truncate(place, 8 + 10**9)
        tracemalloc.start()
        assert judged(place) is None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1_000_000
    place.unlink()


def test_a_header_of_many_small_things_costs_a_bounded_multiple_of_it(place):
    for item in ("[]", "{}", "[[[]]]", '{"":[]}', "-9", "1e9"):
        place.write_bytes(framed('{"__metadata__":[' + f"{item}," * 40_000 + "0]}"))
        tracemalloc.start()
        assert judged(place) is None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 60 * place.stat().st_size


def test_a_header_at_the_limit(place, parts):
    header, _, data = parts
    content = framed(header, data)
    blanks = MAX_HEADER - int.from_bytes(content[:8], "little")
    text = json.dumps(header).encode()
    assert judged(place, framed(text + b" " * blanks, data)) is not None
    assert judged(place, framed(text + b" " * (blanks + 1), data)) is None
    place.unlink()


@posix
class TestOtherThingsThanFiles:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # for short names: those of sockets are limited

    def test_a_pipe_is_not_waited_for(self):
        os.mkfifo("pipe.safetensors")
        code = """
import signal, gaussmix
signal.alarm(60)
try:
    gaussmix.Mixture.load("pipe.safetensors")
except gaussmix.errors.ModelFileError as error:
    print(error)
"""
        assert "pipe.safetensors: is a pipe, a socket or a device" in run_python(code)

    def test_a_pipe_that_takes_the_place_of_the_file(self, monkeypatch):
        """The file is looked at again once it is open, and opening does not wait."""
        os.mkfifo("pipe.safetensors")
        monkeypatch.setattr(os, "stat", lambda path: os.lstat(__file__))
        with pytest.raises(ModelFileError, match="is a pipe"):
            load_model("pipe.safetensors")

    def test_a_folder_a_socket_a_device(self, tmp_path):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket.safetensors")
            for path, match in (
                (tmp_path, "is a directory"),
                ("socket.safetensors", "is a pipe, a socket or a device"),
                ("/dev/null", "is a pipe, a socket or a device"),
                ("/dev/zero", "is a pipe, a socket or a device"),
            ):
                with pytest.raises(ModelFileError, match=f"{path}: {match}; expected a model file"):
                    load_model(path)

    def test_links(self, tmp_path):
        small().save("model")
        os.symlink("model", "link")
        os.symlink("circle", "circle")
        os.symlink("nowhere", "dangling")
        os.symlink(tmp_path, "folder")
        assert load_model("link").mixture.n_features == 2
        with pytest.raises(OSError, match="circle"):
            load_model("circle")
        with pytest.raises(FileNotFoundError, match="dangling"):
            load_model("dangling")
        with pytest.raises(ModelFileError, match="folder: is a directory"):
            load_model("folder")

    def test_a_file_that_shrinks_while_it_is_read(self, monkeypatch):
        small().save("model")
        size = os.path.getsize("model")
        honest = os.fstat

        def before(descriptor):
            status = list(honest(descriptor))
            status[6] = size
            return os.stat_result(status)

        os.truncate("model", size - 8)
        monkeypatch.setattr(os, "fstat", before)
        with pytest.raises(ModelFileError, match="became shorter while it was read"):
            load_model("model")
