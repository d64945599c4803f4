"""Tables of other formats than text: what each type of column becomes, and the words for what is no table."""

from __future__ import annotations

import bz2
import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gaussmix.data.formats.opening import open_source
from gaussmix.data.reading import AS_FOUND, Reading
from gaussmix.data.tables import read_table
from gaussmix.errors import InputError
from tests.files.table_damage import make_arrow, make_columns, make_workbook

NAN = float("nan")


def put(folder, data, name="t"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def refuse(path, **said):
    path = Path(path)
    with pytest.raises(InputError) as caught:
        read_table(path, Reading(**said))
    message = str(caught.value)
    file = path if path.is_file() else path.with_name(path.name.rsplit(":", 1)[0])
    assert message.startswith(f"{file}: ") and "\n" not in message
    return message


# --- Arrow ---------------------------------------------------------------------------------------------------


def write_arrow(path, table, form):
    pa = pytest.importorskip("pyarrow")
    if form == "parquet":
        pytest.importorskip("pyarrow.parquet").write_table(table, path, row_group_size=16)
    elif form == "orc":
        pytest.importorskip("pyarrow.orc").write_table(table, path)
    elif form == "old":
        with (
            pytest.warns(DeprecationWarning, match="Feather V1")
            if int(pa.__version__.split(".")[0]) >= 25
            else _nothing()
        ):
            pytest.importorskip("pyarrow.feather").write_feather(table, path, version=1)
    else:
        codec, kind = form.split()
        options = pa.ipc.IpcWriteOptions(compression=None if codec == "plain" else codec)
        with open(path, "wb") as file:
            make = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
            with make(file, table.schema, options=options) as writer:
                writer.write_table(table, max_chunksize=16)
    return path


class _nothing:
    def __enter__(self): ...

    def __exit__(self, *_): ...


FORMS = ["parquet", "plain file", "lz4 file", "zstd file", "plain stream", "zstd stream", "orc", "old"]


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_arrow(tmp_path, form):
    pytest.importorskip("pyarrow")
    table = make_arrow()
    if form in ("orc", "old"):
        table = table.select(["a", "b.c", "n", "flag", "word", "gap"])
    path = write_arrow(tmp_path / "t.csv", table, form)
    read = read_table(path, Reading(drop_missing=True))
    columns = make_columns()
    kept = np.arange(40) != 7
    assert set(read.names) == set(table.column_names) - {"word", "kind", "list"}
    assert set(read.left_out) == set(table.column_names) & {"word", "kind", "list"}
    for name in ("a", "b.c", "n", "flag"):
        np.testing.assert_array_equal(read.values[:, read.names.index(name)], columns[name][kept])
    for name, expected in (
        ("code", np.arange(40) % 3),
        ("price", np.arange(40) + 0.25),
        ("gap", np.arange(40)),
    ):
        if name in read.names:
            np.testing.assert_array_equal(read.values[:, read.names.index(name)], expected[kept])
    np.testing.assert_array_equal(read.places, np.flatnonzero(kept))
    assert any("left out, string" in note for note in read.notes)
    single = read_table(path, Reading(columns=["b.c"], weights="n"))
    assert single.values.dtype == np.float32 and single.weights.dtype == np.float64
    assert "row 8, column 'gap': the value is missing" in refuse(path)
    assert "column 'word' is not numeric: it has values of type string" in refuse(path, columns=["word"])


def test_types_of_arrow(tmp_path):
    pa = pytest.importorskip("pyarrow")
    columns = {
        "u64": pa.array([1, None, 2**63], pa.uint64()),
        "half": pa.array(np.array([0.5, 1, 2], "f2")),
        "big": pa.array(["1.5", None, "-2"]).cast(pa.decimal256(40, 3)),
        "runs": pa.RunEndEncodedArray.from_arrays([2, 3], pa.array([1.5, 2.5])),
        "truth": pa.array([True, None, False]),
        "codes": pa.array([3.5, None, 3.5]).dictionary_encode(),
        "when": pa.array([1, 2, 3], pa.timestamp("s")),
        "day": pa.array([1, 2, 3], pa.date32()),
        "span": pa.array([1, 2, 3], pa.duration("s")),
        "none": pa.nulls(3),
        "record": pa.array([{"x": 1.0}] * 3),
        "vector": pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float64(), 2)),
        "bytes": pa.array([b"a"] * 3),
    }
    path = write_arrow(tmp_path / "t", pa.table(columns), "plain file")
    names = ["u64", "half", "big", "runs", "truth", "codes"]
    assert "row 2, column 'u64': the value is missing" in refuse(path)
    table = read_table(path, Reading(columns=names, drop_missing=True))
    np.testing.assert_array_equal(table.values, [[1, 0.5, 1.5, 1.5, 1, 3.5], [2.0**63, 2, -2, 2.5, 0, 3.5]])
    assert set(read_table(path, Reading(drop_missing=True)).left_out) == set(columns) - set(names)
    assert "timestamp[s]" in refuse(path, columns=["when"])


