"""What is said where a package is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explain_absence(method: str, package: str, extra: str) -> Iterator[None]:
    """Around the import of an optional package: ImportError says what needs it, and how to install it.

    Examples
    --------
    >>> with explain_absence("to_abacus", "Abacus", "abacus"):
    ...     import abacus
    Traceback (most recent call last):
    ImportError: to_abacus needs Abacus, which is not installed: pip install 'gaussmix[abacus]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{method} needs {package}, which is not installed: pip install 'gaussmix[{extra}]'"
        ) from error
