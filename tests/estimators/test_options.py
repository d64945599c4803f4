"""The table of options: what it says agrees with every signature, and its checks refuse by name."""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

import gaussmix
from gaussmix.fit.constant_columns import find_constant_columns
from gaussmix.fit.iterate.acceleration import Acceleration
from gaussmix.fit.iterate.stopping import Stopping
from gaussmix.fit.options import (
    OPTIONS,
    CheckpointOptions,
    IterationOptions,
    ModelOptions,
    Numbers,
    Request,
    StartOptions,
)
from gaussmix.fit.starts.table import NAMES

#: Parameters of `fit_mixture` that are of the rows.
OF_ROWS = {"X", "sample_weight", "feature_names"}
#: Parameters of the estimator that are scikit-learn's alone.
OF_THE_ESTIMATOR = {
    "weights_init",
    "means_init",
    "precisions_init",
    "warm_start",
    "verbose",
    "verbose_interval",
}
GROUPS = (ModelOptions, StartOptions, IterationOptions)


def defaults_of(function):
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def defaults_of_the_table():
    return {name: value for group in GROUPS for name, value in vars(group()).items()}


def test_the_table_is_of_all_options_of_a_fit():
    assert set(OPTIONS) == set(inspect.signature(gaussmix.fit_mixture).parameters) - OF_ROWS
    estimator = set(inspect.signature(gaussmix.GaussianMixture).parameters)
    assert estimator - set(OPTIONS) == OF_THE_ESTIMATOR


@pytest.mark.parametrize("function", [gaussmix.fit_mixture, gaussmix.GaussianMixture])
def test_defaults_are_those_of_the_table(function):
    table, own = defaults_of_the_table(), defaults_of(function)
    other = {name for name in set(table) & set(own) if table[name] != own[name]}
    # an estimator has one component and one factor where nothing is said
    assert other == ({"n_factors"} if function is gaussmix.GaussianMixture else set())


@pytest.mark.parametrize(
    ("numbers", "inside", "outside", "text"),
    [
        (
            Numbers(1, whole=True),
            [1, 7, np.int32(3)],
            [0, 1.0, True, "1", None],
            "a whole number of at least 1",
        ),
        (
            Numbers(0),
            [0, 1e300, True, np.float32(2)],
            [-1e-300, math.nan, math.inf, "0"],
            "a finite number of at least 0",
        ),
        (
            Numbers(0, 1),
            [0, 0.999, np.float64(0.5)],
            [1, -0.1, math.nan, False],
            "a share of at least 0 and under 1",
        ),
        (Numbers(0, 1, open=True), [1e-9], [0, 1, True], "a share over 0 and under 1"),
    ],
)
def test_numbers(numbers, inside, outside, text):
    assert all(value in numbers for value in inside)
    assert not any(value in numbers for value in outside)
    assert str(numbers) == text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("reg_covar", "little", "\"auto\" or a finite number of at least 0; got 'little'"),
        ("reg_covar", -1, "a finite number of at least 0; got -1"),
        ("n_factors", "few", "\"auto\" or a whole number of at least 1; got 'few'"),
        ("n_factors", 0, "a whole number of at least 1; got 0"),
        ("stopping", "soon", "one of change, aitken; got 'soon'"),
        (
            "acceleration",
            "full",
            "one of auto, quasi-newton, anderson, squarem, or None; got 'full'",
        ),
    ],
)
def test_a_group_refuses_what_the_table_does_not_allow(name, value, message):
    group = next(group for group in GROUPS if name in vars(group()))
    with pytest.raises(ValueError) as caught:
        group(**{name: value})
    assert str(caught.value) == f"{name} must be {message}"


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        ("noise", "auto", True),
        ("noise", "0.25", 0.25),
        ("acceleration", "none", None),
        ("acceleration", "squarem", "squarem"),
        ("n_factors", "3", 3),
        ("reg_covar", "1e-3", 1e-3),
        ("trim", 0.1, 0.1),
    ],
)
def test_words_of_the_command_are_values_of_the_library(name, said, value):
    parsed = OPTIONS[name].parse(said)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize("reg_covar", [None, -1.0])
