"""Reading tables: what is found out about a file, what is read, and the words for each wrong one."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pytest

from gaussmix.data.reading import Reading
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.tables import TABLE_SUFFIXES, read_matching, read_table
from gaussmix.data.writing import check_output, replace_file, write_table
from gaussmix.errors import InputError

TWO = [[1.0, 2.5], [3.0, -4e-3], [5.0, 6.0]]


def put(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


GOOD = {
    "plain": "a,b\n1,2.5\n3,-4e-3\n5,6\n",
    "no end of line at the end": "a,b\n1,2.5\n3,-4e-3\n5,6",
    "CRLF": "a,b\r\n1,2.5\r\n3,-4e-3\r\n5,6\r\n",
    "byte order mark": "\ufeffa,b\n1,2.5\n3,-4e-3\n5,6\n",
    "blank lines at the end": "a,b\n1,2.5\n3,-4e-3\n5,6\n\n  \n\n",
    "blank lines before and between": "\n\na,b\n1,2.5\n\n3,-4e-3\n5,6\n",
    "quoted header": '"a","b"\n1,2.5\n3,-4e-3\n5,6\n',
    "quoted cells": '"a","b"\n"1","2.5"\n"3","-4e-3"\n"5","6"\n',
    "semicolons": "a;b\n1;2.5\n3;-4e-3\n5;6\n",
    "tabs": "a\tb\n1\t2.5\n3\t-4e-3\n5\t6\n",
    "blanks": "a b\n1 2.5\n3 -4e-3\n5 6\n",
    "columns set with blanks": "  a       b\n  1     2.5\n  3   -4e-3 \n  5       6\n",
    "blanks after commas": "a, b\n1, 2.5\n3, -4e-3\n5, 6\n",
    "blanks around commas": "a , b \n1 , 2.5 \n3 , -4e-3\n5 , 6\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_the_form_of_a_text_table_is_found(tmp_path, text):
    table = read_table(put(tmp_path, "t.csv", text))
    assert table.names == ("a", "b")
    assert table.values.dtype == np.float64
    np.testing.assert_array_equal(table.values, TWO)
    assert table.left_out == () and table.notes == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    text = "größe,höhe,name\n1,2.5,Jürgen\n3,-4e-3,Zoë\n5,6,é\n"
    table = read_table(put(tmp_path, "t.csv", text, encoding))
    assert table.names == ("größe", "höhe") and table.left_out == ("name",)
    np.testing.assert_array_equal(table.values, TWO)


def test_another_encoding_far_down_in_a_column_that_is_not_read(tmp_path):
    rows = b"1,2,abc\n" * 20000 + b"3,4,J\xfcrgen\n"
    assert read_table(put(tmp_path, "t.csv", b"a,b,name\n" + rows)).values.shape == (20001, 2)


@pytest.mark.parametrize(
    ("text", "names", "n_rows"),
    [
        ("1,2\n3,4\n", ("x0", "x1"), 2),
        ("1,2\n", ("x0", "x1"), 1),
        ("7\n8\n9\n", ("x0",), 3),
        ("waiting\n8\n9\n", ("waiting",), 2),
        ("1,2,setosa\n3,4,virginica\n", ("x0", "x1"), 2),  # words above words are no header
        ("true,2\nfalse,4\n", ("x0", "x1"), 2),
        ("on,b\ntrue,2\nfalse,4\n", ("on", "b"), 2),
        ('"first name",b\n1,2\n', ("first name", "b"), 1),
        ('"a,b",c\n1,2\n', ("a,b", "c"), 1),
        ('"two\nlines",c\n1,2\n', ("two\nlines", "c"), 1),
    ],
)
def test_header_found(tmp_path, text, names, n_rows):
    table = read_table(put(tmp_path, "t.csv", text))
    assert table.names == names
    assert len(table.values) == n_rows


def test_a_header_in_doubt_is_told(tmp_path):
    table = read_table(put(tmp_path, "t.csv", "id,2001,2002\n1,2,3\n"))
    assert table.names == ("id", "2001", "2002")
    assert "line 1 as the header, though it has numbers; if that is wrong, say --no-header" in table.notes[0]


def test_columns_that_are_not_numbers_are_left_out_and_named(tmp_path):
    text = ",a,species,when,blank,b\n1,2,setosa,2024-01-02,,3\n2,4,virginica,2024-01-03,,5\n"
    table = read_table(put(tmp_path, "t.csv", text))
    assert table.names == ("a", "b")
    assert table.left_out == ("x0", "species", "when", "blank")
    notes = "\n".join(table.notes)
    assert "left out, text: column 'species'" in notes
    assert "left out, dates or times: column 'when'" in notes
    assert "left out, empty: column 'blank'" in notes
    assert "numbers of the rows" in notes
    np.testing.assert_array_equal(table.values, [[2, 3], [4, 5]])


def test_a_column_without_a_name_can_be_picked(tmp_path):
    path = put(tmp_path, "t.csv", ",x0\n1,2\n3,4\n")
    assert read_table(path).names == ("x0",)
    np.testing.assert_array_equal(read_table(path, Reading(columns=["x0_unnamed"])).values, [[1], [3]])


def test_booleans_and_labels_with_underscores(tmp_path):
    table = read_table(put(tmp_path, "t.csv", "a,flag,batch\n1,True,2024_01\n2,false,2024_02\n"))
    assert table.names == ("a", "flag") and table.left_out == ("batch",)
    np.testing.assert_array_equal(table.values, [[1, 1], [2, 0]])


def test_columns_are_picked_in_the_order_asked(tmp_path):
    path = put(tmp_path, "t.csv", "a,word,b,w\n1,x,2,0.5\n3,y,4,2\n")
    table = read_table(path, Reading(columns=["b", "a"], weights="w"))
    assert table.names == ("b", "a")
    np.testing.assert_array_equal(table.values, [[2, 1], [4, 3]])
    np.testing.assert_array_equal(table.weights, [0.5, 2])
    assert read_table(path, Reading(weights="w")).names == ("a", "b")


def test_a_table_is_frozen(tmp_path):
    for path in (put(tmp_path, "t.csv", GOOD["plain"]), save_npy(tmp_path, np.array(TWO))):
        values = read_table(path).values
        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = 0


def save_npy(folder, array, name="t.npy"):
    np.save(folder / name, array)
    return folder / name


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f4", ">f8", "f2", "i4", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, dtype, order):
    array = np.array([[0, 1], [1, 1], [0, 0]], dtype=dtype, order=order)
    table = read_table(save_npy(tmp_path, array))
    assert table.names == ("x0", "x1")
    assert table.values.dtype == (np.float32 if dtype in ("f4", ">f4") else np.float64)
    np.testing.assert_array_equal(table.values, array.astype(float))
    picked = read_table(tmp_path / "t.npy", Reading(columns=["x1"]))
    np.testing.assert_array_equal(picked.values, array[:, 1:].astype(float))


def test_npy_of_one_dimension_is_one_column(tmp_path):
    assert read_table(save_npy(tmp_path, np.arange(4.0))).values.shape == (4, 1)


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {
        "a": pa.array([1, 2, 3], pa.int32()),
        "a.b": pa.array([0.5, 1.5, 2.5], pa.float32()),
        "flag": pa.array([True, False, True]),
        "price": pa.array(["1.25", "2.5", "3"]).cast(pa.decimal128(10, 2)),
        "name": pa.array(["x", "y", None]),
        "when": pa.array([1, 2, 3], pa.timestamp("s")),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=2)
    table = read_table(tmp_path / "t.parquet")
    assert table.names == ("a", "a.b", "flag", "price") and table.left_out == ("name", "when")
    np.testing.assert_array_equal(table.values, [[1, 0.5, 1, 1.25], [2, 1.5, 0, 2.5], [3, 2.5, 1, 3]])
    single = read_table(tmp_path / "t.parquet", Reading(columns=["a.b"], weights="a"))
    assert single.values.dtype == np.float32 and single.weights.dtype == np.float64


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_written_reads_back_the_same(tmp_path, ending, dtype):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    values = np.random.default_rng(0).normal(size=(50, 2)).astype(dtype)
    blocks = [{"a": part[:, 0], 'a "b", c': part[:, 1]} for part in (values[:20], values[20:])]
    write_table(tmp_path / f"t{ending}", blocks)
    table = read_table(tmp_path / f"t{ending}")
    assert table.names == ("a", 'a "b", c')
    np.testing.assert_array_equal(table.values.astype(dtype), values)
    assert [p.name for p in tmp_path.iterdir()] == [f"t{ending}"]


def test_both_parsers_read_the_same(tmp_path, monkeypatch):
    values = np.random.default_rng(1).normal(size=(500, 3)) * 10.0 ** np.arange(-150, 151, 150)
    rows = [",".join(map(repr, row)) for row in values.tolist()]
    lines = [f"{row},{word}" for row, word in zip(rows, ["left", '"the ""other"", one"'] * 250, strict=True)]
    put(tmp_path, "t.csv", "\n".join(["a,b,c,word", *lines]))
    monkeypatch.setattr("gaussmix.data.text.quick.LEAST_BYTES", 0)
    compiled = read_table(tmp_path / "t.csv")
    monkeypatch.setattr("gaussmix.data.text.quick.read_columns", lambda *_, **__: None)
    monkeypatch.setattr("gaussmix.data.text.tables.BLOCK_CELLS", 77)
    by_records = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(compiled.values, values)
    np.testing.assert_array_equal(by_records.values, values)


MANY = "".join(f"{i},{i % 7}.5\n" for i in range(3000))

WRONG = {
    "empty file": ("", "the file is empty"),
    "only blank lines": ("\n \n\n", "no rows, only blank lines"),
    "header only": ("a,b\n", r"there is a header \(a, b\) and no row of data"),
    "text": ("a,b\n1,2\n3,x\n5,6\n", r"line 3 \(row 2\), column 'b': 'x' is not a number"),
    "text far down": (f"a,b\n{MANY}7,?x\n", r"line 3002 \(row 3001\), column 'b': '\?x' is not a number"),
    "missing cell": (
        "a,b\n1,2\n,4\n",
        r"line 3 \(row 2\), column 'a': the cell is empty; leave such rows out with --drop-missing, or the column with --exclude a",
    ),
    "NA": (
        "a,b\n1,2\n3,NA\n",
        r"line 3 \(row 2\), column 'b': the value is missing \('NA'\); leave such rows out",
    ),
    "nan": ("a,b\n1,2\n3,nan\n", r"line 3 \(row 2\), column 'b': the value is missing \('nan'\)"),
    "nan far down": (f"a,b\n{MANY}7,nan\n", r"line 3002 \(row 3001\), column 'b': the value is missing"),
    "infinite": ("a,b\n1,2\n-inf,4\n", r"line 3 \(row 2\), column 'a': '-inf' is infinite"),
    "too large": ("a,b\n1,2\n1e999,4\n", r"line 3 \(row 2\), column 'a': '1e999' is infinite"),
    "underscore": ("a,b\n1,2\n3,1_000\n", r"line 3 \(row 2\), column 'b': '1_000' is not a number"),
    "decimal comma far down": (
        f"a,b\n{MANY}7;1\n".replace(",", ";") + "3;2,5\n",
        r"'2,5' is not a number; if .* --decimal ,",
    ),
    "the first of several": ("a,b\n1,2\n3,x\ny,6\n", r"line 3 \(row 2\), column 'b'"),
    "after blank lines": ("\na,b\n1,2\n\n3,x\n", r"line 5 \(row 2\), column 'b'"),
    "no header": ("1,2\n3,x\n", r"line 2 \(row 2\), column 'x1'"),
    "longer row": ("a,b\n1,2\n3,4,5\n", "line 3: 3 cells, but the header has 2"),
    "shorter row": ("a,b\n1,2\n3\n", "line 3: 1 cell, but the header has 2"),
    "shorter row beside text": ("a,b,c\n1,2,x\n3,4\n", "line 3: 2 cells, but the header has 3"),
    "longer row far down": (f"{MANY}1,2,3\n", "line 3001: 3 cells, but the first row has 2"),
    "gap in one column": ("a\n1\n\n3\n", r"line 3 \(row 2\), column 'a': the cell is empty"),
    "no numbers": ("name,town\nx,y\n", "no column of numbers: 'name' has 'x' on line 2, 'town' has 'y'"),
    "prose": ("It was a dark night.\nNothing moved.\n", "no column of numbers"),
    "binary": (b"\x7fELF\x02\x01\x01\x00\x00", "a program, which gaussmix does not read; expected a table"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "a picture, which gaussmix does not read"),
    "broken UTF-16": (b"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002", "not a text table"),
    "open quote": ('a,b\n1,2\n"3,4\n' + "5,6\n" * 50000, "cannot be cut into cells|cells?, but the header"),
    "control characters": ("a,b\n1,2\n3,x\x1b[31m\n", "0x1b"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_wrong_text(tmp_path, text, words):
    path = put(tmp_path, "t.csv", text)
    with pytest.raises(InputError, match=words) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


WRONG_ARRAYS = {
    "text": (np.array([["a"]]), "type <U1; expected real numbers"),
    "complex": (np.ones((2, 2), complex), "type complex128; expected real numbers"),
    "three dimensions": (np.ones((2, 2, 2)), r"shape \(2, 2, 2\); expected \(rows, columns\)"),
    "no rows": (np.ones((0, 2)), r"the array is empty: its shape is \(0, 2\)"),
    "objects": (np.array([[1, None]], dtype=object), "it has Python objects, which are not unpickled"),
    "NaN": (np.array([[1, 2], [3, np.nan]]), r"row 2, column 'x1': the value is missing \(NaN\)"),
    "infinite": (np.array([[1, 2], [np.inf, 3]], dtype="f4"), "row 2, column 'x0': inf is infinite"),
}


@pytest.mark.parametrize(("array", "words"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS)
def test_wrong_arrays(tmp_path, array, words):
    path = save_npy(tmp_path, array)
    with pytest.raises(InputError, match=words) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("kept", [0, 5, 100, 300])
def test_truncated_npy(tmp_path, kept):
    path = save_npy(tmp_path, np.ones((50, 2)))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="the file is empty" if kept == 0 else "truncated"):
        read_table(path)


def test_wrong_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"

    def words(columns):
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)
        with pytest.raises(InputError) as caught:
            read_table(path)
        return str(caught.value)

    assert "row 2, column 'a': the value is missing" in words({"a": pa.array([1, None, 3])})
    assert "row 3, column 'b': inf is infinite" in words({"a": [1, 2, 3], "b": [1.0, 2.0, np.inf]})
    assert "no column of numbers: 'a' has values of type string" in words({"a": ["x"]})
    assert "0 rows" in words({"a": pa.array([], pa.float64())})
    assert "two columns are named 'a'" in words(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))
    pq.write_table(pa.table({"a": np.arange(1000.0)}), path)
    whole = path.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], whole[:4]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a Parquet file, or a truncated one"):
            read_table(path)
    path.write_bytes(whole[:4] + b"\x00" * 200 + whole[204:])
    with pytest.raises(InputError, match="a damaged Parquet file"):
        read_table(path)


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install 'gaussmix\[arrow\]'"):
        read_table(put(tmp_path, "t.parquet", b"PAR1"))
    with pytest.raises(InputError, match=r"needs pyarrow: pip install 'gaussmix\[arrow\]'"):
        write_table(tmp_path / "out.parquet", [])


def test_wrong_paths(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory"):
        read_table(tmp_path)
    for name in ("table", "t.dat", "t.data", "t.xlsx"):  # the format is that of the content
        np.testing.assert_array_equal(read_table(put(tmp_path, name, "1")).values, [[1.0]])
    assert ".csv" in TABLE_SUFFIXES


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": ["a", "bb"]}, "no column 'bb'; did you mean 'b'?"),
        ({"columns": ["zzz"]}, "no column 'zzz'; the file has 'a', 'b', 'word', 'w'"),
        ({"columns": ["a", "word"]}, "column 'word' is not numeric: it has 'x' on line 2"),
        ({"columns": []}, "no column is picked; the file has 'a', 'b', 'word', 'w'"),
        ({"columns": ["a", "a"]}, "column 'a' is picked twice"),
        ({"columns": ["a", "w"], "weights": "w"}, "column 'w' cannot be both a feature and the weights"),
        ({"weights": "weight"}, "no column 'weight'"),
        ({"weights": "word"}, "column 'word' is not numeric"),
        ({"weights": "b"}, "line 3 (row 2), column 'b': the weight -1 is negative"),
    ],
)
def test_wrong_columns(tmp_path, options, words):
    path = put(tmp_path, "t.csv", "a,b,word,w\n1,2,x,0\n3,-1,y,0\n")
    with pytest.raises(InputError) as caught:
        read_table(path, Reading(**options))
    assert str(caught.value).startswith(f"{path}: {words}")


def test_weights_all_zero(tmp_path):
    with pytest.raises(InputError, match="column 'w': every weight is 0"):
        read_table(put(tmp_path, "t.csv", "a,w\n1,0\n2,0\n"), Reading(weights="w"))


def test_matching_by_name_in_any_order(tmp_path):
    path = put(tmp_path, "t.csv", "b,extra,word,a\n1,2,x,3\n4,,y,6\n")
    table = read_matching(path, ("a", "b"))
    np.testing.assert_array_equal(table.values, [[3, 1], [6, 4]])
    assert table.left_out == ("extra", "word")
    assert "left out, not in the model: columns 'extra', 'word'" in table.notes[0]
    with pytest.raises(InputError, match="no column 'c', which the model needs; the file has 'b', 'extra'"):
        read_matching(path, ("a", "c"))


def test_matching_by_position_where_there_are_no_names(tmp_path):
    bare = put(tmp_path, "bare.csv", "1,2\n3,4\n")
    np.testing.assert_array_equal(read_matching(bare, ("a", "b")).values, [[1, 2], [3, 4]])
    named = put(tmp_path, "named.csv", "a,word,b\n1,x,2\n3,y,4\n")
    np.testing.assert_array_equal(read_matching(named, ("x0", "x1")).values, [[1, 2], [3, 4]])
    with pytest.raises(InputError, match="2 numeric columns, but the model has 3 features: 'a', 'b', 'c'"):
        read_matching(bare, ("a", "b", "c"))
    np.testing.assert_array_equal(read_matching(bare, ("x1", "x0")).values, [[2, 1], [4, 3]])


def test_nothing_half_written_stays(tmp_path):
    target = put(tmp_path, "out.csv", "before")

    def failing():
        yield {"a": np.ones(3)}
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        write_table(target, failing())
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_replacing_keeps_links_and_permissions(tmp_path):
    target = put(tmp_path, "out.csv", "before")
    target.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    with replace_file(link) as temporary:
        temporary.write_text("after")
    assert link.is_symlink() and target.read_text() == "after"
    assert target.stat().st_mode & 0o777 == 0o640


def test_outputs_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        check_output(tmp_path)
    with pytest.raises(InputError, match="there is no directory"):
        check_output(tmp_path / "none" / "out.csv")
    with pytest.raises(InputError, match="there is no directory"):
        check_output(put(tmp_path, "file", "") / "out.csv")
    with pytest.raises(InputError, match="not an ordinary file"):
        check_output("/dev/null")
    with pytest.raises(InputError, match=r"cannot write a table ending in '\.xlsx'"):
        write_table(tmp_path / "out.xlsx", [])


@pytest.mark.parametrize(
    ("error", "reason"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError("odd"), "odd")],
)
def test_an_error_of_the_system_becomes_one_of_the_input(error, reason):
    with pytest.raises(InputError) as caught, refuse_os_errors("some/file.csv", "read"):
        raise error
    assert str(caught.value) == f"some/file.csv: cannot be read: {reason}"
    assert caught.value.__cause__ is error


def test_other_errors_pass_as_they_are():
    with pytest.raises(KeyError, match="a"), refuse_os_errors("some/file.csv", "read"):
        raise KeyError("a")


LONG = 100_000 * "x"


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (f"{LONG},b\nq,u\nr,v\n", Reading()),
        (f"{LONG},b\n1,\n2,3\n4,5\n", Reading()),
        (f"{LONG},b\n,2\n2,3\n4,5\n", Reading()),
        (f"{LONG},b\n1,2\n2,3\n4,5\n?!,8\n", Reading()),
        (f"{LONG},b\n1,2\n2,3\n!!,5\n", Reading()),
        (f"{LONG},b\n1,2\n2,3\n", Reading(columns=["c"])),
        (f"{LONG},b\n1,2\n2,3\n", Reading(columns=[LONG[1:], "b"])),
        (f"{LONG},b\n-1,2\n2,3\n", Reading(weights=LONG)),
        (f'[{{"{LONG}": "q"}}]', Reading()),
        (f'[{{"{LONG}": 1}}, {{"{LONG}": 2}}, {{"{LONG}": "q"}}]', Reading()),
    ],
)
def test_names_of_any_length_leave_messages_short(tmp_path, text, reading):
    with pytest.raises(InputError) as caught:
        read_table(put(tmp_path, "t.csv", text), reading)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python unpacks it itself")
def test_zstd_without_pyarrow_is_not_called_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        read_table(put(tmp_path, "t.csv.zst", b"\x28\xb5\x2f\xfd" + 20 * b"\0"))
    assert str(caught.value).endswith(
        "t.csv.zst: unpacking zstd needs pyarrow: pip install 'gaussmix[arrow]'"
    )


def test_a_file_that_unpacks_to_much_is_not_called_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr("gaussmix.data.content.find_most_bytes", lambda: 1000)
    with pytest.raises(InputError, match="unpacks to more than") as caught:
        read_table(put(tmp_path, "t.csv.gz", gzip.compress(b"a,b\n" + 1000 * b"1,2\n")))
    assert "damaged" not in str(caught.value)


def test_a_file_that_is_packed_again_and_again(tmp_path):
    content = b"a,b\n1,2\n3,4\n"
    for _ in range(6):
        content = gzip.compress(content)
    with pytest.raises(InputError, match="is packed more than 4 times"):
        read_table(put(tmp_path, "t.csv.gz", content))


def test_names_of_two_lines_leave_messages_of_one(tmp_path):
    with pytest.raises(InputError, match="--exclude NAME") as caught:
        read_table(put(tmp_path, "t.csv", '"a\nb",c\n1,2\n,3\n4,5\n'))
    assert "\n" not in str(caught.value)
