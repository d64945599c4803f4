"""What each feature contributes: by the formula, and by going over all coalitions of features."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import gaussmix
from gaussmix.apps.anomaly.attribution import attribute_rows, find_components, select_root
from gaussmix.apps.anomaly.explanation import Explanation, explain_rows, write_values
from gaussmix.apps.anomaly.normal_rows import MOST_NUMBERS, MOST_ROWS, NormalRows, find_nearest
from gaussmix.apps.anomaly.ranking import rank_features
from gaussmix.model.covariance import FACTORS, STRUCTURES
from gaussmix.model.noise import Noise
from tests.helpers import random_mixture

N_FACTORS = 2


def draw_mixture(name, k, d, seed=0):
    rng = np.random.default_rng(seed)
    if name in STRUCTURES:
        return random_mixture(name, k, d, rng)
    structure = FACTORS[name].of_shape((1, d, N_FACTORS + 1))
    loadings, uniquenesses, features = (letter == "C" for letter in structure.letters)
    stack = np.concatenate([rng.normal(size=(k, d, N_FACTORS)), rng.uniform(0.2, 2.0, (k, d, 1))], axis=2)
    stack[:, :, :-1] = stack[:1, :, :-1] if loadings else stack[:, :, :-1]
    stack[:, :, -1] = stack[:, :1, -1] if features else stack[:, :, -1]
    stack[:, :, -1] = stack[:1, :, -1] if uniquenesses else stack[:, :, -1]
    covariances = structure.unstack(stack[:1] if structure.shared else stack)
    return gaussmix.Mixture(rng.dirichlet(np.full(k, 5.0)), rng.normal(0, 4, (k, d)), covariances, name)


def find_shapley_values(value, d):
    """By the definition: the mean of v(S and j) - v(S) over all orders."""
    phi = np.zeros(d)
    for j in range(d):
        others = [i for i in range(d) if i != j]
        for size in range(d):
            share = math.factorial(size) * math.factorial(d - size - 1) / math.factorial(d)
            for S in itertools.combinations(others, size):
                phi[j] += share * (value({*S, j}) - value(set(S)))
    return phi


@pytest.mark.parametrize("name", [*STRUCTURES, *FACTORS])
@pytest.mark.parametrize(("k", "d"), [(1, 4), (3, 4), (2, 1)])
def test_contributions_are_shapley_values_in_every_family(name, k, d):
    if name in FACTORS and d < 4:
        pytest.skip("one feature has no factors")
    mixture = draw_mixture(name, k, d)
    rows = np.random.default_rng(1).normal(0, 6, (8, d))
    found = attribute_rows(mixture, rows)
    np.testing.assert_array_equal(found.components, mixture.predict(rows))
    for i, component in enumerate(found.components):
        mean = mixture.means[component]
        alone = gaussmix.Mixture([1.0], mean[None], mixture.dense_covariances[component][None])

        def find_deficit(coalition, mean=mean, alone=alone, row=rows[i]):
            point = np.where([j in coalition for j in range(d)], row, mean)
            return float(alone.log_prob(mean[None])[0] - alone.log_prob(point[None])[0])

        expected = find_shapley_values(find_deficit, d)
        np.testing.assert_allclose(found.contributions[i], expected, rtol=1e-7, atol=1e-7)
        assert found.contributions[i].sum() == pytest.approx(find_deficit(set(range(d))), rel=1e-8)


@pytest.mark.parametrize("name", [*STRUCTURES, *FACTORS])
def test_drops_are_those_of_the_conditional_density(name):
    mixture = draw_mixture(name, 2, 4)
    rows = np.random.default_rng(2).normal(0, 5, (6, 4))
    found = attribute_rows(mixture, rows)
    for i, component in enumerate(found.components):
        mean, C = mixture.means[component], mixture.dense_covariances[component]
        for j in range(4):
            rest = [a for a in range(4) if a != j]
            slope = np.linalg.solve(C[np.ix_(rest, rest)], C[rest, j])
            expected = mean[j] + slope @ (rows[i, rest] - mean[rest])
            variance = C[j, j] - slope @ C[rest, j]
            assert found.expected[i, j] == pytest.approx(expected, rel=1e-8, abs=1e-8)
            assert found.drops[i, j] == pytest.approx(0.5 * (rows[i, j] - expected) ** 2 / variance, rel=1e-7)


@pytest.mark.parametrize("name", [*STRUCTURES, *FACTORS])
def test_conditional_variances_are_those_of_the_dense_precision(name):
    mixture = draw_mixture(name, 3, 5)
    found = mixture.structure.algebra.conditional_variances(mixture.roots, 5)
    dense = 1.0 / np.diagonal(np.linalg.inv(mixture.dense_covariances), axis1=1, axis2=2)
    np.testing.assert_allclose(np.broadcast_to(found, (3, 5)), dense, rtol=1e-9)


def test_a_factor_of_one_feature_alone_keeps_its_digits():
    """psi_j (C^-1)_jj is a difference of nearly equal numbers when a factor is almost one feature."""
    covariances = np.array([[[1e6, 1e-2], [1e-3, 1.0], [0.0, 1.0]]])
    mixture = gaussmix.Mixture([1.0], np.zeros((1, 3)), covariances, "factor")
    variances = mixture.structure.algebra.conditional_variances(mixture.roots, 3)[0]
    # C_jj less what the others explain, in exact arithmetic: 1e12 + .01 - 1e6 / (1 + 1e-6), and the others
    np.testing.assert_allclose(variances[0], 1e12 + 1e-2 - 1e6 / (1 + 1e-6), rtol=1e-3)
    np.testing.assert_allclose(variances[1:], 1.0, rtol=1e-6)


def test_noise_is_no_component_to_explain_with():
    mixture = draw_mixture("full", 2, 2).with_noise(Noise(0.3, log_density=-1.0))
    far = np.array([[50.0, -50.0]])
    assert mixture.predict(far)[0] == -1
    component = find_components(mixture, far)[0]
    joint = mixture.component_log_prob(far)[0, :2] + np.log(mixture.weights)
    assert component == joint.argmax()


def test_the_feature_that_is_wrong_is_named_and_not_those_that_go_with_it():
    C = np.full((3, 3), 0.9) + 0.1 * np.eye(3)
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0, 0.0]], [C])
    wrong, far = [1.0, -2.0, 1.0], [4.0, 4.0, 4.0]
    found = explain_rows(mixture, np.array([wrong, far]), feature_names=["a", "b", "c"])
    first, second = found.list_reasons()
    assert (
        first[0].feature == "b"
        and first[0].word == "expected"
        and first[0].other == pytest.approx(0.947, abs=1e-3)
    )
    # all three are far together: each fits the others, and none the component
    assert [reason.word for reason in second] == ["typical"] * 3
    assert found.reasons(1)[1].startswith("a 4 (typical 0): ")


def test_reasons_leave_out_what_contributes_nothing():
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
    found = explain_rows(mixture, np.array([[9.0, 1e-3], [0.0, 0.0]]))
    assert found.reasons() == ["x0 9 (expected 0): 40.5 nats", ""]
    with pytest.raises(ValueError, match="n_features must be at least 1; got 0"):
        found.reasons(0)


@pytest.mark.parametrize("name", [*STRUCTURES, *FACTORS])
def test_changes_are_the_greedy_choice_by_the_dense_precision(name):
    d = 5
    mixture = draw_mixture(name, 2, d)
    rows = np.random.default_rng(3).normal(0, 6, (7, d))
    found = attribute_rows(mixture, rows)
    ranking = rank_features(mixture, rows, found, d)
    np.testing.assert_allclose(ranking.falls.sum(axis=1), found.contributions.sum(axis=1), rtol=1e-7)
    for i, component in enumerate(found.components):
        P, delta = np.linalg.inv(mixture.dense_covariances[component]), rows[i] - mixture.means[component]
        g, before, chosen = P @ delta, 0.0, []

        def find_fall(S, P=P, g=g):
            return 0.5 * g[S] @ np.linalg.solve(P[np.ix_(S, S)], g[S])

        for s in range(d):
            falls = {j: find_fall([*chosen, j]) - before for j in range(d) if j not in chosen}
            j = int(ranking.features[i, s])
            assert falls[j] == pytest.approx(max(falls.values()), rel=1e-7)
            assert ranking.falls[i, s] == pytest.approx(falls[j], rel=1e-6, abs=1e-9)
            rest = [a for a in range(d) if a not in chosen and a != j]
            C = mixture.dense_covariances[component]
            slope = np.linalg.solve(C[np.ix_(rest, rest)], C[rest, j]) if rest else np.empty(0)
            mean = mixture.means[component]
            expected = mean[j] + slope @ (rows[i, rest] - mean[rest])
            assert ranking.expected[i, s] == pytest.approx(expected, rel=1e-6, abs=1e-7)
            before += falls[j]
            chosen.append(j)


def test_blocks_of_rows_are_ranked_as_all(monkeypatch):
    mixture = draw_mixture("full", 2, 4)
    rows = np.random.default_rng(5).normal(0, 6, (30, 4))
    found = attribute_rows(mixture, rows)
    whole = rank_features(mixture, rows, found, 3)
    monkeypatch.setattr("gaussmix.apps.anomaly.ranking.MOST_NUMBERS", 40)
    parts = rank_features(mixture, rows, found, 3)
    np.testing.assert_array_equal(parts.features, whole.features)
    np.testing.assert_allclose(parts.falls, whole.falls, rtol=1e-12)


def test_two_wrong_features_are_both_found():
    """Drops would blame features that go with them."""
    C = np.full((6, 6), 0.95) + 0.05 * np.eye(6)
    mixture = gaussmix.Mixture([1.0], np.zeros((1, 6)), [C])
    row = np.full(6, 0.3)
    row[[1, 4]] = 3.0
    found = explain_rows(mixture, row[None])
    (reasons,) = found.list_reasons()
    assert {reason.feature for reason in reasons[:2]} == {"x1", "x4"}
    assert [reason.other for reason in reasons[1:2]] == pytest.approx([0.3], abs=0.02)
    assert sum(reason.nats for reason in reasons[:2]) > 0.95 * found.deficits[0]


class Scaled:
    """Columns on a logarithmic scale, for tests of the way back to the data's units."""

    def apply(self, X):
        return np.log(np.asarray(X, dtype=np.float64))

    def invert(self, Z):
        return np.exp(Z)


