"""The fitted attributes are the state of an estimator: its mixture follows what is assigned to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._typing import FloatArray
from gaussmix.estimators._assembling import MATRICES, VECTORS, Assigned, assemble
from gaussmix.estimators._matrices import MADE, MatrixAttributes
from gaussmix.model.mixture import Mixture

#: Bytes up to which arrays are compared as bytes, which is quicker than a call of NumPy.
SMALL = 4096


class State(MatrixAttributes):
    """Weights, means and covariances as plain arrays, and the frozen mixture that belongs to them.

    The mixture last made is kept, with the arrays that showed it. Every use compares them with those that
    there are: an edit counts however it was made, by assignment or in place, also in an estimator that never
    was fitted. What was edited decides, and the attributes that follow from it are assigned.
    """

    @property
    def mixture_(self) -> Mixture:
        """The distribution that the fitted attributes describe, frozen and in double precision."""
        return self._fitted()

    def _fitted(self) -> Mixture:
        """The mixture of the attributes as they are now."""
        seen = self.__dict__.get("_seen")
        if seen is None or self._edited(seen) or self._of_factors():
            self._follow()
        mixture: Mixture = self.__dict__["_mixture"]
        return mixture

    def _edited(self, seen: dict[str, FloatArray]) -> list[str]:
        """The attributes that are not as they were seen, deleted ones among them."""
        now = self.__dict__
        return [name for name, array in seen.items() if name not in now or not _same(now[name], array)]

    def _of_factors(self) -> list[str]:
        """Attributes that factor analysers make when asked, and that were assigned all the same."""
        mixture: Mixture | None = self.__dict__.get("_mixture")
        if mixture is None or not mixture.n_factors:
            return []
        return [name for name in MADE if name in self.__dict__]

    def _follow(self, *, anew: bool = False) -> None:
        """Make the mixture of the attributes, and assign those that follow.

        With `anew`, all that there are count as edited.
        """
        check_is_fitted(self)
        now = self.__dict__
        if self._of_factors():
            raise ValueError(
                f"{self._of_factors()[0]} of factor analysers cannot be assigned, since it is made of the "
                "loadings and noise variances of mixture_; build a gaussmix.Mixture of other ones"
            )
        values = {name: now[name] for name in (*VECTORS, *MATRICES) if now.get(name) is not None}
        before = None if anew else now.get("_mixture")
        edited = list(values) if before is None else self._edited(now["_seen"])
        assigned = Assigned(values, edited, before)
        mixture, log_total = assemble(assigned, now["covariance_type"], now.get("feature_names_in_"))
        follows: dict[str, FloatArray] = {}
        for name, of in {} if mixture.n_factors else MATRICES.items():
            if name not in values or not (assigned.keeps_matrices or name in assigned.sources):
                follows[name] = getattr(mixture, of).astype(_type_of(assigned))
        self._keep(mixture, values | follows, follows, log_total)

    def _publish(self, mixture: Mixture, dtype: np.dtype[Any]) -> None:
        """Assign all attributes of a mixture, in this type of numbers."""
        for name in MADE:  # of an earlier fit
            self.__dict__.pop(name, None)
        names = VECTORS if mixture.n_factors else VECTORS | MATRICES
        shown = {name: getattr(mixture, of).astype(dtype) for name, of in names.items()}
        self._keep(mixture, shown, shown)

    def _keep(
        self, mixture: Mixture, shown: dict[str, Any], assigned: dict[str, Any], log_total: float = 0.0
    ) -> None:
        """Keep a mixture with the attributes that show it, of which some are yet to be assigned.

        All at once, since other threads may be predicting.
        """
        seen = {name: np.array(array) for name, array in shown.items()}
        for name, of in (VECTORS | MATRICES).items():  # no second copy of what the mixture has
            if name in seen and _same(seen[name], getattr(mixture, of)):
                seen[name] = getattr(mixture, of)
        self.__dict__.update(assigned, _mixture=mixture, _seen=seen, _log_total=log_total)


def _same(value: Any, seen: FloatArray) -> bool:
    """Whether an attribute has the numbers that it was seen with."""
    array = value if type(value) is np.ndarray else np.asarray(value)
    if array.shape != seen.shape or array.dtype != seen.dtype:
        return False
    if array.nbytes <= SMALL:
        return bool(array.tobytes() == seen.tobytes())
    return bool(np.array_equal(array, seen))


def _type_of(assigned: Assigned) -> np.dtype[Any]:
    """The type of numbers of what follows: that of the matrices it follows from, or of the means."""
    dtype = np.asarray(assigned.values[next(iter(assigned.sources), "means_")]).dtype
    return dtype if dtype == np.float32 else np.dtype(np.float64)
