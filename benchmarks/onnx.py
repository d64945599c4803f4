"""``python -m benchmarks.onnx``: mixtures as ONNX models, in onnxruntime on one thread.

Beside scikit-learn's mixture as sklearn-onnx converts it, with the same parameters: milliseconds for 20,000
rows in float32, and the largest errors of log-densities and probabilities against double precision. Rows
have an offset of 0 or of 10,000 standard deviations.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import onnxruntime
import skl2onnx
from sklearn.mixture import GaussianMixture

import gaussmix

#: Features, components, covariance.
CASES = ((4, 3, "full"), (16, 16, "full"), (16, 16, "diag"), (64, 16, "full"))
OFFSETS = (0.0, 1e4)
ROWS = 20_000
#: Rows of which the mixture is fitted, which are repeated.
FITTED = 2_000
REPEATS = 7


def make_case(d: int, k: int, covariance_type: str, offset: float) -> tuple[GaussianMixture, Any]:
    """A fitted mixture of scikit-learn's, and rows."""
    rng = np.random.default_rng(0)
    Y = 2.0 * rng.normal(size=(k, 1, d)) + rng.normal(size=(k, FITTED // k, d))
    Y = Y.reshape(-1, d) + offset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GaussianMixture(k, covariance_type=covariance_type, random_state=0, max_iter=3).fit(Y)
    return model, np.resize(Y, (ROWS, d)).astype(np.float32)


def measure(graph: Any, X: Any, mixture: gaussmix.Mixture) -> list[str]:
    """Milliseconds, and the errors of log-densities and probabilities."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        _, probabilities, log_prob = session.run(None, {"X": X})
        seconds.append(time.perf_counter() - begin)
    exact = X.astype(np.float64)
    errors = (
        np.abs(log_prob.ravel() - mixture.log_prob(exact)).max(),
        np.abs(probabilities - mixture.responsibilities(exact)).max(),
    )
    return [f"{1e3 * float(np.median(seconds)):.1f}", *(f"{error:.0e}" for error in errors)]


def main() -> None:
    """Print the table."""
    print("| d | k | covariance | offset | graph | ms | log-density | probability |")
    print("|--:|--:|---|--:|---|--:|--:|--:|")
    for case in CASES:
        for offset in OFFSETS:
            theirs, X = make_case(*case, offset)
            mixture = gaussmix.GaussianMixture.from_sklearn(theirs).mixture_
            graphs = {
                "sklearn-onnx": skl2onnx.to_onnx(theirs, X[:1], options={"score_samples": True}),
                "ours": mixture.to_onnx(),
                "ours, float32": mixture.to_onnx(arithmetic="float32"),
            }
            for name, graph in graphs.items():
                cells = *map(str, case), f"{offset:g}", name, *measure(graph, X, mixture)
                print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
