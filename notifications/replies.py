"""What people write back by text message, and the words they get for it."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from foundation.identifiers import ALPHABET, readable

# Of the codes that notices carry.
CODE_LENGTH = 4


class Verb(StrEnum):
    """What a reply asks for."""

    TAKE = "A"
    DECLINE = "D"
    HELP = "H"
    # Twilio itself obeys these two, and answers them.
    STOP = "STOP"
    START = "START"


# The words that Twilio obeys by default, in any case, when they stand alone.
_ALONE: dict[str, Verb] = {
    **dict.fromkeys(("H", "HELP", "INFO", "AYUDA"), Verb.HELP),
    **dict.fromkeys(
        ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"), Verb.STOP
    ),
    **dict.fromkeys(("START", "YES", "UNSTOP"), Verb.START),
}
# With no code or one that is mistyped, too: who believes to have answered must hear that it did not count.
_ANSWER = re.compile(r"([AD])([0-9A-Z]{0,5})")
_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")


class Reply(StrEnum):
    """The answers we give to a text message."""

    TAKEN = "taken"
    DECLINED = "declined"
    ANSWERED_ALREADY = "answered_already"
    CODE_UNKNOWN = "code_unknown"
    HELP = "help"
    EMERGENCY = "emergency"


_REPLIES: dict[str, dict[Reply, str]] = {
    "en": {
        Reply.TAKEN: "[Waypost] Thank you. You have {reference}. Read it here: {address}",
        Reply.DECLINED: "[Waypost] Thank you. You declined {reference}; others are asked now.",
        Reply.ANSWERED_ALREADY: "[Waypost] {reference} was already answered by another. Nothing to do.",
        Reply.CODE_UNKNOWN: "[Waypost] That code is not known or too old. Sign in: {address}"
        " In an emergency call 911.",
        Reply.HELP: "[Waypost] Reply A and the code to take a referral, D and the code to decline."
        " Sign in: {address} STOP ends messages.",
        Reply.EMERGENCY: "[Waypost] Nobody reads this number. In an emergency call 911. In a crisis call or"
        " text 988.",
    },
    "es": {
        Reply.TAKEN: "[Waypost] Gracias. Usted tiene el caso {reference}. Puede leerlo en {address}",
        Reply.DECLINED: "[Waypost] Gracias. Usted rechaza el caso {reference}; ahora se pregunta a otros.",
        Reply.ANSWERED_ALREADY: "[Waypost] Otra persona ya tiene el caso {reference}. Nada que hacer.",
        Reply.CODE_UNKNOWN: "[Waypost] Esa clave no existe o es vieja. Entre en {address}"
        " En una emergencia llame al 911.",
        Reply.HELP: "[Waypost] Conteste A y la clave para aceptar un caso, D y la clave para rechazarlo."
        " {address} STOP termina los mensajes.",
        Reply.EMERGENCY: "[Waypost] Nadie lee estos mensajes. En una emergencia llame al 911. En una crisis"
        " llame o escriba al 988.",
    },
}


def parse_reply(body: str) -> tuple[Verb, str] | None:
    """The verb and the code of a text message; None if it is other talk. The code is empty where the verb needs
    none, and where it can be no code.

    Case, spaces, signs and look-alikes are forgiven: `a-7h2k`, ` A 7 H 2 K.`; the code comes in the letters
    of `foundation.identifiers`.
    """
    plain = unicodedata.normalize("NFKC", body).upper()
    squeezed = "".join(character for character in plain if character.isalnum())
    if verb := _ALONE.get(squeezed):
        return verb, ""
    answer = _ANSWER.fullmatch(squeezed)
    if answer is None:
        return None
    code = readable(answer[2])
    return Verb(answer[1]), code if _CODE.fullmatch(code) else ""


def reply_text(reply: Reply, language: str, *, reference: str = "", address: str = "") -> str:
    """Our answer to a text message: one part, if the address has 40 characters or fewer."""
    return _REPLIES[language][reply].format(reference=reference, address=address)
