"""Numbers for each parameter of a mixture (errors, bounds), and tables of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gaussmix._text import count_noun, make_text_table
from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture

#: Parameters that are printed.
MOST_PRINTED = 60


@dataclass(frozen=True, eq=False)
class Parameters:
    """One number for each parameter of a mixture: a standard error, a bound of an interval, a bias.

    Parameters
    ----------
    weights : ndarray of shape (k,)
    means : ndarray of shape (k, d)
    covariances : ndarray
        In the shape of the covariance type; of factor analysers, of the covariances as matrices (k, d, d).
    noise : float, optional
        Of the weight of the noise, where there is any.
    """

    weights: Float64Array
    means: Float64Array
    covariances: Float64Array
    noise: float | None = None

    @classmethod
    def of(cls, mixture: Mixture) -> Parameters:
        """The parameters of a mixture themselves."""
        noise = None if mixture.noise is None else mixture.noise.weight
        return cls(mixture.weights, mixture.means, get_covariances(mixture), noise)

    def map(self, function: Callable[..., Any], *others: Parameters) -> Parameters:
        """A function of each array of these parameters and of others."""
        parts = zip(*(each.list_arrays() for each in (self, *others)), strict=True)
        return Parameters.of_arrays([np.asarray(function(*arrays)) for arrays in parts])

    def list_arrays(self) -> list[Float64Array]:
        """Weights, means and covariances, and the noise if there is any."""
        arrays = [self.weights, self.means, self.covariances]
        return arrays if self.noise is None else [*arrays, np.asarray(self.noise)]

    @classmethod
    def of_arrays(cls, arrays: list[Float64Array]) -> Parameters:
        """The inverse of :meth:`list_arrays`."""
        for array in arrays[:3]:
            array.flags.writeable = False
        weights, means, covariances, *noise = arrays
        return cls(weights, means, covariances, float(noise[0]) if noise else None)


def get_covariances(mixture: Mixture) -> Float64Array:
    """The covariances in the shape of the type, or as matrices where their parts are not unique."""
    return mixture.dense_covariances if mixture.n_factors else mixture.covariances


class Estimated(ABC):
    """Estimates of a mixture with their standard errors: tables of them."""

    mixture: Mixture

    @abstractmethod
    def _list_columns(self, level: float, **options: Any) -> dict[str, Parameters]:
        """The columns of a table beside the estimates: standard errors, bounds."""

    def to_dict(self, level: float = 0.95, **options: Any) -> dict[str, list[Any]]:
        """A table by columns, one row a parameter, as constructors of data frames take it.

        The columns are parameter ("weight", "mean", "variance", "covariance"), component (-1 is the noise,
        None all of them), feature, other (of a covariance), estimate, standard_error, lower and upper; of
        a bootstrap also bias. Options are those of :meth:`intervals`.
        """
        columns = {"estimate": Parameters.of(self.mixture)} | self._list_columns(level, **options)
        return make_columns(self.mixture, columns)

    def to_frame(self, backend: Any = "pandas", *, level: float = 0.95, **options: Any) -> Any:
        """The table of :meth:`to_dict` as a data frame of a library: "pandas", "polars" or "pyarrow"."""
        import narwhals as nw

        return nw.from_dict(self.to_dict(level, **options), backend=backend).to_native()

    def summary(self, level: float = 0.95, *, max_rows: int = MOST_PRINTED, **options: Any) -> str:
        """The estimates, their standard errors and intervals; a text."""
        table = self.to_dict(level, **options)
        lines = [repr(self), "", make_text_table(format_estimates(table, max_rows))]
        left = len(table["parameter"]) - max_rows
        if left > 0:
            lines.append(f"{count_noun(left, 'parameter')} more: see to_frame().")
        return "\n".join([*lines, f"Intervals hold the parameter in {100 * level:.4g} % of samples."])


class Entry(NamedTuple):
    """A row of a table: what a number of the parameters is of."""

    #: "weight", "mean", "variance" or "covariance".
    parameter: str
    #: The component; -1 is the noise, None all of them.
    component: int | None
    #: The feature, and of a covariance the other; None stands for all of them.
    feature: str | None
    other: str | None
    #: The array, and where in it the number is.
    array: int
    place: tuple[int, ...]


def list_entries(mixture: Mixture) -> Iterator[Entry]:
    """Every parameter of a mixture once, component by component."""
    k, d = mixture.means.shape
    names = mixture.feature_names or tuple(f"x{j}" for j in range(d))
    covariances = get_covariances(mixture)
    shared = mixture.structure.shared
    axes = covariances.ndim - (not shared)
    if shared and mixture.structure.algebra.shape(d) == ():  # one number, in an array of length one
        axes = 0
    for component in range(k):
        yield Entry("weight", component, None, None, 0, (component,))
        for j, name in enumerate(names):
            yield Entry("mean", component, name, None, 1, (component, j))
        if not shared:
            yield from _list_covariances(names, axes, component, (component,))
    if shared:
        yield from _list_covariances(names, axes, None, () if axes else (0,))
    if mixture.noise is not None:
        yield Entry("weight", -1, None, None, 3, ())


def _list_covariances(
    names: tuple[str, ...], axes: int, component: int | None, place: tuple[int, ...]
) -> Iterator[Entry]:
    """The entries of one covariance: a matrix, a diagonal or a scalar."""
    if axes == 0:
        yield Entry("variance", component, None, None, 2, place)
    elif axes == 1:
        for j, name in enumerate(names):
            yield Entry("variance", component, name, None, 2, (*place, j))
    else:
        for j, name in enumerate(names):
            for i in range(j):
                yield Entry("covariance", component, names[i], name, 2, (*place, j, i))
            yield Entry("variance", component, name, None, 2, (*place, j, j))


def make_columns(mixture: Mixture, columns: Mapping[str, Parameters]) -> dict[str, list[Any]]:
    """A table by columns, one row a parameter: what it is of, then each of the columns."""
    entries = list(list_entries(mixture))
    table: dict[str, list[Any]] = {
        name: [getattr(entry, name) for entry in entries]
        for name in ("parameter", "component", "feature", "other")
    }
    for name, parameters in columns.items():
        arrays = parameters.list_arrays()
        table[name] = [float(arrays[entry.array][entry.place]) for entry in entries]
    return table


def format_estimates(table: Mapping[str, list[Any]], most: int) -> list[list[str]]:
    """The table as text, its header first, of at most so many parameters."""
    rows = [["component", "parameter", "estimate", "standard error", "lower", "upper"]]
    for i in range(min(most, len(table["parameter"]))):
        component = {None: "all", -1: "noise"}.get(table["component"][i], str(table["component"][i]))
        of = [name for name in (table["feature"][i], table["other"][i]) if name is not None]
        label = " ".join([table["parameter"][i], *([", ".join(of)] if of else [])])
        estimate, error = table["estimate"][i], table["standard_error"][i]
        decimals = count_decimals(error)
        numbers = [
            f"{value:.{decimals}f}" for value in (estimate, error, table["lower"][i], table["upper"][i])
        ]
        rows.append([component, label, *numbers])
    return rows


def count_decimals(error: float) -> int:
    """So many that a standard error shows three digits."""
    if not np.isfinite(error) or error <= 0.0:
        return 4
    return int(np.clip(2 - np.floor(np.log10(error)), 0, 9))
