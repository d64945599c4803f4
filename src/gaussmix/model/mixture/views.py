"""How a mixture is evaluated: the frame that whitens it, for rows of each type, and passes from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.moments.frame import Frame

if TYPE_CHECKING:
    from gaussmix.model.mixture import Mixture

#: Spreads of the mixture beyond which rows are taken to be that far away, by type of float.
FARTHEST = {"d": 1e100, "f": 1e12}

#: The frame that whitens a whole mixture, the natural parameters in it, and how far from its origin a row's
#: features may be, shape (d,), lest their squares overflow.
View = tuple[Frame, Natural, Float64Array]


def sweep(mixture: Mixture, X: npt.ArrayLike) -> tuple[Sweep, Natural]:
    """A pass over rows, once they are checked, and the natural parameters for it."""
    rows, extent = _check.rows_and_extent(X, mixture.n_features)
    frame, natural, far = view(mixture, rows.dtype)
    if extent > 0.5 * float(far.min()):
        rows = np.clip(rows, *(np.asarray(frame.origin + far * s, dtype=rows.dtype) for s in (-1.0, 1.0)))
    return Sweep(rows, frame, mixture.form, natural.n_rows), natural


def view(mixture: Mixture, dtype: np.dtype[Any]) -> View:
    """How rows of a type see the mixture; kept with it."""
    if dtype not in mixture.views:
        group = mixture.structure.group
        spread = mixture.covariance if group == "affine" else mixture.total_variances
        frame = Frame.of_moments(mixture.mean, spread, group, dtype)
        with np.errstate(over="ignore"):
            far = FARTHEST[dtype.char] * np.sqrt(frame.variances)
        mixture.views[dtype] = frame, mixture.seen_from(frame).natural, far
    return mixture.views[dtype]
