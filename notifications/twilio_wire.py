"""The wire to Twilio: its client with our time-outs and address, and what its faults mean."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from foundation.settings import Settings
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.twilio_codes import outcome_of

Answer = TypeVar("Answer")

_TWILIO, _LOOKUPS = "https://api.twilio.com", "https://lookups.twilio.com"
# A question and a text are two calls of one job, each of which may wait to connect and wait again for the answer:
# together they stay below the outbox's lease.
LONGEST_TIMEOUT_SECONDS = 12.0

# Twilio's client logs each request, and urllib3 each address: both would write down whole telephone numbers.
_quiet = logging.getLogger("waypost.twilio")
_quiet.setLevel(logging.WARNING)
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


class ProviderSilent(Exception):
    """Twilio gave no usable answer to a question; whether it has the message stays unknown."""


class _Busy(Exception):
    """429: nothing was made. `retry_after_s` is what Twilio asked for, if it did."""

    def __init__(self, retry_after_s: float | None) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class _Unclear(Exception):
    """5xx: it may have been made all the same."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own client with a time-out, without retries, and at the address of the settings."""

    def __init__(self, settings: Settings, seconds: float) -> None:
        super().__init__(timeout=seconds, logger=_quiet, max_retries=0)
        self._base = settings.twilio_api_base
        if self._base != _TWILIO:
            # A stand-in on this machine is behind no proxy, and needs no password of ~/.netrc.
            self.session.trust_env = False

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Any:
        if self._base != _TWILIO:
            url = url.replace(_TWILIO, self._base, 1).replace(_LOOKUPS, self._base, 1)
        answer = super().request(method, url, *rest, **named)
        if answer.status_code == 429:
            raise _Busy(_seconds(answer.headers.get("Retry-After")))
        if answer.status_code >= 500:
            raise _Unclear(answer.status_code)
        return answer


def client(settings: Settings, *, seconds: float = LONGEST_TIMEOUT_SECONDS) -> Any:
    """Twilio's client for the account of the settings, or None where none is set; one for each thread.

    It waits `seconds` at most, and no longer than the settings say, to connect and again for the answer.
    """
    if not settings.twilio_account_sid:
        # Given nothing, Twilio's client would look into the environment and then refuse.
        return None
    waits = min(settings.twilio_timeout_seconds, seconds)
    return Client(
        settings.twilio_account_sid, settings.twilio_auth_token, http_client=_HttpClient(settings, waits)
    )


def ask(question: Callable[[], Answer | None]) -> Answer | None:
    """The answer to a question that changes nothing; None for what Twilio does not have. Raises ProviderSilent."""
    try:
        return question()
    except TwilioRestException as fault:
        if fault.status == 404:
            return None
        raise ProviderSilent(f"Twilio answered {fault.status}.") from None
    except (requests.RequestException, TwilioException, _Busy, _Unclear, ValueError) as fault:
        # Not chained: the library's words hold telephone numbers.
        raise ProviderSilent(f"Twilio did not answer: {type(fault).__name__}.") from None


def outcome_of_fault(fault: Exception) -> Outcome:
    """What a failed call means. Anything that could have happened after Twilio took the text is *unknown*."""
    match fault:
        case _Busy():
            return Outcome(
                OutcomeState.FAILED_TRANSIENT, Action.RETRY, code=20429, retry_after_s=fault.retry_after_s
            )
        case _Unclear():
            return Outcome(OutcomeState.UNKNOWN, Action.ASK, code=fault.status)
        case TwilioRestException() | TwilioServiceException():
            return outcome_of(fault.code or fault.status)
        case requests.ConnectionError() if _never_left(fault):
            return Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code="not_reached")
        case _:
            slow = isinstance(fault, requests.Timeout)
            return Outcome(OutcomeState.UNKNOWN, Action.ASK, code="timed_out" if slow else "cut")


def _never_left(fault: requests.ConnectionError) -> bool:
    """Whether no connection was made at all, so that Twilio cannot have the text."""
    reason = getattr(fault.args[0], "reason", None) if fault.args else None
    return isinstance(fault, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None
