"""Whatever becomes of a text table on its way: it is read, or there is one clear line."""

from __future__ import annotations

import random
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

from gaussmix.data.reading import Reading
from gaussmix.data.tables import read_table
from gaussmix.errors import InputError
from tests.data.writing_doubtful import DOUBTFUL_CASES
from tests.data.writing_real import REAL_CASES
from tests.data.writing_text import CASES

SMALL = [case for case in [*CASES, *REAL_CASES, *DOUBTFUL_CASES] if len(case.content) < 5000]
#: What people's editors, programs and disks put where it does not belong.
PIECES = [
    *(b"", b",", b";", b"\t", b" ", b"\n", b"\r\n", b"\r", b'"', b"'", b"|", b"#", b"%", b"//", b"sep=;\n"),
    *(
        b"-",
        b"e",
        b"nan",
        b"NA",
        b"inf",
        b"1e999",
        b"1e-999",
        b"0x1",
        b"1_0",
        b"true",
        b"x",
        b"\xff",
        b"\xfe",
    ),
    *(
        b"\x00",
        b"\x1a",
        b"\x1b[2J",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xe2\x80\xaf",
        b"=cmd|'x'!A1",
        b"\xc3",
        b"9" * 400,
    ),
    *(
        b"1.234,5",
        b"1,234.5",
        b"--------\n",
        b"\n\n\n",
        b",,,,\n",
        b"PAR1",
        b"\x1f\x8b",
        b"BZh",
        b"PK\x03\x04",
    ),
]


def damage(content: bytes, rng: random.Random) -> bytes:
    """One to three changes: bytes changed, cut, doubled, moved, or pieces put in."""
    for _ in range(rng.randint(1, 3)):
        i, j = sorted(rng.randrange(len(content) + 1) for _ in range(2))
        kind = rng.randrange(7)
        if kind == 0:
            content = content[:i] + rng.choice(PIECES) + content[i:]
        elif kind == 1:
            content = content[:i] + rng.choice(PIECES) + content[min(j, i + 8) :]
        elif kind == 2:
            content = content[:i] + content[min(j, i + 40) :]
        elif kind == 3:
            content = content[:i] + bytes([rng.randrange(256)]) + content[i + 1 :]
        elif kind == 4:
            content = content[:j]
        elif kind == 5:
            content = content[:j] + content[i:j] + content[j:]
        else:
            lines = content.splitlines(keepends=True)
            rng.shuffle(lines)
            content = b"".join(lines)
    return content


def judge(path, reading):
    """Read a table, and check what came of it."""
    try:
        table = read_table(path, reading)
    except InputError as error:
        text = str(error)
        assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 1500
        return "refused"
    assert np.isfinite(table.values).all()
    assert table.values.shape == (len(table.values), len(table.names)) and table.values.size
    assert len(set(table.names)) == len(table.names)
    return "read"


@pytest.mark.parametrize("seed", range(10))
def test_read_or_one_line(tmp_path, monkeypatch, seed):
    rng = random.Random(seed)
    path = tmp_path / "table"
    outcomes = []
    for _ in range(500):
        case = rng.choice(SMALL)
        path.write_bytes(damage(case.content, rng))
        monkeypatch.setattr("gaussmix.data.text.quick.LEAST_BYTES", rng.choice([0, 1 << 30]))
        reading = Reading(**{"drop_missing": rng.random() < 0.3} | case.options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcomes.append(judge(path, reading))
    assert {"read", "refused"} <= set(outcomes)


def test_all_readers_say_the_same(tmp_path, monkeypatch):
    """Values are equal bit by bit, and so are the messages."""
    rng = random.Random(99)
    path = tmp_path / "table"
    for _ in range(300):
        case = rng.choice(SMALL)
        path.write_bytes(damage(case.content, rng))
        found = []
        for least, present in ((0, find_spec("pyarrow") is not None), (0, False), (1 << 30, False)):
            monkeypatch.setattr("gaussmix.data.text.quick.LEAST_BYTES", least)
            monkeypatch.setattr("gaussmix.data.text.quick.has_pyarrow", lambda present=present: present)
            try:
                table = read_table(path, Reading(**case.options))
                found.append((table.names, table.values.tobytes(), table.notes))
            except InputError as error:
                found.append(str(error))
        assert found[0] == found[1] == found[2], path.read_bytes()
