"""Rows drawn from a mixture: independent ones, ones that fill it evenly, and ones between limits.

What answers is imported by the method that asks it: a mixture that is fitted or evaluated loads none of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.sampling import check_number, draw_rows, read_size


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
        check_number(n_samples)
        return draw_rows(self, n_samples, np.random.default_rng(rng))

    def rvs(self, size: int | tuple[int, ...] | None = None, random_state: Any = None) -> Any:
        """SciPy's name of :meth:`sample`, without labels.

        Parameters
        ----------
        size : int or tuple of int, optional
            How many draws; one by itself if it is not given.
        random_state : numpy.random.Generator, numpy.random.RandomState, int or None
            Both kinds of generators go on from where they are.

        Returns
        -------
        float or ndarray
            Of one feature of the shape `size`, of several of the shape ``(*size, d)``.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> mixture.rvs((3, 2), random_state=0).shape
        (3, 2)
        """
        shape = read_size(size)
        n = int(np.prod(shape, dtype=np.int64))
        if isinstance(random_state, np.random.RandomState):
            random_state = np.random.Generator(random_state._bit_generator)
        X = np.empty((0, self.n_features))
        if n:
            X = draw_rows(self, n, np.random.default_rng(random_state))[0]
        return X.reshape(shape if self.n_features == 1 else (*shape, self.n_features))[()]

    def sample_sobol(
        self, n_samples: int, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draw rows that fill the mixture evenly: scrambled Sobol points, mapped to its components.

        Each row by itself is distributed as those of :meth:`sample`, but together they leave fewer gaps: the
        mean of a smooth function over n of them has an error that falls nearly as 1 / n, not as its root.

        Parameters
        ----------
        n_samples : int
            Best a power of two.
        rng : numpy.random.Generator, int or None
            What scrambles the points.

        Returns
        -------
        X : ndarray of shape (n_samples, d)
        labels : ndarray of shape (n_samples,)
            The component that each row came from, -1 for the noise.

        Raises
        ------
        ValueError
            If there is noise without a box, or more features than Sobol's sequence has.

        References
        ----------
        A. B. Owen, Scrambling Sobol and Niederreiter-Xing points, J. Complexity 14 (1998) 466-489.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.25, 0.75], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> X, labels = mixture.sample_sobol(1024, rng=0)
        >>> int((labels == 0).sum())
        256
        >>> bool(abs(X.mean() - mixture.mean[0]) < 0.01)
        True
        """
        from gaussmix.model.mixture.density.sobol import draw_sobol

        check_number(n_samples)
        return draw_sobol(self, n_samples, np.random.default_rng(rng))

    def sample_truncated(
        self,
        n_samples: int,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        rng: np.random.Generator | int | None = None,
    ) -> tuple[Float64Array, IntArray]:
        """Draw independent rows of the mixture restricted to a box, exactly.

        However improbable the box is, most proposals are accepted: all of independent features and of one
        with limits, and most of several, up to some tens.

        Parameters
        ----------
        n_samples : int
        low, high : array-like of shape (d,)
            Opposite corners, in units of the features; infinite where there is no limit. A number holds for
            all features.
        rng : numpy.random.Generator, int or None
            As for :meth:`sample`.

        Returns
        -------
        X : ndarray of shape (n_samples, d)
        labels : ndarray of shape (n_samples,)
            The component that each row came from, -1 for the noise.

        Raises
        ------
        ValueError
            If the box has no volume, or there is noise without a box whose edges are along the features.

        Notes
        -----
        Each component proposes rows by minimax exponential tilting. The weight of a component in the box is
        not computed: its proposals come at a rate that bounds it, and acceptance does the rest.

        References
        ----------
        Z. I. Botev, The normal law under linear restrictions: simulation and estimation via minimax tilting,
        J. R. Stat. Soc. B 79 (2017) 125-148.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0, 0.0], [2.0, 0.0]], [1.0, 1.0], "spherical")
        >>> low, high = [20.0, -float("inf")], [25.0, 0.0]
        >>> f"{mixture.box_probability(low, high):.0e}"
        '2e-73'
        >>> X, labels = mixture.sample_truncated(1000, low, high, rng=0)
        >>> bool((X >= low).all() and (X <= high).all())
        True
        """
        from gaussmix.model.mixture.density.points import read_limits
        from gaussmix.model.mixture.density.truncation import draw_truncated

        check_number(n_samples)
        first, last, shape = read_limits(self, low, high)
        if len(first) != 1 or len(shape) > 1:
            raise ValueError(
                f"low and high must have the shape ({self.n_features},), those of one box; got "
                f"{np.shape(low)} and {np.shape(high)}"
            )
        return draw_truncated(self, n_samples, first[0], last[0], np.random.default_rng(rng))
