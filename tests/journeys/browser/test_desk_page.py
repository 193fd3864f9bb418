"""The desk in a browser: a phone's width, no script, the keyboard alone, and nothing that axe-core finds."""

# ruff: noqa: F811 - the desk's fixtures are asked for by name
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.builders import WORDS
from tests.desk.conftest import desk, town  # noqa: F401 (fixtures)
from tests.desk.sitting import Desk
from tests.journeys.browser.going import leaving
from tests.journeys.browser.looking import is_sound
from tests.serving import serving


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """Where the desk answers."""
    with serving(desk.app) as found:
        yield found


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


# All pages at all widths: on a machine that others use too, minutes.
@pytest.mark.timeout(400)
def test_every_page_fits_at_each_width_and_axe_finds_nothing(
    browser: Browser, desk: Desk, address: str
) -> None:
    reference = desk.held()
    page = _page(browser, desk, address, "Ines", width=390, script=True)
    views = ("", "/why", "/timeline", "/hand-on", "/note", "/action", "/close")
    for path in ("/", "/find", "/teams", "/status", *(f"/referrals/{reference}{view}" for view in views)):
        page.goto(path)
        is_sound(page, desk.town.engine, path)
    page.goto("/")
    page.click("summary")
    assert page.get_by_role("link", name="My contacts").is_visible()
    is_sound(page, desk.town.engine, "the menu")


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
