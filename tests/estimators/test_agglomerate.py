"""The model-based hierarchy: which clusters merge, and what the start makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gaussmix import GaussianMixture, fit_mixture
from gaussmix.datasets import load_faithful
from gaussmix.fit.starts.hierarchy import SCALINGS, find_merges, label_rows, scale_rows


def naive(X):
    """The same hierarchy by its definition, each cost computed anew from the rows."""
    Z = scale_rows(X, None)
    n, d = Z.shape
    least = ((Z - Z.mean(axis=0)) ** 2).sum() / (n * d)

    def term(rows):
        D = Z[rows] - Z[rows].mean(axis=0)
        value = (np.trace(D.T @ D) + least) / len(rows)
        if len(rows) > d:
            value += np.linalg.det(D.T @ D / len(rows))
        return len(rows) * np.log(value)

    clusters, order = {i: [i] for i in range(n)}, []
    while len(clusters) > 1:
        cost = {
            (i, j): term(clusters[i] + clusters[j]) - term(clusters[i]) - term(clusters[j])
            for i in clusters
            for j in clusters
            if i < j
        }
        i, j = min(cost, key=cost.__getitem__)
        order.append((i, j))
        clusters[i] += clusters.pop(j)
    return np.array(order)


@pytest.mark.parametrize(("n", "d"), [(25, 1), (25, 2), (30, 4), (4, 5)])
def test_the_hierarchy_is_that_of_the_definition(n, d):
    X = np.random.default_rng(n + d).normal(size=(n, d)) * np.arange(1, d + 1)
    assert_array_equal(find_merges(X), naive(X))


def test_labels_of_every_cut():
    X = np.random.default_rng(0).normal(size=(40, 3))
    order = find_merges(X)
    finer = label_rows(order, 40)
    assert_array_equal(finer, np.arange(40))
    for k in range(39, 0, -1):
        labels = label_rows(order, k)
        assert_array_equal(np.unique(labels), np.arange(k))
        # each cut merges two clusters of the one before
        assert len(set(zip(finer.tolist(), labels.tolist(), strict=True))) == k + 1
        finer = labels


def test_scaled_and_shifted_columns_give_the_same_hierarchy():
    X = np.random.default_rng(1).normal(size=(60, 3))
    assert_array_equal(find_merges(X * [1e-9, 1.0, 1e9] + [1.0, -5.0, 1e10]), find_merges(X))


@pytest.mark.parametrize("name", ["full", "VEV", "EII"])
def test_clusters_apart_are_found(make_clusters, name):
    data = make_clusters(k=3, spread=30.0)
    model = GaussianMixture(3, init_params="agglomerative", covariance_type=name).fit(data.X)
    found = model.predict(data.X)
    assert len({(a, b) for a, b in zip(found.tolist(), data.labels.tolist(), strict=True)}) == 3


def test_repeated_constant_and_single_rows():
    assert find_merges(np.ones((1, 2))).shape == (0, 2)
    for X in (np.ones((6, 2)), np.repeat(np.eye(2), 3, axis=0), np.c_[np.arange(5.0), np.zeros(5)]):
        for k in (1, 2):
            result = fit_mixture(X, k, init_params="agglomerative")
            assert np.isfinite(result.mixture.means).all() and np.isfinite(result.log_likelihood)


def test_many_rows_are_sampled():
    X = np.random.default_rng(0).normal(size=(2500, 2))
    X[:1200] += 8.0
    one, other = (
        fit_mixture(X, 2, init_params="agglomerative", random_state=seed).mixture.means for seed in (0, 1)
    )
    np.testing.assert_allclose(np.sort(one, axis=0), np.sort(other, axis=0), atol=0.05)


@pytest.mark.parametrize("scaling", range(len(SCALINGS)))
def test_every_scaling_takes_constant_columns_and_weights_of_one(scaling, make_clusters):
    X = make_clusters(k=3, spread=30.0).X
    X = np.c_[X, np.ones(len(X))]
    order = find_merges(X, None, scaling)
    assert_array_equal(find_merges(X, np.ones(len(X)), scaling), order)
    assert sorted(order[:, 1].tolist()) == list(range(1, len(X)))  # each row but the first is merged once
    assert (order[:, 0] < order[:, 1]).all()


def test_further_starts_are_other_hierarchies():
    X, _ = load_faithful()
    options = {"covariance_type": "VII", "init_params": "agglomerative", "tol": 1e-8, "max_iter": 2000}
    ends = [fit_mixture(X, 5, **options, n_init=n).log_likelihood for n in (1, 2, 3)]
    assert ends == sorted(ends) and ends[-1] > ends[0] + 10.0
