"""Going from page to page: a click that submits returns before the next page is there, so everybody waits here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

# Loaded by the tests that have a browser.
from playwright.sync_api import Error

if TYPE_CHECKING:
    from playwright.sync_api import Page


@contextmanager
def leaving(page: Page) -> Iterator[None]:
    """The next page is there and whole when the block ends: `with leaving(page): page.keyboard.press("Enter")`."""
    page.wait_for_load_state("load")
    with page.expect_navigation(wait_until="load"):
        yield


def follow(page: Page, selector: str) -> None:
    """Clicks the link or button and waits for the page that it leads to."""
    with leaving(page):
        page.click(selector)


def go_back(page: Page) -> None:
    """The browser's own step back, once the page that is left has settled."""
    page.wait_for_load_state("load")
    try:
        page.go_back(wait_until="load")
    except Error as fault:
        # Chromium says so while it still swaps the page's process after the page has loaded: it says nothing
        # of ours, and the step was not taken.
        if "Not attached to an active page" not in fault.message:
            raise
        page.wait_for_timeout(500)
        page.go_back(wait_until="load")
