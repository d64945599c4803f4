"""Small texts as programs, instruments and archives write them: what they hold, and what is to be read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.data.writing_text import ASCII, PLAIN, ROWS, VALUES, Case, write_text


def list_headers() -> Iterator[Case]:
    """First rows that are names, though they have numbers, and first rows that are not."""
    growth = np.array([[58, 115], [59, 117], [60.5, 120], [61, 123], [62, 126], [63, 129]])
    yield Case("sorted columns", write_text(names=(), values=growth).encode(), ("x0", "x1"), growth)
    times = np.arange(12) / 8
    curve = np.column_stack([times, 1 + times**2, 2 - times / 4])
    yield Case("a curve", write_text(" ", names=(), values=curve).encode(), ("x0", "x1", "x2"), curve)
    squares = np.abs(np.subtract.outer(np.arange(7.0), np.arange(7.0)))
    yield Case(
        "distances",
        write_text(names=(), values=squares).encode(),
        tuple(f"x{i}" for i in range(7)),
        squares,
        note="row numbers",
    )
    census = (
        b"0,??,1998,46,23,23\n0,??,1998,33,17,16\n0,??,1999,34,18,16\n0,??,2000,35,21,14\n0,??,2001,1,1,0\n"
    )
    numbers = np.array(
        [[float(cell) for cell in line.split(b",") if cell != b"??"] for line in census.split()]
    )
    yield Case("marks for words", census, ("x0", "x2", "x3", "x4", "x5"), numbers, note="left out, text")
    counted = np.array([[0.5, -1.25, 3.125], [1.75, 0.5, 0.25], [-0.5, 2.5, 0.75], [0.125, 0.5, -1.5]])
    yield Case(
        "pandas' names", write_text(names=ASCII, values=counted).replace("a,b,c", "0,1,2").encode()
        + b"1.5,2.5,0.5\n", ("0", "1", "2"), np.vstack([counted, [1.5, 2.5, 0.5]]), note="--no-header",
    )  # fmt: skip
    indexed = ",0,1,2\n" + "".join(
        f"{i},{line}\n" for i, line in enumerate(write_text(names=(), values=counted).splitlines())
    )
    yield Case("pandas' index and names", indexed.encode(), ("0", "1", "2"), counted, note="--no-header")
    years = ("1940", "1945", "1950", "1955")
    spent = np.array(
        [[22.25, 44.5, 59.5, 73.25], [10.5, 15.5, 29, 36.5], [3.5, 5.75, 9.75, 14], [0.5, 1, 1.75, 2.5]]
    )
    quoted = ",".join(f'"{year}"' for year in years)
    rows = write_text(names=(), values=spent).splitlines()
    labelled = "".join(f'"sort {i}, all",{row}\n' for i, row in enumerate(rows))
    yield Case("years above labels", f'"",{quoted}\n{labelled}'.encode(), years, spent, note="--no-header")
    yield Case("years of R", f"{quoted}\n{labelled}".encode(), years, spent, note="names or numbers")
    bare = "".join(
        f"sort{i} {row}\n" for i, row in enumerate(write_text(" ", names=(), values=spent).splitlines())
    )
    yield Case(
        "years of R, bare", f"{' '.join(years)}\n{bare}".encode(), years, spent, note="names or numbers"
    )
    lands = np.array([[1e9, 2.5e9, 3e9, 4e9], [5, 6, 8, 7], [1e5, 3e5, 2e5, 4e5], [9, 8, 7, 6], [4, 2, 3, 1]])
    world = "".join(
        f"Land {i},L{i},{row}\n" for i, row in enumerate(write_text(names=(), values=lands).splitlines())
    )
    yield Case(
        "years beside words",
        f"Country Name,Code,{','.join(years)}\n{world}".encode(),
        years,
        lands,
        note="--no-header",
    )
    numbered = "#   1 NUMBER   Running object number\n#   2 X_IMAGE  Position along x [pixel]\n#   3 FLUX\n"
    plain = write_text("   ", names=())
    yield Case(
        "numbered comments",
        (numbered + plain).encode(),
        ("NUMBER", "X_IMAGE", "FLUX"),
        note="numbered comments",
    )
    column = VALUES[:, :1]
    yield Case(
        "a sentence above a column", ("# made in 2024\n" + write_text(names=(), values=column)).encode(), ("x0",),
        column, note="'#'",
    )  # fmt: skip
    yield Case("a comment below", (ROWS + "# one two three\n").encode(), ("x0", "x1", "x2"), note="'#'")


def list_surroundings() -> Iterator[Case]:
    """What instruments and archives write above and below their tables."""
    sources = "\n\nData from database: Indicators\nLast Updated: 12/22/2023\n"
    yield Case("sources below", (PLAIN + sources).encode(), note="2 lines below")
    padded = sources.replace("tors\n", "tors,,\n").replace("2023\n", "2023,,\n")
    yield Case("sources below, with commas", (PLAIN + padded).encode(), note="2 lines below")
    grid = write_text(" | ", names=("a", "b", "c")).splitlines()
    ruled = [f"| {line} |" for line in grid]
    rule = "+--------+------+------+"
    boxed = [rule, ruled[0], rule, *ruled[1:], rule, "6 rows in set (0.00 sec)"]
    yield Case("mysql", ("\n".join(boxed) + "\n").encode(), ASCII, note="2 lines below")
    counted = "\n".join([grid[0], "---+---+---", *grid[1:], "(6 rows)"])
    yield Case("psql with its count", (counted + "\n\n").encode(), ASCII, note="1 line below")
    many = np.column_stack([np.arange(20) * 0.25, np.sin(np.arange(20.0)).round(6)])
    rows = write_text(names=(), values=many)
    settings = (
        "Model,MSO54\nWaveform Type,ANALOG\nHorizontal Units,s\nSample Interval,8e-10\nRecord Length,20\n"
    )
    yield Case(
        "an oscilloscope", f"{settings}Vertical Units,V\nLabels,\nTIME,CH1\n{rows}".encode(), ("TIME", "CH1"), many,
        note="7 lines above",
    )  # fmt: skip
    spectrum = "Data from one Node\n\nDate: Mon Jan 02 10:00:00 CET 2024\nUser: me\nPixels in Spectrum: 20\n"
    tabs = rows.replace(",", "\t")
    begun, ended = ">>>>>Begin Spectral Data<<<<<\n", ">>>>>End Spectral Data<<<<<\n"
    yield Case(
        "a spectrometer", f"{spectrum}{begun}{tabs}{ended}".encode(), ("x0", "x1"), many,
        note="1 line below",
    )  # fmt: skip
    survey = b'Q1,Q2\nHow old?,"Rate, please"\nImportId: QID1,ImportId: QID2\n' + rows.encode()
    yield Case("a questionnaire", survey, ("Q1", "Q2"), many, note="2 lines below the header")
    bank = ";;people;area\n;;number;qkm\n" + "".join(
        f"0{i};Town {i};{1000 + i * i};{i},25\n" for i in range(3, 12)
    )
    office = (
        "Table: 12345\nPeople: all;;;\nCounted;;;\n" + bank + "__________\n(C)opyright of the office, 2024\n"
    )
    i = np.arange(3.0, 12.0)
    yield Case(
        "an office of statistics", office.encode("cp1252"), ("people", "area"),
        np.column_stack([1000 + i * i, i + 0.25]), note="3 lines above",
    )  # fmt: skip
    yield Case(
        "FORTRAN", b"  1.0000D+03 -2.5000D-01\n  2.0000D+00  3.5000D+01\n", ("x0", "x1"),
        np.array([[1000, -0.25], [2, 35]]),
    )  # fmt: skip
    yield Case("minus signs of typesetters", ROWS.replace("-9", "\u22129").encode(), ("x0", "x1", "x2"))
    escaped = 'a,b,c\n1.5,2,"5\\" wide, \\"all\\""\n2.5,3,"x"\n'
    yield Case(
        "backslashes before quotes", escaped.encode(), ("a", "b"), np.array([[1.5, 2], [2.5, 3]]), note="text"
    )
    odd = "a,b,c,d\n1,$1.50,2024-01-02,3 kg\n2,$2.50,2024-01-03,4 kg\n"
    numbers = np.array([[1.0], [2.0]])
    yield Case(
        "amounts", odd.encode(), ("a",), numbers, note="not plain numbers, such as '$1.50': column 'b'"
    )
    yield Case("dates", odd.replace("$", "x").encode(), ("a",), numbers, note="dates or times: column 'c'")
    marked = b"\xef\xbb\xbf\x92a,b,c\n" + ROWS.encode()
    yield Case("a mark of UTF-8 before another encoding", marked, ("\u00ef\u00bb\u00bf\u2019a", "b", "c"))
    days = np.array([[20240102, 1.5], [20240103, 2.5], [20240203, 0.5]])
    written = "day,b\n20240102,1.5\n20240103,2.5\n20240203,0.5\n"
    yield Case("dates as numbers", written.encode(), ("day", "b"), days, note="seems to have dates")
    weka = "% a title\n@RELATION r\n\n@ATTRIBUTE a NUMERIC\n@attribute 'b, wide' real\n@ATTRIBUTE c{x,y}\n\n@DATA\n"
    lines = weka + "1.5,2,x\n% within\n2.5,3,y\n"
    yield Case("ARFF", lines.encode(), ("a", "b, wide"), np.array([[1.5, 2], [2.5, 3]]), note="'%'")
    listing = (
        "OBS  NAME       HEIGHT\n  1  Alfred       69.0\n  2  Mary Ann     56.5\n  3  Bo           65.3\n"
    )
    listing += "  4  Carol Ann S  62.8\n  5                6.5\n"
    heights = np.array([[1, 69], [2, 56.5], [3, 65.3], [4, 62.8], [5, 6.5]])
    yield Case("a listing", listing.encode(), ("OBS", "HEIGHT"), heights, note="columns of fixed width")
    touching = "".join(f"{i:8.3f}{-(10.0**i):12.3f}{1.5 * i:8.3f}\n" for i in range(-1, 8))
    i = np.arange(-1.0, 8.0)
    yield Case(
        "numbers that touch", touching.encode(), ("x0", "x1", "x2"),
        np.column_stack([i, np.round(-(10.0**i), 3), 1.5 * i]), note="columns of fixed width",
    )  # fmt: skip
    series = np.array([[269.0], [321], [585], [871], [1475]])
    text = ",0\n" + "".join(f"{1821 + i},{value:.0f}\n" for i, (value,) in enumerate(series))
    yield Case("pandas' series", text.encode(), ("0",), series, note="--no-header")
    census = '01,001,"A County, AL",2009,"23,288"\n02,003,"B County, AL",2009,"81,706"\n'
    counted = np.array([[1, 1, 2009, 23288], [2, 3, 2009, 81706]])
    yield Case(
        "quoted thousands, no header", census.encode(), ("x0", "x1", "x3", "x4"), counted, note="thousands"
    )
    ragged = b"a,b,c\n1,2,3\n4,5\n6,7,8\n9,9,9,9\n1,1,2\n"
    yield Case(
        "lines of other widths", ragged, ASCII, np.array([[1, 2, 3], [6, 7, 8], [1, 1, 2]]), {"drop_missing": True},
        "line 3 and 1 more dropped: not of 3 cells",
    )  # fmt: skip


REAL_CASES = [*list_headers(), *list_surroundings()]
