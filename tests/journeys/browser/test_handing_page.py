"""The pages of handing on, back, outside and aside, in a browser: sound at a phone's width and at a screen's."""

# ruff: noqa: F811 - the desk's fixtures are asked for by name
from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from referrals.duty import Duty
from routing import clocks
from tests.builders import later
from tests.desk.conftest import desk, town  # noqa: F401 (fixtures)
from tests.desk.sitting import Desk
from tests.journeys.browser.going import leaving
from tests.journeys.browser.looking import is_sound
from tests.journeys.browser.test_desk_page import _page, address  # noqa: F401 (fixture)

# Given a folder, the pages are kept there as pictures, to be looked at by a person.
_PICTURES = os.environ.get("WAYPOST_PICTURES", "")


def _look(page: Page, desk: Desk, name: str) -> None:
    for width in (390, 1280):
        if _PICTURES:
            page.set_viewport_size({"width": width, "height": 844})
            page.screenshot(path=Path(_PICTURES) / f"{name}-{width}.png", full_page=True)
    is_sound(page, desk.town.engine, name)


# axe needs scripts; that these pages work without is tested by their forms.
@pytest.mark.timeout(400)
def test_the_pages_of_handing_are_sound(browser: Browser, desk: Desk, address: str) -> None:
    reference = desk.taken(handling="H2")
    page = _page(browser, desk, address, "Ines", width=390, script=True)
    for view in ("hand-on", "outside", "step-aside"):
        page.goto(f"/referrals/{reference}/{view}")
        _look(page, desk, view)
    page.goto(f"/referrals/{reference}/hand-on")
    page.select_option("[name=to_team]", desk.town.team["tempe-care-7"])
    page.click("label[for=kind-2]")
    with leaving(page):
        page.click("text=Next: what goes along")
    _look(page, desk, "what")
    page.click("text=Health or safety emergency")
    for field, words in (("need", "A talk with the family. Ines, 0130."), ("threat", "A knife, on Friday.")):
        page.fill(f"[name={field}]", words)
    page.fill("[name=danger]", "He is on his way to the school.")
    with leaving(page):
        page.click("text=Next: a last look")
    _look(page, desk, "look")


# axe needs scripts; that these pages work without is tested by their forms.
@pytest.mark.timeout(400)
def test_calls_and_clocks_are_sound(browser: Browser, desk: Desk, address: str) -> None:
    reference = desk.forwarded(urgency="imminent")
    for minutes in (5, 10, 11):
        with later(minutes=minutes, seconds=1):
            clocks.sweep(Duty(desk.town.engine, desk.town.settings, desk.town.keys))
    page = _page(browser, desk, address, "Ada", width=390, script=True)
    for name, view in (("board", "/"), ("calls", f"/referrals/{reference}/calls")):
        page.goto(view)
        _look(page, desk, name)
    page = _page(browser, desk, address, "Rita", width=390, script=True)
    page.goto("/teams/tempe-police/clocks")
    _look(page, desk, "clocks")
