"""Addresses of people as they are kept: a telephone number, a mailbox or a URL, each in one form."""

from __future__ import annotations

from collections.abc import Callable

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext

from directory.members import Channel


class ContactFault(ValueError):
    """A contact cannot be taken; the message is a sentence for the field."""


def normal_address(channel: Channel, typed: str) -> str:
    """An E.164 number or a mail address in one form. Raises ContactFault."""
    return _READ[channel](typed)


def _telephone(typed: str) -> str:
    """E.164. American numbers need no country code."""
    try:
        number = phonenumbers.parse(typed, "US")
    except phonenumbers.NumberParseException as fault:
        raise ContactFault(
            lazy_gettext("That is not a telephone number. Write it like (602) 555-0123.")
        ) from fault
    if not phonenumbers.is_valid_number(number):
        raise ContactFault(lazy_gettext("No telephone has that number. Please look at it again."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _mail(typed: str) -> str:
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized
    except EmailNotValidError as fault:
        raise ContactFault(lazy_gettext("That is not an e-mail address.")) from fault


def _url(typed: str) -> str:
    """Whether it leads anywhere is looked at where it is called."""
    if not typed.strip().startswith(("https://", "http://127.0.0.1:")):
        raise ContactFault(lazy_gettext("Write an address that begins with https://."))
    return typed.strip()


_READ: dict[Channel, Callable[[str], str]] = {
    Channel.SMS: _telephone,
    Channel.VOICE: _telephone,
    Channel.EMAIL: _mail,
    Channel.WEBHOOK: _url,
}
