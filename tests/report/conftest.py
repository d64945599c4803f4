"""A headless browser for the pages of reports, and pages to open in it."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest

#: Names of Chromium on the search path.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")

if find_spec("jinja2") is None:
    collect_ignore_glob = ["*"]


@pytest.fixture(scope="session")
def browser():
    """Chromium; a user who lacks it, or what drives it, sees the tests skipped, CI sees them fail."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None or find_spec("playwright") is None:
        message = (
            "the pages of reports are tested in Chromium, driven by Playwright: one of the two is absent"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        # a container has neither a sandbox nor much shared memory
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open a page from disk; in the end nothing may have been said in the console, and nothing else loaded."""
    contexts, said, loaded = [], [], []

    def open_text(text, *, width=1280, height=900, scheme="light"):
        path = tmp_path / f"report-{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_text
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in loaded if not url.startswith(("file:", "data:", "blob:"))] == []
    assert len([url for url in loaded if url.startswith("file:")]) == len(contexts)
