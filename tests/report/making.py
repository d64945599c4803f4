"""Models and rows for reports: small, and quick to make."""

from __future__ import annotations

import json
import re
from functools import cache

import numpy as np

import gaussmix
from gaussmix.datasets import load_faithful
from gaussmix.report import make_report
from gaussmix.select.many_models import FittedMixtures

#: Names that would break a page, a script, a Vega expression or a file of options that took them as they are.
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><!--",
    "a\"b'c",
    "$x_1$",
    "a.b[0]",
    "{{ 7*7 }}",
    "\u2028🙂 \\n",
)


@cache
def faithful_models():
    X, names = load_faithful()
    families = ["EII", "EEE", "VVV"]
    return gaussmix.fit_mixtures(X, range(1, 5), covariance_type=families, feature_names=names), X


@cache
def faithful_page():
    models, X = faithful_models()
    return make_report(
        models, X, source="faithful.csv", command="gaussmix fit faithful.csv --report out.html"
    )


def make_rows(n, d, seed=0):
    """Rows of two clusters, which the first two features tell apart."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[: n // 2, : min(d, 2)] += 6.0
    return X


def with_failures():
    """A grid of which one model failed, one was not fitted, and one has a collapsed component."""
    models, X = faithful_models()
    fits = {key: fit for key, fit in models.fits.items() if key not in {("VVV", 4), ("VVV", 3)}}
    failures = {("VVV", 4): "component 2 collapsed <b>at once</b>"}
    return FittedMixtures(fits, failures), X


def read_document(page):
    """What the script of a page reads."""
    return json.loads(re.search(r'<script type="application/json" id="report">(.*?)</script>', page, re.S)[1])