def test_a_wrong_ridge_beside_a_constant_column_is_refused_by_name(reg_covar):
    X = np.column_stack([np.arange(9.0), np.ones(9)])
    with pytest.raises(ValueError, match="reg_covar must be a finite number of at least 0"):
        gaussmix.fit_mixture(X, 2, reg_covar=reg_covar)


def test_words_are_those_that_the_code_knows():
    assert OPTIONS["stopping"].list_words() == list(get_args(Stopping))
    assert OPTIONS["acceleration"].list_words() == list(get_args(get_args(Acceleration)[0]))
    assert OPTIONS["init_params"].list_words() == list(NAMES)


def test_the_command_has_every_option_that_the_table_spells():
    from gaussmix.cli.app import fit

    own = inspect.signature(fit).parameters
    spelled = {name: option for name, option in OPTIONS.items() if option.flag}
    assert set(OPTIONS) & set(own) == set(spelled)
    unsaid = {name: own[name].default for name in spelled if own[name].default is not inspect.Parameter.empty}
    assert {name for name, value in unsaid.items() if value != spelled[name].default} == {
        "n_factors",  # texts: what the library does where nothing is said is said in the help
        "noise",
        "n_components",  # where nothing is said of these two, the command searches
        "covariance_type",
    }


def request_of(**options):
    groups = [
        group(**{name: value for name, value in options.items() if name in vars(group())}) for group in GROUPS
    ]
    return Request(*groups, CheckpointOptions())


class TestRequest:
    def test_what_a_checkpoint_must_agree_with_is_plain_json(self):
        request = request_of(
            n_components=np.int64(3), reg_covar=0, constraints=gaussmix.Constraints(min_weight=0.1)
        )
        recorded = request.record()
        assert json.loads(json.dumps(recorded)) == recorded
        assert recorded["constraints"]["min_weight"] == 0.1
        assert (recorded["n_components"], recorded["previous"]) == (3, "-inf")
        assert type(recorded["reg_covar"]) is float
        assert "random_state" not in recorded and "start" not in recorded

    def test_only_families_with_factors_have_a_number_of_them(self):
        assert "n_factors" not in request_of().record()
        assert request_of(covariance_type="factor", n_factors=2).record()["n_factors"] == 2

    def test_free_constraints_are_none(self):
        assert request_of(constraints=gaussmix.Constraints()).record()["constraints"] is None


class TestConstantColumns:
    X = np.column_stack([np.arange(9.0), np.full(9, 3.0), np.arange(9.0) ** 2])

    def test_they_are_found_with_their_values(self):
        constant = find_constant_columns(self.X, request_of())
        assert constant.columns.tolist() == [1] and constant.varying.tolist() == [0, 2]
        assert constant.values.tolist() == [3.0] and constant.variances.tolist() == [9e-10]

    @pytest.mark.parametrize(
        "options",
        [{"noise": True}, {"trim": 0.1}, {"reg_covar": 0.0}, {"covariance_type": "VEV"}, {"prior": "mclust"}],
    )
    def test_they_stay_where_a_fit_depends_on_all(self, options):
        assert find_constant_columns(self.X, request_of(**options)) is None

    def test_the_request_for_the_others_is_told_in_their_terms(self):
        seen = []
        request = request_of(previous=-2.0, on_progress=lambda progress: seen.append(progress) or True)
        request = replace(request, feature_names=["a", "b", "c"])
        constant = find_constant_columns(self.X, request)
        rest = constant.request_varying(request)
        assert rest.feature_names == ["a", "c"]
        assert rest.iteration.previous == -2.0 - constant.log_density
        assert rest.iteration.on_progress(gaussmix.Progress("EM", "iteration", 1, 9, -1.0)) is True
        assert seen[0].mean_log_likelihood == -1.0 + constant.log_density
