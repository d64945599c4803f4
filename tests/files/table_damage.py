"""Damaged tables of every binary format: each is read, or refused in one line. A process of its own judges them.

python -m tests.files.table_damage FORMAT FIRST LAST prints how many were read and how many refused. A reader
that ends the process, as compiled ones can, ends this one: its last line then names the mutation.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

#: Bytes by which the process may grow while it reads damaged files of some thousand bytes.
MOST_GROWTH = 150 << 20
ROWS = 40


def make_columns():
    generator = np.random.default_rng(1)
    return {
        "a": generator.normal(size=ROWS),
        "b.c": generator.normal(size=ROWS).astype("f4"),
        "n": np.arange(ROWS, dtype="i8"),
        "flag": np.arange(ROWS) % 2 == 0,
        "word": np.array(["x", "y", "longer", ""] * (ROWS // 4)),
    }


def make_arrow():
    import pyarrow as pa

    columns = make_columns()
    columns["kind"] = pa.array(columns["word"]).dictionary_encode()
    columns["code"] = pa.array(np.arange(ROWS) % 3).dictionary_encode()
    columns["price"] = pa.array([f"{i}.25" for i in range(ROWS)]).cast(pa.decimal128(8, 2))
    columns["list"] = pa.array([[i, i] for i in range(ROWS)])
    columns["gap"] = pa.array([None if i == 7 else i for i in range(ROWS)])
    return pa.table(columns)


def add_member(archive, name, content):
    """Write a member at a fixed time, so that the bytes, and what a mutation does to them, are the same in every run."""
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = archive.compression
    member.create_system = 3  # by default that of the machine
    archive.writestr(member, content)


def write_bytes(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def make_parquet():
    import pyarrow.parquet as pq

    plain = write_bytes(lambda file: pq.write_table(make_arrow(), file, row_group_size=16))
    packed = write_bytes(
        lambda file: pq.write_table(
            make_arrow().select(["a", "n", "code"]), file, compression="zstd", data_page_version="2.0"
        )
    )
    return [plain, packed]


def make_feather():
    from pyarrow import ipc

    def write(file, table, codec):
        with ipc.new_file(file, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(table, max_chunksize=16)

    table = make_arrow()
    return [
        write_bytes(lambda file, codec=codec: write(file, table, codec)) for codec in (None, "lz4", "zstd")
    ]


def make_stream():
    from pyarrow import ipc

    def write(file, table, codec):
        with ipc.new_stream(file, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(table, max_chunksize=16)

    table = make_arrow()
    return [write_bytes(lambda file, codec=codec: write(file, table, codec)) for codec in (None, "zstd")]


def make_old_feather():
    from pyarrow import feather

    table = make_arrow().select(["a", "b.c", "n", "flag", "word", "gap"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [write_bytes(lambda file: feather.write_feather(table, file, version=1))]


def make_orc():
    from pyarrow import orc

    table = make_arrow().drop_columns(["kind", "code"])
    return [
        write_bytes(lambda file, codec=codec: orc.write_table(table, file, compression=codec))
        for codec in ("uncompressed", "zstd")
    ]


def make_npy():
    columns = make_columns()
    fields = np.zeros(ROWS, dtype=[(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        fields[name] = column
    arrays = [np.ones((ROWS, 3)), np.asfortranarray(np.ones((ROWS, 3), ">f4")), np.arange(ROWS), fields]
    return [write_bytes(lambda file, array=array: np.save(file, array)) for array in arrays]


def make_npz():
    columns = make_columns()
    return [
        write_bytes(lambda file: np.savez(file, **columns)),
        write_bytes(lambda file: np.savez_compressed(file, X=np.ones((ROWS, 3)), y=columns["n"])),
    ]


def make_zip():
    text = "a,b\n" + "".join(f"{i},{i * 0.5}\n" for i in range(ROWS))
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            add_member(archive, "t.csv", text)
        found.append(file.getvalue())
    return found


def make_fits():
    from astropy.io import fits

    columns = make_columns()
    kinds = {"a": "D", "b.c": "E", "n": "K", "flag": "L", "word": "6A"}
    fields = [fits.Column(name, kinds[name], array=column, unit="m") for name, column in columns.items()]
    fields.append(fits.Column("gap", "J", array=np.arange(ROWS), null=7))
    texts = [
        fits.Column("a", "F20.8", array=columns["a"], ascii=True),
        fits.Column("n", "I6", array=columns["n"], ascii=True),
    ]
    tables = [fits.BinTableHDU.from_columns(fields), fits.TableHDU.from_columns(texts)]
    return [write_bytes(lambda file, table=table: table.writeto(file)) for table in tables]


def make_workbook():
    """A workbook as small as one can be: the sheet as it is, and packed."""
    cells = "".join(
        f'<row r="{i}"><c r="A{i}"><v>{i}.5</v></c><c r="B{i}" t="b"><v>1</v></c><c r="C{i}" t="s"><v>0</v></c></row>'
        for i in range(2, ROWS)
    )
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{office}"><sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst {space} count="1" uniqueCount="1"><si><t>word</t></si></sst>',
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{header}{cells}</sheetData></worksheet>",
    }
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, text in parts.items():
                add_member(archive, name, text)
        found.append(file.getvalue())
    return found


def make_json():
    records = [{"a": i * 0.5, "b": i, "c": "x", "d": None if i == 3 else True} for i in range(ROWS)]
    columns = {name: {str(i): record[name] for i, record in enumerate(records)} for name in "abc"}
    lines = "\n".join(map(json.dumps, records))
    rows = [list(record.values()) for record in records]
    return [text.encode() for text in (lines, json.dumps(records), json.dumps(columns), json.dumps(rows))]


FORMATS = {
    "parquet": make_parquet,
    "feather": make_feather,
    "stream": make_stream,
    "old-feather": make_old_feather,
    "orc": make_orc,
    "npy": make_npy,
    "npz": make_npz,
    "zip": make_zip,
    "fits": make_fits,
    "workbook": make_workbook,
    "json": make_json,
}


def mutate(wholes, generator):
    """One of the files with one to three faults; of an archive often one of its members, packed again."""
    whole = wholes[generator.integers(len(wholes))]
    if not whole.startswith(b"PK") or generator.integers(2):
        return damage(whole, wholes, generator)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(file, "w") as new:
        members = old.namelist()
        chosen = members[generator.integers(len(members))]
        contents = [old.read(member) for member in members]
        for member, content in zip(members, contents, strict=True):
            add_member(new, member, damage(content, contents, generator) if member == chosen else content)
    return file.getvalue()


def damage(whole, wholes, generator):
    """Bytes with one to three faults, which may come from the others."""
    data = bytearray(whole)
    for _ in range(generator.integers(1, 4)):
        n = len(data)
        if n < 2:
            break
        at, length = int(generator.integers(n)), int(min(n, 1 << generator.integers(0, 10)))
        fault = generator.integers(9)
        if fault == 0:
            del data[at:]
        elif fault <= 3:  # a bit; most often in what is not the data
            at = at if fault == 1 else at % 600 if fault == 2 else n - 1 - at % min(n, 600)
            data[at % n] ^= 1 << int(generator.integers(8))
        elif fault == 4:
            data[at:at] = generator.integers(0, 256, length, dtype="u1").tobytes()
        elif fault == 5:
            data[at:at] = data[at : at + length]
        elif fault == 6:
            other = int(generator.integers(n))
            data[at : at + length], data[other : other + length] = (
                data[other : other + length],
                data[at : at + length],
            )
        elif fault == 7:
            data[at : at + length] = bytes([int(generator.choice([0, 1, 127, 128, 255]))]) * min(
                length, n - at
            )
        else:
            other = wholes[generator.integers(len(wholes))]
            data[at:] = other[min(at, len(other)) :]
    return bytes(data)


def judge(path):
    """Read a table: whether that went well. Fails for whatever is neither a table nor one clear line."""
    from gaussmix.data.reading import Reading
    from gaussmix.data.tables import read_table
    from gaussmix.errors import InputError

    try:
        table = read_table(path, Reading(drop_missing=True))
    except InputError as error:
        message = str(error)
        assert message.startswith(f"{path}: ") and "\n" not in message, message
        assert message.isprintable(), ascii(message)
        assert len(message) < 1000, message
        return False
    assert np.isfinite(table.values).all() and table.values.ndim == 2 and len(table.values) > 0
    assert all("\n" not in note for note in table.notes), table.notes
    return True


def main(name, first, last):
    warnings.simplefilter("error")
    wholes = FORMATS[name]()
    with tempfile.TemporaryDirectory() as folder:
        for number, whole in enumerate(wholes):
            path = Path(folder) / f"whole-{number}"
            path.write_bytes(whole)
            assert judge(path), f"{name} {number} is whole, and not read"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        read, path = 0, Path(folder) / "table"
        for seed in range(first, last):
            print(f"{name} {seed}", flush=True)  # seen where the process ends here
            path.write_bytes(mutate(wholes, np.random.default_rng(seed)))
            read += judge(path)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        assert growth < MOST_GROWTH, f"{name}: the process has grown by {growth >> 20} MiB"
    print(f"{read} read, {last - first - read} refused")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
