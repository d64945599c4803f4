"""The script of Vega that pages carry, made anew: python -m tests.report.bundling.

It comes from the newest vl-convert; VERSION says from which, so that a test can tell whether both are the same.
"""

from __future__ import annotations

import gzip

import vl_convert

from gaussmix.report.bundle import BUNDLE

#: The version of vl-convert that made the file.
VERSION = "1.9.0"


def make_bundle() -> str:
    """The script as the vl-convert that is installed makes it."""
    return vl_convert.javascript_bundle()


if __name__ == "__main__":
    BUNDLE.write_bytes(gzip.compress(make_bundle().encode("utf-8"), mtime=0))
    print(f"{BUNDLE} by vl-convert {vl_convert.__version__}; set VERSION to it")
