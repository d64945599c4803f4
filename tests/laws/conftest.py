"""Every law is tried on every row of the table of covariance structures."""

from __future__ import annotations

import pytest

from tests.helpers import NAMES


@pytest.fixture(params=NAMES, scope="session")
def name(request):
    """The name of a covariance structure."""
    return request.param
