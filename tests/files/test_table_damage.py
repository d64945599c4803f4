"""Damaged tables: some thousand mutations of each binary format, judged by `table_damage` in processes of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.table_damage import FORMATS

ROOT = Path(__file__).parents[2]
#: How many mutations of each format. The first two are read in a process for each.
NUMBERS = dict.fromkeys(FORMATS, 300) | {"orc": 6, "old-feather": 6}
NEEDS = dict.fromkeys(("parquet", "feather", "stream", "orc", "old-feather"), "pyarrow") | {
    "fits": "astropy",
    "workbook": "python_calamine",
}


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_tables_are_read_or_refused_in_one_line(name):
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"without {NEEDS[name]}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    process = subprocess.run(
        [sys.executable, "-m", "tests.files.table_damage", name, "0", str(NUMBERS[name])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    last = (process.stdout + process.stderr).strip().splitlines()[-3:]
    assert process.returncode == 0, last
    assert process.stdout.rstrip().endswith("refused"), last
    assert process.stderr == ""  # a user sees the one line of the refusal, and no report of the library below
