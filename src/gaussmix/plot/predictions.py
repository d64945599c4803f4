"""What a regressor predicts along one input, as pictures show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._reading.rows import find_names, read_table
from gaussmix._reading.tables import find_table
from gaussmix._typing import Float64Array, IntArray

#: Shares of the outcomes below the borders of the bands.
SHARES = (0.025, 0.1, 0.5, 0.9, 0.975)
#: Points of the input, and of the output where its density is drawn.
N_POINTS = 300
N_HEIGHTS = 400
#: Room beyond the rows, as a share of their range.
MARGIN = 0.04
#: Shares of the outcomes that lie within the axis of the output, at each point.
REACH = (0.01, 0.99)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Rows of inputs: their values, shape (n, d), names, and the frame that they came in."""

    values: Float64Array
    names: tuple[str, ...]
    frame: Any

    @classmethod
    def read(cls, X: Any) -> Inputs:
        """Inputs of a frame or an array; ValueError where there are no rows or they have not two axes."""
        table = find_table(X, "X")
        found = None
        if table is None:
            values = np.asarray(X, dtype=np.float64)
        else:
            values = np.asarray(read_table(table, missing=True), dtype=np.float64)
            found = find_names(table.labels)
        if values.ndim != 2 or not values.size:
            raise ValueError(f"X must be rows of inputs, shape (n, d), with n > 0; got shape {values.shape}")
        names = found or tuple(f"feature {j + 1}" for j in range(values.shape[1]))
        return cls(values, names, X if found else None)

    def find(self, feature: int | str) -> int:
        """The column of a name or place; ValueError where there is none."""
        d = len(self.names)
        if isinstance(feature, str) and feature in self.names:
            return self.names.index(feature)
        if not isinstance(feature, str) and -d <= feature < d:
            return int(feature) % d
        raise ValueError(f"there is no feature {feature!r}; X has {', '.join(map(repr, self.names))}")

    def vary(self, j: int, points: Float64Array, fixed: Float64Array) -> Any:
        """Rows in which one input takes these values and the others are fixed, in a frame like the rows'."""
        values = np.tile(fixed, (len(points), 1))
        values[:, j] = points
        return self.pack(values)

    def pack(self, values: Float64Array) -> Any:
        """Rows in a frame of the same library, with the same names; an array where there was none."""
        if self.frame is None:
            return values
        import narwhals as nw

        frame = nw.from_native(self.frame, eager_only=True, pass_through=True)
        if not isinstance(frame, nw.DataFrame):  # a table that narwhals does not know, such as a record array
            kind = np.dtype([(name, np.float64) for name in self.names])
            return np.array([tuple(row) for row in values], dtype=kind)
        columns = dict(zip(self.names, values.T, strict=True))
        return nw.from_dict(columns, backend=frame.implementation).to_native()


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictive distributions of one output along one input.

    Attributes
    ----------
    points : ndarray of shape (m,)
        Values of the input.
    batch : MixtureBatch
        The distribution of the output at each.
    x, y : ndarray of shape (n,)
        The rows' own input and output; no rows where there was no output.
    responsibilities : ndarray of shape (n, k)
        Posterior probability of each expert for each row.
    names : tuple of str
        Of the input and the output.
    fixed : tuple of (str, float)
        Other inputs, and where they are held.
    """

    points: Float64Array
    batch: Any
    x: Float64Array
    y: Float64Array
    responsibilities: Float64Array
    names: tuple[str, str]
    fixed: tuple[tuple[str, float], ...]

    @cached_property
    def mean(self) -> Float64Array:
        """The mean at each point, shape (m,)."""
        return np.asarray(self.batch.mean[:, 0])

    @cached_property
    def experts(self) -> Float64Array:
        """The mean of each expert at each point, shape (m, k)."""
        return np.asarray(self.batch.means[:, :, 0])

    @cached_property
    def shares(self) -> Float64Array:
        """The share of each expert at each point, shape (m, k)."""
        return np.asarray(self.batch.weights)

    @cached_property
    def labels(self) -> IntArray:
        """The most probable expert of each row, shape (n,)."""
        return np.asarray(self.responsibilities.argmax(axis=1))

    @cached_property
    def quantiles(self) -> Float64Array:
        """The quantiles of `SHARES` at each point, shape (m, 5)."""
        return np.asarray(self.batch.quantile(np.array(SHARES)))

    @cached_property
    def limits(self) -> tuple[float, float]:
        """From where to where the axis of the output goes: it has all rows and most outcomes."""
        ends = self.batch.quantile(np.array(REACH))
        # An extrapolation can be as wide as it likes, and would leave a line of all rows.
        low, high = np.quantile(ends[:, 0], 0.02), np.quantile(ends[:, 1], 0.98)
        if len(self.y):
            low, high = min(low, self.y.min()), max(high, self.y.max())
        room = MARGIN * (high - low) or 1.0
        return float(low - room), float(high + room)

    def measure_masses(self) -> tuple[Float64Array, Float64Array]:
        """Heights (r,), and for each and each point the mass of all that is denser, shape (r, m).

        The region in which it is below 0.8 is the smallest that holds 80 % of the outcomes at this point: its
        region of highest density. It may be in parts.
        """
        heights = np.linspace(*self.limits, N_HEIGHTS + 1)
        step = float(heights[1] - heights[0])
        # The mass of a cell is exact, however narrow a density is beside it.
        cells = np.diff(self.batch.cdf(np.tile(heights, (len(self.points), 1))), axis=1)
        order = np.argsort(-cells, axis=1, kind="stable")
        denser = np.cumsum(np.take_along_axis(cells, order, axis=1), axis=1)
        masses = np.empty_like(denser)
        np.put_along_axis(masses, order, denser - 0.5 * np.take_along_axis(cells, order, axis=1), axis=1)
        return heights[:-1] + 0.5 * step, masses.T


def predict_along(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    feature: int | str | None = None,
    output: int | str | None = None,
    at: Mapping[Any, float] | None = None,
) -> Predictions:
    """Predictive distributions along one input, where the others are held at their medians.

    Parameters
    ----------
    model : regressor
        Fitted, whose `predict` takes ``return_mixture=True``; or a pipeline that ends in one.
    X : array-like or data frame of shape (n, d)
    y : array-like of shape (n,) or (n, q), optional
    feature : int or str, optional
        The input; it may be left out where there is one.
    output : int or str, optional
        The output; likewise.
    at : mapping, optional
        Values of other inputs, by name or place, in place of their medians.

    Raises
    ------
    ValueError
        If there is no such input or output, or several and none is named.
    """
    check_is_fitted(model)
    inputs = Inputs.read(X)
    if feature is None and len(inputs.names) > 1:
        raise ValueError(f"X has {len(inputs.names)} inputs: name the one to draw along by feature=")
    j = inputs.find(0 if feature is None else feature)
    fixed = np.nanmedian(inputs.values, axis=0)
    for name, value in (at or {}).items():
        fixed[inputs.find(name)] = float(value)
    own = inputs.values[:, j]
    low, high = np.nanmin(own), np.nanmax(own)
    room = MARGIN * (high - low) or 1.0
    points = np.linspace(low - room, high + room, N_POINTS)
    batch = find_batch(model, inputs.vary(j, points, fixed))
    q, name = choose_output(batch, output, y)
    x, observed, responsibilities = np.empty(0), np.empty(0), np.empty((0, batch.n_components))
    if y is not None:
        outputs = read_outputs(y, batch.n_features, len(own))
        responsibilities = find_batch(model, X).responsibilities(outputs)
        known = ~np.isnan(own)
        x, observed, responsibilities = own[known], outputs[known, q], responsibilities[known]
    others = tuple((inputs.names[i], float(fixed[i])) for i in range(len(fixed)) if i != j)
    chosen = batch.marginal([q])
    return Predictions(points, chosen, x, observed, responsibilities, (inputs.names[j], name), others)


def find_batch(model: Any, X: Any) -> Any:
    """The predictive mixtures of rows. TypeError where a model has none, such as other regressors."""
    try:
        return model.predict(X, return_mixture=True)[1]
    except TypeError as error:
        raise TypeError(
            "pictures of predictions are drawn of regressors whose predict takes return_mixture=True, as "
            f"GaussianMixtureRegressor and MixtureOfExpertsRegressor; got {type(model).__name__}"
        ) from error


def choose_output(batch: Any, output: int | str | None, y: Any = None) -> tuple[int, str]:
    """The place and the name of an output; ValueError where there are several and none is named."""
    known = batch.feature_names or tuple(f"output {q + 1}" for q in range(batch.n_features))
    if output is None and len(known) > 1:
        raise ValueError(f"there are {len(known)} outputs: name the one to draw by output=")
    if isinstance(output, str):
        if output not in known:
            raise ValueError(f"there is no output {output!r}; there are {', '.join(map(repr, known))}")
        return known.index(output), output
    q = 0 if output is None else int(output)
    if not -len(known) <= q < len(known):
        raise ValueError(f"there is no output {output!r}; there are {len(known)}")
    own = getattr(y, "name", None)
    if batch.feature_names is None and len(known) == 1:
        return 0, str(own) if isinstance(own, str) else "y"
    return q % len(known), str(known[q])


def read_outputs(y: Any, n_outputs: int, n_rows: int) -> Float64Array:
    """Outputs, shape (n, q); ValueError where they have another shape or are not finite."""
    table = find_table(y, "y")
    values = np.asarray(y if table is None else read_table(table, "y"), dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != (n_rows, n_outputs):
        raise ValueError(f"y must have shape ({n_rows}, {n_outputs}) of the fit; got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("y must be finite")
    return values
