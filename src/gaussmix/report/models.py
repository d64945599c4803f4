"""What a page knows of one model: its components in the features shown, and what it says of the rows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.fit.result import FitResult
from gaussmix.model.mixture import Mixture
from gaussmix.report.features import Feature, round_column, round_numbers, take_places

#: Rows of lowest density that are listed.
MOST_WORST = 10
#: Rows that are looked through for those of lowest density, for models that are not the best.
MOST_SEARCHED = 100_000
#: Rows that are evaluated at a time.
BLOCK_ROWS = 65_536
#: Points of a likelihood trace.
MOST_TRACE = 48
#: In place of the uncertainty, in percent, of a row that the fit left out.
LEFT_OUT = 101
#: Bytes of memberships in a page, a label and an uncertainty each, before they are written as text.
MOST_BYTES = 1_500_000


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows in a page, and where they are from.

    Parameters
    ----------
    rows : Rows
        All rows of positive weight.
    numbers : ndarray of shape (n,)
        The numbers of these among the rows that the caller passed.
    places : ndarray of shape (m,)
        Those in the page, among `rows`.
    values : ndarray of shape (m, d)
    n_given : int
        Rows that the caller passed.
    """

    rows: Rows
    numbers: IntArray
    places: IntArray
    values: Float64Array
    n_given: int

    @classmethod
    def draw(cls, rows: Rows, numbers: IntArray, n_given: int, most: int) -> Sample:
        """All rows where there are no more than `most`, else a uniform sample, the same each time."""
        chosen = rows.choose(most)
        places = np.arange(len(numbers)) if chosen is None else chosen
        return cls(rows, numbers, places, take_places(rows, places), n_given)

    @property
    def complete(self) -> bool:
        """Whether all rows are in the page."""
        return len(self.places) == len(self.numbers)


