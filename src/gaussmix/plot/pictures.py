"""Pictures of a mixture in one call: on the screen, or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gaussmix.model.mixture import Mixture
from gaussmix.plot.figures import import_matplotlib
from gaussmix.plot.mixture import MixtureDisplay
from gaussmix.plot.view import MOST_POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_mixture(
    mixture: Mixture,
    X: ArrayLike | None = None,
    *,
    ax: Axes | NDArray[np.object_] | None = None,
    features: Sequence[int | str] | None = None,
    sample_weight: ArrayLike | None = None,
    left_out: ArrayLike | None = None,
    caption: bool | None = None,
    max_points: int = MOST_POINTS,
    seed: int = 0,
) -> Axes | NDArray[np.object_]:
    r"""Draw a mixture, over data if `X` is given.

    - One feature: the density of the mixture and, filled, each weighted component; the data as a histogram.
    - Two features: the data, coloured by the most probable component, the more opaque the surer; ellipses at
      one and two standard deviations of each component, its number at the mean; the density of the
      mixture in shades of grey; where the most probable component changes, a thin line.
    - More: a pairs picture, with the one-feature picture of each feature on the diagonal and the data and
      ellipses of each pair below it. At most six features are shown unless `features` asks for more.

    Lines below the picture say what is drawn and how many rows there are.

    The ellipse at :math:`r` standard deviations is the set
    :math:`(x - \mu)^\top \Sigma^{-1} (x - \mu) = r^2`. In the plane it holds :math:`1 - e^{-r^2/2}` of its
    component's mass: 39.3 % for one standard deviation and 86.5 % for two. The shades are the smallest
    regions that hold 25, 50, 75 and 95 % of the mass of the whole mixture.

    Parameters
    ----------
    mixture : Mixture
        What to draw. Features are labelled with its ``feature_names``.
    X : array-like of shape (n_samples, n_features), optional
        Data to draw beneath.
    ax : Axes or array of Axes, optional
        Where to draw: one Axes for one or two features, for more a square array with one row for each feature
        shown. Without it a new figure is made.
    features : sequence of int or str, optional
        Positions or names of the features to show, in this order. The others are integrated out. Without it,
        the six that by themselves tell the components apart most, in the order of the columns.
    sample_weight : array-like of shape (n_samples,), optional
        The weight of each row.
    left_out : array-like of bool of shape (n_samples,), optional
        Rows that a trimmed fit left out, drawn as grey crosses.
    caption : bool, optional
        Whether lines below the picture say what is drawn, and how many rows. By default they do, unless `ax`
        is given.
    max_points : int, default 20000
        More rows than this are drawn as a raster of all of them.
    seed : int, default 0
        Of the draws by which levels of the density are found, so that the same call draws the same picture.

    Returns
    -------
    Axes or ndarray of Axes
        One Axes for one or two features. For more, an array of shape (shown, shown) with None above the
        diagonal.

    Raises
    ------
    ImportError
        If Matplotlib is not installed.
    ValueError
        If `features` names none or an unknown feature, or if `ax` or `X` has the wrong shape.

    See Also
    --------
    MixtureDisplay : the same picture and others, with more choices

    References
    ----------
    R. J. Hyndman (1996), Computing and graphing highest density regions, The American Statistician 50(2).

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from gaussmix import Mixture
    >>> from gaussmix.plot import plot_mixture
    >>> mixture = Mixture([0.4, 0.6], [[0.0], [3.0]], [[[1.0]], [[0.5]]], feature_names=("height",))
    >>> ax = plot_mixture(mixture, ax=Figure().subplots())
    >>> ax.get_xlabel()
    'height'
    """
    display = MixtureDisplay.from_estimator(
        mixture,
        X,
        features=features,
        sample_weight=sample_weight,
        left_out=left_out,
        caption=caption,
        max_points=max_points,
        seed=seed,
        ax=ax,
    )
    axes: NDArray[np.object_] = display.axes_
    panel: Axes = display.ax_
    return axes if axes.size > 1 else panel


def save_plot(
    mixture: Mixture,
    X: ArrayLike | None = None,
    *,
    path: str | Path,
    features: Sequence[int | str] | None = None,
    sample_weight: ArrayLike | None = None,
    left_out: ArrayLike | None = None,
    caption: bool = True,
    max_points: int = MOST_POINTS,
    seed: int = 0,
    dpi: float = 150,
) -> None:
    """Write the picture of `plot_mixture` to a file, without a window and without pyplot.

    Parameters
    ----------
    mixture, X, features, sample_weight, left_out, caption, max_points, seed
        As in `plot_mixture`.
    path : str or Path
        The file; its suffix picks the format (png, pdf, svg ...).
    dpi : float, default 150
        Dots per inch of a PNG.

    Raises
    ------
    ImportError
        If Matplotlib is not installed.
    ValueError
        As in `plot_mixture`, and if the suffix is no format that Matplotlib can write.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gaussmix import Mixture
    >>> from gaussmix.plot import save_plot
    >>> mixture = Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.5, 1.0]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_plot(mixture, path=Path(folder) / "mixture.png")
    ...     [file.name for file in Path(folder).iterdir()]
    ['mixture.png']
    """
    figure = import_matplotlib("figure").Figure(layout="constrained")
    MixtureDisplay.from_estimator(
        mixture,
        X,
        features=features,
        sample_weight=sample_weight,
        left_out=left_out,
        caption=caption,
        max_points=max_points,
        seed=seed,
        figure=figure,
    )
    figure.savefig(path, dpi=dpi)


def picture_formats() -> frozenset[str]:
    """Return the suffixes, without the dot, of the files that `save_plot` can write.

    Raises
    ------
    ImportError
        If Matplotlib is not installed.

    Examples
    --------
    >>> from gaussmix.plot import picture_formats
    >>> {"png", "pdf", "svg"} <= picture_formats()
    True
    """
    return frozenset(import_matplotlib("backend_bases").FigureCanvasBase.filetypes)
