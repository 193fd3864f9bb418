"""What a member of a team sees who went astray, and in which language."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests import builders
from tests.desk.sitting import Desk


@pytest.mark.parametrize("address", ["/nowhere", "/referrals/R-AAAA-AA"])
def test_a_page_that_is_not_there_keeps_the_frame_and_leads_home(desk: Desk, address: str) -> None:
    page = desk.seat("Ines").look(address, status=404)
    assert page.select_one("nav button")
    (home,) = page.select("main .usa-button")
    assert (home["href"], home.get_text()) == ("/", "Back to the board")


_NOTE = "words=He+wrote+it+down%sfor+Friday"


def _note(desk: Desk, reference: str, body: str) -> Any:
    form = "application/x-www-form-urlencoded"
    return desk.seat("Tomas").client.post(f"/referrals/{reference}/note", data=body, content_type=form)


@pytest.fixture
def taken(desk: Desk) -> str:
    reference = desk.tip()
    desk.seat("Tomas").send(f"/referrals/{reference}", to=f"/referrals/{reference}/acknowledge")
    return reference


@pytest.mark.parametrize("broken", ["%ED%A0%80", "%FF", "%00"])
def test_what_is_no_text_is_not_noted_and_the_words_stay(desk: Desk, taken: str, broken: str) -> None:
    page = desk.seat("Tomas").look(f"/referrals/{taken}")
    fields = {"csrf_token": builders.csrf_token(str(page)), "form_key": "0" * 32, "origin": "notes"}
    answer = _note(desk, taken, f"{urlencode(fields)}&{_NOTE % broken}")
    assert answer.status_code == 400
    assert "He wrote it down" in answer.text
    assert "He wrote it down" not in desk.seat("Tomas").look(f"/referrals/{taken}").get_text()


def test_a_form_without_its_token_keeps_the_members_frame_and_words(desk: Desk, taken: str) -> None:
    answer = _note(desk, taken, f"zip_code=85281&{_NOTE % '+'}")
    assert answer.status_code == 400
    for kept in ("Back to the board", "He wrote it down", "85281"):
        assert kept in answer.text


def test_who_is_not_signed_in_is_told_nothing_of_the_desk(desk: Desk) -> None:
    page = desk.app.test_client().get("/nowhere").text
    assert "Board" not in page
    assert "911" in page


def test_the_desk_speaks_english_to_every_browser(desk: Desk) -> None:
    spanish = {"Accept-Language": "es"}
    page = desk.app.test_client().get("/sign-in?language=es", headers=spanish).text
    assert '<html lang="en">' in page
    assert "Español" not in page
