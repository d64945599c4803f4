"""The picture of a mixture and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_named_rows
from gaussmix.clusters.merging import Merging
from gaussmix.plot.display import ViewDisplay, check_kind
from gaussmix.plot.labelling import (
    ByMixture,
    ByValues,
    read_clusters,
    read_labels,
    read_left_out,
    read_uncertainty,
)
from gaussmix.plot.plane import STANDARD_DEVIATIONS, add_ellipses
from gaussmix.plot.reading import find_names, read_mixture
from gaussmix.plot.table import Table
from gaussmix.plot.view import MOST_POINTS, choose_features, make_marginal, make_view, read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Ellipse


class MixtureDisplay(ViewDisplay):
    r"""A mixture and its rows: one feature as curves, two as a plane, more in pairs.

    :meth:`from_estimator` and :meth:`from_predictions` make it and draw it; :meth:`plot` draws it once more,
    of another kind or elsewhere. The kinds:

    - "classification": rows have the colour and the marker of their most probable component, and are the more
      opaque the surer that is. Thin lines are the borders between components, where no feature is left out.
    - "uncertainty": rows are the larger and darker the more uncertain their component is,
      :math:`1 - \max_k r_k` with :math:`r_k` the responsibilities.
    - "density": the regions of highest density that hold 25, 50, 75 and 95 % of the mass of the Gaussians.

    Each component has ellipses at one and two standard deviations, and its number, which is the label that
    `predict` gives, at its mean. The ellipse at :math:`r` standard deviations is
    :math:`(x - \mu)^\top \Sigma^{-1} (x - \mu) = r^2`; in the plane it holds :math:`1 - e^{-r^2/2}` of its
    component's mass: 39.3 % for one standard deviation and 86.5 % for two. One feature has the density of
    each component and of their sum over a histogram of all rows; where it is the only one, also the
    thresholds at which the most probable component changes (:meth:`gaussmix.Mixture.thresholds`).

    Many rows (more than `max_points`) are a raster of all of them in place of points: cells are the more
    opaque the more rows are in them, and have the mean of their colours. They are counted some at a time, so
    that memory does not depend on their number.

    Parameters
    ----------
    view : View
        What is shown, computed by the two methods.
    kind : {"classification", "uncertainty", "density"}, default="classification"

    Attributes
    ----------
    ax_ : Axes
        The Axes of one or two features; of pairs, the one at the lower left.
    axes_ : ndarray of Axes
        Of shape (1, 1), or for pairs (shown, shown) with None above the diagonal.
    figure_ : Figure
    artists_ : Artists
        Lists of what has been drawn: ``points``, ``rasters``, ``ellipses``, ``numbers``, ``regions`` (of
        highest density), ``borders``, ``histograms``, ``curves``, ``thresholds``.
    caption_ : Text or None
        What is drawn, in words.

    References
    ----------
    R. J. Hyndman (1996), Computing and graphing highest density regions, The American Statistician 50(2).

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import MixtureDisplay
    >>> X, names = load_faithful()
    >>> fit = gaussmix.fit_mixture(X, 2, feature_names=names, random_state=0)
    >>> display = MixtureDisplay.from_estimator(fit, X, ax=Figure().subplots())
    >>> display.ax_.get_xlabel(), len(display.artists_.ellipses)
    ('eruptions', 4)
    """

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: npt.ArrayLike | None = None,
        *,
        kind: str = "classification",
        features: Sequence[int | str] | None = None,
        clusters: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        left_out: npt.ArrayLike | None = None,
        max_points: int = MOST_POINTS,
        seed: int = 0,
        ax: Axes | npt.NDArray[np.object_] | None = None,
        **options: Any,
    ) -> Self:
        """Draw a fitted model, over rows if there are any.

        Parameters
        ----------
        model : GaussianMixture, Mixture, FitResult, Merging or the result of a search
            A fitted estimator of gaussmix or scikit-learn; of a search, its best model; of a merging, its
            mixture with the clusters that it suggests.
        X : array-like or data frame of shape (n_samples, n_features), optional
            Rows to show. Its columns name the axes, unless the mixture has names.
        kind : {"classification", "uncertainty", "density"}, default="classification"
        features : sequence of int or str, optional
            Positions or names of the features to show, in this order; the others are integrated out. Without
            it, the six that by themselves tell the components apart most, in the order of the columns.
        clusters : array-like of int of shape (n_components,), optional
            The cluster of each component: components of one cluster have one colour, and rows are labelled
            and uncertain by cluster.
        sample_weight : array-like of shape (n_samples,), optional
            Points have an area that is proportional to it, histograms and rasters count it. Rows of weight
            zero are not shown.
        left_out : array-like of bool of shape (n_samples,), optional
            Rows that a trimmed fit left out (``fit_result_.trimmed``), drawn as grey crosses.
        max_points : int, default=20000
            More rows than this are drawn as a raster.
        seed : int, default=0
            Of the draws by which levels of the density are found, so that pictures can be made again.
        ax : Axes or array of Axes, optional
            Where to draw; without it, in a new figure. Pairs take a square array.
        **options
            As for :meth:`plot`.

        Returns
        -------
        MixtureDisplay

        Raises
        ------
        TypeError
            If `model` is nothing that has a mixture.
        ValueError
            If an argument has the wrong shape, a feature is unknown, or X contains NaN or infinity.
        """
        check_kind(kind)
        mixture = read_mixture(model)
        values, own = (None, None) if X is None else read_named_rows(X)
        names = find_names(mixture, own, mixture.n_features)
        if clusters is None and isinstance(model, Merging):
            clusters = model.labels()
        groups = read_clusters(clusters, mixture.n_components)
        table = None
        if values is not None:
            rows, weights = read_table(values, mixture.n_features, sample_weight)
            out = read_left_out(left_out, len(rows))
            table = Table(rows, weights, ByMixture(mixture, groups, out))
        view = make_view(mixture, names, features, groups, table, max_points=max_points, seed=seed)
        return cls(view, kind=kind).plot(ax, **options)

    @classmethod
    def from_predictions(
        cls,
        X: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        *,
        uncertainty: npt.ArrayLike | None = None,
        kind: str = "classification",
        features: Sequence[int | str] | None = None,
        sample_weight: npt.ArrayLike | None = None,
        max_points: int = MOST_POINTS,
        ax: Axes | npt.NDArray[np.object_] | None = None,
        **options: Any,
    ) -> Self:
        """Draw rows with labels that are known, without a mixture.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y_pred : array-like of int of shape (n_samples,)
            Labels, from 0 on; -1 is noise.
        uncertainty : array-like of shape (n_samples,), optional
            From 0 to 1; needed for the kind "uncertainty".
        kind : {"classification", "uncertainty"}, default="classification"
        features, sample_weight, max_points, ax, **options
            As for :meth:`from_estimator`.

        Returns
        -------
        MixtureDisplay

        Raises
        ------
        ValueError
            If an argument has the wrong shape, a feature is unknown, or X contains NaN or infinity.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from gaussmix.plot import MixtureDisplay
        >>> X = [[0.0, 1.0], [1.0, 1.5], [5.0, 4.0]]
        >>> display = MixtureDisplay.from_predictions(X, [0, 0, 1], ax=Figure().subplots())
        >>> len(display.artists_.points)
        2
        """
        check_kind(kind)
        array, names = read_named_rows(X)
        if array.ndim != 2:
            raise ValueError(f"X must have the shape (n_samples, n_features); got {array.shape}")
        d = array.shape[1]
        rows, weights = read_table(array, d, sample_weight)
        doubt = read_uncertainty(uncertainty, len(rows))
        if kind == "density" or (kind == "uncertainty" and doubt is None):
            wanted = "a mixture: use from_estimator" if kind == "density" else "uncertainty="
            raise ValueError(f'kind="{kind}" needs {wanted}')
        labelling = ByValues(read_labels(y_pred, len(rows)), doubt)
        table = Table(rows, weights, labelling)
        groups = np.arange(labelling.n_labels)
        view = make_view(None, find_names(None, names, d), features, groups, table, max_points=max_points)
        return cls(view, kind=kind).plot(ax, **options)


def draw_ellipses(
    ax: Axes,
    model: Any,
    *,
    features: Sequence[int | str] = (0, 1),
    standard_deviations: Sequence[float] = STANDARD_DEVIATIONS,
    clusters: npt.ArrayLike | None = None,
    numbers: bool = True,
    **options: Any,
) -> list[Ellipse]:
    """Draw the ellipses of a mixture onto given Axes, and nothing else.

    Parameters
    ----------
    ax : Axes
        Its limits follow, unless they have been set.
    model : GaussianMixture, Mixture, FitResult or the result of a search
    features : two of int or str, default=(0, 1)
        Positions or names of the features along x and y; the others are integrated out.
    standard_deviations : sequence of float, default=(1, 2)
    clusters : array-like of int of shape (n_components,), optional
        The cluster of each component, which decides its colour.
    numbers : bool, default=True
        Whether each component's number stands at its mean.
    **options
        Passed to Matplotlib's ``Ellipse``, such as ``linewidth`` or ``edgecolor``.

    Returns
    -------
    list of Ellipse
        Component by component.

    Raises
    ------
    ValueError
        If `features` are not two features of the mixture.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.plot import draw_ellipses
    >>> mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.5, 1.0]]])
    >>> ellipses = draw_ellipses(Figure().subplots(), mixture, standard_deviations=[3])
    >>> bool(abs(ellipses[0].angle % 180 - 45) < 1e-6)
    True
    """
    mixture = read_mixture(model)
    chosen = choose_features(find_names(mixture, None, mixture.n_features), features)
    if len(chosen) != 2:
        raise ValueError(f"ellipses are drawn of two features; features has {len(chosen)}")
    groups = read_clusters(clusters, mixture.n_components)
    size = 9.0 if numbers else None
    pair = make_marginal(mixture, chosen)
    ellipses, _ = add_ellipses(ax, pair, groups, standard_deviations, size=size, options=options)
    ax.autoscale_view()
    return ellipses