def test_columns_lead_there_and_back():
    mixture = gaussmix.Mixture([1.0], [[0.0, 1.0]], [[1.0, 4.0]], "diag")
    X = np.array([[math.e**5, math.e]])
    normal = NormalRows(np.array([[1.0, math.e], [math.e**4, math.e]]), np.array([7, 12]))
    found = explain_rows(mixture, X, columns=Scaled(), normal=normal)
    np.testing.assert_allclose(found.expected, [[1.0, math.e]])
    np.testing.assert_allclose(found.typical, [[1.0, math.e]])
    np.testing.assert_allclose(found.contributions, [[12.5, 0.0]], atol=1e-12)
    np.testing.assert_array_equal(found.neighbours, [12])
    np.testing.assert_allclose(found.distances, 1.0)
    np.testing.assert_allclose(found.neighbour_values, normal.values[1:])


@pytest.mark.parametrize("name", [*STRUCTURES, *FACTORS])
def test_the_nearest_row_is_nearest_in_the_metric_of_the_component(name):
    mixture = draw_mixture(name, 3, 4)
    rng = np.random.default_rng(4)
    rows, normal = rng.normal(0, 5, (20, 4)), rng.normal(0, 5, (50, 4))
    components = mixture.predict(rows)
    places, distances = find_nearest(mixture, normal, rows, components)
    for i, component in enumerate(components):
        P = np.linalg.inv(mixture.dense_covariances[component])
        squares = np.einsum("ni,ij,nj->n", normal - rows[i], P, normal - rows[i])
        assert places[i] == squares.argmin()
        assert distances[i] == pytest.approx(math.sqrt(squares.min()))


