"""Delivering a notice: record the attempt, call the provider with no transaction open, record what became of it.

A process may die between any two lines. Then the outbox hands the notice to another process after the lease, which
finds an attempt without an outcome: nobody knows whether the provider has it. It asks the provider first, and only
what is not found there is sent again, with the same code, so that a doubled message is recognised as one.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, select, update
from sqlalchemy.orm import Session

from directory.members import Channel
from directory.tables import contacts, teams
from directory.teams import TeamKind
from foundation import clock, database
from notifications import attempts as tries
from notifications import channels, ringing, senders, silence, twilio_codes, words
from notifications.channels import Call
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.reactions import react
from notifications.senders import Standing
from notifications.states import NoticeState, lower
from notifications.tables import notices
from referrals.duty import Duty
from referrals.facts import Urgency

# How long nobody sends again after a call that may have worked: callbacks and the provider's list need time.
_ASK_AFTER = {Urgency.IMMINENT: timedelta(seconds=60), Urgency.ELEVATED: timedelta(seconds=60)}
_ASK_AFTER_ROUTINE = timedelta(minutes=10)
# Who is put off for longer asks the next person meanwhile.
_PATIENCE = timedelta(seconds=60)
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

# What every notice asks is made once, since making a statement costs as much as sending it.
_WHOLE = (
    select(
        notices,
        contacts.c.address,
        contacts.c.mail_key,
        contacts.c.disabled_at,
        contacts.c.opted_out_at,
        teams.c.kind.label("team_kind"),
    )
    .join(contacts, contacts.c.id == notices.c.contact_id)
    .join(teams, teams.c.id == notices.c.team_id)
    .where(notices.c.id == bindparam("of_notice"))
)
_SET = (
    update(notices)
    .where(notices.c.id == bindparam("of_notice"), notices.c.state.in_(_DELIVERABLE))
    .values(state=bindparam("new_state"), fault=bindparam("new_fault"))
)
_ACCEPT = (
    update(notices)
    .where(notices.c.id == bindparam("of_notice"), notices.c.state.in_(lower(NoticeState.ACCEPTED)))
    .values(state=NoticeState.ACCEPTED.value, fault=None)
)


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
    notice = session.execute(_WHOLE, {"of_notice": notice_id}).one()
    if notice.state not in _DELIVERABLE:
        return None
    now = database.now(session)
    if _is_overtaken(session, notice, now):
        _set(session, notice_id, NoticeState.EXPIRED)
        return None
    fault = "contact_disabled" if notice.disabled_at or notice.opted_out_at else SENDER_STOPPED
    standing = senders.standing(session, notice.channel, now) if fault == SENDER_STOPPED else Standing.STOPPED
    if standing is Standing.STOPPED:
        _set(session, notice_id, NoticeState.FAILED_PERMANENT, fault)
        react(session, notice, Action.NEXT_CONTACT, None, now, failed=True)
        return None
    # What is due was never tried.
    unclear = [] if notice.state == NoticeState.DUE.value else tries.unclear(session, notice_id)
    wait: datetime | None = unclear[-1].started_at + _ask_after(notice) if unclear else None
    if wait is not None and wait > now:
        _set(session, notice_id, NoticeState.UNKNOWN)
        return wait
    attempt_id = tries.begin(session, notice_id, words.VERSIONS[notice.language], now)
    _set(session, notice_id, NoticeState.CALLING)
    return Call(
        notice,
        notice.address,
        attempt_id,
        unclear[0] if unclear else None,
        tries.claimed(session, notice.address) if unclear else frozenset(),
        notice.mail_key,
        office=notice.team_kind == TeamKind.OFFICE.value,
        shortest=notice.fault in twilio_codes.TOO_LONG,
        on_trial=standing is Standing.ON_TRIAL,
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


def _ask_after(notice: Row[Any]) -> timedelta:
    return _ASK_AFTER.get(Urgency(notice.urgency), _ASK_AFTER_ROUTINE)


def _settle(session: Session, call: Call, outcome: Outcome, now: datetime, *, asked: bool) -> datetime | None:
    notice, attempt_id = call.notice, call.attempt_id
    if asked and call.unclear is not None:
        # The answer is the earlier attempt's: its reports name that one, and a provider's id belongs to one only.
        tries.settle(session, attempt_id, now, outcome=tries.ASKED)
        attempt_id = call.unclear.id
    if outcome.state is not OutcomeState.UNKNOWN:
        outcome = twilio_codes.repeated(outcome, tries.failures(session, notice.id, outcome.code) + 1)
    fault = None if outcome.code is None else str(outcome.code)
    first = tries.settle(
        session, attempt_id, now, outcome=outcome.state.value, provider_id=outcome.provider_id, code=fault
    )
    if not first or tries.has_later(session, notice.id, call.attempt_id):
        # A report has said more already; or another process, after our lease, speaks for the notice.
        return None
    state = NoticeState(outcome.state.value)
    if state is NoticeState.ACCEPTED:
        _accept(session, call, attempt_id, now)
        return None
    if state in _UNSETTLED and not tries.are_left(session, notice.id):
        state = NoticeState.FAILED_PERMANENT
    _set(session, notice.id, state, fault)
    action = Action.RETRY_AND_NEXT if _is_patience_over(session, notice, outcome, now) else outcome.action
    react(session, notice, action, fault, now, failed=state is NoticeState.FAILED_PERMANENT)
    return _again(notice, state, outcome, now)


def _accept(session: Session, call: Call, attempt_id: str, now: datetime) -> None:
    """The provider has it: that is not delivered, so it is looked after, and rung if nobody answers."""
    notice = call.notice
    # A callback may have come first and said more: what is known already is never lowered.
    session.execute(_ACCEPT, {"of_notice": notice.id})
    if call.on_trial:
        senders.works(session, notice.channel)
    if notice.channel in _BY_TELEPHONE:
        silence.look_later(session, notice, attempt_id, now)
        ringing.ring_later(session, notice, now)


def _is_patience_over(session: Session, notice: Row[Any], outcome: Outcome, now: datetime) -> bool:
    """Whether it is put off, and this is the first time that it was so for longer than the next person waits."""
    over = notice.created_at + _PATIENCE
    if outcome.action is not Action.RETRY or outcome.state is not OutcomeState.FAILED_TRANSIENT or now < over:
        return False
    return not tries.was_settled(session, notice.id, over, now)


def _again(notice: Row[Any], state: NoticeState, outcome: Outcome, now: datetime) -> datetime | None:
    if state is NoticeState.UNKNOWN:
        return now + _ask_after(notice)
    if state is NoticeState.FAILED_TRANSIENT:
        jittered = 15.0 * random.uniform(0.7, 1.3)
        wait = jittered if outcome.retry_after_s is None else outcome.retry_after_s
        return now + timedelta(seconds=wait)
    return None


def _set(session: Session, notice_id: str, state: NoticeState, fault: str | None = None) -> None:
    session.execute(_SET, {"of_notice": notice_id, "new_state": state.value, "new_fault": fault})
