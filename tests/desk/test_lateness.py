"""The hub above a late team: it sees whom to call, since when and for what, and nothing that was told."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from desk import board
from referrals.duty import Duty
from referrals.facts import Urgency
from routing import clocks
from tests.builders import WORDS, later
from tests.desk.sitting import Desk


def _sweep(desk: Desk) -> None:
    clocks.sweep(Duty(desk.town.engine, desk.town.settings, desk.town.keys))


def _late(page: BeautifulSoup) -> str:
    group = page.select_one("[aria-labelledby=late]")
    return group.get_text(" ", strip=True) if group else ""


def _told(page: BeautifulSoup) -> str:
    return page.get_text(" ", strip=True)


def test_an_offer_in_time_says_until_when(desk: Desk) -> None:
    reference = desk.forwarded()
    page = _told(desk.seat("Ada").look(f"/referrals/{reference}"))
    assert "Wait for Tempe Police" in page
    assert "They have time: " in page
    assert reference not in desk.seat("Ada").look("/").get_text()


def test_a_late_offer_names_the_team_its_telephone_and_the_next_action(desk: Desk) -> None:
    reference = desk.forwarded()
    with later(minutes=16):
        page = _told(desk.seat("Ada").look(f"/referrals/{reference}"))
        listed = _late(desk.seat("Ada").look("/"))
    assert "Call Tempe Police; ask them to acknowledge" in page
    assert "Late since" in page
    assert "DHS NTER holds it." in page
    assert "+1 480 555 0139" in page
    assert "Tempe, AZ" in page
    assert WORDS not in page
    assert reference in listed
    assert "Call Tempe Police" in listed


def test_a_late_first_action_is_asked_for_until_it_is_taken(desk: Desk) -> None:
    reference = desk.taken()
    with later(hours=5):
        desk.enter_again("Ada", "Ines")
        _sweep(desk)
        page = desk.seat("Ada").look(f"/referrals/{reference}")
        assert "Call Tempe Police; ask them to take a first action" in _told(page)
        assert "Reminded; asked again" in _late(desk.seat("Ada").look("/"))
        desk.seat("Ines").send(f"/referrals/{reference}/action", {"action": "team_met"})
        assert reference not in desk.seat("Ada").look("/").get_text()
        assert "Wait for Tempe Police" in _told(desk.seat("Ada").look(f"/referrals/{reference}"))


def test_late_since_is_the_first_time_that_was_missed(desk: Desk) -> None:
    reference = desk.taken(urgency="imminent")
    due_at = desk.row(reference).due_at
    for minutes in (16, 22, 40):
        with later(minutes=minutes):
            _sweep(desk)
            page = desk.seat("Ada").look(f"/referrals/{reference}")
            moment = page.select_one("[aria-labelledby=call] time")
            assert moment is not None
            assert str(moment["datetime"]).startswith(due_at.isoformat()[:16])


def test_a_hub_that_handed_it_down_is_told_whom_to_call_too(desk: Desk) -> None:
    reference = desk.held()
    assert "Add a note" in _told(desk.seat("Ada").look(f"/referrals/{reference}"))
    with later(hours=5):
        desk.enter_again("Ada")
        page = _told(desk.seat("Ada").look(f"/referrals/{reference}"))
        assert "Call Tempe Police; ask them to take a first action" in page
        assert reference in _late(desk.seat("Ada").look("/"))


def test_only_the_hub_above_has_the_group(desk: Desk) -> None:
    reference = desk.forwarded()
    with later(minutes=16):
        for name in ("Olu", "Neva", "Ines", "Rita"):
            assert reference not in _late(desk.seat(name).look("/"))
        assert reference in _late(desk.seat("Ada").look("/"))


def test_a_long_group_of_late_ones_is_shown_a_page_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "PAGE", 2)
    references = [desk.forwarded() for _ in range(3)]
    with later(minutes=16):
        page = desk.seat("Ada").look("/")
        more = page.find("a", string="Show more of these")
        assert more is not None
        rest = desk.seat("Ada").look(f"/{more['href']}").select("[aria-labelledby=late] .board__reference")
    assert [row.get_text() for row in rest] == references[2:]


def test_a_late_one_keeps_to_the_filter(desk: Desk) -> None:
    reference = desk.forwarded()
    with later(minutes=16):
        assert reference in _late(desk.seat("Ada").look(f"/?urgency={Urgency.ELEVATED.value}"))
        assert reference not in desk.seat("Ada").look(f"/?urgency={Urgency.ROUTINE.value}").get_text()
