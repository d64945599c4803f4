"""What a detector says of the rows of a table: their scores, p-values, and which are anomalies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gaussmix._typing import BoolArray, Float64Array
from gaussmix.apps.anomaly.selection import select_anomalies


class Detector(Protocol):
    """A fitted detector, as this module sees one."""

    offset_: float
    calibration_: Any

    def score_samples(self, X: Any) -> Float64Array:
        """The score of each row."""

    def pvalues(self, X: Any) -> Float64Array:
        """The p-value of each row, where there is a calibration."""


@dataclass(frozen=True, eq=False)
class Detection:
    """What a detector says of n rows.

    Parameters
    ----------
    scores : ndarray of shape (n,)
    pvalues : ndarray of shape (n,) or None
        Where there is a calibration.
    anomalous : ndarray of bool of shape (n,)
    threshold : float
        Anomalies score below it; of a false-discovery rate, as far as a threshold of scores can say.
    fdr : float or None
        The false-discovery rate that decided, in place of the threshold.
    """

    scores: Float64Array
    pvalues: Float64Array | None
    anomalous: BoolArray
    threshold: float
    fdr: float | None = None

    @property
    def n_anomalies(self) -> int:
        """How many rows are anomalies."""
        return int(np.count_nonzero(self.anomalous))

    def rank(self, most: int) -> Any:
        """The places of the rows of lowest scores, lowest first, `most` at most."""
        if most < len(self.scores):
            within = np.argpartition(self.scores, most)[:most]
        else:
            within = np.arange(len(self.scores))
        return within[np.lexsort((within, self.scores[within]))]


def detect_rows(detector: Detector, blocks: Iterable[Any], fdr: float | None = None) -> Detection:
    """What a detector says of rows that come in blocks, of which there is at least one.

    Anomalies are the rows that score below the detector's threshold or, given a false-discovery rate, those
    that Benjamini and Hochberg's procedure selects by their p-values; these need a calibration.
    """
    calibrated = detector.calibration_ is not None
    scores, pvalues = [], []
    for block in blocks:
        scores.append(detector.score_samples(block))
        if calibrated:
            pvalues.append(detector.pvalues(block))
    joined = np.concatenate(scores)
    p = np.concatenate(pvalues) if calibrated else None
    if fdr is None or p is None:
        return Detection(joined, p, joined < detector.offset_, detector.offset_)
    anomalous = select_anomalies(p, fdr)
    return Detection(joined, p, anomalous, find_border(joined, anomalous), fdr)


def find_border(scores: Float64Array, anomalous: BoolArray) -> float:
    """A score just above those of all anomalies; where there are none, the least score."""
    if not anomalous.any():
        return float(scores.min())
    highest = float(scores[anomalous].max())
    above = scores[scores > highest]
    if not len(above):
        return float(np.nextafter(highest, np.inf))
    middle = highest + 0.5 * (float(above.min()) - highest)
    return middle if middle > highest else float(above.min())
