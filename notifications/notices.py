"""Notices: writing down who is to be told that something waits, and finding the notice that a reply answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, func, insert, select, update
from sqlalchemy.orm import Session

from directory import members
from directory.members import Channel
from directory.tables import memberships
from foundation import database, outbox
from foundation.identifiers import new_code, new_id, readable
from notifications import bundling, mail, twilio_codes
from notifications.outcomes import LOUD, NOT_SET, Action
from notifications.replies import CODE_LENGTH
from notifications.states import OPEN_NOTICES, NoticeState
from notifications.tables import notices
from notifications.words import Asked
from referrals.facts import Urgency
from referrals.filing import Mark

DELIVER = "notifications.delivery.deliver"
_CODE_LIFE = timedelta(hours=4)
_FAILED = (NoticeState.FAILED_PERMANENT.value, NoticeState.FAILED_TRANSIENT.value)


@dataclass(frozen=True)
class Waiting:
    """What waits: the thing's id, the reference and urgency that may be said aloud, and when it is due."""

    subject_id: str
    reference: str
    urgency: Urgency
    team_id: str
    time_zone: str
    deadline_at: datetime
    # A drill's or the canary's, which no count holds.
    mark: str | None = None


@dataclass(frozen=True)
class ProviderFault:
    """What a provider refuses us for: the channel, its code, what that asks for, how many notices and when last."""

    channel: Channel
    code: str
    action: Action
    count: int
    last: datetime


def write(
    session: Session,
    waiting: Waiting,
    member_ids: Sequence[str],
    template: str,
    *,
    now: datetime,
    channels: Sequence[Channel] = tuple(Channel),
    with_code: bool = False,
    asked: str = Asked.TRANSFER.value,
) -> int:
    """One notice for each usable contact of these members, owed to the delivery or held for a digest; returns how many.

    `with_code` asks for an answer: each telephone is given a short code by which its owner can answer, and what cannot
    be delivered, on any channel, asks the next person.
    """
    urgent = waiting.urgency is not Urgency.ROUTINE
    usable = members.reachable_contacts(session, member_ids)
    reached = [row for row in usable if row.channel in channels and _is_meant(row.channel, waiting.mark)]
    for contact in reached:
        id = new_id()
        waits = bundling.must_wait(
            session, contact, template, waiting.urgency, waiting.time_zone, now, mark=waiting.mark
        )
        code = _free_code(session, contact.id, now) if with_code and contact.channel == Channel.SMS else None
        session.execute(
            insert(notices).values(
                id=id,
                subject_id=waiting.subject_id,
                reference=waiting.reference,
                urgency=waiting.urgency.value,
                team_id=waiting.team_id,
                member_id=contact.member_id,
                contact_id=contact.id,
                channel=contact.channel,
                template=template,
                asked=asked,
                mark=waiting.mark,
                language=contact.language,
                time_zone=waiting.time_zone,
                deadline_at=waiting.deadline_at,
                code=code,
                code_until=now + _CODE_LIFE if with_code else None,
                state=(NoticeState.HELD if waits else NoticeState.DUE).value,
                created_at=now,
            )
        )
        if not waits:
            outbox.post(session, DELIVER, id, now=now, urgent=urgent)
    return len(reached)


def supersede(session: Session, subject_id: str) -> None:
    """Somebody answered: notices of that subject that did not leave yet stay where they are, for good.

    Those that left are due no more, so that a late report of their failure sends nothing again.
    """
    of_subject, now = notices.c.subject_id == subject_id, database.now(session)
    session.execute(
        update(notices)
        .where(of_subject, notices.c.state.in_(OPEN_NOTICES))
        .values(state=NoticeState.SUPERSEDED.value)
    )
    session.execute(update(notices).where(of_subject, notices.c.deadline_at > now).values(deadline_at=now))


def told(session: Session, subject_id: str, template: str | None = None) -> frozenset[str]:
    """Ids of the members who were sent a notice about that subject."""
    query = select(notices.c.member_id).where(notices.c.subject_id == subject_id)
    if template is not None:
        query = query.where(notices.c.template == template)
    return frozenset(session.execute(query).scalars())


def by_code(session: Session, address: str, typed: str, now: datetime) -> Row[Any] | None:
    """The notice whose code was sent to that telephone number and still lives, or None.

    The number must still be usable, and its owner still have a seat in the team that was asked.
    """
    contact_ids = [
        contact.id
        for contact in members.contacts_at(session, Channel.SMS, address)
        if contact.verified_at and not contact.opted_out_at and not contact.disabled_at
    ]
    seat = and_(memberships.c.member_id == notices.c.member_id, memberships.c.team_id == notices.c.team_id)
    return session.execute(
        select(notices)
        .join(memberships, seat)
        .where(
            notices.c.contact_id.in_(contact_ids),
            notices.c.code == readable(typed),
            notices.c.code_until > now,
        )
        .order_by(notices.c.created_at.desc())
        .limit(1)
    ).one_or_none()


def provider_faults(session: Session, since: datetime) -> list[ProviderFault]:
    """Why providers refuse us, rather than a reader's address, in notices written since then; the latest first.

    A notice that left after all counts no more.
    """
    last = func.max(notices.c.created_at)
    rows = session.execute(
        select(notices.c.channel, notices.c.fault, func.count(), last)
        .where(notices.c.created_at >= since, notices.c.state.in_(_FAILED), notices.c.fault.is_not(None))
        .group_by(notices.c.channel, notices.c.fault)
        .order_by(last.desc(), notices.c.fault)
    )
    faults = [
        ProviderFault(Channel(channel), fault, _action_of(channel, fault), count, at)
        for channel, fault, count, at in rows
    ]
    return [fault for fault in faults if fault.action in LOUD]


def _is_meant(channel: str, mark: str | None) -> bool:
    """The canary's notices go to the robot alone, and it gets no others."""
    return (channel == Channel.ROBOT.value) is (mark == Mark.CANARY.value)


def _action_of(channel: str, fault: str) -> Action:
    if fault == NOT_SET:
        # Calls may be left out on purpose; who left out texts or mail has people whom nobody tells.
        return Action.NOTHING if channel == Channel.VOICE.value else Action.CONFIGURATION
    if channel == Channel.EMAIL.value:
        return mail.action_of(fault)
    # What an agency's own system answers is no provider's refusal, though it looks like a code.
    is_twilios = channel in (Channel.SMS.value, Channel.VOICE.value) and fault.isdecimal()
    return twilio_codes.outcome_of(int(fault)).action if is_twilios else Action.NOTHING


def _free_code(session: Session, contact_id: str, now: datetime) -> str:
    """A code that no living notice to this contact has."""
    living = select(notices.c.code).where(notices.c.contact_id == contact_id, notices.c.code_until > now)
    taken = set(session.execute(living).scalars())
    while True:
        code = new_code(CODE_LENGTH)
        if code not in taken:
            return code
