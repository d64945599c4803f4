"""Pictures, drawn with Matplotlib (the extra ``plot``), which is imported with the first of them.

Displays are as scikit-learn has them: ``from_estimator`` computes and draws, ``plot`` draws once more, and
``ax_``, ``figure_`` and the artists can be changed afterwards. A component is recognised by more than its
colour: its number, the label that `predict` gives, stands at its mean, its rows have a marker of their own,
and from the ninth component on lines are dashed. The names below are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "CriterionDisplay": "gaussmix.plot.criterion",
    "IntervalDisplay": "gaussmix.plot.interval",
    "LikelihoodDisplay": "gaussmix.plot.likelihood",
    "LikelihoodRatioDisplay": "gaussmix.plot.likelihood_ratio",
    "MergingDisplay": "gaussmix.plot.merging",
    "MixtureDisplay": "gaussmix.plot.mixture",
    "ProfileDisplay": "gaussmix.plot.profile",
    "ProjectionDisplay": "gaussmix.plot.projection",
    "RegressionDisplay": "gaussmix.plot.regression",
    "ReliabilityDisplay": "gaussmix.plot.reliability",
    "ReasonDisplay": "gaussmix.plot.reasons",
    "ResidualDisplay": "gaussmix.plot.residuals",
    "ScoreDisplay": "gaussmix.plot.scores",
    "draw_ellipses": "gaussmix.plot.mixture",
    "picture_formats": "gaussmix.plot.pictures",
    "plot_mixture": "gaussmix.plot.pictures",
    "save_plot": "gaussmix.plot.pictures",
}

if TYPE_CHECKING:
    from gaussmix.plot.criterion import CriterionDisplay
    from gaussmix.plot.interval import IntervalDisplay
    from gaussmix.plot.likelihood import LikelihoodDisplay
    from gaussmix.plot.likelihood_ratio import LikelihoodRatioDisplay
    from gaussmix.plot.merging import MergingDisplay
    from gaussmix.plot.mixture import MixtureDisplay, draw_ellipses
    from gaussmix.plot.pictures import picture_formats, plot_mixture, save_plot
    from gaussmix.plot.profile import ProfileDisplay
    from gaussmix.plot.projection import ProjectionDisplay
    from gaussmix.plot.reasons import ReasonDisplay
    from gaussmix.plot.regression import RegressionDisplay
    from gaussmix.plot.reliability import ReliabilityDisplay
    from gaussmix.plot.residuals import ResidualDisplay
    from gaussmix.plot.scores import ScoreDisplay

__all__ = [
    "CriterionDisplay",
    "IntervalDisplay",
    "LikelihoodDisplay",
    "LikelihoodRatioDisplay",
    "MergingDisplay",
    "MixtureDisplay",
    "ProfileDisplay",
    "ProjectionDisplay",
    "ReasonDisplay",
    "RegressionDisplay",
    "ReliabilityDisplay",
    "ResidualDisplay",
    "ScoreDisplay",
    "draw_ellipses",
    "picture_formats",
    "plot_mixture",
    "save_plot",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gaussmix.plot' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
