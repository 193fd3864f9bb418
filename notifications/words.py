"""The words of notices, in English and Spanish: reference, urgency, deadline, address, code, and no more.

Each text message is one part in the networks' own alphabet, which has é, ñ and ü but no á, í, ó or ú: the
Spanish is chosen to do without them. No text is stored: an attempt keeps the version of the words that it sent.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from markupsafe import Markup

from notifications import gsm7
from referrals.facts import Urgency

# Of the words in each language. Who changes a word gives the next number; a test compares.
VERSIONS = {"en": "en-4", "es": "es-4"}


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
    # Somebody tries whether messages arrive.
    TEST = "test"
    # In place of several that could wait.
    DIGEST = "digest"
    # A contact is not used any more: to its owner, and to who administers.
    CONTACT_ENDED = "contact_ended"
    THEIR_CONTACT_ENDED = "their_contact_ended"
    # A key of the API ends soon: to who answers for it, and to who administers.
    KEY_ENDS = "key_ends"


class Asked(StrEnum):
    """What is asked of the reader, in the words of `routing.states.Kind`."""

    TRANSFER = "transfer"
    CONSULT = "consult"
    SUPPORT = "support"
    INFORM = "inform"
    REQUEST = "request"
    PERMISSION = "permission"


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
        Template.TEST: "This is a test. Nothing waits for you, and there is nothing to do.",
        Template.DIGEST: "Several referrals wait for your team, the first until {deadline}.",
        Template.CONTACT_ENDED: "A contact of yours is not used any more. Prove it again, or add another.",
        Template.THEIR_CONTACT_ENDED: "A contact of a member is not used any more. See whose it is, and why.",
        Template.KEY_ENDS: "A key of the API ends {deadline}. See which one, and have it replaced before.",
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
        Template.TEST: "Esto es una prueba. Nada le espera y no tiene que hacer nada.",
        Template.DIGEST: "Varios casos esperan a su equipo. Primer plazo: {deadline}.",
        Template.CONTACT_ENDED: "Uno de sus contactos ya no se usa. Confirme que es suyo o agregue otro.",
        Template.THEIR_CONTACT_ENDED: "El contacto de un miembro ya no se usa. Vea de quién es y por qué.",
        Template.KEY_ENDS: "Una clave de la API vence {deadline}. Vea la lista y pida otra a tiempo.",
    },
}

# Where less is asked than to take it: what the offer says, and what is said once nobody answered.
_MATTERS_ASKED: dict[str, dict[Asked, tuple[str, str]]] = {
    "en": {
        Asked.CONSULT: (
            "{urgency} referral {reference}: can you help? Answer by {deadline}.",
            "{urgency} referral {reference}: can you still help? Due {deadline}.",
        ),
        Asked.SUPPORT: (
            "{urgency} referral {reference}: can you help? Answer by {deadline}.",
            "{urgency} referral {reference}: can you still help? Due {deadline}.",
        ),
        Asked.INFORM: (
            "{urgency} referral {reference}: you should know of it. Confirm by {deadline}.",
            "{urgency} referral {reference}: you should know of it. Still to confirm, by {deadline}.",
        ),
        Asked.REQUEST: (
            "{urgency} referral {reference}: another team asks for it. Answer by {deadline}.",
            "{urgency} referral {reference}: another team still asks for it. Answer by {deadline}.",
        ),
        Asked.PERMISSION: (
            "{urgency} referral {reference}: your permission is asked. Answer by {deadline}.",
            "{urgency} referral {reference}: your permission is still asked. Answer by {deadline}.",
        ),
    },
    "es": {
        Asked.CONSULT: (
            "Caso {urgency} {reference}: se pide su ayuda. Plazo: {deadline}.",
            "Caso {urgency} {reference}: responda. Plazo: {deadline}.",
        ),
        Asked.SUPPORT: (
            "Caso {urgency} {reference}: se pide su ayuda. Plazo: {deadline}.",
            "Caso {urgency} {reference}: responda. Plazo: {deadline}.",
        ),
        Asked.INFORM: (
            "Caso {urgency} {reference}: debe saber que existe. Plazo: {deadline}.",
            "Caso {urgency} {reference}: falta que confirme. Plazo: {deadline}.",
        ),
        Asked.REQUEST: (
            "Caso {urgency} {reference}: otro equipo lo pide. Plazo: {deadline}.",
            "Caso {urgency} {reference}: otro equipo espera su respuesta. Plazo: {deadline}.",
        ),
        Asked.PERMISSION: (
            "Caso {urgency} {reference}: se pide su permiso. Plazo: {deadline}.",
            "Caso {urgency} {reference}: falta su permiso. Plazo: {deadline}.",
        ),
    },
}
_OF_AN_OFFER = (Template.OFFER, Template.REMINDER, Template.ESCALATED)

# How to answer by text message, where the reader was given a code; the short form where the matter is longer.
_BY_CODE = {
    "en": "Reply A {code} to take it, D {code} to decline, or sign in: {address}",
    "es": "Conteste A {code} para aceptar, D {code} para rechazar, o vaya a {address}",
}
_BY_CODE_SHORT = {
    "en": "Reply A {code} (take), D {code} (decline) or go to {address}",
    "es": "Conteste A {code} (acepta), D {code} (no) o vea {address}",
}
_BY_CODE_TO_HELP = {
    "en": "Reply A {code} (yes), D {code} (no) or go to {address}",
    "es": "Conteste A {code} (ayudo), D {code} (no) o vea {address}",
}
_BY_CODE_TO_CONFIRM = {
    "en": "Reply A {code} or go to {address}",
    "es": "Conteste A {code} o vea {address}",
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
_BY_BUTTON = {"en": "Answer here: {address}", "es": "Conteste en {address}"}
_BY_SIGN_IN = {"en": "Sign in: {address}", "es": "Entre en {address}"}
_WAYS_ASKED = {
    Asked.CONSULT: _BY_CODE_TO_HELP,
    Asked.SUPPORT: _BY_CODE_TO_HELP,
    Asked.INFORM: _BY_CODE_TO_CONFIRM,
    # Whether to give it away, or to permit it, needs a look at the page.
    Asked.REQUEST: _BY_SIGN_IN,
    Asked.PERMISSION: _BY_SIGN_IN,
}
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


# The zone's letters after the time of a deadline.
_ZONE = re.compile(r"(\d\d:\d\d) \S+$")


def deadline_words(deadline_at: datetime, time_zone: str, language: str, *, now: datetime) -> str:
    """The deadline on the reader's own clock: `14:25 MST`, with the day before it unless that is today."""
    there = deadline_at.astimezone(ZoneInfo(time_zone))
    if there.date() == now.astimezone(ZoneInfo(time_zone)).date():
        return f"{there:%H:%M %Z}"
    return f"{there:%d/%m %H:%M %Z}" if language == "es" else f"{there:%m/%d %H:%M %Z}"


