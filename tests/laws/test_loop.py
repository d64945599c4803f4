"""The loop of EM: what it iterates need not be a mixture, and what a run reports of its end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import digamma, gammaln

from gaussmix import FitStatus, Mixture
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.iterate.em import Run, RunOf, em
from gaussmix.fit.iterate.stack import em_together
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.covariance import STRUCTURES


def clusters(seed=0, n=400):
    """Rows of three clusters on a line, of 1/2, 1/3 and 1/6 of the rows, about."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[1 / 2, 1 / 3, 1 / 6])
    return rng.normal(size=(n, 2)) + 4.0 * np.array([[0, 0], [1, 1], [2, 2]])[labels]


def problem():
    """An engine, and a mixture near the clusters in the coordinates of its frame."""
    engine = LocalEngine(Rows(clusters()), STRUCTURES["full"])
    means = np.array([[1.0, 0.0], [4.0, 5.0], [7.0, 8.0]])
    return engine, Mixture(np.full(3, 1 / 3), means, np.stack([np.eye(2)] * 3), "full").seen_from(
        engine.frame
    )


@dataclass(frozen=True)
class FixedButWeights:
    """An M-step of weights alone."""

    log_prior = None

    def __call__(self, moments, before):
        return before.replace(weights=moments.counts / moments.counts.sum())


@dataclass(frozen=True)
class AdaptedMeans:
    """An M-step of means alone, which a background model has drawn near to its own as `r` rows would."""

    background: Mixture
    r: float

    def log_prior(self, mixture):
        shift = mixture.means - self.background.means
        factors = self.background.precisions_cholesky
        return -0.5 * self.r * np.square(np.einsum("kd,kde->ke", shift, factors)).sum()

    def __call__(self, moments, before):
        own, n = moments.means(), moments.counts[:, None]
        means = (n * own + self.r * self.background.means) / (n + self.r)
        return before.replace(means=means)


@dataclass(frozen=True)
class WeightsPosterior:
    """A Dirichlet posterior of the weights of Gaussians that are known: iterated, though no mixture."""

    gaussians: Mixture
    counts: np.ndarray

    @property
    def form(self):
        return self.gaussians.form

    @property
    def natural(self):
        return self.natural_in(self.form)

    def natural_in(self, form):
        known = self.gaussians.natural_in(form)
        expected = digamma(self.counts) - digamma(self.counts.sum())
        return replace(known, constants=known.constants - np.log(self.gaussians.weights) + expected)


@dataclass(frozen=True)
class Variational:
    """Its M-step, whose penalty is minus the divergence of the posterior from the prior."""

    prior: np.ndarray

    def log_prior(self, q):
        a, b = q.counts, self.prior
        expected = digamma(a) - digamma(a.sum())
        divergence = gammaln(a.sum()) - gammaln(a).sum() - gammaln(b.sum()) + gammaln(b).sum()
        return -(divergence + (a - b) @ expected)

    def __call__(self, moments, before):
        return replace(before, counts=self.prior + moments.counts)


def examples():
    engine, mixture = problem()
    posterior = WeightsPosterior(mixture, np.array([1.0, 5.0, 9.0]))
    return {
        "a part is fixed": (engine, mixture, FixedButWeights()),
        "adapted": (engine, mixture, AdaptedMeans(mixture, 50.0)),
        "variational": (engine, posterior, Variational(np.full(3, 2.0))),
    }


@pytest.mark.parametrize("name", ["a part is fixed", "adapted", "variational"])
def test_whatever_has_natural_parameters_is_iterated(name):
    """The objective never falls, and where it ends an M-step changes nothing."""
    engine, begun, m_step = examples()[name]
    run = em(engine, RunOf(begun, FitStatus.NOT_RUN, ()), m_step, rule=Rule(1e-12), max_iter=500)
    assert run.status == FitStatus.CONVERGED
    assert (np.diff(run.objectives) >= -1e-12).all() and run.objective > run.objectives[0] + 1e-3
    again = m_step(engine.accumulate(run.mixture).moments, run.mixture)
    for field in ("counts",) if name == "variational" else ("weights", "means", "covariances"):
        assert_allclose(getattr(again, field), getattr(run.mixture, field), rtol=1e-4)
    if name == "a part is fixed":
        assert_array_equal(run.mixture.means, begun.means)
        assert_allclose(run.mixture.weights, [1 / 2, 1 / 3, 1 / 6], atol=0.05)


def spiked(reg_covar):
    """A start of which component 1 has a single row, so that without a floor it collapses in the first step."""
    X = np.concatenate([clusters(n=60), [[90.0, 90.0]]])
    engine = LocalEngine(Rows(X), STRUCTURES["full"])
    m_step = Maximise(engine.structure, make_regularise(reg_covar, engine.structure, engine))
    means = np.array([X[:-1].mean(axis=0), X[-1]])
    mixture = Mixture([0.9, 0.1], means, np.stack([9.0 * np.eye(2), np.eye(2)]), "full")
    return engine, m_step, mixture.seen_from(engine.frame)


def test_a_run_reports_what_collapsed():
    engine, m_step, mixture = spiked(0.0)
    run = em(engine, Run(mixture, FitStatus.NOT_RUN, ()), m_step, rule=Rule(0.0), max_iter=5)
    assert run.status == FitStatus.DEGENERATE and run.collapsed == (1,)
    assert len(run.history) == 1 and run.mixture is mixture


def test_each_of_several_reports_what_collapsed():
    """Its components by their numbers in its own mixture; the others go on."""
    engine, m_step, mixture = spiked(0.0)
    sound = mixture.replace(
        means=mixture.means[[0, 0]] + [[-0.3, 0.0], [0.3, 0.0]],
        covariance_stack=mixture.covariance_stack[[0, 0]],
    )
    sound = Mixture(sound.weights, sound.means, sound.covariances, "full")
    runs = em_together(engine, [sound, mixture, sound], m_step, max_iter=3)
    assert [run.collapsed for run in runs] == [(), (1,), ()]
    assert [run.status for run in runs] == [FitStatus.MAX_ITER, FitStatus.DEGENERATE, FitStatus.MAX_ITER]
    assert [len(run.history) for run in runs] == [4, 1, 4]


def test_a_run_that_is_cut_off_in_every_iteration_goes_on_to_the_same_bits():
    engine, mixture = problem()
    m_step = Maximise(engine.structure, make_regularise("auto", engine.structure, engine))
    rule, shown = Rule(1e-6), []
    whole = em(engine, Run(mixture, FitStatus.NOT_RUN, ()), m_step, rule=rule, max_iter=100)
    run = Run(mixture, FitStatus.NOT_RUN, ())
    while run.status == FitStatus.NOT_RUN:
        em(engine, run, m_step, rule=rule, max_iter=100, on_iteration=lambda now: shown.append(now) or True)
        run = shown[-1]
    assert run.status == whole.status == FitStatus.CONVERGED and run.history == whole.history
    assert_array_equal(run.mixture.means, whole.mixture.means)
