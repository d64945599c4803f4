"""The mixture as a prior in other people's models; each package is imported only where it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.mixture.evaluated import Evaluated

if TYPE_CHECKING:
    from gaussmix.foreign.components import Components
    from gaussmix.foreign.stan import StanPrior


class AsPrior(Evaluated):
    """The methods of :class:`gaussmix.Mixture` that give it to probabilistic programs."""

    def to_torch(self, dtype: Any = None, device: Any = None) -> Any:
        """The mixture as a distribution of PyTorch, whose log-density has gradients in the values.

        Components are stored as lean as PyTorch can: factor analysers as ``LowRankMultivariateNormal``,
        independent features as ``Independent(Normal)``, all other families as ``MultivariateNormal``. A
        mixture of one feature is a distribution of numbers, of several one of vectors.

        Parameters
        ----------
        dtype : torch.dtype, default=torch.float64
            The default is the precision of the mixture's own parameters.
        device : torch.device or str, optional
            Where its tensors are; PyTorch's default without it.

        Returns
        -------
        torch.distributions.MixtureSameFamily
            Of an event shape (), for one feature, or (d,).

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        ValueError
            If there is noise, which has no density that integrates to one.

        References
        ----------
        J. V. Dillon et al., TensorFlow Distributions, arXiv:1711.10604, whose design PyTorch's follows.

        Examples
        --------
        >>> import gaussmix, torch
        >>> mixture = gaussmix.Mixture([0.3, 0.7], [[0.0, 0.0], [2.0, 1.0]], [[1.0, 1.0], [2.0, 0.5]], "diag")
        >>> distribution = mixture.to_torch()
        >>> x = torch.tensor([[1.0, 1.0]], dtype=torch.float64, requires_grad=True)
        >>> bool(abs(distribution.log_prob(x).item() - mixture.log_prob([[1.0, 1.0]])[0]) < 1e-9)
        True
        >>> gaussmix.Mixture.from_torch(distribution)
        Mixture(n_components=2, n_features=2, covariance_type='diag')
        """
        from gaussmix.foreign import torch

        return torch.make_distribution(self._give_components("to_torch"), dtype, device)

    @classmethod
    def from_torch(cls, distribution: Any, *, feature_names: Sequence[str] | None = None) -> Self:
        """A mixture of a distribution of PyTorch, on any device; it has the same density, to rounding.

        Parameters
        ----------
        distribution : torch.distributions.MixtureSameFamily
            With components of ``MultivariateNormal``, ``LowRankMultivariateNormal``, ``Independent(Normal,
            1)`` or ``Normal``; or one such Gaussian alone, for a mixture of one component. Without a batch.
        feature_names : sequence of str, optional
            One a feature.

        Returns
        -------
        Mixture
            Of the covariance type "full", "factor" or "diag": what components of a family shared is equal,
            and no longer known to be shared.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        ValueError
            If it is no mixture of Gaussians, or a batch of them.

        Examples
        --------
        >>> import gaussmix, torch
        >>> gaussmix.Mixture.from_torch(torch.distributions.Normal(0.0, 2.0)).covariances
        array([[4.]])
        """
        from gaussmix.foreign import torch

        make: Callable[..., Self] = cls
        return make(**torch.read_distribution(distribution), feature_names=feature_names)

    def to_pymc(self, name: str, *, dims: str | Sequence[str] | None = None, **options: Any) -> Any:
        """A variable of a PyMC model, distributed as the mixture; call it inside the model.

        The log-density and its gradient cost one matrix product over all components, several times less than
        ``pymc.Mixture`` of ``MvNormal`` (docs/mixture-priors.md). Prior predictive draws work, too. With one
        feature it is ``pymc.NormalMixture``, a variable of numbers; with several, of vectors.

        Parameters
        ----------
        name : str
        dims : str or sequence of str, optional
            As PyMC has them; the last is the features'. If the model has no such dim, it gets one, with the
            names of the features as coordinates. Of one feature, dims are of independent numbers.
        **options
            What PyMC's distributions take: ``shape``, ``observed``, ``initval``. With ``shape=(n, d)`` there
            are n independent vectors.

        Returns
        -------
        pytensor.tensor.TensorVariable

        Raises
        ------
        ImportError
            If PyMC is not installed.
        TypeError
            If there is no model around the call, as PyMC has it.
        ValueError
            If there is noise, which has no density that integrates to one; or if the coordinates of the dim
            are the features in another order.

        References
        ----------
        O. Abril-Pla et al., PyMC: a modern and comprehensive probabilistic programming framework in Python,
        PeerJ Computer Science 9 (2023) e1516.

        Examples
        --------
        >>> import gaussmix, pymc
        >>> mixture = gaussmix.Mixture(
        ...     [0.5, 0.5], [[0.0, 0.0], [2.0, 1.0]], [1.0, 1.0], "spherical", feature_names=["dose", "age"]
        ... )
        >>> with pymc.Model() as model:
        ...     effects = mixture.to_pymc("effects", dims="effect")
        >>> model.coords
        {'effect': ('dose', 'age')}
        >>> bool(abs(pymc.logp(effects, [1.0, 1.0]).eval() - mixture.log_prob([[1.0, 1.0]])[0]) < 1e-9)
        True
        """
        from gaussmix.foreign import pymc

        components = self._give_components("to_pymc")
        algebra = self.structure.algebra
        constants = components.log_weights + algebra.log_peaks(self.roots, self.n_features)
        joint = pymc.JointTerms(constants, self.means, *algebra.find_whitening(self.roots))
        names = self.feature_names
        return pymc.add_variable(name, components, joint, dims=dims, feature_names=names, **options)

    def to_numpyro(self) -> Any:
        """The mixture as a distribution of NumPyro, for ``numpyro.sample``.

        Numbers have the precision that JAX has: single, unless ``jax.config.update("jax_enable_x64", True)``.
        Components are stored as lean as NumPyro can, as :meth:`to_torch` has them.

        Returns
        -------
        numpyro.distributions.MixtureSameFamily
            Of an event shape (), for one feature, or (d,).

        Raises
        ------
        ImportError
            If NumPyro is not installed.
        ValueError
            If there is noise, which has no density that integrates to one.

        References
        ----------
        D. Phan, N. Pradhan and M. Jankowiak, Composable effects for flexible and accelerated probabilistic
        programming in NumPyro, arXiv:1912.11554.

        Examples
        --------
        >>> import gaussmix, jax
        >>> mixture = gaussmix.Mixture([0.3, 0.7], [[0.0, 0.0], [2.0, 1.0]], [1.0, 0.5], "spherical")
        >>> distribution = mixture.to_numpyro()
        >>> distribution.event_shape, distribution.sample(jax.random.key(0), (5,)).shape
        ((2,), (5, 2))
        """
        from gaussmix.foreign import numpyro

        return numpyro.make_distribution(self._give_components("to_numpyro"))

    def to_stan(self, name: str) -> StanPrior:
        """The mixture as the prior of a parameter of a Stan program: pieces of its blocks, and their data.

        It needs no package. With one feature the parameter is a ``real``, with several a ``vector``; factor
        analysers become matrices.

        Parameters
        ----------
        name : str
            Of the parameter; the data's names begin with it.

        Returns
        -------
        StanPrior
            Texts to paste into the blocks of their names, ``data`` to add to the program's, and a whole
            ``program`` of the prior alone.

        Raises
        ------
        ValueError
            If Stan cannot have the name, or there is noise, which has no density that integrates to one.

        References
        ----------
        B. Carpenter et al., Stan: a probabilistic programming language, Journal of Statistical Software 76
        (2017) issue 1.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[0.0, 0.0], [2.0, 1.0]], [1.0, 1.0], "spherical")
        >>> print(mixture.to_stan("theta").model)
          theta ~ diagonal_gaussian_mixture(theta_log_weights, theta_means, theta_scales);
        """
        from gaussmix.foreign import stan

        return stan.make_prior(self._give_components("to_stan"), name)

    def _give_components(self, method: str) -> Components:
        """The arrays of the Gaussians, as other packages take them; ValueError where there is noise."""
        if self.noise is not None:
            raise ValueError(
                f"{method} cannot take the noise along, whose density does not integrate to one; take "
                f"mixture.without_noise().{method}"
            )
        from gaussmix.foreign.components import Components

        algebra, (k, d) = self.structure.algebra, self.means.shape
        parts = algebra.to_parts(self.covariance_stack, k, d)
        if parts is None:
            roots = algebra.halves(self.roots, d)
            parts = np.broadcast_to(roots, (k, d, d)), np.zeros((k, d))
        return Components(take_logarithms(self.weights), self.means, *parts)

    def _refuse_noise(self, method: str) -> None:
        if self.noise is not None:
            raise ValueError(
                f"{method} cannot take the noise along, whose density does not integrate to one; take "
                f"mixture.without_noise().{method}"
            )
