"""How many threads there are: what the machine grants and what others have set, the least of all."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from gaussmix import _processors, _threads
from tests.helpers import run_python

#: What the tests themselves may be run under.
LIMITS_OF_OTHERS = (
    *("GAUSSMIX_NUM_THREADS", "PYTHON_CPU_COUNT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)
PROCESSORS = "from gaussmix import _processors; _processors._find_affinity = lambda: 6; _processors._find_quota = lambda: None\n"
ASK = PROCESSORS + "import numpy\nfrom gaussmix import _threads\n"


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    for variable in LIMITS_OF_OTHERS:
        monkeypatch.delenv(variable, raising=False)


def n_threads(code="", **variables):
    """What a fresh process that could use six processors answers; BLAS has been given as many."""
    code = f"{ASK}from threadpoolctl import threadpool_limits\nwith threadpool_limits(6):\n    "
    return int(run_python(f"{code}print(_threads.count_threads())", **variables))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 6),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": " 4,2"}, 4),
        ({"OMP_NUM_THREADS": "99"}, 6),
        ({"OMP_NUM_THREADS": "many"}, 6),
        ({"OMP_NUM_THREADS": "0"}, 6),
        ({"GAUSSMIX_NUM_THREADS": "9", "OMP_NUM_THREADS": "2"}, 9),
    ],
)
def test_variables(variables, expected):
    assert n_threads(**variables) == expected


def ask(code, **variables):
    return run_python(ASK + code, **variables).split()


LIMITS = """
from threadpoolctl import threadpool_limits
def show(*_): return _threads.count_threads()
with threadpool_limits(6):
    print(show())
    for api in (None, "blas"):
        with threadpool_limits(2, user_api=api):
            print(show(), *_threads.run_tasks(show, 3))  # within a task BLAS is held to one thread, which limits nobody
    with threadpool_limits(1):
        print(show(), *_threads.run_tasks(show, 3))
    print(show())
"""


def test_limits_that_threadpoolctl_holds_are_heeded():
    assert ask(LIMITS) == [*"6", *"2222", *"2222", *"1111", *"6"]


JOBLIB = """
import warnings
from joblib import Parallel, cpu_count, delayed, parallel_config
from gaussmix import _threads

def show():
    import numpy
    return _threads.count_threads()

def ask(**config):
    with parallel_config(**config), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks beside threads
        return Parallel(n_jobs=2)(delayed(show)() for _ in range(2))

half = max(1, cpu_count() // 2)
assert ask(backend="loky") == [half, half]
assert ask(backend="loky", inner_max_num_threads=1) == [1, 1]
assert ask(backend="multiprocessing") == [1, 1]  # daemonic processes
print("good")
"""


def test_workers_of_joblib_have_their_share():
    assert run_python(JOBLIB).strip() == "good"


def test_callers_side_by_side_share_the_threads(monkeypatch):
    """Two threads that fit at once, as joblib's threading backend has them, ask for half as many each."""
    monkeypatch.setenv("GAUSSMIX_NUM_THREADS", "4")
    asked = []
    get_pool = _threads._get_pool
    monkeypatch.setattr(_threads, "_get_pool", lambda size: asked.append(size) or get_pool(size))
    first_is_under_way, second_has_ended = Event(), Event()

    def wait(i):
        first_is_under_way.set()
        assert second_has_ended.wait(60)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_threads.run_tasks, wait, 4)
        assert first_is_under_way.wait(60)
        assert set(asked) == {3}
        asked.clear()
        assert _threads.run_tasks(lambda i: i, 4) == [0, 1, 2, 3]
        assert set(asked) == {1}
        second_has_ended.set()
        first.result()
    asked.clear()
    _threads.run_tasks(lambda i: i, 4)
    assert set(asked) == {3}


FORK = """
import os
from threadpoolctl import threadpool_limits
with threadpool_limits(6):
    with _threads.hold_blas_to_one_thread():
        child = os.fork()
        if child == 0:
            os._exit(_threads.count_threads())
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_child_that_was_forked_during_a_pass_has_threads():
    """Its BLAS is left at one thread by someone who is not there to restore it."""
    code = "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n" + FORK
    assert ask(code) == ["6"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        (  # a group is bound by those above it
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/cpu.max": "800000 100000\n",
                "sys/fs/cgroup/a/cpu.max": "400000 100000\n",
                "sys/fs/cgroup/cpu.max": "max 100000\n",
            },
            4.0,
        ),
        (  # the host's path, of which a container has the last folder as its root
            {"proc/self/cgroup": "0::/docker/0123\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"},
            0.5,
        ),
        ({"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3.0),
        (
            {
                "proc/self/cgroup": "3:memory:/x\n2:cpu,cpuacct:/x\n",
                "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
            },
            2.0,
        ),
        (
            {
                "proc/self/cgroup": "2:cpu,cpuacct:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"proc/self/cgroup": "nonsense\n\n0::", "sys/fs/cgroup/cpu.max": "what is this\n"}, None),
    ],
)
def test_the_quota_of_control_groups(tmp_path, files, expected):
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert _processors.find_cgroup_quota(tmp_path) == expected


def test_a_quota_counts_whole_processors(monkeypatch):
    monkeypatch.setattr(_processors, "_find_affinity", lambda: 8)
    for quota, expected in ((0.2, 1), (1.5, 2), (99.0, 8)):
        monkeypatch.setattr(_processors, "find_cgroup_quota", lambda root, quota=quota: quota)
        _processors._find_quota.cache_clear()
        assert _processors.count_processors() == expected
    _processors._find_quota.cache_clear()