@pytest.mark.parametrize("form", FORMS)
def test_odd_tables_of_arrow(tmp_path, form):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "t"
    write_arrow(path, pa.table({"a": pa.array([], pa.float64())}), form)
    assert "1 columns and 0 rows" in refuse(path)
    if form not in ("orc", "old"):
        twice = pa.table([pa.array([1.0]), pa.array([2.0])], names=["a", "a"])
        write_arrow(path, twice, form)
        assert "two columns are named 'a'" in refuse(path)
    write_arrow(path, pa.table({"größe\n": [1.0, 2.0]}), form)
    assert read_table(path).names == ("größe\n",)


def test_a_schema_that_is_not_utf_8(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = write_arrow(tmp_path / "t", pa.table({"abcdefg": [1.0, 2.0]}), "parquet")
    path.write_bytes(path.read_bytes().replace(b"abcdefg", b"abc\xffefg"))
    assert "not a Parquet file, or a truncated one" in refuse(path)


def test_numbers_that_stand_for_missing_values(tmp_path):
    np.save(tmp_path / "t.npy", np.array([[1, -999], [2, 5]]))
    table = read_table(tmp_path / "t.npy", Reading(missing=["-999.0", "NA"], drop_missing=True))
    np.testing.assert_array_equal(table.values, [[2, 5]])


# --- NumPy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ["f8", ">f4", "i2", "?"])
def test_versions_and_orders_of_npy(tmp_path, version, order, dtype):
    array = np.asarray(np.arange(12).reshape(4, 3) % 5, dtype=dtype, order=order)
    with open(tmp_path / "t.npy", "wb") as file:
        np.lib.format.write_array(file, array, version)
    table = read_table(tmp_path / "t.npy")
    np.testing.assert_array_equal(table.values, array.astype(float))
    assert table.values.dtype == (np.float32 if dtype == ">f4" else np.float64)
    picked = read_table(tmp_path / "t.npy", Reading(columns=["x2", "x0"]))
    np.testing.assert_array_equal(picked.values, array[:, [2, 0]].astype(float))


def test_more_rows_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr("gaussmix.data.formats.npy_tables.BLOCK_BYTES", 100)
    array = np.random.default_rng(0).normal(size=(57, 3))
    np.save(tmp_path / "t.npy", array)
    np.testing.assert_array_equal(read_table(tmp_path / "t.npy").values, array)


def test_a_file_that_shrinks_after_it_was_opened(tmp_path):
    np.save(tmp_path / "t.npy", np.arange(4000.0).reshape(-1, 2))
    path = tmp_path / "t.npy"
    source = open_source(path, AS_FOUND)
    values = source.read([[0, 1]])[0]
    with open(path, "r+b") as file:
        file.truncate(1000)
    np.testing.assert_array_equal(
        values.ravel(), np.arange(4000.0)
    )  # not mapped: a map would end the process
    with pytest.raises(InputError, match="a damaged .npy file: it ends before its last row"):
        source.read([[1]])


def test_fields_are_columns(tmp_path):
    array = np.zeros(3, dtype=[("größe", ">f4"), ("n", "i2"), ("word", "U3"), ("vector", "f8", 3)])
    array["n"] = [1, 2, 3]
    np.save(tmp_path / "t.npy", array)
    table = read_table(tmp_path / "t.npy")
    assert table.names == ("größe", "n") and table.left_out == ("word", "vector")
    np.testing.assert_array_equal(table.values[:, 1], [1, 2, 3])
    assert read_table(tmp_path / "t.npy", Reading(columns=["größe"])).values.dtype == np.float32
    np.save(tmp_path / "t.npy", np.zeros((2, 2), dtype=[("a", "f8")]))
    assert "expected (rows,), since it has fields" in refuse(tmp_path / "t.npy")


def make_npy(header, data=b"", version=1):
    text = header.encode("latin-1")
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


EVIL = {
    "huge": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 8)}",
    "overflowing": "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
    "beyond": f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**40}, 4)}}",
    "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 8)}",
    "true": "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 1)}",
    "no tuple": "{'descr': '<f8', 'fortran_order': False, 'shape': 4}",
    "long words": "{'descr': '<U500000000', 'fortran_order': False, 'shape': (2, 2)}",
    "no type": "{'descr': 'nonsense', 'fortran_order': False, 'shape': (2, 2)}",
    "odd fields": "{'descr': [('a', '<f8', -1)], 'fortran_order': False, 'shape': (2,)}",
    "no keys": "{}",
    "code": "__import__('os').abort()",
    "nested": "(" * 5000,
    "signs": "-" * 60000 + "1",
}


