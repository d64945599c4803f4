"""What every picture needs of Matplotlib, which is imported when the first picture is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix._typing import Float64Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def import_matplotlib(module: str) -> Any:
    """Import a module of Matplotlib. Raises ImportError that says how to install it."""
    try:
        return import_module(f"matplotlib.{module}")
    except ModuleNotFoundError as error:
        raise ImportError('pictures need Matplotlib: pip install "gaussmix[plot]"') from error


def make_figure(width: float, height: float) -> Figure:
    """A new figure of pyplot, which notebooks show, of this size in inches."""
    figure: Figure = import_matplotlib("pyplot").figure(figsize=(width, height), layout="constrained")
    return figure


@contextmanager
def find_figure(ax: Any, figure: Figure | None, size: tuple[float, float]) -> Iterator[Figure | None]:
    """The figure to fill, in this size: a given one, or a new one, of which an error leaves nothing behind.

    None where Axes are given.
    """
    if ax is not None:
        yield None
    elif figure is not None:
        figure.set_size_inches(*size)
        yield figure
    else:
        figure = make_figure(*size)
        try:
            yield figure
        except BaseException:
            import_matplotlib("pyplot").close(figure)
            raise


def find_panel(ax: Axes | None, width: float, height: float) -> Axes:
    """The Axes that are given, or those of a new figure of this size in inches."""
    panel: Axes = make_figure(width, height).subplots() if ax is None else ax
    return panel


def hide_spines(panel: Axes) -> None:
    """Leave out the lines at the top and on the right, which say nothing."""
    panel.spines[["top", "right"]].set_visible(False)


def format_percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{share:.0%}" if share >= 0.005 else "< 1%"


def spread_out(heights: Float64Array, distance: float) -> Float64Array:
    """Ascending heights moved as little as may be, until none is nearer to the next than the distance.

    Least squares under h_{i+1} - h_i >= distance and 0 <= h_i <= 1, solved by pooling neighbours (isotonic
    regression). Where there is no room, the distance is smaller.
    """
    distance = min(distance, 1.0 / max(len(heights) - 1, 1))
    steps = distance * np.arange(len(heights))
    blocks: list[tuple[float, int]] = []
    for value in heights - steps:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, n = blocks.pop()
            mean, size = (mean * size + other * n) / (size + n), size + n
        blocks.append((mean, size))
    levels = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])
    return np.asarray(np.clip(levels, 0.0, 1.0 - steps[-1]) + steps)
