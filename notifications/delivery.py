"""Delivering a notice: record the attempt, call the provider with no transaction open, record what became of it.

A process may die between any two lines. Then the outbox hands the notice to another process after the lease, which
finds an attempt without an outcome: nobody knows whether the provider has it. It asks the provider first, and only
what is not found there is sent again, with the same code, so that a doubled message is recognised as one.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory import members, teams
from directory.members import Channel
from directory.tables import contacts
from directory.teams import TeamKind
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications import twilio_codes, webhook, words
from notifications.mail import MailSender
from notifications.outcomes import LOUD, Action, Outcome, OutcomeState
from notifications.sms import ProviderSilent, SmsSender
from notifications.states import NoticeState, lower
from notifications.tables import attempts, notices
from referrals.duty import Duty
from referrals.facts import Urgency

log = logging.getLogger(__name__)

# The room above that knows who is next; a test resolves the name.
NEXT_CONTACT = "routing.jobs.next_contact"
# How long nobody sends again after a call that may have worked: callbacks and the provider's list need time.
_ASK_AFTER = {Urgency.IMMINENT: timedelta(seconds=60), Urgency.ELEVATED: timedelta(seconds=60)}
_ASK_AFTER_ROUTINE = timedelta(minutes=10)
# A notice that the provider puts off is not tried for ever: escalation has long moved on.
_MOST_ATTEMPTS = 8
# The attempt asked the provider about the one before it and sent nothing.
ASKED = "asked"
_NO_PROVIDER = Outcome(OutcomeState.FAILED_PERMANENT, Action.NOTHING, code="no_provider")
# It reached its reader, or still may.
_ALIVE = frozenset(NoticeState) - {NoticeState.FAILED_PERMANENT, NoticeState.SUPERSEDED}
_UNSETTLED = {NoticeState.FAILED_TRANSIENT, NoticeState.UNKNOWN}
_DELIVERABLE = {
    NoticeState.DUE.value,
    NoticeState.CALLING.value,
    NoticeState.UNKNOWN.value,
    NoticeState.FAILED_TRANSIENT.value,
}


@dataclass(frozen=True)
class _Call:
    """Everything that the call needs, read before it, so that no transaction is open meanwhile."""

    notice: Row[Any]
    address: str
    attempt_id: str
    # The earlier attempt whose outcome nobody knows; the first, where several are.
    unclear: Row[Any] | None
    # The provider's ids of the messages to this address that belong to other attempts.
    claimed: frozenset[str]
    # What mail to the reader is sealed to, if they gave anything.
    mail_key: str | None
    # Where the reader signs in is another door for an office than for a team.
    office: bool


def deliver(duty: Duty, notice_id: str) -> datetime | None:
    """Sends one notice; returns when to come again, or None when nothing is left to do."""
    with database.transaction(duty.engine) as session:
        call = _begin(session, notice_id)
    if not isinstance(call, _Call):
        return call
    told = _ask(duty.settings, call)
    outcome = told or _CHANNELS[Channel(call.notice.channel)](duty.settings, call)
    with database.transaction(duty.engine) as session:
        return _settle(session, call, outcome, clock.now(), asked=told is not None)


def _begin(session: Session, notice_id: str) -> _Call | datetime | None:
    """Writes down the attempt. None: nothing to do. A time: too early to send again."""
    notice = session.execute(select(notices).where(notices.c.id == notice_id)).one()
    if notice.state not in _DELIVERABLE:
        return None
    contact = session.execute(select(contacts).where(contacts.c.id == notice.contact_id)).one()
    if contact.disabled_at or contact.opted_out_at:
        _set(session, notice_id, NoticeState.FAILED_PERMANENT, fault="contact_disabled")
        react(session, notice, Action.NEXT_CONTACT, None, clock.now(), failed=True)
        return None
    now, unclear = database.now(session), _unclear_attempts(session, notice_id)
    wait: datetime | None = unclear[-1].started_at + _ask_after(notice) if unclear else None
    if wait is not None and wait > now:
        _set(session, notice_id, NoticeState.UNKNOWN, fault=None)
        return wait
    attempt_id = new_id()
    words_sent = words.VERSIONS[notice.language]
    session.execute(
        insert(attempts).values(id=attempt_id, notice_id=notice_id, started_at=now, words=words_sent)
    )
    _set(session, notice_id, NoticeState.CALLING, fault=None)
    return _Call(
        notice,
        contact.address,
        attempt_id,
        unclear[0] if unclear else None,
        _claimed(session, contact.address) if unclear else frozenset(),
        contact.mail_key,
        teams.team(session, notice.team_id).kind == TeamKind.OFFICE.value,
    )


def _claimed(session: Session, address: str) -> frozenset[str]:
    query = (
        select(attempts.c.provider_id)
        .join(notices, notices.c.id == attempts.c.notice_id)
        .join(contacts, contacts.c.id == notices.c.contact_id)
        .where(contacts.c.address == address, attempts.c.provider_id.is_not(None))
    )
    return frozenset(session.execute(query).scalars())


def _unclear_attempts(session: Session, notice_id: str) -> list[Row[Any]]:
    """The attempts of which nobody knows what became, oldest first; none once the last one is clear."""
    sent = attempts.c.outcome.is_distinct_from(ASKED)
    rows = session.execute(
        select(attempts).where(attempts.c.notice_id == notice_id, sent).order_by(attempts.c.started_at)
    ).all()
    unclear: list[Row[Any]] = []
    for row in rows:
        unclear = [*unclear, row] if row.outcome in (None, OutcomeState.UNKNOWN.value) else []
    return unclear


def _ask_after(notice: Row[Any]) -> timedelta:
    return _ASK_AFTER.get(Urgency(notice.urgency), _ASK_AFTER_ROUTINE)


def _ask(settings: Settings, call: _Call) -> Outcome | None:
    """What the provider knows of an unclear attempt; None where it has nothing, so that it must be sent again."""
    if call.unclear is None or call.notice.channel != Channel.SMS.value:
        return None
    marker = call.notice.code or call.notice.reference
    try:
        found = _sms(settings).find(call.address, call.unclear.started_at, marker, call.claimed)
    except ProviderSilent:
        return Outcome(OutcomeState.UNKNOWN, Action.ASK, code="provider_silent")
    return found.outcome if found else None


def _send_sms(settings: Settings, call: _Call) -> Outcome:
    if not settings.twilio_account_sid:
        return _NO_PROVIDER
    remaining = (call.notice.deadline_at - clock.now()).total_seconds()
    text = words.sms_text(
        call.notice.template,
        call.notice.language,
        code=call.notice.code,
        **_asked(call.notice),
        **_placeholders(settings, call),
    )
    return _sms(settings).send(
        call.address, text, attempt_id=call.attempt_id, validity_s=max(remaining, 60.0)
    )


def _send_mail(settings: Settings, call: _Call) -> Outcome:
    if not settings.smtp_host:
        return _NO_PROVIDER
    subject, text, html = words.mail_text(
        call.notice.template,
        call.notice.language,
        code=call.notice.code,
        **_asked(call.notice),
        **_placeholders(settings, call),
    )
    # The same notice keeps its Message-ID, so that a mail sent twice is shown once; so it names no attempt.
    outcome = _mail(settings).send(
        call.address, subject, text, html, message_id=call.notice.id, key=call.mail_key
    )
    return replace(outcome, provider_id=None)


def _call_webhook(settings: Settings, call: _Call) -> Outcome:
    notice = call.notice
    proof = notice.template == words.Template.PROOF.value
    body = {
        "type": f"notice.{notice.template}",
        "timestamp": notice.created_at.isoformat(),
        "data": {
            "reference": notice.reference,
            "urgency": notice.urgency,
            "deadline": notice.deadline_at.isoformat(),
            "sign_in": _address(settings, notice.template, call.office),
            "code": notice.code if proof else None,
        },
    }
    outcome = webhook.send(
        settings, call.address, body, webhook_id=notice.contact_id, message_id=notice.id, now=clock.now()
    )
    return replace(outcome, provider_id=None)


_CHANNELS: dict[Channel, Callable[[Settings, _Call], Outcome]] = {
    Channel.SMS: _send_sms,
    Channel.EMAIL: _send_mail,
    Channel.WEBHOOK: _call_webhook,
    Channel.ROBOT: lambda settings, call: Outcome(OutcomeState.ACCEPTED),
}


def _settle(
    session: Session, call: _Call, outcome: Outcome, now: datetime, *, asked: bool
) -> datetime | None:
    notice, attempt_id = call.notice, call.attempt_id
    if asked and call.unclear is not None:
        # The answer is the earlier attempt's: its reports name that one, and a provider's id belongs to one only.
        _write_outcome(session, attempt_id, now, outcome=ASKED)
        attempt_id = call.unclear.id
    first = _write_outcome(
        session,
        attempt_id,
        now,
        outcome=outcome.state.value,
        provider_id=outcome.provider_id,
        code=None if outcome.code is None else str(outcome.code),
    )
    state = NoticeState(outcome.state.value)
    if state is NoticeState.ACCEPTED:
        if first:
            _raise(session, notice.id, state)
        return None
    fault = None if outcome.code is None else str(outcome.code)
    if state in _UNSETTLED and not may_try_again(session, notice.id):
        state = NoticeState.FAILED_PERMANENT
    _set(session, notice.id, state, fault=fault)
    react(session, notice, outcome.action, fault, now, failed=state is NoticeState.FAILED_PERMANENT)
    return _again(notice, state, outcome, now)


def _write_outcome(session: Session, attempt_id: str, now: datetime, **outcome: str | None) -> bool:
    """Whether it was news: a report that came first has settled the attempt already, and knows more."""
    written = database.changed(
        session,
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.provider_id.is_(None))
        .values(settled_at=now, **outcome),
    )
    return written > 0


def react(
    session: Session, notice: Row[Any], action: Action, fault: str | None, now: datetime, *, failed: bool
) -> None:
    """What a failure asks for besides trying again: the contact is marked, the next person is told at once.

    What is our own fault is logged, by code alone; `notices.provider_faults` shows it to people.
    """
    if action in LOUD:
        log.error("the provider of %s refuses us: %s, code %s", notice.channel, action.value, fault)
    if action is Action.DISABLE_CONTACT or _is_gone(session, notice, fault):
        members.disable_contact(session, notice.contact_id, reason=f"provider said {fault}", now=now)
    if action is Action.OPTED_OUT:
        address = session.execute(
            select(contacts.c.address).where(contacts.c.id == notice.contact_id)
        ).scalar_one()
        members.opt_out(session, address, now)
    given_up = action is not Action.NOTHING and (failed or action is Action.RETRY_AND_NEXT)
    # Only what asks for an answer has a next person.
    if given_up and notice.code_until and not _reached_otherwise(session, notice):
        outbox.post(
            session, NEXT_CONTACT, notice.subject_id, now=now, urgent=notice.urgency != Urgency.ROUTINE
        )


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
    and when it failed, it has asked the next person itself, unless no provider was there to fail it.
    """
    texts = session.execute(
        select(notices).where(
            notices.c.subject_id == notice.subject_id,
            notices.c.member_id == notice.member_id,
            notices.c.channel == Channel.SMS.value,
            notices.c.id != notice.id,
        )
    ).all()
    is_mail = notice.channel == Channel.EMAIL.value
    return any(
        text.state in _ALIVE
        or (is_mail and text.created_at == notice.created_at and text.fault != _NO_PROVIDER.code)
        for text in texts
    )


