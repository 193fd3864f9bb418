"""Answers by telephone: a text message or a pressed digit that takes or declines is a desk act by a named person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import contacts, members
from directory.guards import guard
from directory.members import Channel
from directory.permissions import PUBLIC
from foundation import clock, database, web
from ledger.entries import Actor
from notifications import guesses, notices, sms, strays, voice
from notifications.replies import Reply, Verb, parse_reply, reply_text
from referrals.grants import Keys
from referrals.moves import NotNow
from routing import handoffs
from routing.handoffs import AlreadyAnswered
from routing.states import OPEN, Decline, HandoffState

replies = Blueprint("replies", __name__)


@replies.post("/twilio/inbound")
@guard(PUBLIC)
def receive_reply() -> Response:
    """Obeys a signed text message from a member's telephone; the answer never says what a referral says."""
    _believe(sms.inbound_url(web.settings()))
    number, asked = request.form.get("From", ""), parse_reply(request.form.get("Body", ""))
    verb, code = asked or (None, "")
    try:
        with database.transaction(web.engine()) as session:
            answer = _obey(session, number, verb, code, clock.now())
    except (AlreadyAnswered, NotNow):
        with database.reading(web.engine()) as session:
            notice = notices.by_code(session, number, code, clock.now())
            answer = _say(session, number, _stands(session, notice), notice.reference if notice else "")
    return _twiml(answer)


def _obey(session: Session, number: str, verb: Verb | None, code: str, now: datetime) -> str | None:
    if verb in (Verb.STOP, Verb.START):
        # Twilio answers these itself; a second answer from us would break its rules.
        members.opt_out(session, number, now if verb is Verb.STOP else None)
        return None
    if verb in _ANSWERS:
        # Who guessed too often is not heard even with a right code.
        slowed = guesses.are_too_many(session, web.settings(), number, now)
        notice = None if slowed else notices.by_code(session, number, code, now)
        if notice is None:
            guesses.count(session, web.settings(), number, now)
            return _say(session, number, Reply.CODE_UNKNOWN)
        actor = Actor(member_id=notice.member_id, team_id=notice.team_id)
        reply = _ANSWERS[verb](session, notice, actor, "sms", now)
        contacts.answered_from(session, notice.contact_id, now)
        return _say(session, number, reply, notice.reference)
    if verb is Verb.HELP:
        return _say(session, number, Reply.HELP)
    told = strays.note(session, web.settings(), number, now)
    return _say(session, number, Reply.EMERGENCY) if told else None


@replies.post("/twilio/voice/<attempt_id>")
@guard(PUBLIC)
def receive_call(attempt_id: str) -> Response:
    """What a call says, once somebody picked up the telephone that it was meant for."""
    settings = web.settings()
    _believe(sms.voice_url(settings, attempt_id))
    with database.reading(web.engine()) as session:
        notice = voice.notice_of_call(session, attempt_id, request.form.get("To", ""))
    if notice is None:
        abort(404)
    return _markup(voice.say(settings, notice, attempt_id, clock.now()))


@replies.post("/twilio/voice/<attempt_id>/digit")
@guard(PUBLIC)
def receive_digit(attempt_id: str) -> Response:
    """Obeys a digit pressed on the telephone that was rung; any other digit hears it all again."""
    settings, now = web.settings(), clock.now()
    _believe(sms.digit_url(settings, attempt_id))
    with database.reading(web.engine()) as session:
        notice = voice.notice_of_call(session, attempt_id, request.form.get("To", ""))
    if notice is None:
        abort(404)
    verb = voice.DIGITS.get(request.form.get("Digits", ""))
    if verb is None:
        return _markup(voice.say(settings, notice, attempt_id, now))
    return _markup(voice.answer(_press(notice, verb, now), notice))


def _press(notice: Row[Any], verb: Verb, now: datetime) -> Reply:
    """Does what the digit asks for, in the name of whose telephone rang."""
    if not voice.can_answer(notice, verb, now):
        return Reply.CODE_UNKNOWN
    actor = Actor(member_id=notice.member_id, team_id=notice.team_id)
    try:
        with database.transaction(web.engine()) as session:
            reply = _ANSWERS[verb](session, notice, actor, "voice", now)
            contacts.answered_from(session, notice.contact_id, now)
            return reply
    except (AlreadyAnswered, NotNow):
        with database.reading(web.engine()) as session:
            return _stands(session, notice)


def _stands(session: Session, notice: Row[Any] | None) -> Reply:
    """What somebody hears whose answer did not count: who has it already is told again that they have it."""
    if notice is None:
        return Reply.CODE_UNKNOWN
    handoff = handoffs.handoff(session, notice.subject_id)
    if handoff.state in OPEN:
        # It cannot be answered by this member, who stepped aside.
        return Reply.CODE_UNKNOWN
    if handoff.answered_by != notice.member_id:
        return Reply.ANSWERED_ALREADY
    return _TOLD_AGAIN.get(handoff.state, Reply.ANSWERED_ALREADY)


def _believe(url: str) -> None:
    """Refuses what Twilio did not sign for that address of ours."""
    signature = request.headers.get("X-Twilio-Signature", "")
    if not sms.signature_is_valid(web.settings(), url, request.form, signature):
        abort(403)


def _markup(twiml: str) -> Response:
    return Response(twiml, mimetype="text/xml")


def _take(session: Session, notice: Row[Any], actor: Actor, via: str, now: datetime) -> Reply:
    keys: Keys = current_app.extensions["keys"]
    handoffs.acknowledge(session, keys, notice.subject_id, actor=actor, via=via, now=now)
    return Reply.TAKEN


def _decline(session: Session, notice: Row[Any], actor: Actor, via: str, now: datetime) -> Reply:
    # A telephone gives no reason; the desk asks for it when it routes again.
    handoffs.decline(session, notice.subject_id, reason=Decline.OTHER, actor=actor, via=via, now=now)
    return Reply.DECLINED


_ANSWERS: dict[Verb | None, Callable[[Session, Row[Any], Actor, str, datetime], Reply]] = {
    Verb.TAKE: _take,
    Verb.DECLINE: _decline,
}
_TOLD_AGAIN = {HandoffState.ACKNOWLEDGED: Reply.TAKEN, HandoffState.DECLINED: Reply.DECLINED}


def _say(session: Session, number: str, reply: Reply, reference: str = "") -> str:
    known = members.contacts_at(session, Channel.SMS, number)
    language = known[0].language if known else "en"
    return reply_text(reply, language, reference=reference, address=web.settings().desk_url)


def _twiml(answer: str | None) -> Response:
    message = f"<Message>{escape(answer)}</Message>" if answer else ""
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>', mimetype="text/xml"
    )
