"""The number of threads of timed programs: a library reads it when it is first imported."""

from __future__ import annotations

import os
import subprocess
import sys

#: Variables that set the number of threads of a program.
THREADS = ("GAUSSMIX_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: The variable that marks a process which has its number of threads already.
BEGUN = "GAUSSMIX_BENCHMARK_BEGUN"


def run_with_threads(module: str, n: int | None) -> int | None:
    """Run the command again in a process of `n` threads, and return its exit status.

    None means that the caller goes on itself: this process has its threads already, or `n` is None.
    """
    if n is None or os.environ.get(BEGUN):
        return None
    env = os.environ | dict.fromkeys(THREADS, str(n)) | {BEGUN: "1"}
    return subprocess.run([sys.executable, "-m", module, *sys.argv[1:]], env=env, check=False).returncode
