"""scikit-learn's own checks of an estimator: every one runs and passes."""

from __future__ import annotations

import json

import pytest

from tests.helpers import KINDS, run_python

PLAIN = ("GaussianMixture()", "GaussianMixture(covariance_type='tied', reg_covar=1e-3)")
RANDOM_START = (
    *(f"GaussianMixture(n_components=2, covariance_type={name!r})" for name in KINDS),
    "GaussianMixture(n_components=2, init_params='random_from_data', n_init=2, warm_start=True)",
)
# The check compares fits of weighted and of repeated rows. Given a start they agree (see test_weights.py); a
# start drawn at random draws other rows where there are more of them, as it does in scikit-learn's own KMeans.
DEPENDS_ON_THE_DRAW = "check_sample_weight_equivalence_on_dense_data"

# a process of its own, because SciPy reads SCIPY_ARRAY_API when it is imported and one check needs it
CODE = """
import json, warnings
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import GaussianMixture

warnings.simplefilter("ignore")  # checks fit two components to noise, which need not converge
report = {}
for variant in %r:
    results = check_estimator(eval(variant), on_skip=None, on_fail=None)
    report[variant] = [[r["check_name"], r["status"], str(r["exception"])] for r in results]
print(json.dumps(report))
"""


def run_checks(variants):
    """The name, status and error of each check, for each variant."""
    pytest.importorskip("pandas", reason="a check of column names needs it")
    report = json.loads(run_python(CODE % (variants,), SCIPY_ARRAY_API="1"))
    assert list(report) == list(variants)
    assert all(len(results) > 40 for results in report.values())
    return report


def test_no_check_fails_or_is_skipped():
    for variant, results in run_checks(PLAIN).items():
        assert [result for result in results if result[1] != "passed"] == [], variant


def test_a_start_drawn_at_random_passes_all_that_do_not_depend_on_the_draw():
    for variant, results in run_checks(RANDOM_START).items():
        assert [r for r in results if r[1] != "passed" and r[0] != DEPENDS_ON_THE_DRAW] == [], variant
        assert DEPENDS_ON_THE_DRAW in {result[0] for result in results}
