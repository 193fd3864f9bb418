"""What a member of a team sees who went astray, and in which language."""

from __future__ import annotations

import pytest

from tests.desk.sitting import Desk


@pytest.mark.parametrize("address", ["/nowhere", "/referrals/R-AAAA-AA"])
def test_a_page_that_is_not_there_keeps_the_frame_and_leads_home(desk: Desk, address: str) -> None:
    page = desk.seat("Ines").look(address, status=404)
    assert page.select_one("nav button")
    (home,) = page.select("main .usa-button")
    assert (home["href"], home.get_text()) == ("/", "Back to the board")


def test_who_is_not_signed_in_is_told_nothing_of_the_desk(desk: Desk) -> None:
    page = desk.app.test_client().get("/nowhere").text
    assert "Board" not in page
    assert "911" in page


def test_the_desk_speaks_english_to_every_browser(desk: Desk) -> None:
    spanish = {"Accept-Language": "es"}
    page = desk.app.test_client().get("/sign-in?language=es", headers=spanish).text
    assert '<html lang="en">' in page
    assert "Español" not in page
