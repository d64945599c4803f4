"""What people keep the rows of a table in: each gives the same table, of columns a and b, or says it is not there."""

from __future__ import annotations

import numpy as np
import pytest

N = 40
NAMES = ("a", "b")


def make_values():
    """Two groups of rows, shape (N, 2)."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, 2))
    X[: N // 2] += 6.0
    return X


def make_structured(X, names=NAMES):
    rows = np.empty(len(X), dtype=[(name, "f8") for name in names])
    for name, column in zip(names, X.T, strict=True):
        rows[name] = column
    return rows


class OnlyProtocol:
    """A data frame of a library that hands on `__dataframe__` and nothing else."""

    def __init__(self, table):
        self.table = table

    def __dataframe__(self, **options):
        return self.table.__dataframe__(**options)


class OnlyStream:
    """An object of a library that hands on an Arrow stream and nothing else."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def columns_of(X, names=NAMES):
    return {name: np.ascontiguousarray(column) for name, column in zip(names, X.T, strict=True)}


def make_pandas(X, names=NAMES, dtype=None):
    frame = pytest.importorskip("pandas").DataFrame(columns_of(X, names))
    return frame if dtype is None else frame.astype(dtype)


def make_polars(X, names=NAMES):
    return pytest.importorskip("polars").DataFrame(columns_of(X, names))


def make_arrow(X, names=NAMES):
    return pytest.importorskip("pyarrow").table(columns_of(X, names))


def make_arrow_backed(X, names=NAMES):
    pytest.importorskip("pyarrow")
    return make_pandas(X, names, "double[pyarrow]")


def make_interchange(X, names=NAMES):
    pytest.importorskip("pyarrow.interchange")
    return OnlyProtocol(make_arrow(X, names))


def make_duckdb(X, names=NAMES):
    return pytest.importorskip("duckdb").from_arrow(make_arrow(X, names))


def make_narwhals(X, names=NAMES):
    return pytest.importorskip("narwhals").from_native(make_polars(X, names))


def make_astropy(X, names=NAMES, **options):
    return pytest.importorskip("astropy.table").Table(columns_of(X, names), **options)


def make_quantities(X, names=NAMES):
    units = pytest.importorskip("astropy.units")
    table = pytest.importorskip("astropy.table")
    found = zip(columns_of(X, names).items(), (units.kg, units.m / units.s), strict=False)
    return table.QTable({name: column * unit for (name, column), unit in found})


def make_xarray(X, names=NAMES):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(X, dims=("row", "feature"), coords={"feature": list(names)})


#: From rows and names to what holds them.
HOLDERS = {
    "pandas": make_pandas,
    "pandas, nullable": lambda X, names=NAMES: make_pandas(X, names, "Float64"),
    "pandas, by Arrow": make_arrow_backed,
    "pandas, objects": lambda X, names=NAMES: make_pandas(X, names, object),
    "polars": make_polars,
    "narwhals": make_narwhals,
    "pyarrow": make_arrow,
    "record batch": lambda X, names=NAMES: make_arrow(X, names).to_batches()[0],
    "Arrow stream": lambda X, names=NAMES: OnlyStream(make_arrow(X, names)),
    "duckdb": make_duckdb,
    "__dataframe__": make_interchange,
    "structured": make_structured,
    "record array": lambda X, names=NAMES: make_structured(X, names).view(np.recarray),
    "masked structured": lambda X, names=NAMES: np.ma.array(make_structured(X, names)),
    "astropy": make_astropy,
    "astropy, masked": lambda X, names=NAMES: make_astropy(X, names, masked=True),
    "quantities": make_quantities,
    "xarray": make_xarray,
}


@pytest.fixture(params=HOLDERS)
def hold(request):
    """A function from rows, and names, to one kind of table."""
    return HOLDERS[request.param]
