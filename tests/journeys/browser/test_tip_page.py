"""Rosa's way through the public door in a real browser: a telephone's width, no script, and a screen reader's needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from foundation.settings import Settings
from tests.intake.door import Door, open_door
from tests.journeys.browser.going import follow, go_back, leaving
from tests.journeys.browser.looking import is_sound
from tests.sent_files import picture
from tests.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WORDS = "He said he will bring a knife on Friday.\nEverybody in the chat saw it."


@pytest.fixture
def door(engine: Engine, settings: Settings) -> Door:
    return open_door(engine, settings)


@pytest.fixture
def address(door: Door) -> Iterator[str]:
    """The door behind a real server."""
    with serving(door.app) as found:
        yield found


@pytest.fixture
def page(engine: Engine, browser: Browser) -> Iterator[Page]:
    """A telephone without a script, in English on one kind of database and in Spanish on the other."""
    locale = "en-US" if engine.dialect.name == "sqlite" else "es-MX"
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False, locale=locale
    )
    yield context.new_page()
    context.close()


def test_a_tip_from_the_start_to_its_standing_without_a_script(page: Page, address: str, door: Door) -> None:
    page.goto(address)
    follow(page, "main a.usa-button")
    page.fill("[name=what_happened]", WORDS)
    page.click("label[for=behaviours-0]")
    page.fill("[name=zip_code]", "85281")
    page.click("label[for=danger-0]")
    follow(page, "main button[value=check]")
    assert "911" in page.inner_text("main")
    follow(page, "main button[value=send]")
    words = page.locator(".receipt-words li").all_inner_texts()
    _type_two(page, words)
    follow(page, "main form button")
    assert page.locator(".receipt-words").count() == 0
    page.goto(f"{address}/status")
    page.fill("[name=code_words]", " ".join(words).upper())
    follow(page, "main form button")
    assert page.locator(".usa-step-indicator__segment--current").count() == 1
    assert door.told()["what_happened"] == WORDS.replace("\n", "\r\n")
    assert door.row().urgency == "imminent"


def test_change_and_the_other_language_keep_what_was_typed(page: Page, address: str) -> None:
    page.goto(f"{address}/tip")
    page.fill("[name=what_happened]", WORDS)
    page.fill("[name=subject]", "Max")
    before = page.get_attribute("html", "lang")
    follow(page, "header button[name=language]")
    assert page.get_attribute("html", "lang") != before
    follow(page, "main button[value=check]")
    follow(page, "main button[value=change] >> nth=2")
    assert page.url.endswith("#who")
    assert page.input_value("[name=what_happened]") == WORDS
    assert page.input_value("[name=subject]") == "Max"


def test_the_browsers_back_keeps_what_was_typed(page: Page, address: str) -> None:
    page.goto(f"{address}/tip")
    page.fill("[name=what_happened]", WORDS)
    page.fill("[name=subject]", "Max")
    follow(page, "main button[value=check]")
    go_back(page)
    assert page.input_value("[name=what_happened]") == WORDS
    assert page.input_value("[name=subject]") == "Max"


def test_enter_in_a_field_goes_on_and_a_fault_keeps_the_words(page: Page, address: str) -> None:
    page.goto(f"{address}/tip")
    page.fill("[name=what_happened]", WORDS)
    page.fill("[name=zip_code]", "99999")
    with leaving(page):
        page.press("[name=zip_code]", "Enter")
    assert page.locator("#zip_code-error").is_visible()
    assert page.input_value("[name=what_happened]") == WORDS


# All pages at all widths: on a machine that others use too, minutes.
@pytest.mark.timeout(400)
def test_nothing_is_wider_than_the_screen_and_axe_finds_no_fault(
    browser: Browser, address: str, engine: Engine
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    page = context.new_page()
    for name in _every_page(page, address):
        is_sound(page, engine, name)
    context.close()


def test_the_printed_receipt_holds_the_words_and_the_way_back(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    names = _every_page(page, address)
    while next(names) != "receipt":
        pass
    page.emulate_media(media="print")
    assert page.locator(".receipt-words").is_visible()
    assert page.locator(".print-only").is_visible()
    assert not page.locator("main form").is_visible()
    context.close()


def _every_page(page: Page, address: str) -> Iterator[str]:
    """Goes through all pages, yielding the name of each."""
    page.goto(address)
    yield "start"
    page.goto(f"{address}/tip")
    yield "form"
    page.fill("[name=zip_code]", "99999")
    follow(page, "main button[value=check]")
    yield "form with faults"
    page.fill("[name=what_happened]", WORDS)
    page.fill("[name=zip_code]", "")
    page.click("label[for=danger-0]")
    page.click("label[for=with_files-0]")
    follow(page, "main button[value=check]")
    page.set_input_files("#files", {"name": "a.exe", "mimeType": "image/png", "buffer": b"MZ\0"})
    follow(page, "main button[value=send]")
    yield "summary with a file that is not taken"
    page.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    follow(page, "main button[value=send]")
    assert page.locator(".fingerprint").count() == 1
    words = page.locator(".receipt-words li").all_inner_texts()
    yield "receipt"
    follow(page, "main form button")
    yield "receipt with a fault"
    _type_two(page, words)
    follow(page, "main form button")
    yield "saved"
    page.goto(f"{address}/status")
    follow(page, "main form button")
    yield "status with a fault"
    page.fill("[name=code_words]", " ".join(words))
    follow(page, "main form button")
    yield "standing"


def _type_two(page: Page, words: list[str]) -> None:
    for name in ("code_first", "code_second"):
        label = page.locator(f"label[for={name}]").inner_text()
        page.fill(f"[name={name}]", words[int(re.sub(r"\D", "", label)) - 1])
