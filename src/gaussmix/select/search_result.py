"""The outcome of a search over models: the table, the model that was chosen, and what it beat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussmix._typing import Float64Array
from gaussmix.errors import FitError
from gaussmix.fit.ending import COLLAPSED
from gaussmix.fit.result import FitResult
from gaussmix.select.criteria import Criterion, find_criterion
from gaussmix.select.criterion_table import CriterionTable
from gaussmix.select.families import Key
from gaussmix.select.many_models import FittedMixtures
from gaussmix.select.verdict import Resampled, write_verdict


@dataclass(frozen=True, repr=False)
class SearchResult(FittedMixtures):
    """The outcome of :func:`gaussmix.search`.

    Beside what :class:`gaussmix.FittedMixtures` has, it knows which model was chosen, in the words of
    scikit-learn's GridSearchCV. Scores are greater for better models: minus the criterion, or the held-out
    log-likelihood.

    Parameters
    ----------
    fits : mapping of (str, int) to FitResult
        By covariance type and number of components, in the order in which they were asked for.
    failures : mapping of (str, int) to str
        What became of models of which every start collapsed.
    skipped : mapping of (str, int) to str
        Models that were not fitted, and why.
    criterion_name : str
        "bic", "aic", "icl" or "cv".
    seconds : mapping of (str, int) to float
        The time that each model took; those that were fitted together have a share each.
    held_out : mapping of (str, int) to tuple of float
        For "cv", the mean log-density of the rows of each fold under the fit to all others.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> result = gaussmix.search(X, range(1, 6), feature_names=names)
    >>> result.best_params_
    {'n_components': 3, 'covariance_type': 'EEE'}
    >>> round(result.best.bic, 1), round(result.best_score_, 1)
    (2314.3, -2314.3)
    >>> [name for name in result.cv_results_ if name.startswith("rank")]
    ['rank_test_score']
    """

    skipped: Mapping[Key, str] = field(default_factory=dict)
    criterion_name: str = "bic"
    seconds: Mapping[Key, float] = field(default_factory=dict)
    held_out: Mapping[Key, tuple[float, ...]] = field(default_factory=dict)

    @property
    def criterion(self) -> str:
        """The name of the criterion."""
        return self.criterion_name

    @property
    def keys(self) -> list[Key]:
        """All models that were asked for, families in order, each by its number of components."""
        every = {**self.fits, **self.failures, **self.skipped}
        families = list(dict.fromkeys(name for name, _ in every))
        return sorted(every, key=lambda key: (families.index(key[0]), key[1]))

    @cached_property
    def scores(self) -> dict[Key, float]:
        """The criterion of every sound fit, as the criterion has it: lower is better but for "cv"."""
        return self.measure(self.criterion_name)

    def measure(self, criterion: str) -> dict[Key, float]:
        """A criterion, any of them, of every sound fit."""
        measure = find_criterion(criterion).measure
        if measure is not None:
            known = self.sound.items()
            return {key: measure(fit) for key, fit in known if criterion != "icl" or fit.doubt is not None}
        if not self.held_out:
            raise ValueError("this search held nothing out; search with criterion='cv'")
        return {
            key: float(np.mean(folds))
            for key, folds in self.held_out.items()
            if key in self.sound and np.isfinite(folds).all()
        }

    @cached_property
    def best_model(self) -> Key:
        """The covariance type and number of components of the model that was chosen.

        It is the first of the best score. Of held-out log-likelihoods it is the one of fewest parameters
        that is no worse than the best by more than a standard error (Breiman et al. 1984), that of the
        difference over the folds: folds differ far more than models do. FitError where no fit is sound.
        """
        if not self.scores:
            raise FitError(COLLAPSED)
        sign = find_criterion(self.criterion_name).sign
        best = max(self.scores, key=lambda key: sign * self.scores[key])
        if self.criterion_name != "cv":
            return best
        near = [key for key in self.scores if self._is_near(key, best)]
        return min(near, key=lambda key: (self.fits[key].n_parameters, -self.scores[key]))

    def _is_near(self, key: Key, best: Key) -> bool:
        """Whether a model is worse than the best by no more than the standard error of the difference."""
        losses = np.subtract(self.held_out[best], self.held_out[key])
        return bool(losses.mean() <= find_standard_error(losses))

    @property
    def best(self) -> FitResult:
        """The fit of the model that was chosen."""
        return self.fits[self.best_model]

    @property
    def best_params_(self) -> dict[str, Any]:
        """The parameters of :class:`gaussmix.GaussianMixture` that were chosen."""
        name, k = self.best_model
        return {"n_components": k, "covariance_type": name}

    @property
    def best_score_(self) -> float:
        """The score of the chosen model: minus the criterion, or the mean held-out log-likelihood."""
        return find_criterion(self.criterion_name).sign * self.scores[self.best_model]

    @property
    def best_index_(self) -> int:
        """The place of the chosen model in the columns of `cv_results_`."""
        return self.keys.index(self.best_model)

    @cached_property
    def cv_results_(self) -> dict[str, Any]:
        """A table of all models, as columns: any data frame takes it, `pandas.DataFrame(result.cv_results_)`.

        As in GridSearchCV, with the criteria, `difference` from the best value, `weight` of each model
        (in proportion to exp(-difference / 2), of BIC approximately its posterior probability), `status` and
        `reason` (why a model has no score). Held-out log-likelihoods give no weights. Models without a score
        come last in `rank_test_score`.
        """
        return tabulate_models(self)

    def criterion_table(self, criterion: str | None = None) -> CriterionTable:
        """A criterion of every model, that of the search by default; families side by side."""
        named = find_criterion(self.criterion_name if criterion is None else criterion)
        chosen = self.best_model if named.name == self.criterion_name and self.scores else None
        values = self.measure(named.name)
        return CriterionTable.of(self.keys, values, self.failures, self.skipped, named, chosen)

    def bic_table(self) -> CriterionTable:
        """BIC of every model, families side by side; what failed, collapsed or was skipped is marked."""
        return self.criterion_table("bic")

    def verdict(self, stability: Resampled | None = None) -> list[str]:
        """What was found, in sentences for readers who know no statistics.

        The first says how many groups there are, the second how sure that is (odds are exp(difference / 2)),
        the third how clear the groups are. Cautions follow, if there are any.

        Parameters
        ----------
        stability : Stability, optional
            Of :func:`gaussmix.measure_stability`: one more sentence says how often resamples lead to the same
            number of groups.

        Returns
        -------
        list of str

        References
        ----------
        R. E. Kass and A. E. Raftery, Bayes factors, J. Am. Stat. Assoc. 90 (1995) 773-795.

        Examples
        --------
        >>> import gaussmix
        >>> from gaussmix.datasets import load_faithful
        >>> for sentence in gaussmix.search(load_faithful()[0]).verdict():
        ...     print(sentence)
        The 272 rows fall into 3 groups, of 47 %, 36 % and 17 % of them.
        Their number is likely, not certain: ...
        The groups overlap in part: ...
        """
        return write_verdict(self, stability)

    def _get_table(self) -> CriterionTable:
        return self.criterion_table()


def tabulate_models(result: SearchResult) -> dict[str, Any]:
    """The columns of :attr:`SearchResult.cv_results_`."""
    keys, criterion = result.keys, find_criterion(result.criterion_name)
    scores = np.array([criterion.sign * result.scores.get(key, math.nan) for key in keys])
    return {
        "params": [{"n_components": k, "covariance_type": name} for name, k in keys],
        "param_n_components": np.array([k for _, k in keys]),
        "param_covariance_type": np.array([name for name, _ in keys]),
        **_tabulate_folds(result, keys),
        "mean_test_score": scores,
        "rank_test_score": rank_scores(scores),
        "difference": np.nanmax(scores) - scores if np.isfinite(scores).any() else scores,
        "weight": weigh_models(scores, criterion),
        **{
            name: np.array([_measure(result.fits.get(key), name) for key in keys])
            for name in ("bic", "aic", "icl", "log_likelihood", "n_parameters", "n_iter")
        },
        "mean_fit_time": np.array([result.seconds.get(key, 0.0) for key in keys]),
        "status": np.array([_find_status(result, key) for key in keys]),
        "reason": np.array([_find_reason(result, key) for key in keys]),
    }


def rank_scores(scores: Float64Array) -> NDArray[np.int64]:
    """The place of each score, the greatest being 1; equal scores share a place, and NaN comes last."""
    known = np.isfinite(scores)
    above = (scores[known][None, :] > scores[:, None]).sum(axis=1)
    return np.asarray(np.where(known, above + 1, known.sum() + 1))


def weigh_models(scores: Float64Array, criterion: Criterion) -> Float64Array:
    """The weight of each model, exp(-difference / 2) over their sum; those without a score have none."""
    if criterion.greater_is_better or not np.isfinite(scores).any():
        return np.full(scores.shape, math.nan)
    weights = np.exp(0.5 * (scores - np.nanmax(scores)))
    weights[np.isnan(weights)] = 0.0
    return np.asarray(weights / weights.sum())


def find_standard_error(values: Float64Array) -> float:
    """Of the mean of a few values."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def _tabulate_folds(result: SearchResult, keys: Sequence[Key]) -> dict[str, Any]:
    if not result.held_out:
        return {}
    n_splits = max(map(len, result.held_out.values()))
    nothing = (math.nan,) * n_splits
    folds = np.array([result.held_out.get(key, nothing) for key in keys])
    return {
        **{f"split{i}_test_score": folds[:, i] for i in range(n_splits)},
        "std_test_score": folds.std(axis=1),
        "standard_error": np.array([find_standard_error(each) for each in folds]),
    }


def _measure(fit: FitResult | None, name: str) -> float:
    if fit is None or (name == "icl" and fit.doubt is None):
        return math.nan
    return float(getattr(fit, name))


def _find_status(result: SearchResult, key: Key) -> str:
    if key in result.fits:
        return str(result.fits[key].status) if key in result.sound else "collapsed"
    return "failed" if key in result.failures else "skipped"


def _find_reason(result: SearchResult, key: Key) -> str:
    if key in result.sound:
        return ""
    return result.fits[key].advice if key in result.fits else result.failures.get(key) or result.skipped[key]
