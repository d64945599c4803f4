"""Reasons and streams of a fitted detector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from gaussmix import GaussianMixtureDetector


def make_rows(n=300, seed=0):
    generator = np.random.default_rng(seed)
    height = generator.normal(1.7, 0.1, n)
    return np.column_stack([height, 40.0 * (height - 1.7) + 65.0 + generator.normal(0.0, 3.0, n)])


@pytest.mark.parametrize(
    "options",
    [
        {"n_components": 1, "covariance_type": "full"},
        {"n_components": 2, "covariance_type": "diag"},
        {"n_components": 2, "covariance_type": "factor"},
        {"n_components": 2, "covariance_type": "tied", "trim": 0.2},
    ],
)
def test_contributions_sum_to_what_the_component_lacks(options):
    X = make_rows()
    model = GaussianMixtureDetector(random_state=0, **options).fit(X)
    found = model.explain(X[:20])
    mixture, Z = model.model_.mixture, model.model_.columns.apply(X[:20])
    rows = np.arange(20)
    at_rows = mixture.component_log_prob(Z)[rows, found.components]
    at_means = mixture.component_log_prob(mixture.means)[found.components, found.components]
    np.testing.assert_allclose(found.deficits, at_means - at_rows, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.scores, model.score_samples(X[:20]))
    np.testing.assert_array_equal(found.values, X[:20])


def test_what_is_expected_of_a_feature_is_in_units_of_the_data():
    X = make_rows(2000)
    model = GaussianMixtureDetector(1, covariance_type="full", novelty=True).fit(X)
    found = model.explain([[1.9, 50.0]])
    assert found.expected[0, 1] == pytest.approx(65.0 + 40.0 * 0.2, abs=1.0)
    np.testing.assert_allclose(found.typical[0], X.mean(axis=0), rtol=1e-2)


def test_the_nearest_row_is_a_normal_row_of_the_fit():
    X = np.concatenate([make_rows(), [[1.7, 900.0]]])
    model = GaussianMixtureDetector(1, contamination=0.05).fit(X)
    found = model.explain(X)
    assert (model.predict(X[np.unique(found.neighbours)]) == 1).all()
    np.testing.assert_array_equal(found.neighbour_values, X[found.neighbours])
    normal = np.flatnonzero(model.predict(X) == 1)
    np.testing.assert_array_equal(found.neighbours[normal], normal)  # a normal row is the nearest to itself


def test_rows_without_weight_are_no_neighbours():
    X = make_rows()
    weights = np.where(np.arange(len(X)) < 150, 1.0, 0.0)
    model = GaussianMixtureDetector(1).fit(X, sample_weight=weights)
    assert model.explain(X).neighbours.max() < 150


def test_names_of_a_data_frame_are_kept():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(make_rows(), columns=["height", "weight"])
    model = GaussianMixtureDetector(1).fit(frame)
    found = model.explain(pd.DataFrame({"height": [1.7], "weight": [300.0]}))
    assert found.feature_names == ("height", "weight")
    assert found.reasons(1)[0].startswith("weight 300 (expected ")


ODD = {
    "a constant column": np.column_stack([make_rows(), np.full(300, 3.0)]),
    "nothing but constants": np.full((60, 3), 2.0),
    "few distinct rows": np.repeat(make_rows(5), 40, axis=0),
    "whole numbers": np.random.default_rng(0).integers(0, 3, (200, 4)).astype(float),
    "a rare value": np.column_stack([make_rows(), np.arange(300) < 3]),
    "one column": make_rows()[:, :1],
    "more columns than rows": np.random.default_rng(0).normal(size=(20, 50)),
    "far from zero": make_rows() + 1e9,
    "heavy tails": np.random.default_rng(0).standard_cauchy((200, 3)),
    "collinear": make_rows()[:, [0, 0, 1]] * [1.0, 2.0, 1.0],
    "two rows": make_rows(2),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_are_explained(name):
    X = ODD[name]
    found = GaussianMixtureDetector(random_state=0).fit(X).explain(X)
    for values in (found.contributions, found.drops, found.falls, found.expected, found.distances):
        assert np.isfinite(values).all()
    assert (found.falls >= 0.0).all() and (found.drops >= 0.0).all()
    assert len(found.reasons()) == len(X)


def test_a_value_that_a_column_never_had_is_the_reason():
    X = np.column_stack([make_rows(), np.full(300, 3.0)])
    found = GaussianMixtureDetector(random_state=0).fit(X).explain([[1.7, 65.0, 4.0]])
    assert found.reasons(1)[0].startswith("x2 4 (expected 3): ")


def test_chunks_have_the_scores_of_all_rows():
    X = make_rows()
    model = GaussianMixtureDetector(2, random_state=0).fit(X)
    parts = [X[:1], X[1:1], X[1:200].tolist(), X[200:]]
    scores = list(model.score_chunks(iter(parts)))
    assert [len(part) for part in scores] == [1, 0, 199, 100]
    np.testing.assert_allclose(np.concatenate(scores), model.score_samples(X), rtol=1e-10)


def test_chunks_are_read_when_they_are_asked_for():
    X = make_rows()
    model = GaussianMixtureDetector(1).fit(X)

    def give_parts():
        yield X[:5]
        raise RuntimeError("the second part was asked for")

    scores = model.score_chunks(give_parts())
    assert len(next(scores)) == 5
    with pytest.raises(RuntimeError, match="second part"):
        next(scores)


def test_errors():
    model = GaussianMixtureDetector(1)
    with pytest.raises(NotFittedError):
        model.explain([[1.0, 2.0]])
    with pytest.raises(NotFittedError):  # at once
        model.score_chunks([])
    model.fit(make_rows())
    with pytest.raises(ValueError, match="3 features"):
        model.explain([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="3 features"):
        next(model.score_chunks([[[1.0, 2.0, 3.0]]]))
