"""From what a caller passes to what a fit works with: rows, names, the start, the generator."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence

from gaussmix import _check
from gaussmix._reading.rows import read_named_rows, read_sample_weight
from gaussmix.data.rows import Rows
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.fit.given import Given, StartFrom, read_memberships
from gaussmix.fit.options import SHARES
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise


def check_noise(noise: Any) -> None:
    """Raise ValueError unless this is a way to ask for noise, or for none."""
    if not isinstance(noise, bool | np.bool_ | Noise) and noise not in SHARES:
        raise ValueError(
            "noise must be True or False, a share of the rows over 0 and under 1, or a gaussmix.Noise; got "
            f"{noise!r}"
        )
    if isinstance(noise, Noise) and not 0.0 < noise.weight < 1.0:
        raise ValueError(
            "noise must begin with a weight over 0 and under 1, or EM cannot change it; got "
            f"{noise.weight:.6g}"
        )


def read_named(X: Any, feature_names: Sequence[str] | None = None) -> tuple[Any, Sequence[str] | None]:
    """X as an array, and the names of its columns: those that are given, else its own, if it has any.

    ValueError where the names are not one for each column.
    """
    own = None
    if not isinstance(X, Rows):
        X, own = read_named_rows(X)
    if feature_names is None or len(X.shape) != 2:
        return X, own
    if len(feature_names) != X.shape[1]:
        raise ValueError(f"feature_names must be {X.shape[1]} names, one a column; got {len(feature_names)}")
    return X, feature_names


def read_start(
    start: StartFrom | None,
    structure: Structure,
    k: int,
    X: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None,
    noise: Noise | None,
) -> Given:
    """What the caller fixes of the start, and the noise; a start that has some knows its weight better.

    X and its weights are those that were given, rows of no weight among them.
    """
    n, d = np.shape(X)
    if start is None or isinstance(start, Given):
        return replace(start or Given(), noise=noise)
    if not isinstance(start, Mixture):
        weights = read_sample_weight(sample_weight, n)
        memberships, share = read_memberships(start, n, k, weights, noise=noise is not None)
        if noise is not None and share > 0.0:
            noise = replace(noise, weight=share)
        return Given(noise=noise, memberships=memberships)
    if start.covariance_type != structure.name:
        raise ValueError(
            f"start has covariance_type {start.covariance_type!r}, but {structure.name!r} is to be fitted"
        )
    if start.means.shape != (k, d):
        raise ValueError(f"start must have means of the shape {(k, d)}; got {start.means.shape}")
    if start.n_factors != structure.n_factors:
        raise ValueError(f"start has n_factors {start.n_factors}, but {structure.n_factors} are to be fitted")
    if start.noise is not None:
        if noise is None:
            raise ValueError(
                "start has a noise component; fit with noise=True, or from start.without_noise()"
            )
        noise = replace(noise, weight=start.noise.weight)
    return Given(start.weights, start.means, start.roots, noise)


def read_rows(X: npt.ArrayLike | Rows, sample_weight: npt.ArrayLike | None, n_components: int) -> Rows:
    """The rows to fit and their weights; rows of no weight are left out."""
    if isinstance(X, Rows):
        return X
    array, _ = read_named_rows(X)
    if array.ndim != 2:
        raise ValueError(f"X must have two axes, (n_samples, n_features); got the shape {array.shape}")
    if array.shape[1] == 0:
        raise ValueError(f"X has no feature: its shape is {array.shape}")
    rows, _ = _check.check_rows(array, array.shape[1])
    weights = read_sample_weight(sample_weight, rows.shape[0])
    if weights is not None:
        present = weights > 0.0
        if not present.all():
            rows, weights = rows[present], weights[present]
        if (weights == 1.0).all():
            weights = None
    if rows.shape[0] < n_components:
        raise ValueError(
            f"Expected n_samples >= n_components but got n_components = {n_components}, "
            f"n_samples = {rows.shape[0]}"
        )
    return Rows(rows, weights)


def warn_of_few_rows(n: int, structure: Structure, d: int) -> None:
    """Warn at once where even all rows together leave a general covariance singular."""
    if n <= d and structure.form.general:
        warnings.warn(
            f"{n} rows of {d} features leave every covariance of type {structure.name!r} singular: it takes "
            f'{d + 1} rows. Use covariance_type="diag", or "factor" for correlations from few rows',
            DoubtfulFitWarning,
            stacklevel=find_stack_level(),
        )


#: Packages whose frames lie between a warning and the caller that it is for.
PASSED = ("gaussmix", "sklearn", "contextlib")


def find_stack_level() -> int:
    """The level of the first caller outside this package, which a warning should point at."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in PASSED:
        frame, level = frame.f_back, level + 1
    return level


class _NoEntropy(ISeedSequence):
    """In place of entropy for a generator that is seeded at once: NumPy's takes a tenth of a millisecond."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> npt.NDArray[Any]:
        return np.ones(n_words, dtype)


def make_generator(seed: Any) -> np.random.RandomState:
    """The generator that a seed stands for."""
    if seed is None:  # NumPy's own, which scikit-learn would give; without its import
        shared: np.random.RandomState = np.random.mtrand._rand
        return shared
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**32))
    if isinstance(seed, int | np.integer):  # not all starts need scikit-learn, whose import takes its time
        generator = np.random.RandomState(np.random.MT19937(_NoEntropy()))  # type: ignore[arg-type]
        generator.seed(int(seed))
        return generator
    from sklearn.utils import check_random_state

    state: np.random.RandomState = check_random_state(seed)
    return state
