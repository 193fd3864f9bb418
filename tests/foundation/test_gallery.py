"""The shared parts as a reader meets them: in words, by keys, by ear, on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask

from tests.foundation.gallery import NOW, gallery
from tests.journeys.browser.going import go_back
from tests.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

PAGES = ["/", "/faults", "/start", "/desk", "/error"]


@pytest.fixture(scope="module")
def app() -> Flask:
    return gallery()


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    with serving(app) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 320, "height": 700})
    yield page
    page.close()


def _part(app: Flask, name: str, *arguments: Any) -> str:
    with app.test_request_context("/desk"):
        module: Any = app.jinja_env.get_template("parts.html").module
        return str(getattr(module, name)(*arguments))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=12, seconds=59), "12 min left"),
        (timedelta(seconds=59), "less than 1 min left"),
        (timedelta(hours=2, minutes=5), "2 h 5 min left"),
        (timedelta(days=3), "3 d left"),
        (timedelta(minutes=-3), "late by 3 min"),
        (timedelta(seconds=-1), "late by less than 1 min"),
    ],
)
def test_time_left_says_how_long(app: Flask, left: timedelta, words: str) -> None:
    assert f">{words}<" in _part(app, "time_left", NOW + left, NOW)


@pytest.mark.parametrize("word", ["imminent", "elevated", "routine"])
def test_urgency_is_a_word_before_it_is_a_colour(app: Flask, word: str) -> None:
    assert f"</svg>{word.capitalize()}<" in _part(app, "urgency", word)


def test_the_pager_keeps_the_filters(app: Flask) -> None:
    assert 'href="?urgency=imminent&amp;after=k2"' in _part(
        app, "pager", "k2", {"urgency": "imminent", "after": "k1"}
    )
    assert not _part(app, "pager", None).strip()


def test_a_fault_stands_at_its_field_and_loses_no_word(app: Flask) -> None:
    html = app.test_client().get("/faults").get_data(as_text=True)
    zip_field = html[html.index('<input aria-describedby="zip_code-hint zip_code-error"') :]
    assert 'aria-invalid="true"' in zip_field[:250]
    assert 'value="8528"' in zip_field[:250]
    assert '<a class="usa-link" href="#words">' in html


def test_kept_words_keep_their_first_empty_line(app: Flask, address: str, page: Page) -> None:
    page.goto(f"{address}/error")
    assert page.get_by_label("Your words, to copy").input_value() == "\nHe said it will be loud on friday."


@pytest.mark.parametrize("path", PAGES)
def test_a_screen_reader_stumbles_over_nothing(address: str, page: Page, path: str) -> None:
    page.goto(address + path)
    faults = Axe().run(page).response["violations"]
    assert not [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in faults]


@pytest.mark.parametrize("path", PAGES)
def test_the_narrowest_phone_needs_no_sideways_scrolling(address: str, page: Page, path: str) -> None:
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("path", ["/faults", "/start", "/desk"])
def test_the_strict_policy_blocks_nothing_of_ours(address: str, page: Page, path: str) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", note)
    page.goto(address + path, wait_until="networkidle")
    assert not complaints


def test_three_presses_of_escape_leave_and_take_the_page_from_the_history(address: str, page: Page) -> None:
    page.route("https://www.weather.gov/**", lambda route: route.fulfill(body="rain"))
    page.goto(f"{address}/start")
    page.goto(f"{address}/")
    for _ in range(3):
        page.keyboard.press("Escape")
    page.wait_for_url("https://www.weather.gov/")
    go_back(page)
    assert page.url == f"{address}/start"


def test_a_fault_is_what_the_reader_hears_first(address: str, page: Page) -> None:
    page.goto(f"{address}/faults")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"


def test_a_key_leads_to_the_answer_and_does_not_give_it(address: str, page: Page) -> None:
    page.goto(f"{address}/desk")
    for key in ("j", "j", "a"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "Answer R-7K3M-Q2"
    assert page.url == f"{address}/desk"


def test_typing_in_a_field_is_no_command(address: str, page: Page) -> None:
    page.goto(f"{address}/desk")
    page.get_by_label("Urgency").focus()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == "urgency"
