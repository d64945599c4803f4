"""Rows of mixtures of experts for the tests, and fits of them without an estimator."""

import json
from pathlib import Path

import numpy as np

from gaussmix.apps.experts.fitting import GATED, UNGATED, Effort, fit_experts
from gaussmix.apps.experts.gate_steps import ConstantStep, SoftmaxStep
from gaussmix.apps.experts.linear_step import LinearStep
from gaussmix.apps.experts.starts import StartRows
from gaussmix.apps.experts.state import Training
from gaussmix.model.covariance import get_structure


def make_crossing(n=200, seed=0, n_outputs=1):
    """Two regressions that cross, a share of .6 and .4 of all rows."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, size=(n, 2))
    labels = rng.uniform(size=n) < 0.4
    slopes = rng.normal(size=(2, 2, n_outputs)) * 2.0
    Y = np.where(labels[:, None], X @ slopes[0] + 0.5, X @ slopes[1] - 0.5)
    Y += rng.normal(size=Y.shape) * np.where(labels, 0.1, 0.3)[:, None]
    return X, Y


def make_pieces(n=200, seed=0):
    """Three pieces of a curve, one beside the other, with noise of their own."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0.0, 3.0, size=(n, 1))
    piece = np.floor(X[:, 0] + 0.2 * rng.normal(size=n)).clip(0, 2).astype(int)
    Y = np.array([0.0, 2.0, -1.0])[piece] + np.array([1.0, -1.0, 0.5])[piece] * X[:, 0]
    return X, (Y + np.array([0.05, 0.2, 0.1])[piece] * rng.normal(size=n))[:, None]


def make_training(X, Y, Z=None, *, family="full", alpha=0.0, gate_alpha=1e-3, weights=None):
    """The M-steps of linear experts with a softmax gate of Z, or a constant one."""
    masses = np.ones(len(Y)) if weights is None else weights
    experts = LinearStep.of_rows(X, Y, masses, get_structure(family), alpha)
    gate = ConstantStep(len(Y)) if Z is None else SoftmaxStep.of_rows(Z, masses, gate_alpha)
    return Training(gate, experts, masses)


def fit(X, Y, k, Z=None, *, seed=0, effort=None, given=None, **options):
    """The fit of a race with these M-steps."""
    training = make_training(X, Y, Z, **options)
    rows = StartRows.of_rows(X, Y, np.zeros((len(Y), 0)) if Z is None else Z, training.masses)
    kinds = UNGATED if Z is None else GATED
    rng = np.random.RandomState(seed)
    return fit_experts(training, rows, k, rng, effort=effort or Effort(), kinds=kinds, given=given)


def read_reference():
    """Data and fits of R's flexmix and mixtools, by tests/reference/experts.R."""
    path = Path(__file__).parents[1] / "reference/experts.json"
    return json.loads(path.read_text(encoding="utf-8"))
