"""A component of constant density, for the rows that belong to no Gaussian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.moments.frame import Frame

#: The weight of the noise that a fit begins with, where nothing else is said.
DEFAULT_WEIGHT = 0.1
#: How far a given density may be from one over the volume of a given box, in nats.
AGREEMENT = 1e-8


@dataclass(frozen=True, eq=False)
class Noise:
    """A component of constant density beside the Gaussians of a mixture.

    The mixture is ``p(x) = w_0 c + sum_k w_k N(x | mu_k, Sigma_k)``, with c the density. It is the same
    everywhere, as in mclust, so that a new row far from all others is noise, too; as a distribution it is
    uniform over its box, whose volume is 1 / c.

    Parameters
    ----------
    weight : float, default=0.1
        w_0, in [0, 1]. Given to a fit, the weight to begin with.
    log_density : float, optional
        log c, in nats. Without it, and without a box, a fit takes one over the volume of its rows.
    box : array-like of shape (d + 1, d), optional
        A corner, and the d edges that leave it: what rows are drawn from. Without it none can be.

    Raises
    ------
    ValueError
        If the weight is outside [0, 1], a number is not finite, or the density is not that of the box.

    References
    ----------
    J. D. Banfield and A. E. Raftery, Model-based Gaussian and non-Gaussian clustering, Biometrics 49 (1993)
    803-821.

    Examples
    --------
    >>> import gaussmix
    >>> noise = gaussmix.Noise.between([-5.0], [5.0], weight=0.2)
    >>> mixture = gaussmix.Mixture([0.8], [[0.0]], [1.0], "spherical", noise=noise)
    >>> mixture.predict([[0.5], [4.0]])
    array([ 0, -1])
    """

    weight: float = DEFAULT_WEIGHT
    log_density: float | None = None
    box: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.weight) or not 0.0 <= float(self.weight) <= 1.0:
            raise ValueError(f"the weight of the noise must be a number from 0 to 1; got {self.weight!r}")
        object.__setattr__(self, "weight", float(self.weight))
        density = self.log_density
        if density is not None:
            if not _is_number(density) or not np.isfinite(float(density)):
                raise ValueError(f"the log_density of the noise must be a finite number; got {density!r}")
            object.__setattr__(self, "log_density", float(density))
        if self.box is not None:
            self._set_box(self.box)

    def _set_box(self, values: npt.ArrayLike) -> None:
        d = max(np.shape(values)[-1:], default=0)
        box = _check.read_parameter(
            values, (d + 1, d), "the box of the noise", "(n_features + 1, n_features)"
        )
        found = -float(np.linalg.slogdet(box[1:])[1])
        if not np.isfinite(found):
            raise ValueError("the box of the noise has no volume: its edges must be linearly independent")
        given = self.log_density
        if given is not None and abs(given - found) > AGREEMENT * (1.0 + abs(found)):
            raise ValueError(
                f"the noise has a log_density of {given:.10g}, but its box one of {found:.10g}; give either"
            )
        object.__setattr__(self, "box", box)
        object.__setattr__(self, "log_density", found if given is None else given)

    @classmethod
    def between(cls, low: npt.ArrayLike, high: npt.ArrayLike, weight: float = DEFAULT_WEIGHT) -> Self:
        """Noise over the box of all x with low <= x <= high, both of shape (d,)."""
        first, last = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        if first.ndim != 1 or first.shape != last.shape or not (first < last).all():
            raise ValueError(
                f"low and high must be vectors of the same length, low under high; got {low!r}, {high!r}"
            )
        return cls(weight, box=np.concatenate([first[None], np.diag(last - first)]))

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Float64Array]) -> Self | None:
        """The noise among the :attr:`tensors` of a mixture; ValueError if it makes no sense."""
        if "noise" not in tensors:
            return None
        numbers = tensors["noise"]
        if numbers.shape != (2,):
            raise ValueError(f"noise must have the shape (2,), weight and log-density; got {numbers.shape}")
        return cls(float(numbers[0]), float(numbers[1]), tensors.get("noise_box"))

    @property
    def tensors(self) -> dict[str, Float64Array]:
        """Weight and log-density as one array, and the box if there is one."""
        numbers = {"noise": np.array([self.weight, self.log_density])}
        return numbers if self.box is None else numbers | {"noise_box": np.asarray(self.box)}

    @property
    def log_joint(self) -> float:
        """The logarithm of w_0 c, minus infinity where the weight is zero."""
        with np.errstate(divide="ignore"):
            return float(np.log(self.weight)) + self.known_log_density

    @property
    def known_log_density(self) -> float:
        """The log-density; ValueError where neither it nor a box was given."""
        if self.log_density is None:
            raise ValueError("the noise has no density; give it a log_density or a box")
        return self.log_density

    def check_features(self, d: int) -> None:
        """Raise ValueError if the noise has no density, or a box of another number of features than d."""
        if self.box is not None and np.shape(self.box)[1] != d:
            raise ValueError(
                f"the box of the noise has {np.shape(self.box)[1]} features, and the mixture {d}"
            )
        _ = self.known_log_density  # raises if there is none

    def mapped(self, matrix: Float64Array, offset: Float64Array) -> Noise:
        """The noise of A x + b; A as in ``gaussmix.model.moments.frame.Frame``."""
        d = offset.size
        diagonal = np.diagonal(matrix) if matrix.ndim == 2 else np.broadcast_to(matrix, (d,))
        density = self.known_log_density - float(np.log(np.abs(diagonal)).sum())
        if self.box is None:
            return Noise(self.weight, density)
        box = np.asarray(self.box)
        moved = np.array(box @ matrix.T if matrix.ndim == 2 else box * matrix)
        moved[0] += offset
        return Noise(self.weight, density, moved)

    def seen_from(self, frame: Frame) -> Noise:
        """The noise in the coordinates of a frame."""
        return self.mapped(np.asarray(1.0), -frame.origin).mapped(frame.matrix, np.zeros_like(frame.origin))

    def sample(self, n_samples: int, generator: np.random.Generator) -> Float64Array:
        """Rows drawn from the box, shape (n_samples, d)."""
        if self.box is None:
            raise ValueError(
                "the noise of this mixture has a density but no box to draw rows from: give its Noise a box, "
                "or draw from mixture.without_noise()"
            )
        box = np.asarray(self.box)
        drawn = generator.random((n_samples, box.shape[1]))
        return np.asarray(box[0] + drawn @ box[1:])

    def __repr__(self) -> str:
        log_density = None if self.log_density is None else round(self.log_density, 6)
        return f"Noise(weight={self.weight:.6g}, log_density={log_density})"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
