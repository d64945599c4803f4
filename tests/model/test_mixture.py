"""The mixture as a value: what its constructor accepts, that nothing changes it, how it shows itself."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251  (joblib pickles what estimators hold)
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import Mixture
from gaussmix.model.covariance import KNOWN, STRUCTURES, get_structure
from tests.helpers import NAMES, random_mixture

GOOD = {
    "full": [[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 3.0]]],
    "tied": [[2.0, 0.5], [0.5, 1.0]],
    "diag": [[2.0, 1.0], [1.0, 3.0]],
    "spherical": [2.0, 1.0],
}
MEANS = [[0.0, 0.0], [3.0, 1.0]]


@pytest.fixture(params=NAMES)
def mixture(request):
    return random_mixture(request.param, 3, 2, np.random.default_rng(0))


@pytest.mark.parametrize("name", GOOD)
def test_it_can_be_built_from_lists_without_any_fit(name):
    mixture = Mixture([0.25, 0.75], MEANS, GOOD[name], name, feature_names=["a", "b"])
    assert (mixture.n_components, mixture.n_features) == (2, 2)
    assert mixture.covariance_type == name
    assert mixture.feature_names == ("a", "b")
    for array, given in (
        (mixture.weights, [0.25, 0.75]),
        (mixture.means, MEANS),
        (mixture.covariances, GOOD[name]),
    ):
        assert array.dtype == np.float64
        assert_array_equal(array, given)
    assert mixture.log_prob([[0.0, 0.0]]).shape == (1,)


def test_full_is_the_default_and_names_are_optional():
    mixture = Mixture([0.25, 0.75], MEANS, GOOD["full"])
    assert mixture.covariance_type == "full" and mixture.feature_names is None


def test_parameters_of_lower_precision_become_double():
    mixture = Mixture(
        np.array([0.5, 0.5], np.float32), np.array(MEANS, np.int8), np.array([2, 1], np.float16), "spherical"
    )
    assert {mixture.weights.dtype, mixture.means.dtype, mixture.covariances.dtype} == {np.dtype(np.float64)}


def spoil(values, at, value):
    array = np.array(values)
    array[at] = value
    return array


WRONG = {
    # weights
    "too few weights": ({"weights": [1.0]}, "weights must have the shape (2,) = (n_components,); got (1,)"),
    "weights in a column": ({"weights": [[0.5], [0.5]]}, "weights must have the shape (2,)"),
    "a negative weight": ({"weights": [1.25, -0.25]}, "weights must not be negative; weight 1 is -0.25"),
    "weights of 0.9": ({"weights": [0.4, 0.5]}, "weights must sum to 1; they sum to 0.9"),
    "weights of 1.0001": ({"weights": [0.5, 0.5001]}, "weights must sum to 1; they sum to 1.0001"),
    "a weight of NaN": ({"weights": [np.nan, 1.0]}, "weights contains NaN or infinity: entry 0 is nan"),
    "a weight of text": ({"weights": ["a", "b"]}, "weights must hold numbers"),
    "a complex weight": ({"weights": [0.5j, 1.0]}, "weights must hold real numbers; complex"),
    # means
    "means on one axis": ({"means": [0.0, 3.0]}, "means must have the shape (n_components, n_features)"),
    "no means": ({"means": np.zeros((0, 2))}, "neither zero; got (0, 2)"),
    "means without features": ({"means": np.zeros((2, 0))}, "neither zero; got (2, 0)"),
    "an infinite mean": (
        {"means": spoil(MEANS, (1, 0), np.inf)},
        "means contains NaN or infinity: entry (1, 0) is inf",
    ),
    "a mean of text": ({"means": [["a", "b"], ["c", "d"]]}, "means must hold numbers"),
    # covariances
    "an unknown type": (
        {"covariance_type": "round"},
        "covariance_type must be one of " + ", ".join(KNOWN) + "; got 'round'",
    ),
    "no type": ({"covariance_type": None}, "got None"),
    "a list for a type": ({"covariance_type": ["full"]}, "got ['full']"),
    "one covariance for two": (
        {"covariances": GOOD["tied"]},
        "covariances must have the shape (2, 2, 2) = (n_components, n_features, n_features) for 'full'; got (2, 2)",
    ),
    "an infinite variance": (
        {"covariances": spoil(GOOD["full"], (1, 0, 0), np.inf)},
        "covariances contains NaN or infinity: entry (1, 0, 0) is inf",
    ),
    "an asymmetric matrix": (
        {"covariances": spoil(GOOD["full"], (0, 0, 1), 0.7)},
        "covariances must be symmetric; mirrored entries differ by up to 0.2 (the largest entry is 3)",
    ),
    "an indefinite matrix": (
        {"covariances": [GOOD["full"][0], [[1.0, 2.0], [2.0, 1.0]]]},
        "covariances must be positive definite; the covariance of component 1 has the smallest eigenvalue -1 ",
    ),
    "two indefinite matrices": (
        {"covariances": [[[1.0, 2.0], [2.0, 1.0]]] * 2},
        "the covariance of component 0 (and 1 more) has the smallest eigenvalue -1 ",
    ),
    "a singular tied matrix": (
        {"covariances": [[1.0, 1.0], [1.0, 1.0]], "covariance_type": "tied"},
        "covariances must be positive definite; the covariance has the smallest eigenvalue",
    ),
    "a negative variance": (
        {"covariances": [[1.0, 1.0], [1.0, -0.5]], "covariance_type": "diag"},
        "the covariance of component 1 has the smallest eigenvalue -0.5 (covariance_type='diag')",
    ),
    "a zero variance": (
        {"covariances": [1.0, 0.0], "covariance_type": "spherical"},
        "the covariance of component 1 has the smallest eigenvalue 0 (covariance_type='spherical')",
    ),
    "variances of other shape": (
        {"covariances": [1.0, 2.0, 3.0], "covariance_type": "spherical"},
        "covariances must have the shape (2,) = (n_components) for 'spherical'; got (3,)",
    ),
    # names
    "too few names": (
        {"feature_names": ["a"]},
        "feature_names must be 2 names, one a column of means; got 1",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_parameters_are_refused_with_what_came(what):
    change, message = WRONG[what]
    arguments = {"weights": [0.25, 0.75], "means": MEANS, "covariances": GOOD["full"]}
    with pytest.raises(ValueError, match=re.escape(message)):
        Mixture(**arguments | change)


def test_rounding_of_weights_and_of_mirrored_entries_is_forgiven():
    Mixture([0.1] * 10, np.zeros((10, 1)), np.ones(10), "spherical")  # 0.1 * 10 sums to 1 - 1e-16
    Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.3], [0.3 + 1e-12, 1.0]]])


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_symmetry_is_judged_relative_to_the_covariance(scale):
    covariance = scale * np.array([[[1.0, 0.3], [0.3 + 1e-3, 1.0]]])
    with pytest.raises(ValueError, match="must be symmetric"):
        Mixture([1.0], [[0.0, 0.0]], covariance)


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e200])
def test_any_unit_will_do(scale):
    mixture = Mixture([1.0], [[0.0, 0.0]], scale * np.array([[[1.0, 0.3], [0.3, 1.0]]]))
    expected = Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.3], [0.3, 1.0]]]).log_prob([[1.0, -1.0]]) - np.log(
        scale
    )
    assert_allclose(mixture.log_prob(np.sqrt(scale) * np.array([[1.0, -1.0]])), expected, rtol=1e-12)


class TestNothingChangesIt:
    @pytest.mark.parametrize(
        "field", ["weights", "means", "covariances", "covariance_type", "structure", "new"]
    )
    def test_attributes_cannot_be_set_or_deleted(self, mixture, field):
        with pytest.raises(
            AttributeError, match=f"a Mixture is immutable: make a new one instead of setting '{field}'"
        ):
            setattr(mixture, field, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(mixture, field)

    @pytest.mark.parametrize(
        "field", ["weights", "means", "covariances", "precisions_cholesky", "precisions"]
    )
    def test_arrays_cannot_be_written_to(self, mixture, field):
        array = getattr(mixture, field)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0

    def test_the_arrays_it_was_made_of_stay_the_callers(self):
        weights, means, variances = np.array([0.5, 0.5]), np.array(MEANS), np.array([2.0, 1.0])
        mixture = Mixture(weights, means, variances, "spherical")
        before = mixture.log_prob([[0.0, 0.0]])
        weights[:], means[:], variances[:] = 0.0, 9.0, 7.0  # they are still writable, and theirs alone
        assert_array_equal(mixture.weights, [0.5, 0.5])
        assert_array_equal(mixture.means, MEANS)
        assert_array_equal(mixture.log_prob([[0.0, 0.0]]), before)

    def test_what_it_answers_is_the_callers(self, mixture):
        X = mixture.sample(5, 0)[0]
        for answer in (mixture.log_prob(X), mixture.responsibilities(X), mixture.predict(X), mixture.mean):
            answer[...] = 0
        assert (mixture.mean != 0.0).any()
        assert_allclose(mixture.responsibilities(X).sum(axis=1), 1.0)

    def test_rows_are_not_written_to(self, mixture):
        X = mixture.sample(50, 0)[0]
        kept = X.copy()
        X.flags.writeable = False
        mixture.log_prob(X), mixture.component_log_prob(X), mixture.responsibilities(X), mixture.predict(X)
        assert_array_equal(X, kept)


@pytest.mark.parametrize("method", ["log_prob", "component_log_prob", "responsibilities", "predict"])
class TestRows:
    def test_wrong_rows_are_refused_with_what_came(self, mixture, method):
        call = getattr(mixture, method)
        for X, message in (
            (np.zeros((4, 3)), "X must have the shape (n_samples, 2), one column a feature; got (4, 3)"),
            (np.zeros(2), "got (2,). Reshape one row with X.reshape(1, -1)"),
            (np.zeros((4, 2, 1)), "got (4, 2, 1)"),
            (0.0, "got ()"),
            ([[0.0, np.nan], [1.0, 1.0]], "X contains NaN or infinity: entry (0, 1) is nan (1 such in all)"),
            ([[0.0, 0.0], [-np.inf, np.inf]], "entry (1, 0) is -inf (2 such in all)"),
            ([["a", "b"]], "X must hold numbers"),
            ([[1j, 0.0]], "X must hold real numbers; complex data are not supported"),
        ):
            with pytest.raises(ValueError, match=re.escape(message)):
                call(X)

    def test_no_rows_get_no_answers(self, mixture, method):
        answer = getattr(mixture, method)(np.zeros((0, 2)))
        assert answer.shape in ((0,), (0, 3))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_answers_have_the_precision_of_the_rows(self, mixture, method, dtype):
        answer = getattr(mixture, method)(np.zeros((3, 2), dtype))
        assert answer.dtype == (np.int64 if method == "predict" else dtype)


@pytest.mark.parametrize("n_samples", [0, -3])
def test_a_sample_has_rows(mixture, n_samples):
    with pytest.raises(ValueError, match=f"Invalid value for 'n_samples': {n_samples}"):
        mixture.sample(n_samples)


def test_repr_says_how_large_it_is(mixture):
    expected = f"Mixture(n_components=3, n_features=2, covariance_type={mixture.covariance_type!r})"
    assert repr(mixture) == expected


@pytest.mark.parametrize("through", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy])
def test_copies_are_equal_and_frozen(mixture, through):
    X = mixture.sample(20, 0)[0]
    mixture.log_prob(X)  # fills what it remembers of its frames, which a copy need not carry
    other = through(mixture)
    for field in ("weights", "means", "covariances", "precisions_cholesky"):
        assert_array_equal(getattr(other, field), getattr(mixture, field))
        assert not getattr(other, field).flags.writeable
    assert other.covariance_type == mixture.covariance_type
    assert other.feature_names == mixture.feature_names
    assert_array_equal(other.log_prob(X), mixture.log_prob(X))
    with pytest.raises(AttributeError, match="immutable"):
        other.means = None


def test_a_pickle_holds_parameters_only():
    small = Mixture([1.0], [[0.0]], [1.0], "spherical")
    before = len(pickle.dumps(small))
    small.log_prob(np.zeros((1000, 1)))
    assert len(pickle.dumps(small)) == before < 1000


def test_the_table_of_structures_names_what_it_knows():
    assert get_structure("full") is STRUCTURES["full"]
    for wrong in ("Full", "", None, 3, ["full"]):
        with pytest.raises(
            ValueError,
            match=re.escape(f"must be one of {', '.join(KNOWN)}; got {wrong!r}"),
        ):
            get_structure(wrong)


def test_a_row_that_nothing_explains_is_improbable_not_undefined(mixture):
    for far in (1e100, 1e160, 1e300):
        log_prob = mixture.log_prob([[far, -far]])
        assert np.isfinite(log_prob[0]) and log_prob[0] < -1e100
        assert_allclose(mixture.responsibilities([[far, -far]]).sum(), 1.0)


def test_large_numbers_whose_sum_overflows_are_not_called_infinite(mixture):
    with pytest.raises(ValueError, match="shape"):
        mixture.log_prob(np.full((9, 3), 1e308))
    assert (mixture.log_prob(np.full((9, 2), 1e308)) < -1e100).all()
