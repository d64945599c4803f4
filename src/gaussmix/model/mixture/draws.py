"""Rows drawn from a mixture: independent ones."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.sampling import draw_rows


class Draws(Evaluated):
    """The methods of :class:`gaussmix.Mixture` that draw rows."""

    def sample(
        self, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draw independent rows.

        Parameters
        ----------
        n_samples : int, default=1
        rng : numpy.random.Generator, int or None
            A generator goes on from where it is, so that each call draws afresh; an int seeds a new one.

        Returns
        -------
        X : ndarray of shape (n_samples, d)
        labels : ndarray of shape (n_samples,)
            The component that each row came from, -1 for the noise.

        Raises
        ------
        ValueError
            If there is noise of which only the density is known: rows of it need a box.
        """
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples}; at least one sample must be drawn")
        return draw_rows(self, n_samples, np.random.default_rng(rng))
