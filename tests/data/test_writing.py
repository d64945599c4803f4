"""Tables that are written: the same text with and without pyarrow, names that read back, outputs that fail."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gaussmix.data.tables import read_table
from gaussmix.data.text import writing as text_writing
from gaussmix.data.text.safe_names import protect_name, restore_name
from gaussmix.data.text.writing import format_header, format_numbers
from gaussmix.data.writing import check_table_output, write_table
from gaussmix.errors import InputError


def odd_numbers(dtype):
    generator = np.random.default_rng(0)
    finfo = np.finfo(dtype)
    scales = np.logspace(np.log10(finfo.tiny), np.log10(finfo.max) - 1, 400)
    numbers = np.concatenate(
        [generator.normal(size=400) * scales, np.round(generator.normal(size=99) * 1e6), scales]
    )
    whole = 10.0 ** np.arange(-20, 20)
    ends = [
        0.0,
        -0.0,
        1.0,
        np.nan,
        np.inf,
        -np.inf,
        finfo.max,
        finfo.tiny,
        finfo.smallest_subnormal,
        0.1,
        1 / 3,
    ]
    return np.concatenate([numbers, whole, -whole, 3 * whole, ends]).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_numbers_read_back_the_same(dtype):
    numbers = odd_numbers(dtype)
    texts = format_numbers(numbers)
    np.testing.assert_array_equal(np.array(texts).astype(dtype), numbers)
    for text, number in zip(texts, numbers, strict=True):
        if np.isfinite(number):  # as few digits as NumPy needs
            digits = text.lstrip("-").partition("e")[0].replace(".", "").strip("0")
            assert digits == np.format_float_scientific(number).lstrip("-").partition("e")[0].replace(
                ".", ""
            ).strip("0")


@pytest.mark.parametrize("separator", [",", "\t"])
def test_the_text_is_the_same_with_pyarrow(separator):
    pytest.importorskip("pyarrow")
    columns = {
        "f8": odd_numbers("f8"),
        "f4": odd_numbers("f4"),
        "i8": np.arange(len(odd_numbers("f8"))) - 7,
        "u1": np.arange(len(odd_numbers("f8"))).astype("u1"),
        "b": odd_numbers("f8") > 0,
        "strided": np.repeat(odd_numbers("f8"), 2)[::2],
    }
    plain = text_writing._format_rows(columns, separator)
    assert text_writing._format_compiled(columns, separator) == plain
    assert plain.count("\n") == len(columns["i8"])


@pytest.mark.parametrize(
    "ending",
    [
        ".csv",
        ".tsv",
        ".csv.gz",
        ".csv.zst",
        ".tab.gz",
        ".jsonl",
        ".jsonl.gz",
        ".parquet",
        ".feather",
        ".arrow",
    ],
)
@pytest.mark.parametrize("n_rows", [3, 40000])
def test_what_is_written_reads_back(tmp_path, ending, n_rows):
    if ending in (".parquet", ".feather", ".arrow", ".csv.zst"):
        pytest.importorskip("pyarrow")
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    label = np.arange(n_rows)
    cut = n_rows // 3
    blocks = [
        {"label": label[part], "größe, %": X[part, 0], "p": X[part, 1]}
        for part in (slice(cut), slice(cut, None))
    ]
    path = tmp_path / f"t{ending}"
    write_table(path, blocks)
    table = read_table(path)
    assert table.names == ("label", "größe, %", "p")
    np.testing.assert_array_equal(table.values, np.c_[label, X])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_json_has_null_for_what_it_lacks(tmp_path):
    numbers = np.array([1.0, np.nan, np.inf])
    write_table(tmp_path / "t.jsonl", [{'a"%s': numbers, "n": np.array([1, 2, 3])}])
    records = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert records == [{'a"%s': value, "n": i} for i, value in enumerate([1, None, None], 1)]


def test_packed_text_is_the_same_each_time(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(tmp_path / name, [{"x": np.arange(9.0)}])
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).startswith(b"x\n0\n1\n")


ODD_NAMES = [
    "=cmd|' /C calc'!A0", "+x", "-log10(p)", "@x", "'=x", "''+x", "' =x", " -x", "'plain'", "a,b", "a;b", "a\tb",
    'the "big" one', "two\nlines", "a\r\nb", "a\rb", "#1", "2001", "-5", "nan", "true", "NA", "größe", "%s", "a b",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_odd_names_read_back_and_are_no_formulas(tmp_path, name, ending):
    path = tmp_path / f"t{ending}"
    values = np.arange(12.0).reshape(6, 2) ** 2 + 0.25
    for names in ([name, "b"], ["b", name]):
        write_table(path, [dict(zip(names, values.T, strict=True))])
        table = read_table(path)
        assert [name.strip() for name in table.names] == [name.strip() for name in names]
        np.testing.assert_array_equal(table.values, values)
        with open(path, encoding="utf-8", newline="") as file:
            written = next(csv.reader(file, delimiter="," if ending == ".csv" else "\t"))
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in written)


@given(st.text("'=+-@ ax\t", max_size=6))
@example("'=x")
@example("' =x")
def test_safe_names_are_restored(name):
    assert restore_name(protect_name(name)) == name
    assert not protect_name(name).lstrip().startswith(("=", "+", "-", "@"))


def test_plain_names_are_not_quoted():
    assert format_header(["label", "p_0", "Sepal.Length (cm)"], ",") == "label,p_0,Sepal.Length (cm)\n"
    assert format_header(["400", "410"], ",") == '"400","410"\n'


def test_wrong_outputs(tmp_path, monkeypatch):
    with pytest.raises(
        InputError, match=r"cannot write a table ending in '.txt'; expected one of .csv, .tsv"
    ):
        check_table_output(tmp_path / "t.txt")
    with pytest.raises(InputError, match=r"ending in ''"):
        check_table_output(tmp_path / "t.gz")
    with pytest.raises(
        InputError, match=r"a .parquet file is packed by itself; expected its name without '.gz'"
    ):
        check_table_output(tmp_path / "t.parquet.gz")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name, what in (("t.feather", "Feather"), ("t.parquet", "Parquet")):
        with pytest.raises(
            InputError, match=rf"writing {what} needs pyarrow: pip install 'gaussmix\[arrow\]'"
        ):
            check_table_output(tmp_path / name)


def test_a_table_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "t.csv.gz"
    write_table(path, [{"x": np.arange(3.0)}])
    before = path.read_bytes()

    def draw_blocks():
        yield {"x": np.arange(3.0)}
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        write_table(path, draw_blocks())
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]


WRITE = "import numpy as np; from gaussmix.data.writing import write_table; from gaussmix.errors import InputError\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("n_rows", [3, 100000])
def test_a_full_output_is_one_line(n_rows):
    code = f"""{WRITE}
