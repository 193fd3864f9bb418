"""Looking at a page at every width: nothing sticks out of the screen, and axe-core finds no violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from sqlalchemy import Engine

# The narrowest that a page must fit, a telephone and a screen.
WIDTHS = (320, 390, 1280)


def is_sound(page: Page, engine: Engine, name: str) -> None:
    """The page fits at each width, and axe finds nothing at any.

    A page that PostgreSQL filled is one of the same HTML: there axe looks at it on a telephone only.
    """
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        if engine.dialect.name == "sqlite" or width == 390:
            found = Axe().run(page)
            assert found.violations_count == 0, f"{name} at {width}: {found.generate_report()}"
