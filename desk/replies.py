"""Answers by telephone: a text message that takes or declines a referral is a desk act by a named person."""

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
from notifications import notices, sms
from notifications.replies import Reply, Verb, parse_reply, reply_text
from referrals.grants import Keys
from routing import handoffs
from routing.handoffs import AlreadyAnswered
from routing.states import Decline

replies = Blueprint("replies", __name__)


@replies.post("/twilio/inbound")
@guard(PUBLIC)
def receive_reply() -> Response:
    """Obeys a signed text message from a member's telephone; the answer never says what a referral says."""
    settings = web.settings()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not sms.signature_is_valid(settings, sms.inbound_url(settings), request.form, signature):
        abort(403)
    number, asked = request.form.get("From", ""), parse_reply(request.form.get("Body", ""))
    verb, code = asked or (None, "")
    try:
        with database.transaction(web.engine()) as session:
            answer = _obey(session, number, verb, code, clock.now())
    except AlreadyAnswered:
        with database.reading(web.engine()) as session:
            answer = _say(session, number, Reply.ANSWERED_ALREADY, _reference(session, number, code))
    return _twiml(answer)


def _obey(session: Session, number: str, verb: Verb | None, code: str, now: datetime) -> str | None:
    if verb in (Verb.STOP, Verb.START):
        # Twilio answers these itself; a second answer from us would break its rules.
        members.opt_out(session, number, now if verb is Verb.STOP else None)
        return None
    if verb in _ANSWERS:
        notice = notices.by_code(session, number, code, now)
        if notice is None:
            return _say(session, number, Reply.CODE_UNKNOWN)
        actor = Actor(member_id=notice.member_id, team_id=notice.team_id)
        reply = _ANSWERS[verb](session, notice, actor, now)
        contacts.answered_from(session, notice.contact_id, now)
        return _say(session, number, reply, notice.reference)
    return _say(session, number, Reply.HELP if verb is Verb.HELP else Reply.EMERGENCY)


def _take(session: Session, notice: Row[Any], actor: Actor, now: datetime) -> Reply:
    keys: Keys = current_app.extensions["keys"]
    handoffs.acknowledge(session, keys, notice.subject_id, actor=actor, via="sms", now=now)
    return Reply.TAKEN


def _decline(session: Session, notice: Row[Any], actor: Actor, now: datetime) -> Reply:
    # A telephone gives no reason; the desk asks for it when it routes again.
    handoffs.decline(session, notice.subject_id, reason=Decline.OTHER, actor=actor, via="sms", now=now)
    return Reply.DECLINED


_ANSWERS: dict[Verb | None, Callable[[Session, Row[Any], Actor, datetime], Reply]] = {
    Verb.TAKE: _take,
    Verb.DECLINE: _decline,
}


def _reference(session: Session, number: str, code: str) -> str:
    notice = notices.by_code(session, number, code, clock.now())
    return str(notice.reference) if notice else ""


def _say(session: Session, number: str, reply: Reply, reference: str = "") -> str:
    known = members.contacts_at(session, Channel.SMS, number)
    language = known[0].language if known else "en"
    return reply_text(reply, language, reference=reference, address=web.settings().desk_url)


def _twiml(answer: str | None) -> Response:
    message = f"<Message>{escape(answer)}</Message>" if answer else ""
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>', mimetype="text/xml"
    )
