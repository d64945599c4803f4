"""Every specification is Vega-Lite as Altair knows it."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix.report.charts import make_doubts, make_scores, make_trace
from gaussmix.report.features import Feature
from gaussmix.report.figure import make_figure
from gaussmix.report.look import SCHEMA

altair = pytest.importorskip("altair")


def make_features(d):
    edges, heights = np.linspace(0.0, 1.0, 11), np.full(10, 1.0)
    return [Feature(j, f"x[{j}].y", 0.0, 1.0, 4, edges, heights, 1.0, False) for j in range(d)]


@pytest.mark.parametrize(
    "spec",
    [
        *(make_figure(make_features(d), k) for d, k in ((1, 3), (2, 1), (2, 12), (3, 2))),
        make_trace(),
        make_doubts(),
        make_scores("BIC", 1.0, 2.0),
    ],
    ids=lambda spec: "-".join(sorted(spec)),
)
def test_altair_accepts_it(spec):
    assert spec["$schema"] == SCHEMA
    altair.Chart.from_dict(spec, validate=True)  # raises where the schema has it otherwise
