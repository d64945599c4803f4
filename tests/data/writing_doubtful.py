"""Small texts that could be read in two ways: what they hold, and what is to be read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.data.writing_text import Case, write_text


def list_commas() -> Iterator[Case]:
    """Commas that are decimal marks, and commas between cells."""
    for name, text, column in [
        ("powers of ten", "height\n2,5e-3\n-1,25E-2\n4\n", [0.0025, -0.0125, 4.0]),
        ("powers of ten, no header", "2,87e-3\n1,25e-2\n", [0.00287, 0.0125]),
        ("below one", ",25\n-,5\n1,75\n", [0.25, -0.5, 1.75]),
        ("signed nought", "1,75\n-0,65\n", [1.75, -0.65]),
        ("all below one", "0,75\n0,65\n", [0.75, 0.65]),
        ("whole numbers", "75,0\n18,0\n", [75.0, 18.0]),
        ("all digits", "0,3\n1,30000000000000004\n", [0.3, 1.3]),
        ("a name with a comma", '"height, cm"\n1,5\n2,75\n', [1.5, 2.75]),
    ]:
        names = (text.split("\n")[0].strip('"') if text.startswith(("h", '"')) else "x0",)
        values = np.array(column)[:, np.newaxis]
        yield Case(f"column of decimal commas, {name}", text.encode(), names, values, note="decimal commas")
    yield Case(
        "column of decimal commas, one missing",
        b"height\n1,5\nNA\n2,75\n",
        ("height",),
        np.array([[1.5], [2.75]]),
        {"drop_missing": True},
        "decimal commas",
    )
    times = np.array([[12, 1609459200], [13, 1609459300], [14, 1609459477.0]])
    yield Case("two columns, of times", b"12,1609459200\n13,1609459300\n14,1609459477\n", ("x0", "x1"), times)
    years = np.array([[1950, 1987], [1961, 2003], [1952, 1970], [1977, 1999], [1950, 2001.0]])
    text = "".join(f"{a:.0f},{b:.0f}\n" for a, b in years)
    yield Case("two columns, of years", text.encode(), ("x0", "x1"), years)
    either = np.array([[7, 436], [9, 526], [1, 234], [5, 555], [7, 666.0]])
    text = "".join(f"{a:.0f},{b:.0f}\n" for a, b in either)
    yield Case("two columns or one", text.encode(), ("x0", "x1"), either, note="say --decimal ,")
    yield Case(
        "two columns or one, told",
        text.encode(),
        ("x0",),
        (either @ [1.0, 0.001])[:, np.newaxis].round(3),
        {"decimal": ","},
    )
    values = np.array([[4.895, 1.25], [5.125, 12.5], [7.375, 3.25], [8.5, 0.125]])
    for mark in "|;\t ":
        text = "".join(f"{a}{mark}abc{mark}{b}\n" for a, b in values).replace(".", ",")
        yield Case(
            f"decimal commas, {mark!r}, text between", text.encode(), ("x0", "x2"), values, note="commas"
        )
        text = "".join(f"2024-05-0{i}{mark}{a}\n" for i, a in enumerate(values[:, 0], 1)).replace(".", ",")
        yield Case(f"decimal commas, {mark!r}, dates", text.encode(), ("x1",), values[:, :1], note="commas")


def list_first_lines() -> Iterator[Case]:
    """First lines that are names, titles or rows."""
    for quoted in ("1", "1.5", "-1.5e-3"):
        text = "".join(f'"{quoted}","{i * i + 0.5}"\n' for i in range(6))
        values = np.column_stack([np.full(6, float(quoted)), np.arange(6) ** 2 + 0.5])
        yield Case(f"all quoted, {quoted}", text.encode(), ("x0", "x1"), values)
    values = np.arange(6.0)[:, np.newaxis] ** 2 + 0.5
    text = "".join(f'"{value}"\n' for value in values[:, 0])
    yield Case("all quoted, one column", text.encode(), ("x0",), values)
    text = "".join(f'"{value}",abc\n' for value in values[:, 0])
    yield Case("quoted numbers beside text", text.encode(), ("x0",), values, note="text")
    text = "a,\n" + "".join(f"{value:.3e},\n" for value in values[:, 0])
    yield Case("powers of ten beside an empty column", text.encode(), ("a",), values, note="empty")
    names = ("2019 sold", "2020 sold", "area km2")
    text = write_text(names=names).replace("km2\n", "km2\ncm,kg,pieces\n")
    yield Case("units below names with numbers", text.encode(), names, note="units")
    yield Case(
        "trailing tab below names with numbers",
        write_text("\t", names=names).replace("km2\n", "km2\t\n").encode(),
        names,
    )
    tabs = write_text("\t", names=("petal length", "width", "n"))
    yield Case(
        "title with blanks, tabs",
        ("What we found\n" + tabs).encode(),
        ("petal length", "width", "n"),
        note="1 line",
    )
    two = "".join(f"{i / 8},{i * i}\n" for i in range(1, 7))
    values = np.array([[i / 8, i * i] for i in range(1, 7)])
    yield Case(
        "title above two columns", ("What we found\n" + two).encode(), ("x0", "x1"), values, note="1 line"
    )
    years, counts = ("2003", "2002"), np.arange(12.0).reshape(6, 2) ** 2 % 7
    text = write_text(names=years, values=counts).encode()
    names, values = ("x0", "x1"), np.vstack([[2003, 2002], counts])
    yield Case("numbers far from all others", text, names, values, note="say --header")
    yield Case("numbers far from all others, told", text, years, counts, {"header": True})
    for end in (",", ";", ";;", "\t", "|"):
        values = np.arange(6.0)[:, np.newaxis] ** 2 + 0.5
        rows = "".join(f"{value}\n" for value in values[:, 0])
        yield Case(
            f"{end!r} behind the only name", f"2019 sold{end}\n{rows}".encode(), ("2019 sold",), values
        )
        if end != ",":
            text = f"2019 sold{end}\n{rows}".replace(".", ",").encode()
            name = f"{end!r} behind the only name, decimal commas"
            yield Case(name, text, ("2019 sold",), values, note="decimal commas")


DOUBTFUL_CASES = [*list_commas(), *list_first_lines()]
