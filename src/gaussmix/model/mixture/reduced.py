"""Fewer components: the methods of a mixture that reduce and prune it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from gaussmix import _check
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.order import take_components

if TYPE_CHECKING:
    from gaussmix.model.mixture.reduction.reduction import Reduction, ReductionMethod


class Reduced(Evaluated):
    """The methods of :class:`gaussmix.Mixture` that make a mixture of fewer components."""

    def reduce(
        self,
        n_components: int | None = None,
        *,
        max_loss: float | None = None,
        method: ReductionMethod = "runnalls",
        refine: bool = True,
    ) -> Self:
        """A mixture of fewer components with the same mean and covariance.

        Components merge two by two. What merges becomes the Gaussian with the mean and covariance that it
        had together. The spread between means has correlations, so the result is of the family "full",
        whatever this mixture's is. Noise and names stay.

        Parameters
        ----------
        n_components : int, optional
            At most so many components.
        max_loss : float, optional
            In nats: merging ends before the loss is more. The loss is a bound of KL(self || result)::

                loss = sum_i w_i KL(f_i || g_label(i)) = (sum_j v_j log |D_j| - sum_i w_i log |C_i|) / 2

            with v_j and D_j the weights and covariances of the result. Give one of the two, or both.
        method : {"runnalls", "salmond", "west"}, default="runnalls"
            Which two merge next: those whose merge adds least to the loss; those whose merge moves least
            variance, relative to the covariance of the whole, from between components into them; the
            component of least weight and its nearest.
        refine : bool, default=True
            Whether components then go to the group of least KL(f_i || g_j), as rows do in k-means, until
            none wants to leave. It never makes the loss greater.

        Returns
        -------
        Mixture
            The mixture itself where it has no more components than asked for.

        Raises
        ------
        ValueError
            If neither a number nor a loss is given, or one of them makes no sense.

        See Also
        --------
        find_reduction : the same, with the group of each component and the loss.

        Notes
        -----
        Time is O(k^2 d^3) and memory O(k d^2), for k components of d features.

        References
        ----------
        A. R. Runnalls, Kullback-Leibler approach to Gaussian mixture reduction, IEEE Trans. Aerosp. Electron.
        Syst. 43 (2007) 989-999.
        D. J. Salmond, Mixture reduction algorithms for target tracking in clutter, Proc. SPIE 1305 (1990)
        434-445.
        M. West, Approximating posterior distributions by mixtures, J. R. Stat. Soc. B 55 (1993) 409-422.
        J. Goldberger and S. Roweis, Hierarchical clustering of a mixture model, NIPS 17 (2004) 505-512.

        Examples
        --------
        >>> import gaussmix
        >>> means = [[-1.0], [1.0], [9.0]]
        >>> mixture = gaussmix.Mixture([0.25, 0.25, 0.5], means, [1.0, 1.0, 1.0], "spherical")
        >>> reduced = mixture.reduce(2)
        >>> reduced.means.round(9).tolist(), reduced.covariances.round(9).tolist()
        ([[0.0], [9.0]], [[[2.0]], [[1.0]]])
        """
        return self.find_reduction(n_components, max_loss=max_loss, method=method, refine=refine).mixture

    def find_reduction(
        self,
        n_components: int | None = None,
        *,
        max_loss: float | None = None,
        method: ReductionMethod = "runnalls",
        refine: bool = True,
    ) -> Reduction[Self]:
        """As :meth:`reduce`, with the group of each component, the loss, and the losses on the way.

        Parameters
        ----------
        n_components, max_loss, method, refine
            As for :meth:`reduce`.

        Returns
        -------
        Reduction
            Its ``losses`` say what each number of components costs: reduce to 1, and look where they rise.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.3, 0.2, 0.5], [[0.0], [0.5], [9.0]], [1.0, 1.0, 1.0], "spherical")
        >>> mixture.find_reduction(1).losses.round(1).tolist()
        [0.0, 0.0, 1.5]
        """
        from gaussmix.model.mixture.reduction.reduction import find_reduction

        return find_reduction(self, n_components, max_loss, method, refine=refine)

    def prune(self, least_weight: float) -> Self:
        """The mixture without components of less than a weight; the others keep their proportions.

        Unlike :meth:`reduce` it moves the mean and covariance of the whole. Family, noise and names stay.

        Parameters
        ----------
        least_weight : float
            From 0 to 1. Zero leaves out nothing; a small number such as 1e-12, components of no weight.

        Raises
        ------
        ValueError
            If no component has as much.

        Examples
        --------
        >>> import gaussmix
        >>> means = [[5.0], [0.0], [9.0]]
        >>> mixture = gaussmix.Mixture([0.01, 0.495, 0.495], means, [1.0, 1.0, 1.0], "spherical")
        >>> mixture.prune(0.05).weights.tolist()
        [0.5, 0.5]
        """
        _check.refuse_negative(least_weight, "least_weight")
        kept = np.flatnonzero(self.weights >= least_weight)
        total = float(self.weights[kept].sum())
        if total <= 0.0:
            raise ValueError(
                f"no component has a weight of {float(least_weight):.6g} or more: the greatest is "
                f"{float(self.weights.max()):.6g}"
            )
        return take_components(self, kept, self.weights[kept] * (float(self.weights.sum()) / total))
