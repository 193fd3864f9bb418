"""Half a day before a turn begins its owner is told, once, and nobody who has the duty already."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from directory import schedules
from directory.on_call import Rotation
from foundation import clock, database
from notifications import turns
from notifications.tables import notices
from referrals.duty import Duty
from tests.builders import Town, later

PHOENIX = ZoneInfo("America/Phoenix")


def _plan(town: Town, handover_in: timedelta) -> datetime:
    """Ines has the duty, and hands it to Tomas after that time; returns when."""
    handover = (clock.now() + handover_in).astimezone(PHOENIX).replace(second=0, microsecond=0)
    members = town.member_id("Ines"), town.member_id("Tomas")
    # The second turn begins at the handover.
    rotation = Rotation(
        "week", members, handover.date() - timedelta(days=7), time(handover.hour, handover.minute)
    )
    with database.transaction(town.engine) as session:
        schedules.set_rotations(
            session, town.team["tempe-police"], [rotation], fallback_covers=False, by=None, now=clock.now()
        )
    return handover


def _told(town: Town) -> list[Row[Any]]:
    with database.reading(town.engine) as session:
        return list(session.execute(select(notices).where(notices.c.template == "turn")))


def test_who_comes_next_is_told_once_half_a_day_before(town: Town, duty: Duty) -> None:
    begins = _plan(town, timedelta(hours=10))
    assert turns.tell_coming(duty)
    assert turns.tell_coming(duty) == 0
    told = _told(town)
    assert {row.member_id for row in told} == {town.member_id("Tomas")}
    assert {row.deadline_at for row in told} == {begins}


def test_nobody_is_told_days_before(town: Town, duty: Duty) -> None:
    _plan(town, timedelta(hours=20))
    assert turns.tell_coming(duty) == 0
    with later(hours=9):
        assert turns.tell_coming(duty)
    assert {row.member_id for row in _told(town)} == {town.member_id("Tomas")}
