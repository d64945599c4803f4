"""Files that earlier versions saved load with the numbers that they were saved with. For ever."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gaussmix.io import load_model
from gaussmix.model.covariance import STRUCTURES
from tests.compat.make_files import make

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/numbers.json"))
ENTRIES = {
    f"{folder.name}/{file}": (folder / file, entry)
    for folder in FOLDERS
    for file, entry in json.loads((folder / "numbers.json").read_text(encoding="utf-8")).items()
}


def check(path, entry):
    saved = load_model(path)
    mixture = saved.mixture
    for field in ("weights", "means", "covariances"):
        np.testing.assert_array_equal(getattr(mixture, field), np.array(entry[field]), strict=True)
    assert mixture.covariance_type == entry["covariance_type"]
    names = entry["feature_names"]
    assert mixture.feature_names == (None if names is None else tuple(names))
    noise = None if mixture.noise is None else mixture.noise.tensors
    assert (noise and {name: values.tolist() for name, values in noise.items()}) == entry.get("noise")
    assert saved.info == entry["info"]
    np.testing.assert_allclose(mixture.log_prob(entry["X"]), entry["log_prob"], rtol=1e-10)


@pytest.mark.parametrize("what", ENTRIES)
def test_a_file_of_an_earlier_version_loads(what):
    check(*ENTRIES[what])


def test_none_was_lost():
    assert "0.1.0" in [folder.name for folder in FOLDERS]
    for folder in FOLDERS:
        kept = {path.name for path in folder.iterdir()} - {"numbers.json"}
        assert kept == {path.name for path, _ in ENTRIES.values() if path.parent == folder}
    # the families of the first version, with one component and three, with names and without
    assert sum(path.parent.name == "0.1.0" for path, _ in ENTRIES.values()) == 4 * 2 * 2


def test_the_script_makes_such_files_and_none_twice(tmp_path):
    make(tmp_path / "new")
    entries = json.loads((tmp_path / "new" / "numbers.json").read_text(encoding="utf-8"))
    assert {entry["covariance_type"] for entry in entries.values()} == set(STRUCTURES)
    for file, entry in entries.items():
        check(tmp_path / "new" / file, entry)
    before = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    with pytest.raises(FileExistsError):
        make(tmp_path / "new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == before
