"""The board shows what waits for my teams, most urgent and oldest first, and nothing else."""

from __future__ import annotations

import pytest

from desk import board
from referrals.facts import Urgency
from tests.desk.sitting import Desk


def test_an_offer_waits_for_an_answer_with_place_act_and_time_left(desk: Desk) -> None:
    reference = desk.tip()
    row = desk.seat("Ines").look("/").select_one("[aria-labelledby=answer] .board__row")
    assert row is not None
    for words in (
        reference,
        "Elevated",
        "Tempe, AZ",
        "Said or wrote that they will hurt",
        "min left",
        "AZ-STAMP asks you",
    ):
        assert words in row.get_text(" ", strip=True)


def test_the_most_urgent_stands_first_whatever_its_age(desk: Desk) -> None:
    references = [
        desk.tip(urgency, form_key=urgency.value * 20)
        for urgency in (Urgency.ROUTINE, Urgency.ELEVATED, Urgency.IMMINENT)
    ]
    rows = desk.seat("Ines").look("/").select("[aria-labelledby=answer] .board__reference")
    assert [row.get_text() for row in rows] == references[::-1]


def test_the_filter_stays_in_the_address(desk: Desk) -> None:
    reference = desk.tip()
    assert reference in desk.seat("Ines").look("/?urgency=elevated").get_text()
    assert reference not in desk.seat("Ines").look("/?urgency=imminent").get_text()


def test_a_long_group_is_shown_a_page_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "PAGE", 2)
    references = [desk.tip(form_key=f"form {number} with its own long key") for number in range(3)]
    page = desk.seat("Ines").look("/")
    more = page.find("a", string="Show more of these")
    assert more is not None
    rest = desk.seat("Ines").look(f"/{more['href']}").select("[aria-labelledby=answer] .board__reference")
    assert [row.get_text() for row in rest] == references[2:]


def test_an_empty_board_says_so_kindly(desk: Desk) -> None:
    assert "Nothing waits for you. Thank you for looking." in desk.seat("Olu").look("/").get_text()


def test_who_asks_sees_whom_they_wait_for(desk: Desk) -> None:
    desk.tip()
    waiting = desk.seat("Ada").look("/").select_one("[aria-labelledby=waiting]")
    assert waiting is not None
    assert "Tempe Police was asked" in waiting.get_text(" ", strip=True)
