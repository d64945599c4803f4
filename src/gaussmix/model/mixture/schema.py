"""What a model file says of a mixture: the names of its tensors and the JSON document beside them."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from gaussmix import _check, _container
from gaussmix._typing import Float64Array
from gaussmix.errors import ModelFileError
from gaussmix.model.covariance import FACTORS, STRUCTURES, get_structure
from gaussmix.model.noise import Noise

M = TypeVar("M")
S = TypeVar("S")

#: Version of the schema; a reader knows this one and all before it. docs/format.md has its history. What has
#: no noise is written as schema 1, so that earlier versions read it.
VERSION = 2
TENSORS = ("weights", "means", "covariances")
#: The tensors of schema 2 besides, by what its field "noise" says is known of the noise.
NOISE_TENSORS = {"density": ("noise",), "box": ("noise", "noise_box")}
#: The "kind" of a document that is no model but a checkpoint of a fit (fit/checkpoint.py).
CHECKPOINT = "checkpoint"
#: The "kind" of a document of a detector, which holds models (apps/anomaly/detector_file.py).
DETECTOR = "detector"
#: The "kind" of a document of a classifier (apps/classes/classifier_file.py).
CLASSIFIER = "classifier"
#: The "kind" of a document of a prior of image patches (apps/patches/prior_file.py).
PATCH_PRIOR = "patch prior"
#: What files of these kinds are, and what they are for.
KINDS = {
    CHECKPOINT: ("the checkpoint of a fit", "go on with that fit (resume)"),
    DETECTOR: (
        "a detector",
        "it is for GaussianMixtureDetector.load, or the command 'gaussmix detect --model'",
    ),
    CLASSIFIER: (
        "a classifier",
        "it is for GaussianMixtureClassifier.load, or the command 'gaussmix classify --model'",
    ),
    PATCH_PRIOR: ("a patch prior", "it is for PatchPrior.load"),
}
FIELDS = ("schema", "covariance_type", "feature_names", "info")

#: How far the weights of a pickled mixture may sum from one: as far as any that a mixture is made of.
SUM_TOLERANCE = 1e-6


def write(
    path: str | os.PathLike[str],
    build: Callable[..., object],
    arguments: Mapping[str, Any],
    noise: Noise | None,
    info: Mapping[str, Any] | None,
) -> None:
    """Save the mixture that `build` makes of the arguments, once it is known that it can be built again."""
    tensors, document = describe(arguments, noise, info)
    try:
        build(**arguments, noise=noise)
    except ValueError as error:
        raise ModelFileError(f"{path}: not saved, because it could not be loaded again: {error}") from None
    _container.write(path, tensors, document)


def describe(
    arguments: Mapping[str, Any], noise: Noise | None, info: Mapping[str, Any] | None
) -> tuple[dict[str, Float64Array], dict[str, Any]]:
    """The tensors and the document of the mixture that these arguments make."""
    names, extra = arguments["feature_names"], {} if noise is None else noise.tensors
    document = {
        "schema": 2 if extra else 1,
        "covariance_type": arguments["covariance_type"],
        "feature_names": None if names is None else list(names),
        "info": dict(info or {}),
    }
    if extra:
        document["noise"] = "box" if "noise_box" in extra else "density"
    return {name: arguments[name] for name in TENSORS} | extra, document


def read(path: str | os.PathLike[str], build: Callable[..., M]) -> tuple[M, dict[str, Any]]:
    """The mixture that `build` makes of what the file describes, and the info saved with it.

    Raises
    ------
    ModelFileError
        If the file is damaged, no model, of a later version, or describes what `build` refuses.
    OSError
        If it cannot be opened.
    """
    content = _container.read(path)
    model = restore(path, content.tensors, content.document, build)
    refuse_changed(path, content)
    return model, content.document["info"]


def find_kind(path: str | os.PathLike[str]) -> str:
    """What a model file holds: "detector", "classifier", "checkpoint", or "" for a mixture.

    Raises ModelFileError where it is no model file.
    """
    return str(_container.read(path).document.get("kind", ""))


def restore(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Float64Array],
    document: Mapping[str, Any],
    build: Callable[..., M],
) -> M:
    """The mixture that `build` makes of tensors and a document, as :func:`describe` gives them.

    Raises ModelFileError, which names the file, where they describe none.
    """
    arguments = _arguments(path, tensors, document)
    try:
        with np.errstate(all="ignore"):  # where hostile numbers overflow, the checks say what is wrong
            return build(**arguments, noise=Noise.of_tensors(tensors))
    except ValueError as error:
        raise ModelFileError(f"{path}: the model is not a valid mixture: {error}") from None


def read_kind(
    path: str | os.PathLike[str],
    kind: str,
    version: int,
    restore_state: Callable[[Mapping[str, Any], Mapping[str, Float64Array]], S],
) -> S:
    """What `restore_state` makes of the document and the tensors of a file of one of :data:`KINDS`.

    Raises ModelFileError, which names the file, where it is of another kind or version, or they make no
    sense.
    """
    content = _container.read(path)
    document = content.document
    refuse_other_kinds(path, document, f"a {kind}")
    if document.get("kind") != kind:
        raise ModelFileError(f"{path}: not a {kind}; a mixture is for Mixture.load")
    if document.get("schema") != version:
        raise ModelFileError(
            f"{path}: schema {reprlib.repr(document.get('schema'))} of {kind}s is unknown to this version of "
            f"gaussmix, which reads schema {version}; install a newer one if the file is sound"
        )
    try:
        state = restore_state(document, content.tensors)
    except KeyError as error:
        raise ModelFileError(f"{path}: not a {kind}: it lacks the tensor {error.args[0]!r}") from None
    except ValueError as error:
        raise ModelFileError(f"{path}: not a valid {kind}: {error}") from None
    refuse_changed(path, content)
    return state


def refuse_changed(path: str | os.PathLike[str], content: _container.Content) -> None:
    """Raise ModelFileError where the checksum of a file does not agree with its content."""
    if not content.intact:
        raise ModelFileError(
            f"{path}: damaged: the content has changed since it was written "
            f"(its checksum, {_container.CHECKSUM!r} in the header, is another)"
        )


def check_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a pickled mixture, checked as far as that costs next to nothing.

    The factors are not computed anew, so that a copy gives the same bits. A pickle can be trusted or must not
    be opened; but other formats, skops for one, restore objects from files that may have been tampered with.
    """
    structure = get_structure(state["covariance_type"]).of_shape(np.shape(state["covariances"]))
    k, d = check_shape(np.shape(state["means"]))
    names = check_names(state["feature_names"], d)
    covariances, roots = (
        _check.read_parameter(state[name], structure.shape(k, d), name, f"the shape for {structure.name!r}")
        for name in ("covariances", "precisions_cholesky")
    )
    roots = structure.stack(roots, d)
    if not (structure.algebra.diagonal(roots) > 0.0).all():
        raise ValueError("precisions_cholesky must have a positive diagonal")
    weights = _check.read_parameter(state["weights"], (k,), "weights", "(n_components,)")
    noise = Noise.of_tensors(state)
    rest = 1.0
    if noise is not None:
        noise.check_features(d)
        rest -= noise.weight
    if weights.min() < 0.0 or abs(float(weights.sum()) - rest) > SUM_TOLERANCE:
        raise ValueError(f"weights must not be negative and sum to 1; got {reprlib.repr(weights.tolist())}")
    return {
        "structure": structure,
        "weights": weights,
        "means": _check.read_parameter(state["means"], (k, d), "means", "(n_components, n_features)"),
        "covariance_stack": structure.stack(covariances, d),
        "roots": roots,
        "feature_names": names,
        "noise": noise,
    }


