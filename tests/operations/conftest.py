"""Every law is tried on every family, factor analysers among them."""

from __future__ import annotations

import pytest

from gaussmix.model.covariance import FACTORS
from tests.helpers import NAMES


@pytest.fixture(params=(*NAMES, *FACTORS), scope="session")
def name(request):
    """The name of a family."""
    return request.param
