"""Reading and writing tables beside PyArrow, Polars and pandas: ``python -m benchmarks.files``.

Each run is a process of its own, and programs alternate. Seconds are those of the work, from the file to an
array of NumPy or back, without the import of libraries; of a command they are those of the whole process.
With --processor they are those of all processors together, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gaussmix._text import make_text_table

FEATURES = 8
#: Components of the model by which the command predicts.
COMPONENTS = 4
PROGRAMS = ("gaussmix", "pyarrow", "polars", "pandas")
FORMATS = ("csv", "parquet", "feather", "orc", "jsonl", "npy")


def read_clock(processor: bool) -> float:
    """Seconds: of the clock, or those that this process, its threads and its children have computed."""
    return sum(os.times()[:4]) if processor else time.perf_counter()


def make_rows(n_rows: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(size=(n_rows, FEATURES)) + 3 * generator.integers(0, COMPONENTS, size=(n_rows, 1))


def make_files(folder: Path, n_rows: int) -> None:
    """The same rows in every format, by the libraries that know it best."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv, feather, orc
    from pyarrow import parquet as pq

    X = make_rows(n_rows)
    names = [f"c{i}" for i in range(FEATURES)]
    table = pa.table(dict(zip(names, X.T, strict=True)))
    csv.write_csv(table, folder / "t.csv")
    pq.write_table(table, folder / "t.parquet")
    feather.write_feather(table, str(folder / "t.feather"))
    orc.write_table(table, str(folder / "t.orc"))
    pd.DataFrame(X, columns=names).to_json(
        folder / "t.jsonl", orient="records", lines=True, double_precision=15
    )
    np.save(folder / "t.npy", X)


def find_reader(program: str, form: str) -> Callable[[Path], Any] | None:
    """How a program reads a file of a format into an array; None where it has no way."""
    if program == "gaussmix":
        from gaussmix.data.tables import read_table

        return lambda path: read_table(path).values
    if program == "pyarrow":
        return _find_arrow_reader(form)
    if program == "polars":
        import polars as pl

        readers = {
            "csv": pl.read_csv,
            "parquet": pl.read_parquet,
            "feather": pl.read_ipc,
            "jsonl": pl.read_ndjson,
        }
        return _compose(readers.get(form), lambda frame: frame.to_numpy(order="c"))
    import pandas as pd

    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "feather": pd.read_feather, "orc": pd.read_orc}
    readers["jsonl"] = lambda path: pd.read_json(path, lines=True)
    return _compose(readers.get(form), lambda frame: np.ascontiguousarray(frame.to_numpy()))


def _find_arrow_reader(form: str) -> Callable[[Path], Any] | None:
    import pyarrow as pa
    from pyarrow import csv, feather, orc
    from pyarrow import json as arrow_json
    from pyarrow import parquet as pq

    def gather(table: pa.Table) -> np.ndarray:
        values = np.empty((table.num_rows, table.num_columns))
        start = 0
        for batch in table.to_batches():
            for at, column in enumerate(batch.columns):
                values[start : start + len(batch), at] = column.to_numpy(zero_copy_only=False)
            start += len(batch)
        return values

    readers = {
        "csv": csv.read_csv,
        "parquet": pq.read_table,
        "feather": lambda path: feather.read_table(str(path)),
        "orc": lambda path: orc.read_table(str(path)),
        "jsonl": arrow_json.read_json,
    }
    return _compose(readers.get(form), gather)


def _compose(
    read: Callable[[Path], Any] | None, gather: Callable[[Any], Any]
) -> Callable[[Path], Any] | None:
    return None if read is None else lambda path: gather(read(path))


def find_writer(program: str) -> Callable[[np.ndarray, Path], Any]:
    """How a program writes an array as CSV."""
    if program == "gaussmix":
        from gaussmix.data.writing import write_table

        def cut(X: np.ndarray) -> Any:
            for start in range(0, len(X), 1 << 16):
                yield {f"c{i}": X[start : start + (1 << 16), i] for i in range(FEATURES)}

        return lambda X, path: write_table(path, cut(X))
    if program == "pyarrow":
        import pyarrow as pa
        from pyarrow import csv

        return lambda X, path: csv.write_csv(pa.table({f"c{i}": X[:, i] for i in range(FEATURES)}), path)
    if program == "polars":
        import polars as pl

        return lambda X, path: pl.DataFrame(X, schema=[f"c{i}" for i in range(FEATURES)]).write_csv(path)
    import pandas as pd

    return lambda X, path: pd.DataFrame(X, columns=[f"c{i}" for i in range(FEATURES)]).to_csv(
        path, index=False
    )


