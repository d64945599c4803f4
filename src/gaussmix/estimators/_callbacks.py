"""scikit-learn's callbacks, where its version has them (1.9): `model.set_callbacks(ProgressBar())`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator, DensityMixin


class NoCallbacks:
    """In place of scikit-learn's class before 1.9, which has no callbacks."""


def keep_method(method: Any) -> Any:
    """The method as it is, in place of scikit-learn's decorator before 1.9."""
    return method


try:
    callback: Any = import_module("sklearn.callback")
except ImportError:
    callback = None
#: The base class of estimators that have callbacks, and the decorator of their fit.
CallbackSupport: Any = NoCallbacks if callback is None else callback.CallbackSupportMixin
with_callbacks: Any = keep_method if callback is None else callback.with_callbacks


class ScikitLearn(CallbackSupport, DensityMixin, BaseEstimator):  # type: ignore[misc]
    """What an estimator has of scikit-learn: parameters, tags, cloning, callbacks."""


class Tasks:
    """The tasks of a fit as its callbacks see them: models of a search, or iterations.

    Without callbacks nothing is done.
    """

    def __init__(self, estimator: Any, X: Any, n_tasks: int | None, name: str) -> None:
        has_any = hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")
        self._estimator, self._X, self._name = estimator, X, name
        self._context = self._running = None
        self._done = 0
        if has_any and hasattr(estimator, "_init_callback_context"):
            self._context = estimator._init_callback_context(max_subtasks=n_tasks)
            self._context.call_on_fit_task_begin(estimator=estimator, X=X)

    def __bool__(self) -> bool:
        return self._context is not None

    def end(self) -> None:
        """Tell the callbacks that the fit has ended."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator, X=self._X)

    def advance(self, done: int) -> bool:
        """Tell the callbacks that so many tasks are done; whether one of them asks for the end of the fit."""
        stop = False
        while self._context is not None and self._done < done and not stop:
            task = self._context.subcontext(task_name=self._name)
            task.call_on_fit_task_begin(estimator=self._estimator, X=self._X)
            stop = bool(task.call_on_fit_task_end(estimator=self._estimator, X=self._X))
            self._done += 1
        return stop

    def watch(self, also: Callable[[Any], bool] | None) -> Callable[[Any], bool] | None:
        """A function that tells the callbacks of an iteration, and another one; None without any."""
        if not self:
            return also

        def show(progress: Any) -> bool:
            stop = self.advance(self._done + 1)
            return bool(also is not None and also(progress)) or stop

        return show
