"""The errors of gaussmix, each a ValueError, and its warning."""

from __future__ import annotations


class InputError(ValueError):
    """A table or an option cannot be used; the message names the file, the column and the row."""


class ModelFileError(ValueError):
    """A model file is damaged, truncated, or no model of gaussmix at all."""


class FitError(ValueError):
    """The data and the arguments are sound, but no start led to a mixture."""


class DoubtfulFitWarning(UserWarning):
    """A fit has converged to a result that says less than it seems to.

    The message says why, and what to do.
    """
