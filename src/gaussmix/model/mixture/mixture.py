"""The mixture of Gaussians as a value: immutable, and usable without any fit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix.model.covariance import get_structure
from gaussmix.model.covariance.checking import check_covariances
from gaussmix.model.mixture import schema
from gaussmix.model.mixture.conversions import Conversions
from gaussmix.model.mixture.distribution import Distribution
from gaussmix.model.mixture.draws import Draws
from gaussmix.model.mixture.operations import Operations
from gaussmix.model.mixture.printing import MOST_COMPONENTS, MOST_FEATURES, format_html, format_text
from gaussmix.model.mixture.reduced import Reduced
from gaussmix.model.mixture.summaries import Summaries
from gaussmix.model.noise import Noise


class Mixture(Distribution, Summaries, Draws, Operations, Reduced, Conversions):
    """A mixture of k Gaussians in d dimensions.

    The density is ``p(x) = sum_k w_k N(x | mu_k, Sigma_k)``. Instances are frozen and their arrays
    read-only; parameters are held in double precision. Densities are computed in the precision of the
    rows that are asked about: float32 rows give float32 answers.

    Parameters
    ----------
    weights : array-like of shape (k,)
        Non-negative, summing to one.
    means : array-like of shape (k, d)
    covariances : array-like
        Of shape (k, d, d) for "full", (d, d) for "tied", (k, d) for "diag", (k,) for "spherical". Of mclust's
        families, (1,) for EII, (d,) for EEI, (k, d) for VEI and EVI, (k, d, d) for the others. Of factor
        analysers (k, d, n_factors + 1): loadings and, last, noise variances.
    covariance_type : str, default="full"
        One of these four, of mclust's fourteen names, or of factor analysers' eight (docs/factor.md).
    feature_names : sequence of str, optional
        One name a feature; saved with the mixture. A table (a data frame, a structured array) that is asked
        about must have these columns in this order: all methods refuse it otherwise (docs/frames.md).
    noise : Noise, optional
        A component of constant density; the weights and its weight sum to one together.

    Raises
    ------
    ValueError
        If shapes disagree, weights do not sum to one, or a covariance is not symmetric positive definite;
        the message says which and by how much.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 9.2.

    Examples
    --------
    >>> import gaussmix
    >>> mixture = gaussmix.Mixture([0.3, 0.7], [[-2.0], [1.0]], [0.5, 1.0], "spherical")
    >>> mixture.log_prob([[0.0]]).round(4)
    array([-1.7575])
    >>> mixture.responsibilities([[0.0]]).round(4)
    array([[0.018, 0.982]])
    """

    __module__ = "gaussmix.model.mixture"  # what pickles and skops files know the class by

    def __init__(
        self,
        weights: npt.ArrayLike,
        means: npt.ArrayLike,
        covariances: npt.ArrayLike,
        covariance_type: str = "full",
        *,
        feature_names: Sequence[str] | None = None,
        noise: Noise | None = None,
    ) -> None:
        shape = np.shape(means)
        structure = get_structure(covariance_type, shape[-1] if len(shape) == 2 else None)
        structure = structure.of_shape(np.shape(covariances))
        k, d = schema.check_shape(shape)
        stack, roots = check_covariances(structure, covariances, k, d)
        names = schema.check_names(None if feature_names is None else tuple(feature_names), d)
        if noise is not None:
            noise.check_features(d)
        mixture = self.of_parts(
            structure,
            _check.read_weights(weights, k, 0.0 if noise is None else noise.weight),
            _check.read_parameter(means, (k, d), "means", "(n_components, n_features)"),
            stack,
            roots,
            feature_names=names,
            noise=noise,
        )
        self.__dict__.update(mixture.__dict__)

    def __repr__(self) -> str:
        return (
            f"Mixture(n_components={self.n_components}, n_features={self.n_features}, "
            f"covariance_type={self.covariance_type!r}"
            + (")" if self.noise is None else f", noise={self.noise!r})")
        )

    def summary(self, *, max_components: int = MOST_COMPONENTS, max_features: int = MOST_FEATURES) -> str:
        """The components as a table: weights, means and standard deviations.

        Parameters
        ----------
        max_components, max_features : int
            How many are shown; what is not is counted below the table.

        Examples
        --------
        >>> import gaussmix
        >>> means, variances = [[-2.0, 5.0], [1.0, 0.0]], [[0.5, 1.0], [1.0, 4.0]]
        >>> mixture = gaussmix.Mixture([0.3, 0.7], means, variances, "diag")
        >>> print(mixture.summary())
        Gaussian mixture: 2 components, 2 features, covariance diag
        <BLANKLINE>
        component   weight               x0            x1
                0   0.3000   -2.000 ± 0.707   5.00 ± 1.00
                1   0.7000    1.000 ± 1.000   0.00 ± 2.00
        Each cell: mean ± standard deviation.
        """
        return format_text(self, max_components, max_features)

    def _repr_html_(self) -> str:
        return format_html(self)

    def __getstate__(self) -> dict[str, Any]:
        fields = (*schema.TENSORS, "precisions_cholesky", "covariance_type", "feature_names")
        tensors = {} if self.noise is None else self.noise.tensors
        return {name: getattr(self, name) for name in fields} | tensors

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(Mixture.of_parts(**schema.check_state(state)).__dict__)

    def save(self, path: str | os.PathLike[str], *, info: Mapping[str, Any] | None = None) -> None:
        """Write the mixture to a file, atomically: a write that fails leaves what was there before.

        Parameters
        ----------
        path : str or path
            A safetensors file; ".safetensors" is the usual ending. docs/format.md describes it.
        info : mapping, optional
            Anything JSON can hold that should travel with it, such as how it was fitted.

        Raises
        ------
        TypeError, ValueError
            If JSON cannot hold the info, or the covariances are singular to rounding, so that
            :meth:`load` would refuse them.
        OSError
            If the file cannot be written.
        """
        fields = (*schema.TENSORS, "covariance_type", "feature_names")
        schema.write(path, Mixture, {name: getattr(self, name) for name in fields}, self.noise, info)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a mixture that :meth:`save` wrote. The file is not trusted, and nothing in it is executed.

        Raises
        ------
        ModelFileError
            If the file is damaged, truncated, or no model; the message names the file and the cause.
        OSError
            If the file cannot be opened.
        """
        return schema.read(path, cls)[0]