def sender(*, drill: bool) -> str:
    """How each text begins. A drill's is shorter than our name, so that what has room without it has room with it."""
    return "[DRILL]" if drill else "[Waypost]"


def sms_text(
    template: str,
    language: str,
    *,
    reference: str,
    urgency: str,
    deadline: str,
    address: str,
    code: str | None = None,
    asked: str = Asked.TRANSFER.value,
    drill: bool = False,
) -> str:
    """The text message: one part, if the address has 40 characters or fewer.

    `deadline` comes from `deadline_words`, and loses its zone where there is no room for it; `address` is where the
    reader signs in. With a `code`, the reader can answer by text, if what is `asked` can be answered so.
    """
    way = _way(Template(template), Asked(asked), language, code)

    def text(until: str) -> str:
        said = matter(template, asked, language, reference, urgency, until)
        return f"{sender(drill=drill)} {said} {way.format(code=code, address=address)}"

    whole = text(deadline)
    return whole if gsm7.segments(whole) == 1 else text(_ZONE.sub(r"\1", deadline))


def mail_text(
    template: str,
    language: str,
    *,
    reference: str,
    urgency: str,
    deadline: str,
    address: str,
    code: str | None = None,
    asked: str = Asked.TRANSFER.value,
    drill: bool = False,
    by_button: bool = False,
) -> tuple[str, str, str]:
    """Subject, plain text and HTML of the mail, which say what the text message says.

    A code stands in it only where the mail's own address is to be proved: a referral is not taken by mail, but
    `by_button`, on the page that `address` then leads to.
    """
    said = matter(template, asked, language, reference, urgency, deadline)
    subject = f"[{'DRILL' if drill else 'Waypost'}] {said.rstrip('.')}"
    said = f"DRILL. {said}" if drill else said
    ways = _BY_BUTTON if by_button else _BY_SIGN_IN
    ways = _BY_TYPING if code and template == Template.PROOF.value else ways
    way, foot = ways[language].removesuffix(" {address}").format(code=code), _MAIL_FOOT[language]
    html = _HTML.format(language=language, subject=subject, matter=said, way=way, address=address, foot=foot)
    return subject, f"{said}\n\n{way}\n{address}\n\n-- \n{foot}\n", str(html)


def _way(template: Template, asked: Asked, language: str, code: str | None) -> str:
    """How to answer: by code where there is one and it can be."""
    if not code:
        return _BY_SIGN_IN[language]
    by_code = _ANSWERED_BY_CODE.get(template, _BY_SIGN_IN)
    return (_WAYS_ASKED.get(asked, by_code) if template in _OF_AN_OFFER else by_code)[language]


def matter(template: str, asked: str, language: str, reference: str, urgency: str, deadline: str) -> str:
    said = _MATTERS[language][Template(template)]
    if template in _OF_AN_OFFER and asked != Asked.TRANSFER.value:
        said = _MATTERS_ASKED[language][Asked(asked)][template != Template.OFFER.value]
    return said.format(urgency=_URGENCIES[language][Urgency(urgency)], reference=reference, deadline=deadline)
