"""Why rows are anomalies: what features contribute, the values expected of them, the nearest normal row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gaussmix._text import count_noun
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.apps.anomaly.attribution import attribute_rows
from gaussmix.apps.anomaly.normal_rows import NormalRows, find_nearest
from gaussmix.apps.anomaly.ranking import Ranking, rank_features
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.printing import default_names

#: Features of a row that are ranked, and that reasons can name.
MOST_REASONS = 8
#: A feature is a reason if it says at least this share of what the first reason says.
LEAST_SHARE = 0.05
#: Nats below which a feature is no reason.
LEAST_NATS = 0.01
#: Features explain a row if they explain this share of what it lacks beside a normal row.
LEAST_EXPLAINED = 0.5
#: Significant digits of a number at least, and at most.
LEAST_DIGITS, MOST_DIGITS = 3, 15
#: Numbers that are smaller than the other by this factor are zero to rounding.
NOTHING = 1e-13
#: Digits before the point up to which a number is written without an exponent.
MOST_WHOLE = 7


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why n rows of d features are, or are not, anomalies.

    Each row is compared with one Gaussian component of the normal rows, the one that is most responsible for
    it. With z the row in the transformed, standardised columns, m the mean of the component and P its
    precision, the log-density of the component at z is below that at m by the deficit

        D = 1/2 (z - m)' P (z - m) = sum_j contributions_j,   contributions_j = 1/2 (z - m)_j (P (z - m))_j,

    the Shapley values of the game in which features that do not take part have the component's mean. Where
    the mixture has one component, D is how far the row's score is below the greatest score.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        The log-density of the mixture, in nats; high is normal.
    contributions : ndarray of shape (n, d)
        In nats. Large: the feature makes the row an anomaly. Negative: it makes up for others.
    drops : ndarray of shape (n, d)
        How far the log-density of the feature, given all others, is below its greatest value, in nats: how
        much the feature surprises those who know the others.
    values : ndarray of shape (n, d)
        The rows.
    expected : ndarray of shape (n, d)
        The mean of the feature in that component given all others, in units of the data.
    typical : ndarray of shape (n, d)
        The mean of the feature in that component, in units of the data.
    changes : ndarray of shape (n, s)
        The features, s = min(d, 8) of them, that have to change for the row to be as others are, in order:
        each is the one whose change makes the deficit fall most, after those before it.
    falls : ndarray of shape (n, s)
        By how much the deficit falls, in nats; those of all d features would sum to it.
    change_values : ndarray of shape (n, s)
        The mean of the feature given all those that have not changed, in units of the data.
    components : ndarray of shape (n,)
        The component of the largest responsibility; never the noise.
    neighbours : ndarray of shape (n,)
        The nearest normal row in the metric of that component: its number among the rows of the fit. It is
        looked for among all normal rows, or a sample of at most 5,000 of them. -1 if the model keeps none.
    neighbour_values : ndarray of shape (n, d)
        That row.
    distances : ndarray of shape (n,)
        The Mahalanobis distance to it, in standard deviations of the component.
    feature_names : tuple of str

    References
    ----------
    J. Raymaekers and P. J. Rousseeuw, Handling cellwise outliers by sparse regression and robust covariance,
    J. Data Sci. Stat. Vis. 1 (2021), issue 3.
    L. S. Shapley, A value for n-person games, Contributions to the Theory of Games II (1953) 307-317.
    S. M. Lundberg and S.-I. Lee, A unified approach to interpreting model predictions, NIPS 30 (2017)
    4765-4774.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.apps.anomaly.explanation import explain_rows
    >>> import gaussmix
    >>> mixture = gaussmix.Mixture([1.0], [[1.7, 65.0]], [[[0.01, 0.4], [0.4, 100.0]]])
    >>> found = explain_rows(mixture, np.array([[1.6, 95.0]]), feature_names=["height", "weight"])
    >>> found.reasons()
    ['weight 95 (expected 61): 6.88 nats; height 1.6 (expected 1.7): 0.5 nats']
    >>> bool(np.isclose(found.contributions.sum(), mixture.log_prob([[1.7, 65.0]]) - found.scores))
    True
    """

    scores: Float64Array
    contributions: Float64Array
    drops: Float64Array
    values: Float64Array
    expected: Float64Array
    typical: Float64Array
    changes: IntArray
    falls: Float64Array
    change_values: Float64Array
    components: IntArray
    neighbours: IntArray
    neighbour_values: Float64Array
    distances: Float64Array
    feature_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        n, d = self.contributions.shape
        return f"Explanation({count_noun(n, 'row')}, {count_noun(d, 'feature')})"

    @property
    def deficits(self) -> Float64Array:
        """How far the log-density of the component is below its greatest value, shape (n,), in nats."""
        return np.asarray(self.contributions.sum(axis=1))

    def reasons(self, n_features: int = 3) -> list[str]:
        """The features that have to change for each row to be as others are: a short text.

        The first is the one whose change makes the row most probable, the second the one after that, and so
        on; nats say by how much the deficit falls. So a wrong value does not make features that go with it
        look wrong, too. Where few features do not explain the row, since all go together and together are
        unusual, the largest contributions stand in their place.

        Parameters
        ----------
        n_features : int, default=3
            Features that a text names: at most so many, and at most 8. One that says less than a twentieth of
            what the first says, or less than 0.01 nats, is left out.

        Returns
        -------
        list of str
            Such as "glucose 455 (expected 98): 12.3 nats; age 21 (expected 33): 1.2 nats". "expected" is the
            mean given all features that are not named before. "typical", the mean of the component, stands
            beside a contribution. Empty where there is no reason.

        Raises
        ------
        ValueError
            If `n_features` is less than one.
        """
        return ["; ".join(map(str, reasons)) for reasons in self.list_reasons(n_features)]

    def list_reasons(self, n_features: int = 3) -> Iterator[list[Reason]]:
        """What :meth:`reasons` says, as values: for each row its reasons, the strongest first."""
        if n_features < 1:
            raise ValueError(f"n_features must be at least 1; got {n_features}")
        d = self.contributions.shape[1]
        # D of a normal row is d / 2 on average: half of a chi-squared variable
        excess = self.deficits - 0.5 * d
        # few are at most half: the last of features that fit each other would explain the row alone
        explained = self.falls[:, : min(n_features, max(1, d // 2))].sum(axis=1)
        together = explained < LEAST_EXPLAINED * excess
        order = np.argsort(-self.contributions, axis=1, kind="stable")[:, : min(n_features, MOST_REASONS)]
        for i, is_together in enumerate(together):
            features = order[i] if is_together else self.changes[i, :n_features]
            nats = self.contributions[i, features] if is_together else self.falls[i, :n_features]
            others = self.typical[i, features] if is_together else self.change_values[i, :n_features]
            least = max(LEAST_SHARE * float(nats[0]), LEAST_NATS)
            yield [
                Reason(
                    feature=self.feature_names[j],
                    value=float(self.values[i, j]),
                    word="typical" if is_together else "expected",
                    other=float(other),
                    nats=float(share),
                )
                for j, share, other in zip(features, nats, others, strict=True)
                if share >= least
            ]

    def to_dict(self) -> dict[str, list[Any]]:
        """A table by columns, one line for each feature of each row, as constructors of data frames take it.

        The columns are row (its place among those explained), score, component, feature, value, contribution,
        drop, expected, typical, change (its place among the features that have to change, -1 beyond these),
        fall, neighbour and neighbour_value.
        """
        n, d = self.contributions.shape
        change, fall = np.full((n, d), -1), np.full((n, d), np.nan)
        np.put_along_axis(change, self.changes, np.arange(self.changes.shape[1])[None], axis=1)
        np.put_along_axis(fall, self.changes, self.falls, axis=1)
        of_rows = {"row": np.arange(n), "score": self.scores, "component": self.components}
        of_cells = {
            "value": self.values,
            "contribution": self.contributions,
            "drop": self.drops,
            "expected": self.expected,
            "typical": self.typical,
            "change": change,
            "fall": fall,
            "neighbour": np.repeat(self.neighbours, d),
            "neighbour_value": self.neighbour_values,
        }
        columns = {name: np.repeat(values, d).tolist() for name, values in of_rows.items()}
        columns["feature"] = list(self.feature_names) * n
        columns |= {name: values.ravel().tolist() for name, values in of_cells.items()}
        return columns

    def to_frame(self, backend: Any = "pandas") -> Any:
        """The table of :meth:`to_dict` as a data frame of a library: "pandas", "polars" or "pyarrow"."""
        import narwhals as nw

        return nw.from_dict(self.to_dict(), backend=backend).to_native()


@dataclass(frozen=True)
class Reason:
    """One feature of one row that makes it an anomaly."""

    feature: str
    value: float
    #: What `other` is: "expected" given the features not named before, or "typical" of the component.
    word: str
    other: float
    #: By how much the deficit falls when the feature changes, or its contribution.
    nats: float

    def __str__(self) -> str:
        value, other = write_values(self.value, self.other)
        return f"{self.feature} {value} ({self.word} {other}): {write_nats(self.nats)} nats"


class Columns(Protocol):
    """One monotone function for each column, from the data to the coordinates of the mixture."""

    def apply(self, X: FloatArray) -> Float64Array:
        """The rows in the coordinates of the mixture."""

    def invert(self, Z: Float64Array) -> Float64Array:
        """Points of the mixture's coordinates in units of the data."""


def explain_rows(
    mixture: Mixture,
    X: FloatArray,
    *,
    columns: Columns | None = None,
    normal: NormalRows | None = None,
    feature_names: Sequence[str] | None = None,
) -> Explanation:
    """Why rows are anomalies beside a mixture of the normal ones.

    Parameters
    ----------
    mixture : Mixture
        Of the normal rows, in the coordinates that `columns` leads to.
    X : ndarray of shape (n, d)
    columns : Columns, optional
        From the data to these coordinates; without it they are the data's own.
    normal : NormalRows, optional
        Among which the nearest is looked for.
    feature_names : sequence of str, optional
        Without them those of the mixture, else x0, x1, ...
    """
    values = np.array(X, dtype=np.float64)
    rows = values if columns is None else columns.apply(X)
    found = attribute_rows(mixture, rows)
    ranking = rank_features(mixture, rows, found, MOST_REASONS)
    neighbours, neighbour_values = np.full(len(rows), -1), np.full(values.shape, np.nan)
    distances = np.full(len(rows), np.nan)
    if normal is not None and len(normal.values):
        others = normal.values if columns is None else columns.apply(normal.values)
        places, distances = find_nearest(mixture, others, rows, found.components)
        neighbours, neighbour_values = normal.places[places], normal.values[places]
    return Explanation(
        scores=np.asarray(mixture.log_prob(rows), dtype=np.float64),
        contributions=found.contributions,
        drops=found.drops,
        values=values,
        expected=found.expected if columns is None else columns.invert(found.expected),
        typical=found.typical if columns is None else columns.invert(found.typical),
        changes=ranking.features,
        falls=ranking.falls,
        change_values=_invert_expected(ranking, found.typical, columns),
        components=found.components,
        neighbours=neighbours,
        neighbour_values=neighbour_values,
        distances=distances,
        feature_names=tuple(feature_names or mixture.feature_names or default_names(values.shape[1])),
    )


def _invert_expected(ranking: Ranking, typical: Float64Array, columns: Columns | None) -> Float64Array:
    """The expected values of a ranking in units of the data."""
    if columns is None:
        return ranking.expected
    inverted, rows = np.empty_like(ranking.expected), np.arange(len(typical))
    for s, chosen in enumerate(ranking.features.T):
        points = typical.copy()
        points[rows, chosen] = ranking.expected[:, s]
        inverted[:, s] = columns.invert(points)[rows, chosen]
    return inverted


def write_nats(nats: float) -> str:
    """A contribution in three digits, or all before the point.

    Examples
    --------
    >>> write_nats(12.345), write_nats(18123.4), write_nats(1e9)
    ('12.3', '18,123', '1e+09')
    """
    return f"{nats:,.0f}" if 1e3 <= nats < 10.0**MOST_WHOLE else f"{nats:.3g}"


def write_values(value: float, other: float) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes to tell them apart.

    Examples
    --------
    >>> write_values(455.0, 98.231), write_values(1000.1, 1000.0), write_values(2.0, 1e-9)
    (('455', '98.2'), ('1000.1', '1000'), ('2', '1e-09'))
    """
    largest, apart = max(abs(value), abs(other)), abs(value - other)
    digits = LEAST_DIGITS
    if math.isfinite(largest) and largest > 0.0:
        whole = math.floor(math.log10(largest)) + 1
        digits = max(digits, whole if whole <= MOST_WHOLE else 0)
        if apart > 0.0:
            digits = max(digits, math.ceil(math.log10(largest / apart)) + 1)
    digits = min(digits, MOST_DIGITS)
    # what rounding leaves of a difference that is zero is written as zero, which has no sign
    least = NOTHING * largest if math.isfinite(largest) else 0.0
    shown = [number if abs(number) > least else 0.0 for number in (value, other)]
    return f"{shown[0]:.{digits}g}", f"{shown[1]:.{digits}g}"
