"""Laws of mixtures whose components belong to classes: passes, M-steps, shrinkage, calibration."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gaussmix
from gaussmix.apps.classes.calibration import Calibration, calibrate
from gaussmix.apps.classes.choosing import Trial, compare_losses
from gaussmix.apps.classes.classed_mixture import ClassedMixture
from gaussmix.apps.classes.fitting import ClassModel, Effort, SeenRows, _Problem, fit_classes
from gaussmix.apps.classes.labelled import UNKNOWN, Labelled, LabelledRows
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from tests.helpers import KINDS, random_mixture

EXACT = Effort(tol=1e-10, max_iter=2000)


def make_data(seed=0, n=240, d=3, n_classes=3, share=0.0, weighted=False):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 2.5 * rng.normal(size=(n_classes, d))[labels]
    labels = np.where(rng.random(n) < share, UNKNOWN, labels)
    weights = rng.uniform(0.5, 2.0, n) if weighted else None
    return LabelledRows(Rows(X, weights), labels, n_classes)


@pytest.mark.parametrize("name", [*KINDS, "factor"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_passes_by_class_are_passes_with_terms(name, share):
    """Terms of minus infinity keep a row from components of other classes: the definition, at a higher price."""
    data = make_data(share=share, weighted=True)
    rng = np.random.default_rng(1)
    engine = LocalEngine(data.rows, get_structure(name, 3))
    owners = np.array([0, 0, 1, 2, 2])
    if name == "factor":
        loadings = rng.normal(size=(5, 3, 1))
        mixture = Mixture(
            np.full(5, 0.2), rng.normal(size=(5, 3)), np.concatenate([loadings, np.ones((5, 3, 1))], 2), name
        )
    else:
        mixture = random_mixture(name, 5, 3, rng)
    mixture = mixture.seen_from(engine.frame)

    def terms(rows):
        labels = data.labels[rows]
        return np.where((labels == owners[:, None]) | (labels == UNKNOWN), 0.0, -np.inf)

    found = Labelled(engine, data.labels, owners).accumulate(mixture)
    expected = engine.accumulate(mixture, terms=terms)
    assert_allclose(found.log_likelihood, expected.log_likelihood, rtol=1e-10)
    one, other = found.moments, expected.moments.rebase(found.moments.centres)
    for field in ("counts", "first", "second"):
        value = getattr(other, field)
        assert_allclose(getattr(one, field), value, atol=1e-8 * (1.0 + np.abs(value).max(initial=0.0)))
    assert_allclose(one.pooled_covariances(), other.pooled_covariances(), rtol=1e-8)


@pytest.mark.parametrize("nu", [0.5, 20.0])
def test_shrunk_covariances_are_those_of_the_formula(nu):
    data = make_data(weighted=True)
    X, w = data.rows.array, data.rows.masses
    S = np.stack([np.cov(X[data.labels == c].T, aweights=w[data.labels == c], bias=True) for c in range(3)])
    counts = data.weigh_classes()
    n = counts.sum()
    W = np.tensordot(counts / n, S, axes=1)
    V = np.cov(X.T, aweights=w, bias=True).diagonal()
    D = np.diag((n * W.diagonal() + V) / (n + 1.0))
    T = (n * W + nu * D) / (n + nu)
    expected = {
        "full": (counts[:, None, None] * S + nu * T) / (counts + nu)[:, None, None],
        "tied": T,
        "diag": (counts[:, None] * S.diagonal(axis1=1, axis2=2) + nu * D.diagonal()) / (counts + nu)[:, None],
    }
    for name, covariances in expected.items():
        fit = fit_classes(data, ClassModel(name, (1, 1, 1), shrinkage=nu), np.random.RandomState(0))
        order = np.argsort(fit.classed.classes_of_components)
        found = fit.classed.mixture.covariances
        assert_allclose(found if name == "tied" else found[order], covariances, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("share", ["covariances", "nothing", "components"])
@pytest.mark.parametrize("name", ["full", "tied", "diag", "VEE", "EVI"])
@pytest.mark.parametrize("nu", [1.0, 6.0])
def test_em_never_goes_down(share, name, nu):
    data = make_data(share=0.5)
    problem = _Problem(SeenRows(data), ClassModel(name, (2, 2, 2), share, nu), None)
    run = problem.go_on(problem.begin(np.random.RandomState(0), 0), 0.0, 25)
    values = np.array(run.objectives)
    assert len(values) > 5
    assert (np.diff(values) > -1e-9 * (1.0 + np.abs(values).max())).all()


def test_classes_that_share_nothing_are_fits_of_their_own():
    data = make_data()
    apart = fit_classes(data, ClassModel("VEE", (1, 2, 1), "nothing"), np.random.RandomState(0), effort=EXACT)
    own = np.flatnonzero(data.labels == 1)
    places = apart.classed.classes_of_components == 1
    start = take_components(apart.classed.mixture, np.flatnonzero(places))
    weights = start.weights / start.weights.sum()
    start = Mixture(weights, start.means, start.covariances, "full")
    alone = gaussmix.fit_mixture(
        data.rows.array[own],
        2,
        covariance_type="VEE",
        start=start.responsibilities(data.rows.array[own]),
        tol=1e-10,
        max_iter=2000,
    )
    assert_allclose(
        alone.mixture.log_prob(data.rows.array[own]), start.log_prob(data.rows.array[own]), atol=1e-3
    )
    assert apart.model.count_parameters(3) == (6 + 7 + 6) + 4 * 3 + 4 - 1


def test_shared_components_differ_in_weights_alone():
    rng = np.random.default_rng(0)
    centres = np.array([[-6.0, 0.0], [0.0, 0.0], [6.0, 0.0]])
    table = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])  # of each class
    labels = np.repeat([0, 1], 600)
    parts = np.concatenate([rng.choice(3, 600, p=table[c]) for c in range(2)])
    X = centres[parts] + rng.normal(size=(1200, 2))
    data = LabelledRows(Rows(X), labels, 2)
    fit = fit_classes(data, ClassModel("full", (3, 3), "components"), np.random.RandomState(0), effort=EXACT)
    classed = fit.classed
    order = classed.mixture.means[:, 0].argsort()
    assert_allclose(classed.mixture.means[order], centres, atol=0.2)
    joint = classed.mixture.weights[order, None] * classed.shares[order]
    assert_allclose(joint / joint.sum(axis=0), table.T, atol=0.06)


def test_log_joint_by_definition():
    rng = np.random.default_rng(0)
    mixture = random_mixture("full", 4, 2, rng)
    shares = rng.dirichlet(np.ones(3), 4)
    shares[0] = [0.0, 1.0, 0.0]
    classed = ClassedMixture(mixture, shares)
    X = rng.normal(size=(20, 2))
    each = np.exp(mixture.component_log_prob(X)) * mixture.weights
    assert_allclose(np.exp(classed.log_joint(X)), each @ shares, rtol=1e-9)
    assert_allclose(classed.class_prior, mixture.weights @ shares)


def test_calibration_finds_the_temperature_and_the_floor():
    rng = np.random.default_rng(0)
    n = 4000
    logits = rng.normal(0.0, 2.0, (n, 3))
    truth = Calibration(1.0, 0.1).find_probabilities(logits)
    labels = (rng.random(n)[:, None] > truth.cumsum(axis=1)).sum(axis=1)
    found = calibrate(4.0 * logits, labels, np.ones(n))
    assert abs(found.temperature - 4.0) < 0.5
    assert abs(found.floor - 0.1) < 0.04
    P = found.find_probabilities(4.0 * logits)
    assert_allclose(P.sum(axis=1), 1.0)
    assert (P.argmax(axis=1) == logits.argmax(axis=1)).all()
    sure = calibrate(np.log(truth), labels, np.ones(n))
    assert sure.temperature < 1.2


def test_trials_are_compared_row_by_row():
    weights = np.ones(4)
    model = ClassModel("full", (1, 1))
    one = Trial(model, 0.25, 1.0, Calibration(), np.array([0.1, 0.2, 0.3, 0.4]))
    other = Trial(model, 0.35, 1.0, Calibration(), one.losses + 0.1)
    mean, error = compare_losses(one.losses, other.losses, weights)
    assert_allclose([mean, error], [0.1, 0.0], atol=1e-12)
    assert one.beats(other, weights, 1.0) and not other.beats(one, weights)
    part = Trial(model, 0.0, 1.0, Calibration(), np.array([0.0]), complete=False)
    assert one.beats(part, weights) and not part.beats(one, weights)
