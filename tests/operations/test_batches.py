"""What a batch of mixtures answers: probabilities and quantiles of one feature, and modes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import norm

from gaussmix import Mixture
from tests.operations.making import few, make_mixture

ONE_EACH = ["full", "tied", "diag", "spherical", "VEI", "factor", "CCC"]


@pytest.mark.parametrize("name", ONE_EACH)
@given(seed=st.integers(0, 2**32 - 1), exponent=st.sampled_from([0, -9, 9]))
@few
def test_quantiles_invert_probabilities(name, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture = make_mixture(name, 3, 3, rng, exponent)
    batch = mixture.condition(mixture.sample(4, rng)[0][:, :2], features=[0, 1])
    q = np.array([1e-300, 1e-12, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-9])
    x = batch.quantile(q)
    assert x.shape == (4, 7) and (np.diff(x, axis=1) > 0.0).all()
    # log F is -690 at 1e-300, and its slope there is some 40 in the smallest deviations
    extent = (np.abs(x) + np.abs(batch.means).max()) / np.sqrt(batch.variances.min())
    assert (np.abs(batch.cdf(x) / q - 1.0) < np.finfo(float).eps * (4000.0 + 80.0 * extent)).all()
    assert_allclose(batch.quantile(0.3), x[:, 3])
    deviations = np.sqrt(batch.variances[:, 0])
    expected = (
        batch.weights[:, None] * norm.cdf((x[:, :, None] - batch.means[:, None, :, 0]) / deviations)
    ).sum(2)
    assert_allclose(batch.cdf(x)[:, 1:], expected[:, 1:], rtol=1e-11)


def test_probabilities_at_the_ends_are_exact():
    batch = Mixture([0.5, 0.5], [[0.0, -1.0], [0.0, 1.0]], [1.0, 1.0], "spherical").condition({0: [0.0, 2.0]})
    assert batch.quantile([0.0, 1.0]).tolist() == [[-np.inf, np.inf]] * 2
    assert_allclose(batch.cdf(-30.0), 0.5 * (norm.cdf(-29.0) + norm.cdf(-31.0)), rtol=1e-12)
    assert_allclose(batch.cdf([1e5, -1e5]), [1.0, 0.0])
    assert_allclose(batch.cdf([np.inf, -np.inf]), [1.0, 0.0])
    assert_allclose(batch.cdf([[0.0, 1.0], [0.0, 1.0]])[:, 0], 0.5)
    # on the plateau between two far components any number has nearly this probability
    far = Mixture([0.5, 0.5], [[0.0, -1e6], [0.0, 1e6]], [1.0, 1.0], "spherical").condition({0: [0.0]})
    assert_allclose(far.cdf(far.quantile([0.25, 0.5, 0.75])), [[0.25, 0.5, 0.75]], rtol=1e-12)
    uneven = Mixture([1.0, 0.0], [[0.0, 0.0], [0.0, 1e9]], [1.0, 1.0], "spherical").condition({0: [0.0]})
    assert_allclose(uneven.quantile(0.975), norm.ppf(0.975), rtol=1e-14)


@pytest.mark.parametrize("name", [*ONE_EACH, "EEI", "VVE"])
@given(seed=st.integers(0, 2**32 - 1), exponent=st.sampled_from([0, -9, 9]))
@few
def test_modes_are_flat_and_no_lower_than_any_mean(name, seed, exponent):
    rng = np.random.default_rng(seed)
    mixture = make_mixture(name, 4, 4, rng, exponent)
    batch = mixture.condition({2: mixture.sample(5, rng)[0][:, 2]})
    modes = batch.mode()
    for i, one in enumerate(batch):
        at = batch[[i]].log_prob(modes[i : i + 1])[0]
        means = batch[[i] * 4]
        assert at >= means.log_prob(one.means).max() - 1e-9
        # the density falls on all sides
        steps = 1e-3 * np.concatenate([np.eye(3), -np.eye(3)]) * np.sqrt(one.variances.min(axis=0))
        assert (batch[[i] * 6].log_prob(modes[i] + steps) <= at + 1e-11).all()


def test_the_mode_of_one_gaussian_is_its_mean():
    batch = Mixture([1.0], [[1.0, 2.0]], [[[1.0, 0.5], [0.5, 1.0]]]).condition({0: [0.0, 5.0]})
    assert_allclose(batch.mode(), batch.mean, rtol=1e-12)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda b: b.quantile(0.5), "must have one feature, and have 2"),
        (lambda b: b.cdf(0.5), "must have one feature, and have 2"),
        (lambda b: b.marginal(0).quantile(1.5), "from 0 to 1"),
        (lambda b: b.marginal(0).quantile([[0.5]]), "one share or a vector"),
        (lambda b: b.marginal(0).cdf([1.0, 2.0]), r"\(3,\) or \(3, m\); got \(2,\)"),
        (lambda b: b.marginal(0).cdf(np.nan), "NaN"),
    ],
)
def test_bad_input_gets_one_clear_error(ask, message):
    batch = Mixture([1.0], [[0.0, 0.0, 0.0]], [1.0], "spherical").condition({0: [0.0, 1.0, 2.0]})
    with pytest.raises(ValueError, match=message):
        ask(batch)


def test_some_of_a_batch_is_frozen_too():
    batch = Mixture([0.5, 0.5], [[0.0, -1.0], [0.0, 1.0]], [1.0, 1.0], "spherical").condition(
        {0: np.arange(4)}
    )
    for places in (slice(2), [0, 2], np.array([True, False, True, False]), []):
        some = batch[places]
        assert len(some) == (0 if isinstance(places, list) and not places else 2)
        for array in (some.rows, some.log_weights, some.log_evidence, some.weights, some.means, some.mean):
            assert not array.flags.writeable
    with pytest.raises(IndexError, match="there is no mixture 4: the batch has 4"):
        batch[4]
    assert batch[-4].means.tolist() == batch[0].means.tolist()
