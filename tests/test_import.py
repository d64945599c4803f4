"""What an import loads: neither what is optional nor what is only needed later."""

from __future__ import annotations

import sys

import pytest

from tests.helpers import run_python

LATER = {
    "matplotlib",
    "jinja2",
    "altair",
    "vl_convert",
    "pandas",
    "polars",
    "torch",
    "pyarrow",
    "numba",
    "llvmlite",
}


def loaded_by(statement, before="pass"):
    """The packages that a statement loads in a fresh interpreter, without those that `before` has loaded."""
    packages = "{module.split('.')[0] for module in sys.modules}"
    code = f"import sys\n{before}\nhere = {packages}\n{statement}\nprint(*sorted({packages} - here))"
    return set(run_python(code).split())


@pytest.mark.parametrize(
    "statement",
    [
        "import gaussmix",
        "from gaussmix import Mixture, FitResult, FitStatus, fit_mixture, show_config",
        "import gaussmix.io",
    ],
)
def test_an_import_loads_nothing_that_is_needed_later(statement):
    loaded = loaded_by(statement)
    assert "gaussmix" in loaded
    assert LATER.isdisjoint(loaded)


def test_the_estimator_loads_nothing_but_gaussmix_beyond_the_base_of_estimators():
    """That costs over a second, since scikit-learn loads scipy.stats and from 1.9 on pandas, where it is installed."""
    before = "import sklearn.base, sklearn.utils.validation, sklearn.utils._param_validation"
    code = f"import sys\n{before}\nhere = set(sys.modules)\nfrom gaussmix import GaussianMixture\n"
    loaded = run_python(code + "print(*sorted(set(sys.modules) - here))").split()
    assert "gaussmix.estimators.gaussian" in loaded
    others = {module for module in loaded if module.split(".")[0] not in sys.stdlib_module_names}
    assert {module for module in others if module.split(".")[0] != "gaussmix"} == set()


@pytest.mark.parametrize("name", ["Mixture", "fit_mixture", "fit_mixtures", "show_config"])
def test_the_functions_load_neither_scikit_learn_nor_scipy(name):
    assert {"sklearn", "scipy", "narwhals", "threadpoolctl"}.isdisjoint(
        loaded_by(f"from gaussmix import {name}")
    )


def test_the_package_alone_loads_next_to_nothing():
    assert {"numpy", "scipy", "sklearn"}.isdisjoint(loaded_by("import gaussmix"))


def test_the_version_is_known_without_loading_anything_else():
    assert run_python("import gaussmix; print(gaussmix.__version__)").strip() == "0.1.0"
