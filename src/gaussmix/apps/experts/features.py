"""What experts see of a row: columns, their powers and products, or what a transformer makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design


class Features(Protocol):
    """A map from the rows to the features of the experts."""

    def apply(self, rows: npt.NDArray[Any]) -> Float64Array:
        """Features of rows, shape (n, d); shape (n, p)."""

    def name(self, inputs: Sequence[str]) -> tuple[str, ...]:
        """The names of the features, from those of the columns of the rows."""

    def expand(self, levels: Float64Array, slopes: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Levels at zero (k, m) and slopes (k, p, m) of these features, in the units of the rows."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Some columns of the rows, as they are."""

    columns: IntArray

    def apply(self, rows: npt.NDArray[Any]) -> Float64Array:
        """The columns, shape (n, p)."""
        return np.asarray(rows[:, self.columns], dtype=np.float64)

    def name(self, inputs: Sequence[str]) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(inputs[column] for column in self.columns)

    def expand(self, levels: Float64Array, slopes: Float64Array) -> tuple[Float64Array, Float64Array]:
        """The same."""
        return levels, slopes


@dataclass(frozen=True, eq=False)
class Powers:
    """Powers and products of columns, up to a degree.

    They are taken of u = (x - c) / s, in which they are no more collinear than they must be; `expand` has the
    coefficients of the powers of x itself, by the binomial theorem.
    """

    columns: IntArray
    #: c and s, the means and spreads of the columns, shape (d,).
    centre: Float64Array
    spreads: Float64Array
    #: The power of each column in each feature, shape (p, d).
    exponents: IntArray

    @classmethod
    def of_rows(cls, rows: npt.NDArray[Any], columns: IntArray, masses: Float64Array, degree: int) -> Self:
        """All powers and products of columns of the rows with a sum of exponents from one to the degree."""
        seen = Design.of_rows(np.asarray(rows[:, columns], dtype=np.float64), masses)
        sets = [
            chosen
            for total in range(1, degree + 1)
            for chosen in combinations_with_replacement(range(len(columns)), total)
        ]
        exponents = np.zeros((len(sets), len(columns)), dtype=np.int64)
        for place, chosen in enumerate(sets):
            np.add.at(exponents[place], list(chosen), 1)
        return cls(columns, seen.centre, seen.spreads, exponents)

    def apply(self, rows: npt.NDArray[Any]) -> Float64Array:
        """The powers, shape (n, p)."""
        u = (np.asarray(rows[:, self.columns], dtype=np.float64) - self.centre) / self.spreads
        features = np.ones((len(u), len(self.exponents)))
        for place, powers in enumerate(self.exponents):
            for column in np.flatnonzero(powers):
                features[:, place] *= u[:, column] ** powers[column]
        return features

    def name(self, inputs: Sequence[str]) -> tuple[str, ...]:
        """Names such as "x^2" and "x z"."""
        names = []
        for powers in self.exponents:
            parts = [
                inputs[self.columns[column]] + (f"^{powers[column]}" if powers[column] > 1 else "")
                for column in np.flatnonzero(powers)
            ]
            names.append(" ".join(parts))
        return tuple(names)

    def expand(self, levels: Float64Array, slopes: Float64Array) -> tuple[Float64Array, Float64Array]:
        """The coefficients of the powers of x: prod_j ((x_j - c_j) / s_j)^a_j is multiplied out."""
        from scipy.special import comb

        whole = np.concatenate([np.zeros((1, len(self.columns)), dtype=np.int64), self.exponents])
        lower, upper = whole[None, :], whole[:, None]
        with np.errstate(over="ignore", under="ignore"):
            parts = (
                comb(upper, lower)  # zero where the lower is the larger
                * np.power(-self.centre, np.maximum(upper - lower, 0))
                * np.power(self.spreads, -upper.astype(np.float64))
            )
        matrix = parts.prod(axis=2)
        joined = np.concatenate([levels[:, None], slopes], axis=1)
        found = np.einsum("ab,kam->kbm", matrix, joined)
        return found[:, 0], found[:, 1:]


@dataclass(frozen=True, eq=False)
class Transformed:
    """What a fitted transformer makes of columns of the rows."""

    columns: IntArray
    transformer: Any

    def apply(self, rows: npt.NDArray[Any]) -> Float64Array:
        """The transformed columns, shape (n, p). ValueError where they are not finite numbers."""
        found = self.transformer.transform(np.asarray(rows[:, self.columns], dtype=np.float64))
        found = found.toarray() if hasattr(found, "toarray") else found
        features = np.asarray(found, dtype=np.float64)
        if features.ndim != 2 or not np.isfinite(features).all():
            raise ValueError(
                f"basis={self.transformer!r} must give rows of finite numbers; check what its transform gives"
            )
        return features

    def name(self, inputs: Sequence[str]) -> tuple[str, ...]:
        """The transformer's own names, where it has any."""
        own = [inputs[column] for column in self.columns]
        try:
            return tuple(map(str, self.transformer.get_feature_names_out(own)))
        except (AttributeError, ValueError, TypeError):
            return ()

    def expand(self, levels: Float64Array, slopes: Float64Array) -> tuple[Float64Array, Float64Array]:
        """The same: what the transformer makes has no other units."""
        return levels, slopes
