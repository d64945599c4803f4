"""The picture of tests of k components against k + 1: the gain on the data beside the gains on draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix.infer.likelihood_ratio import LikelihoodRatioTest, LikelihoodRatioTests
from gaussmix.plot.captions import add_caption, join_words
from gaussmix.plot.figures import find_figure, hide_spines
from gaussmix.plot.palette import INK, PALE, QUIET, pick_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width and height of a panel, in inches.
SIZE = (3.0, 2.9)
#: Bins of a histogram, at least and at most.
BINS = (10, 40)


class LikelihoodRatioDisplay:
    """Likelihood-ratio tests of k components against k + 1, a panel each.

    The histogram has the statistics of rows that were drawn from the fit of k: what k + 1 components gain
    where k are the truth. The thick line is the statistic of the data, twice the gain of the log-likelihood.
    Where it lies beyond the dashed line, the quantile at one less the level, k is rejected.

    Parameters
    ----------
    tests : sequence of LikelihoodRatioTest
    level : float, default=0.05

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (tests,)
    ax_ : Axes
        The first of them.
    figure_ : Figure
    histograms_ : list of StepPatch
    statistics_, quantiles_ : list of Line2D
    caption_ : Text or None

    References
    ----------
    G. J. McLachlan, On bootstrapping the likelihood ratio test statistic for the number of components in a
    normal mixture, J. R. Stat. Soc. C 36 (1987) 318-324.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> from gaussmix.plot import LikelihoodRatioDisplay
    >>> X, _ = load_faithful()
    >>> tests = gaussmix.bootstrap_lrt(X, max_components=2, n_resamples=19, random_state=0)
    >>> display = LikelihoodRatioDisplay.from_estimator(tests, ax=Figure().subplots())
    >>> display.ax_.get_title()
    '1 against 2: p = 0.05'
    """

    def __init__(self, tests: Sequence[LikelihoodRatioTest], *, level: float = 0.05) -> None:
        self.tests = tuple(tests)
        self.level = level
        if not self.tests or not all(len(test.resampled) for test in self.tests):
            raise ValueError("there is nothing to draw: every test needs the statistics of some draws")

    @classmethod
    def from_estimator(
        cls,
        tests: LikelihoodRatioTests,
        *,
        ax: npt.NDArray[np.object_] | Axes | None = None,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the tests of :func:`gaussmix.bootstrap_lrt`.

        Parameters
        ----------
        tests : LikelihoodRatioTests
        ax : array of Axes, optional
            One a test; without it, those of a new figure.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        LikelihoodRatioDisplay

        Raises
        ------
        TypeError
            If `tests` are none.
        ValueError
            If the number of Axes is wrong, or a test has no draws.
        """
        if not isinstance(tests, LikelihoodRatioTests):
            raise TypeError(
                f"tests are drawn of what gaussmix.bootstrap_lrt returns; got {type(tests).__name__}"
            )
        return cls(tests.tests, level=tests.level).plot(ax, figure=figure, caption=caption)

    def plot(
        self,
        ax: npt.NDArray[np.object_] | Axes | None = None,
        *,
        figure: Figure | None = None,
        caption: bool | None = None,
    ) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : array of Axes, optional
            One a test; without it, those of a new figure.
        figure : Figure, optional
            An empty figure to fill, in place of `ax`.
        caption : bool, optional
            Whether lines below the picture say what is drawn. By default they do, unless `ax` is given.

        Returns
        -------
        self
            With the attributes set.
        """
        n = len(self.tests)
        self.histograms_: list[Any] = []
        self.statistics_: list[Any] = []
        self.quantiles_: list[Any] = []
        with find_figure(ax, figure, (max(5.0, SIZE[0] * n), SIZE[1])) as found:
            given = np.asarray(ax if found is None else found.subplots(1, n), dtype=object).ravel()
            if given.size != n:
                raise ValueError(f"{n} tests take as many Axes; ax has {given.size}")
            for panel, test in zip(given, self.tests, strict=True):
                self._draw_test(panel, test)
            self.caption_ = add_caption(self._describe(), given, found, wanted=caption)
        self.axes_, self.ax_ = given, given[0]
        self.figure_ = self.ax_.figure
        self.ax_.set_ylabel("draws")
        return self

    def _describe(self) -> str:
        """What the picture shows."""
        numbers = dict.fromkeys(len(test.resampled) for test in self.tests)
        draws = join_words([f"{number:,}" for number in numbers])
        return (
            f"Bars: what one component more gains on {draws} draws of the smaller mixture, which needs none. "
            "Thick line: what it gains on the rows. "
            f"Dashed: what {100 * self.level:.3g} % of the draws exceed."
        )

    def _draw_test(self, panel: Axes, test: LikelihoodRatioTest) -> None:
        rejected = test.p_value <= self.level
        n_bins = int(np.clip(np.sqrt(len(test.resampled)), *BINS))
        counts, edges = np.histogram(test.resampled, n_bins)
        histogram = panel.stairs(counts, edges, fill=True, facecolor=PALE, edgecolor=QUIET)
        quantile = float(np.quantile(test.resampled, 1.0 - self.level))
        dashed = panel.axvline(quantile, color=QUIET, linestyle="--", linewidth=1.0)
        colour = pick_colour(1 if rejected else 0)
        line = panel.axvline(test.statistic, color=colour, linewidth=2.4)
        self.histograms_.append(histogram)
        self.quantiles_.append(dashed)
        self.statistics_.append(line)
        k = test.n_components
        panel.set_title(f"{k} against {k + 1}: p = {test.p_value:.2g}", fontsize=10, color=INK)
        panel.set_xlabel("2 × gain of the log-likelihood")
        hide_spines(panel)
