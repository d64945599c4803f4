"""Mixtures as files of ONNX."""

from __future__ import annotations

import os
from typing import Any

from gaussmix.model.mixture.evaluated import Evaluated


class Exported(Evaluated):
    """The method of :class:`gaussmix.Mixture` that gives it to programs without Python."""

    def to_onnx(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        dtype: str = "float32",
        arithmetic: str = "float64",
        opset: int = 13,
    ) -> Any:
        """The mixture as an ONNX model, which other programs evaluate without Python; needs the package onnx.

        Its input is ``X`` of shape (n, d), its outputs are ``label`` (:meth:`predict`, int64, shape (n,)),
        ``probabilities`` (:meth:`responsibilities`, shape (n, k), or (n, k + 1) with noise) and ``log_prob``
        (:meth:`log_prob`, shape (n,)). All operators are ONNX's own.

        Parameters
        ----------
        path : path, optional
            A file to write the model to, atomically; ".onnx" is the usual ending.
        dtype : {"float32", "float64"}, default="float32"
            Of the rows, the probabilities and the log-densities.
        arithmetic : {"float64", "float32"}, default="float64"
            What is computed in. float32 takes half the time and memory, and is what accelerators without
            float64 need. It costs some 1e-7 of each log-density, and so of probabilities some 1e-7 times the
            log-densities' size (docs/onnx.md).
        opset : int, default=13
            Version of ONNX's operators: 13, which any runtime since 2020 knows, or newer.

        Returns
        -------
        onnx.ModelProto
            Its metadata are ``n_components``, ``covariance_type``, ``noise`` and, where the mixture has them,
            ``feature_names`` as JSON.

        Raises
        ------
        ImportError
            If the package onnx is not installed.
        ValueError
            If an argument is none of these, or the installed onnx does not know the opset.
        OSError
            If the file cannot be written.

        See Also
        --------
        gaussmix.onnx.register_converter : for pipelines of scikit-learn

        References
        ----------
        docs/onnx.md

        Examples
        --------
        >>> import gaussmix, numpy, onnxruntime
        >>> mixture = gaussmix.Mixture([0.3, 0.7], [[-2.0], [1.0]], [0.5, 1.0], "spherical")
        >>> session = onnxruntime.InferenceSession(mixture.to_onnx().SerializeToString())
        >>> labels, probabilities, log_prob = session.run(None, {"X": numpy.float32([[0.0], [-3.0]])})
        >>> labels.tolist()
        [1, 0]
        >>> bool(abs(log_prob - mixture.log_prob([[0.0], [-3.0]])).max() < 1e-5)
        True
        """
        from gaussmix.model.mixture.onnx_graph import GraphOptions, make_onnx_model  # few need it

        return make_onnx_model(self, path, GraphOptions.read(dtype, arithmetic, opset))
