"""Clocks: silence climbs, nothing is forgotten, and one bad row stops nobody else's clock."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

import worker
from directory.tables import contacts, team_keys
from foundation import clock, database, outbox
from referrals import casework
from referrals.casework import Disposition
from referrals.duty import Duty
from referrals.facts import Urgency
from routing import handoffs
from routing.tables import handoffs as rows
from tests.builders import Town, file_tip, later
from tests.routing.acts import Case, faults, forward, run_jobs, sweep, tip


def silence(town: Town, hours: int, *, minutes: int = 5) -> None:
    """So many hours in which only the clock and the jobs run."""
    for passed in range(0, hours * 60, minutes):
        with later(minutes=passed):
            sweep(town)
            run_jobs(town)


def test_nothing_is_due_at_once(town: Town) -> None:
    tip(town)
    assert sweep(town) == 0


def test_each_step_tells_the_next_people(town: Town) -> None:
    case = tip(town)
    assert case.told("offer") == {"Ines"}
    with later(minutes=16):
        sweep(town)
        assert case.told("reminder") == {"Tomas"}
    with later(minutes=61):
        sweep(town)
        assert case.told("escalated") == {"Ines", "Tomas"}


def test_opening_stops_no_clock(town: Town) -> None:
    case = tip(town)
    with database.transaction(town.engine) as session:
        handoffs.mark_opened(session, case.offer_to("tempe-police"), town.actor("Ines"), clock.now())
    with later(minutes=16):
        sweep(town)
    assert case.handoff("tempe-police").step == 1


def test_an_acknowledgement_stops_the_offers_clock(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    with later(minutes=16):
        assert sweep(town) == 0


def test_a_step_is_taken_once(town: Town) -> None:
    case = tip(town)
    with later(minutes=16):
        sweep(town)
        assert sweep(town) == 0
    assert case.handoff("tempe-police").step == 1


def test_the_last_step_lapses_and_the_hub_that_holds_it_is_told(town: Town) -> None:
    case = tip(town)
    silence(town, 5, minutes=15)
    assert case.offers()["tempe-police"] == "lapsed"
    assert (case.holder, case.row().state) == ("az-stamp", "at_desk")
    assert {"Ada", "Amir"} <= case.told("task")


def test_silence_climbs_to_the_root_desk_and_stays_there(town: Town) -> None:
    case = forward(town, Urgency.IMMINENT)
    for minutes in range(0, 60, 5):
        with later(minutes=minutes, seconds=2):
            sweep(town)
            run_jobs(town)
            assert faults(town) == []
    assert list(case.offers()) == ["tempe-police", "az-stamp", "root-desk"]
    assert (case.holder, case.offers()["root-desk"]) == ("dhs-nter", "offered")
    with later(minutes=60):
        case.acknowledge("Rita", "root-desk")
    assert case.holder == "root-desk"


def test_what_nobody_routed_is_routed_and_its_desk_told(town: Town) -> None:
    case = Case(town, file_tip(town).id)
    run_jobs_before = case.row().state
    with later(minutes=3):
        sweep(town)
        run_jobs(town)
    assert (run_jobs_before, case.row().state) == ("filed", "offered")


def test_a_holder_who_does_nothing_is_reminded_and_the_hub_above_told(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    with later(hours=5):
        sweep(town)
        assert {"Ines", "Tomas"} <= case.told("reminder")
        assert "Ada" in case.told("task")
        assert case.due() > clock.now()
    assert case.kinds()[-1] == "due_again"


def test_a_clock_that_stood_still_only_delays(town: Town) -> None:
    case = tip(town)
    with later(hours=30):
        for _ in range(6):
            sweep(town)
        assert faults(town) == []
    assert case.offers()["tempe-police"] == "lapsed"


def test_one_row_that_cannot_be_stepped_stops_nobody_else(town: Town) -> None:
    bad = tip(town, Urgency.ELEVATED, form="bad")
    good = tip(town, Urgency.ELEVATED, form="good")
    with database.transaction(town.engine) as session:
        session.execute(update(rows).where(rows.c.referral_id == bad.id).values(urgency="unheard"))
    with later(minutes=16):
        sweep(town)
    assert good.handoff("tempe-police").step == 1


def test_offers_of_a_closed_referral_are_taken_back(town: Town) -> None:
    case = tip(town, Urgency.ROUTINE)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police")
    with database.transaction(town.engine) as session:
        casework.propose_closing(
            session, town.keys, case.id, disposition=Disposition.MANAGED, reason="Done.",
            actor=town.actor("Ines"), due_at=clock.now(), now=clock.now(),
        )  # fmt: skip
    with later(days=7):
        sweep(town)
    assert case.offers()["mesa-police"] == "recalled"


def test_a_team_nobody_can_reach_is_passed_over(town: Town) -> None:
    ids = [town.member_id(name) for name in ("Ines", "Tomas")]
    with database.transaction(town.engine) as session:
        session.execute(delete(contacts).where(contacts.c.member_id.in_(ids)))
    assert tip(town).offers() == {"maricopa-county": "offered"}


def test_the_worker_s_sweep_delivers_all_without_a_queue(town: Town) -> None:
    case = Case(town, file_tip(town).id)
    duty = Duty(town.engine, town.settings, town.keys)
    for _ in range(3):
        worker.sweep(duty)
    assert case.offers() == {"tempe-police": "offered"}
    with database.reading(town.engine) as session:
        assert outbox.waiting(session) == {}


def test_a_team_without_a_key_is_not_a_silent_end(town: Town) -> None:
    """The offer stands; the acknowledgement fails whole, so that custody does not move without the words."""
    case = tip(town, Urgency.ELEVATED)
    with database.transaction(town.engine) as session:
        session.execute(delete(team_keys).where(team_keys.c.team_id == town.team["tempe-police"]))
    with pytest.raises(Exception, match="No row"):
        case.acknowledge("Ines", "tempe-police")
    assert (case.holder, case.offers()["tempe-police"]) == ("az-stamp", "offered")
