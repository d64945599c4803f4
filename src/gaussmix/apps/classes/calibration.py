"""How good probabilities of classes are, and what makes them better: scores, reliability, temperature.

References
----------
G. W. Brier, Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78 (1950) 1-3.
A. H. Murphy, A new vector partition of the probability score, J. Appl. Meteorol. 12 (1973) 595-600.
C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, On calibration of modern neural networks, Proc. 34th Int.
Conf. Mach. Learn. (2017) 1321-1330.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from gaussmix import _check
from gaussmix._reading.rows import read_array, read_sample_weight
from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.classes.classed_mixture import find_log_posterior

#: The least probability whose logarithm is taken.
LEAST = 1e-15
#: Rows, of no class in particular, that count as seen when the floor of probabilities is estimated.
PSEUDO_ROWS = 0.5
#: The largest temperature that is tried.
HOTTEST = 100.0
#: Steps by which the best floor of a temperature is found.
FLOOR_STEPS = 25


@dataclass(frozen=True)
class Calibration:
    """From joint densities to probabilities of classes.

    They are (1 - floor) softmax(log p(x, c) / temperature) + floor / n_classes.

    The density of dependent or heavy-tailed features is wrong by a factor that grows with their number: the
    temperature, at least 1, undoes it. The floor is the share of rows about which the densities say nothing.
    Neither changes which class is the most probable.
    """

    temperature: float = 1.0
    floor: float = 0.0

    def find_probabilities(self, log_joint: Float64Array) -> Float64Array:
        """Probabilities of the classes, shape (n, n_classes), from log p(x, c)."""
        posterior = np.exp(find_log_posterior(log_joint / self.temperature))
        return np.asarray((1.0 - self.floor) * posterior + self.floor / log_joint.shape[1])

    def find_log_probabilities(self, log_joint: Float64Array) -> Float64Array:
        """Their logarithms."""
        if not self.floor:
            return find_log_posterior(log_joint / self.temperature)
        return np.log(self.find_probabilities(log_joint))


#: The posterior of the mixture as it is.
PLAIN = Calibration()


def calibrate(log_joint: Float64Array, labels: IntArray, weights: Float64Array) -> Calibration:
    """The calibration of least log-loss on rows that were not fitted to; log p(x, c) has a column a class."""
    n_classes, rows = log_joint.shape[1], np.arange(len(labels))

    def settle(log_temperature: float) -> tuple[float, float]:
        """The loss at a temperature with the floor that is best there, and that floor."""
        own = np.exp(find_log_posterior(log_joint / np.exp(log_temperature))[rows, labels])
        total = float(weights.sum())
        floor = 1.0 / (1.0 + total)
        for _ in range(FLOOR_STEPS):  # EM of two components: the posterior, and all classes alike
            mixed = (1.0 - floor) * own + floor / n_classes
            floor = (float(weights @ (floor / n_classes / mixed)) + PSEUDO_ROWS) / (total + PSEUDO_ROWS)
        mixed = (1.0 - floor) * own + floor / n_classes
        return float(-(weights @ np.log(mixed))) - PSEUDO_ROWS * float(np.log(floor)), floor

    hottest = float(np.log(HOTTEST))
    found = minimize_scalar(
        lambda value: settle(value)[0], bounds=(0.0, hottest), method="bounded", options={"xatol": 0.02}
    )
    best = min((float(found.x), 0.0), key=lambda value: settle(value)[0])
    return Calibration(float(np.exp(best)), settle(best)[1])


def measure_losses(probabilities: Float64Array, labels: IntArray) -> Float64Array:
    """Log-loss of each row, in nats: -log of the probability of its class."""
    own = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(own, LEAST)))


@dataclass(frozen=True, eq=False)
class Reliability:
    """How good the probabilities of classes are on some rows.

    Parameters
    ----------
    accuracy : float
        Share of the rows whose most probable class is theirs.
    brier : float
        Mean of sum_c (p_c - [c is the class])^2, from 0 to 2; lower is better.
    log_loss : float
        Mean of -log p of the row's class, in nats; lower is better.
    stated : ndarray of shape (n_bins,)
        Mean probability of the most probable class among the rows of each bin of it; NaN in an empty bin.
    found : ndarray of shape (n_bins,)
        Share of these rows for which that class is theirs.
    counts : ndarray of shape (n_bins,)
        The weight of the rows in each bin.
    edges : ndarray of shape (n_bins + 1,)
        Borders of the bins.
    """

    accuracy: float
    brier: float
    log_loss: float
    stated: Float64Array
    found: Float64Array
    counts: Float64Array
    edges: Float64Array

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: the mean over rows of abs(found - stated) of their bin."""
        some = self.counts > 0.0
        off = np.abs(self.found[some] - self.stated[some])
        return float(self.counts[some] @ off / self.counts.sum())

    def __str__(self) -> str:
        return (
            f"accuracy {self.accuracy:.4f}, Brier score {self.brier:.4f}, log-loss {self.log_loss:.4f} nats, "
            f"expected calibration error {self.calibration_error:.4f}"
        )


