"""What a call says and asks: that something waits, until when, and which digit takes or declines it. Never what it is.

Twilio fetches the words when somebody picks up, and brings the digit that was pressed; the desk does what it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session
from twilio.twiml.voice_response import Gather, VoiceResponse

from directory.tables import contacts, memberships
from foundation.settings import Settings
from notifications import sms, words
from notifications.replies import Reply, Verb
from notifications.tables import attempts, notices
from notifications.words import Asked, Template

# What the keys of a telephone mean; every other one, and 9, has it said again.
DIGITS: Mapping[str, Verb] = {"1": Verb.TAKE, "2": Verb.DECLINE}
# A mailbox hears the whole of it once, and a person twice.
_TIMES = 2
_WAITS_SECONDS = 8
_VOICES = {"en": "en-US", "es": "es-MX"}


class Ask(StrEnum):
    """What a call can ask for."""

    TAKE = "take"
    HELP = "help"
    CONFIRM = "confirm"
    NOTHING = "nothing"


_OF_ASKED = {
    Asked.TRANSFER: Ask.TAKE,
    Asked.CONSULT: Ask.HELP,
    Asked.SUPPORT: Ask.HELP,
    Asked.INFORM: Ask.CONFIRM,
}
_GREETING = {"en": "This is Waypost, a machine.", "es": "Le llama Waypost, una máquina."}
_DRILL = {"en": "This is a drill.", "es": "Esto es un simulacro."}
_URGENCIES: Mapping[str, Mapping[str, str]] = {
    "en": {"imminent": "An imminent", "elevated": "An elevated", "routine": "A routine"},
    "es": {"imminent": "inminente", "elevated": "elevado", "routine": "normal"},
}
_MATTER = {
    "en": "{urgency} referral {reference} waits for you. It is due at {deadline}.",
    "es": "El caso {urgency} {reference} le espera. Su plazo es {deadline}.",
}
_KEYS: Mapping[str, Mapping[Ask, str]] = {
    "en": {
        Ask.TAKE: "Press 1 to take it. Press 2 to decline. Press 9 to hear this again.",
        Ask.HELP: "Press 1 if you can help. Press 2 to decline. Press 9 to hear this again.",
        Ask.CONFIRM: "Press 1 to confirm. Press 9 to hear this again.",
        Ask.NOTHING: "Please sign in to Waypost. Press 9 to hear this again.",
    },
    "es": {
        Ask.TAKE: "Pulse 1 para aceptarlo. Pulse 2 para rechazarlo. Pulse 9 para oírlo otra vez.",
        Ask.HELP: "Pulse 1 si puede ayudar. Pulse 2 para rechazarlo. Pulse 9 para oírlo otra vez.",
        Ask.CONFIRM: "Pulse 1 para confirmar. Pulse 9 para oírlo otra vez.",
        Ask.NOTHING: "Por favor, entre en su página. Pulse 9 para oírlo otra vez.",
    },
}
# Of what asks for nothing, the words of texts are said.
_WAITS = {Template.OFFER, Template.REMINDER, Template.ESCALATED, Template.UNCERTAIN_PLACE}
_AGAIN = {"en": "Press 9 to hear this again.", "es": "Pulse 9 para oírlo otra vez."}
_PROOF = {
    "en": "Your code is {code}. Once more: {code}. Type it where you asked for it.",
    "es": "Su clave es {code}. Otra vez: {code}. Escríbala donde la pidió.",
}
_REPLIES: Mapping[str, Mapping[Reply, str]] = {
    "en": {
        Reply.TAKEN: "Thank you. You have {reference}. Read it at the desk.",
        Reply.DECLINED: "Thank you. You declined {reference}. Others are asked now.",
        Reply.ANSWERED_ALREADY: "{reference} was already answered. There is nothing to do.",
        Reply.CODE_UNKNOWN: "This call is too old to answer. Please sign in at the desk.",
    },
    "es": {
        Reply.TAKEN: "Gracias. Usted tiene el caso {reference}. Puede leerlo en su página.",
        Reply.DECLINED: "Gracias. Usted rechazó el caso {reference}. Ahora se pregunta a otros.",
        Reply.ANSWERED_ALREADY: "El caso {reference} ya tiene respuesta. No hay nada que hacer.",
        Reply.CODE_UNKNOWN: "Esta llamada es demasiado antigua. Por favor, entre en su página.",
    },
}


def notice_of_call(session: Session, attempt_id: str, number: str) -> Row[Any] | None:
    """The notice that this attempt rang that number for, with its reader's number and seat; None for any other."""
    seat = and_(memberships.c.member_id == notices.c.member_id, memberships.c.team_id == notices.c.team_id)
    return session.execute(
        select(notices, memberships.c.team_id.label("seat"))
        .join(attempts, attempts.c.notice_id == notices.c.id)
        .join(contacts, contacts.c.id == notices.c.contact_id)
        .outerjoin(memberships, seat)
        .where(
            attempts.c.id == attempt_id,
            notices.c.channel == "voice",
            contacts.c.address == number,
            contacts.c.disabled_at.is_(None),
        )
    ).one_or_none()


