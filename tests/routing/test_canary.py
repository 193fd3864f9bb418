"""The canary goes the whole way by itself, and is in no list and no count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

import worker
from desk import board
from directory import members, teams
from directory.tables import teams as team_rows
from foundation import clock, database, heartbeat
from notifications.tables import notices
from referrals import rotation
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.tables import referrals, sealed_parts
from routing import canary, dry_run
from routing.tables import decisions
from tests.builders import Town, later
from tests.routing.acts import faults, tip


def watch(duty: Duty) -> int:
    """What the clock does in a minute."""
    answered = canary.keep_watch(duty)
    worker.sweep(duty)
    return answered


def states(town: Town) -> list[str]:
    with database.reading(town.engine) as session:
        return list(session.execute(select(referrals.c.state).order_by(referrals.c.filed_at)).scalars())


def is_late(duty: Duty) -> bool:
    with database.reading(duty.engine) as session:
        return canary.is_late(session, duty.settings, clock.now())


def test_a_canary_is_filed_routed_told_acknowledged_and_closed(town: Town, duty: Duty) -> None:
    assert is_late(duty)
    assert watch(duty) == 0
    assert watch(duty) == 1
    assert states(town) == ["closed"]
    assert not is_late(duty)
    assert faults(town) == []


def test_one_is_filed_every_five_minutes(town: Town, duty: Duty) -> None:
    for minutes in (0, 1, 4, 6):
        with later(minutes=minutes):
            watch(duty)
    assert len(states(town)) == 2


def test_a_day_later_only_its_tombstone_and_an_intact_ledger_are_left(town: Town, duty: Duty) -> None:
    for minutes in (0, 1, 24 * 60 + 2):
        with later(minutes=minutes):
            watch(duty)
    with later(days=2), database.reading(town.engine) as session:
        first, second = session.execute(select(referrals).order_by(referrals.c.filed_at)).all()
        parts = select(sealed_parts.c.referral_id).distinct()
        assert session.execute(parts).scalars().all() == [second.id]
        whys = select(decisions.c.explanation).where(decisions.c.referral_id == first.id)
        assert set(map(str, session.execute(whys).scalars())) == {"{}"}
        # What nobody sent is no reason to renew everybody's keys.
        assert first.erased_at is not None
        assert not rotation.is_owed(session, clock.now())
    assert faults(town) == []


def test_nobody_but_the_robot_is_told(town: Town, duty: Duty) -> None:
    for minutes in (0, 9, 20, 31):
        with later(minutes=minutes):
            worker.sweep(duty)
            canary.keep_watch(duty)
    with database.reading(town.engine) as session:
        assert set(session.execute(select(notices.c.channel)).scalars()) == {"robot"}


def test_what_nobody_acknowledges_is_late_and_ends(town: Town, duty: Duty) -> None:
    watch(duty)
    with database.transaction(town.engine) as session:
        session.execute(notices.update().values(state="failed_permanent"))
    with later(minutes=16):
        assert watch(duty) == 0
        assert is_late(duty)
    assert states(town)[0] == "closed"
    assert faults(town) == []


def test_it_is_late_when_the_last_one_is_old(town: Town, duty: Duty) -> None:
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, canary.PART, clock.now())
    assert not is_late(duty)
    with later(minutes=16):
        assert is_late(duty)


def test_a_canary_that_fails_stops_no_clock_and_shows(
    town: Town, duty: Duty, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("the keyring is not ours to write")

    monkeypatch.setattr(canary, "make_robot", refuse)
    assert watch(duty) == 0
    assert caplog.messages == ["the canary failed: OSError"]
    assert is_late(duty)


def test_it_is_off_by_setting(town: Town, duty: Duty) -> None:
    off = replace(duty, settings=replace(duty.settings, canary_minutes=0))
    watch(off)
    assert states(town) == []
    assert not is_late(off)


@pytest.mark.parametrize("group", board.GROUPS)
def test_no_board_shows_it(town: Town, duty: Duty, group: str) -> None:
    watch(duty)
    with database.reading(town.engine) as session:
        everybody = list(session.execute(select(team_rows.c.id)).scalars())
        assert board.GROUPS[group](session, everybody, None, None).count == 0


def test_no_list_shows_the_robot_and_no_trial_counts_the_canary(town: Town, duty: Duty) -> None:
    with database.reading(town.engine) as session:
        before = (len(teams.all_teams(session)), len(members.roster(session)))
    watch(duty)
    with database.reading(town.engine) as session:
        assert (len(teams.all_teams(session)), len(members.roster(session))) == before
        assert len(dry_run._Recent(town.engine, clock.now())) == 0
        assert session.execute(select(func.count()).select_from(referrals)).scalar_one() == 1


def test_the_robot_gets_nothing_else(town: Town, duty: Duty) -> None:
    watch(duty)
    tip(town, Urgency.IMMINENT)
    with database.reading(town.engine) as session:
        marks = set(session.execute(select(notices.c.mark).where(notices.c.channel == "robot")).scalars())
        people = set(session.execute(select(notices.c.mark).where(notices.c.channel != "robot")).scalars())
    assert (marks, people) == ({"canary"}, {None})
