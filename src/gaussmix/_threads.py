"""One persistent pool of threads for the process, and BLAS held to one thread while it works."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_controller: Any = None
_holders = 0
_limiter: Any = None


def n_threads() -> int:
    """Threads in use: GAUSSMIX_NUM_THREADS if set, else the processors that this process may run on."""
    setting = os.environ.get("GAUSSMIX_NUM_THREADS", "")
    if setting:
        if not setting.isdecimal() or int(setting) < 1:
            raise ValueError(f"GAUSSMIX_NUM_THREADS must be a positive whole number, not {setting!r}")
        return int(setting)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this platform
        return os.cpu_count() or 1


def run(task: Callable[[int], T], n_tasks: int, *, hold_blas: bool = True) -> list[T]:
    """[task(0), ..., task(n_tasks - 1)], side by side; results in the order of the tasks.

    The calling thread works too. With `hold_blas` each task's own calls of BLAS use one thread. The
    first error of a task is raised once all threads have stopped.
    """
    workers = 1 if n_tasks <= 1 else min(n_threads(), n_tasks)
    if workers == 1:
        return [task(i) for i in range(n_tasks)]
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

    if hold_blas:
        with blas_on_one_thread():
            _share(work, workers, stop)
    else:
        _share(work, workers, stop)
    return results


def _share(work: Callable[[], None], workers: int, stop: threading.Event) -> None:
    futures: list[Future[None]] = [_get_pool(workers - 1).submit(work) for _ in range(workers - 1)]
    try:
        work()
    except BaseException:
        stop.set()  # an interrupt in the calling thread ends the others after their current task
        raise
    finally:
        # a helper that has not begun has nothing left to do; one that has is waited for
        begun = [future for future in futures if not future.cancel()]
        wait(begun)
    for future in begun:
        future.result()


def _get_pool(size: int) -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None or _pool._max_workers < size:
            if _pool is not None:
                _pool.shutdown(wait=False)
            _pool = ThreadPoolExecutor(size, thread_name_prefix="gaussmix")
        return _pool


def _forget_pool() -> None:
    """A forked child has the pool's memory but none of its threads."""
    global _pool, _lock, _holders, _limiter
    _pool, _lock, _holders, _limiter = None, threading.Lock(), 0, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """Hold every BLAS of the process to one thread; the last of overlapping holders restores it."""
    global _controller, _holders, _limiter
    with _lock:
        if _controller is None:
            from threadpoolctl import ThreadpoolController

            _controller = ThreadpoolController()
        if _holders == 0:
            _limiter = _controller.limit(limits=1, user_api="blas")
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _limiter is not None:
                _limiter.restore_original_limits()
                _limiter = None