def can_answer(notice: Row[Any], verb: Verb, now: datetime) -> bool:
    """Whether a pressed digit may do that: it was asked for, its time is not over, and its reader still sits there."""
    ask = _ask_of(notice)
    allowed = ask is not Ask.NOTHING and (verb is Verb.TAKE or ask is not Ask.CONFIRM)
    return allowed and bool(notice.code_until and notice.code_until > now and notice.seat)


def say(settings: Settings, notice: Row[Any], attempt_id: str, now: datetime) -> str:
    """The whole call as TwiML: what waits, and a digit gathered while it is said."""
    response = VoiceResponse()
    text = _text(notice, now)
    if notice.template == Template.PROOF.value:
        _say(response, notice.language, text)
        return str(response)
    for _ in range(_TIMES):
        gather = Gather(
            num_digits=1,
            action=sms.digit_url(settings, attempt_id),
            method="POST",
            timeout=_WAITS_SECONDS,
        )
        _say(gather, notice.language, text)
        response.append(gather)
    response.hangup()
    return str(response)


def answer(reply: Reply, notice: Row[Any]) -> str:
    """The last words of a call as TwiML."""
    response = VoiceResponse()
    _say(
        response, notice.language, _REPLIES[notice.language][reply].format(reference=_spelt(notice.reference))
    )
    response.hangup()
    return str(response)


def _text(notice: Row[Any], now: datetime) -> str:
    language = notice.language
    greeting = [_GREETING[language], *([_DRILL[language]] if notice.mark == "drill" else [])]
    if notice.template == Template.PROOF.value:
        return " ".join([*greeting, _PROOF[language].format(code=_spelt(notice.code))])
    reference, asked = _spelt(notice.reference), _KEYS[language][_ask_of(notice)]
    deadline = words.deadline_words(notice.deadline_at, notice.time_zone, language, now=now)
    if notice.template not in _WAITS:
        matter = words.matter(notice.template, notice.asked, language, reference, notice.urgency, deadline)
        return " ".join([*greeting, matter, _AGAIN[language]])
    urgency = _URGENCIES[language][notice.urgency]
    matter = _MATTER[language].format(urgency=urgency, reference=reference, deadline=deadline)
    return " ".join([*greeting, matter, asked])


def _ask_of(notice: Row[Any]) -> Ask:
    return _OF_ASKED.get(Asked(notice.asked), Ask.NOTHING) if notice.code_until else Ask.NOTHING


def _spelt(reference: str) -> str:
    """Letter by letter, as one says it on the telephone."""
    return ", ".join(letter for letter in reference if letter.isalnum())


def _say(to: Any, language: str, text: str) -> None:
    to.say(text, language=_VOICES[language])
