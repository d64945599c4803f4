"""The plane in which the components of a mixture are told apart best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows, read_sample_weight
from gaussmix._text import count_noun, make_html_notes, make_html_table, make_text_table, shorten
from gaussmix._typing import BoolArray, Float64Array
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.parts import read_mixture
from gaussmix.model.mixture.printing import default_names

#: Eigenvalues, relative to the largest, under which a direction has no variance, or tells nothing apart.
NOTHING = 1.5e-8
#: Coefficients that differ by less, relative to the largest, are equal: the first of them makes the sign.
EQUAL = 1e-6
#: Features in a table, and characters of their names.
MOST_FEATURES = 20
MOST_NAME = 24
#: The family of the mixture in the plane, by whether all components share one covariance.
FAMILIES = {False: "full", True: "tied"}


@dataclass(frozen=True, eq=False, repr=False)
class Projection:
    """Directions in which the components of a mixture are told apart, best first; printed, a table.

    Parameters
    ----------
    mixture : Mixture
    basis : ndarray of shape (d, m)
        A direction a column, of length one; rows go to ``(X - centre) @ basis``.
    centre : ndarray of shape (d,)
    eigenvalues : ndarray of shape (m,)
        How well each direction tells the components apart, never increasing; zero for directions that are
        there to make a plane.
    coefficients : ndarray of shape (d, m)
        The directions for features of variance one, each of length one: which features count.
    """

    mixture: Mixture
    basis: Float64Array
    centre: Float64Array
    eigenvalues: Float64Array
    coefficients: Float64Array

    @property
    def shares(self) -> Float64Array:
        """The eigenvalues as shares of their sum, shape (m,)."""
        return self.eigenvalues / (self.eigenvalues.sum() or 1.0)

    @property
    def names(self) -> tuple[str, ...]:
        """What to call the directions: "direction 1", ..."""
        return tuple(f"direction {place + 1}" for place in range(len(self.eigenvalues)))

    def transform(self, X: npt.ArrayLike, n_directions: int | None = None) -> Float64Array:
        """Rows, shape (n, d), in the directions: shape (n, n_directions), by default all."""
        rows, _ = read_rows(X, len(self.basis), names=self.mixture.feature_names)
        return np.asarray((rows - self.centre) @ self.basis[:, : self._read_number(n_directions)])

    def project_mixture(self, n_directions: int | None = None) -> Mixture:
        """The mixture as it looks in the first directions, by default all.

        Of Gaussians the shadow is Gaussian: V' (mu - c) and V' Sigma V. Noise has no constant density there
        and is left out; weights keep their proportions.
        """
        V = self.basis[:, : self._read_number(n_directions)]
        mixture, shared = self.mixture.without_noise(), self.mixture.structure.shared
        matrices = V.T @ (mixture.dense_covariances[:1] if shared else mixture.dense_covariances) @ V
        matrices = 0.5 * (matrices + np.swapaxes(matrices, 1, 2))
        structure = get_structure(FAMILIES[shared])
        return mixture.replace(
            structure=structure,
            means=(mixture.means - self.centre) @ V,
            covariance_stack=matrices,
            roots=structure.find_roots(matrices),
            feature_names=self.names[: V.shape[1]],
        )

    def __repr__(self) -> str:
        rows, notes = self._write_rows(), self._write_notes()
        return "\n".join([self._heading, "", make_text_table(rows), *notes])

    def _repr_html_(self) -> str:
        return make_html_table(self._write_rows(), self._heading) + make_html_notes(self._write_notes())

    @property
    def _heading(self) -> str:
        components = count_noun(self.mixture.n_components, "component")
        return f"{components} in {count_noun(len(self.eigenvalues), 'direction')} (coefficients)"

    def _write_rows(self) -> list[list[str]]:
        """A header; for each feature its coefficients; eigenvalues and shares."""
        names = self.mixture.feature_names or default_names(len(self.basis))
        rows = [
            [shorten(name, MOST_NAME), *(f"{value:.3f}" for value in values)]
            for name, values in zip(names[:MOST_FEATURES], self.coefficients, strict=False)
        ]
        last = [
            ["eigenvalue", *(f"{value:.4g}" for value in self.eigenvalues)],
            ["share", *(f"{value:.1%}" for value in self.shares)],
        ]
        return [["", *self.names], *rows, *last]

    def _write_notes(self) -> list[str]:
        hidden = len(self.basis) - MOST_FEATURES
        return [f"Not shown: {count_noun(hidden, 'feature')}."] if hidden > 0 else []

    def _read_number(self, n_directions: int | None) -> int:
        most = len(self.eigenvalues)
        if n_directions is None:
            return most
        _check_whole(n_directions, 1, most, "n_directions")
        return int(n_directions)


def project(
    model: Any,
    X: npt.ArrayLike | None = None,
    *,
    n_directions: int | None = None,
    means_share: float = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> Projection:
    """Find the directions in which the components of a mixture are told apart best (GMMDR).

    The directions v solve ``M v = l S v`` with S the covariance of all rows and::

        M = 2 a B S^-1 B + 2 (1 - a) sum_k w_k (C_k - C) S^-1 (C_k - C)

    B is the covariance of the means between components, C the mean of their covariances, and a is
    `means_share`. Means alone (a = 1) have k - 1 directions at most. With a smaller share, differences of
    covariances count, too.

    Parameters
    ----------
    model : SearchResult, FitResult, Mixture or GaussianMixture
        Of a search the best model. Its noise, if any, takes no part.
    X : array-like of shape (n, d), optional
        Rows that centre and S are those of; without rows they are the mixture's own. mclust has the rows'.
    n_directions : int, optional
        From 1 to d. By default all that tell components apart, and two at least, for a picture. Directions
        beyond those that do are uncorrelated with them and, of what is left, those of greatest variance.
    means_share : float, default=1.0
        mclust's lambda, from 0 to 1.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        If an argument is wrong.

    Notes
    -----
    In each direction the largest coefficient is positive. Features without variance take no part, and where
    features are collinear there are fewer directions than d.

    References
    ----------
    L. Scrucca, Dimension reduction for model-based clustering, Stat. Comput. 20 (2010) 471-484.
    L. Scrucca, Graphical tools for model-based mixture discriminant analysis, Adv. Data Anal. Classif. 8
    (2014) 147-165.

    Examples
    --------
    >>> import gaussmix
    >>> means = [[0.0, 0.0, 0.0], [3.0, 3.0, 0.0]]
    >>> mixture = gaussmix.Mixture([0.5, 0.5], means, [1.0, 1.0], "spherical")
    >>> plane = gaussmix.project(mixture)
    >>> abs(plane.basis[:, 0]).round(3).tolist(), plane.shares.tolist()
    ([0.707, 0.707, 0.0], [1.0, 0.0])
    >>> plane.transform([[3.0, 3.0, 1.0]]).shape, plane.project_mixture(2).n_features
    ((1, 2), 2)
    """
    mixture: Mixture = read_mixture(model, "model", Mixture)
    d = mixture.n_features
    if n_directions is not None:
        _check_whole(n_directions, 1, d, "n_directions")
    _check_share(means_share)
    if X is None and sample_weight is not None:
        raise ValueError("sample_weight belongs to rows, and there is no X")
    centre, covariance = (
        (mixture.mean, mixture.covariance) if X is None else _find_moments(X, mixture, sample_weight)
    )
    deviations = np.sqrt(np.diagonal(covariance))
    used = deviations > 0.0
    if not used.any():
        raise ValueError("no feature varies: there is no direction to look at")
    scale = np.where(used, deviations, 1.0)
    whitener = _find_whitener(covariance / np.multiply.outer(scale, scale), used)
    kernel = _find_kernel(mixture, centre, scale, whitener, float(means_share))
    eigenvalues, directions = _find_directions(kernel, whitener, n_directions)
    coefficients = whitener @ directions
    coefficients /= np.linalg.norm(coefficients, axis=0)
    coefficients *= _find_signs(coefficients)
    basis = coefficients / scale[:, None]
    basis /= np.linalg.norm(basis, axis=0)
    for array in (basis, centre, eigenvalues, coefficients):
        array.setflags(write=False)
    return Projection(mixture, basis, centre, eigenvalues, coefficients)


def _find_moments(
    X: npt.ArrayLike, mixture: Mixture, sample_weight: npt.ArrayLike | None
) -> tuple[Float64Array, Float64Array]:
    """Mean and covariance of rows, as maximum likelihood has them."""
    rows, _ = read_rows(X, mixture.n_features, names=mixture.feature_names)
    if not len(rows):
        raise ValueError("X has no rows; project without X for the moments of the mixture")
    weights = read_sample_weight(sample_weight, len(rows))
    numbers = rows.astype(np.float64, copy=False)
    shares = None if weights is None else weights / weights.sum()
    mean = numbers.mean(axis=0) if shares is None else shares @ numbers
    apart = numbers - mean
    scaled = apart / len(rows) if shares is None else apart * shares[:, None]
    return np.asarray(mean), np.asarray(scaled.T @ apart)


def _find_whitener(correlations: Float64Array, used: BoolArray) -> Float64Array:
    """W (d, r) with W' S W the identity, in the directions that have variance."""
    values, vectors = np.linalg.eigh(np.where(np.multiply.outer(used, used), correlations, 0.0))
    varying = values > NOTHING * values[-1]
    return np.asarray(vectors[:, varying] / np.sqrt(values[varying]))


