"""The page in a browser: what a click, a key, the slider and the pointer change, and that nothing goes wrong."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import gaussmix
from gaussmix.report import make_report
from tests.report.making import HOSTILE, faithful_models, faithful_page, make_rows, with_failures

CELL = '#grid button[aria-label^="{}, {} component"]'


def picture(page, name="figure"):
    """The pixels of a picture, as a text."""
    page.wait_for_timeout(150)
    return page.locator(f"#{name} canvas").evaluate("canvas => canvas.toDataURL()")


def count_changes(before, after):
    """The number of pixels that differ."""
    first, second = (
        np.asarray(Image.open(BytesIO(b64decode(text.split(",")[1]))).convert("RGBA"))
        for text in (before, after)
    )
    return int((first != second).any(axis=2).sum())


def scan(page, name, across, down):
    """Points of a picture, given as shares of its width and height, on the screen."""
    box = page.locator(f"#{name} canvas").bounding_box()
    for x in across:
        for y in down:
            yield box["x"] + x * box["width"], box["y"] + y * box["height"]


def texts(page, selector):
    return page.locator(selector).all_inner_texts()


#: Columns of the table of components, after the number.
WEIGHT, ROWS, UNCERTAIN = 1, 2, 3


def read_column(page, column):
    return texts(page, f"#components tr td:nth-of-type({column})")


def test_the_page_opens_with_the_best_model(open_page):
    page = open_page(faithful_page())
    models, _ = faithful_models()
    k = models.best.mixture.n_components
    family = models.bic_table().best[0]
    assert page.inner_text("#model-name") == f"{family} with {k} components"
    assert page.locator("#components tr").count() == k
    assert page.locator('#grid button[aria-pressed="true"]').count() == 1
    assert page.inner_text("h1") == "Gaussian mixture of faithful.csv"
    assert "gaussmix fit faithful.csv" in page.inner_text("#command")
    weights = [float(text.split("s.e.")[0]) for text in read_column(page, WEIGHT)]
    np.testing.assert_allclose(weights, models.best.mixture.weights, atol=6e-5)
    assert sum(map(int, read_column(page, ROWS))) == 272


def test_a_click_changes_every_picture_and_table(open_page):
    page = open_page(faithful_page())
    names = ("figure", "trace", "doubts", "scores")
    before = [picture(page, name) for name in names]
    rows = texts(page, "#components tr"), texts(page, "#worst tr")
    page.click(CELL.format("VVV", 2))
    assert page.inner_text("#model-name") == "VVV with 2 components"
    assert page.locator("#components tr").count() == 2
    assert page.locator('#grid button[aria-pressed="true"]').get_attribute("aria-label").startswith("VVV, 2")
    assert "2322.2" in page.inner_text("#facts")
    assert page.inner_text("#announcement") == "Now shown: VVV with 2 components"
    after = [picture(page, name) for name in names]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert rows[0] != texts(page, "#components tr")
    assert rows[1] != texts(page, "#worst tr")


def test_the_keyboard_does_what_a_click_does(open_page):
    page = open_page(faithful_page())
    page.click(CELL.format("VVV", 2))
    by_click = texts(page, "#components tr"), picture(page)
    page.click(CELL.format("EEE", 1))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("VVV, 2 components")
    assert page.inner_text("#model-name") == "EEE with 1 component"  # moving alone chooses nothing
    page.keyboard.press("Enter")
    assert page.inner_text("#model-name") == "VVV with 2 components"
    assert (texts(page, "#components tr"), picture(page)) == by_click
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # there is nothing to the right of the last
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("VVV, 4")
    assert page.locator('#grid button[tabindex="0"]').count() == 1


def test_tab_reaches_everything_and_the_focus_is_seen(open_page):
    page = open_page(faithful_page())
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.id || e.dataset.copy || e.className || e.parentElement.id || e.tagName)(document.activeElement)"
            )
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.evaluate("document.activeElement === document.body")
    assert {"threshold", "component", "row-number", "command", "snippet"} <= reached


def test_the_slider_changes_the_count(open_page):
    page = open_page(faithful_page())
    models, X = faithful_models()
    uncertainty = 1.0 - models.best.mixture.responsibilities(X).max(axis=1)
    before = picture(page), picture(page, "doubts")
    for percent in (1, 5, 20, 41, 99):
        page.locator("#threshold").fill(str(percent))
        expected = int((uncertainty > percent / 100).sum())
        said = f"{expected} of 272 rows" if expected else "None of the 272 rows"
        assert page.inner_text("#doubtful").startswith(said)
        assert page.inner_text("#threshold-value") == f"{percent} %"
        assert sum(map(int, read_column(page, UNCERTAIN))) == expected
    assert (picture(page), picture(page, "doubts")) != before
    page.focus("#threshold")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#threshold-value") == "98 %"


def test_a_component_that_is_pointed_at_stands_out_everywhere(open_page):
    page = open_page(faithful_page())
    plain = picture(page)
    page.hover("#components tr:nth-child(2)")
    assert page.locator("#components tr.hovered").get_attribute("data-component") == "1"
    by_table = picture(page)
    assert by_table != plain
    page.hover("h1")
    assert picture(page) == plain
    # from the picture to the table: the disc at the mean of a component is one of its marks
    everyone, found = {str(c) for c in range(page.locator("#components tr").count())}, set()
    for x, y in scan(page, "figure", np.linspace(0.15, 0.9, 26), np.linspace(0.1, 0.8, 12)):
        page.mouse.move(x, y)
        row = page.locator("#components tr.hovered")
        found |= {row.get_attribute("data-component")} if row.count() else set()
        if found == everyone:
            break
    assert found == everyone
    # it stays when it is pressed, by the keyboard too
    page.focus("#components tr:nth-child(2) button")
    page.keyboard.press("Enter")
    page.hover("h1")
    assert page.locator("#components tr.hovered").get_attribute("data-component") == "1"


def test_a_row_of_the_table_is_ringed_in_the_picture(open_page):
    page = open_page(faithful_page())
    plain = picture(page)
    page.hover("#worst tr:first-child")
    ringed = count_changes(plain, picture(page))
    assert ringed > 100
    page.hover("h1")
    # Vega draws anew what was under the ring, and smooths the border of that part otherwise
    assert count_changes(plain, picture(page)) < ringed / 2


def test_the_line_of_the_criterion_chooses_too(open_page):
    page = open_page(faithful_page())
    name = page.inner_text("#model-name")
    # the points of most components are at the right end
    for x, y in scan(page, "scores", np.linspace(0.99, 0.9, 19), np.linspace(0.05, 0.85, 30)):
        page.mouse.move(x, y)
        if page.evaluate("document.querySelector('#scores .chart-wrapper').style.cursor") == "pointer":
            page.mouse.down()
            page.mouse.up()
            break
    assert page.inner_text("#model-name") != name
    assert "with 4 components" in page.inner_text("#model-name")


def test_models_that_failed_say_why(open_page):
    models, X = with_failures()
    page = open_page(make_report(models, X))
    page.click(CELL.format("VVV", 4))
    assert page.inner_text("#model-name") == "VVV with 4 components"
    assert "component 2 collapsed <b>at once</b>" in page.inner_text("#notes")
    assert page.locator("#details").is_hidden()
    page.click(CELL.format("EEE", 3))
    assert page.locator("#details").is_visible()
    assert page.inner_text("#notes") == ""


@pytest.mark.parametrize("d", [1, 2, 7])
def test_hostile_names_are_shown_as_they_are(open_page, d):
    X, names = make_rows(80, d), HOSTILE[:d]
    fit = gaussmix.fit_mixture(X, 2, feature_names=names, random_state=0)
    page = open_page(
        make_report(
            fit,
            X,
            title=HOSTILE[0],
            verdict=[HOSTILE[1]],
            source=HOSTILE[1],
            options={HOSTILE[0]: HOSTILE[1]},
        )
    )
    shown = page.evaluate("[...document.querySelectorAll('th.name')].map(cell => cell.textContent)")
    assert shown[: min(d, 6)] == list(names[: min(d, 6)]) or d > 6
    assert page.evaluate("document.querySelector('h1').textContent") == HOSTILE[0]
    assert page.evaluate("document.querySelector('.verdict p').textContent") == HOSTILE[1]
    assert page.locator("#components tr").count() == 2


@pytest.mark.parametrize(("d", "k"), [(1, 1), (1, 3), (2, 1), (3, 2), (6, 11), (40, 2)])
def test_any_number_of_features_and_components_is_drawn(open_page, d, k):
    X = make_rows(150, d)
    fit = gaussmix.fit_mixture(X, k, covariance_type="diag", random_state=0)
    page = open_page(make_report(fit, X))
    shown = d if d <= 6 else 2  # of forty features two tell components apart
    assert page.locator("#components tr").count() == k
    assert page.locator("#components tr:first-child td").count() == shown + 3
    blank = page.evaluate(
        "(c => { c.getContext('2d').reset(); return c.toDataURL(); })(document.createElement('canvas'))"
    )
    assert picture(page) != blank
    assert page.locator("#scores").count() == 0
    if d > 6:
        assert "2 of 40 features are shown" in page.inner_text("figcaption")
        assert {"x0", "x1"} == set(texts(page, "#details th.name"))


def test_noise_and_rows_left_out_have_marks_of_their_own(open_page):
    X = np.vstack([make_rows(120, 2), [[40.0, -30.0], [60.0, 50.0], [-50.0, 70.0]]])
    noisy = gaussmix.fit_mixture(X, 2, noise=True, random_state=0)
    page = open_page(make_report(noisy, X))
    assert texts(page, "#components tr")[-1].startswith("noise")
    assert int(read_column(page, ROWS)[-1]) == int((noisy.mixture.predict(X) == -1).sum())
    trimmed = gaussmix.fit_mixture(X, 2, trim=0.05, random_state=0)
    page = open_page(make_report(trimmed, X))
    n_left = int(trimmed.trimmed.sum())
    assert f"{n_left} that the fit left out" in page.inner_text("#doubtful")
    assert f"of the {len(X) - n_left} rows" in page.inner_text("#doubtful")
    assert "left out" in page.inner_text("#worst tr:first-child")


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("d", [1, 2, 6])
def test_the_page_is_never_wider_than_the_screen(open_page, width, d):
    X = make_rows(100, d)
    models = gaussmix.fit_mixtures(X, range(1, 10), covariance_type=["EII" if d > 1 else "E", "diag"])
    names = ["a name that is rather long, as names of columns are" * 2] * d
    page = open_page(make_report(models, X, feature_names=names), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(open_page, scheme):
    """WCAG's AA: a contrast of 4.5 to 1."""
    page = open_page(faithful_page(), scheme=scheme)
    low = page.evaluate(CONTRASTS)
    assert low == []


