"""What several test modules share: random mixtures, the definitions written out, processes of their own.

Everything here takes the name of a covariance structure and asks the table for the rest, so that a new row
of the table is tested without a change here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import gaussmix
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.moments.statistics import Moments

NAMES = tuple(STRUCTURES)
#: One family for each kind of statistics and frame: all that kernels, engines and files can tell apart.
KINDS = tuple({(s.form, s.group): name for name, s in reversed(STRUCTURES.items())}.values())[::-1]
#: The executors that this environment has.
EXECUTORS = ("blas", "centred", *(("compiled",) if find_spec("numba") else ()))


def has_matrices(name):
    """Whether the covariance parameter of a family is a matrix, or one for each component."""
    return STRUCTURES[name].form.general


def stats_of(name, X, R, weights=None, centres=None, axes=None):
    """The statistics of the rows X, shape (n, d), under responsibilities R, shape (n, k), by definition."""
    form = STRUCTURES[name].form
    if form.n_axes and axes is None:
        axes = STRUCTURES[name].probes(R.shape[1], X.shape[1])[:, :, : form.n_axes]
    n, d = X.shape
    k = R.shape[1]
    WR = R if weights is None else R * weights[:, None]
    centres = np.zeros((k, d)) if centres is None else centres
    first, second, pooled = np.empty((k, d)), [], 0.0
    for j in range(k):
        first[j] = WR[:, j] @ (X - centres[j])
        along = None if axes is None else axes[j : j + 1]
        second.append(WR[:, j] @ form.own.outer(X - centres[j], along))
        pooled = pooled + WR[:, j] @ form.pooled.outer(X - centres[j])
    return Moments(form, WR.sum(axis=0), first, np.array(second), pooled, centres, axes=axes)


def random_stats(name, k, d, rng, n=None):
    """Statistics of random rows under random responsibilities; no component is empty or flat."""
    n = n or 5 * (d + 2) * k
    scale = np.exp(rng.normal(size=d))
    turn = np.eye(d) + 0.5 * rng.normal(size=(d, d)) / np.sqrt(d)
    X = rng.normal(size=(n, d)) @ turn * scale + rng.normal(size=d)
    return stats_of(name, X, rng.dirichlet(np.full(k, 0.5), size=n))


def random_covariances(name, k, d, rng):
    """A covariance parameter of the family, found by its own M-step."""
    return best_covariances(name, random_stats(name, k, d, rng))


def best_covariances(name, stats):
    """The covariance parameter that the family's M-step makes of statistics."""
    structure = STRUCTURES[name]
    return structure.unstack(structure.estimate(stats))


def random_mixture(name, k, d, rng, spread=2.0):
    """A mixture whose components overlap somewhat."""
    covariances = random_covariances(name, k, d, rng)
    structure = STRUCTURES[name]
    variances = structure.algebra.variances(structure.stack(covariances, d), k, d)
    typical = np.sqrt(variances.mean(axis=0))
    means = 3.0 + spread * rng.normal(size=(k, d)) * typical
    return gaussmix.Mixture(rng.dirichlet(np.full(k, 4.0)), means, covariances, name)


def near(mixture, rng, amount=0.3):
    """Another mixture of the family, a little off: a start for EM."""
    typical = np.sqrt(mixture.variances.mean(axis=0))
    weights = mixture.weights * np.exp(amount * rng.normal(size=mixture.n_components))
    return gaussmix.Mixture(
        weights / weights.sum(),
        mixture.means + amount * rng.normal(size=mixture.means.shape) * typical,
        mixture.covariances * np.exp(amount),
        mixture.covariance_type,
    )


def direct_joint(mixture, X):
    """log w_k N(x | mu_k, Sigma_k), shape (n, k), by SciPy."""
    dense = mixture.dense_covariances
    columns = [
        multivariate_normal(mean, cov, allow_singular=False).logpdf(X).reshape(len(X))
        for mean, cov in zip(mixture.means, dense, strict=True)
    ]
    with np.errstate(divide="ignore"):
        return np.stack(columns, axis=1) + np.log(mixture.weights)


def direct_log_prob(mixture, X):
    return logsumexp(direct_joint(mixture, X), axis=1)


def direct_responsibilities(mixture, X):
    joint = direct_joint(mixture, X)
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


def precisions(mixture):
    """The inverse covariances in scikit-learn's shape, by inversion of the covariances themselves."""
    C = mixture.covariances
    return np.linalg.inv(C) if has_matrices(mixture.covariance_type) else 1.0 / C


def start_parameters(mixture):
    """A mixture as the start that the estimators take, scikit-learn's and ours."""
    return {
        "weights_init": mixture.weights.copy(),
        "means_init": mixture.means.copy(),
        "precisions_init": precisions(mixture),
    }


def assert_same_mixture(actual, expected, rtol, weights=True):
    """The parameters agree, each to `rtol` of the scale of its kind."""
    if weights:
        np.testing.assert_allclose(actual.weights, expected.weights, atol=rtol, rtol=0)
    scale = np.sqrt(np.asarray(expected.variances).max(axis=0))
    np.testing.assert_allclose(actual.means / scale, expected.means / scale, rtol=rtol, atol=rtol)
    outer_scale = np.multiply.outer(scale, scale)
    np.testing.assert_allclose(
        actual.dense_covariances / outer_scale, expected.dense_covariances / outer_scale, rtol=rtol, atol=rtol
    )


@contextmanager
def environment(**variables):
    """Environment variables for the time of a block; usable where a fixture is not, inside hypothesis."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def run_python(code, **variables):
    """The standard output of a fresh interpreter that runs the code, warnings being errors; it must succeed."""
    source = str(Path(gaussmix.__file__).parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout
