"""Telling two weeks before that a key of the API ends: who answers for it, and the administrators, who make another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import api_keys, members, teams
from foundation import clock, database
from notifications import notices
from notifications.notices import Waiting
from notifications.words import Template
from referrals.duty import Duty
from referrals.facts import Urgency


def tell_ending(duty: Duty) -> int:
    """Tells of each key that ends soon, once; returns how many notices."""
    now = clock.now()
    with database.transaction(duty.engine) as session:
        untold = [
            key
            for key in api_keys.standing(session, now, soon=True)
            if not notices.told(session, key.id, Template.KEY_ENDS.value)
        ]
        return sum(
            _tell(session, key, member_id, now)
            for key in untold
            for member_id in sorted({key.member_id, *members.administrators(session)})
        )


def _tell(session: Session, key: Row[Any], member_id: str, now: datetime) -> int:
    reader = members.member(session, member_id)
    team = teams.home(session, reader.team_ids, administrator=reader.administrator)
    waiting = Waiting(key.id, "", Urgency.ROUTINE, team.id, team.time_zone, key.expires_at)
    return notices.write(session, waiting, [member_id], Template.KEY_ENDS.value, now=now)
