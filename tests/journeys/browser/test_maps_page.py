"""Maps in a browser: nothing is blocked or cut off, axe finds nothing, and grey paper and odd themes still tell."""

# ruff: noqa: F811 - the desk's fixtures are asked for by name
from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.desk.conftest import desk, town  # noqa: F401 (fixtures)
from tests.desk.sitting import Desk
from tests.journeys.browser.going import leaving
from tests.journeys.browser.test_desk_page import _page, address  # noqa: F401 (fixtures)


def _answered(page: Page) -> None:
    page.goto("/what-if")
    page.get_by_label("A point").fill("33.40, -111.8903")
    page.get_by_label("How exact is the point").fill("60")
    with leaving(page):
        page.get_by_role("button", name="Ask").click()


@pytest.mark.parametrize("width", [320, 1280])
def test_every_map_fits_and_axe_finds_nothing(browser: Browser, desk: Desk, address: str, width: int) -> None:
    page = _page(browser, desk, address, "Ada", width=width, script=True)
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    for path in ("/coverage", "/coverage/AZ", "/what-if", ""):
        page.goto(path) if path else _answered(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    assert not blocked


def test_patterns_are_painted_under_the_strict_policy(browser: Browser, desk: Desk, address: str) -> None:
    page = _page(browser, desk, address, "Ada", width=1280, script=True)
    page.goto("/coverage/WY")
    county = page.locator("svg.map path.map__area").first
    assert county.evaluate("shape => getComputedStyle(shape).fill") == 'url("#pattern-gap")'
    stroke = page.locator("#pattern-gap .map__stroke--gap")
    assert stroke.evaluate("mark => getComputedStyle(mark).strokeWidth") == "3px"


def test_a_theme_of_few_colours_keeps_the_ink_on_the_map(browser: Browser, desk: Desk, address: str) -> None:
    page = _page(browser, desk, address, "Ada", width=390, script=True)
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.goto("/coverage/AZ")
    look = "part => { const style = getComputedStyle(part); return [style.fill, style.backgroundColor] }"
    assert page.locator("svg.map text").first.evaluate(look)[0] == "rgb(27, 27, 27)"
    assert page.locator("svg.map").evaluate(look)[1] == "rgb(255, 255, 255)"


def test_the_table_scrolls_within_itself_and_is_whole_on_paper(
    browser: Browser, desk: Desk, address: str
) -> None:
    page = _page(browser, desk, address, "Ada", width=390, script=True)
    page.goto("/coverage")
    table = page.locator(".map-table")
    assert table.evaluate("box => box.scrollHeight > box.clientHeight")
    page.emulate_media(media="print")
    assert table.evaluate("box => box.scrollHeight <= box.clientHeight + 1")