def _again(notice: Row[Any], state: NoticeState, outcome: Outcome, now: datetime) -> datetime | None:
    if state is NoticeState.UNKNOWN:
        return now + _ask_after(notice)
    if state is NoticeState.FAILED_TRANSIENT:
        wait = outcome.retry_after_s or 15.0 * random.uniform(0.7, 1.3)
        return now + timedelta(seconds=wait)
    return None


def may_try_again(session: Session, notice_id: str) -> bool:
    """Whether the notice has attempts left."""
    tries = session.execute(select(attempts.c.id).where(attempts.c.notice_id == notice_id)).all()
    return len(tries) < _MOST_ATTEMPTS


def _set(session: Session, notice_id: str, state: NoticeState, *, fault: str | None) -> None:
    session.execute(
        update(notices)
        .where(notices.c.id == notice_id, notices.c.state.in_(_DELIVERABLE))
        .values(state=state.value, fault=fault)
    )


def _raise(session: Session, notice_id: str, state: NoticeState) -> None:
    """A callback may have come first and said more: what is known already is never lowered."""
    session.execute(
        update(notices)
        .where(notices.c.id == notice_id, notices.c.state.in_(lower(state)))
        .values(state=state.value, fault=None)
    )


def _placeholders(settings: Settings, call: _Call) -> dict[str, str]:
    """All that a message may hold besides its code."""
    notice = call.notice
    deadline = words.deadline_words(notice.deadline_at, notice.time_zone, notice.language, now=clock.now())
    return {
        "reference": notice.reference,
        "urgency": notice.urgency,
        "deadline": deadline,
        "address": _address(settings, notice.template, call.office),
    }


def _asked(notice: Row[Any]) -> dict[str, Any]:
    return {"asked": notice.asked, "drill": notice.mark == "drill"}


def _address(settings: Settings, template: str, office: bool) -> str:
    """Where the reader signs in, or types the code of a proof."""
    door = f"{settings.public_url}/portal" if office else settings.desk_url
    return f"{door}/contacts" if template == words.Template.PROOF.value else door


def _sms(settings: Settings) -> SmsSender:
    return _sms_of_thread(settings, threading.get_ident())


@cache
def _sms_of_thread(settings: Settings, _thread: int) -> SmsSender:
    """A sender keeps connections open, which two threads must not share."""
    return SmsSender(settings)


@cache
def _mail(settings: Settings) -> MailSender:
    return MailSender(settings)