@pytest.mark.parametrize("header", EVIL.values(), ids=EVIL)
def test_evil_headers(tmp_path, header):
    assert "not a .npy file, or a truncated one" in refuse(put(tmp_path, make_npy(header, b"\x00" * 64)))


def test_headers_that_are_not_there(tmp_path):
    for data in (
        make_npy("")[:8],
        make_npy("{}", version=9),
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{",
        b"\x93NUMPY",
    ):
        assert "not a .npy file" in refuse(put(tmp_path, data))
    objects = make_npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}", b"cos\nsystem\n" * 9)
    assert "Python objects, which are not unpickled" in refuse(put(tmp_path, objects))


def test_npz(tmp_path):
    path = tmp_path / "t.npz"
    X, y = np.arange(6.0).reshape(3, 2), np.array([1, 2, 3])
    for save in (np.savez, np.savez_compressed):
        save(path, X=X, y=y, words=np.array(["a", "b", "c"]), other=np.arange(7))
        table = read_table(path)
        np.testing.assert_array_equal(table.values, X)
        assert table.left_out == ("y", "words") and "'other'" in "".join(table.notes)
        np.testing.assert_array_equal(read_table(path, Reading(weights="y")).weights, y)
        np.testing.assert_array_equal(read_table(f"{path}:other").values[:, 0], np.arange(7))
        save(path, b=y, a=y * 0.5)
        assert read_table(path).names == ("b", "a")
        np.testing.assert_array_equal(read_table(path, Reading(columns=["a"])).values, y[:, None] * 0.5)
        save(path, A=X, B=X)
        assert "which of its arrays is the table? It has 'A' (3, 2) of float64" in refuse(path)
        assert "name one of them: t.npz:A" in refuse(path)
        np.testing.assert_array_equal(read_table(f"{path}:B").values, X)
        assert "no array 'C'; the file has 'A' (3, 2) of float64" in refuse(f"{path}:C")
        save(path, only=np.ones((2, 2, 2)))
        assert "shape (2, 2, 2); expected (rows, columns)" in refuse(path)


# --- JSON ----------------------------------------------------------------------------------------------------

