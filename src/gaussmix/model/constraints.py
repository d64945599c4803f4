"""What a fit may be held to: bounded ratios, equal or not too small weights, parameters that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure

#: All components (True), none (False), or those of these numbers.
Which = bool | Sequence[int]
PARAMETERS: tuple[Literal["weights", "means", "covariances"], ...] = ("weights", "means", "covariances")


@dataclass(frozen=True)
class Constraints:
    """What the parameters of a fit have to satisfy. EM climbs among those that do.

    Parameters
    ----------
    eigenvalue_ratio : float, optional
        The largest eigenvalue of all covariances is at most so many times the smallest (at least 1): no
        component can collapse. Eigenvalues depend on units; bring features to comparable scales.
    determinant_ratio : float, optional
        The largest determinant of a covariance is at most so many times the smallest (at least 1).
    min_weight : float, default=0.0
        The least weight of a component.
    equal_weights : bool, default=False
        Every weight is 1 / n_components.
    fixed_weights, fixed_means, fixed_covariances : bool or sequence of int, default=False
        Parameters that stay those of the start, for all components (True) or for those of these numbers. The
        start has to give them.

    Raises
    ------
    ValueError
        If a number is out of its range, or two constraints do not go together. A fit says what does not go
        with its number of components, covariance type or start.

    References
    ----------
    L. A. Garcia-Escudero, A. Gordaliza, C. Matran and A. Mayo-Iscar, A general trimming approach to robust
    cluster analysis, Ann. Statist. 36 (2008) 1324-1345.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(0, 1, (50, 2)), [[7.0, 7.0], [7.1, 7.1]]])
    >>> within = gaussmix.Constraints(eigenvalue_ratio=10)
    >>> mixture = gaussmix.fit_mixture(X, 2, constraints=within, random_state=0).mixture
    >>> eigenvalues = np.linalg.eigvalsh(mixture.covariances)
    >>> bool(eigenvalues.max() <= 10.001 * eigenvalues.min())
    True
    """

    eigenvalue_ratio: float | None = None
    determinant_ratio: float | None = None
    min_weight: float = 0.0
    equal_weights: bool = False
    fixed_weights: Which = False
    fixed_means: Which = False
    fixed_covariances: Which = False

    def __post_init__(self) -> None:
        for name in ("eigenvalue_ratio", "determinant_ratio"):
            ratio = getattr(self, name)
            if ratio is not None:
                _check.refuse_negative(ratio, name)
                if ratio < 1.0:
                    raise ValueError(f"{name} must be at least 1: the largest over the smallest; got {ratio}")
        _check.refuse_negative(self.min_weight, "min_weight")
        for parameter in PARAMETERS:
            name = f"fixed_{parameter}"
            object.__setattr__(self, name, _check_which(getattr(self, name), name))
        self._check_together()

    def _check_together(self) -> None:
        if self.eigenvalue_ratio is not None and self.determinant_ratio is not None:
            raise ValueError("give eigenvalue_ratio or determinant_ratio, not both")
        if self.bounded and self.fixed_covariances:
            raise ValueError(
                "a ratio of eigenvalues or determinants compares all covariances, so fixed_covariances "
                "does not go with it"
            )
        if self.equal_weights and (self.fixed_weights or self.min_weight):
            raise ValueError("equal_weights leaves nothing for min_weight or fixed_weights to say: drop them")

    @property
    def bounded(self) -> bool:
        """Whether the covariances of different components are compared."""
        return self.eigenvalue_ratio is not None or self.determinant_ratio is not None

    @property
    def fixed(self) -> tuple[str, ...]:
        """The parameters of which some are fixed."""
        return tuple(name for name in PARAMETERS if getattr(self, f"fixed_{name}"))

    def mask(self, parameter: str, k: int) -> npt.NDArray[np.bool_]:
        """Which of the k components have this parameter fixed."""
        which: Which = getattr(self, f"fixed_{parameter}")
        if isinstance(which, bool):
            return np.full(k, which)
        mask = np.zeros(k, dtype=bool)
        mask[list(which)] = True
        return mask

    def check(self, structure: Structure, k: int) -> None:
        """Raise ValueError where a fit of this family with k components cannot satisfy the constraints."""
        if self.bounded and structure.coupled:
            raise ValueError(
                "eigenvalue_ratio and determinant_ratio are for families whose components share no part of "
                f"their covariances, or all, not for {structure.name!r}; use 'full', 'diag' or 'spherical'"
            )
        if structure.n_factors and (self.bounded or self.fixed_covariances):
            raise ValueError(
                "eigenvalue_ratio, determinant_ratio and fixed_covariances are not for factor analysers, and "
                f"covariance_type is {structure.name!r}; use 'full', 'diag' or 'spherical'"
            )
        if self.min_weight * k > 1.0:
            raise ValueError(
                f"min_weight={self.min_weight} for {k} components adds up to more than 1; it can be at most "
                f"{1.0 / k:.6g}"
            )
        for parameter in PARAMETERS:
            which: Which = getattr(self, f"fixed_{parameter}")
            if not isinstance(which, bool) and max(which) >= k:
                raise ValueError(
                    f"fixed_{parameter} names component {max(which)}, but the last of {k} is {k - 1}"
                )
        mask = self.mask("covariances", k)
        if mask.any() and not mask.all() and (structure.coupled or structure.shared):
            raise ValueError(
                f"components of {structure.name!r} share a part of their covariances, so those of single "
                "ones cannot be fixed: fix all (fixed_covariances=True), or use 'full', 'diag' or 'spherical'"
            )

    def n_fixed_parameters(self, structure: Structure, k: int, d: int) -> int:
        """How many parameters are not free, of those that a mixture without constraints has."""
        weights = k - 1 if self.equal_weights else min(int(self.mask("weights", k).sum()), k - 1)
        covariances = self.mask("covariances", k)
        m = int(covariances.sum())
        fixed = structure.n_covariance_parameters(k if covariances.all() else m, d) if m else 0
        return weights + d * int(self.mask("means", k).sum()) + fixed

    def described(self) -> dict[str, Any]:
        """The constraints as plain JSON, to tell them from others."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def bound_weights(counts: Float64Array, least: float, mass: float = 1.0) -> Float64Array:
    """The weights w >= `least` that add up to `mass` and maximise sum counts log w.

    Those that would be less get `least`, and the others share what is left in proportion to their counts.
    That makes these smaller, so more of them may turn out too small; but the first would still be too small.
    """
    low = np.zeros(counts.shape, dtype=bool)
    while True:
        rest, free = float(counts[~low].sum()), int((~low).sum())
        left = mass - least * int(low.sum())
        share = left * counts / rest if rest > 0.0 else np.full(counts.shape, left / max(free, 1))
        weights = np.where(low, least, share)
        short = ~low & (weights < least)
        if not short.any() or short.sum() == free:
            return np.maximum(weights, least)
        low |= short


def _check_which(which: Any, name: str) -> Which:
    """A flag, or numbers of components, sorted; ValueError for what is neither."""
    if isinstance(which, bool | np.bool_):
        return bool(which)
    try:
        numbers = tuple(sorted({int(number) for number in which if int(number) == number >= 0}))
        sound = len(numbers) == len(list(which)) and not isinstance(which, str)
    except (TypeError, ValueError):
        sound, numbers = False, ()
    if not sound:
        raise ValueError(
            f"{name} must be True, False, or the numbers of components, each once; got {which!r}"
        )
    return numbers or False
