"""Telling people half a day before that their turn on duty begins."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import schedules, teams
from directory.on_call import Turn
from directory.tables import schedules as kept
from foundation import clock, database
from notifications import notices
from notifications.notices import Waiting
from notifications.words import Template
from referrals.duty import Duty
from referrals.facts import Urgency

# Before a turn that begins in the morning this is the evening: time to swap it.
AHEAD = timedelta(hours=12)
_MOMENT = timedelta(seconds=1)


def tell_coming(duty: Duty) -> int:
    """Tells everybody whose turn begins within half a day and who was not told; returns how many notices."""
    now = clock.now()
    with database.transaction(duty.engine) as session:
        planned = session.execute(select(kept.c.team_id)).scalars().all()
        return sum(_tell_team(session, team_id, now) for team_id in planned)


def _tell_team(session: Session, team_id: str, now: datetime) -> int:
    schedule = schedules.plan(session, team_id, now).schedule
    count = 0
    for turn in schedule.turns(now, now + AHEAD):
        # Who has the duty already goes on with it.
        fresh = set(turn.members) - set(schedule.on_duty(turn.begins - _MOMENT))
        if turn.begins > now:
            count += sum(_tell(session, team_id, member, turn, now) for member in sorted(fresh))
    return count


def _tell(session: Session, team_id: str, member_id: str, turn: Turn, now: datetime) -> int:
    name = f"{team_id} {member_id} {turn.begins.isoformat()}"
    subject_id = hashlib.sha256(name.encode()).hexdigest()[:32]
    if notices.told(session, subject_id):
        return 0
    zone = teams.team(session, team_id).time_zone
    waiting = Waiting(subject_id, "", Urgency.ROUTINE, team_id, zone, turn.begins)
    return notices.write(session, waiting, [member_id], Template.TURN.value, now=now)
