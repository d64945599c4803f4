"""Threads of everything that is timed: a library reads how many it may have when it is first imported."""

from __future__ import annotations

import os
import subprocess
import sys

#: Variables that say how many threads programs have.
THREADS = ("GAUSSMIX_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: Set in the process that has its threads already.
BEGUN = "GAUSSMIX_BENCHMARK_BEGUN"


def run_with_threads(module: str, n: int | None) -> int | None:
    """Run the command again in a process of so many threads; returns its exit status.

    None says to go on here: in the process that has them, or where `n` is None.
    """
    if n is None or os.environ.get(BEGUN):
        return None
    env = os.environ | dict.fromkeys(THREADS, str(n)) | {BEGUN: "1"}
    return subprocess.run([sys.executable, "-m", module, *sys.argv[1:]], env=env, check=False).returncode
