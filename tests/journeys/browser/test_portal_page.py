"""Frank's way through the portal in a real browser: a telephone's width and a screen's, no script, no violation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import Engine

from desk import demonstration
from desk.demonstration import PASSWORD
from foundation.settings import Settings
from tests import builders
from tests.intake.office import Office, open_office
from tests.journeys.browser.going import follow, leaving
from tests.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize

FRANK = next(person for person in demonstration.cast() if person.name.startswith("Frank"))
WORDS = "He said he will bring a knife on Friday.\nEverybody in the chat saw it."


@pytest.fixture
def frank(engine: Engine, settings: Settings) -> Office:
    return open_office(engine, settings)


@pytest.fixture
def address(frank: Office) -> Iterator[str]:
    """The public door behind a real server."""
    with serving(frank.app) as found:
        yield found


@pytest.fixture
def context(engine: Engine, browser: Browser) -> Iterator[BrowserContext]:
    """A screen on one kind of database and a telephone on the other, both without a script."""
    size: ViewportSize = {"width": 1280 if engine.dialect.name == "sqlite" else 390, "height": 844}
    made = browser.new_context(viewport=size, java_script_enabled=False, locale="en-US")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def looked_at(browser: Browser, page: Page) -> Iterator[Page]:
    """A second page with a script, in which axe looks at what the first one shows."""
    context = browser.new_context(viewport=page.viewport_size)
    yield context.new_page()
    context.close()


def _is_sound(page: Page, looked_at: Page) -> None:
    """Nothing sticks out of the screen, and axe finds no violation."""
    width = page.viewport_size or {"width": 0}
    assert page.evaluate("document.documentElement.scrollWidth") <= width["width"]
    shown = page.content()

    def answer(route: Route) -> None:
        route.fulfill(body=shown, content_type="text/html; charset=utf-8")

    looked_at.route("**/shown", answer)
    looked_at.goto(re.sub(r"(://[^/]+).*", r"\1/shown", page.url))
    looked_at.wait_for_load_state()
    found = Axe().run(looked_at)
    looked_at.unroute("**/shown")
    assert found.violations_count == 0, found.generate_report()


def _sign_in(page: Page) -> None:
    page.fill("[name=email]", FRANK.email)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=code]", builders.fresh_code(FRANK.totp_secret))
    follow(page, "main button")


def test_from_the_sign_in_page_to_the_custody_of_a_forward(
    page: Page, looked_at: Page, address: str, frank: Office
) -> None:
    page.goto(f"{address}/portal")
    _is_sound(page, looked_at)
    _sign_in(page)
    assert page.inner_text("h1") == "Our forwards"
    _is_sound(page, looked_at)
    follow(page, "main a.usa-button")
    page.fill("[name=what_happened]", WORDS)
    page.fill("[name=zip_code]", "8528")
    follow(page, "main button[type=submit]")
    assert page.locator(".usa-error-message").count() == 3
    assert page.input_value("[name=what_happened]") == WORDS
    _is_sound(page, looked_at)
    page.fill("[name=zip_code]", "85281")
    page.click("label[for=urgency-1]")
    page.click("label[for=handling-2]")
    follow(page, "main button[type=submit]")
    reference = page.inner_text("h1")
    frank.route(reference)
    page.reload()
    assert "asked until" in page.inner_text("main")
    _is_sound(page, looked_at)
    follow(page, "nav >> text=Our forwards")
    assert reference in page.inner_text("main")
    _is_sound(page, looked_at)
    follow(page, "nav >> text=My contacts")
    _is_sound(page, looked_at)
    follow(page, "main ul a >> nth=0")
    assert page.inner_text("h1") == FRANK.number
    _is_sound(page, looked_at)


def test_a_form_that_lay_too_long_loses_no_word(
    page: Page, looked_at: Page, address: str, context: BrowserContext, frank: Office
) -> None:
    page.goto(f"{address}/portal/forward")
    _sign_in(page)
    page.fill("[name=what_happened]", WORDS)
    page.click("label[for=urgency-1]")
    page.click("label[for=handling-0]")
    context.clear_cookies(name="waypost_intake_member")
    follow(page, "main button[type=submit]")
    assert page.input_value(".kept-words") == WORDS
    _is_sound(page, looked_at)
    with builders.later(seconds=60):
        _sign_in(page)
        _is_sound(page, looked_at)
        follow(page, "main button")
    assert page.inner_text("h1") == frank.row().reference


def test_a_keyboard_alone_signs_in(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in")
    page.focus("[name=email]")
    page.keyboard.type(FRANK.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(builders.fresh_code(FRANK.totp_secret))
    with leaving(page):
        page.keyboard.press("Enter")
    assert page.inner_text("h1") == "Our forwards"