def check_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """The numbers of components and features, from the shape of means; ValueError if there are none."""
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"means must have the shape (n_components, n_features), neither zero; got {shape}")
    return shape[0], shape[1]


def check_names(names: Sequence[str] | None, d: int) -> tuple[str, ...] | None:
    """The names of d features; ValueError if there are more or fewer."""
    if names is not None and len(names) != d:
        raise ValueError(f"feature_names must be {d} names, one a column of means; got {len(names)}")
    return None if names is None else tuple(str(name) for name in names)


def refuse_other_kinds(path: str | os.PathLike[str], document: Mapping[str, Any], expected: str) -> None:
    """Raise ModelFileError where a file holds something else that has a name, and say what it is for."""
    thing, use = KINDS.get(str(document.get("kind")), (expected, ""))
    if thing != expected:
        raise ModelFileError(f"{path}: {thing}, not {expected}; {use}")


def _arguments(
    path: str | os.PathLike[str], tensors: Mapping[str, Float64Array], document: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of the mixture that a file describes; `path` is for the message."""
    refuse_other_kinds(path, document, "a model")
    version = document.get("schema")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ModelFileError(
            f"{path}: schema {reprlib.repr(version)} of model files is unknown to this version of gaussmix, "
            f"which reads schemas up to {VERSION}; install a newer one if the file is sound"
        )
    wrong = _wrong_fields(document, (*FIELDS, "noise") if version > 1 else FIELDS)
    if wrong:
        raise ModelFileError(f"{path}: not a model of schema {version}: {wrong}")
    expected = (*TENSORS, *(NOISE_TENSORS[document["noise"]] if version > 1 else ()))
    if tensors.keys() != set(expected):
        raise ModelFileError(
            f"{path}: not a model of schema {version}: expected the tensors {', '.join(expected)}; "
            f"got {reprlib.repr(sorted(tensors))}"
        )
    described = {name: document[name] for name in ("covariance_type", "feature_names")}
    return {**{name: tensors[name] for name in TENSORS}, **described}


def _wrong_fields(document: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """What is wrong with the fields of a document, "" if nothing is."""
    if document.keys() != set(fields):
        return f"expected the fields {', '.join(fields)}; got {reprlib.repr(sorted(document))}"
    noise = document.get("noise", "density")
    if not isinstance(noise, str) or noise not in NOISE_TENSORS:
        return f"noise must be one of {', '.join(NOISE_TENSORS)}; got {reprlib.repr(noise)}"
    kind, names, info = (document[name] for name in FIELDS[1:])
    if not isinstance(kind, str) or kind not in {**STRUCTURES, **FACTORS}:
        known = ", ".join([*STRUCTURES, *FACTORS])
        return f"covariance_type must be one of {known}; got {reprlib.repr(kind)}"
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        return f"feature_names must be a list of text or null; got {reprlib.repr(names)}"
    if not isinstance(info, dict):
        return f"info must be an object; got {reprlib.repr(info)}"
    return ""
