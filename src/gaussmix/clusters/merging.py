"""Merging the components of a mixture into clusters, from all of them to one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gaussmix._text import count_noun, make_html_notes, make_html_table, make_text_table
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.clusters.classified import Classified
from gaussmix.clusters.overlaps import (
    Merge,
    find_elbow,
    find_merges,
    measure_entropy,
    measure_misclassification,
)
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.landscape import Landscape, find_passes, group_modes
from gaussmix.model.mixture.parts import read_mixture

Method = Literal["entropy", "demp", "modes"]

#: Hennig's cut-off: clusters are merged while one in forty rows is misclassified.
DEMP_CUTOFF = 0.025
#: Components are merged whose densities have one mode: no pass between them is lower.
MODES_CUTOFF = 1.0

#: What a table shows as zero.
ROUNDING = 1e-9

#: What a table calls the overlap of two clusters.
OVERLAPS = {"entropy": "entropy removed", "demp": "misclassified", "modes": "pass / mode"}


@dataclass(frozen=True, eq=False, repr=False)
class Merging:
    """The components of a mixture merged two by two; printed, a table of merges.

    Parameters
    ----------
    mixture : Mixture
    method : {"entropy", "demp", "modes"}
    pairs : ndarray of shape (k - 1, 2)
        The clusters of each merge, as places among the clusters that there are then. The second becomes a
        part of the first, and those after it move up.
    overlaps : ndarray of shape (k - 1,)
        Why these two: the entropy that the merge takes away, in nats; the greater probability of
        misclassification; the density at the pass over that of the lower mode.
    entropies : ndarray of shape (k,) or None
        Those of the classification into 1, ..., k clusters, in nats; without rows there are none.
    n_clusters : int
        The number of clusters that the method suggests.

    Examples
    --------
    >>> import gaussmix
    >>> means, variances = [[0.0], [1.0], [9.0]], [1.0, 2.0, 1.0]
    >>> mixture = gaussmix.Mixture([0.4, 0.3, 0.3], means, variances, "spherical")
    >>> merging = gaussmix.merge_components(mixture, method="modes")
    >>> merging.n_clusters, merging.labels().tolist(), merging.predict([[0.5], [8.0]]).tolist()
    (2, [0, 0, 1], [0, 1])
    """

    mixture: Mixture
    method: Method
    pairs: IntArray
    overlaps: Float64Array
    entropies: Float64Array | None
    n_clusters: int

    @property
    def heights(self) -> Float64Array:
        """Heights of the merges in a dendrogram, shape (k - 1,), never decreasing.

        Of "entropy", the share of all entropy that merging has taken away up to then, as mclust has it; of
        "demp" and "modes", one minus the overlap, or the height of an earlier merge if that is larger.
        """
        if self.method != "entropy" or self.entropies is None:
            return np.maximum.accumulate(1.0 - self.overlaps) if len(self.overlaps) else self.overlaps
        removed = self.entropies[-1] - self.entropies[-2::-1]
        if not len(removed) or removed[-1] <= 0.0:  # nothing overlaps: merges are steps
            return np.arange(1.0, len(removed) + 1.0) / max(len(removed), 1)
        return np.maximum.accumulate(removed / removed[-1])

    @property
    def linkage(self) -> Float64Array:
        """The tree as SciPy has it, shape (k - 1, 4): two clusters, height, and number of components.

        Clusters up to k - 1 are components; k + i is the one that merge i made.
        """
        k = self.mixture.n_components
        names, sizes = list(range(k)), [1] * k
        tree = np.empty((k - 1, 4))
        for step, (first, second) in enumerate(self.pairs):
            sizes[first] += sizes.pop(second)
            one, other = sorted((names[first], names[second]))
            tree[step] = one, other, self.heights[step], sizes[first]
            names[first] = k + step
            names.pop(second)
        return tree

    def labels(self, n_clusters: int | None = None) -> IntArray:
        """The cluster of each component, shape (k,).

        Parameters
        ----------
        n_clusters : int, optional
            From 1 to k; the suggested number where it is not given. Clusters are numbered in the order of
            their first components.
        """
        k = self.mixture.n_components
        wanted = self.n_clusters if n_clusters is None else n_clusters
        if not _is_number(wanted, k):
            raise ValueError(f"n_clusters must be from 1 to the {k} components; got {wanted!r}")
        labels = np.arange(k)
        for first, second in self.pairs[: k - wanted]:
            labels[labels == second] = first
            labels[labels > second] -= 1
        return labels

    def predict_proba(self, X: npt.ArrayLike, n_clusters: int | None = None) -> FloatArray:
        """Posterior probability of each cluster for each row of X, shape (n, n_clusters).

        The sum of those of the components that it is merged of. With noise there is one more column, the
        last.
        """
        labels = self.labels(n_clusters)
        R = self.mixture.responsibilities(X)
        k = self.mixture.n_components
        merged = R[:, :k] @ np.eye(labels.max() + 1, dtype=R.dtype)[labels]
        return np.concatenate([merged, R[:, k:]], axis=1)

    def predict(self, X: npt.ArrayLike, n_clusters: int | None = None) -> IntArray:
        """The most probable cluster of each row, shape (n,); the first of equals; -1 is the noise."""
        proba = self.predict_proba(X, n_clusters)
        found: IntArray = np.argmax(proba, axis=1)
        if self.mixture.noise is not None:
            found[found == proba.shape[1] - 1] = -1
        return found

    def __repr__(self) -> str:
        rows = self._write_rows()
        return "\n".join([self._heading, *(["", make_text_table(rows)] if len(rows) > 1 else [])])

    def _repr_html_(self) -> str:
        rows = self._write_rows()
        if len(rows) == 1:
            return make_html_notes([self._heading])
        return make_html_table(rows, self._heading)

    @property
    def _heading(self) -> str:
        components = count_noun(self.mixture.n_components, "component")
        return f"{components} in {count_noun(self.n_clusters, 'cluster')} ({self.method})"

    def _write_rows(self) -> list[list[str]]:
        """A header, and for each merge how many clusters are left, which components it joined, and why."""
        k = self.mixture.n_components
        header = [
            "clusters",
            "merged",
            OVERLAPS[self.method],
            *([] if self.entropies is None else ["entropy"]),
        ]
        rows = [header]
        members = [[component] for component in range(k)]
        for step, (first, second) in enumerate(self.pairs):
            names = " + ".join(_write_members(members[place]) for place in (first, second))
            members[first] = sorted(members[first] + members.pop(second))
            entropy = [] if self.entropies is None else [_write_value(self.entropies[k - 2 - step])]
            rows.append([str(k - 1 - step), names, _write_value(self.overlaps[step]), *entropy])
        return rows


def merge_components(
    model: Any,
    X: npt.ArrayLike | None = None,
    method: Method = "entropy",
    *,
    cutoff: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> Merging:
    """Merge the components of a mixture, two by two, into clusters that need not be Gaussian.

    BIC counts Gaussians; a cluster of another shape takes several. Their density stays as it is, and the
    classification into clusters is that of their summed responsibilities.

    Parameters
    ----------
    model : SearchResult, FitResult, Mixture or GaussianMixture
        Of a search the best model. Of a trimmed fit, rows count with the weights that were kept.
    X : array-like of shape (n, d), optional
        The rows that were fitted; "modes" needs none.
    method : {"entropy", "demp", "modes"}, default="entropy"
        "entropy" merges the two clusters whose merge takes most of -sum_i sum_k t_ik log t_ik away, with t
        the responsibilities. The number of clusters is at the elbow of two straight lines fitted to the
        entropies of 1, ..., k clusters, as in mclust's clustCombi. "demp" merges those of the greatest
        directly estimated probability of misclassification, P(t_i > t_j | j) or P(t_j > t_i | i), while that
        is at least the cut-off. "modes" merges components from whose means the density climbs to one mode;
        after that, those with the highest pass between their modes.
    cutoff : float, optional
        Of "demp" the least probability at which clusters are merged, 0.025 by default. Of "modes" the least
        density at the pass, relative to the lower mode, by default 1: only shared modes.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    Merging

    Raises
    ------
    ValueError
        If the method needs rows and there are none, or an argument is wrong.

    Notes
    -----
    Noise is never merged: it keeps its own column and label. From rows, "entropy" and "demp" take O(n k^2)
    operations, over the rows that more than one component may have made. The pass between two modes is looked
    for on the ridge line of two components (Ray and Lindsay) and on the straight line.

    References
    ----------
    J.-P. Baudry, A. E. Raftery, G. Celeux, K. Lo and R. Gottardo, Combining mixture components for
    clustering, J. Comput. Graph. Stat. 19 (2010) 332-353.
    C. Hennig, Methods for merging Gaussian mixture components, Adv. Data Anal. Classif. 4 (2010) 3-34.
    J. Li, S. Ray and B. G. Lindsay, A nonparametric statistical approach to clustering via mode
    identification, J. Mach. Learn. Res. 8 (2007) 1687-1723.
    L. Scrucca, A fast and efficient modal EM algorithm for Gaussian mixtures, Stat. Anal. Data Min. 14 (2021)
    305-314.
    S. Ray and B. G. Lindsay, The topography of multivariate normal mixtures, Ann. Stat. 33 (2005) 2042-2065.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> fit = gaussmix.fit_mixture(X, 3, covariance_type="tied", feature_names=names, random_state=0)
    >>> merging = gaussmix.merge_components(fit, X)
    >>> merging.n_clusters, merging.labels().tolist()
    (2, [0, 1, 1])
    """
    mixture = read_mixture(model, "model", Mixture)
    _check_options(method, X, cutoff, sample_weight)
    kept = _find_kept(model)
    weights = sample_weight if kept is None else kept
    if method == "modes":
        rows = None if X is None else Classified.of(mixture, X, weights)
        return _merge_by_modes(mixture, rows, MODES_CUTOFF if cutoff is None else cutoff)
    assert X is not None
    rows = Classified.of(mixture, X, weights)
    measure = measure_entropy if method == "entropy" else measure_misclassification
    merges = list(find_merges(rows, measure))
    entropies = _collect_entropies(rows, merges)
    if method == "entropy":
        n_clusters = find_elbow(entropies)
    else:
        n_clusters = _count_clusters(merges, DEMP_CUTOFF if cutoff is None else cutoff)
    return _make_merging(mixture, method, merges, entropies, n_clusters)


def _find_kept(model: Any) -> Float64Array | None:
    """The weights of rows that a trimmed fit kept."""
    results = (model, *(getattr(model, attribute, None) for attribute in ("fit_result_", "best")))
    return next((each.kept for each in results if getattr(each, "kept", None) is not None), None)


def _check_options(method: str, X: Any, cutoff: Any, sample_weight: Any) -> None:
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(map(repr, get_args(Method)))}; got {method!r}")
    if X is None and method != "modes":
        raise ValueError(f"method {method!r} needs the rows: merge_components(model, X)")
    if X is None and sample_weight is not None:
        raise ValueError("sample_weight belongs to rows, and there is no X")
    if cutoff is not None:
        if method == "entropy":
            raise ValueError('"entropy" has no cutoff: ask the result for another number of clusters')
        if not isinstance(cutoff, int | float | np.number) or not 0.0 <= float(cutoff) <= 1.0:
            raise ValueError(f"cutoff must be a number from 0 to 1; got {cutoff!r}")


def _merge_by_modes(mixture: Mixture, rows: Classified | None, cutoff: float) -> Merging:
    """Merge components of one mode, and then, by single linkage, those with the highest pass between them."""
    landscape = Landscape.of(mixture)
    modes, labels = group_modes(landscape)
    passes = find_passes(landscape, modes, labels)
    merges = list(_link_nearest(passes, rows))
    entropies = None if rows is None else _collect_entropies(rows, merges)
    return _make_merging(mixture, "modes", merges, entropies, _count_clusters(merges, cutoff))


def _link_nearest(overlaps: Float64Array, rows: Classified | None) -> Iterator[Merge]:
    """Merges by single linkage: clusters overlap as much as the two of their components that do so most."""
    overlaps = np.array(overlaps)
    overlaps[np.tril_indices(len(overlaps))] = -np.inf
    while len(overlaps) > 1:
        first, second = (int(place) for place in np.unravel_index(np.argmax(overlaps), overlaps.shape))
        overlap = float(overlaps[first, second])
        both = np.maximum(overlaps, overlaps.T)
        row = np.maximum(both[first], both[second])
        overlaps[:first, first], overlaps[first, first + 1 :] = row[:first], row[first + 1 :]
        overlaps = np.delete(np.delete(overlaps, second, axis=0), second, axis=1)
        rows = None if rows is None else rows.merge(first, second)
        yield Merge(first, second, overlap, np.nan if rows is None else rows.entropy)


def _collect_entropies(rows: Classified, merges: Iterable[Merge]) -> Float64Array:
    """Those of 1, ..., k clusters."""
    return np.array([rows.entropy, *(merge.entropy for merge in merges)])[::-1]


def _count_clusters(merges: list[Merge], cutoff: float) -> int:
    """How many clusters are left once no two overlap as much as the cut-off."""
    done = 0
    while done < len(merges) and merges[done].overlap >= cutoff:
        done += 1
    return len(merges) + 1 - done


def _make_merging(
    mixture: Mixture, method: Method, merges: list[Merge], entropies: Float64Array | None, n_clusters: int
) -> Merging:
    pairs = np.array([merge[:2] for merge in merges], dtype=np.int64).reshape(-1, 2)
    overlaps = np.array([merge.overlap for merge in merges], dtype=np.float64)
    for array in (pairs, overlaps, entropies):
        if array is not None:
            array.setflags(write=False)
    return Merging(mixture, method, pairs, overlaps, entropies, n_clusters)


def _is_number(value: Any, k: int) -> bool:
    """Whether this is a number of clusters that k components can be in."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 1 <= int(value) <= k


def _write_value(value: float) -> str:
    return f"{value:.4g}" if abs(value) > ROUNDING else "0"


def _write_members(components: list[int]) -> str:
    return str(components[0]) if len(components) == 1 else "{" + ", ".join(map(str, components)) + "}"
