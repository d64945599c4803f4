"""Small files of all kinds: each is read right."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix.data.reading import Reading
from gaussmix.data.tables import read_table
from tests.data.writing_doubtful import DOUBTFUL_CASES
from tests.data.writing_real import REAL_CASES
from tests.data.writing_text import CASES

READERS = ("PyArrow's", "NumPy's", "Python's")


def choose_reader(monkeypatch, reader):
    """Let one of the readers of text read all that it does not refuse."""
    monkeypatch.setattr("gaussmix.data.text.quick.LEAST_BYTES", 1 << 30 if reader == "Python's" else 0)
    if reader == "NumPy's":
        monkeypatch.setattr("gaussmix.data.text.quick.has_pyarrow", lambda: False)


ALL = [*CASES, *REAL_CASES, *DOUBTFUL_CASES]


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
@pytest.mark.parametrize("reader", READERS)
def test_read_right(tmp_path, monkeypatch, case, reader):
    choose_reader(monkeypatch, reader)
    path = tmp_path / "table"
    path.write_bytes(case.content)
    table = read_table(path, Reading(**case.options))
    assert table.names == case.names
    np.testing.assert_array_equal(table.values, case.values)
    notes = " / ".join(table.notes)
    assert (case.note in notes) if case.note else not notes, notes


def test_there_are_many():
    assert len(ALL) >= 150 and len({case.name for case in ALL}) == len(ALL)


@pytest.mark.parametrize("reader", READERS[:2])
def test_the_quick_readers_are_used(tmp_path, monkeypatch, reader):
    """That they read plain tables themselves: else they would be tested for nothing."""
    if reader == "PyArrow's":
        pytest.importorskip("pyarrow")
    choose_reader(monkeypatch, reader)
    monkeypatch.setattr("gaussmix.data.text.tables.TextTable._read_records", None)
    plain = [
        case
        for case in CASES
        if reader == "PyArrow's" or case.name.startswith(("comma", "tab", "semicolon ."))
    ]
    path = tmp_path / "table"
    for case in [case for case in plain if "." in case.name or " point " in case.name][:30]:
        path.write_bytes(case.content)
        np.testing.assert_array_equal(read_table(path).values, case.values)


def test_pyarrow_is_advised_for_large_texts(tmp_path, monkeypatch):
    monkeypatch.setattr("gaussmix.data.text.quick.LARGE_BYTES", 0)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr("gaussmix.data.text.quick.has_pyarrow", lambda: False)
    assert "pip install 'gaussmix[arrow]'" in read_table(tmp_path / "t.csv").notes[0]