RECORDS = [{"a": 1, "b": 2.5, "word": "x", "deep": {"x": 1}}, {"a": 2, "b": -4e-3, "word": "y", "deep": None}]
ROWS = [[1, 2.5], [2, -4e-3]]
DOCUMENTS = {
    "lines": "".join(f"{json.dumps(record)}\n" for record in RECORDS),
    "lines without an end": "\n".join(map(json.dumps, RECORDS)),
    "lines with blank ones": "\n\n".join(map(json.dumps, RECORDS)) + "\n\n",
    "lines with a mark": "\ufeff" + "\n".join(map(json.dumps, RECORDS)),
    "records": json.dumps(RECORDS),
    "records, laid out": json.dumps(RECORDS, indent=2),
    "columns": json.dumps({name: {str(i): r[name] for i, r in enumerate(RECORDS)} for name in RECORDS[0]}),
    "columns of lists": json.dumps({name: [r[name] for r in RECORDS] for name in ("a", "b", "word")}),
    "index": json.dumps({str(i): r for i, r in enumerate(RECORDS)}),
    "split": json.dumps({"columns": ["a", "b"], "index": [0, 1], "data": ROWS}),
    "table": json.dumps(
        {"schema": {"primaryKey": ["index"]}, "data": [{"index": i} | r for i, r in enumerate(RECORDS)]}
    ),
    "rows below names": json.dumps([["a", "b"], *ROWS]),
    "an answer": json.dumps({"n": 2, "results": RECORDS}),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_json(tmp_path, monkeypatch, document, compiled):
    if not compiled:
        monkeypatch.setattr("gaussmix.data.formats.json_tables._read_lines_compiled", lambda *_: None)
    table = read_table(put(tmp_path, document))
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.values, ROWS)
    assert set(table.left_out) <= {"word", "deep", "index"}


def test_json_of_rows(tmp_path):
    for document in (json.dumps(ROWS), "\n".join(map(json.dumps, ROWS))):
        table = read_table(put(tmp_path, document))
        assert table.names == ("x0", "x1")
        np.testing.assert_array_equal(table.values, ROWS)


