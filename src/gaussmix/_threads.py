"""One persistent pool of threads for the process, and BLAS held to one thread while it works."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from gaussmix import _processors

T = TypeVar("T")

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_controller: Any = None
#: How many blocks hold BLAS to one thread now.
_holders = 0
#: What restores the threads of BLAS.
_limiter: Any = None
#: The threads of BLAS before it was held.
_held_from: int | None = None
#: Whether this process was forked while BLAS was held: the one thread of its BLAS is then no limit.
_left_held = False
#: Calls of `run_tasks` that are under way: from several threads, or one within another.
_callers = 0

#: Threads for which wheels of OpenBLAS are built: as many, or more, are a default and no limit.
BUILT_FOR = 64


def count_threads() -> int:
    """The threads that a pass may use.

    GAUSSMIX_NUM_THREADS if it is set. Otherwise the processors that this process may use (affinity, quota of
    its control groups, OMP_NUM_THREADS), but no more than the threads of BLAS, which threadpoolctl or a
    variable such as OPENBLAS_NUM_THREADS may limit.
    """
    setting = read_thread_setting()
    if setting is not None:
        return setting
    available = _processors.count_processors()
    if available == 1:
        return 1
    with _lock:  # of BLAS while gaussmix does not hold it; None where it has no limit
        of_blas = _held_from if _holders or _left_held else _count_blas_threads()
    return min(available, of_blas or available)


def read_thread_setting() -> int | None:
    """GAUSSMIX_NUM_THREADS as a number; None if it is not set. Raises ValueError for anything else."""
    setting = os.environ.get("GAUSSMIX_NUM_THREADS", "")
    if not setting:
        return None
    if not setting.isdecimal() or int(setting) < 1:
        raise ValueError(f"GAUSSMIX_NUM_THREADS must be a positive whole number, not {setting!r}")
    return int(setting)


def _count_blas_threads() -> int | None:
    """The fewest threads of any BLAS as it is now; None if none has a limit. The caller holds the lock."""
    libraries = [library for library in _get_controller().lib_controllers if library.user_api == "blas"]
    numbers = [library.num_threads for library in libraries]
    return min((number for number in numbers if number and number < BUILT_FOR), default=None)


def _get_controller() -> Any:
    """The list of libraries, made once, since that takes milliseconds. The caller holds the lock."""
    global _controller
    if _controller is None:
        from threadpoolctl import ThreadpoolController

        _controller = ThreadpoolController()
    return _controller


def run_tasks(task: Callable[[int], T], n_tasks: int, *, hold_blas: bool = True) -> list[T]:
    """[task(0), ..., task(n_tasks - 1)], computed side by side; results are in the order of the tasks.

    The calling thread works too. With `hold_blas` each task's own calls of BLAS use one thread. Calls from
    several threads (joblib's threading backend, a pool of the caller's) share the pool's threads.
    The first error of a task is raised once all threads have stopped.
    """
    if n_tasks <= 1:
        return [task(i) for i in range(n_tasks)]
    with _count_call() as callers:
        workers = min(max(1, count_threads() // callers), n_tasks)
        if workers == 1:
            return [task(i) for i in range(n_tasks)]
        return _run_shared(task, n_tasks, workers, hold_blas)


@contextmanager
def _count_call() -> Iterator[int]:
    """Count a call of `run_tasks` while it lasts; gives the number of calls under way."""
    global _callers
    with _lock:
        _callers += 1
        callers = _callers
    try:
        yield callers
    finally:
        with _lock:
            _callers -= 1


def _run_shared(task: Callable[[int], T], n_tasks: int, workers: int, hold_blas: bool) -> list[T]:
    results: list[Any] = [None] * n_tasks
    stop = threading.Event()
    order, turn = iter(range(n_tasks)), threading.Lock()

    def work() -> None:
        while not stop.is_set():
            with turn:
                i = next(order, None)
            if i is None:
                return
            try:
                results[i] = task(i)
            except BaseException:
                stop.set()
                raise

    with hold_blas_to_one_thread() if hold_blas else nullcontext():
        _share_work(work, workers, stop)
    return results


def _share_work(work: Callable[[], None], workers: int, stop: threading.Event) -> None:
    futures: list[Future[None]]
    with _lock:  # another caller could replace the pool in between
        pool = _get_pool(workers - 1)
        futures = [pool.submit(work) for _ in range(workers - 1)]
    try:
        work()
    except BaseException:
        stop.set()  # after an interrupt in the calling thread the others end with their current task
        raise
    finally:
        # a helper that has not begun is cancelled, since nothing is left for it; the others are waited for
        begun = [future for future in futures if not future.cancel()]
        wait(begun)
    for future in begun:
        future.result()


def _get_pool(size: int) -> ThreadPoolExecutor:
    """The pool, of at least `size` threads. The caller holds the lock."""
    global _pool
    if _pool is None or _pool._max_workers < size:
        if _pool is not None:
            _pool.shutdown(wait=False)
        _pool = ThreadPoolExecutor(size, thread_name_prefix="gaussmix")
    return _pool


def _forget_pool() -> None:
    """Reset the state in a forked child, which has the pool's memory but none of its threads."""
    global _pool, _lock, _holders, _limiter, _callers, _left_held
    _left_held = _left_held or _holders > 0
    _pool, _lock, _holders, _limiter, _callers = None, threading.Lock(), 0, None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


@contextmanager
def hold_blas_to_one_thread() -> Iterator[None]:
    """Hold every BLAS of the process to one thread. The last of overlapping holders restores its threads."""
    global _holders, _limiter, _held_from
    with _lock:
        if _holders == 0:
            _held_from = _held_from if _left_held else _count_blas_threads()
            _limiter = _get_controller().limit(limits=1, user_api="blas")
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _limiter is not None:
                _limiter.restore_original_limits()
                _limiter = None
