"""Published code runs the same with our class as with scikit-learn's, or says loudly that it does not."""

from __future__ import annotations

import warnings

import pytest
import sklearn
from sklearn.mixture import GaussianMixture as Reference
from sklearn.utils.fixes import parse_version

from gaussmix import GaussianMixture
from tests.compat.comparing import assert_same
from tests.compat.idioms import IDIOMS

#: Idioms that scikit-learn answers with wrong numbers, and what we say of them instead; each has its line in
#: docs/differences-from-scikit-learn.md.
REFUSED = {
    "a_model_by_hand_with_a_transposed_cholesky": "covariances_ and precisions_cholesky_ contradict each other",
}

#: Idioms that scikit-learn itself has run so since this version.
SINCE = {"single_precision": "1.7"}


def run(name, cls):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which warnings there are is for the tests of each
        return IDIOMS[name](cls)


@pytest.mark.parametrize("name", [name for name in IDIOMS if name not in REFUSED])
def test_the_same(name):
    if parse_version(sklearn.__version__) < parse_version(SINCE.get(name, "0")):
        pytest.skip(f"scikit-learn {sklearn.__version__} does not")
    assert_same(run(name, GaussianMixture), run(name, Reference))


@pytest.mark.parametrize("name", REFUSED)
def test_one_loud_error(name):
    run(name, Reference)
    with pytest.raises(ValueError, match=REFUSED[name]):
        run(name, GaussianMixture)


def test_there_are_enough():
    assert len(IDIOMS) - len(REFUSED) >= 50
