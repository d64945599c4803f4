"""Whatever bytes a reader meets: a mixture that passes its checks, or one clear error.

What exactly, `judged` says. HYPOTHESIS_PROFILE=search looks further.
"""

from __future__ import annotations

import copy
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussmix.model.covariance import STRUCTURES
from tests.files.making import INFO, framed, judged, saved, sealed, small, taken_apart
from tests.helpers import KINDS

many = settings(max_examples=max(300, settings().max_examples))

TENSORS = ("weights", "means", "covariances", "dtype", "shape", "data_offsets", "F32", "F64", "I64")
DOCUMENT = (
    "gaussmix",
    "gaussmix.crc32",
    "schema",
    "covariance_type",
    "feature_names",
    "info",
    "noise",
    "box",
)
WORDS = st.sampled_from([*TENSORS, "__metadata__", *DOCUMENT, *KINDS, "", "x"])
NUMBERS = st.one_of(
    st.integers(-2, 20),
    st.sampled_from([2**31, 2**32, 2**53, 2**61, 2**62, 2**63, 2**64, 10**30, -(2**63)]),
    st.floats(),  # json writes NaN and Infinity, which is just what is wanted here
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.text(max_size=5))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def good(place):
    """Header, document and data of a good file of each family."""
    files = {}
    for name in KINDS:
        header, data = taken_apart(saved(small(name), place))
        document = json.loads(header["__metadata__"]["gaussmix"])
        assert document["info"] == INFO
        files[name] = header, document, data
    header, data = taken_apart(saved(small("full", "box"), place))
    files["noise"] = header, json.loads(header["__metadata__"]["gaussmix"]), data
    return files


def containers(value):
    """All lists and objects within a JSON value, itself included."""
    found = []
    if isinstance(value, dict | list):
        found.append(value)
        for inner in value.values() if isinstance(value, dict) else value:
            found += containers(inner)
    return found


def mutate(draw, value):
    """One change somewhere in a JSON value: a number by a little, a member for anything, a loss, a gain."""
    target = draw(st.sampled_from(containers(value)))
    keys = sorted(target) if isinstance(target, dict) else list(range(len(target)))
    what = draw(st.sampled_from(["nudge", "replace", "lose", "gain", "copy", "rename"]))
    if not keys or what == "gain":
        new = draw(VALUES)
        if isinstance(target, dict):
            target[draw(WORDS)] = new
        else:
            target.insert(draw(st.integers(0, len(target))), new)
        return
    key = draw(st.sampled_from(keys))
    if what == "nudge" and type(target[key]) is int:
        target[key] = draw(
            st.sampled_from([target[key] + 1, target[key] - 1, -target[key], 8 * target[key], 0])
        )
    elif what == "lose":
        del target[key]
    elif what == "copy":
        target[key] = copy.deepcopy(target[draw(st.sampled_from(keys))])
    elif what == "rename" and isinstance(target, dict):
        target[draw(WORDS)] = target.pop(key)
    else:
        target[key] = draw(VALUES)


@many
@given(data=st.data(), name=st.sampled_from([*KINDS, "noise"]))
def test_changed_headers(good, place, data, name):
    header, document, tail = copy.deepcopy(good[name])
    for _ in range(data.draw(st.integers(1, 4))):
        mutate(data.draw, document if data.draw(st.booleans()) else header)
    if isinstance(header.get("__metadata__"), dict):
        header["__metadata__"]["gaussmix"] = json.dumps(document)
    judged(place, sealed(header, tail))


@many
@given(data=st.data(), name=st.sampled_from(KINDS))
def test_changed_shapes(good, place, data, name):
    """Tensors of any size, with all their bytes: what is left to find is that they do not fit each other."""
    header, document, _ = copy.deepcopy(good[name])
    k, d = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    document["feature_names"] = data.draw(st.none() | st.just(["a", "b"]))
    header["__metadata__"]["gaussmix"] = json.dumps(document)
    tail = b""
    right = {"weights": [k], "means": [k, d], "covariances": list(STRUCTURES[name].shape(k, d))}
    for tensor, shape in right.items():
        if data.draw(st.integers(0, 3)) == 0:
            shape = data.draw(st.lists(st.integers(1, 3), max_size=4))
        numbers = np.full(shape, 1.0 / k if tensor == "weights" else 1.0)
        if numbers.ndim > 1 and numbers.shape[-1] == numbers.shape[-2]:
            numbers = numbers * np.eye(len(numbers.T))
        header[tensor] = {
            "dtype": "F64",
            "shape": shape,
            "data_offsets": [len(tail), len(tail) + numbers.nbytes],
        }
        tail += numbers.tobytes()
    judged(place, sealed(header, tail))


def as_bytes(number):
    return struct.pack("<d", number)


@many
@given(data=st.data(), name=st.sampled_from(KINDS))
def test_changed_numbers(good, place, data, name):
    header, _, tail = copy.deepcopy(good[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = 8 * data.draw(st.integers(0, len(tail) // 8 - 1))
        number = data.draw(st.floats() | st.binary(min_size=8, max_size=8))
        tail = tail[:at] + (number if isinstance(number, bytes) else as_bytes(number)) + tail[at + 8 :]
    judged(place, sealed(header, tail))


@many
@given(content=st.binary(max_size=300))
def test_any_bytes(place, content):
    assert judged(place, content) is None


@many
@given(header=st.binary(max_size=100) | st.text(max_size=50).map(str.encode), tail=st.binary(max_size=40))
def test_any_header(place, header, tail):
    assert judged(place, framed(header, tail)) is None
    assert judged(place, framed(b"{" + header + b"}", tail)) is None


@many
@given(document=VALUES | st.dictionaries(WORDS, VALUES, max_size=6), name=st.sampled_from(KINDS))
def test_any_document(good, place, document, name):
    header, _, tail = copy.deepcopy(good[name])
    header["__metadata__"]["gaussmix"] = json.dumps(document)
    assert judged(place, sealed(header, tail)) is None


@many
@given(data=st.data(), name=st.sampled_from(KINDS))
def test_cuts_and_insertions(good, place, data, name):
    """The checksum is right where the header still says where the tensors are."""
    header, _, tail = copy.deepcopy(good[name])
    whole = sealed(header, tail)
    at = data.draw(st.integers(0, len(whole)))
    lost = data.draw(st.integers(0, 16))
    judged(place, whole[:at] + data.draw(st.binary(max_size=16)) + whole[at + lost :])
