"""What may wait in a storm or at night, and the digest in which it is told. Nothing urgent is ever held.

A routine notice whose telephone or mailbox had its share lately, or whose owner has quiet hours, is held: written, and
not sent. The clock sends one digest in place of all referrals of which a contact is owed word, each team's at most
every quarter of an hour; a drill has shares and digests of its own. Clocks and escalation do not look at any of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from directory.members import Channel
from directory.tables import members
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from notifications.states import NoticeState
from notifications.tables import notices
from notifications.words import Template
from referrals.duty import Duty
from referrals.facts import Urgency

DIGEST_EVERY = timedelta(minutes=15)
# Of a held notice that a digest spoke for.
BUNDLED = "bundled"
# Named here as well as in `notices`, which asks this module; a test resolves it.
_DELIVER = "notifications.delivery.deliver"


@dataclass(frozen=True)
class Share:
    """So many routine notices one contact gets on its own in that time; the next are held."""

    most: int
    within: timedelta


# The rule table of throttling. A call rings at night and in meetings; a mailbox is looked into when its owner likes.
SHARES: dict[Channel, Share] = {
    Channel.SMS: Share(3, timedelta(minutes=15)),
    Channel.VOICE: Share(1, timedelta(minutes=15)),
    Channel.EMAIL: Share(10, timedelta(minutes=15)),
}
# Machines that read for themselves are told each thing; and quiet hours are for what makes a noise.
_QUIET = (Channel.SMS, Channel.VOICE)
# What was asked for this minute by its own reader.
_NEVER_HELD = (Template.PROOF.value, Template.TEST.value, Template.DIGEST.value)


def must_wait(
    session: Session,
    contact: Row[Any],
    template: str,
    urgency: Urgency,
    time_zone: str,
    now: datetime,
    *,
    mark: str | None = None,
) -> bool:
    """Whether a notice to that contact is held. Only routine ones ever are."""
    if urgency is not Urgency.ROUTINE or template in _NEVER_HELD:
        return False
    channel = Channel(contact.channel)
    share = SHARES.get(channel)
    quiet = channel in _QUIET and is_quiet(contact.quiet_from, contact.quiet_until, time_zone, now)
    return quiet or (share is not None and _had(session, contact.id, mark, now - share.within) >= share.most)


def is_quiet(begins: str | None, ends: str | None, time_zone: str, now: datetime) -> bool:
    """Whether it is between these two on that wall clock; over midnight where the second is the earlier."""
    if not begins or not ends:
        return False
    start, end = time.fromisoformat(begins), time.fromisoformat(ends)
    there = now.astimezone(ZoneInfo(time_zone)).time()
    return start <= there < end if start <= end else not end <= there < start


def release(duty: Duty) -> int:
    """Sends what was held: alone, or in one digest for each contact; returns how many messages. The clock calls it."""
    now = clock.now()
    with database.transaction(duty.engine) as session:
        rows = session.execute(_held()).all()
        sent = 0
        for (team_id, mark), of_team in groupby(rows, key=lambda row: (row.team_id, row.mark)):
            if not _was_sent(session, team_id, mark, now - DIGEST_EVERY):
                sent += _release_team(session, list(of_team), now)
    return sent


def _release_team(session: Session, rows: Sequence[Row[Any]], now: datetime) -> int:
    sent = 0
    for _, of_contact in groupby(rows, key=lambda row: row.contact_id):
        owed = list(of_contact)
        first = owed[0]
        quiet = is_quiet(first.quiet_from, first.quiet_until, first.time_zone, now)
        if quiet and Channel(first.channel) in _QUIET:
            continue
        sent += _send(session, owed, now)
    return sent


def _send(session: Session, owed: Sequence[Row[Any]], now: datetime) -> int:
    """One referral alone says what it is about, and so does what is about none, such as a turn on duty; several
    referrals are one digest."""
    referrals = [row for row in owed if row.reference]
    bundled = referrals if len(referrals) > 1 else []
    alone = [row.id for row in owed if row not in bundled]
    _set(session, alone, NoticeState.DUE, None)
    if bundled:
        _set(session, [row.id for row in bundled], NoticeState.SUPERSEDED, BUNDLED)
        alone.append(_write_digest(session, bundled, now))
    for id in alone:
        outbox.post(session, _DELIVER, id, now=now)
    return len(alone)


def _write_digest(session: Session, owed: Sequence[Row[Any]], now: datetime) -> str:
    first, id = owed[0], new_id()
    kept = ("team_id", "member_id", "contact_id", "channel", "language", "time_zone", "mark")
    session.execute(
        insert(notices).values(
            id=id,
            subject_id=new_id(),
            reference="",
            urgency=Urgency.ROUTINE.value,
            template=Template.DIGEST.value,
            deadline_at=min(row.deadline_at for row in owed),
            state=NoticeState.DUE.value,
            created_at=now,
            **{name: getattr(first, name) for name in kept},
        )
    )
    return id


def _set(session: Session, ids: Sequence[str], state: NoticeState, fault: str | None) -> None:
    held = notices.c.id.in_(ids), notices.c.state == NoticeState.HELD.value
    session.execute(update(notices).where(*held).values(state=state.value, fault=fault))


def _held() -> Any:
    return (
        select(notices, members.c.quiet_from, members.c.quiet_until)
        .join(members, members.c.id == notices.c.member_id)
        .where(notices.c.state == NoticeState.HELD.value)
        .order_by(
            notices.c.team_id,
            notices.c.mark.nulls_first(),
            notices.c.contact_id,
            notices.c.created_at,
            notices.c.id,
        )
    )


def _was_sent(session: Session, team_id: str, mark: str | None, since: datetime) -> bool:
    """Whether that team had a digest since then."""
    kind = notices.c.template == Template.DIGEST.value, notices.c.mark.is_not_distinct_from(mark)
    mine = notices.c.team_id == team_id, *kind
    return (
        session.execute(select(notices.c.id).where(*mine, notices.c.created_at > since)).first() is not None
    )


def _had(session: Session, contact_id: str, mark: str | None, since: datetime) -> int:
    """How many routine notices went to that contact on their own since then."""
    kind = notices.c.urgency == Urgency.ROUTINE.value, notices.c.mark.is_not_distinct_from(mark)
    routine = notices.c.contact_id == contact_id, *kind
    alone = notices.c.state != NoticeState.HELD.value, notices.c.fault.is_distinct_from(BUNDLED)
    query = select(func.count()).where(*routine, *alone, notices.c.created_at > since)
    return int(session.execute(query).scalar_one())
