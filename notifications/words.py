"""The words of notices, in English and Spanish: reference, urgency, deadline, address, code, and no more.

Each text message is one part in the networks' own alphabet, which has é, ñ and ü but no á, í, ó or ú: the
Spanish is chosen to do without them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from markupsafe import Markup

from referrals.facts import Urgency


class Template(StrEnum):
    """The occasions on which somebody is told something."""

    OFFER = "offer"
    REMINDER = "reminder"
    WITHDRAWN = "withdrawn"
    UNCERTAIN_PLACE = "uncertain_place"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    TASK = "task"
    # The code by which a contact is proved.
    PROOF = "proof"
    # A turn on duty begins soon.
    TURN = "turn"


_URGENCIES: dict[str, dict[Urgency, str]] = {
    "en": {Urgency.IMMINENT: "IMMINENT", Urgency.ELEVATED: "ELEVATED", Urgency.ROUTINE: "ROUTINE"},
    "es": {Urgency.IMMINENT: "INMINENTE", Urgency.ELEVATED: "ELEVADO", Urgency.ROUTINE: "NORMAL"},
}

# What is the matter: the first sentence of the text message, and the subject of the mail.
_MATTERS: dict[str, dict[Template, str]] = {
    "en": {
        Template.OFFER: "{urgency} referral {reference}. Answer by {deadline}.",
        Template.REMINDER: "{urgency} referral {reference} waits. Answer by {deadline}.",
        Template.WITHDRAWN: "Referral {reference} no longer waits for you. Nothing to do.",
        Template.UNCERTAIN_PLACE: "{urgency} referral {reference}: place unclear. Due {deadline}.",
        Template.ESCALATED: "{urgency} referral {reference}: unanswered. Act by {deadline}.",
        Template.ACKNOWLEDGED: "Referral {reference} was acknowledged. Nothing to do.",
        Template.TASK: "A task on referral {reference} is due by {deadline}.",
        Template.TURN: "Your turn on duty begins {deadline}. Until then you can swap it.",
        Template.PROOF: "Confirm that you read messages here, by {deadline}.",
    },
    "es": {
        Template.OFFER: "Caso {urgency} {reference}. Plazo: {deadline}.",
        Template.REMINDER: "Caso {urgency} {reference} espera. Plazo: {deadline}.",
        Template.WITHDRAWN: "El caso {reference} ya no espera su respuesta. No tiene que hacer nada.",
        Template.UNCERTAIN_PLACE: "Caso {urgency} {reference}: lugar incierto. Plazo: {deadline}.",
        Template.ESCALATED: "Caso {urgency} {reference}: nadie responde. Plazo: {deadline}.",
        Template.ACKNOWLEDGED: "El caso {reference} fue aceptado. No tiene que hacer nada.",
        Template.TASK: "Una tarea del caso {reference} espera. Plazo: {deadline}.",
        Template.TURN: "Su turno de guardia comienza {deadline}. Hasta entonces puede cambiarlo.",
        Template.PROOF: "Confirme que lee mensajes por este medio. Plazo: {deadline}.",
    },
}

# How to answer by text message, where the reader was given a code; the short form where the matter is longer.
_BY_CODE = {
    "en": "Reply A {code} to take it, D {code} to decline, or sign in: {address}",
    "es": "Conteste A {code} para aceptar, D {code} para rechazar, o vaya a {address}",
}
_BY_CODE_SHORT = {
    "en": "Reply A {code} (take), D {code} (decline) or go to {address}",
    "es": "Conteste A {code} (acepta), D {code} (no) o vea {address}",
}
_BY_TYPING = {
    "en": "Type the code {code} at {address}",
    "es": "Escriba la clave {code} en {address}",
}
# The rest have nothing to take or decline.
_ANSWERED_BY_CODE = {
    Template.OFFER: _BY_CODE,
    Template.REMINDER: _BY_CODE_SHORT,
    Template.UNCERTAIN_PLACE: _BY_CODE_SHORT,
    Template.ESCALATED: _BY_CODE_SHORT,
    Template.PROOF: _BY_TYPING,
}
_BY_SIGN_IN = {"en": "Sign in: {address}", "es": "Entre en {address}"}
_MAIL_FOOT = {
    "en": "Sent by a machine; it says nothing of what was reported. Please do not answer it.",
    "es": "Enviado por una computadora; no dice nada de lo que se informó. Por favor no lo conteste.",
}

_HTML = Markup(
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{subject}</title></head>'
    '<body style="font-family:sans-serif;font-size:16px;line-height:1.5;color:#1b1b1b">'
    '<p style="font-size:18px"><strong>{matter}</strong></p>'
    '<p>{way}<br><a href="{address}">{address}</a></p>'
    '<p style="font-size:14px;color:#565c65">{foot}</p></body></html>'
)


def deadline_words(deadline_at: datetime, time_zone: str, language: str, *, now: datetime) -> str:
    """The deadline on the reader's own clock: `14:25`, with the day before it unless that is today."""
    there = deadline_at.astimezone(ZoneInfo(time_zone))
    if there.date() == now.astimezone(ZoneInfo(time_zone)).date():
        return f"{there:%H:%M}"
    return f"{there:%d/%m %H:%M}" if language == "es" else f"{there:%m/%d %H:%M}"


def sms_text(
    template: str,
    language: str,
    *,
    reference: str,
    urgency: str,
    deadline: str,
    address: str,
    code: str | None = None,
) -> str:
    """The text message: one part, if the address has 40 characters or fewer.

    `deadline` comes from `deadline_words`; `address` is where the reader signs in. With a `code`, the reader
    can answer by text, if the template asks for an answer.
    """
    ways = _ANSWERED_BY_CODE.get(Template(template), _BY_SIGN_IN) if code else _BY_SIGN_IN
    way = ways[language]
    matter = _matter(template, language, reference, urgency, deadline)
    return f"[Waypost] {matter} {way.format(code=code, address=address)}"


def mail_text(
    template: str,
    language: str,
    *,
    reference: str,
    urgency: str,
    deadline: str,
    address: str,
    code: str | None = None,
) -> tuple[str, str, str]:
    """Subject, plain text and HTML of the mail, which say what the text message says.

    A code stands in it only where the mail's own address is to be proved: a referral is not taken by mail.
    """
    matter = _matter(template, language, reference, urgency, deadline)
    subject = f"[Waypost] {matter.rstrip('.')}"
    ways = _BY_TYPING if code and template == Template.PROOF.value else _BY_SIGN_IN
    way, foot = ways[language].removesuffix(" {address}").format(code=code), _MAIL_FOOT[language]
    html = _HTML.format(
        language=language, subject=subject, matter=matter, way=way, address=address, foot=foot
    )
    return subject, f"{matter}\n\n{way}\n{address}\n\n-- \n{foot}\n", str(html)


def _matter(template: str, language: str, reference: str, urgency: str, deadline: str) -> str:
    word = _URGENCIES[language][Urgency(urgency)]
    return _MATTERS[language][Template(template)].format(urgency=word, reference=reference, deadline=deadline)
