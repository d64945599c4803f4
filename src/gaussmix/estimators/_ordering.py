"""The order of components in an estimator: its fitted attributes change places together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._typing import IntArray
from gaussmix.clusters.merging import Merging, Method, merge_components
from gaussmix.estimators._assembling import VECTORS
from gaussmix.estimators._state import State
from gaussmix.estimators._validate import read_estimator_rows
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.alignment import find_alignment
from gaussmix.model.mixture.order import find_order, take_components
from gaussmix.model.mixture.parts import read_mixture
from gaussmix.model.mixture.thresholds import Thresholds


class Ordering(State):
    """The methods of a fitted estimator that are about the order of its components."""

    def sort_by(self, key: str | int) -> Self:
        """Put the components in another order: all fitted attributes, and what `predict` says, follow.

        Parameters
        ----------
        key : str or int
            "weight", the largest first; a feature by its name or place, the least mean first; or "first
            axis", along which the means vary most. Equal components come in the order that a fit gives them.

        Returns
        -------
        self

        See Also
        --------
        Mixture.sort_by : the same for the frozen distribution, with all details.

        Examples
        --------
        >>> from gaussmix import GaussianMixture
        >>> from gaussmix.datasets import load_faithful
        >>> X, names = load_faithful()
        >>> model = GaussianMixture(2, random_state=0).fit(X).sort_by("weight")
        >>> bool(model.weights_[0] > model.weights_[1])
        True
        """
        return self._take_components(find_order(self._get_mixture(), key))

    def align_to(self, reference: Any) -> Self:
        """Put each component at the place of that of a reference which it matches.

        Parameters
        ----------
        reference : Mixture, FitResult, SearchResult or GaussianMixture
            Of the same features. Components without a partner come last.

        Returns
        -------
        self

        See Also
        --------
        Mixture.align_to : the same for the frozen distribution, with all details.
        """
        reference = read_mixture(reference, "reference", Mixture)
        return self._take_components(find_alignment(self._get_mixture(), reference))

    def thresholds(self) -> Thresholds:
        """The points of one feature at which the label of `predict` changes: :meth:`Mixture.thresholds`.

        Returns
        -------
        Thresholds
        """
        return self._get_mixture().thresholds()

    def merge_components(
        self,
        X: Any,
        method: Method = "entropy",
        *,
        cutoff: float | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Merging:
        """Merge the components into clusters, and keep the result as `merging_`.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows that were fitted.
        method : {"entropy", "demp", "modes"}, default="entropy"
        cutoff : float, optional
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        Merging
            That of the components as they are now. A further fit, and another order, take `merging_` away.

        See Also
        --------
        gaussmix.merge_components : the same for any mixture, with all details.
        """
        rows = read_estimator_rows(self, X)
        kept = getattr(self.__dict__.get("fit_result_"), "kept", None)
        weights = sample_weight if kept is None else kept
        self.merging_ = merge_components(
            self._get_mixture(), rows, method, cutoff=cutoff, sample_weight=weights
        )
        return self.merging_

    def _take_components(self, order: IntArray) -> Self:
        """Assign all fitted attributes with components in this order. Overwrites `self.fit_result_`."""
        before, now = self._get_mixture(), self.__dict__
        after = take_components(before, order)
        # as they are, in their own type and with a sum of weights that need not be one
        shown = {name: np.asarray(now[name]) for name in now["_seen"]}
        for name, array in shown.items():
            shown[name] = array[order] if name in VECTORS else before.structure.select(array, order)
        self._keep_mixture(after, shown, shown, now["_weight_sum"])
        now.pop("merging_", None)
        result = now.get("fit_result_")
        if result is not None and result.mixture.n_components == len(order):
            reordered = result.take_components(order)
            self.fit_result_ = replace(reordered, mixture=after) if result.mixture is before else reordered
        return self
