"""The fitted attributes are the state of an estimator: its mixture follows what is assigned to them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.estimators._assembling import MATRICES, VECTORS, Assigned, assemble_mixture
from gaussmix.estimators._validate import find_covariance_type
from gaussmix.model.covariance.matrices import upper_roots
from gaussmix.model.mixture import Mixture

#: Bytes up to which arrays are compared as bytes, which is quicker than a call of NumPy.
SMALL = 4096


def _make_precisions(mixture: Mixture) -> Float64Array:
    """Psi^-1 - V V', by Woodbury's identity."""
    V, inverse = mixture.precisions[:, :, :-1], mixture.precisions[:, :, -1]
    return np.asarray(inverse[:, :, None] * np.eye(inverse.shape[1]) - V @ np.swapaxes(V, 1, 2))


#: Attributes of factor analysers, made whenever they are asked for, since the matrices of all features would
#: be large. They are read-only: an edit of what is made anew each time would be lost.
MADE: dict[str, Any] = {
    "n_factors_": lambda mixture: mixture.n_factors,
    "loadings_": lambda mixture: mixture.loadings,
    "noise_variances_": lambda mixture: mixture.noise_variances,
    "covariances_": lambda mixture: mixture.dense_covariances,
    "precisions_": _make_precisions,
    "precisions_cholesky_": lambda mixture: upper_roots(mixture.dense_covariances),
}


class Attribute:
    """An array in the dictionary of an instance. The name of one that anybody else may hold is noted.

    An array that nobody was handed cannot have been edited in place. So the large arrays, which most programs
    never ask for, are not compared whenever a row is predicted.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type | None = None) -> Any:
        if model is None:
            return self
        if self.name not in model.__dict__:
            raise AttributeError(self.name)  # State.__getattr__ says more
        model.__dict__.setdefault("_handed", set()).add(self.name)
        return model.__dict__[self.name]

    def __set__(self, model: Any, value: Any) -> None:
        model.__dict__.setdefault("_handed", set()).add(self.name)
        model.__dict__[self.name] = value

    def __delete__(self, model: Any) -> None:
        if model.__dict__.pop(self.name, None) is None:
            raise AttributeError(self.name)