def run_here(program: str, what: str, form: str, folder: Path, processor: bool) -> float | None:
    """Seconds of one piece of work in this process; None where the program cannot do it."""
    if what == "write":
        work: Any = find_writer(program)
        arguments: tuple[Any, ...] = (np.load(folder / "t.npy"), folder / f"out-{program}.csv")
    else:
        work, arguments = find_reader(program, form), (folder / f"t.{form}",)
    if work is None:
        return None
    _warm_up(program, what, form, folder, work)
    start = read_clock(processor)
    work(*arguments)
    return read_clock(processor) - start


def _warm_up(program: str, what: str, form: str, folder: Path, work: Any) -> None:
    """Load what the first call of a library loads, by the same work on few rows."""
    small = folder / "small"
    if what == "write":
        work(np.ones((40000, FEATURES)), folder / f"small-{program}.csv")
    elif (small / f"t.{form}").exists():
        work(small / f"t.{form}")


def run_apart(processor: bool, *arguments: str) -> float | None:
    command = [sys.executable, "-m", "benchmarks.files", "--one", *arguments]
    command += ["--processor"] if processor else []
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(answer.stderr)
    return json.loads(answer.stdout)


def measure(what: str, form: str, programs: list[str], folder: Path, options: Any) -> list[str]:
    """A row of the table: medians of each program, and how many times the best of the others takes ours."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(options.repeats):
        for name in programs:
            seconds = run_apart(options.processor, name, what, form, str(folder))
            if seconds is not None:
                times[name].append(seconds)
    medians = {name: statistics.median(found) for name, found in times.items() if found}
    others = [seconds for name, seconds in medians.items() if name != "gaussmix"]
    ratio = f"{medians['gaussmix'] / min(others):.2f}" if others else ""
    return [
        f"{what} {form}",
        *(f"{medians[name]:.2f}" if name in medians else "" for name in programs),
        ratio,
    ]


def time_command(processor: bool, *arguments: str) -> float:
    start = read_clock(processor)
    subprocess.run([sys.executable, "-m", "gaussmix", *arguments], check=True, capture_output=True)
    return read_clock(processor) - start


def measure_commands(folder: Path, options: Any) -> list[list[str]]:
    """Seconds of whole commands on the rows as CSV."""
    source, model = str(folder / "t.csv"), str(folder / "m.safetensors")
    commands = {
        f"gaussmix fit -k {COMPONENTS} --covariance full": (
            *("fit", source, "-k", str(COMPONENTS), "--covariance", "full", "--seed", "0", "-q"),
            *("--init", "kmeans", "-o", model),
        ),
        "gaussmix predict to CSV": ("predict", model, source, "-o", str(folder / "labels.csv")),
        "gaussmix predict to Parquet": ("predict", model, source, "-o", str(folder / "labels.parquet")),
    }
    rows = []
    for title, arguments in commands.items():
        seconds = statistics.median(
            time_command(options.processor, *arguments) for _ in range(options.repeats)
        )
        rows.append([title, f"{seconds:.2f}"])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--processor", action="store_true", help="seconds of processors, not of the clock")
    parser.add_argument("--formats", default=",".join(FORMATS), help="of those that are read")
    parser.add_argument(
        "--one", nargs=4, metavar=("PROGRAM", "WHAT", "FORMAT", "FOLDER"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.one:
        program, what, form, folder = options.one
        print(json.dumps(run_here(program, what, form, Path(folder), options.processor)))
        return
    programs = [name for name in PROGRAMS if importlib.util.find_spec(name) is not None]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small").mkdir()
        make_files(folder, options.rows)
        make_files(folder / "small", 1000)
        rows = [["seconds", *programs, "ours / best"]]
        for form in options.formats.split(","):
            rows.append(measure("read", form, programs, folder, options))
        rows.append(measure("write", "csv", programs, folder, options))
        print(make_text_table(rows), flush=True)
        print()
        print(make_text_table([["whole command", "seconds"], *measure_commands(folder, options)]))


if __name__ == "__main__":
    main()
