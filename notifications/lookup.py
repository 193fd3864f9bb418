"""Asking Twilio Lookup, where an account has it, whether a number that is just typed takes texts at all."""

from __future__ import annotations

from foundation.settings import Settings
from notifications.twilio_wire import ProviderSilent, ask, client

# Somebody waits for the page.
_SECONDS = 3.0


def is_landline(settings: Settings, number: str) -> bool:
    """Whether Twilio says that this number, in E.164, is a landline.

    False wherever it is not asked, does not answer in a few seconds, or does not know: an entry never fails by it, and
    a text that cannot arrive is noticed by its report. Call it with no transaction open.
    """
    if not settings.twilio_lookup or not (twilio := client(settings, seconds=_SECONDS)):
        return False

    def line() -> str | None:
        found = twilio.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
        return str((found.line_type_intelligence or {}).get("type"))

    try:
        return ask(line) == "landline"
    except ProviderSilent:
        return False
