"""Recipients outside the directory: who was called, and the call back without which nothing is confirmed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from foundation import clock, database
from ledger.tables import ledger_entries
from routing import outside, register
from routing.handoffs import AlreadyAnswered
from routing.outside import Recipient
from routing.states import Kind
from routing.tables import outside_recipients
from tests.builders import Town, later
from tests.routing.acts import NOWHERE, Case, faults, run_jobs, sweep, tip

SHERIFF = "Greenlee County Sheriff"


def handed_out(town: Town) -> tuple[Case, str]:
    """The root desk called a sheriff who is in no directory."""
    from referrals.facts import Urgency

    case = tip(town, Urgency.ELEVATED, NOWHERE)
    called = Recipient(SHERIFF, "Sheriff Dan Poe", "+1 928 555 0100", clock.now() - timedelta(minutes=2))
    with database.transaction(town.engine) as session:
        proposal = case.propose("Rita", None, Kind.EXTERNAL, parts=("narrative",))
        id = outside.hand_out(session, town.keys, proposal, called, actor=town.actor("Rita"), now=clock.now())
    return case, id


def test_custody_stays_and_a_clock_runs_until_the_call_back(town: Town) -> None:
    case, id = handed_out(town)
    with database.reading(town.engine) as session:
        row = register.handoff(session, id)
    assert (case.holder, row.state, row.due_at > clock.now()) == ("root-desk", "offered", True)
    with later(minutes=61):
        sweep(town)
        assert "Rita" in case.told("task")
    assert faults(town) == []


def test_the_call_back_confirms_it_and_the_desk_asks_how_it_went(town: Town) -> None:
    case, id = handed_out(town)
    with database.transaction(town.engine) as session:
        outside.confirm(session, id, "Deputy Ann Ray", actor=town.actor("Rita"), now=clock.now())
        recipient = register.outside(session, id)
    assert (recipient.confirmed_with, recipient.confirmed_at is not None) == ("Deputy Ann Ray", True)
    assert (case.holder, case.row().due_reason) == ("root-desk", "outside")
    assert case.kinds()[-2:] == ["handoff_confirmed_by_call", "worked_on"]
    assert faults(town) == []


def test_silence_outside_comes_back_to_the_desk(town: Town) -> None:
    case, id = handed_out(town)
    for hours in (1.1, 4.1):
        with later(hours=hours):
            sweep(town)
            run_jobs(town)
    with database.reading(town.engine) as session:
        assert register.handoff(session, id).state == "lapsed"
    assert case.holder == "root-desk"
    with database.transaction(town.engine) as session, pytest.raises(AlreadyAnswered):
        outside.confirm(session, id, "Ann Ray", actor=town.actor("Rita"), now=clock.now())


def test_a_refusal_outside_asks_the_desk_to_choose_again(town: Town) -> None:
    _, id = handed_out(town)
    with database.transaction(town.engine) as session:
        outside.refuse(session, id, actor=town.actor("Rita"), now=clock.now())
        assert register.handoff(session, id).state == "declined"


def test_the_ledger_names_nobody_outside(town: Town) -> None:
    _, id = handed_out(town)
    with database.transaction(town.engine) as session:
        outside.confirm(session, id, "Deputy Ann Ray", actor=town.actor("Rita"), now=clock.now())
        told = "".join(session.execute(select(ledger_entries.c.body)).scalars())
    for word in ("Greenlee", "Poe", "555 0100", "Ann Ray"):
        assert word not in told


def test_the_doctor_misses_a_recipient(town: Town) -> None:
    handed_out(town)
    with database.transaction(town.engine) as session:
        session.execute(delete(outside_recipients))
    assert any("nobody knows to whom" in fault for fault in faults(town))
