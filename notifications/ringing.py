"""When a text is not enough, the telephone rings: the number takes no texts, or nobody answered the text in time.

The call is a notice of its own, so that it is claimed, recorded, looked for and superseded like every other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, insert, select
from sqlalchemy.orm import Session

from directory.members import Channel
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from notifications.states import NoticeState
from notifications.tables import notices
from referrals.duty import Duty
from referrals.facts import Urgency

RING = "notifications.ringing.ring"
DELIVER = "notifications.delivery.deliver"
# So long after a text left the same telephone rings, unless somebody answered. What is routine rings nobody.
_RINGS_AFTER = {Urgency.IMMINENT: timedelta(seconds=90), Urgency.ELEVATED: timedelta(minutes=5)}
# What a call says that the text said. The code is the text's alone: a call is answered by a digit.
_SAME = (
    "subject_id",
    "reference",
    "urgency",
    "team_id",
    "member_id",
    "contact_id",
    "template",
    "asked",
    "mark",
    "language",
    "time_zone",
    "deadline_at",
    "code_until",
)


def ring_later(session: Session, notice: Row[Any], now: datetime) -> None:
    """Owes a call to the telephone that was just sent an urgent text which asks for an answer."""
    after = _RINGS_AFTER.get(Urgency(notice.urgency))
    if after and notice.code_until and notice.channel == Channel.SMS.value:
        outbox.post(session, RING, notice.id, now=now, urgent=True, due_at=now + after)


def ring(duty: Duty, notice_id: str) -> None:
    """Calls the reader of a text, unless it was answered meanwhile or its time is over."""
    with database.transaction(duty.engine) as session:
        notice = session.execute(select(notices).where(notices.c.id == notice_id)).one()
        now = clock.now()
        # Whoever answered ended the time of all notices of the matter.
        if notice.state != NoticeState.SUPERSEDED.value and notice.deadline_at > now:
            call_as_well(session, notice, now)


def call_as_well(session: Session, notice: Row[Any], now: datetime) -> None:
    """Writes the call that stands beside a text which asks for an answer, once."""
    called = exists().where(
        notices.c.channel == Channel.VOICE.value,
        notices.c.contact_id == notice.contact_id,
        notices.c.subject_id == notice.subject_id,
        notices.c.created_at >= notice.created_at,
    )
    if not notice.code_until or session.execute(select(called)).scalar_one():
        return
    same = {name: getattr(notice, name) for name in _SAME}
    same |= {"id": (id := new_id()), "channel": Channel.VOICE.value, "state": NoticeState.DUE.value}
    session.execute(insert(notices).values(**same, created_at=now))
    outbox.post(session, DELIVER, id, now=now, urgent=notice.urgency != Urgency.ROUTINE.value)
