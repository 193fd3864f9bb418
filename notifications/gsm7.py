"""How many parts a text message takes, counted as the networks count (GSM 03.38)."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Reached by an escape: each takes the room of two.
_EXTENDED = frozenset("\f^{}\\[~]|€")
# Characters in one message, and in each part of a longer one, whose header takes some room.
_GSM7_ALONE, _GSM7_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67


def is_gsm7(text: str) -> bool:
    """Whether every character is in the networks' own alphabet; one that is not halves the room."""
    return all(character in _BASIC or character in _EXTENDED for character in text)


def length(text: str) -> int:
    """The room that the text takes: in characters of GSM-7, or else in UTF-16 units."""
    if is_gsm7(text):
        return sum(2 if character in _EXTENDED else 1 for character in text)
    return len(text.encode("utf-16-le")) // 2


def segments(text: str) -> int:
    """How many parts the text is sent in; 1 for an empty one."""
    alone, part = (_GSM7_ALONE, _GSM7_PART) if is_gsm7(text) else (_UCS2_ALONE, _UCS2_PART)
    room = length(text)
    return 1 if room <= alone else -(-room // part)
