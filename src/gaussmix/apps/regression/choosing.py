"""Which joint mixture predicts best: by the log-density of outputs that were held out, or by BIC.

The likelihood of the joint says how well a mixture describes inputs and outputs, most of all the inputs where
these are many. How well it predicts outputs is the predictive log-density of rows held out, a proper score.
So it is the default. The search goes up: families with one component, and from there to more components for
as long as that raises the score by more than its standard error over the rows.

References
----------
M. Stone, Cross-validatory choice and assessment of statistical predictions, J. R. Stat. Soc. B 36 (1974)
111-147.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.regression.fitting import Effort, JointModel, JointRows, fit_joint
from gaussmix.apps.regression.joint import JointRegression
from gaussmix.errors import DoubtfulFitWarning, FitError
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.options import NFactors
from gaussmix.model.covariance import get_structure

#: Folds beyond which no others are held out once so many rows have been.
ENOUGH_HELD_OUT = 2000
#: Effort of fits that are compared.
QUICK = Effort(tol=1e-3, max_iter=50, n_init=1, init_params="kmeans")
#: A model is left that is behind by so many standard errors on the rows held out so far.
HOPELESS = 3.0
#: A model of more components has to raise the score by so many standard errors of the difference.
MARGIN = 0.5
#: Steps to more components without a gain after which a family is left; one that is worse by more than its
#: standard error is enough.
PATIENCE = 2

#: The places of training rows, and of those held out.
Split: TypeAlias = tuple[IntArray, IntArray]


@dataclass(frozen=True)
class Options:
    """The models among which there is a choice."""

    families: tuple[str, ...]
    numbers: tuple[int, ...]
    #: In rows.
    shrinkages: tuple[float, ...] = (0.0,)
    #: Whether families that share their covariance are shrunk, too.
    shrinks_shared: bool = False
    #: Of every fit.
    reg_covar: RegCovar = "auto"
    n_factors: NFactors = 1

    @property
    def is_open(self) -> bool:
        """Whether there is more than one model."""
        alone = len(self.families) == len(self.numbers) == 1
        return not alone or len(self.list_models(self.families[0], self.numbers[0])) > 1

    def list_models(self, family: str, number: int) -> list[JointModel]:
        """The models of a family and a number of components: one for each shrinkage that matters."""
        structure, amounts = get_structure(family), self.shrinkages
        if number == 1 or structure.n_factors or (structure.shared and not self.shrinks_shared):
            amounts = (0.0,)
        return [JointModel(family, number, amount, self.n_factors, self.reg_covar) for amount in amounts]


@dataclass(frozen=True)
class RegressionTrial:
    """How one model did on rows that were held out.

    Attributes
    ----------
    covariance_type : str
    n_components : int
    shrinkage : float
    log_score : float
        Mean predictive log-density of the outputs held out, in nats; minus infinity where the model could not
        be fitted.
    rmse : ndarray of shape (n_outputs,)
        Root mean squared error of the predicted means.
    complete : bool
        Whether all folds were held out: not where it was far behind after some, or could not be fitted.
    """

    covariance_type: str
    n_components: int
    shrinkage: float
    log_score: float
    rmse: Float64Array
    complete: bool
    #: Of each row that was held out.
    densities: Float64Array = field(repr=False)

    def beats(self, other: RegressionTrial, weights: Float64Array, margin: float = 0.0) -> bool:
        """Whether its score is higher, by more than a number of standard errors of the difference."""
        if not self.complete or not other.complete:
            return self.complete
        mean, error = compare_scores(self.densities, other.densities, weights)
        return mean > margin * error


def compare_scores(scores: Float64Array, others: Float64Array, weights: Float64Array) -> tuple[float, float]:
    """By how much scores are higher than others, on average, and the standard error; of the rows of both."""
    n = min(len(scores), len(others))
    if not n:  # one of them could not be fitted
        return (np.inf if len(scores) else -np.inf), 0.0
    gains, w = scores[:n] - others[:n], weights[:n]
    mean = float(w @ gains / w.sum())
    return mean, float(np.sqrt(w @ (gains - mean) ** 2) / w.sum())


@dataclass(frozen=True, eq=False)
class Folds:
    """Rows in folds, each held out in turn."""

    rows: JointRows
    splits: Sequence[Split]
    #: Of the starts: the same for each model.
    seed: int

    @property
    def weights(self) -> Float64Array:
        """Of the rows held out, fold after fold."""
        return np.asarray(self.rows.masses[np.concatenate([held_out for _, held_out in self.splits])])

    def try_model(self, model: JointModel, rival: RegressionTrial | None) -> RegressionTrial:
        """Hold out each fold in turn, for as long as the rival is not far ahead."""
        squares: list[Float64Array] = []
        densities, weights = np.empty(0), self.weights
        for number, (rest, held_out) in enumerate(self.splits, start=1):
            if len(rest) < model.n_components:
                return self._end(model, np.empty(0), squares, complete=False)
            try:
                regression = self._fit(rest, model)
            except FitError:
                return self._end(model, np.empty(0), squares, complete=False)
            own = self.rows.take(held_out)
            batch = regression.predict(own.inputs)
            densities = np.concatenate([densities, batch.log_prob(own.outputs)])
            squares.append((batch.mean - own.outputs) ** 2)
            if rival is not None and number < len(self.splits):
                mean, error = compare_scores(densities, rival.densities, weights)
                if mean < -HOPELESS * error:
                    return self._end(model, densities, squares, complete=False)
        return self._end(model, densities, squares, complete=True)

    def _fit(self, rest: IntArray, model: JointModel) -> JointRegression:
        """The fit to the rows that are not held out; only the final one has reason to warn."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DoubtfulFitWarning)
            return fit_joint(self.rows.take(rest), model, RandomState(self.seed), QUICK).regression

    def _end(
        self, model: JointModel, densities: Float64Array, squares: list[Float64Array], *, complete: bool
    ) -> RegressionTrial:
        weights = self.weights[: len(densities)]
        score, rmse = -np.inf, np.full(self.rows.n_outputs, np.nan)
        if len(densities):
            score = float(np.average(densities, weights=weights))
            rmse = np.sqrt(np.average(np.concatenate(squares), axis=0, weights=weights))
        return RegressionTrial(
            model.covariance_type, model.n_components, model.shrinkage, score, rmse, complete, densities
        )


