"""To PyTorch's distributions and back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import Mixture
from tests.foreign.cases import CASES, as_values, make_case

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("case", CASES)
def test_the_density_is_the_same_in_the_tails_too_and_comes_back(case):
    mixture, rows = make_case(case)
    distribution = mixture.to_torch()
    found = distribution.log_prob(torch.tensor(as_values(rows)))
    assert_allclose(found.numpy(), mixture.log_prob(rows), rtol=1e-10, atol=1e-10)
    assert_allclose(distribution.mean.numpy().ravel(), mixture.mean, rtol=1e-10, atol=1e-12)
    variances = distribution.variance.numpy().ravel()
    assert_allclose(variances, mixture.total_variances, rtol=1e-10)
    again = Mixture.from_torch(distribution)
    assert_allclose(again.weights, mixture.weights, rtol=1e-14)
    assert_allclose(again.means, mixture.means, rtol=0)
    assert_allclose(again.dense_covariances, mixture.dense_covariances, rtol=1e-13, atol=1e-15)
    assert (again.n_factors > 0) == (mixture.n_factors > 0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("diag", "Independent"), ("EII", "Independent"), ("tied", "MultivariateNormal"), ("VVE", "MultivariateNormal"),
     ("ppca", "LowRankMultivariateNormal")],
)  # fmt: skip
def test_components_are_as_lean_as_their_family(name, kind):
    distribution = make_case(name)[0].to_torch()
    assert type(distribution.component_distribution).__name__ == kind
    assert tuple(distribution.event_shape) == (3,)
    assert tuple(make_case("one feature")[0].to_torch().event_shape) == ()


@pytest.mark.parametrize("name", ["full", "diag"])
@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_and_offsets_are_no_matter(name, unit):
    mixture, rows = make_case(name)
    scale = unit**2 * np.ones_like(mixture.covariances)
    moved = Mixture(mixture.weights, unit * (mixture.means + 1e4), scale * mixture.covariances, name)
    X = unit * (rows + 1e4)
    found = moved.to_torch().log_prob(torch.tensor(X)).numpy()
    assert_allclose(found, moved.log_prob(X), rtol=1e-9)


def test_a_tiny_weight_counts_where_nothing_else_does():
    mixture = Mixture([1.0 - 1e-40, 1e-40], [[0.0], [100.0]], [1.0, 1.0], "spherical")
    found = mixture.to_torch().log_prob(torch.tensor([100.0], dtype=torch.float64))
    assert_allclose(found.numpy(), mixture.log_prob([[100.0]]), rtol=1e-12)
    assert_allclose(Mixture.from_torch(mixture.to_torch()).weights, mixture.weights, rtol=1e-12)


@pytest.mark.parametrize("name", ["full", "diag", "factor"])
def test_gradients_are_those_of_the_density(name):
    mixture, rows = make_case(name)
    x = torch.tensor(rows[:5], requires_grad=True)
    mixture.to_torch().log_prob(x).sum().backward()
    step = 1e-5
    for j in range(3):
        moves = step * np.eye(3)[j]
        slope = (mixture.log_prob(rows[:5] + moves) - mixture.log_prob(rows[:5] - moves)) / (2 * step)
        assert_allclose(x.grad[:, j].numpy(), slope, rtol=1e-5, atol=1e-6)


def test_the_type_is_chosen_and_draws_have_it():
    mixture, rows = make_case("full")
    distribution = mixture.to_torch(dtype=torch.float32, device="cpu")
    torch.manual_seed(0)
    drawn = distribution.sample((7,))
    assert drawn.dtype == torch.float32 and tuple(drawn.shape) == (7, 3)
    found = distribution.log_prob(torch.tensor(rows[:-1], dtype=torch.float32))
    assert_allclose(found.numpy(), mixture.log_prob(rows[:-1]), rtol=1e-3, atol=1e-3)
    again = Mixture.from_torch(distribution, feature_names=["a", "b", "c"])
    assert again.feature_names == ("a", "b", "c")
    assert_allclose(again.log_prob(rows[:-1]), mixture.log_prob(rows[:-1]), rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match=r"floating type of PyTorch.*got torch\.int64"):
        mixture.to_torch(dtype=torch.int64)


def test_one_gaussian_is_a_mixture_of_one():
    d = torch.distributions
    gaussian = d.MultivariateNormal(torch.zeros(2), torch.tensor([[2.0, 0.5], [0.5, 1.0]]))
    mixture = Mixture.from_torch(gaussian)
    assert mixture.n_components == 1
    assert_allclose(mixture.covariances[0], [[2.0, 0.5], [0.5, 1.0]], rtol=1e-6)
    assert Mixture.from_torch(d.Normal(1.0, 2.0)).covariances.tolist() == [[4.0]]
    many = d.LowRankMultivariateNormal(
        torch.zeros(2), torch.eye(2), torch.ones(2)
    )  # as many factors as features
    assert_allclose(Mixture.from_torch(many).covariances[0], 2.0 * np.eye(2), rtol=1e-6)


def test_what_is_no_mixture_of_gaussians_is_refused():
    d = torch.distributions
    weights = d.Categorical(torch.ones(2))
    for distribution, message in [
        (d.MixtureSameFamily(weights, d.Laplace(torch.zeros(2), torch.ones(2))), "got Laplace"),
        (d.MixtureSameFamily(weights, d.Independent(d.Laplace(torch.zeros(2, 3), torch.ones(2, 3)), 1)),
         "got Independent of Laplace"),
        (d.Normal(torch.zeros(2), torch.ones(2)), r"a batch of shape \(2,\)"),
        (d.MixtureSameFamily(d.Categorical(torch.ones(4, 2)), d.Normal(torch.zeros(4, 2), torch.ones(4, 2))),
         r"a batch of shape \(4,\)"),
        (d.LogNormal(0.0, 1.0), "got LogNormal"),
        (None, "got NoneType"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            Mixture.from_torch(distribution)
