"""The administrator's page of a team's clocks."""

from __future__ import annotations

from datetime import timedelta

from foundation import database
from referrals.facts import Urgency
from routing import timetable
from tests.desk.sitting import Desk

ADDRESS = "/teams/tempe-police/clocks"


def within(desk: Desk, clock: str) -> timedelta:
    with database.reading(desk.town.engine) as session:
        return timetable.of(session, desk.town.team["tempe-police"]).within(Urgency.ELEVATED, clock)


def test_an_administrator_changes_the_clocks_of_a_team(desk: Desk) -> None:
    answers = {
        "elevated.step_1": "20",
        "begins": "08:00",
        "ends": "17:00",
        "holidays": "2026-11-26 2026-12-25",
    }
    page = desk.seat("Rita").send(ADDRESS, answers)
    assert "The clocks of Tempe Police are changed." in page.get_text()
    assert within(desk, "step_1") == timedelta(minutes=20)
    field = desk.seat("Rita").look(ADDRESS).find("input", attrs={"name": "holidays"})
    assert field is not None
    assert field["value"] == "2026-11-26 2026-12-25"


def test_clocks_that_cannot_run_say_why_and_keep_what_was_typed(desk: Desk) -> None:
    page = desk.seat("Rita").send(ADDRESS, {"elevated.step_1": "90"}, status=400)
    assert "Each step of elevated must come later than the one before it." in page.get_text()
    field = page.find("input", attrs={"name": "elevated.step_1"})
    assert field is not None
    assert field["value"] == "90"
    desk.seat("Rita").send(ADDRESS, {"desk": "", "elevated.desk": "soon"}, status=400)
    assert within(desk, "step_1") == timedelta(minutes=15)


def test_nobody_else_finds_the_page(desk: Desk) -> None:
    desk.seat("Ines").look(ADDRESS, status=404)