def _find_kernel(
    mixture: Mixture, centre: Float64Array, scale: Float64Array, whitener: Float64Array, means_share: float
) -> Float64Array:
    """W' M W, shape (r, r): B^2 of the whitened means, and the squares of whitened C_k - C."""
    shares = mixture.without_noise().weights
    means = (mixture.means - centre) / scale @ whitener
    between = (shares[:, None] * means).T @ means
    kernel = 2.0 * means_share * between @ between
    if means_share < 1.0 and not mixture.structure.shared:
        half = whitener / scale[:, None]
        matrices = half.T @ mixture.dense_covariances @ half
        apart = matrices - np.tensordot(shares, matrices, axes=1)
        kernel += 2.0 * (1.0 - means_share) * np.einsum("k,kij,kjl->il", shares, apart, apart, optimize=True)
    return np.asarray(kernel)


def _find_directions(
    kernel: Float64Array, whitener: Float64Array, n_directions: int | None
) -> tuple[Float64Array, Float64Array]:
    """Eigenvalues, best first, and directions in whitened coordinates (r, m), as many as are asked for."""
    values, vectors = np.linalg.eigh(kernel)
    values, vectors = values[::-1], vectors[:, ::-1]
    found = int((values > NOTHING).sum())
    rest = vectors[:, found:]
    if rest.shape[1]:  # a direction u has the variance 1 / |W u|^2 when W u is scaled to length one
        lengths = whitener @ rest
        _, turns = np.linalg.eigh(lengths.T @ lengths)
        rest = rest @ turns
    number = min(max(found, 2), len(values)) if n_directions is None else min(n_directions, len(values))
    eigenvalues = np.concatenate([values[:found], np.zeros(len(values) - found)])[:number]
    return eigenvalues, np.concatenate([vectors[:, :found], rest], axis=1)[:, :number]


def _find_signs(coefficients: Float64Array) -> Float64Array:
    """The signs that make the largest coefficient of each direction positive, the first of equals."""
    sizes = np.abs(coefficients)
    largest = np.argmax(sizes >= (1.0 - EQUAL) * sizes.max(axis=0), axis=0)
    return np.asarray(np.where(coefficients[largest, range(coefficients.shape[1])] < 0.0, -1.0, 1.0))


def _check_share(value: Any) -> None:
    if not isinstance(value, int | float | np.number) or not 0.0 <= float(value) <= 1.0:
        raise ValueError(f"means_share must be a number from 0 to 1; got {value!r}")


def _check_whole(value: Any, least: int, most: int, name: str) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}; got {value!r}")
