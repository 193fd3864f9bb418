"""Text messages and calls by Twilio; the public door never loads it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from twilio.request_validator import RequestValidator

from foundation.settings import Settings
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.twilio_codes import outcome_of_call, outcome_of_report
from notifications.twilio_wire import Answer, ProviderSilent, ask, client, outcome_of_fault

# Twilio's limits, in seconds.
_SHORTEST_VALIDITY, _LONGEST_VALIDITY = 1, 36_000
# Up to five more tries, on every kind of fault, if our webhook does not answer.
_WEBHOOK_RETRIES = "#rc=5&rp=all"
# One person is told a handful of things in the time that matters.
_LOOKED_AT = 50
# Seconds that a telephone rings before nobody is there; a mailbox of the carrier's mostly takes over sooner.
_RINGS_SECONDS = 30
# Twilio's clock and ours may differ by so much.
_CLOCK_SLACK = timedelta(seconds=60)


@dataclass(frozen=True)
class Found:
    """A message as Twilio has it now: its id, Twilio's word for its status, the error code if it failed."""

    provider_id: str
    status: str
    code: int | None

    @property
    def outcome(self) -> Outcome:
        """What that means for the attempt which made it."""
        return outcome_of_report(self.status, self.code, provider_id=self.provider_id)


@dataclass(frozen=True)
class FoundCall:
    """A call as Twilio has it now: its id and Twilio's word for its status."""

    provider_id: str
    status: str

    @property
    def outcome(self) -> Outcome:
        """What that means for the attempt which made it."""
        return outcome_of_call(self.status, provider_id=self.provider_id)


class SmsSender:
    """Sends texts, rings telephones and asks what became of them. One for each thread: it keeps connections open."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = client(settings)

    def send(self, to: str, body: str, *, attempt_id: str, validity_s: float) -> Outcome:
        """Hands one text to Twilio, once; never raises for anything that Twilio or the network does.

        `to` is in E.164. `attempt_id` comes back in the address of every delivery report. After `validity_s`
        (cut to 1–36,000 s) Twilio drops the text rather than send it late.
        """
        if not self._client:
            return Outcome(OutcomeState.FAILED_PERMANENT, Action.CONFIGURATION, code="not_configured")
        try:
            message = self._client.messages.create(
                to=to,
                body=body,
                status_callback=status_url(self._settings, attempt_id) + _WEBHOOK_RETRIES,
                validity_period=min(max(int(validity_s), _SHORTEST_VALIDITY), _LONGEST_VALIDITY),
                **self._sender(),
            )
            return Outcome(OutcomeState.ACCEPTED, provider_id=message.sid)
        except Exception as fault:
            return outcome_of_fault(fault)

    def find(
        self, to: str, since: datetime, body_marker: str, claimed: Collection[str] = frozenset()
    ) -> Found | None:
        """The newest message to that number, made since then, whose text holds the marker, or None.

        For an attempt whose outcome is unknown: its short code is the marker, or the reference, which other
        messages hold as well; so those whose id is `claimed` by another attempt are passed over. Twilio is asked
        by number alone: its filter by date leaves out what waits to be sent. Raises ProviderSilent if it does not
        say.
        """

        def newest() -> Found | None:
            for message in self._client.messages.list(to=to, limit=_LOOKED_AT, page_size=_LOOKED_AT):
                if message.sid in claimed or message.date_created < since - _CLOCK_SLACK:
                    continue
                if body_marker in (message.body or ""):
                    return Found(message.sid, str(message.status), message.error_code)
            return None

        return self._ask(newest)

    def ring(self, to: str, *, attempt_id: str) -> Outcome:
        """Has Twilio ring that number, once; what it says there, it asks us for. Never raises, like `send`."""
        if not self._client:
            return Outcome(OutcomeState.FAILED_PERMANENT, Action.CONFIGURATION, code="not_configured")
        try:
            call = self._client.calls.create(
                to=to,
                from_=self._settings.twilio_from,
                url=voice_url(self._settings, attempt_id) + _WEBHOOK_RETRIES,
                status_callback=status_url(self._settings, attempt_id) + _WEBHOOK_RETRIES,
                status_callback_event=["answered", "completed"],
                timeout=_RINGS_SECONDS,
            )
            return Outcome(OutcomeState.ACCEPTED, provider_id=call.sid)
        except Exception as fault:
            return outcome_of_fault(fault)

    def find_call(self, to: str, since: datetime, claimed: Collection[str] = frozenset()) -> FoundCall | None:
        """The newest call to that number since then which belongs to no other attempt, or None. See `find`."""

        def newest() -> FoundCall | None:
            for call in self._client.calls.list(to=to, limit=_LOOKED_AT, page_size=_LOOKED_AT):
                if call.sid not in claimed and call.date_created >= since - _CLOCK_SLACK:
                    return FoundCall(call.sid, str(call.status))
            return None

        return self._ask(newest)

    def fetch(self, sid: str) -> dict[str, str]:
        """A text as Twilio has it now, in the words of a delivery report. Raises ProviderSilent."""

        def report() -> dict[str, str]:
            message = self._client.messages(sid).fetch()
            code = {"ErrorCode": str(message.error_code)} if message.error_code else {}
            return {"MessageSid": sid, "MessageStatus": str(message.status), **code}

        return self._ask(report) or {}

    def fetch_call(self, sid: str) -> dict[str, str]:
        """A call as Twilio has it now, in the words of a delivery report. Raises ProviderSilent."""
        return (
            self._ask(lambda: {"CallSid": sid, "CallStatus": str(self._client.calls(sid).fetch().status)})
            or {}
        )

    def _sender(self) -> dict[str, str]:
        if self._settings.twilio_messaging_service_sid:
            return {"messaging_service_sid": self._settings.twilio_messaging_service_sid}
        return {"from_": self._settings.twilio_from}

    def _ask(self, question: Callable[[], Answer | None]) -> Answer | None:
        if not self._client:
            raise ProviderSilent("No Twilio account is set.")
        return ask(question)


def status_url(settings: Settings, attempt_id: str) -> str:
    """Where Twilio reports what became of that attempt; also the address that its signature covers."""
    return f"{settings.desk_url}/twilio/status/{attempt_id}"


def voice_url(settings: Settings, attempt_id: str) -> str:
    """Where Twilio asks what to say once somebody picks up; also the address that its signature covers."""
    return f"{settings.desk_url}/twilio/voice/{attempt_id}"


def digit_url(settings: Settings, attempt_id: str) -> str:
    """Where Twilio brings the digit that was pressed; also the address that its signature covers."""
    return f"{voice_url(settings, attempt_id)}/digit"


def inbound_url(settings: Settings) -> str:
    """Where Twilio brings what people write to us; also the address that its signature covers."""
    return f"{settings.desk_url}/twilio/inbound"


def signature_is_valid(settings: Settings, url: str, params: Mapping[str, str], signature: str) -> bool:
    """Whether Twilio signed these form fields for that address, with our token or the one before it.

    `url` is made from the settings (`status_url`, `inbound_url`), never from the request; any other host is
    refused.
    """
    if not url.startswith(f"{settings.desk_url}/"):
        return False
    tokens = (settings.twilio_auth_token, settings.twilio_auth_token_previous)
    # An empty token signs as well as any: it must never count.
    return any(RequestValidator(token).validate(url, params, signature) for token in tokens if token)
