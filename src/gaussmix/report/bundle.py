"""The JavaScript of Vega, Vega-Lite and Vega-Embed that every page carries.

It is what ``vl_convert.javascript_bundle()`` makes, kept as a file. To make it takes 1.5 seconds, in which no
other thread of Python runs, and 85 MB of packages; to read it, 3 milliseconds. A test compares the two
(tests/report/bundling.py).
"""

from __future__ import annotations

import gzip
from pathlib import Path

BUNDLE = Path(__file__).with_name("page") / "vega.js.gz"


def read_bundle() -> str:
    """The script, which defines ``vegaLite`` and ``vegaEmbed``."""
    return gzip.decompress(BUNDLE.read_bytes()).decode("utf-8")