import os, sys
try:
    write_table(None, [{{"x": np.arange({n_rows}.0)}}])
except InputError as error:
    sys.stderr.write(str(error))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
"""
    with open("/dev/full", "wb") as full:
        process = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True)
    assert process.stderr == "standard output: cannot be written: No space left on device"


def test_a_closed_output_is_one_line(monkeypatch):
    for closed in (None, io.StringIO()):
        if closed is not None:
            closed.close()
        monkeypatch.setattr("sys.stdout", closed)
        with pytest.raises(InputError, match="standard output: cannot be written: it is closed"):
            write_table(None, [{"x": np.arange(3.0)}])


TEXTS = np.array(["glucose 455; age 3", 'a "b", c', "=cmd|' /C calc'!A0", "", "größe\n2"])


def test_texts_are_quoted_and_no_spreadsheet_runs_them(tmp_path):
    path = tmp_path / "out.csv"
    write_table(path, [{"score": np.arange(5.0), "reasons": TEXTS}])
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    assert found[0] == ["score", "reasons"]
    assert [row[1] for row in found[1:]] == [*TEXTS[:2], "'" + TEXTS[2], *TEXTS[3:]]
    assert [row[0] for row in found[1:]] == ["0", "1", "2", "3", "4"]


def test_texts_in_tables_of_other_separators_and_kinds(tmp_path):
    write_table(tmp_path / "out.tsv", [{"reasons": np.array(["a, b", "a\tb"], dtype=object)}])
    assert (tmp_path / "out.tsv").read_text() == 'reasons\na, b\n"a\tb"\n'
    write_table(tmp_path / "out.jsonl", [{"n": np.arange(5), "reasons": TEXTS}])
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["reasons"] for line in lines] == TEXTS.tolist()


def test_texts_in_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(tmp_path / "out.parquet", [{"n": np.arange(5), "reasons": TEXTS}])
    assert parquet.read_table(tmp_path / "out.parquet")["reasons"].to_pylist() == TEXTS.tolist()
