"""How hypothesis searches: the same cases in every run, no time limits; HYPOTHESIS_PROFILE=search looks further."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]  # both are about time
settings.register_profile(
    "fixed", deadline=None, derandomize=True, max_examples=8, suppress_health_check=quiet
)
settings.register_profile("search", deadline=None, max_examples=500, suppress_health_check=quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