def test_pictures_follow_the_theme(open_page):
    page = open_page(faithful_page())
    light = picture(page)
    page.emulate_media(color_scheme="dark")
    dark = picture(page)
    assert dark != light
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 23, 27)"
    page.emulate_media(color_scheme="light")
    assert picture(page) == light


def test_a_printed_page_is_light_and_has_no_controls(open_page):
    page = open_page(faithful_page(), scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#threshold").is_hidden()


def test_the_page_says_what_its_pictures_show(open_page):
    page = open_page(faithful_page())
    label = page.locator("#figure [role='graphics-document']").first.get_attribute("aria-label")
    assert page.inner_text("#model-name") in label
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input')].filter(e => !(e.getAttribute('aria-label') || e.innerText.trim() || e.labels?.length)).length"
    )
    assert unnamed == 0


def test_a_command_is_copied(open_page):
    page = open_page(faithful_page())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("button[data-copy=command]")
    page.wait_for_function("document.querySelector('button[data-copy=command]').textContent !== 'Copy'")
    assert page.inner_text("button[data-copy=command]") in {"Copied", "Selected"}


#: All texts whose contrast with the colour behind them is under 4.5 to 1 (3 to 1 where they are large).
CONTRASTS = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c.slice(0, 3); } return [255, 255, 255]; };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, style = getComputedStyle(e);
    if (!walker.currentNode.textContent.trim() || !e.checkVisibility() || e.closest('script, style, noscript, summary, .unseen')) continue;
    const [a, b] = [light(parse(style.color).slice(0, 3)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) low.push([walker.currentNode.textContent.trim().slice(0, 30), ratio.toFixed(2)]);
  }
  return low;
}"""
