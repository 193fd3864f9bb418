"""Calls that must be made: owed at ten minutes of imminent silence, and ended by a person's record alone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from foundation import clock, database
from referrals.facts import Urgency
from referrals.moves import NotNow
from routing import calls
from routing.tables import calls as rows
from tests.builders import Town, later
from tests.routing.acts import Case, faults, forward, run_jobs, sweep, tip


def silent(town: Town, minutes: int = 11) -> Case:
    """An imminent forward that nobody acknowledged for so long."""
    case = forward(town, Urgency.IMMINENT)
    for passed in range(0, minutes + 5, 5):
        with later(minutes=passed, seconds=1):
            sweep(town)
            run_jobs(town)
    return case


def owed(case: Case) -> dict[str, Any]:
    with database.reading(case.town.engine) as session:
        return {row.whom: row for row in calls.of_referral(session, case.id)}


def made(case: Case, whom: str, result: str) -> bool:
    with database.transaction(case.town.engine) as session:
        return calls.record(
            session, owed(case)[whom].id, result, actor=case.town.actor("Ada"), now=clock.now()
        )


def test_ten_minutes_of_silence_owe_a_call_to_the_team_and_to_911(town: Town) -> None:
    case = silent(town)
    tempe = town.team["tempe-police"]
    assert {tempe, calls.EMERGENCY} <= set(owed(case))
    assert {case.slug(row.team_id) for row in owed(case).values()} <= {"az-stamp", "root-desk"}
    assert faults_later(town) == []


def faults_later(town: Town) -> list[str]:
    with later(minutes=11, seconds=2):
        return faults(town)


def test_less_urgent_silence_owes_no_call(town: Town) -> None:
    case = tip(town)
    with later(hours=5):
        for _ in range(4):
            sweep(town)
    assert owed(case) == {}


def test_an_acknowledgement_does_not_end_it_and_a_record_does(town: Town) -> None:
    case = silent(town, 10)
    with later(minutes=11):
        case.acknowledge("Ada", "az-stamp")
        assert owed(case)[calls.EMERGENCY].done_at is None
        assert made(case, calls.EMERGENCY, "reached") is True
    assert owed(case)[calls.EMERGENCY].done_at is not None


def test_a_call_that_nobody_answered_stays_owed(town: Town) -> None:
    case = silent(town)
    with later(minutes=12):
        assert made(case, calls.EMERGENCY, "no_answer") is False
        row = owed(case)[calls.EMERGENCY]
        assert (row.tries, row.done_at, row.due_at > clock.now()) == (1, None, True)


def test_a_call_is_recorded_once(town: Town) -> None:
    case = silent(town)
    made(case, calls.EMERGENCY, "reached")
    with pytest.raises(NotNow):
        made(case, calls.EMERGENCY, "reached")


def test_the_911_centre_is_owed_one_call_however_many_teams_are_asked(town: Town) -> None:
    case = silent(town, 25)
    assert case.kinds().count("call_owed") == len(owed(case))
    assert sum(row.whom == calls.EMERGENCY for row in owed(case).values()) == 1


def test_who_does_not_call_is_told_again_and_so_is_the_desk_above(town: Town) -> None:
    case = silent(town)
    with database.transaction(town.engine) as session:
        session.execute(update(rows).where(rows.c.whom == calls.EMERGENCY).values(due_at=clock.now()))
    before = owed(case)[calls.EMERGENCY].due_at
    with later(minutes=20):
        sweep(town)
        assert owed(case)[calls.EMERGENCY].due_at > max(before, clock.now())
        assert {"Ada", "Rita"} <= case.told("task")


def test_a_forgotten_call_is_named_by_the_doctor(town: Town) -> None:
    case = silent(town)
    with database.transaction(town.engine) as session:
        session.execute(update(rows).values(due_at=None))
    assert case.row().reference in " ".join(
        fault for fault in faults(town) if "call that must be made" in fault
    )
