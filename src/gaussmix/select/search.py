"""Choose a model: the family of covariances and the number of components, by a criterion, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._progress import OnProgress, remember_stop
from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.fit.arguments import make_generator, read_named, read_rows
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.options import IterationOptions, ModelOptions, NFactors, StartOptions
from gaussmix.fit.outliers import NoiseRequest
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import get_structure
from gaussmix.model.priors import NormalInverseWishart
from gaussmix.select.criteria import find_criterion
from gaussmix.select.families import Key, Settings
from gaussmix.select.grid import PRICES, Grid
from gaussmix.select.many_models import read_numbers, read_types
from gaussmix.select.search_result import SearchResult
from gaussmix.select.showing import Part

#: Folds that have to be done before others may be left out.
LEAST_FOLDS = 2


def search(
    X: npt.ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    *,
    covariance_type: str | Sequence[str] = "all",
    criterion: str = "bic",
    cv: Any = 5,
    sample_weight: npt.ArrayLike | None = None,
    tol: float = 1e-5,
    reg_covar: RegCovar = "auto",
    max_iter: int = 1000,
    n_init: int = 1,
    init_params: str = "auto",
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
    n_factors: NFactors = 1,
    prior: str | NormalInverseWishart | None = None,
    constraints: Constraints | None = None,
    noise: NoiseRequest = False,
    trim: float = 0.0,
    complete: bool = False,
    on_progress: OnProgress | None = None,
) -> SearchResult:
    """Fit models of several families and numbers of components, and choose one by a criterion.

    The models share what they can: a hierarchy of the rows that is cut for every number of components, passes
    over the rows, and where rows are many a sample of them, on which most of the work is done. The chosen
    model is a fit like any other and is not fitted again.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Finite numbers.
    n_components : int or iterable of int
        Numbers of components to try. Those that are more than rows are left out.
    covariance_type : str or sequence of str
        Families to try. "all" stands for mclust's fourteen, or E and V where there is one feature.
    criterion : {"bic", "aic", "icl", "cv"}
        By which the model is chosen (docs/choosing.md): the Bayesian information criterion, Akaike's, the
        integrated completed likelihood, or the held-out log-likelihood.
    cv : int or cross-validation splitter
        For "cv": the number of folds, of rows in random order, or one of scikit-learn's splitters.
    sample_weight : array-like of shape (n,), optional
        A weight of two is a row that occurs twice.
    tol, max_iter : float, int
        A fit has converged when an iteration raises the mean log-likelihood by less. Of more than 2000 rows,
        models that cannot win any more end at an iteration that gains less than 3e-4.
    reg_covar : float or "auto"
        As for :func:`gaussmix.fit_mixture`.
    n_init, init_params : int, str
        Starts of each model, and where they come from; "auto" is the hierarchy, of many rows that of a sample
        and k-means. For the rest see docs/starts.md.
    random_state : int, RandomState, Generator or None
    feature_names : sequence of str, optional
        Kept in the mixtures; by default those of the data frame.
    n_factors, prior, constraints, noise, trim
        As for :func:`gaussmix.fit_mixture`. With any of the last four each model is fitted by itself.
    complete : bool, default=False
        Whether to fit, of more than 2000 rows, also those models that a sample shows to be hopeless. Of the
        family and of the number of components that win, all are fitted. By "icl" and "cv" all are.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` after each model and on the way to it. True ends the search,
        which keeps what there is: the model under way as far as it is fitted and, of folds, two at least.

    Returns
    -------
    SearchResult

    Raises
    ------
    ValueError
        If an argument is wrong.

    References
    ----------
    C. Fraley and A. E. Raftery, Model-based clustering, discriminant analysis, and density estimation, J. Am.
    Stat. Assoc. 97 (2002) 611-631.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> result = gaussmix.search(X, range(1, 6), feature_names=names)
    >>> result
    SearchResult(70 fits: 14 families, 1 to 5 components; best: EEE with 3 components, BIC 2314.31)
    >>> result.best.mixture.n_components
    3
    >>> clear = gaussmix.search(X, range(1, 6), criterion="icl")
    >>> clear.best_params_["n_components"]
    2
    """
    named, numbers = find_criterion(criterion), sorted(read_numbers(n_components))
    values, feature_names = read_named(X, feature_names)
    rows = read_rows(values, sample_weight, min(numbers))
    d = rows.shape[1]
    names = read_types(None if covariance_type in ("all", "auto", None) else covariance_type, d)
    for name in names:
        get_structure(name, d)
    settings = Settings(
        ModelOptions(max(numbers), "full", reg_covar, n_factors, prior, constraints, noise, trim),
        StartOptions(init_params, n_init),
        IterationOptions(tol, max_iter),
        int(make_generator(random_state).randint(2**31)),
        feature_names,
    )
    n_folds = count_folds(cv, rows.shape[0]) if named.name == "cv" else 0
    part = Part(n_parts=1 + n_folds)
    every, watch = complete or named.name not in PRICES, remember_stop(on_progress)
    grid = Grid(names, numbers, settings, named.name, every, watch, part)
    found = grid.fit(values, sample_weight)
    result = SearchResult(
        found.fits, found.failures, found.skipped, criterion_name=named.name, seconds=found.seconds
    )
    if named.name != "cv":
        return result
    if found.interrupted:  # what is left out has no need of held-out likelihoods
        names = [name for name in names if any(name == key[0] for key in found.fits)]
        numbers = [k for k in numbers if any(k == key[1] for key in found.fits)]
    return replace(
        result, held_out=hold_out(values, sample_weight, replace(grid, families=names, numbers=numbers), cv)
    )


def hold_out(
    X: npt.NDArray[Any] | Rows, sample_weight: npt.ArrayLike | None, grid: Grid, cv: Any
) -> dict[Key, tuple[float, ...]]:
    """For each model the mean log-density of the rows of each fold under the fit to all others.

    NaN where there is no sound fit.
    """
    values = X.array if isinstance(X, Rows) else X
    weights = read_sample_weight(sample_weight, len(values))
    scores: dict[Key, list[float]] = {key: [] for key in grid.keys}
    n_folds = grid.part.n_parts - 1
    for number, (rest, fold) in enumerate(cut_folds(values, weights, cv, grid.settings.seed), start=1):
        part = Part(f"search, fold {number} of {n_folds}", number, n_folds + 1, kept=number > LEAST_FOLDS)
        every = replace(grid, complete=True, part=part)
        if weights is not None and not weights[fold].any():
            raise ValueError("cv has a fold whose rows all have weight zero; use fewer folds")
        found = every.fit(values[rest], None if weights is None else weights[rest])
        if found.interrupted:
            break
        sound = SearchResult(found.fits, found.failures, found.skipped).sound
        w = None if weights is None else weights[fold]
        for key, folds in scores.items():
            fit = sound.get(key)
            value = np.nan if fit is None else np.average(fit.mixture.log_prob(values[fold]), weights=w)
            folds.append(float(value))
    return {key: tuple(folds) for key, folds in scores.items()}


def count_folds(cv: Any, n: int) -> int:
    """How many folds there are to be, of n rows; 0 where :func:`cut_folds` says what is wrong."""
    if isinstance(cv, int | np.integer):
        return max(int(cv), 0)
    from sklearn.model_selection import check_cv

    try:
        return int(check_cv(cv).get_n_splits(np.empty((n, 1))))
    except (TypeError, ValueError):
        return 0


def cut_folds(
    values: npt.NDArray[Any], weights: Float64Array | None, cv: Any, seed: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """The rows to fit and those held out, fold by fold; a number of folds is of rows that have a weight."""
    from sklearn.model_selection import KFold, check_cv  # here, since the import takes its time

    whole = isinstance(cv, int | np.integer)
    if not whole:
        try:
            yield from check_cv(cv).split(values)
        except TypeError as error:  # of a splitter that also wants classes
            raise ValueError(
                f"cv must be a number of folds or a splitter of rows alone; got {cv!r}"
            ) from error
        return
    present = np.arange(len(values)) if weights is None else np.flatnonzero(weights)
    for rest, fold in KFold(cv, shuffle=True, random_state=seed).split(present):
        yield present[rest], present[fold]
