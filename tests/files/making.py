"""Model files by hand: taken apart, altered, put together again with the right checksum, and judged."""

from __future__ import annotations

import json
import zlib

import numpy as np

from gaussmix import Mixture, Noise
from gaussmix.errors import ModelFileError
from gaussmix.io import SavedModel, load_model

#: More than enough for what is wrong with a file, on one line.
LONGEST_MESSAGE = 500


#: What is known of the noise of a small mixture.
NOISES = {
    "density": Noise(0.125, log_density=-1 / 3),
    "box": Noise(0.125, box=[[-1.0, 0.0], [3.0, 0.1], [0.0, 2e6]]),
}


def small(covariance_type="diag", noise=None):
    """Two components of two features, with names, in a file of some 500 bytes."""
    covariances = {
        "full": [[[1.0, 0.5], [0.5, 2.0]], [[2.0, 0.0], [0.0, 0.5]]],
        "tied": [[1.0, 0.5], [0.5, 2.0]],
        "diag": [[1.0, 2.0], [3.0, 0.25]],
        "spherical": [1.0, 2.0],
        "EII": [2.0],
        "EEI": [1.0, 0.25],
        "VEI": [[1.0, 2.0], [0.25, 0.5]],
        "EVI": [[1.0, 2.0], [0.25, 8.0]],
        **dict.fromkeys(("VEE", "EVE", "VVE", "EEV", "VEV", "EVV"), [[[1.0, 0.5], [0.5, 2.0]]] * 2),
    }
    return Mixture(
        [0.25, 0.75 if noise is None else 0.625],
        [[-1.5, 1e-3], [1 / 3, 1e6]],
        covariances[covariance_type],
        covariance_type,
        feature_names=["größe", 'a "b"'],
        noise=None if noise is None else NOISES[noise],
    )


INFO = {
    "status": "converged",
    "n_iter": 7,
    "log_likelihood": -123.456789,
    "nested": {"list": [1, None, True]},
}


def taken_apart(content):
    """The header as a dict, and the bytes after it."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def framed(header, data=b""):
    """A file of this header (text, bytes, or what JSON can hold) and these data."""
    if not isinstance(header, bytes):
        header = (header if isinstance(header, str) else json.dumps(header)).encode()
    return len(header).to_bytes(8, "little") + header + data


def sealed(header, data):
    """The file with its checksum put right, where the header makes sense, so that deeper checks are met."""
    try:
        text = header["__metadata__"]["gaussmix"]
        total = zlib.crc32(text.encode())
        for name in sorted(header.keys() - {"__metadata__"}):
            begin, end = header[name]["data_offsets"]
            total = zlib.crc32(data[begin:end], total)
        header["__metadata__"]["gaussmix.crc32"] = f"{total:08x}"
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    return framed(header, data)


def saved(mixture, path, info=INFO):
    mixture.save(path, info=info)
    return path.read_bytes()


def judged(path, content=None):
    """What the file holds, or None if it was refused as it should be: by one clear error that names it.

    Anything else that comes out of the readers is for the test to stumble over. What is accepted has to stand
    up to the mixture's own checks once more.
    """
    if content is not None:
        path.write_bytes(content)
    try:
        loaded = load_model(path)
    except ModelFileError as error:
        message = str(error)
        assert message.startswith(f"{path}: ") and len(message) - len(str(path)) < LONGEST_MESSAGE
        assert "\n" not in message
        return None
    mixture = loaded.mixture
    again = Mixture(
        mixture.weights,
        mixture.means,
        mixture.covariances,
        mixture.covariance_type,
        feature_names=mixture.feature_names,
        noise=mixture.noise,
    )
    assert same(again, mixture)
    assert isinstance(loaded, SavedModel) and isinstance(loaded.info, dict)
    json.dumps(loaded.info, allow_nan=False)
    return loaded


def same(one, other):
    """The same mixture to the last bit."""
    arrays = ("weights", "means", "covariances", "precisions_cholesky")
    return (
        one.covariance_type == other.covariance_type
        and one.feature_names == other.feature_names
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and same_noise(one.noise, other.noise)
    )


def same_noise(one, other):
    """The same noise to the last bit, or none in both."""
    if one is None or other is None:
        return one is other
    tensors = one.tensors, other.tensors
    return tensors[0].keys() == tensors[1].keys() and all(
        np.array_equal(tensors[0][name], tensors[1][name]) for name in tensors[0]
    )
