"""Twenty-five fits of every kind, and their numbers: what a change of the code's shape must not change.

    python -m tests.project.kept_fits            prints a digest for each fit, as JSON
    python -m tests.project.kept_fits FOLDER     compares with those of the source in another folder, fit by fit
    python -m tests.project.kept_fits --keep     writes kept_fits.json, which test_kept_fits.py compares with

Digests depend on the processor and the versions of NumPy, so that both sides have to be run on one machine. The file
says on which it was made; elsewhere likelihoods are compared.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

import gaussmix
from gaussmix.datasets import load_faithful

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_suffix(".json")

#: Packages whose code decides bits.
PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "llvmlite")


@dataclass(frozen=True)
class Outcome:
    """The numbers of one or several mixtures: all of them, and those that hold on any machine.

    `arrays` are of where fits end, `ways` of the iterations that led there.
    """

    arrays: Sequence[Any]
    mean_log_likelihoods: Sequence[float]
    n_components: Sequence[int]
    ways: Sequence[Any] = ()

    @property
    def digest(self) -> str:
        """The digests of the bits of the ends and, after a colon, of the ways."""
        return f"{digest_of(self.arrays)}:{digest_of(self.ways)}"

    def to_json(self) -> dict[str, Any]:
        """What the file keeps."""
        return {
            "digest": self.digest,
            "mean_log_likelihoods": [float(value) for value in self.mean_log_likelihoods],
            "n_components": list(self.n_components),
        }


def digest_of(arrays: Sequence[Any]) -> str:
    """The digest of the bits of some arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode() + array.tobytes())
    return digest.hexdigest()[:16]


def outcome_of(*results: Any) -> Outcome:
    """The numbers of the results of fits."""
    return Outcome(
        [array for result in results for array in arrays_of(result)],
        [result.mean_log_likelihood for result in results],
        [result.mixture.n_components for result in results],
        [np.array(values) for result in results for values in (result.history, result.log_priors)],
    )


def arrays_of(result: Any) -> list[Any]:
    """All numbers of a result."""
    mixture = result.mixture
    arrays = [mixture.weights, mixture.means, mixture.covariances, mixture.precisions_cholesky]
    if mixture.noise is not None:
        arrays.append(np.array([mixture.noise.weight, mixture.noise.log_density]))
    ends = result.history[-1:], result.log_priors[-1:], result.collapsed
    return [*arrays, *(np.array(values) for values in ends)]


def clusters(n: int = 600, d: int = 3, k: int = 4, seed: int = 0, dtype: Any = np.float64) -> Any:
    """Rows of k clusters that overlap a little."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0.0, 4.0, (k, d))
    roots = rng.normal(0.0, 0.6, (k, d, d)) + np.eye(d)
    labels = rng.integers(k, size=n)
    return (centres[labels] + np.einsum("nij,nj->ni", roots[labels], rng.normal(size=(n, d)))).astype(dtype)


def with_outliers(n: int = 500) -> Any:
    """Clusters, and one row in ten far from all."""
    X = clusters(n, 2, 3, seed=5)
    rng = np.random.default_rng(6)
    X[::10] = rng.uniform(-40.0, 40.0, (len(X[::10]), 2))
    return X


def weights(n: int) -> Any:
    """Weights that are no counts."""
    return np.random.default_rng(7).uniform(0.2, 3.0, n)


def fit(X: Any, k: int, **options: Any) -> Outcome:
    """A fit whose seed is zero."""
    return outcome_of(gaussmix.fit_mixture(X, k, random_state=0, **options))


def resumed() -> Outcome:
    """A fit that was cut off after four iterations, and went on from its checkpoint."""
    X, options = clusters(), {"tol": 1e-6, "max_iter": 200, "init_params": "k-means++"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        stop = lambda progress: progress.iteration >= 4  # noqa: E731
        named = inspect.signature(gaussmix.fit_mixture).parameters
        watch = {
            "on_progress" if "on_progress" in named else "on_iteration": stop
        }  # as older versions have it
        fit(X, 4, checkpoint=path, **watch, **options)
        return fit(X, 4, resume=path, **options)


def estimator() -> Outcome:
    """The estimator, its labels and scores."""
    X = clusters(seed=3)
    model = gaussmix.GaussianMixture(
        3, covariance_type="tied", n_init=2, random_state=0, init_params="kmeans"
    )
    labels = model.fit_predict(X)
    fitted, scores = outcome_of(model.fit_result_), model.score_samples(X)
    return Outcome(
        [*fitted.arrays, labels, scores, model.predict_proba(X)],
        [*fitted.mean_log_likelihoods, scores.mean()],
        fitted.n_components,
        fitted.ways,
    )


def models(**options: Any) -> Outcome:
    """Every fit of many models."""
    X = load_faithful()[0]
    found = gaussmix.fit_mixtures(X, range(1, 4), random_state=0, **options)
    return outcome_of(*found.fits.values())


FITS: dict[str, Callable[[], Outcome]] = {
    "faithful by default": lambda: fit(load_faithful()[0], 3),
    "full, race, weights": lambda: fit(clusters(), 4, sample_weight=weights(600), max_iter=150, tol=1e-5),
    "full, many rows": lambda: fit(clusters(24_000, 3, 5), 5),
    "tied": lambda: fit(clusters(), 4, covariance_type="tied"),
    "diag, float32": lambda: fit(clusters(dtype=np.float32), 4, covariance_type="diag"),
    "spherical, ridge": lambda: fit(clusters(), 4, covariance_type="spherical", reg_covar=1e-3),
    "EII": lambda: fit(clusters(), 4, covariance_type="EII", init_params="agglomerative"),
    "EEI, many rows": lambda: fit(clusters(20_000, 2, 3), 3, covariance_type="EEI", init_params="pca"),
    "VEV": lambda: fit(clusters(), 3, covariance_type="VEV", init_params="kmeans"),
    "EVE": lambda: fit(clusters(), 3, covariance_type="EVE", init_params="kmeans"),
    "factor": lambda: fit(clusters(500, 8, 2), 2, covariance_type="factor", n_factors=2, max_iter=30),
    "CCU, many starts": lambda: fit(
        clusters(400, 6, 2), 2, covariance_type="CCU", n_init=3, init_params="random"
    ),
    "noise": lambda: fit(with_outliers(), 3, noise=True, max_iter=200),
    "trimming, weights": lambda: fit(with_outliers(), 3, trim=0.1, sample_weight=weights(500)),
    "prior": lambda: fit(clusters(), 3, prior="mclust", init_params="kmeans"),
    "constraints": lambda: fit(
        clusters(),
        3,
        init_params="k-means++",
        constraints=gaussmix.Constraints(eigenvalue_ratio=4.0, min_weight=0.1),
    ),
    "annealing": lambda: fit(clusters(), 4, init_params="annealing", stopping="aitken"),
    "labels": lambda: fit(clusters(), 4, start=np.arange(600) % 4, acceleration="quasi-newton", tol=1e-8),
    "wide, constant column": lambda: fit(
        np.hstack([clusters(300, 30, 2), np.ones((300, 1))]), 2, max_iter=20
    ),
    "collapses": lambda: fit(
        np.repeat(clusters(40, 2, 3), [12] + [1] * 39, axis=0), 6, init_params="random_from_data"
    ),
    "resumed": resumed,
    "message length": lambda: outcome_of(gaussmix.fit_message_length(clusters(), 8, random_state=0)),
    "estimator": estimator,
    "many models": models,
    "many models, noise of shared families": lambda: models(
        covariance_type=["EEE", "EEI", "EII"], n_init=2, init_params="kmeans"
    ),
}


def make(name: str) -> Outcome:
    """One of the fits, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FITS[name]()


