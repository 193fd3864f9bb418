"""What Twilio's error codes mean for us, as a table. A code that is not in it raises an alarm."""

from __future__ import annotations

from dataclasses import dataclass

from notifications.outcomes import Action, Outcome, OutcomeState

_TRANSIENT = OutcomeState.FAILED_TRANSIENT
_PERMANENT = OutcomeState.FAILED_PERMANENT
_ACCEPTED = OutcomeState.ACCEPTED


@dataclass(frozen=True)
class _Meaning:
    state: OutcomeState
    action: Action
    retry_after_s: float | None = None


# The meanings, each with the codes that have it.
_MEANINGS: tuple[tuple[_Meaning, tuple[int, ...]], ...] = (
    # The account: 20003 wrong token, 30002 suspended, 30450 closed for messages.
    (_Meaning(_PERMANENT, Action.STOP_SENDER), (20003, 30002, 30450)),
    # Too many at once; nothing was made.
    (_Meaning(_TRANSIENT, Action.RETRY), (429, 20429)),
    # No such number, for good. 30004 (blocked) once is chance, twice is not.
    (_Meaning(_PERMANENT, Action.DISABLE_CONTACT), (21211, 21217, 30005)),
    (_Meaning(_PERMANENT, Action.NEXT_CONTACT), (30004,)),
    # A landline or a carrier that takes no texts.
    (_Meaning(_PERMANENT, Action.NOT_FOR_SMS), (21614, 30006)),
    # STOP was written from it.
    (_Meaning(_PERMANENT, Action.OPTED_OUT), (21610,)),
    # Sender, region or registration: the account is set up wrongly for this message.
    (
        _Meaning(_PERMANENT, Action.CONFIGURATION),
        (21212, 21408, 21603, 21606, 21608, 21609, 21612, 30022, 30023, 30027, 30032, 30034, 30035),
    ),
    # The telephone is off or out of reach: again after 5 minutes, and nobody waits for that.
    (_Meaning(_TRANSIENT, Action.RETRY_AND_NEXT, 300), (30003,)),
    # The carrier gave no reason: once more after a minute.
    (_Meaning(_TRANSIENT, Action.RETRY_AND_NEXT, 60), (30008,)),
    # Filtered as spam: the same text again would make it worse.
    (_Meaning(_PERMANENT, Action.NEXT_CONTACT), (30007,)),
    # Its validity ran out; the escalation has moved on.
    (_Meaning(_PERMANENT, Action.NOTHING), (30036,)),
    # Our own mistake: no text, too long, not found.
    (_Meaning(_PERMANENT, Action.SHORTEN), (21602, 21617, 21619, 20404)),
)
_BY_CODE: dict[int, _Meaning] = {code: meaning for meaning, codes in _MEANINGS for code in codes}
_UNFORESEEN = _Meaning(_PERMANENT, Action.ALARM)
# Seen a second time from the same contact, these mean what 30005 means.
GONE_IF_REPEATED = frozenset({"30004"})

# Statuses of a message that say it never arrived.
_NOT_ARRIVED = frozenset({"failed", "undelivered", "canceled"})


def outcome_of(code: int, *, provider_id: str | None = None) -> Outcome:
    """What that error code means."""
    meaning = _BY_CODE.get(code, _UNFORESEEN)
    return Outcome(meaning.state, meaning.action, provider_id, code, meaning.retry_after_s)


def outcome_of_report(status: str, code: int | None, *, provider_id: str | None = None) -> Outcome:
    """What a delivery report, or a message looked up, means: `accepted` unless it never arrived."""
    if status not in _NOT_ARRIVED:
        return Outcome(_ACCEPTED, provider_id=provider_id)
    # A failure without a code is unforeseen too; 0 is no code of Twilio's.
    return outcome_of(code or 0, provider_id=provider_id)
