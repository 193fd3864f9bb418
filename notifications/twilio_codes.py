"""What Twilio's error codes mean for us, as a table. A code that is not in it raises an alarm."""

from __future__ import annotations

from dataclasses import dataclass, replace

from notifications.outcomes import Action, Outcome, OutcomeState

_TRANSIENT = OutcomeState.FAILED_TRANSIENT
_PERMANENT = OutcomeState.FAILED_PERMANENT
_ACCEPTED = OutcomeState.ACCEPTED
_EXPIRED = OutcomeState.EXPIRED


@dataclass(frozen=True)
class _Meaning:
    """What a code means. `waits`: seconds before each further try, so that after the last one it has failed for good;
    None: no limit but that of every notice."""

    state: OutcomeState
    action: Action
    waits: tuple[float, ...] | None = None


# The meanings, each with the codes that have it.
_MEANINGS: tuple[tuple[_Meaning, tuple[int | str, ...]], ...] = (
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
    # Sender, region or registration: the account is set up wrongly for this message, or (21215, 21219) this call.
    (
        _Meaning(_PERMANENT, Action.CONFIGURATION),
        (21212, 21215, 21219, 21408, 21603, 21606, 21608, 21609, 21612),
    ),
    (_Meaning(_PERMANENT, Action.CONFIGURATION), (30022, 30023, 30027, 30032, 30034, 30035)),
    # The telephone is off or out of reach: nobody waits for it, and it is tried after 5 and after 15 minutes.
    (_Meaning(_TRANSIENT, Action.RETRY_AND_NEXT, (300, 600)), (30003,)),
    # The carrier gave no reason, or a call found the line taken or nobody there: once more after a minute.
    (_Meaning(_TRANSIENT, Action.RETRY, (60,)), (30008, "busy", "no-answer")),
    # Filtered as spam: the same text again would make it worse. And a call that was not put through.
    (_Meaning(_PERMANENT, Action.NEXT_CONTACT), (30007, "call-failed")),
    # Its validity ran out, or we took a call back; the escalation has moved on.
    (_Meaning(_EXPIRED, Action.NOTHING), (30036, "canceled")),
    # Our own mistake: no text, too long, not found. The shortest text is tried at once.
    (_Meaning(_TRANSIENT, Action.SHORTEN, (0,)), (21602, 21617, 21619, 20404)),
)
_BY_CODE: dict[int | str, _Meaning] = {code: meaning for meaning, codes in _MEANINGS for code in codes}
_UNFORESEEN = _Meaning(_PERMANENT, Action.ALARM)
# Seen a second time from the same contact, these mean what 30005 means.
GONE_IF_REPEATED = frozenset({"30004"})
# After these, what is tried again is the shortest text.
TOO_LONG = frozenset(str(code) for code, meaning in _BY_CODE.items() if meaning.action is Action.SHORTEN)

# Statuses of a message that say it never arrived.
_NOT_ARRIVED = frozenset({"failed", "undelivered", "canceled"})


# How a call that reached nobody is reported, in the words of the table above.
_CALLS: dict[str, str] = {
    "busy": "busy",
    "no-answer": "no-answer",
    "failed": "call-failed",
    "canceled": "canceled",
}


def outcome_of(code: int | str, *, provider_id: str | None = None) -> Outcome:
    """What that error code means when it comes for the first time."""
    meaning = _BY_CODE.get(code, _UNFORESEEN)
    wait = meaning.waits[0] if meaning.waits else None
    return Outcome(meaning.state, meaning.action, provider_id, code, wait)


def repeated(outcome: Outcome, failures: int) -> Outcome:
    """What the same code means after it has failed so many attempts of one notice, this one included.

    The next wait, if there is one; else it has failed for good, and the next contact is asked unless that was done.
    """
    meaning = _BY_CODE.get(outcome.code or 0, _UNFORESEEN)
    if meaning.waits is None or failures <= 1:
        return outcome
    if failures <= len(meaning.waits):
        return replace(outcome, action=Action.RETRY, retry_after_s=meaning.waits[failures - 1])
    asked_already = meaning.action is Action.RETRY_AND_NEXT
    action = Action.NOTHING if asked_already else Action.NEXT_CONTACT
    return replace(outcome, state=_PERMANENT, action=action, retry_after_s=None)


def outcome_of_report(status: str, code: int | None, *, provider_id: str | None = None) -> Outcome:
    """What a delivery report, or a message looked up, means: `accepted` unless it never arrived."""
    if status not in _NOT_ARRIVED:
        return Outcome(_ACCEPTED, provider_id=provider_id)
    # A failure without a code is unforeseen too; 0 is no code of Twilio's.
    return outcome_of(code or 0, provider_id=provider_id)


def outcome_of_call(status: str, *, provider_id: str | None = None) -> Outcome:
    """What the status of a call means: `accepted` unless it reached nobody."""
    word = _CALLS.get(status)
    return outcome_of(word, provider_id=provider_id) if word else Outcome(_ACCEPTED, provider_id=provider_id)