def measure_reliability(
    probabilities: npt.ArrayLike,
    y: Any,
    *,
    classes: Any = None,
    sample_weight: npt.ArrayLike | None = None,
    n_bins: int = 10,
) -> Reliability:
    """Brier score, log-loss and reliability curve of probabilities of classes.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples, n_classes)
        As `predict_proba` of any classifier gives them, of rows that it was not fitted to.
    y : array-like of shape (n_samples,)
        The classes of the rows.
    classes : array-like of shape (n_classes,), optional
        The class of each column; by default those of `y`, sorted.
    sample_weight : array-like of shape (n_samples,), optional
    n_bins : int, default=10
        Bins of equal width, from 1 / n_classes to 1, of the probability of the most probable class.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If shapes disagree, probabilities do not sum to one, or a row is of an unknown class.

    References
    ----------
    G. W. Brier, Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78 (1950) 1-3.

    Examples
    --------
    >>> import gaussmix
    >>> p = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.4, 0.6]]
    >>> found = gaussmix.measure_reliability(p, ["no", "no", "yes", "no"])
    >>> print(f"{found.accuracy:.2f} {found.brier:.3f} {found.log_loss:.3f}")
    0.75 0.285 0.439
    """
    labels = np.asarray(y)
    known = np.unique(labels) if classes is None else np.asarray(classes)
    n = len(labels)
    values, _ = _check.check_rows(read_array(probabilities, "probabilities"), len(known), "probabilities")
    P = values.astype(np.float64)
    if len(P) != n:
        raise ValueError(f"probabilities have {len(P)} rows and y has {n}; give both of the same rows")
    off = np.abs(P.sum(axis=1) - 1.0)
    if P.min() < 0.0 or off.max() > 1e-6:
        raise ValueError(
            "probabilities must not be negative and sum to 1 in each row; those of row "
            f"{int(off.argmax())} sum to {P.sum(axis=1)[off.argmax()]:.6g}"
        )
    places = {value: place for place, value in enumerate(known.tolist())}
    try:
        own = np.array([places[value] for value in labels.tolist()], dtype=np.int64)
    except KeyError as error:
        raise ValueError(f"y has the class {error.args[0]!r}, of which there is no column") from None
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1; got {n_bins}")
    weights = read_sample_weight(sample_weight, n)
    w = np.ones(n) if weights is None else weights
    w = w / w.sum()
    right, top = P.argmax(axis=1) == own, P.max(axis=1)
    least = 1.0 / len(known)
    edges = np.linspace(least, 1.0, n_bins + 1) if least < 1.0 else np.array([0.0, 1.0])
    bins = np.clip(np.searchsorted(edges, top, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bins, w, minlength=len(edges) - 1)
    with np.errstate(invalid="ignore"):
        stated, found = (np.bincount(bins, w * v, minlength=len(counts)) / counts for v in (top, right))
    hits = np.eye(len(known))[own]
    return Reliability(
        float(w @ right),
        float(w @ np.square(P - hits).sum(axis=1)),
        float(w @ measure_losses(P, own)),
        stated,
        found,
        counts * (n if weights is None else weights.sum()),
        edges,
    )
