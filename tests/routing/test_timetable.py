"""A team's clocks: defaults, its own minutes and hours, and every change in the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from directory.hours import DAYS, Hours
from foundation import clock, database
from ledger.entries import DEPLOYMENT, commitment
from ledger.verification import entries_of
from referrals.facts import Urgency
from routing import timetable
from routing.states import Kind
from routing.tables import clock_changes
from routing.timetable import ClockFault, Minutes
from tests.builders import Town, later
from tests.routing.acts import MESA, forward, sweep, tip

OFFICE = Hours("America/Phoenix", time(8), time(17), frozenset(DAYS[:5]), frozenset({date(2026, 11, 26)}))


WHY = "Nobody reads a first text within a quarter of an hour here."


def change(town: Town, minutes: Minutes, hours: Hours | None = None, **more: Any) -> None:
    with database.transaction(town.engine) as session:
        timetable.change(
            session, town.team["tempe-police"], hours=hours, minutes=minutes, actor=town.actor("Rita"),
            now=clock.now(), **{"why": WHY, **more},
        )  # fmt: skip


def table(town: Town) -> timetable.Timetable:
    with database.reading(town.engine) as session:
        return timetable.of(session, town.team["tempe-police"])


def test_a_team_without_clocks_of_its_own_has_the_defaults(town: Town) -> None:
    assert table(town).step_after(Kind.TRANSFER, Urgency.ELEVATED, 1) == timedelta(minutes=15)
    assert table(town).step_after(Kind.PERMISSION, Urgency.ELEVATED, 1) == timedelta(minutes=60)


def test_a_team_s_own_minutes_are_what_its_offers_run_on(town: Town) -> None:
    change(town, {"elevated": {"transfer": {"step_1": 30}}})
    case = tip(town)
    with later(minutes=16):
        sweep(town)
        assert case.handoff("tempe-police").step == 0
    with later(minutes=31):
        sweep(town)
    assert case.handoff("tempe-police").step == 1


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_minutes_of_its_own(town: Town, kind: Kind) -> None:
    change(town, {"routine": {kind.value: {"step_1": 33}}})
    steps = {each: table(town).step_after(each, Urgency.ROUTINE, 1) for each in Kind}
    assert [each for each, after in steps.items() if after == timedelta(minutes=33)] == [kind]


def test_a_consult_runs_on_the_consult_s_minutes(town: Town) -> None:
    change(town, {"elevated": {"consult": {"step_1": 45}}})
    case = forward(town, Urgency.ELEVATED, MESA)
    case.acknowledge("Olu", "mesa-police")
    case.hand_on("Olu", "tempe-police", Kind.CONSULT)
    offered = case.handoff("tempe-police", Kind.CONSULT)
    assert offered.due_at - offered.offered_at == timedelta(minutes=45)


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


def test_elevated_time_waits_for_the_team_s_hours_where_an_administrator_said_so(town: Town) -> None:
    change(town, {}, OFFICE, elevated_waits=True)
    # Wednesday at 18:00 in Phoenix, before a holiday.
    asked = datetime(2026, 11, 26, 1, tzinfo=UTC)
    elevated = table(town).step_due(asked, Kind.TRANSFER, Urgency.ELEVATED, 1)
    assert elevated == datetime(2026, 11, 27, 15, 15, tzinfo=UTC)
    assert table(town).step_due(asked, Kind.TRANSFER, Urgency.IMMINENT, 1) == asked + timedelta(minutes=5)


def test_each_change_is_in_the_ledger_with_who_made_it_and_why(town: Town) -> None:
    change(town, {"elevated": {"transfer": {"step_1": 30, "step_2": 60}}}, OFFICE)
    with database.reading(town.engine) as session:
        entry: Any = [
            found for found in entries_of(session, DEPLOYMENT) if found["kind"] == "clocks_changed"
        ][-1]
        (kept,) = timetable.changes(session, town.team["tempe-police"])
        key = session.execute(select(clock_changes.c.why_key)).scalar_one()
    assert entry["actor"]["member"] == kept.by == town.member_id("Rita")
    assert (kept.why, entry["facts"]["why"]) == (WHY, commitment(key, WHY.encode()))
    # What equals the default is not kept, so that a later default reaches the team.
    assert entry["facts"]["minutes"] == {"elevated": {"transfer": {"step_1": 30}}}


@pytest.mark.parametrize(
    ("minutes", "why"),
    [
        ({"elevated": {"transfer": {"step_1": 90}}}, "later than the one before"),
        ({"elevated": {"consult": {"step_1": 0}}}, "must run"),
        ({"imminent": {"transfer": {"nap": 5}}}, "no clock"),
        ({"imminent": {"custody": {"step_1": 5}}}, "no clock"),
        ({"someday": {"transfer": {"step_1": 5}}}, "no clock"),
    ],
)
def test_clocks_that_cannot_run_are_refused(town: Town, minutes: Minutes, why: str) -> None:
    with pytest.raises(ClockFault, match=why):
        change(town, minutes)
    assert table(town).minutes == {}


@pytest.mark.parametrize("why", ["", "  ", "x" * 301])
def test_a_change_without_a_sentence_of_why_is_refused(town: Town, why: str) -> None:
    with pytest.raises(ClockFault, match="why you change the clocks"):
        change(town, {"elevated": {"transfer": {"step_1": 30}}}, why=why)
