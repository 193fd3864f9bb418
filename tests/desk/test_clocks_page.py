"""The administrator's page of a team's clocks."""

from __future__ import annotations

from datetime import timedelta

from foundation import database
from referrals.facts import Urgency
from routing import timetable
from routing.states import Kind
from tests.desk.sitting import Desk

ADDRESS = "/teams/tempe-police/clocks"


WHY = "The night watch shares one telephone."


def first_step(desk: Desk, kind: Kind = Kind.TRANSFER) -> timedelta:
    with database.reading(desk.town.engine) as session:
        return timetable.of(session, desk.town.team["tempe-police"]).step_after(kind, Urgency.ELEVATED, 1)


def test_an_administrator_changes_the_clocks_of_a_team(desk: Desk) -> None:
    answers = {
        "elevated.transfer.step_1": "20",
        "elevated.consult.step_1": "40",
        "why": WHY,
        "begins": "08:00",
        "ends": "17:00",
        "holidays": "2026-11-26 2026-12-25",
    }
    page = desk.seat("Rita").send(ADDRESS, answers)
    assert "The clocks of Tempe Police are changed." in page.get_text()
    assert (first_step(desk), first_step(desk, Kind.CONSULT)) == (
        timedelta(minutes=20),
        timedelta(minutes=40),
    )
    assert f"Rita Moss: “{WHY}”" in page.get_text(" ", strip=True)
    field = desk.seat("Rita").look(ADDRESS).find("input", attrs={"name": "holidays"})
    assert field is not None
    assert field["value"] == "2026-11-26 2026-12-25"


def test_clocks_that_cannot_run_say_why_and_keep_what_was_typed(desk: Desk) -> None:
    page = desk.seat("Rita").send(ADDRESS, {"elevated.transfer.step_1": "90", "why": WHY}, status=400)
    assert "Each step of elevated transfer must come later than the one before it." in page.get_text()
    field = page.find("input", attrs={"name": "elevated.transfer.step_1"})
    assert field is not None
    assert field["value"] == "90"
    desk.seat("Rita").send(ADDRESS, {"elevated.custody.desk": "soon", "why": WHY}, status=400)
    assert first_step(desk) == timedelta(minutes=15)


def test_an_administrator_says_whether_elevated_time_waits_for_the_hours(desk: Desk) -> None:
    page = desk.seat("Rita").look(ADDRESS)
    chosen = page.select_one("input[name=elevated_waits][checked]")
    assert chosen is not None
    assert chosen["value"] == "no"
    desk.seat("Rita").press(page, ADDRESS, {"elevated_waits": "yes", "why": WHY})
    with database.reading(desk.town.engine) as session:
        assert timetable.of(session, desk.town.team["tempe-police"]).elevated_waits


def test_a_change_without_a_reason_is_asked_for_one(desk: Desk) -> None:
    page = desk.seat("Rita").send(ADDRESS, {"elevated.transfer.step_1": "20"}, status=400)
    assert page.select_one("a[href='#why']") is not None
    assert first_step(desk) == timedelta(minutes=15)


def test_nobody_else_finds_the_page(desk: Desk) -> None:
    desk.seat("Ines").look(ADDRESS, status=404)
