"""What displays of a view have in common: they draw it, once and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy.typing as npt

from gaussmix.plot.figures import find_figure
from gaussmix.plot.panels import choose_figure_size, draw_view, read_panels
from gaussmix.plot.plane import STANDARD_DEVIATIONS
from gaussmix.plot.points import Style
from gaussmix.plot.view import View

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What a picture of a mixture can be about.
KINDS = ("classification", "uncertainty", "density")


class ViewDisplay:
    """The display of a view. Its subclasses compute the view."""

    def __init__(self, view: View, *, kind: str = "classification") -> None:
        self.view = view
        self.kind = check_kind(kind)

    def _tell_more(self) -> str:
        """What the caption says beside what the view is."""
        return ""

    def plot(
        self,
        ax: Axes | npt.NDArray[np.object_] | None = None,
        *,
        kind: str | None = None,
        standard_deviations: Sequence[float] = STANDARD_DEVIATIONS,
        legend: bool = True,
        caption: bool | None = None,
        scatter_options: Mapping[str, Any] | None = None,
        ellipse_options: Mapping[str, Any] | None = None,
        figure: Figure | None = None,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes or array of Axes, optional
            Where to draw; without it, in a new figure. Pairs take a square array.
        kind : {"classification", "uncertainty", "density"}, optional
            Another kind than that of the display.
        standard_deviations : sequence of float, default=(1, 2)
            At which ellipses are drawn; empty for none.
        legend : bool, default=True
        caption : bool, optional
            Whether lines below the picture say what is drawn, and how many rows. By default they do, unless
            `ax` is given.
        scatter_options, ellipse_options : mapping, optional
            Passed to Matplotlib's ``scatter`` and ``Ellipse``.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`; it takes the size that the picture needs.

        Returns
        -------
        self
            With the attributes set.
        """
        kind = self.kind if kind is None else check_kind(kind)
        style = Style(kind, tuple(standard_deviations), scatter_options or {}, ellipse_options or {})
        with find_figure(ax, figure, choose_figure_size(self.view)) as found:
            panels = read_panels(self.view, ax, found)
            self.axes_, self.artists_ = draw_view(
                panels,
                self.view,
                style,
                legend=legend,
                caption=caption,
                figure=found,
                more=self._tell_more(),
            )
        self.ax_ = self.axes_[-1, 0]
        self.caption_ = self.artists_.caption
        self.figure_ = self.ax_.figure
        return self


def check_kind(kind: str) -> str:
    """The kind; ValueError unless it is one of `KINDS`."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    return kind
