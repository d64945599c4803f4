"""docs/format.md says what is true, to the byte; and other programs for safetensors agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from gaussmix import Mixture, _container, _strict_json
from gaussmix.errors import ModelFileError
from gaussmix.io import load_model
from gaussmix.model.mixture import schema
from tests.files.making import INFO, NOISES, judged, same, saved, sealed, small, taken_apart
from tests.files.test_pickles import TRUSTED
from tests.helpers import NAMES

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
DUMPED = re.compile(r"^([0-9a-f]{8})  ((?:[0-9a-f]{2} ?)+) +\|(.*)\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def as_dumped(content):
    """The lines of `hexdump -C`, but for the blank in the middle."""
    for begin in range(0, len(content), 16):
        row = content[begin : begin + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{begin:08x}  {row.hex(' '):47}  |{text}|"


def test_the_worked_example(page, tmp_path):
    """What the page dumps is what its code writes, and it loads as what it says."""
    dumped = b"".join(bytes.fromhex(match[2]) for match in DUMPED.finditer(page))
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if ".save(" in block)
    path = tmp_path / "example.safetensors"
    exec(code.replace('"example.safetensors"', repr(str(path))), {})
    written = path.read_bytes()
    assert list(as_dumped(written)) == [match[0] for match in DUMPED.finditer(page)]
    assert written == dumped
    loaded = load_model(path)
    assert loaded.mixture.feature_names == ("x",) and loaded.info == {"n_iter": 7}
    assert loaded.mixture.means == [[0.5]] and loaded.mixture.covariances == [2.0]


def test_the_reader_that_the_page_gives(page, tmp_path):
    """Its dozen lines without gaussmix read what gaussmix writes."""
    block = next(
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def read" in block
    )
    names = {}
    exec(block, names)
    for name in NAMES:
        saved(small(name), tmp_path / "model")
        tensors, document = names["read"](tmp_path / "model")
        assert document["info"] == INFO and document["covariance_type"] == name
        for field in schema.TENSORS:
            np.testing.assert_array_equal(tensors[field], getattr(small(name), field))


def test_every_limit_and_field_is_on_the_page(page):
    for limit in (
        f"{_container.MAX_HEADER:,}".replace(",", " "),
        f"{_container.MAX_DIMENSIONS} lengths",
        f"{_strict_json.MAX_DEPTH} levels",
        f"{_strict_json.MAX_DIGITS} characters",
    ):
        assert limit in page, limit
    of_noise = ("noise", *schema.NOISE_TENSORS, *schema.NOISE_TENSORS["box"])
    for word in (
        *schema.FIELDS,
        *schema.TENSORS,
        *of_noise,
        *NAMES,
        _container.KEY,
        _container.CHECKSUM,
        *TRUSTED,
    ):
        assert f"`{word}`" in page or f'"{word}"' in page, word
    assert f"## Schema {schema.VERSION}" in page


@pytest.mark.parametrize("noise", NOISES)
def test_noise_makes_a_file_of_schema_2(noise, page, tmp_path):
    path, mixture = tmp_path / "model", small("tied", noise)
    header, _ = taken_apart(saved(mixture, path))
    document = json.loads(header["__metadata__"]["gaussmix"])
    assert document["schema"] == 2 and document["noise"] == noise
    assert header.keys() - {"__metadata__"} == {*schema.TENSORS, *schema.NOISE_TENSORS[noise]}
    assert same(Mixture.load(path), mixture)
    saved(mixture.without_noise(), path)
    assert json.loads(taken_apart(path.read_bytes())[0]["__metadata__"]["gaussmix"])["schema"] == 1


@pytest.mark.parametrize("name", NAMES)
def test_bytes_depend_on_the_content_alone(name, tmp_path):
    one = saved(small(name), tmp_path / "one")
    mixture = small(name)
    for field in ("means", "covariances"):  # whatever the order of the arrays in memory
        turned = np.asfortranarray(getattr(mixture, field))
        turned.flags.writeable = False
        mixture.__dict__[field] = turned
    assert saved(mixture, tmp_path / "other") == one
    assert saved(load_model(tmp_path / "one").mixture, tmp_path / "again") == one


def test_numbers_begin_at_a_multiple_of_eight(tmp_path):
    for length in range(20):
        content = saved(small(), tmp_path / "model", info={"x": "y" * length})
        assert int.from_bytes(content[:8], "little") % 8 == 0


@pytest.mark.parametrize("name", NAMES)
def test_safetensors_reads_and_writes_them_too(name, tmp_path):
    """In another order of tensors and metadata, which it chooses; the checksum holds nevertheless."""
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    path, other = tmp_path / "ours", tmp_path / "theirs"
    saved(small(name), path)
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    assert tensors.keys() == set(schema.TENSORS)
    save_file(tensors, other, metadata={**metadata, "format": "np"})
    assert other.read_bytes() != path.read_bytes()
    assert same(load_model(other).mixture, small(name)) and load_model(other).info == INFO


def test_metadata_of_others_are_left_alone(tmp_path):
    path = tmp_path / "model"
    header, data = taken_apart(saved(small(), path))
    header["__metadata__"]["written by"] = "somebody else"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    assert same(Mixture.load(path), small())


def test_single_precision_is_read_as_double_and_judged_as_such(tmp_path):
    """What it says after loading could be said by a file of double precision."""
    path, names = tmp_path / "model", ["größe", 'a "b"']
    arrays = [np.float32(getattr(small("full"), field)) for field in schema.TENSORS]
    write_single(path, dict(zip(schema.TENSORS, arrays, strict=True)), names)
    loaded = judged(path).mixture
    assert loaded.means.dtype == np.float64 and same(
        loaded, Mixture(*map(np.float64, arrays), feature_names=names)
    )
    arrays[0] = np.float32([0.25, 0.7499999])
    write_single(path, dict(zip(schema.TENSORS, arrays, strict=True)), names)
    with pytest.raises(ModelFileError, match="weights must sum to 1"):
        Mixture.load(path)


def write_single(path, tensors, names):
    document = {"schema": 1, "covariance_type": "full", "feature_names": names, "info": {}}
    header, data = {"__metadata__": {"gaussmix": json.dumps(document)}}, b""
    for name, tensor in tensors.items():
        places = [len(data), len(data) + tensor.nbytes]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": places}
        data += tensor.astype("<f4").tobytes()
    path.write_bytes(sealed(header, data))
