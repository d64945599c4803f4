"""Small texts as programs, instruments and archives write them: what they hold, and what is to be read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.data.writing_text import ASCII, ROWS, VALUES, Case, write_text


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


REAL_CASES = [*list_headers()]
