"""Small files of all kinds: each is read right."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix.data.reading import Reading
from gaussmix.data.tables import read_table
from tests.data.writing_text import CASES


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
@pytest.mark.parametrize("least_bytes", [0, 1 << 30], ids=["quick", "by records"])
def test_read_right(tmp_path, monkeypatch, case, least_bytes):
    monkeypatch.setattr("gaussmix.data.quick_text.LEAST_BYTES", least_bytes)
    path = tmp_path / "table"
    path.write_bytes(case.content)
    table = read_table(path, Reading(**case.options))
    assert table.names == case.names
    np.testing.assert_array_equal(table.values, case.values)
    notes = " / ".join(table.notes)
    assert (case.note in notes) if case.note else not notes, notes


def test_there_are_many():
    assert len(CASES) >= 150 and len({case.name for case in CASES}) == len(CASES)