def count_affordable(n_models: int, n_shown: int) -> int:
    """The most rows in a page: few enough for quick pictures and for memberships within their bytes."""
    panels = n_shown * (n_shown - 1) // 2
    return min(5_000, max(1_000, 24_000 // max(panels, 1)), MOST_BYTES // (2 * max(n_models, 1)))


def describe_model(
    fit: FitResult, features: Sequence[Feature], sample: Sample, *, thorough: bool
) -> dict[str, Any]:
    """One model as the page needs it, plain values alone.

    Parameters
    ----------
    fit : FitResult
    features : sequence of Feature
        Those that are shown.
    sample : Sample
    thorough : bool
        Whether to look through all rows for those of lowest density, however many there are.
    """
    mixture = fit.mixture
    worst, searched = find_worst(mixture, sample.rows, None if thorough else MOST_SEARCHED)
    places = np.array([place for place, _ in worst])
    # one call for the rows of the page and those of lowest density
    rows = np.concatenate([sample.values, take_places(sample.rows, places)])
    labels, uncertainty = read_memberships(mixture, rows)
    left_out = find_left_out(fit, sample, np.concatenate([sample.places, places]))
    n_drawn = len(sample.places)
    return {
        "weights": round_numbers(mixture.weights),
        "noise": None if mixture.noise is None else float(f"{mixture.noise.weight:.6g}"),
        "noiseDensity": _find_noise_density(mixture, features),
        **_describe_components(mixture, features),
        "iterations": fit.n_iter,
        "trace": thin_trace(fit.history),
        "labels": _encode(labels[:n_drawn].astype(np.uint8 if mixture.n_components < 256 else "<u2")),
        "sureness": _encode(round_up(uncertainty, left_out)[:n_drawn]),
        "worst": [
            [
                int(sample.numbers[place]),
                float(f"{density:.5g}"),
                int(labels[i]),
                float(f"{uncertainty[i]:.3g}"),
                bool(left_out[i]),
            ]
            for i, (place, density) in enumerate(worst, start=n_drawn)
        ],
        "searched": searched,
    }


def _describe_components(mixture: Mixture, features: Sequence[Feature]) -> dict[str, Any]:
    """Means, deviations and correlations in the features shown: all that ellipses need.

    Of the covariances themselves rounding would leave matrices that are not positive definite.
    """
    shown = [feature.position for feature in features]
    covariances = mixture.dense_covariances[:, shown][:, :, shown]
    deviations = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    below = np.tril_indices(len(shown), -1)
    scales = deviations[:, below[0]] * deviations[:, below[1]]
    correlations = covariances[:, below[0], below[1]] / scales
    columns = [round_column(mixture.means[:, f.position], f) for f in features]
    return {
        "means": [list(row) for row in zip(*columns, strict=True)],
        "deviations": [round_numbers(row, 5) for row in deviations],
        "correlations": [round_numbers(np.clip(row, -1.0, 1.0), 7) for row in correlations],
    }


def _find_noise_density(mixture: Mixture, features: Sequence[Feature]) -> float | None:
    """The height of the noise in the picture of one feature; of more features there is none."""
    if mixture.noise is None or mixture.n_features > 1:
        return None
    return float(f"{np.exp(mixture.noise.log_joint):.6g}")


def read_memberships(mixture: Mixture, values: Float64Array) -> tuple[IntArray, Float64Array]:
    """The most probable component of each row and its uncertainty, one less the largest responsibility.

    The noise comes after the components.
    """
    responsibilities = mixture.responsibilities(values)
    return responsibilities.argmax(axis=1), 1.0 - responsibilities.max(axis=1)


def find_left_out(fit: FitResult, sample: Sample, places: IntArray) -> BoolArray:
    """Which of the rows at these places a trimmed fit left out; none where it is of other rows."""
    trimmed = fit.trimmed
    if trimmed is None or trimmed.shape != (sample.n_given,):
        return np.zeros(len(places), dtype=bool)
    return np.asarray(trimmed[sample.numbers[places]])


def round_up(uncertainty: Float64Array, left_out: BoolArray) -> IntArray:
    """Uncertainties in percent, rounded up: over a whole number t where the exact one is over t / 100."""
    percent = np.searchsorted(np.arange(101) / 100.0, uncertainty)
    return np.where(left_out, LEFT_OUT, percent).astype(np.uint8)


def _encode(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def find_worst(
    mixture: Mixture, rows: Rows, most_searched: int | None
) -> tuple[list[tuple[int, float]], int]:
    """The places and log-densities of the rows of lowest density, and among how many these are."""
    chosen = None if most_searched is None else rows.choose(most_searched)
    searched = rows if chosen is None else rows.take(chosen)
    places, values = np.empty(0, dtype=np.int64), np.empty(0)
    for part in searched.cut(BLOCK_ROWS):
        densities = np.asarray(mixture.log_prob(searched.values[part]), dtype=np.float64)
        places = np.concatenate([places, np.arange(part.start, part.start + len(densities))])
        values = np.concatenate([values, densities])
        if len(values) > MOST_WORST:
            least = np.argpartition(values, MOST_WORST)[:MOST_WORST]
            places, values = places[least], values[least]
    order = np.lexsort((places, values))
    at = places[order] if chosen is None else chosen[places[order]]
    return list(zip(at.tolist(), values[order].tolist(), strict=True)), searched.shape[0]


def thin_trace(history: Sequence[float]) -> list[list[float]]:
    """Iterations and mean log-likelihoods: all, or where there are many, fewer towards the end."""
    last = len(history) - 1
    if last < 1:
        return []
    kept = np.arange(last + 1)
    if last >= MOST_TRACE:
        # as many at the beginning, where a trace rises, as at the flat end
        grown = np.geomspace(1, last, MOST_TRACE - MOST_TRACE // 3)
        kept = np.unique(np.concatenate([np.arange(MOST_TRACE // 3), grown.round(), [last]])).astype(np.int64)
    return [[i, float(f"{history[i]:.8g}")] for i in kept.tolist() if np.isfinite(history[i])]