class State:
    """Weights, means and covariances as plain arrays, and the frozen mixture that belongs to them.

    The mixture last made is kept, with the arrays that showed it. Every use of the estimator compares them
    with the present arrays. So edits count, by assignment or in place, also in an estimator that never was
    fitted. Edited attributes decide, and those that follow from them are assigned.
    """

    weights_ = Attribute()
    means_ = Attribute()
    covariances_ = Attribute()
    precisions_ = Attribute()
    precisions_cholesky_ = Attribute()

    def __getattr__(self, name: str) -> Any:
        mixture: Mixture | None = self.__dict__.get("_mixture")
        if name not in MADE or mixture is None or not mixture.n_factors:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        made = MADE[name](mixture)
        if isinstance(made, int):
            return made
        array = made.astype(np.asarray(self.__dict__["means_"]).dtype)
        array.flags.writeable = False
        return array

    @property
    def mixture_(self) -> Mixture:
        """The distribution that the fitted attributes describe, frozen and in double precision."""
        return self._get_mixture()

    def _get_mixture(self) -> Mixture:
        """The mixture of the attributes as they are now."""
        if "_mixture" not in self.__dict__ or self._find_edited() or self._find_overwritten():
            self._follow_edits()
        mixture: Mixture = self.__dict__["_mixture"]
        return mixture

    def _find_edited(self) -> list[str]:
        """The attributes that do not show the mixture any more, deleted ones among them."""
        now, handed = self.__dict__, self.__dict__.get("_handed", ())
        edited = []
        for name, (shown, numbers) in now["_seen"].items():
            held = name in handed or now.get(name) is not shown
            if held and (name not in now or not _is_same(now[name], numbers)):
                edited.append(name)
        return edited

    def _find_overwritten(self) -> list[str]:
        """Attributes that factor analysers make when asked, and that were assigned all the same."""
        mixture: Mixture | None = self.__dict__.get("_mixture")
        if mixture is None or not mixture.n_factors:
            return []
        return [name for name in MADE if name in self.__dict__]

    def _follow_edits(self, *, anew: bool = False) -> None:
        """Make the mixture of the attributes, and assign those that follow. Overwrites `self._mixture`.

        With `anew`, all attributes count as edited.
        """
        check_is_fitted(self)
        now = self.__dict__
        if overwritten := self._find_overwritten():
            raise ValueError(
                f"{overwritten[0]} of factor analysers cannot be assigned, since it is made of the "
                "loadings and noise variances of mixture_; build a gaussmix.Mixture of other ones"
            )
        values = {name: now[name] for name in (*VECTORS, *MATRICES) if now.get(name) is not None}
        before = None if anew else now.get("_mixture")
        edited = list(values) if before is None else self._find_edited()
        assigned = Assigned(values, edited, before)
        mixture, weight_sum = assemble_mixture(
            assigned, find_covariance_type(now), now.get("feature_names_in_")
        )
        follows: dict[str, FloatArray] = {}
        for name, of in {} if mixture.n_factors else MATRICES.items():
            if name not in values or not (assigned.keeps_matrices or name in assigned.sources):
                # of the type of the matrices that it follows from, or of the means
                source = values[next(iter(assigned.sources), "means_")]
                follows[name] = getattr(mixture, of).astype(find_float_type(source))
        self._keep_mixture(mixture, values | follows, follows, weight_sum)

    def _publish(self, mixture: Mixture, dtype: np.dtype[Any]) -> None:
        """Assign all attributes of a mixture, in this type of numbers."""
        for name in MADE:  # of an earlier fit
            self.__dict__.pop(name, None)
        names = VECTORS if mixture.n_factors else VECTORS | MATRICES
        shown = {name: getattr(mixture, of).astype(dtype) for name, of in names.items()}
        self._keep_mixture(mixture, shown, shown)

    def _keep_mixture(
        self, mixture: Mixture, shown: dict[str, Any], assigned: dict[str, Any], weight_sum: float = 1.0
    ) -> None:
        """Keep a mixture with the attributes that show it, and assign those in `assigned`.

        All of them change at once, since other threads may be predicting.
        """
        seen = {}
        for name, array in shown.items():
            numbers, own = np.array(array), getattr(mixture, (VECTORS | MATRICES)[name])
            seen[name] = array, own if _is_same(own, numbers) else numbers  # no copy of what the mixture has
        handed = set(shown) - set(assigned)
        self.__dict__.update(assigned, _mixture=mixture, _seen=seen, _handed=handed, _weight_sum=weight_sum)

    def __getstate__(self) -> dict[str, Any]:
        """The state without a second copy of the arrays; with the mixture, if the arrays still show it."""
        shows = "_mixture" in self.__dict__
        if shows and (self._find_edited() or self._find_overwritten()):
            try:
                self._follow_edits()
            except ValueError:  # whoever uses the model will be told
                shows = False
        parent: Any = super()
        hidden = {"_seen", "_handed"} | (set() if shows else {"_mixture"})
        return {name: value for name, value in parent.__getstate__().items() if name not in hidden}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[misc]
        if (mixture := state.get("_mixture")) is not None:
            shown = {name: state[name] for name in (*VECTORS, *MATRICES) if name in state}
            self._keep_mixture(mixture, shown, shown, state["_weight_sum"])

    def __copy__(self) -> Self:
        """A copy that shares the arrays, so that either can edit those of the other."""
        other = object.__new__(type(self))
        self.__dict__["_handed"] = {*VECTORS, *MATRICES}
        other.__dict__.update(self.__dict__, _handed={*VECTORS, *MATRICES})
        return other


def _is_same(value: Any, seen: FloatArray) -> bool:
    """Whether an attribute has the numbers that it was seen with."""
    array = value if type(value) is np.ndarray else np.asarray(value)
    if array.shape != seen.shape or array.dtype != seen.dtype:
        return False
    if array.nbytes <= SMALL:
        return bool(array.tobytes() == seen.tobytes())
    return bool(np.array_equal(array, seen))


def find_float_type(array: Any) -> np.dtype[Any]:
    """The type of numbers of attributes that are made of this array: float32 of float32, else float64."""
    dtype = np.asarray(array).dtype
    return dtype if dtype == np.float32 else np.dtype(np.float64)
