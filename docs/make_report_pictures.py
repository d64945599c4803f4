"""Make the pictures of docs/report.md and docs/anomalies.md again: ``python docs/make_report_pictures.py``.

They are what Chromium shows of the pages. A name (``report``, ``anomalies``) makes those of one page.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from sklearn.datasets import load_breast_cancer

import gaussmix
from gaussmix.datasets import load_faithful

PICTURES = Path(__file__).with_name("pictures")
#: Of each page, by picture: width and height of the window, theme, and dots per pixel.
WINDOWS: dict[str, dict[str, tuple[int, int, Any, float]]] = {
    "report": {"report": (1280, 940, "light", 1.25), "report-phone": (390, 640, "dark", 1.0)},
    "anomalies": {"anomalies": (1280, 1400, "light", 1.0)},
}
#: Colours of a written picture.
COLOURS = 200


def write_pictures(path: Path, windows: dict[str, tuple[int, int, Any, float]]) -> None:
    """Open the page at `path` in each window, and write what it shows."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height, scheme, density) in windows.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=density
            )
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]")
            if name == "report-phone":
                page.evaluate("document.getElementById('model').scrollIntoView()")
            page.wait_for_timeout(500)
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            written = PICTURES / f"{name}.png"
            shot.quantize(COLOURS, dither=Image.Dither.NONE).save(written, optimize=True)
            print(f"{written.name}: {written.stat().st_size / 1000:.0f} kB")
        browser.close()


def write_page(name: str, path: Path) -> None:
    """Write the page of this name."""
    if name == "report":
        X, names = load_faithful()
        gaussmix.write_report(gaussmix.search(X, feature_names=names), X, path, source="faithful.csv")
        return
    cells, benign = load_breast_cancer(as_frame=True, return_X_y=True)
    rows = cells.loc[np.r_[np.flatnonzero(benign == 1), np.flatnonzero(benign == 0)[:10]]]
    detector = gaussmix.GaussianMixtureDetector(contamination=0.05, random_state=0).fit(rows)
    gaussmix.write_report(detector, rows, path, source="cells.csv")


if __name__ == "__main__":
    for name in sys.argv[1:] or WINDOWS:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            write_page(name, page)
            write_pictures(page, WINDOWS[name])
