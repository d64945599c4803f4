"""A column of classes: read from every format that has text, kept beside the rows, and told from numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gaussmix.data.reading import Reading
from gaussmix.data.several import read_tables
from gaussmix.data.tables import read_table
from gaussmix.data.targets import read_classes
from gaussmix.errors import InputError

ROWS = [(1.5, "no", 3.0), (2.5, None, 4.0), (3.5, "yes", 5.0), (4.5, "no", 6.0)]


def write_csv(path, rows=ROWS):
    lines = ["a,kind,b", *(f"{a},{'' if kind is None else kind},{b}" for a, kind, b in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def check(path, **more):
    table = read_table(path, Reading(target="kind", **more))
    assert table.names == ("a", "b")
    assert read_classes(table.labels).tolist() == ["no", None, "yes", "no"]
    np.testing.assert_array_equal(table.values, [[a, b] for a, _, b in ROWS])
    return table


def test_in_text(tmp_path):
    check(write_csv(tmp_path / "t.csv"))


def test_in_json(tmp_path):
    path = tmp_path / "t.json"
    records = [dict(zip(("a", "kind", "b"), row, strict=True)) for row in ROWS]
    path.write_text(json.dumps(records))
    check(path)
    path.write_text("\n".join(map(json.dumps, records)))
    check(path)


@pytest.mark.parametrize("coded", [False, True])
def test_in_parquet_and_feather(tmp_path, coded):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    columns = dict(zip(("a", "kind", "b"), map(list, zip(*ROWS, strict=True)), strict=True))
    table = pa.table(columns)
    if coded:
        table = table.set_column(1, "kind", table["kind"].combine_chunks().dictionary_encode())
    pq.write_table(table, tmp_path / "t.parquet")
    check(tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather")
    check(tmp_path / "t.feather")


def test_in_numpy_numbers_alone(tmp_path):
    fields = np.zeros(3, dtype=[("a", "f8"), ("kind", "i8"), ("word", "U3")])
    fields["kind"] = [2, 1, 2]
    np.save(tmp_path / "t.npy", fields)
    table = read_table(tmp_path / "t.npy", Reading(target="kind"))
    assert read_classes(table.labels).tolist() == [2, 1, 2]
    with pytest.raises(InputError, match="'word' has .* save the table as CSV or Parquet"):
        read_table(tmp_path / "t.npy", Reading(target="word"))


def test_rows_that_are_dropped_take_their_classes_along(tmp_path):
    rows = [*ROWS[:2], ("", "yes", 1.0), *ROWS[2:]]
    check(write_csv(tmp_path / "t.csv", rows), drop_missing=True)


def test_of_several_files(tmp_path):
    paths = [write_csv(tmp_path / "1.csv", ROWS[:2]), write_csv(tmp_path / "2.csv", ROWS[2:])]
    table = read_tables(paths, Reading(target="kind"))
    assert read_classes(table.labels).tolist() == ["no", None, "yes", "no"]


def test_words_and_numbers_that_stand_for_no_class(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,kind\n1,x\n2,unknown\n3,NA\n4,y\n")
    assert read_table(path, Reading(target="kind", missing=["unknown"])).labels == ("x", None, None, "y")
    path.write_text("a,kind\n1,-9\n2,1\n3,2\n")
    assert read_table(path, Reading(target="kind", missing=["-9.0"])).labels == (None, "1", "2")


def test_numbers_are_numbers_and_words_are_words():
    assert read_classes(["1", "2.0", None, " 3"[1:]]).tolist() == [1, 2, None, 3]
    assert read_classes(["0.5", "1e1"]).tolist() == [0.5, 10.0]
    assert read_classes([2.0, 1.0]).tolist() == [2, 1]
    assert read_classes(["yes", "no", "True"]).tolist() == ["yes", "no", "True"]
    assert read_classes(["1", "x"]).tolist() == ["1", "x"]
    assert read_classes([1.0, "x"]).tolist() == ["1", "x"]
    assert read_classes(["inf", "1_0"]).tolist() == ["inf", "1_0"]


def test_what_cannot_be_the_target(tmp_path):
    path = write_csv(tmp_path / "t.csv")
    for reading, message in (
        (Reading(target="kid"), "no column 'kid'; did you mean 'kind'"),
        (Reading(target="a", columns=["a", "b"]), "'a' is picked and the target"),
        (Reading(target="a", weights="a"), "'a' is both target and weights"),
    ):
        with pytest.raises(InputError, match=message):
            read_table(path, reading)
