"""Kinds, states and clocks of a handoff, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from referrals.facts import Urgency
from referrals.sealing import PARTS


class Kind(StrEnum):
    """What is asked of the receiving team."""

    TRANSFER = "transfer"
    CONSULT = "consult"
    SUPPORT = "support"
    INFORM = "inform"


@dataclass(frozen=True)
class KindRule:
    """`parts` is what goes along unless the sender chooses; `words` says what the kind means."""

    moves_custody: bool
    parts: tuple[str, ...]
    words: str


KINDS: dict[Kind, KindRule] = {
    Kind.TRANSFER: KindRule(
        True, PARTS, "They take responsibility. You keep it until a named person acknowledges."
    ),
    Kind.CONSULT: KindRule(
        False,
        ("narrative", "subject", "attachments", "notes"),
        "They work on it with you. You keep responsibility.",
    ),
    Kind.SUPPORT: KindRule(False, (), "They help with a need. They do not see what was told."),
    Kind.INFORM: KindRule(False, (), "They are told that it exists. Only a receipt is asked."),
}


class HandoffState(StrEnum):
    """Where a handoff stands. Only `acknowledged` can move custody."""

    OFFERED = "offered"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    LAPSED = "lapsed"
    RECALLED = "recalled"
    PASSED_ON = "passed_on"
    COMPLETED = "completed"


OPEN = (HandoffState.OFFERED, HandoffState.OPENED)

# State → states that may follow. A pair that is not here cannot happen.
NEXT: dict[HandoffState, tuple[HandoffState, ...]] = {
    HandoffState.OFFERED: (
        HandoffState.OPENED,
        HandoffState.ACKNOWLEDGED,
        HandoffState.DECLINED,
        HandoffState.LAPSED,
        HandoffState.RECALLED,
    ),
    HandoffState.OPENED: (
        HandoffState.ACKNOWLEDGED,
        HandoffState.DECLINED,
        HandoffState.LAPSED,
        HandoffState.RECALLED,
    ),
    HandoffState.ACKNOWLEDGED: (HandoffState.PASSED_ON, HandoffState.COMPLETED),
    HandoffState.DECLINED: (),
    HandoffState.LAPSED: (),
    HandoffState.RECALLED: (),
    HandoffState.PASSED_ON: (),
    HandoffState.COMPLETED: (),
}


def before(state: HandoffState) -> tuple[str, ...]:
    """The states from which `state` can be reached: what a compare-and-set expects."""
    return tuple(earlier.value for earlier, later in NEXT.items() if state in later)


class Reason(StrEnum):
    """Why a handoff was offered."""

    ROUTED = "routed"
    UNCERTAIN_PLACE = "uncertain_place"
    NO_LOCAL_TEAM = "no_local_team"
    NO_ANSWER = "no_answer"
    SUPPORT_RULE = "support_rule"
    NOTIFY_RULE = "notify_rule"
    HANDED_ON = "handed_on"
    BETTER_TEAM = "better_team"


class Decline(StrEnum):
    """Why a team says no. A closed list; more words go into a note."""

    NOT_OUR_AREA = "not_our_area"
    NOT_OUR_MATTER = "not_our_matter"
    CONFLICT = "conflict_of_interest"
    NO_CAPACITY = "no_capacity"
    DUPLICATE = "duplicate"
    OTHER = "other"


DECLINES: dict[Decline, str] = {
    Decline.NOT_OUR_AREA: "The place is not in our area",
    Decline.NOT_OUR_MATTER: "This kind of concern is not ours",
    Decline.CONFLICT: "We have a conflict of interest",
    Decline.NO_CAPACITY: "We cannot take it in time",
    Decline.DUPLICATE: "We work on the same matter already",
    Decline.OTHER: "Another reason",
}


class Basis(StrEnum):
    """The legal ground on which something is disclosed. A required choice."""

    CONSENT = "consent"
    EMERGENCY = "emergency"
    LAW_ENFORCEMENT = "law_enforcement"
    AGREEMENT = "agreement"
    COURT_ORDER = "court_order"
    INTAKE_ROUTING = "intake_routing"


BASES: dict[Basis, str] = {
    Basis.CONSENT: "Consent was given",
    Basis.EMERGENCY: "Health or safety emergency",
    Basis.LAW_ENFORCEMENT: "Law-enforcement purpose",
    Basis.AGREEMENT: "Written agreement between the agencies",
    Basis.COURT_ORDER: "Court order",
    # The service's own: a tip was given so that the responsible team reads it.
    Basis.INTAKE_ROUTING: "Given to this service to reach the responsible team",
}


class Audience(StrEnum):
    """Who is told at a step."""

    FIRST = "first"
    NEXT = "next"
    WHOLE_TEAM = "whole_team"
    HUB_DESK = "hub_desk"


@dataclass(frozen=True)
class Step:
    """So long after the offer, without an acknowledgement, these are told. The last step ends in a lapse."""

    after: timedelta
    audiences: tuple[Audience, ...]


_M = timedelta(minutes=1)
# Times of the field's stories; business days are counted by `routing.business_days`.
STEPS: dict[Urgency, tuple[Step, ...]] = {
    Urgency.IMMINENT: (
        Step(0 * _M, (Audience.WHOLE_TEAM, Audience.HUB_DESK)),
        Step(5 * _M, (Audience.WHOLE_TEAM, Audience.HUB_DESK)),
        Step(10 * _M, (Audience.HUB_DESK,)),
    ),
    Urgency.ELEVATED: (
        Step(0 * _M, (Audience.FIRST,)),
        Step(15 * _M, (Audience.NEXT,)),
        Step(60 * _M, (Audience.WHOLE_TEAM,)),
        Step(240 * _M, (Audience.HUB_DESK,)),
    ),
    Urgency.ROUTINE: (
        Step(0 * _M, (Audience.FIRST,)),
        Step(12 * 60 * _M, (Audience.NEXT,)),
        Step(24 * 60 * _M, (Audience.HUB_DESK,)),
    ),
}

# How soon a desk must act on what no rule settled, and a custodian take a first step.
DESK_WITHIN: dict[Urgency, timedelta] = {
    Urgency.IMMINENT: 5 * _M,
    Urgency.ELEVATED: 60 * _M,
    Urgency.ROUTINE: 24 * 60 * _M,
}
FIRST_ACTION_WITHIN: dict[Urgency, timedelta] = {
    Urgency.IMMINENT: 15 * _M,
    Urgency.ELEVATED: 4 * 60 * _M,
    Urgency.ROUTINE: 3 * 24 * 60 * _M,
}
# After each documented action the custodian is asked again by then.
NEXT_ACTION_WITHIN: dict[Urgency, timedelta] = {
    Urgency.IMMINENT: 4 * 60 * _M,
    Urgency.ELEVATED: 24 * 60 * _M,
    Urgency.ROUTINE: 14 * 24 * 60 * _M,
}
