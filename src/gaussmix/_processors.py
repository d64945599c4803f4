"""How many processors this process may use: affinity, control groups, and variables of the environment."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path


def count_processors() -> int:
    """The least of the process's affinity, its control groups' quota and OMP_NUM_THREADS; at least 1.

    joblib's workers (loky) and many schedulers of jobs set OMP_NUM_THREADS. A daemonic process of
    multiprocessing, such as a worker of its Pool, is one of several side by side and gets 1, as in joblib.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # a worker has imported it
    if multiprocessing is not None and multiprocessing.current_process().daemon:
        return 1
    limits = _find_affinity(), _find_quota(), _read_omp_num_threads()
    return max(1, min(limit for limit in limits if limit is not None))


def _find_affinity() -> int:
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on; it reads PYTHON_CPU_COUNT
        return os.process_cpu_count() or 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this platform
        return os.cpu_count() or 1


def _read_omp_num_threads() -> int | None:
    """The first number of OMP_NUM_THREADS, which may be a list such as "4,2"; None if there is none."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


@cache
def _find_quota() -> int | None:
    """The quota of processor time rounded up to whole processors, read once; None if there is none."""
    quota = find_cgroup_quota(Path("/"))
    return None if quota is None else math.ceil(quota)


def find_cgroup_quota(root: Path) -> float | None:
    """The processors, perhaps a fraction, that the control groups of this process grant (version 1 or 2).

    Every group above a group limits it, too. `root` is the folder of "proc" and "sys".
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, ValueError):
        return None
    mount, quotas = root / "sys/fs/cgroup", []
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:  # version 2, with a file such as "max 100000" or "150000 100000"
            quotas += [_read_quota(folder / "cpu.max") for folder in _list_folders(mount, path)]
        elif "cpu" in controllers.split(","):  # version 1, with a quota of -1 where there is none
            for folder in itertools.chain(
                *(_list_folders(mount / name, path) for name in {"cpu", controllers})
            ):
                quotas.append(_read_quota(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"))
    return min((quota for quota in quotas if quota is not None), default=None)


def _list_folders(mount: Path, path: str) -> Iterator[Path]:
    """The folders of a group and of those above it. In a container with the host's path some do not exist."""
    parts = [part for part in path.split("/") if part]
    if ".." in parts:  # a group outside the container's own hierarchy
        parts = []
    for n in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:n])


def _read_quota(*paths: Path) -> float | None:
    """The ratio of the two numbers in these files; None where there are none, or they set no limit."""
    try:
        words = [word for path in paths for word in path.read_text().split()]
    except (OSError, ValueError):
        return None
    if len(words) != 2 or not all(word.isdecimal() and int(word) > 0 for word in words):
        return None
    return int(words[0]) / int(words[1])
