"""What became of one attempt to tell somebody, in the same words for every channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeState(StrEnum):
    """How an attempt ended. The values are those of the notice's own states."""

    ACCEPTED = "accepted"
    FAILED_TRANSIENT = "failed_transient"
    FAILED_PERMANENT = "failed_permanent"
    # The provider may or may not have it: ask before sending again.
    UNKNOWN = "unknown"
    # Too late to be of use; what came after it speaks instead.
    EXPIRED = "expired"


class Action(StrEnum):
    """What is to be done next; one for every way an attempt can end."""

    NOTHING = "nothing"
    RETRY = "retry"
    # The next contact at once; this one again after `retry_after_s`.
    RETRY_AND_NEXT = "retry_and_next"
    NEXT_CONTACT = "next_contact"
    DISABLE_CONTACT = "disable_contact"
    # The number is no mobile: telephone it, and tell the next contact.
    NOT_FOR_SMS = "not_for_sms"
    # Never again until the owner writes START; the next contact at once.
    OPTED_OUT = "opted_out"
    # The account itself is refused: this channel for nobody, and the administrator is told.
    STOP_SENDER = "stop_sender"
    # Our set-up at the provider is wrong: the next contact, and the administrator is told.
    CONFIGURATION = "configuration"
    # Our message was refused for its form: the shortest text, and an alarm.
    SHORTEN = "shorten"
    # Look whether the provider has it before sending again.
    ASK = "ask"
    # Nobody foresaw this: the next contact, and somebody has to look.
    ALARM = "alarm"


# Nobody's address is at fault but we are: somebody who runs this service has to look.
LOUD = frozenset({Action.STOP_SENDER, Action.CONFIGURATION, Action.SHORTEN, Action.ALARM})

# The fault of a notice whose channel has no provider in the settings.
NOT_SET = "no_provider"


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended and what that asks for.

    `provider_id` is the provider's name for the message, None unless it took it. `code` is the provider's
    error code, or a word of ours where no provider spoke. `retry_after_s` is set where the time to wait is
    known.
    """

    state: OutcomeState
    action: Action = Action.NOTHING
    provider_id: str | None = None
    code: int | str | None = None
    retry_after_s: float | None = None
