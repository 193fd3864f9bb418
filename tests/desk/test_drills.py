"""Drills: planned, held on the real way with DRILL in the text, reported, and counted nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import worker
from desk import board
from foundation import clock, database
from notifications import links
from notifications.tables import notices
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.tables import referrals
from routing import drills, dry_run
from routing.drills import DrillFault, Report
from tests.builders import Town, later
from tests.desk.sitting import Desk
from tests.routing.acts import faults, run_jobs, sweep

TEMPE = "tempe-police"


@pytest.fixture
def duty(town: Town) -> Duty:
    return Duty(town.engine, town.settings, town.keys)


def begin(town: Town, duty: Duty, desk: Desk) -> str:
    """A drill of Tempe's that Ines planned and the clock began; returns its reference."""
    desk.seat("Ines").send("/drills", {"team": town.team[TEMPE]})
    assert drills.keep(duty) == 1
    run_jobs(town)
    with database.reading(town.engine) as session:
        return str(session.execute(select(referrals.c.reference)).scalar_one())


def report(town: Town) -> Report:
    with database.reading(town.engine) as session:
        return drills.report(session, drills.of_team(session, town.team[TEMPE])[0])


def row(town: Town) -> Any:
    with database.reading(town.engine) as session:
        return session.execute(select(referrals)).one()


def test_a_drill_is_answered_as_a_real_one_and_ends_by_itself(town: Town, duty: Duty, desk: Desk) -> None:
    reference = begin(town, duty, desk)
    with later(minutes=3):
        desk.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
        drills.keep(duty)
    (person,) = report(town).people
    assert (person.name, person.took_it, report(town).answered) == ("Ines Vega", True, True)
    assert person.took is not None
    assert timedelta(minutes=3) <= person.took < timedelta(minutes=4)
    assert row(town).state == "closed"
    assert "after 3 minutes" in desk.seat("Ines").look(f"/drills/{report(town).drill.id}").get_text(" ")
    assert faults(town) == []


def test_its_page_says_that_it_is_one(town: Town, duty: Duty, desk: Desk) -> None:
    reference = begin(town, duty, desk)
    assert "DRILL" in desk.seat("Ines").look(f"/referrals/{reference}").get_text()
    assert "DRILL" not in desk.seat("Ines").look(f"/referrals/{desk.tip()}").get_text()


def test_who_did_not_answer_is_named_too(town: Town, duty: Duty, desk: Desk) -> None:
    begin(town, duty, desk)
    for hours in (1, 2, 5):
        with later(hours=hours):
            sweep(town)
            drills.keep(duty)
    names = {person.name for person in report(town).people}
    assert {"Ines Vega", "Tomas Reed"} <= names
    assert not report(town).answered
    assert row(town).state == "closed"


def test_every_notice_of_it_is_marked(town: Town, duty: Duty, desk: Desk) -> None:
    begin(town, duty, desk)
    with later(hours=1):
        sweep(town)
    with database.reading(town.engine) as session:
        assert set(session.execute(select(notices.c.mark)).scalars()) == {"drill"}


def test_a_declined_drill_ends(town: Town, duty: Duty, desk: Desk) -> None:
    reference = begin(town, duty, desk)
    desk.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
    with database.transaction(town.engine) as session:
        session.execute(update(notices).values(state="failed_permanent"))
    drills.keep(duty)
    assert row(town).state == "closed"
    assert report(town).people[0].failed


def test_the_board_shows_it_apart_and_counts_it_nowhere_else(town: Town, duty: Duty, desk: Desk) -> None:
    begin(town, duty, desk)
    assert "Drill: answer as you would a real one" in desk.seat("Ines").look("/").get_text()
    with database.reading(town.engine) as session:
        counts = {
            name: group(session, [town.team[TEMPE], town.team["root-desk"]], None, None).count
            for name, group in board.GROUPS.items()
        }
        assert len(dry_run._Recent(town.engine, clock.now())) == 0
    assert counts == {**dict.fromkeys(board.GROUPS, 0), "drill": 1}


def test_it_begins_when_it_was_planned_and_not_when_taken_back(town: Town, duty: Duty) -> None:
    with database.transaction(town.engine) as session:
        by, now = town.member_id("Ines"), clock.now()
        when = now + timedelta(hours=2)
        plans = [drills.plan(session, town.team[TEMPE], Urgency.ROUTINE, when, by=by, now=now) for _ in "12"]
        drills.cancel(session, plans[0], now)
    assert drills.keep(duty) == 0
    with later(hours=2, seconds=1):
        assert (drills.keep(duty), drills.keep(duty)) == (1, 0)


def test_a_drill_of_yesterday_is_refused(town: Town) -> None:
    now = clock.now()
    with database.transaction(town.engine) as session, pytest.raises(DrillFault):
        drills.plan(
            session,
            town.team[TEMPE],
            Urgency.ROUTINE,
            now - timedelta(days=1),
            by=town.member_id("Ines"),
            now=now,
        )


def test_others_drills_are_not_shown_and_not_planned(town: Town, duty: Duty, desk: Desk) -> None:
    begin(town, duty, desk)
    desk.seat("Olu").look(f"/drills/{report(town).drill.id}", status=404)
    desk.seat("Olu").send("/drills", {"team": town.team[TEMPE]}, status=400)


def test_the_clock_keeps_drills_and_canaries(duty: Duty) -> None:
    named = {f"{keep.__module__}.{keep.__name__}" for keep in worker.UPKEEP}
    assert {"routing.drills.keep", "routing.canary.keep_watch", "routing.signs.call_outside"} <= named


def test_of_two_clocks_one_begins_it(town: Town, duty: Duty, desk: Desk) -> None:
    desk.seat("Ines").send("/drills", {"team": town.team[TEMPE]})
    with database.reading(town.engine) as session:
        (drill,) = drills.of_team(session, town.team[TEMPE])
    assert (drills._begin(duty, drill, clock.now()), drills._begin(duty, drill, clock.now())) == (True, False)
    assert row(town).mark == "drill"


def test_a_drill_is_called_one_wherever_it_is_read(town: Town, duty: Duty, desk: Desk) -> None:
    reference = begin(town, duty, desk)
    query = select(notices).where(notices.c.channel == "email", notices.c.template == "offer")
    with database.reading(town.engine) as session:
        address = links.url(town.settings, session.execute(query).one()) or ""
    mailed = desk.app.test_client().get(address.removeprefix(town.settings.desk_url)).text
    assert "<h1>DRILL: " in mailed
    desk.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
    drills.keep(duty)
    page = desk.seat("Ines").look(f"/referrals/{reference}").get_text(" ", strip=True)
    assert page.count("A drill") == 1
    assert "The service closed it." in page
