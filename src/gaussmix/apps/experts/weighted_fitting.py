"""Fits of scikit-learn's estimators with weights of the rows, wherever in them these belong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from numpy.random import RandomState
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from gaussmix._typing import Float64Array, IntArray

WEIGHT = "sample_weight"

NO_WEIGHTS = (
    "expert={name} cannot be an expert: its fit takes no sample_weight, by which each expert is told its "
    "share of each row. Use an estimator whose fit does, such as linear models, trees, forests and gradient "
    "boosting; a Pipeline may end in one"
)


@dataclass(frozen=True)
class WeightedFit:
    """How to fit an estimator with weights.

    Parameters
    ----------
    template : estimator
        It is cloned, never fitted itself.
    keyword : str
        The argument of `fit` that weights are passed as.
    routed : bool
        Whether scikit-learn's metadata routing takes them on, as the caller has asked it to.
    """

    template: Any
    keyword: str
    routed: bool

    @classmethod
    def of(cls, template: Any) -> WeightedFit:
        """The way for an estimator, pipeline or search; ValueError where none takes weights."""
        if sklearn.get_config()["enable_metadata_routing"]:
            routing = get_routing_for_object(template)
            if WEIGHT in routing.consumes("fit", [WEIGHT]):
                return cls(template, WEIGHT, True)
        keyword = find_weight_keyword(template)
        if keyword is None:
            raise ValueError(NO_WEIGHTS.format(name=_name(template)))
        return cls(template, keyword, False)

    def fit(self, X: Any, y: Any, weights: Float64Array, seed: int) -> Any:
        """A clone that is fitted, with `seed` for what it draws if it has none of its own."""
        estimator = clone(self.template)
        draws = RandomState(seed)
        unset = {
            key: int(draws.randint(2**31 - 1))
            for key, value in sorted(estimator.get_params(deep=True).items())
            if value is None and key.rpartition("__")[2] == "random_state"
        }
        estimator.set_params(**unset)
        with sklearn.config_context(enable_metadata_routing=self.routed):
            return estimator.fit(X, y, **{self.keyword: weights})


def find_weight_keyword(estimator: Any) -> str | None:
    """The argument of `fit` that takes the weights (of a pipeline, of its last step); None if none does."""
    if has_fit_parameter(estimator, WEIGHT):
        return WEIGHT
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = None if last is None or isinstance(last, str) else find_weight_keyword(last)
        return None if inner is None else f"{name}__{inner}"
    if hasattr(estimator, "regressor") and not callable(estimator.regressor):  # of a transformed target
        return WEIGHT if estimator.regressor is None else find_weight_keyword(estimator.regressor)
    if hasattr(estimator, "estimator") and hasattr(estimator, "cv"):  # a search
        return find_weight_keyword(estimator.estimator)
    return None


def take_rows(X: Any, rows: IntArray) -> Any:
    """Some rows of an array or a data frame."""
    return _safe_indexing(X, rows)


def divide_rows(n: int, n_folds: int, rng: RandomState, labels: IntArray | None = None) -> IntArray:
    """The fold of each row, 0 .. n_folds - 1, of about equal size, and with equal shares of each label.

    There are as many folds as rows where these are fewer.
    """
    order = rng.permutation(n)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[order] = np.arange(n) % n_folds
    return folds


def cut_folds(folds: IntArray) -> list[tuple[IntArray, IntArray]]:
    """The training rows of each fold, and those that are held out."""
    return [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in np.unique(folds)]


def _name(estimator: Any) -> str:
    if isinstance(estimator, Pipeline):
        last = estimator.steps[-1][1]
        return f"Pipeline(... {last if isinstance(last, str) else type(last).__name__})"
    return type(estimator).__name__