def digests() -> dict[str, str]:
    """Digests of all fits by name."""
    return {name: make(name).digest for name in FITS}


def digests_of(source: Path) -> dict[str, str]:
    """The same by the package in another folder, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.project.kept_fits"]
    done = subprocess.run(command, env=environment, cwd=source, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def describe_machine() -> dict[str, Any]:
    """All that decides the bits of a fit: processor, libraries, settings. The number of threads does not."""
    import scipy.linalg  # noqa: F401  which loads a BLAS of its own
    from numpy._core._multiarray_umath import __cpu_features__ as features

    compiled = find_spec("numba") is not None
    return {
        "platform": [platform.machine(), *platform.libc_ver()],
        "packages": {name: version_of(name) for name in PACKAGES},
        "features of NumPy": sorted(name for name, usable in features.items() if usable),
        "kernels": sorted(
            f"{library['internal_api']} {library['version']} {library.get('architecture')}"
            for library in threadpoolctl.threadpool_info()
            if library["user_api"] == "blas"
        ),
        "processor of numba": name_of_processor() if compiled else None,
        "settings": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(("GAUSSMIX_", "NUMBA_CPU")) and name != "GAUSSMIX_NUM_THREADS"
        },
    }


def version_of(package: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def name_of_processor() -> str:
    """The processor that LLVM compiles for."""
    from llvmlite import binding

    return str(binding.get_host_cpu_name())


def keep() -> None:
    """Write the file that later fits are compared with."""
    fits = {name: make(name).to_json() for name in FITS}
    KEPT.write_text(json.dumps({"machine": describe_machine(), "fits": fits}, indent=1) + "\n", "utf-8")


def compare(source: Path) -> tuple[list[str], list[str]]:
    """The fits that end elsewhere than those of the package in another folder, and those by another way."""
    before, now = digests_of(source), digests()
    found = []
    for part in range(2):
        found.append([name for name in now if now[name].split(":")[part] != before[name].split(":")[part]])
    return found[0], found[1]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(json.dumps(digests(), indent=1))
    elif sys.argv[1] == "--keep":
        keep()
    else:
        others = compare(Path(sys.argv[1]).resolve())
        for other, what in zip(others, ("end with", "have histories of"), strict=True):
            print(f"{len(FITS) - len(other)} of {len(FITS)} fits {what} the same bits")
            print("".join(f"  not: {name}\n" for name in other), end="")
        sys.exit(bool(others[0]))
