"""Rows drawn from a fitted estimator."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import FloatArray, IntArray
from gaussmix.estimators._assembling import AGREEMENT
from gaussmix.estimators._state import State


class Drawing(State):
    """The method of a fitted estimator that draws rows."""

    random_state: Any

    def sample(self, n_samples: int = 1) -> tuple[FloatArray, IntArray]:
        """Draw rows from the fitted mixture.

        Each call draws afresh; with an int `random_state` the sequence of draws after a fit is reproducible.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            The component of each row, -1 for the noise.
        """
        mixture = self._get_mixture()
        if abs(self._weight_sum - 1.0) > AGREEMENT:
            raise ValueError(
                f"divide weights_ by their sum before rows are drawn: they sum to {self._weight_sum:.6g}"
            )
        if isinstance(self.random_state, np.random.RandomState):
            return mixture.sample(n_samples, np.random.default_rng(self.random_state.randint(2**31, size=4)))
        if "_sampling" not in self.__dict__:  # attributes were assigned without a fit
            self._sampling = self._make_generator()
        return mixture.sample(n_samples, self._sampling)

    def _make_generator(self) -> np.random.Generator:
        """What draws of `sample` begin with."""
        seed = self.random_state if isinstance(self.random_state, int | np.integer) else None
        return np.random.default_rng(seed)
