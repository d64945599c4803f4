"""A fitted classifier as a file of ONNX."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from gaussmix.apps.classes.calibration import Calibration
from gaussmix.apps.classes.classed_mixture import ClassedMixture
from gaussmix.estimators._classes import put_reject_label
from gaussmix.foreign.onnx import Writer
from gaussmix.foreign.onnx_classes import ClassRule, write_classes
from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.mixture.onnx_graph import GraphOptions, make_joint_density, make_model_of


class ExportingClasses:
    """The method of a fitted classifier that gives it to programs without Python."""

    classes_: npt.NDArray[Any]
    calibration_: Calibration
    density_threshold_: float
    reject_posterior: float
    reject_label: Any
    _classed: ClassedMixture

    def to_onnx(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        dtype: str = "float32",
        arithmetic: str = "float64",
        opset: int = 13,
    ) -> Any:
        """The fitted classifier as an ONNX model; needs the package onnx.

        Its input is ``X`` of shape (n_samples, n_features), its outputs are ``label`` (:meth:`predict`, with
        `reject_label` for rows that are rejected), ``probabilities`` (:meth:`predict_proba`) and ``log_prob``
        (:meth:`score_samples`).

        Parameters
        ----------
        path : path, optional
            A file to write the model to, atomically; ".onnx" is the usual ending.
        dtype : {"float32", "float64"}, default="float32"
            Of the rows, the probabilities and the log-densities.
        arithmetic : {"float64", "float32"}, default="float64"
            What is computed in.
        opset : int, default=13
            Version of ONNX's operators, 13 or newer.

        Returns
        -------
        onnx.ModelProto
            Its metadata have the classes as JSON.

        Raises
        ------
        ImportError
            If the package onnx is not installed.
        ValueError
            If an argument is none of these, or labels are of several types, as text and None are.
        OSError
            If the file cannot be written.

        References
        ----------
        docs/onnx.md

        Examples
        --------
        >>> import numpy as np, onnxruntime
        >>> from gaussmix import GaussianMixtureClassifier
        >>> X = np.float32([[1, 2], [1, 4], [1, 0], [2, 3], [10, 2], [10, 4], [10, 0], [9, 1]])
        >>> y = ["near"] * 4 + ["far"] * 4
        >>> model = GaussianMixtureClassifier(1, covariance_type="spherical").fit(X, y)
        >>> session = onnxruntime.InferenceSession(model.to_onnx().SerializeToString())
        >>> session.run(["label"], {"X": np.float32([[0, 1], [11, 1]])})[0].tolist()
        ['near', 'far']
        """
        check_is_fitted(self)
        options = GraphOptions.read(dtype, arithmetic, opset)
        classed, calibration = self._classed, self.calibration_
        density, labels = make_joint_density(classed.mixture, options.dtype), self._list_labels()
        rule = ClassRule(
            take_logarithms(classed.shares.T),
            calibration.temperature,
            calibration.floor,
            labels,
            float(self.density_threshold_) if np.isfinite(self.density_threshold_) else None,
            float(self.reject_posterior) or None,
        )

        def write(writer: Writer) -> None:
            write_classes(writer, density, rule, "X", options.dtype, options.arithmetic)

        names = {"classes": json.dumps(self.classes_.tolist())}
        mixture, n_classes = classed.mixture, len(self.classes_)
        return make_model_of(mixture, path, options, write, labels.dtype, n_classes, names)

    def _list_labels(self) -> npt.NDArray[Any]:
        """The classes and, where rows can be rejected, their label, in a type that ONNX has."""
        labels = self.classes_
        if np.isfinite(self.density_threshold_) or self.reject_posterior:
            is_last = np.arange(len(labels) + 1) == len(labels)
            labels = put_reject_label(np.append(labels, labels[:1]), is_last, self.reject_label)
        kinds = {type(label) for label in labels.tolist()}
        if len(kinds) > 1 or kinds.isdisjoint({int, float, bool, str}):
            raise ValueError(
                "labels in an ONNX model are all numbers or all text; these are "
                f"{labels.tolist()}: give a reject_label of the type of the classes"
            )
        return labels.astype({int: np.int64, float: np.float64, bool: np.bool_, str: object}[kinds.pop()])