@pytest.mark.parametrize("compiled", [True, False])
def test_values_of_json(tmp_path, monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr("gaussmix.data.formats.json_tables._read_lines_compiled", lambda *_: None)
    numbers = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    lines = [
        json.dumps({"x": x, "flag": bool(i % 2), "text": str(i), "late": None if i < 150 else i})
        for i, x in enumerate(numbers.tolist())
    ]
    path = put(tmp_path, "\n".join(lines))
    assert "record 1, column 'late': the" in refuse(path)
    table = read_table(path, Reading(exclude=["late"]))
    np.testing.assert_array_equal(table.values, np.c_[numbers, np.arange(200) % 2, np.arange(200)])
    assert len(read_table(path, Reading(drop_missing=True, missing=["160"])).values) == 49
    path = put(tmp_path, '{"a": 1}\n{"a": "typo"}\n{"a": 3}\n')
    assert "record 2, column 'a': 'typo' is not a number" in refuse(path)
    assert len(read_table(path, Reading(drop_missing=True, missing=["typo"])).values) == 2
    assert "'a' has 'x' in record 1" in refuse(put(tmp_path, '{"a": "x"}\n{"a": "y"}\n'))
    assert "infinite" in refuse(put(tmp_path, '{"a": 1e999}\n{"a": 2}\n'))
    assert "infinite" in refuse(put(tmp_path, f'{{"a": {"9" * 400}}}\n{{"a": 2}}\n'))


WRONG_JSON = {
    '{"a": 1}\n{"a": 2\n': "line 2: not JSON: Expecting ',' delimiter",
    '{"a": 1': "line 1: not JSON",
    "[[1, 2], [3]]": "row 2: 1 values, but the first row has 2",
    '{"a": [1, 2], "b": [1]}': "the columns 'a' (2), 'b' (1) are not of one length",
    '{"columns": ["a"], "data": [[1, 2]]}': "1 columns are named, and rows have 2",
    '{"type": "FeatureCollection", "features": [], "x": {}}': "an object that is no table",
    "[]": "the table in JSON has no rows",
    '[{"a": 1}, 2]': "JSON that is no table",
    "[" * 20000: "not a table in JSON",
}


@pytest.mark.parametrize("document", WRONG_JSON, ids=range(len(WRONG_JSON)))
def test_wrong_json(tmp_path, document):
    assert WRONG_JSON[document] in refuse(put(tmp_path, document))


@pytest.mark.parametrize(
    "header", ["[Fe/H],[a]", "[x] [y]", "{a},b", "PAR1,PAR2", "ORCID,b", "ARROW1;b", "id3,mz"]
)
def test_texts_that_begin_like_another_format(tmp_path, header):
    separator = next(char for char in ";, " if char in header)
    text = f"{header}\n" + "".join(f"{i}{separator}{i * i}.5\n" for i in range(9))
    table = read_table(put(tmp_path, text))
    assert table.names == tuple(header.split(separator)) and len(table.values) == 9


# --- FITS ----------------------------------------------------------------------------------------------------


def test_fits_as_astropy_writes_it(tmp_path):
    pytest.importorskip("astropy")
    from astropy.io import fits
    from astropy.table import MaskedColumn, Table

    table = Table(
        {
            "ra": MaskedColumn([1.5, 2.5, NAN], unit="deg"),
            "n": MaskedColumn([1, 2, 3], mask=[False, True, False]),
            "f": np.array([1, 2, 3], "f4"),
            "u": np.array([1, 2, 60000], "u2"),
            "flag": [True, False, True],
            "name": ["a", "bc", "d"],
            "vector": np.ones((3, 2)),
            "z": np.ones(3, complex),
        }
    )
    path = tmp_path / "t.dat"
    table.write(path, format="fits")
    read = read_table(path, Reading(drop_missing=True))
    assert read.names == ("ra", "n", "f", "u", "flag") and read.left_out == ("name", "vector", "z")
    np.testing.assert_array_equal(read.values, [[1.5, 1, 1, 1, 1]])
    notes = "\n".join(read.notes)
    assert "units: 'ra' deg" in notes and "vectors of 2 doubles: column 'vector'" in notes
    np.testing.assert_array_equal(read_table(path, Reading(columns=["u"])).values, [[1], [2], [60000]])
    single = read_table(path, Reading(columns=["f"]))
    assert single.values.dtype == np.float32
    assert "row 2, column 'n': the value is missing" in refuse(path, columns=["n"])
    with fits.open(path) as units:
        units.append(fits.ImageHDU(np.ones((4, 5)), name="SCI"))
        units.writeto(tmp_path / "more.fits")
    more = tmp_path / "more.fits"
    assert read_table(more, Reading(columns=["f"])).values.shape == (3, 1)
    np.testing.assert_array_equal(read_table(f"{more}:1", Reading(columns=["f"])).values, single.values)
    with pytest.raises(InputError, match="'SCI' is an image of 5 x 4 pixels; expected a table"):
        read_table(f"{more}:SCI")
    with pytest.raises(
        InputError, match="no part 'none'; the FITS file has 0: no data; 1: a table of 3 rows"
    ):
        read_table(f"{more}:none")
    fits.PrimaryHDU(np.ones((4, 5))).writeto(tmp_path / "image.fits")
    assert "a FITS file without a table: it has 0: an image of 5 x 4 pixels" in refuse(
        tmp_path / "image.fits"
    )


def test_scaled_columns_and_ascii_tables_of_fits(tmp_path):
    pytest.importorskip("astropy")
    from astropy.io import fits

    stored = fits.BinTableHDU.from_columns([fits.Column("a", "I", array=np.array([1, 2, 3], "i2"))])
    stored.header["XSCAL1"], stored.header["XZERO1"], stored.header["XNULL1"] = 0.5, 1.0, 2
    stored.writeto(tmp_path / "t.fits")
    data = (tmp_path / "t.fits").read_bytes()
    for key in (b"SCAL1", b"ZERO1", b"NULL1"):
        data = data.replace(b"X" + key, b"T" + key)
    put(tmp_path, data, "t.fits")
    # 2 is stored for 2.0, and stands for nothing
    table = read_table(tmp_path / "t.fits", Reading(drop_missing=True))
    np.testing.assert_array_equal(table.values, [[1.5], [2.5]])
    columns = [
        fits.Column("x", "D20.10", array=np.array([1.5, -2e-30, 3e200]), ascii=True),
        fits.Column("n", "I6", array=np.array([1, 22, 333]), ascii=True, null="22"),
        fits.Column("word", "A4", array=np.array(["a", "b", "c"]), ascii=True),
    ]
    fits.TableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    table = read_table(tmp_path / "a.fits", Reading(drop_missing=True))
    assert table.names == ("x", "n") and table.left_out == ("word",)
    np.testing.assert_array_equal(table.values, [[1.5, 1], [3e200, 333]])


# --- workbooks and archives ----------------------------------------------------------------------------------


def make_sheet(rows, folder, name="t.bin"):
    """A workbook of one sheet with these cells: numbers, texts and truth values."""
    body = []
    for number, row in rows.items():
        cells = ""
        for letter, cell in zip("ABCDEFGH", row, strict=False):
            if isinstance(cell, bool):
                cells += f'<c r="{letter}{number}" t="b"><v>{int(cell)}</v></c>'
            elif isinstance(cell, str):
                cells += f'<c r="{letter}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            elif cell is not None:
                cells += f'<c r="{letter}{number}"><v>{cell!r}</v></c>'
        body.append(f'<row r="{number}">{cells}</row>')
    return write_sheet("".join(body), folder, name)


def write_sheet(body, folder, name="t.bin"):
    whole = put(folder, make_workbook()[0], "whole")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(folder / name, "w") as new:
        for member in old.namelist():
            text = old.read(member).decode()
            if member.endswith("sheet1.xml"):
                text = f"{text.split('<sheetData>')[0]}<sheetData>{body}</sheetData></worksheet>"
            new.writestr(member, text)
    return folder / name


def test_workbooks(tmp_path):
    pytest.importorskip("python_calamine")
    rows = {
        2: ["Table S1. All of it"],
        4: ["id", "size", 2001, "flag", "mixed"],
        5: ["r1", 1.5, 3, True, "1.25"],
        6: ["r2", "NA", 4, False, 2],
        7: ["r3", 2.5, 5, True, 3],
        8: ["r4", 3.5, 6, True, 4],
    }
    path = make_sheet(rows, tmp_path)
    table = read_table(path, Reading(drop_missing=True))
    assert table.names == ("size", "2001", "flag", "mixed") and table.left_out == ("id",)
    np.testing.assert_array_equal(table.values, [[1.5, 3, 1, 1.25], [2.5, 5, 1, 3], [3.5, 6, 1, 4]])
    assert "1 line above the table passed over" in "".join(table.notes)
    assert "row 6 of the sheet 'one', column 'size': the value is missing ('NA')" in refuse(path)
    np.testing.assert_array_equal(
        read_table(f"{path}:one", Reading(columns=["2001"])).values[:, 0], [3, 4, 5, 6]
    )
    with pytest.raises(InputError, match="no sheet 'two'; the workbook has 'one'"):
        read_table(f"{path}:two")
    bare = make_sheet({1: [1, 2], 2: [3, 4], 3: [5, 7]}, tmp_path)
    np.testing.assert_array_equal(read_table(bare).values, [[1, 2], [3, 4], [5, 7]])
    assert "no sheet of the workbook has rows" in refuse(make_sheet({}, tmp_path))
    typo = make_sheet({1: ["a"], 2: [1], 3: ["x"], 4: [3], 5: [4]}, tmp_path)
    assert "row 3 of the sheet 'one', column 'a': 'x' is not a number" in refuse(typo)


def test_a_sheet_of_two_cells_far_apart(tmp_path):
    pytest.importorskip("python_calamine")
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    assert "a sheet has" in refuse(write_sheet(far, tmp_path))


def zip_up(folder, **members):
    with zipfile.ZipFile(folder / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return folder / "t.zip"


def test_archives(tmp_path):
    text = "a,b\n1,2\n3,4\n"
    expected = [[1, 2], [3, 4]]
    path = zip_up(tmp_path, t_csv=text)
    np.testing.assert_array_equal(read_table(path).values, expected)
    assert "no file 'none'; the archive has 't.csv'" in refuse(f"{path}:none")
    path = zip_up(tmp_path, README=b"words", t_csv=text, __MACOSX=b"x")
    np.testing.assert_array_equal(read_table(path).values, expected)
    path = zip_up(tmp_path, t_csv_gz=gzip.compress(text.encode()))
    np.testing.assert_array_equal(read_table(path).values, expected)
    path = zip_up(tmp_path, a_csv=text, b_csv="c\n5\n6\n")
    assert (
        "the archive has 2 files, and which is the table? 'a.csv', 'b.csv'; name one: t.zip:a.csv"
        in refuse(path)
    )
    np.testing.assert_array_equal(read_table(f"{path}:b.csv").values, [[5], [6]])
    inner = path.read_bytes()
    assert "an archive in an archive; unpack it first" in refuse(zip_up(tmp_path, t_zip=inner))
    assert "the archive holds nothing" in refuse(put(tmp_path, b"PK\x05\x06" + b"\x00" * 18))
    assert "a damaged or truncated archive" in refuse(put(tmp_path, b"PK\x03\x04....", "t.npy"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_binary_tables(tmp_path, pack):
    np.save(tmp_path / "t.npy", np.arange(6.0).reshape(3, 2))
    path = put(tmp_path, pack((tmp_path / "t.npy").read_bytes()), "t.npy.packed")
    np.testing.assert_array_equal(read_table(path).values, np.arange(6.0).reshape(3, 2))


def test_a_member_that_grows_out_of_all_proportion(tmp_path):
    path = zip_up(tmp_path, t_csv=b"1\n" * 40000)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24  # the size when unpacked, in the list of members
    data[at : at + 4] = (2**31).to_bytes(4, "little")
    assert "cannot have 2147483648 bytes" in refuse(put(tmp_path, bytes(data)))


OTHERS = {
    "SPSS": (b"$FL2@(#) SPSS DATA FILE", "an SPSS file (.sav)"),
    "Stata": (b"<stata_dta><header><release>118", "a Stata file (.dta)"),
    "old Stata": (b"\x72\x02\x01\x00\x05\x00", "pd.read_stata(...).to_parquet("),
    "R": (gzip.compress(b"X\n\x00\x00\x00\x03\x00\x04\x02\x00" * 3), "an R file (.rds or .rda)"),
    "R image": (b"RDX3\nX\n\x00\x00\x00\x03", "an R file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n\x00\x00", "an HDF5 file"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + b" " * 90 + b"\x00\x01IM", "scipy.io.loadmat"),
    "SQLite": (b"SQLite format 3\x00\x10\x00", "an SQLite database"),
    "Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "save it as .xlsx or as CSV"),
    "HTML": (b"<!DOCTYPE html>\n<html><table>", "a page in HTML"),
    "VOTable": (b'<?xml version="1.0"?>\n<VOTABLE version="1.4">', "a VOTable"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a picture"),
    "pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00", "a pickle, which can hold any code"),
    "model": (b'\x40\x01\x00\x00\x00\x00\x00\x00{"weights":', "(.safetensors)"),
    "tar": (b"t.csv" + b"\x00" * 252 + b"ustar\x0000", "an archive (.tar)"),
}


@pytest.mark.parametrize(("data", "words"), OTHERS.values(), ids=OTHERS)
def test_files_that_are_not_read_say_what_they_are(tmp_path, data, words):
    message = refuse(put(tmp_path, data, "t.csv"))
    assert words in message and "; " in message


def test_an_opendocument_file_says_what_it_is(tmp_path):
    path = zip_up(tmp_path, content_xml="<x/>", mimetype="application/vnd.oasis.opendocument.spreadsheet")
    assert "an OpenDocument file (.ods)" in refuse(path)


@pytest.mark.parametrize(
    ("name", "extra", "data"),
    [
        ("pyarrow", "arrow", b"ARROW1\x00\x00"),
        ("pyarrow", "arrow", b"ORC\x00"),
        ("astropy", "fits", b"SIMPLE  =                    T"),
        ("python_calamine", "excel", make_workbook()[0]),
    ],
)
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, name, extra, data):
    monkeypatch.setattr("importlib.util.find_spec", lambda other: None)
    assert f"pip install 'gaussmix[{extra}]'" in refuse(put(tmp_path, data))