def test_the_nearest_row_to_one_at_a_great_distance():
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
    places, distances = find_nearest(
        mixture, np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1e7, 0.0]]), np.array([0])
    )
    assert places[0] == 1 and distances[0] == 1e7 - 1.0


def test_normal_rows_are_few_and_say_where_they_come_from():
    X = np.arange(3.0 * MOST_ROWS).reshape(-1, 1)
    normal = np.arange(len(X)) % 2 == 0
    kept = NormalRows.draw(X, normal)
    assert len(kept.places) == MOST_ROWS and normal[kept.places].all()
    np.testing.assert_array_equal(kept.values, X[kept.places])
    assert (np.diff(kept.places) > 0).all()
    wide = NormalRows.draw(np.zeros((100, MOST_NUMBERS // 10), dtype=np.float32), np.ones(100, dtype=bool))
    assert wide.values.shape == (10, MOST_NUMBERS // 10)
    few = NormalRows.draw(X[:5], normal[:5])
    np.testing.assert_array_equal(few.places, [0, 2, 4])


def test_without_normal_rows_there_is_no_neighbour():
    mixture = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    found = explain_rows(mixture, np.array([[1.0]], dtype=np.float32))
    assert found.neighbours.tolist() == [-1] and np.isnan(found.distances).all()


def test_tables_have_a_line_for_each_feature_of_each_row():
    mixture = draw_mixture("full", 2, 3)
    rng = np.random.default_rng(0)
    normal = NormalRows.draw(rng.normal(size=(9, 3)), np.ones(9, dtype=bool))
    found = explain_rows(mixture, rng.normal(size=(4, 3)), normal=normal, feature_names=["a", "b", "c"])
    assert repr(found) == "Explanation(4 rows, 3 features)" and len(found) == 4
    table = found.to_dict()
    assert {len(column) for column in table.values()} == {12}
    assert table["row"][3:7] == [1, 1, 1, 2] and table["feature"][3:7] == ["a", "b", "c", "a"]
    assert table["contribution"][4] == found.contributions[1, 1]
    assert table["neighbour_value"][4] == found.neighbour_values[1, 1]
    assert table["neighbour"][4] == found.neighbours[1]
    first = table["feature"].index(found.feature_names[found.changes[1, 0]], 3)
    assert table["change"][first] == 0 and table["fall"][first] == found.falls[1, 0]
    assert sorted(table["change"][3:6]) == [0, 1, 2]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_of_any_kind(backend):
    pytest.importorskip(backend)
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
    found: Explanation = explain_rows(mixture, np.array([[1.0, 2.0]]))
    frame = found.to_frame(backend)
    assert frame.shape[0] == 2


def test_one_root_of_a_stack():
    mixture = draw_mixture("full", 3, 2)
    np.testing.assert_array_equal(select_root(mixture, 1)[0], mixture.roots[1])
    tied = draw_mixture("tied", 3, 2)
    assert len(select_root(tied, 2)) == 1


@pytest.mark.parametrize(
    ("value", "other", "texts"),
    [
        (455.0, 98.231, ("455", "98.2")),
        (1000.1, 1000.0, ("1000.1", "1000")),
        (123456.0, 7.0, ("123456", "7")),
        (0.0, 0.0, ("0", "0")),
        (1.0, -8.7e-17, ("1", "0")),
        (-0.0, 2.0, ("0", "2")),
        (math.inf, 1.0, ("inf", "1")),
        (5.0, 5.0, ("5", "5")),
    ],
)
def test_numbers_have_the_digits_that_tell_them_apart(value, other, texts):
    assert write_values(value, other) == texts
