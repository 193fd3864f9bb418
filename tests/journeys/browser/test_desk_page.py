"""The desk in a browser: a phone's width, no script, the keyboard alone, and nothing that axe-core finds."""

# ruff: noqa: F811 - the desk's fixtures are asked for by name
from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.builders import WORDS
from tests.desk.conftest import desk, town  # noqa: F401 (fixtures)
from tests.desk.sitting import Desk
from tests.journeys.browser.going import leaving


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """Where the desk answers."""
    server = make_server("127.0.0.1", 0, desk.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _page(browser: Browser, desk: Desk, address: str, name: str, *, width: int, script: bool) -> Page:
    context: Any = browser.new_context(
        viewport={"width": width, "height": 844}, java_script_enabled=script, base_url=address
    )
    cookie = desk.seat(name).client.get_cookie("waypost_desk_member")
    assert cookie is not None
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    page: Page = context.new_page()
    return page


def test_ines_takes_and_reads_it_on_a_phone_by_keyboard_without_script(
    browser: Browser,
    desk: Desk,
    address: str,
) -> None:
    reference = desk.tip()
    page = _page(browser, desk, address, "Ines", width=390, script=False)
    page.goto("/")
    for button, told in (
        ("Answer " + reference, "asks you"),
        ("Acknowledge", "Your team has it now"),
        ("Open", WORDS),
    ):
        _press(page, button)
        assert page.get_by_text(told).first.is_visible()
    assert desk.row(reference).custodian_team_id == desk.town.team["tempe-police"]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_every_page_fits_and_axe_finds_nothing(
    browser: Browser,
    desk: Desk,
    address: str,
    width: int,
) -> None:
    reference = desk.held()
    page = _page(browser, desk, address, "Ines", width=width, script=True)
    views = ("", "/why", "/timeline", "/hand-on", "/note", "/action", "/close")
    for path in ("/", "/find", "/teams", "/status", *(f"/referrals/{reference}{view}" for view in views)):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def _press(page: Page, name: str) -> None:
    """Tabs to the control of that name and presses Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and " ".join(focused.inner_text().split()) == name:
            with leaving(page):
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach {name}")
