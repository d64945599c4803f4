"""scikit-learn's callbacks, where its version has them (1.9): `model.set_callbacks(ProgressBar())`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, Self

from sklearn.base import BaseEstimator, DensityMixin

from gaussmix._progress import Progress


class CallbackSupport:
    """The methods of scikit-learn's `CallbackSupportMixin`, which is loaded when the first callback is set.

    Its import takes as long as that of all of gaussmix.
    """

    def set_callbacks(self, *callbacks: Any) -> Self:
        """Set callbacks, such as `sklearn.callback.ProgressBar()`; none takes those away that there were.

        Parameters
        ----------
        *callbacks : scikit-learn's callbacks
            They see a search model by model, and a fit iteration by iteration.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            If scikit-learn is older than 1.9.
        """
        _load().CallbackSupportMixin.set_callbacks(self, *callbacks)
        return self

    def _init_callback_context(self, *arguments: Any, **more: Any) -> Any:
        return _load().CallbackSupportMixin._init_callback_context(self, *arguments, **more)


class ScikitLearn(CallbackSupport, DensityMixin, BaseEstimator):  # type: ignore[misc]
    """What an estimator has of scikit-learn: parameters, tags, cloning, callbacks."""


def with_callbacks(method: Any) -> Any:
    """Decorate a method that fits, so that callbacks are put away at its end, however it ends."""

    @wraps(method)
    def fit(estimator: Any, *arguments: Any, **more: Any) -> Any:
        managed = _load().with_callbacks(method) if has_callbacks(estimator) else method
        return managed(estimator, *arguments, **more)

    return fit


def has_callbacks(estimator: Any) -> bool:
    """Whether callbacks were set, or come from an estimator around this one."""
    return hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")


def _load() -> Any:
    """The module of scikit-learn's callbacks; ImportError where its version has none."""
    try:
        return import_module("sklearn.callback")
    except ModuleNotFoundError as error:
        raise ImportError("callbacks need scikit-learn 1.9 or newer") from error


class Tasks:
    """The tasks of a fit as its callbacks see them: models of a search, or iterations.

    Without callbacks nothing is done.
    """

    def __init__(self, estimator: Any, X: Any, n_tasks: int | None, name: str) -> None:
        self._estimator, self._X, self._name = estimator, X, name
        self._context = self._running = None
        self._done = 0
        if has_callbacks(estimator):
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

    def watch(self, also: Callable[[Progress], bool] | None) -> Callable[[Progress], bool] | None:
        """A function that tells the callbacks of an iteration, and another one; None without any."""
        if not self:
            return also

        def show(progress: Progress) -> bool:
            stop = progress.iteration > 0 and self.advance(self._done + 1)
            return bool(also is not None and also(progress)) or stop

        return show
