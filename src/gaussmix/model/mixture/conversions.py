"""Mixtures to and from other people's packages; each is imported only where it is used."""

from __future__ import annotations

from typing import Any, Self

from gaussmix.foreign import scikit_learn
from gaussmix.model.mixture import schema
from gaussmix.model.mixture.as_prior import AsPrior
from gaussmix.model.mixture.exported import Exported
from gaussmix.model.mixture.parts import PARTS, Parts
from gaussmix.model.mixture.sklearn_arrays import find_sklearn_type, make_sklearn_arrays, read_sklearn_state


class Conversions(AsPrior, Exported):
    """The methods of :class:`gaussmix.Mixture` that give it to other packages, and take it from them."""

    def to_scipy(self) -> Any:
        """The mixture as a frozen distribution of SciPy, for programs that take those.

        The mixture itself has SciPy's names, too (:meth:`logpdf`, :meth:`cdf`, :meth:`rvs`); this is for
        what asks for an instance, or for more: ``interval``, ``expect``, ``stats``, ``median``, ``std``.

        Returns
        -------
        scipy.stats.distributions.rv_frozen or FrozenMixture
            Of one feature a frozen ``rv_continuous``, exact in both tails. Of several an object with the
            attributes and methods of a frozen ``multivariate_normal``: ``dim``, ``mean``, ``cov``,
            ``logpdf``, ``pdf``, ``cdf``, ``logcdf``, ``rvs``, ``entropy``, ``marginal``.

        Raises
        ------
        ValueError
            If there is noise, whose density does not integrate to one.

        References
        ----------
        P. Virtanen et al., SciPy 1.0: fundamental algorithms for scientific computing in Python, Nature
        Methods 17 (2020) 261-272.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> frozen = mixture.to_scipy()
        >>> [round(float(end), 6) for end in frozen.interval(0.95)]
        [-3.644854, 3.644854]
        >>> round(float(frozen.expect(lambda x: x**2)), 9)
        5.0
        """
        from gaussmix.foreign import scipy

        self._refuse_noise("to_scipy")
        return scipy.make_frozen(self)

    def to_sklearn(self) -> Any:
        """The mixture as a fitted estimator of scikit-learn, which predicts and samples.

        Families of covariances that scikit-learn does not have widen to the smallest of its own that holds
        them: EII to "spherical", EEI, VEI and EVI to "diag", all others, factor analysers among them, to
        "full". The density stays the same. Nothing is known of a fit: ``lower_bound_`` is NaN, and a further
        ``fit`` begins anew.

        Returns
        -------
        sklearn.mixture.GaussianMixture

        Raises
        ------
        ValueError
            If there is noise, which scikit-learn's mixture cannot have.

        See Also
        --------
        gaussmix.GaussianMixture.to_sklearn : of an estimator, with its parameters

        References
        ----------
        F. Pedregosa et al., Scikit-learn: machine learning in Python, Journal of Machine Learning Research 12
        (2011) 2825-2830.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0], "EII")
        >>> theirs = mixture.to_sklearn()
        >>> theirs
        GaussianMixture(covariance_type='spherical', n_components=2)
        >>> theirs.predict([[-3.0], [1.0]])
        array([0, 1])
        """
        self._refuse_noise("to_sklearn")
        arrays = {"weights_": self.weights.copy(), "means_": self.means.copy(), **make_sklearn_arrays(self)}
        return scikit_learn.make_estimator(find_sklearn_type(self.structure), arrays, self.feature_names)

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Self:
        """The mixture of a fitted estimator of scikit-learn, or of ours.

        Parameters
        ----------
        estimator : sklearn.mixture.GaussianMixture, sklearn.mixture.BayesianGaussianMixture
            Of the Bayesian one it is the mixture of the expected weights and means, and of the covariances
            that it reports. Its own ``score_samples`` differs: that is a posterior mean of logarithms.

        Returns
        -------
        Mixture
            Of the same family, with the names of the features if it was fitted to a frame.

        Raises
        ------
        ValueError
            If the estimator is not fitted, or no mixture of Gaussians.

        See Also
        --------
        gaussmix.GaussianMixture.from_sklearn : an estimator of an estimator

        References
        ----------
        H. Attias, A variational Bayesian framework for graphical models, Advances in Neural Information
        Processing Systems 12 (2000), for the Bayesian one.

        Examples
        --------
        >>> import gaussmix, sklearn.mixture
        >>> X = [[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
        >>> theirs = sklearn.mixture.GaussianMixture(2, random_state=0).fit(X)
        >>> gaussmix.Mixture.from_sklearn(theirs)
        Mixture(n_components=2, n_features=2, covariance_type='full')
        """
        own = getattr(estimator, "mixture_", None)
        if isinstance(own, Parts):
            return cls.of_parts(**{name: own.__dict__[name] for name in PARTS})
        return cls.of_parts(**schema.check_state(read_sklearn_state(estimator)))
