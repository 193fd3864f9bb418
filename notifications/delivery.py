"""Delivering a notice: record the attempt, call the provider with no transaction open, record what became of it.

A process may die between any two lines. Then the outbox hands the notice to another process after the lease, which
finds an attempt without an outcome: nobody knows whether the provider has it. It asks the provider first, and only
what is not found there is sent again, with the same code, so that a doubled message is recognised as one.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, update
from sqlalchemy.orm import Session

from directory import teams
from directory.members import Channel
from directory.tables import contacts
from directory.teams import TeamKind
from foundation import clock, database
from foundation.identifiers import new_id
from notifications import channels, ringing, senders, silence, twilio_codes, words
from notifications.channels import Call
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.reactions import react
from notifications.states import NoticeState, lower
from notifications.tables import attempts, notices
from referrals.duty import Duty
from referrals.facts import Urgency

# How long nobody sends again after a call that may have worked: callbacks and the provider's list need time.
_ASK_AFTER = {Urgency.IMMINENT: timedelta(seconds=60), Urgency.ELEVATED: timedelta(seconds=60)}
_ASK_AFTER_ROUTINE = timedelta(minutes=10)
# A notice that the provider puts off is not tried for ever: escalation has long moved on.
_MOST_ATTEMPTS = 8
# Who is put off for longer asks the next person meanwhile.
_PATIENCE = timedelta(seconds=60)
# The attempt asked the provider about the one before it and sent nothing.
ASKED = "asked"
# In the place of a provider's code: nothing was tried, since the account is refused.
SENDER_STOPPED = "sender_stopped"
_UNSETTLED = {NoticeState.FAILED_TRANSIENT, NoticeState.UNKNOWN}
_BY_TELEPHONE = {Channel.SMS.value, Channel.VOICE.value}
_DELIVERABLE = {
    NoticeState.DUE.value,
    NoticeState.CALLING.value,
    NoticeState.UNKNOWN.value,
    NoticeState.FAILED_TRANSIENT.value,
}


def deliver(duty: Duty, notice_id: str) -> datetime | None:
    """Sends one notice; returns when to come again, or None when nothing is left to do."""
    with database.transaction(duty.engine) as session:
        call = _begin(session, notice_id)
    if not isinstance(call, Call):
        return call
    told = channels.ask(duty.settings, call)
    outcome = told or channels.CHANNELS[Channel(call.notice.channel)](duty.settings, call)
    with database.transaction(duty.engine) as session:
        return _settle(session, call, outcome, clock.now(), asked=told is not None)


def _begin(session: Session, notice_id: str) -> Call | datetime | None:
    """Writes down the attempt. None: nothing to do. A time: too early to send again."""
    notice = session.execute(select(notices).where(notices.c.id == notice_id)).one()
    if notice.state not in _DELIVERABLE:
        return None
    contact = session.execute(select(contacts).where(contacts.c.id == notice.contact_id)).one()
    now, unclear = database.now(session), _unclear_attempts(session, notice_id)
    if _is_overtaken(session, notice, now):
        _set(session, notice_id, NoticeState.EXPIRED, fault=None)
        return None
    fault = "contact_disabled" if contact.disabled_at or contact.opted_out_at else None
    if fault is None and senders.is_stopped(session, notice.channel, now):
        fault = SENDER_STOPPED
    if fault:
        _set(session, notice_id, NoticeState.FAILED_PERMANENT, fault=fault)
        react(session, notice, Action.NEXT_CONTACT, None, now, failed=True)
        return None
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
    return Call(
        notice,
        contact.address,
        attempt_id,
        unclear[0] if unclear else None,
        _claimed(session, contact.address) if unclear else frozenset(),
        contact.mail_key,
        teams.team(session, notice.team_id).kind == TeamKind.OFFICE.value,
        notice.fault in twilio_codes.TOO_LONG,
    )


def _is_overtaken(session: Session, notice: Row[Any], now: datetime) -> bool:
    """Whether its time ran out before it left, and a later notice of the same matter goes to the same address.

    Where there is none, late is better than never.
    """
    if notice.deadline_at > now:
        return False
    later = exists().where(
        notices.c.subject_id == notice.subject_id,
        notices.c.contact_id == notice.contact_id,
        notices.c.created_at > notice.created_at,
    )
    return bool(session.execute(select(later)).scalar_one())


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


def _settle(session: Session, call: Call, outcome: Outcome, now: datetime, *, asked: bool) -> datetime | None:
    notice, attempt_id = call.notice, call.attempt_id
    if asked and call.unclear is not None:
        # The answer is the earlier attempt's: its reports name that one, and a provider's id belongs to one only.
        _write_outcome(session, attempt_id, now, outcome=ASKED)
        attempt_id = call.unclear.id
    if outcome.state is not OutcomeState.UNKNOWN:
        outcome = twilio_codes.repeated(outcome, failures(session, notice.id, outcome.code) + 1)
    fault = None if outcome.code is None else str(outcome.code)
    first = _write_outcome(
        session, attempt_id, now, outcome=outcome.state.value, provider_id=outcome.provider_id, code=fault
    )
    if not first or has_later(session, notice.id, call.attempt_id):
        # A report has said more already; or another process, after our lease, speaks for the notice.
        return None
    state = NoticeState(outcome.state.value)
    if state is NoticeState.ACCEPTED:
        _accept(session, notice, attempt_id, now)
        return None
    if state in _UNSETTLED and not may_try_again(session, notice.id):
        state = NoticeState.FAILED_PERMANENT
    _set(session, notice.id, state, fault=fault)
    action = Action.RETRY_AND_NEXT if _is_patience_over(session, notice, outcome, now) else outcome.action
    react(session, notice, action, fault, now, failed=state is NoticeState.FAILED_PERMANENT)
    return _again(notice, state, outcome, now)


def _accept(session: Session, notice: Row[Any], attempt_id: str, now: datetime) -> None:
    """The provider has it: that is not delivered, so it is looked after, and rung if nobody answers."""
    _raise(session, notice.id, NoticeState.ACCEPTED)
    if notice.channel in _BY_TELEPHONE:
        senders.works(session, notice.channel)
        silence.look_later(session, notice, attempt_id, now)
        ringing.ring_later(session, notice, now)


def failures(session: Session, notice_id: str, code: int | str | None) -> int:
    """How many attempts of that notice have failed with that code."""
    if code is None:
        return 0
    query = select(func.count()).where(attempts.c.notice_id == notice_id, attempts.c.code == str(code))
    return int(session.execute(query).scalar_one())


def has_later(session: Session, notice_id: str, attempt_id: str) -> bool:
    """Whether a newer attempt to send that notice was begun."""
    mine = select(attempts.c.started_at).where(attempts.c.id == attempt_id).scalar_subquery()
    later = exists().where(
        attempts.c.notice_id == notice_id,
        attempts.c.started_at > mine,
        attempts.c.outcome.is_distinct_from(ASKED),
    )
    return bool(session.execute(select(later)).scalar_one())


def _is_patience_over(session: Session, notice: Row[Any], outcome: Outcome, now: datetime) -> bool:
    """Whether it is put off, and this is the first time that it was so for longer than the next person waits."""
    over = notice.created_at + _PATIENCE
    if outcome.action is not Action.RETRY or outcome.state is not OutcomeState.FAILED_TRANSIENT or now < over:
        return False
    settled = attempts.c.settled_at >= over, attempts.c.settled_at < now
    earlier = exists().where(attempts.c.notice_id == notice.id, *settled)
    return not session.execute(select(earlier)).scalar_one()


def _write_outcome(session: Session, attempt_id: str, now: datetime, **outcome: str | None) -> bool:
    """Whether it was news: a report that came first has settled the attempt already, and knows more."""
    written = database.changed(
        session,
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.provider_id.is_(None))
        .values(settled_at=now, **outcome),
    )
    return written > 0


def _again(notice: Row[Any], state: NoticeState, outcome: Outcome, now: datetime) -> datetime | None:
    if state is NoticeState.UNKNOWN:
        return now + _ask_after(notice)
    if state is NoticeState.FAILED_TRANSIENT:
        jittered = 15.0 * random.uniform(0.7, 1.3)
        wait = jittered if outcome.retry_after_s is None else outcome.retry_after_s
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
