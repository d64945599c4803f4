"""The picture of how components merge into clusters: the tree of merges, or what is left of the entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._text import count_noun
from gaussmix._typing import Float64Array, IntArray
from gaussmix.clusters.merging import Merging
from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import find_panel, hide_spines, import_matplotlib
from gaussmix.plot.names import name_axes
from gaussmix.plot.palette import BORDER, INK, QUIET, pick_colour, pick_style
from gaussmix.plot.plane import put_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What the picture can be of.
KINDS = ("dendrogram", "entropy")
#: What the heights of a dendrogram are, by method.
HEIGHTS = {
    "entropy": "share of the entropy that is removed",
    "demp": "1 - probability of misclassification",
    "modes": "1 - density at the pass / at the lower mode",
}
#: Distance of two leaves in SciPy's coordinates, and of the first from zero.
LEAF_WIDTH = 10.0


class MergingDisplay:
    """The tree by which components merge into clusters, or the entropy by number of clusters.

    - "dendrogram": each fork is a merge, the lower the more its two clusters overlap. A dashed line cuts the
      tree into the clusters that the method suggests; below it each cluster has a colour.
    - "entropy": that of the classification, -sum_i sum_k t_ik log t_ik with t the responsibilities, by number
      of clusters. The number that the method suggests has a ring: beyond it more clusters overlap.

    Parameters
    ----------
    linkage : ndarray of shape (k - 1, 4)
        The tree as SciPy has it: two clusters, height, number of components.
    n_clusters : int
        Where the tree is cut.
    entropies : ndarray of shape (k,), optional
        Those of the classification into 1, ..., k clusters, in nats.
    clusters : ndarray of int of shape (k,), optional
        The number of each component's cluster, which decides its colour.
    height_name : str, default="height"
    kind : {"dendrogram", "entropy"}, default="dendrogram"

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    forks_ : list of Line2D
        Of each merge, in the order of SciPy's dendrogram.
    leaves_ : list of Text
        The number of each component.
    cut_ : Line2D or None
        Where the tree is cut, or the ring around the suggested number.
    caption_ : Text or None

    References
    ----------
    J.-P. Baudry, A. E. Raftery, G. Celeux, K. Lo and R. Gottardo, Combining mixture components for
    clustering, J. Comput. Graph. Stat. 19 (2010) 332-353.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.plot import MergingDisplay
    >>> means, variances = [[0.0], [1.0], [9.0]], [1.0, 2.0, 1.0]
    >>> mixture = gaussmix.Mixture([0.4, 0.3, 0.3], means, variances, "spherical")
    >>> merging = gaussmix.merge_components(mixture, method="modes")
    >>> display = MergingDisplay.from_estimator(merging, ax=Figure().subplots())
    >>> len(display.forks_), sorted(leaf.get_text() for leaf in display.leaves_)
    (2, ['0', '1', '2'])
    """

    def __init__(
        self,
        linkage: npt.ArrayLike,
        *,
        n_clusters: int = 1,
        entropies: npt.ArrayLike | None = None,
        clusters: npt.ArrayLike | None = None,
        height_name: str = "height",
        kind: str = "dendrogram",
    ) -> None:
        self.linkage = np.asarray(linkage, dtype=np.float64).reshape(-1, 4)
        k = len(self.linkage) + 1
        if not 1 <= n_clusters <= k:
            raise ValueError(
                f"n_clusters must be from 1 to the {count_noun(k, 'component')}; got {n_clusters!r}"
            )
        self.n_clusters = n_clusters
        self.entropies = None if entropies is None else np.asarray(entropies, dtype=np.float64)
        if self.entropies is not None and self.entropies.shape != (k,):
            raise ValueError(f"entropies must be {k} numbers, those of 1 to {k} clusters; got {entropies!r}")
        self.clusters: IntArray = _cut(self.linkage, n_clusters) if clusters is None else np.asarray(clusters)
        self.height_name = height_name
        self.kind = self._check_kind(kind)

    def _check_kind(self, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
        if kind == "entropy" and self.entropies is None:
            raise ValueError('kind="entropy" takes a merging of rows: merge_components(fit, X)')
        return kind

    @classmethod
    def from_estimator(
        cls,
        merging: Merging,
        *,
        n_clusters: int | None = None,
        kind: str = "dendrogram",
        ax: Axes | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw how the components of a mixture merge.

        Parameters
        ----------
        merging : Merging
            Of :func:`gaussmix.merge_components`.
        n_clusters : int, optional
            Where the tree is cut; without it, where the method suggests.
        kind : {"dendrogram", "entropy"}, default="dendrogram"
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        MergingDisplay

        Raises
        ------
        TypeError
            If `merging` is none.
        ValueError
            If `n_clusters` is not from 1 to k, or there are no entropies to draw.
        """
        if not isinstance(merging, Merging):
            raise TypeError(
                "merges are drawn of what gaussmix.merge_components returns; got " + type(merging).__name__
            )
        number = merging.n_clusters if n_clusters is None else n_clusters
        display = cls(
            merging.linkage,
            n_clusters=number,
            entropies=merging.entropies,
            clusters=merging.labels(number),
            height_name=HEIGHTS[merging.method],
            kind=kind,
        )
        return display.plot(ax, caption=caption)

    @classmethod
    def from_values(
        cls, linkage: npt.ArrayLike, *, n_clusters: int = 1, ax: Axes | None = None, **values: Any
    ) -> Self:
        """Draw a tree that is known, such as one of SciPy's hierarchies; other values as for the class.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from gaussmix.plot import MergingDisplay
        >>> tree = [[0, 1, 0.2, 2], [2, 3, 1.0, 3]]
        >>> MergingDisplay.from_values(tree, n_clusters=2, ax=Figure().subplots()).clusters
        array([0, 0, 1])
        """
        return cls(linkage, n_clusters=n_clusters, **values).plot(ax)

    def plot(self, ax: Axes | None = None, *, kind: str | None = None, caption: bool | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; without it, in a new figure.
        kind : {"dendrogram", "entropy"}, optional
            Another kind than that of the display.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        MergingDisplay
            Itself, with the attributes set.
        """
        kind = self.kind if kind is None else self._check_kind(kind)
        panel = find_panel(ax, 6.5, 4.4)
        self.ax_, self.figure_ = panel, panel.figure
        self.forks_: list[Any] = []
        self.leaves_: list[Any] = []
        self.cut_: Any = None
        draw = {"dendrogram": self._draw_tree, "entropy": self._draw_entropy}
        draw[kind](panel)
        text = count_noun(self.n_clusters, "cluster")
        panel.set_title(f"{text} of {count_noun(len(self.clusters), 'component')}", loc="left", fontsize=10)
        hide_spines(panel)
        own = panel.figure if ax is None else None
        self.caption_ = add_caption(self._describe(kind), panel, own, wanted=caption)
        return self

    def _describe(self, kind: str) -> str:
        """What the picture shows."""
        if kind == "entropy":
            return (
                "How uncertain the cluster of a row is, summed over the rows, by number of clusters. "
                f"Ring: {count_noun(self.n_clusters, 'cluster')}."
            )
        told = ["A fork joins two clusters, the lower the more they overlap; the numbers are components."]
        if self.cut_ is not None:
            told.append(f"Dashed: the cut into {self.n_clusters} clusters, which have a colour each.")
        return " ".join(told)

    def _draw_tree(self, panel: Axes) -> None:
        k = len(self.clusters)
        members = _list_members(self.linkage)
        top = float(self.linkage[-1, 2]) if k > 1 else 1.0
        order = [0]
        if k > 1:
            from scipy.cluster.hierarchy import dendrogram

            tree = dendrogram(self.linkage, no_plot=True, link_color_func=str)
            order = tree["leaves"]
            for x, y, node in zip(tree["icoord"], tree["dcoord"], tree["color_list"], strict=True):
                labels = np.unique(self.clusters[members[int(node)]])
                look: dict[str, Any] = {"color": BORDER, "linewidth": 1.3}
                if len(labels) == 1:
                    label = int(labels[0])
                    look = {"color": pick_colour(label), "linestyle": pick_style(label), "linewidth": 2.2}
                self.forks_ += panel.plot(x, y, solid_capstyle="projecting", **look)
            self._draw_cut(panel, top)
        for place, component in enumerate(order):
            x = LEAF_WIDTH * (place + 0.5)
            label = int(self.clusters[component])
            self.leaves_.append(put_number(panel, component, label, x, 0.0, size=9))
            self.leaves_[-1].set_clip_on(False)
        panel.set_xlim(0.0, LEAF_WIDTH * k)
        panel.set_ylim(0.0, 1.06 * top if top > 0.0 else 1.0)
        panel.set_xticks([])
        panel.spines["bottom"].set_visible(False)
        name_axes(panel, y=self.height_name)
        panel.set_xlabel("component", labelpad=12)

    def _draw_cut(self, panel: Axes, top: float) -> None:
        k = len(self.clusters)
        heights = np.concatenate([[0.0], self.linkage[:, 2], [1.08 * top]])
        if self.n_clusters > 1:
            height = float(heights[k - self.n_clusters : k - self.n_clusters + 2].mean())
            self.cut_ = panel.axhline(height, color=QUIET, linestyle="--", linewidth=1.0, zorder=1)

    def _draw_entropy(self, panel: Axes) -> None:
        if self.entropies is None:
            return
        numbers = np.arange(1, len(self.entropies) + 1)
        look: dict[str, Any] = {"color": INK, "marker": "o", "markersize": 5, "linewidth": 1.4}
        self.forks_ += panel.plot(numbers, self.entropies, **look)
        place = self.n_clusters - 1
        ring: dict[str, Any] = {"marker": "o", "markersize": 13, "markerfacecolor": "none", "linestyle": ""}
        (self.cut_,) = panel.plot(
            [numbers[place]], [self.entropies[place]], color=pick_colour(1), markeredgewidth=1.8, **ring
        )
        panel.set_xlabel("number of clusters")
        panel.set_ylabel("entropy of the classification (nats)")
        panel.xaxis.set_major_locator(import_matplotlib("ticker").MaxNLocator(integer=True))
        panel.grid(axis="y", color="#EEEEEE", linewidth=0.8)
        panel.set_axisbelow(True)


def _list_members(linkage: Float64Array) -> list[list[int]]:
    """The components of every cluster of a tree, by SciPy's numbers."""
    members: list[list[int]] = [[component] for component in range(len(linkage) + 1)]
    for one, other in linkage[:, :2].astype(int):
        members.append(members[one] + members[other])
    return members


def _cut(linkage: Float64Array, n_clusters: int) -> IntArray:
    """The cluster of each component where this many are left, in the order of their first components."""
    k = len(linkage) + 1
    members = _list_members(linkage)
    merged: set[int] = set(linkage[: k - n_clusters, :2].astype(int).ravel().tolist())
    alive = [members[node] for node in range(2 * k - n_clusters) if node not in merged]
    labels = np.empty(k, dtype=np.int64)
    for label, cluster in enumerate(sorted(alive, key=min)):
        labels[cluster] = label
    return labels
