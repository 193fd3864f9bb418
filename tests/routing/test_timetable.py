"""A team's clocks: defaults, its own minutes and hours, and every change in the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from directory.hours import DAYS, Hours
from foundation import clock, database
from ledger.entries import DEPLOYMENT
from ledger.verification import entries_of
from referrals.facts import Urgency
from routing import timetable
from routing.states import Kind
from routing.timetable import ClockFault
from tests.builders import Town, later
from tests.routing.acts import sweep, tip

OFFICE = Hours("America/Phoenix", time(8), time(17), frozenset(DAYS[:5]), frozenset({date(2026, 11, 26)}))


def change(town: Town, minutes: dict[str, dict[str, int]], hours: Hours | None = None) -> None:
    with database.transaction(town.engine) as session:
        timetable.change(
            session, town.team["tempe-police"], hours=hours, minutes=minutes,
            actor=town.actor("Rita"), now=clock.now(),
        )  # fmt: skip


def table(town: Town) -> timetable.Timetable:
    with database.reading(town.engine) as session:
        return timetable.of(session, town.team["tempe-police"])


def test_a_team_without_clocks_of_its_own_has_the_defaults(town: Town) -> None:
    assert table(town).within(Urgency.ELEVATED, "step_1") == timedelta(minutes=15)
    assert table(town).step_after(Kind.PERMISSION, Urgency.ELEVATED, 1) == timedelta(minutes=60)


def test_a_team_s_own_minutes_are_what_its_offers_run_on(town: Town) -> None:
    change(town, {"elevated": {"step_1": 30}})
    case = tip(town)
    with later(minutes=16):
        sweep(town)
        assert case.handoff("tempe-police").step == 0
    with later(minutes=31):
        sweep(town)
    assert case.handoff("tempe-police").step == 1


def test_half_way_who_was_asked_is_asked_once_more(town: Town) -> None:
    case = tip(town)
    with later(minutes=8):
        sweep(town)
        assert case.told("reminder") == {"Ines"}
        assert sweep(town) == 0
    assert case.handoff("tempe-police").step == 0


def test_half_way_to_a_first_action_the_custodian_is_reminded(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    with later(hours=2, minutes=1):
        sweep(town)
        assert {"Ines", "Tomas"} <= case.told("reminder")
        assert sweep(town) == 0
    assert "due_again" not in case.kinds()


def test_routine_time_runs_in_the_team_s_hours_and_urgent_time_always(town: Town) -> None:
    change(town, {}, OFFICE)
    # Wednesday at 16:00 in Phoenix, before a holiday.
    asked = datetime(2026, 11, 25, 23, tzinfo=UTC)
    routine = table(town).step_due(asked, Kind.TRANSFER, Urgency.ROUTINE, 2)
    assert routine.astimezone(UTC) == datetime(2026, 11, 27, 23, tzinfo=UTC)
    assert table(town).step_due(asked, Kind.TRANSFER, Urgency.ELEVATED, 1) == asked + timedelta(minutes=15)


def test_each_change_is_in_the_ledger_with_who_made_it(town: Town) -> None:
    change(town, {"elevated": {"step_1": 30, "step_2": 60}}, OFFICE)
    with database.reading(town.engine) as session:
        entry: Any = [
            found for found in entries_of(session, DEPLOYMENT) if found["kind"] == "clocks_changed"
        ][-1]
    assert entry["actor"]["member"] == town.member_id("Rita")
    # What equals the default is not kept, so that a later default reaches the team.
    assert entry["facts"]["minutes"] == {"elevated": {"step_1": 30}}


@pytest.mark.parametrize(
    ("minutes", "why"),
    [
        ({"elevated": {"step_1": 90}}, "later than the one before"),
        ({"elevated": {"step_1": 0}}, "must run"),
        ({"imminent": {"nap": 5}}, "no clock"),
        ({"someday": {"step_1": 5}}, "no clock"),
    ],
)
def test_clocks_that_cannot_run_are_refused(town: Town, minutes: dict[str, dict[str, int]], why: str) -> None:
    with pytest.raises(ClockFault, match=why):
        change(town, minutes)
    assert table(town).minutes == {}
