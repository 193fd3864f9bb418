"""What a failed notice asks for besides trying again: a contact is marked, the next person told, a sender stopped."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from directory import members
from directory.members import Channel
from directory.tables import contacts
from foundation import outbox
from notifications import losses, ringing, senders, twilio_codes
from notifications.channels import NO_PROVIDER
from notifications.outcomes import LOUD, Action
from notifications.states import NoticeState
from notifications.tables import notices
from referrals.facts import Urgency

# Texts do not come through; the same telephone may ring all the same.
_RING_INSTEAD = frozenset({Action.NEXT_CONTACT, Action.CONFIGURATION, Action.ALARM})

log = logging.getLogger(__name__)

# The room above that knows who is next; a test resolves the name.
NEXT_CONTACT = "routing.jobs.next_contact"
# It reached its reader, or still may.
_ALIVE = frozenset(NoticeState) - {
    NoticeState.FAILED_PERMANENT,
    NoticeState.EXPIRED,
    NoticeState.SUPERSEDED,
}


def react(
    session: Session, notice: Row[Any], action: Action, fault: str | None, now: datetime, *, failed: bool
) -> None:
    """Does what the action asks for, once for each failure.

    What is our own fault is logged, by code alone, and mailed to the administrators; `notices.provider_faults` shows
    it to people.
    """
    if action in LOUD:
        log.error("the provider of %s refuses us: %s, code %s", notice.channel, action.value, fault)
        senders.refused(session, notice.channel, fault or "none", action, now)
    urgent = notice.urgency != Urgency.ROUTINE.value
    # Without a code of the provider nothing was tried, since the account or the contact is given up.
    refused = failed and fault is not None and notice.channel == Channel.SMS.value
    if action is Action.NOT_FOR_SMS or (refused and urgent and action in _RING_INSTEAD):
        ringing.call_as_well(session, notice, now)
    if action is Action.DISABLE_CONTACT or _is_gone(session, notice, fault):
        losses.end(session, notice.contact_id, f"provider said {fault}", now)
    if action is Action.OPTED_OUT:
        address = session.execute(
            select(contacts.c.address).where(contacts.c.id == notice.contact_id)
        ).scalar_one()
        members.opt_out(session, address, now)
    given_up = action is not Action.NOTHING and (failed or action is Action.RETRY_AND_NEXT)
    # Only what asks for an answer has a next person.
    if given_up and notice.code_until and not _reached_otherwise(session, notice):
        outbox.post(session, NEXT_CONTACT, notice.subject_id, now=now, urgent=urgent)


def _is_gone(session: Session, notice: Row[Any], fault: str | None) -> bool:
    """Whether this code came a second time from this contact, and means that nobody is there."""
    if notice.channel != Channel.SMS.value or fault not in twilio_codes.GONE_IF_REPEATED:
        return False
    before = select(notices.c.id).where(
        notices.c.contact_id == notice.contact_id, notices.c.fault == fault, notices.c.id != notice.id
    )
    return session.execute(before.limit(1)).first() is not None


def _reached_otherwise(session: Session, notice: Row[Any]) -> bool:
    """Whether another text to the same person speaks for this notice.

    A mail never stands in for a text, since it is read when it is read. A text stands in for a mail while it lives;
    and when it failed, it has asked the next person itself, unless no provider was there to fail it. A call that
    reached nobody comes after a text that told nobody anything: only one that failed has asked already.
    """
    texts = session.execute(
        select(notices).where(
            notices.c.subject_id == notice.subject_id,
            notices.c.member_id == notice.member_id,
            notices.c.channel == Channel.SMS.value,
            notices.c.id != notice.id,
        )
    ).all()
    if notice.channel == Channel.VOICE.value:
        return any(text.state not in _ALIVE for text in texts)
    is_mail = notice.channel == Channel.EMAIL.value
    return any(
        text.state in _ALIVE
        or (is_mail and text.created_at == notice.created_at and text.fault != NO_PROVIDER.code)
        for text in texts
    )
