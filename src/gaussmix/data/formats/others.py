"""Files that are no tables, or tables that another program has to convert: what each is, and what to do."""

from __future__ import annotations

import re

_AS_CSV = "save the table as CSV"
_PANDAS = 'convert it with pandas: pd.read_{0}(...).to_parquet("table.parquet")'

#: Files by how they begin, and the line for each.
OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), f"{what}, which gaussmix does not read; {remedy}")
    for pattern, what, remedy in (
        (rb"\$FL[23]", "an SPSS file (.sav)", _PANDAS.format("spss")),
        (
            rb"<stata_dta>|[\x69\x6c\x6e-\x73][\x01\x02]\x01\x00",
            "a Stata file (.dta)",
            _PANDAS.format("stata"),
        ),
        (rb"\x00{12}\xc2\xea\x81\x60", "a SAS file (.sas7bdat)", _PANDAS.format("sas")),
        (rb"HEADER RECORD\*{7}LIBRARY", "a SAS transport file (.xpt)", _PANDAS.format("sas")),
        (
            rb"RD[XAB][23]\n[XAB]\n|[XB]\n(\x00\x00\x00[\x02\x03]|[\x02\x03]\x00\x00\x00)",
            "an R file (.rds or .rda)",
            "save it in R with write.csv or arrow::write_parquet",
        ),
        (
            rb"\x89HDF\r\n\x1a\n",
            "an HDF5 file",
            _PANDAS.format("hdf") + " or take the array out with h5py and np.save",
        ),
        (
            rb"MATLAB 7\.3 MAT-file",
            "a MATLAB file (.mat)",
            "take the matrix out with h5py and np.save, or use writematrix in MATLAB",
        ),
        (
            rb"MATLAB 5\.0 MAT-file",
            "a MATLAB file (.mat)",
            "take the matrix out with scipy.io.loadmat and np.save",
        ),
        (rb"SQLite format 3\x00", "an SQLite database", _PANDAS.format("sql")),
        (rb".{8}DUCK.\x00{7}", "a DuckDB database", "write a table with COPY ... TO 'table.parquet'"),
        (rb"\x00\x01\x00\x00Standard (Jet|ACE) DB", "an Access database", _AS_CSV),
        (
            rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "an old Excel file (.xls) or another file of Office",
            "save it as .xlsx or as CSV",
        ),
        (
            rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(?i:!doctype html|html|head|table)\b",
            "a page in HTML",
            _PANDAS.format("html") + " or save the table as CSV",
        ),
        (
            rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<VOTABLE\b",
            "a VOTable",
            'convert it with astropy: Table.read(...).write("table.fits")',
        ),
        (
            rb"(\xef\xbb\xbf)?\s*<\?xml\b",
            "a file in XML",
            _PANDAS.format("xml") + " or save the table as CSV",
        ),
        (rb"%PDF-", "a PDF", _AS_CSV),
        (rb"\{\\rtf", "a text with formats (.rtf)", _AS_CSV),
        (
            rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\x00{4}|II\*\x00|MM\x00\*|RIFF.{4}WEBP",
            "a picture",
            "expected a table",
        ),
        (rb"RIFF.{4}WAVE|ID3[\x02-\x04]|OggS\x00|fLaC\x00", "a sound", "expected a table"),
        (rb"\x00{3}.ftyp|\x1a\x45\xdf\xa3", "a film or a photograph", "expected a table"),
        (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "an archive (.7z or .rar)", "unpack it first"),
        (rb".{257}ustar(\x00| {2}\x00)", "an archive (.tar)", "unpack it first"),
        (
            rb"\x04\x22\x4d\x18|\xff\x06\x00\x00sNaPpY|\x1f\x9d",
            "a file packed by lz4, snappy or compress",
            "unpack it first",
        ),
        (rb"Obj\x01", "an Avro file", "convert it to Parquet"),
        (rb"CDF[\x01\x02\x05]", "a NetCDF file", "convert it with xarray: to_dataframe().to_parquet(...)"),
        (rb".{4}\x00{4}\{\"", "a model (.safetensors) as DATA", "expected a table"),
        (
            rb"\x80[\x02-\x05][\x95cK}\](q.]",
            "a pickle, which can hold any code",
            "save the table as Parquet or CSV with what has made it",
        ),
        (rb"\x7fELF|MZ.\x00", "a program", "expected a table"),
        (
            rb"(#[^\n]*\n)*[+-]?\d[\d.,]*([ \t]+qid:\d+)?([ \t]+\d+:[-+.\deE]+)+[ \t]*(#[^\n]*)?\r?(\n|$)",
            "a text in the format of LIBSVM",
            "load it with sklearn.datasets.load_svmlight_file and save the array with np.save",
        ),
        (rb"@(HD|SQ|RG|PG|CO)\t", "a SAM file", "write the columns as a table"),
        (rb"PARE[\x00-\x1f]", "an encrypted Parquet file", "write it without encryption"),
    )
)


def find_other(head: bytes) -> str | None:
    """The line for a file that is not read, by its first bytes; None where it may be a table."""
    return next((line for mark, line in OTHERS if mark.match(head)), None)
