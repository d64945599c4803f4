"""Fits of many models to the same rows: those of one family of covariances iterate together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from gaussmix._progress import OnProgress, remember_stop
from gaussmix._text import count_noun
from gaussmix.errors import FitError
from gaussmix.fit.arguments import make_generator, read_named, read_rows
from gaussmix.fit.ending import COLLAPSED
from gaussmix.fit.factor_count import count_factors
from gaussmix.fit.iterate.stopping import Stopping
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.options import OPTIONS, IterationOptions, ModelOptions, StartOptions
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.fit.starts.table import EFFORTS, STARTS
from gaussmix.model.covariance import get_structure
from gaussmix.select.criterion_table import CriterionTable
from gaussmix.select.families import INTERRUPTED, Outcomes, Settings, fit_family
from gaussmix.select.showing import Part, Showing

#: mclust's models, for several features and for one.
FOURTEEN = ("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")
UNIVARIATE = ("E", "V")


@dataclass(frozen=True, repr=False)
class FittedMixtures:
    """The outcome of :func:`gaussmix.fit_mixtures`.

    Parameters
    ----------
    fits : mapping of (str, int) to FitResult
        By covariance type and number of components, in the order in which they were asked for.
    failures : mapping of (str, int) to str
        What became of those of which every start collapsed before the first iteration.
    """

    fits: Mapping[tuple[str, int], FitResult]
    failures: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @property
    def sound(self) -> dict[tuple[str, int], FitResult]:
        """The fits whose likelihood says something: no component collapsed, and none is held.

        A component is held where the least variance allowed decides some of its variances, and so the
        likelihood. Where all fits are (rows that repeat), these count.
        """
        alive = {
            key: fit
            for key, fit in self.fits.items()
            if fit.status != FitStatus.DEGENERATE and not fit.collapsed
        }
        return {key: fit for key, fit in alive.items() if not fit.held} or alive

    @property
    def best(self) -> FitResult:
        """The sound fit of least BIC, the first of equals; FitError where there is none."""
        if not self.sound:
            raise FitError(COLLAPSED)
        return min(self.sound.values(), key=lambda fit: fit.bic)

    def bic_table(self) -> CriterionTable:
        """BIC of every model, families side by side; what failed or collapsed is marked."""
        values = {key: fit.bic for key, fit in self.sound.items()}
        return CriterionTable.of([*self.fits, *self.failures], values, self.failures)

    def _get_table(self) -> CriterionTable:
        """The table of the criterion by which the best is chosen."""
        return self.bic_table()

    def summary(self) -> str:
        """The table of the criterion, and the best model in full; a text."""
        table = repr(self._get_table())
        return f"{table}\n\n{self.best.summary()}" if self.sound else table

    def __repr__(self) -> str:
        table = self._get_table()
        family = "1 family" if len(table.families) == 1 else f"{len(table.families)} families"
        least, most = min(table.n_components), max(table.n_components)
        numbers = count_noun(most, "component") if least == most else f"{least} to {most} components"
        parts = [
            f"{count_noun(len(self.fits), 'fit')}: {family}",
            numbers,
            *([f"{len(self.fits) - len(self.sound)} collapsed"] if len(self.fits) > len(self.sound) else []),
            *([f"{len(self.failures)} failed"] if self.failures else []),
        ]
        best = "none is sound"
        if table.best is not None:
            name, k = table.best
            value = f"{table.criterion.title} {table[name, k]:.6g}"
            best = f"best: {name} with {count_noun(k, 'component')}, {value}"
        return f"{type(self).__name__}({', '.join(parts)}; {best})"

    def _repr_html_(self) -> str:
        return self._get_table()._repr_html_()


def fit_mixtures(
    X: npt.ArrayLike,
    n_components: int | Iterable[int],
    *,
    covariance_type: str | Sequence[str] | None = None,
    sample_weight: npt.ArrayLike | None = None,
    tol: float = 1e-5,
    reg_covar: RegCovar = "auto",
    max_iter: int = 1000,
    n_init: int = 1,
    init_params: str = "agglomerative",
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
    stopping: Stopping = "change",
    n_factors: int = 1,
    on_progress: OnProgress | None = None,
) -> FittedMixtures:
    """Fit every model of some families and numbers of components, those of one family together.

    Each fit is, to rounding, the one that :func:`gaussmix.fit_mixture` makes from the same starts with
    ``acceleration=None``; on few rows many of them take hardly longer than one.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Finite numbers; float32 rows are worked on as float32.
    n_components : int or iterable of int
        Such as ``range(1, 10)``; each at most the number of rows of positive weight.
    covariance_type : str or sequence of str, optional
        As for fit_mixture. None stands for mclust's fourteen models, or E and V where there is one feature.
    sample_weight : array-like of shape (n,), optional
    tol, stopping : float, {"change", "aitken"}
        A fit has converged when an iteration raises the mean log-likelihood by less, or as `stopping` says.
    reg_covar : float or "auto"
    max_iter, n_init : int
        Iterations from each start, and starts of each model.
    init_params : str
        "agglomerative" (mclust's start), "kmeans", "k-means++", "random", "random_from_data", "pca" or
        "annealing" (docs/starts.md). Starts are the same whatever other models are asked for.
    random_state : int, RandomState, Generator or None
    feature_names : sequence of str, optional
        As for fit_mixture.
    n_factors : int
        Of factor analysers.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` after each family and after each iteration. True ends the
        fits: those of the family under way are as they are then, and the others are failures.

    Returns
    -------
    FittedMixtures

    Raises
    ------
    ValueError
        If an argument is wrong.

    References
    ----------
    L. Scrucca, M. Fop, T. B. Murphy and A. E. Raftery, mclust 5: clustering, classification and density
    estimation using Gaussian finite mixture models, The R Journal 8 (2016) 289-317.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> models = gaussmix.fit_mixtures(load_faithful()[0], range(1, 5))
    >>> len(models.fits), models.best.mixture.covariance_type, models.best.mixture.n_components
    (56, 'tied', 3)
    >>> round(models.fits["VVV", 2].bic, 1)
    2322.2
    """
    values, feature_names = read_named(X, feature_names)
    numbers, rows = read_numbers(n_components), read_rows(values, sample_weight, 1)
    model = ModelOptions(max(numbers), reg_covar=reg_covar, n_factors=n_factors)
    start = StartOptions(init_params, n_init)
    iteration = IterationOptions(tol, max_iter, stopping)
    if max(numbers) > rows.shape[0]:
        raise ValueError(
            f"n_components = {max(numbers)} is more than the {rows.shape[0]} rows of positive weight"
        )
    if init_params in EFFORTS:
        names = ", ".join(STARTS)
        raise ValueError(
            f"init_params must be one of {names}; {init_params!r} is for one fit at a time (fit_mixture)"
        )
    d = rows.shape[1]
    seed = int(make_generator(random_state).randint(2**31))
    settings = Settings(model, start, iteration, seed, feature_names)
    factors = count_factors(n_factors)
    # a wrong name is an error before any fit
    structures = {name: get_structure(name, d, factors) for name in read_types(covariance_type, d)}
    keys = [(name, k) for name in structures for k in numbers]
    found, showing = Outcomes(), Showing(remember_stop(on_progress), keys, "bic", Part("fits"))
    for name, structure in structures.items():
        some = fit_family(rows, structure, name, numbers, settings, showing.follow(name))
        found |= some
        if showing.record(some):
            break
    left = {key: INTERRUPTED for key in keys if key not in found.known}
    return FittedMixtures(found.fits, {**found.failures, **left})


def read_numbers(n_components: int | Iterable[int]) -> list[int]:
    """The numbers of components that are asked for; ValueError where one is none or comes twice."""
    numbers = list(n_components) if isinstance(n_components, Iterable) else [n_components]
    for k in numbers:
        OPTIONS["n_components"].check(k, "n_components")
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"n_components must be one number or several different ones; got {numbers}")
    return [int(k) for k in numbers]


def read_types(covariance_type: str | Sequence[str] | None, d: int) -> list[str]:
    """The names of families that are asked for; None stands for mclust's."""
    if covariance_type is None:
        return list(FOURTEEN if d > 1 else UNIVARIATE)
    types = [covariance_type] if isinstance(covariance_type, str) else list(covariance_type)
    if not types or len(set(types)) < len(types):
        raise ValueError(f"covariance_type must be one name or several different ones; got {types}")
    return types
