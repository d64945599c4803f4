"""Components in an order, and what it says for one feature: the methods of a mixture."""

from __future__ import annotations

from typing import Any, Self

from gaussmix.model.mixture.alignment import find_alignment
from gaussmix.model.mixture.order import find_order, take_components
from gaussmix.model.mixture.parts import Parts, read_mixture
from gaussmix.model.mixture.thresholds import Thresholds, find_thresholds


class Ordered(Parts):
    """The methods of :class:`gaussmix.Mixture` that are about the order of its components."""

    def sort_by(self, key: str | int) -> Self:
        """The same mixture with its components in another order.

        No rounding decides it: components that are equal in the key to a millionth come by their means, then
        their weights and variances.

        Parameters
        ----------
        key : str or int
            "weight", the largest first; a feature by its name or place, the least mean first; or "first
            axis", along the line on which the means, in standard deviations of the mixture, vary most. That
            points where the feature that counts most in it grows. Of a feature named like one of these two,
            give the place.

        Returns
        -------
        Mixture

        Raises
        ------
        ValueError
            If there is no such feature.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.2, 0.5, 0.3], [[3.0], [9.0], [6.0]], [1.0, 1.0, 1.0], "spherical")
        >>> mixture.sort_by("weight").means.ravel().tolist()
        [9.0, 6.0, 3.0]
        >>> mixture.sort_by(0).weights.tolist()
        [0.2, 0.3, 0.5]
        """
        return take_components(self, find_order(self, key))

    def align_to(self, reference: Any) -> Self:
        """The same mixture with each component at the place of that of a reference which it matches.

        Components are matched so that the sum of their Bhattacharyya distances is least::

            D = (m - m')' S^-1 (m - m') / 8 + log |S| / 2 - (log |C| + log |C'|) / 4,   S = (C + C') / 2

        which is the same in any units of the features, and tells far from farther. Weights decide between
        Gaussians that are the same.

        Parameters
        ----------
        reference : Mixture, FitResult, SearchResult or GaussianMixture
            Of the same features, of any family and number of components. Components without a partner come
            last, in their own order; those of the reference leave no gap.

        Returns
        -------
        Mixture

        Raises
        ------
        ValueError
            If the features are others.

        References
        ----------
        A. Bhattacharyya, On a measure of divergence between two statistical populations defined by their
        probability distributions, Bull. Calcutta Math. Soc. 35 (1943) 99-109.
        M. Stephens, Dealing with label switching in mixture models, J. R. Stat. Soc. B 62 (2000) 795-809.

        Examples
        --------
        >>> import gaussmix
        >>> reference = gaussmix.Mixture([0.5, 0.5], [[0.0], [9.0]], [1.0, 1.0], "spherical")
        >>> other = gaussmix.Mixture([0.6, 0.4], [[8.0], [1.0]], [2.0, 1.0], "spherical")
        >>> other.align_to(reference).means.ravel().tolist()
        [1.0, 8.0]
        """
        return take_components(self, find_alignment(self, read_mixture(reference, "reference", type(self))))

    def thresholds(self) -> Thresholds:
        """The points of one feature at which the label of :meth:`predict` changes.

        There, the weighted densities of two components cross: w N(x | m, s^2) = w' N(x | m', s'^2). Two
        components of different variances may cross twice, and one that is nowhere the most probable has no
        threshold. Noise counts as a component, with the label -1.

        Returns
        -------
        Thresholds
            A sequence of :class:`gaussmix.Threshold`, each a point, the labels on both sides, and how many
            rows lie on the wrong side.

        Raises
        ------
        ValueError
            If there are several features.

        References
        ----------
        R. O. Duda, P. E. Hart and D. G. Stork, Pattern Classification, Wiley 2001, sections 2.6 and 2.8.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], "spherical")
        >>> mixture.thresholds()
          x0   below   above   error below   error above    error
        2.00       0       1        0.0228        0.0228   0.0228
        Error rate in all: 0.0228.
        """
        return find_thresholds(self)
