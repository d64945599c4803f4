"""Make the pictures of docs/report.md again, by Chromium: ``python docs/make_report_pictures.py``."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import gaussmix
from gaussmix.datasets import load_faithful

PICTURES = Path(__file__).with_name("pictures")
#: Width and height of the window, theme, and dots per pixel.
WINDOWS = {"report": (1280, 940, "light", 1.25), "report-phone": (390, 640, "dark", 1.0)}
#: Colours of a written picture.
COLOURS = 200


def write_pictures(path: Path) -> None:
    """Open the page at `path` in each window, and write what it shows."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height, scheme, density) in WINDOWS.items():
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


if __name__ == "__main__":
    X, names = load_faithful()
    models = gaussmix.search(X, feature_names=names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        gaussmix.write_report(models, X, path, source="faithful.csv")
        write_pictures(path)
