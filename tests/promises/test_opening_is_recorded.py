"""Promise: nobody reads what was told without being named in the ledger, and nobody without having been asked."""

# ruff: noqa: F811 - the desk's fixtures are asked for by name
from __future__ import annotations

from tests.builders import WORDS, later
from tests.desk.conftest import desk, town  # noqa: F401 (fixtures)
from tests.desk.sitting import Desk


def _openings(seated: Desk, reference: str) -> list[str]:
    return [
        entry["actor"]["member"] for entry in seated.recorded(reference) if entry["kind"] == "content_opened"
    ]


def test_each_page_that_shows_words_names_its_reader(desk: Desk) -> None:
    reference = desk.held()
    page = desk.seat("Tomas").send(f"/referrals/{reference}", to="/open")
    assert WORDS in page.get_text()
    desk.seat("Tomas").look(f"/referrals/{reference}")
    assert _openings(desk, reference) == [desk.town.member_id("Tomas")] * 2


def test_looking_without_opening_shows_nothing_and_records_no_opening(desk: Desk) -> None:
    reference = desk.held()
    assert WORDS not in desk.seat("Tomas").look(f"/referrals/{reference}").get_text()
    assert _openings(desk, reference) == []


def test_the_password_is_asked_for_again_and_nothing_opens_before(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    with later(minutes=11):
        page = seat.send(f"/referrals/{reference}", to="/open")
        assert page.find("input", type="password") is not None
        assert WORDS not in seat.look(f"/referrals/{reference}").get_text()
    assert _openings(desk, reference) == []


def test_the_words_close_again_by_themselves(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    seat.send(f"/referrals/{reference}", to="/open")
    with later(minutes=11):
        assert WORDS not in seat.look(f"/referrals/{reference}").get_text()
