"""Covariances of few rows, shrunk: towards that of all classes, and that towards its diagonal.

With nu the shrinkage, in rows, S_k the covariance of the n_k rows of component k, W that of all n labelled
rows within their classes, D its diagonal, and V the variances of all rows::

    Sigma_k = (n_k S_k + nu T) / (n_k + nu)        T = (n W + nu D') / (n + nu)        D' = (n D + V) / (n +
    1)

Where components share one covariance it is T itself; families without correlations have D' in place of T.
Each step is the most probable value under a conjugate prior, so EM keeps to its law with it. The estimator
depends neither on the units of the features nor, but by T, on the number of classes. With more components
than classes T is divided by (k / n_classes)^(2 / d), as in the prior of Fraley and Raftery.

References
----------
J. H. Friedman, Regularized discriminant analysis, J. Am. Stat. Assoc. 84 (1989) 165-175.
C. Fraley and A. E. Raftery, Bayesian regularization for normal mixture estimation and model-based clustering,
J. Classif. 24 (2007) 155-181.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.model.covariance import Structure
from gaussmix.model.moments.statistics import Moments
from gaussmix.model.priors import Conjugate


def make_shrinkage(
    engine: Engine, structure: Structure, classes: Moments, nu: float, n_components: int, n_sharing: int = 1
) -> Conjugate:
    """The prior of `nu` rows, in the coordinates of the engine's frame.

    `classes` are moments of the labelled rows, class by class. Where components of a shared covariance keep
    moments of their own, it is added to `n_sharing` of them.
    """
    target = _find_target(engine, structure, classes, nu)
    target = target * (len(classes.counts) / n_components) ** (2.0 / classes.n_features)
    return Conjugate(
        structure=structure,
        mean=np.zeros(classes.n_features),
        shrinkage=0.0,
        scale=np.asarray(nu * target / n_sharing),
        power=nu,
        concentration=1.0,
        log_det=engine.frame.log_det,
    )


def _find_target(engine: Engine, structure: Structure, classes: Moments, nu: float) -> Float64Array:
    """T, or D' for families without correlations, in the shape of one covariance."""
    algebra, n, d = structure.algebra, float(classes.counts.sum()), classes.n_features
    pooled = algebra.from_moments(classes.pooled_covariances(), d)[0]
    of_all = algebra.map_variances(engine.frame.variances, engine.frame)
    if pooled.ndim < 2:
        return np.asarray((n * pooled + of_all) / (n + 1.0))
    inverse = engine.frame.inverse
    data = inverse @ pooled @ inverse.T if inverse.ndim == 2 else pooled * np.multiply.outer(inverse, inverse)
    diagonal = algebra.map_variances(np.diagonal(data).copy(), engine.frame)
    own = (n * diagonal + of_all) / (n + 1.0)
    if structure.shared:
        return own
    return np.asarray((n * pooled + nu * own) / (n + nu))
