"""Telephone numbers in one form."""

from __future__ import annotations

import phonenumbers


class NotANumber(ValueError):
    """The text is no telephone number that could be called."""


def e164(written: str) -> str:
    """`+14805550139` for "(480) 555-0139"; numbers without a country are American. Raises NotANumber."""
    try:
        number = phonenumbers.parse(written, "US")
    except phonenumbers.NumberParseException:
        raise NotANumber from None
    if not phonenumbers.is_possible_number(number):
        raise NotANumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