def divide_rows(rows: JointRows, n_folds: int, rng: RandomState) -> list[Split]:
    """Folds of rows in random order, of which copies of a row stay together.

    So weights do what copies do. Raises ValueError where nothing can be held out.
    """
    _, copies = np.unique(rows.complete, axis=0, return_inverse=True)
    copies = copies.ravel()  # which one version of NumPy makes a column
    different = int(copies.max()) + 1
    n = min(n_folds, different)
    if n < 2:
        raise ValueError(
            "a model is chosen by rows that are held out, which takes two different rows and cv of at least "
            '2; give n_components and covariance_type, or criterion="bic"'
        )
    fold_of = (rng.permutation(different) % n)[copies]
    splits, n_held_out = [], 0.0
    for fold in range(n):
        held_out = np.flatnonzero(fold_of == fold)
        splits.append((np.flatnonzero(fold_of != fold), held_out))
        n_held_out += max(len(held_out), rows.masses[held_out].sum())
        if n_held_out >= ENOUGH_HELD_OUT:
            break
    return splits


class Search:
    """The models that were tried on folds, and the best of them."""

    def __init__(self, folds: Folds, options: Options) -> None:
        self.folds, self.options = folds, options
        self.trials: dict[JointModel, RegressionTrial] = {}

    def find_best(self) -> JointModel:
        """The best model, from fewer components to more; FitError where none can be fitted."""
        numbers = self._list_numbers() or [min(self.options.numbers)]
        best: RegressionTrial | None = None
        levels: dict[str, RegressionTrial] = {}
        for family in self.options.families:
            levels[family] = self._try(family, numbers[0], best)
            if best is None or levels[family].beats(best, self.folds.weights):
                best = levels[family]
        assert best is not None
        misses = dict.fromkeys(levels, 0)
        for number in numbers[1:]:
            for family in [name for name, n in misses.items() if n < PATIENCE]:
                before, after = levels[family], self._try(family, number, best)
                if after.complete and after.beats(before, self.folds.weights, MARGIN):
                    levels[family], misses[family] = after, 0
                else:
                    worse, error = compare_scores(before.densities, after.densities, self.folds.weights)
                    misses[family] += PATIENCE if worse > error else 1
                if after.beats(best, self.folds.weights, MARGIN):
                    best = after
        if not best.complete:
            raise FitError(
                "every model has a singular covariance in some fold: give more rows, or fewer components"
            )
        return next(model for model, trial in self.trials.items() if trial is best)

    @property
    def is_futile(self) -> bool:
        """Whether only the shrinkage is open, and folds leave fewer rows than components."""
        options = self.options
        return len(options.families) == len(options.numbers) == 1 and not self._list_numbers()

    def _list_numbers(self) -> list[int]:
        """Numbers of components for which each fold leaves enough rows."""
        return [number for number in self.options.numbers if number <= self._least_rows]

    def _list_sound(self, family: str, number: int) -> list[JointModel]:
        """The models but those that are not shrunk with too few rows for a covariance of each component."""
        models = self.options.list_models(family, number)
        enough = number * (len(self.folds.rows.columns) + 1)
        if get_structure(family).shared or enough <= self._least_rows:
            return models
        return [model for model in models if model.shrinkage] or models

    @property
    def _least_rows(self) -> int:
        """Rows of the fold that leaves the fewest."""
        return min(len(rest) for rest, _ in self.folds.splits)

    def _try(self, family: str, number: int, rival: RegressionTrial | None) -> RegressionTrial:
        """The best shrinkage of a family and a number of components."""
        best: RegressionTrial | None = None
        for model in self._list_sound(family, number):
            if model not in self.trials:
                self.trials[model] = self.folds.try_model(model, rival)
            trial = self.trials[model]
            if best is None or trial.beats(best, self.folds.weights):
                best = trial
        assert best is not None
        return best
