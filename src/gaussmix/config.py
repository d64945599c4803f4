"""The versions, executors and threads in use on this machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from gaussmix import _threads
from gaussmix._version import __version__
from gaussmix.model.kernels.compiled import is_numba_available

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "threadpoolctl",
    "numba",
    "narwhals",
    "safetensors",
    "matplotlib",
    "pyarrow",
)


def show_config() -> dict[str, str]:
    """The versions, executors and threads in use.

    Returns
    -------
    dict of str
        ``executor``: "compiled" for large problems where numba is installed, otherwise "blas". The
        environment variable GAUSSMIX_EXECUTOR overrides it. ``threads``: the threads that a fit may use, from
        GAUSSMIX_NUM_THREADS or from other limits (docs/environment.md). Further keys: versions and platform.

    Examples
    --------
    >>> import gaussmix
    >>> gaussmix.show_config()["gaussmix"] == gaussmix.__version__
    True
    """
    setting = os.environ.get("GAUSSMIX_EXECUTOR", "auto")
    automatic = (
        "compiled (large problems), blas (small ones)"
        if is_numba_available()
        else "blas (numba is not installed)"
    )
    report = {
        "gaussmix": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executor": automatic if setting == "auto" else f"{setting} (GAUSSMIX_EXECUTOR)",
        "threads": str(_threads.count_threads()),
    }
    for package in PACKAGES:
        try:
            report[package] = version(package)
        except PackageNotFoundError:
            report[package] = "not installed"
    return report
