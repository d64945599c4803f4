"""scikit-learn's own tests of its mixtures pass with the import changed.

The modules are those of the scikit-learn that is installed. They run in a process of their own, with our class
in the place of theirs and everything private still theirs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sklearn.mixture
from sklearn.utils.fixes import parse_version

import gaussmix

FOLDER = Path(sklearn.mixture.__file__).parent / "tests"

#: Tests that fail, and why.
FAILING = {
    # counts how often fit calls a private function of scikit-learn
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters",
    # expects an error that calls the least weight the greatest, and the greatest the least
    "test_check_weights",
}

if parse_version(sklearn.__version__) < parse_version("1.7"):
    FAILING.add("test_regularisation")  # expects the words of an earlier message

#: Arrays of other libraries (scikit-learn's array API) become NumPy's.
LEFT_OUT = "not array_api"


def changed(text):
    """The module with our class for theirs, wherever it is imported by its public name."""
    pattern = r"^from sklearn\.mixture import (.*)\bGaussianMixture\b(?!,)(.*)$"
    found = re.search(pattern, text, flags=re.MULTILINE)
    assert found is not None, "the import is not where it was"
    others = found[1].rstrip(", ")
    rest = f"from sklearn.mixture import {others}\n" if others else ""
    return text.replace(found[0], f"{rest}from gaussmix import GaussianMixture")


@pytest.mark.parametrize("name", ["test_gaussian_mixture", "test_mixture"])
def test_with_the_import_changed(name, tmp_path):
    source = FOLDER / f"{name}.py"
    if not source.exists():
        pytest.skip("this scikit-learn was installed without its tests")
    (tmp_path / f"{name}.py").write_text(changed(source.read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = tmp_path / "report.xml"
    here = str(Path(gaussmix.__file__).parents[1])
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH", "")) if part)
    options = ["-p", "no:cacheprovider", "-p", "sklearn.conftest", "-k", LEFT_OUT, f"--junit-xml={report}"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, f"{name}.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "SKLEARN_RUN_FLOAT32_TESTS": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), run.stdout + run.stderr
    cases = ElementTree.parse(report).findall(".//testcase")
    failed = {case.get("name").split("[")[0] for case in cases if case.find("failure") is not None}
    broken = [case.get("name") for case in cases if case.find("error") is not None]
    assert len(cases) >= 2 and not broken, run.stdout
    assert failed <= FAILING, run.stdout
