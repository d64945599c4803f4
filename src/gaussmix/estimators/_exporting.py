"""A fitted estimator as a file of ONNX."""

from __future__ import annotations

import os
from typing import Any

from gaussmix.model.mixture import Mixture


class Exporting:
    """The method of a fitted estimator that gives it to programs without Python."""

    def to_onnx(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        dtype: str = "float32",
        arithmetic: str = "float64",
        opset: int = 13,
    ) -> Any:
        """The fitted mixture as an ONNX model, as :meth:`gaussmix.Mixture.to_onnx`; needs the package onnx.

        Its input is ``X`` of shape (n_samples, n_features), its outputs are ``label`` (:meth:`predict`),
        ``probabilities`` (:meth:`predict_proba`) and ``log_prob`` (:meth:`score_samples`). For a pipeline
        see :func:`gaussmix.onnx.register_converter`.

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

        Raises
        ------
        ImportError
            If the package onnx is not installed.
        ValueError
            If an argument is none of these, the installed onnx does not know the opset, `weights_` were
            assigned that do not sum to one, or a step of the estimator is overridden.
        OSError
            If the file cannot be written.

        References
        ----------
        docs/onnx.md

        Examples
        --------
        >>> import numpy as np, onnxruntime
        >>> from gaussmix import GaussianMixture
        >>> X = np.float32([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
        >>> model = GaussianMixture(2, random_state=0).fit(X)
        >>> session = onnxruntime.InferenceSession(model.to_onnx().SerializeToString())
        >>> labels, probabilities, log_prob = session.run(None, {"X": X})
        >>> bool((labels == model.predict(X)).all())
        True
        """
        mixture = get_exportable_mixture(self)
        return mixture.to_onnx(path, dtype=dtype, arithmetic=arithmetic, opset=opset)


def get_exportable_mixture(model: Any) -> Mixture:
    """The mixture of an estimator, if it alone decides what the estimator predicts; ValueError otherwise."""
    evaluator = model._choose_evaluator()
    if isinstance(evaluator, Mixture):
        return evaluator
    raise ValueError(
        "a graph of ONNX has no steps that are overridden, and no weights_ that do not sum to one (here "
        f"{model._weight_sum:.8g}); mixture_.to_onnx() gives the mixture without them"
    )
