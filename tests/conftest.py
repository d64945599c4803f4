"""How hypothesis searches: the same cases in every run, no time limits; HYPOTHESIS_PROFILE=search looks further.

And a start for tests that have no use for the default's race.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]  # both are about time
settings.register_profile(
    "fixed", deadline=None, derandomize=True, max_examples=8, suppress_health_check=quiet
)
settings.register_profile("search", deadline=None, max_examples=500, suppress_health_check=quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="module")
def from_kmeans():
    """The start "auto" without its race: k-means alone, as where parameters are given, in a tenth of the time.

    For modules of what comes after the start, or of the start that is named. The race has tests of its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gaussmix.fit.fitting.make_race", lambda *rules: None)
        yield
