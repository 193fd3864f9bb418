"""The defaults of every clock, by urgency and kind, as tables. What a team changes of them: `routing.timetable`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from referrals.facts import Urgency
from routing.states import Kind


class Audience(StrEnum):
    """Who is told at a step."""

    FIRST = "first"
    NEXT = "next"
    WHOLE_TEAM = "whole_team"
    HUB_DESK = "hub_desk"
    # The team that made the offer: where nobody else here can act on it.
    SENDER = "sender"


@dataclass(frozen=True)
class Step:
    """So long after the offer, without an acknowledgement, these are told. The last step ends in a lapse.

    `calls`: the desk above must telephone the team and the local 911 centre, until a person records the calls.
    """

    after: timedelta
    audiences: tuple[Audience, ...]
    calls: bool = False


_M = timedelta(minutes=1)
# Times of the field's stories, for what asks a team to act; business days are counted by `routing.business_days`.
STEPS: dict[Urgency, tuple[Step, ...]] = {
    Urgency.IMMINENT: (
        Step(0 * _M, (Audience.WHOLE_TEAM, Audience.HUB_DESK)),
        Step(5 * _M, (Audience.WHOLE_TEAM, Audience.HUB_DESK)),
        Step(10 * _M, (Audience.HUB_DESK,), calls=True),
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

# Only a receipt is asked: there is time to tell one person before the next. Imminent is as any offer.
_INFORM: dict[Urgency, tuple[Step, ...]] = STEPS | {
    Urgency.ELEVATED: (
        Step(0 * _M, (Audience.FIRST,)),
        Step(60 * _M, (Audience.NEXT,)),
        Step(240 * _M, (Audience.WHOLE_TEAM,)),
        Step(480 * _M, (Audience.HUB_DESK,)),
    ),
}
# An originator who is asked for permission has a clock of its own, and so has who has to call an agency back.
_PERMISSION: dict[Urgency, tuple[Step, ...]] = {
    Urgency.IMMINENT: (
        Step(0 * _M, (Audience.WHOLE_TEAM,)),
        Step(5 * _M, (Audience.WHOLE_TEAM,)),
        Step(15 * _M, (Audience.SENDER,)),
    ),
    Urgency.ELEVATED: (
        Step(0 * _M, (Audience.FIRST,)),
        Step(60 * _M, (Audience.WHOLE_TEAM,)),
        Step(240 * _M, (Audience.SENDER,)),
    ),
    Urgency.ROUTINE: (
        Step(0 * _M, (Audience.FIRST,)),
        Step(24 * 60 * _M, (Audience.WHOLE_TEAM,)),
        Step(48 * 60 * _M, (Audience.SENDER,)),
    ),
}
_EXTERNAL: dict[Urgency, tuple[Step, ...]] = {
    Urgency.IMMINENT: (
        Step(0 * _M, ()),
        Step(10 * _M, (Audience.SENDER,)),
        Step(20 * _M, (Audience.SENDER, Audience.HUB_DESK)),
    ),
    Urgency.ELEVATED: (
        Step(0 * _M, ()),
        Step(60 * _M, (Audience.SENDER,)),
        Step(240 * _M, (Audience.SENDER, Audience.HUB_DESK)),
    ),
    Urgency.ROUTINE: (
        Step(0 * _M, ()),
        Step(24 * 60 * _M, (Audience.SENDER,)),
        Step(48 * 60 * _M, (Audience.SENDER, Audience.HUB_DESK)),
    ),
}
STEPS_OF: dict[Kind, dict[Urgency, tuple[Step, ...]]] = {
    Kind.TRANSFER: STEPS,
    Kind.CONSULT: STEPS,
    Kind.SUPPORT: STEPS,
    Kind.INFORM: _INFORM,
    Kind.REQUEST: STEPS,
    Kind.EXTERNAL: _EXTERNAL,
    Kind.PERMISSION: _PERMISSION,
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
# A telephone call that must be made is asked for again this long after each try, and after each silence.
CALL_AGAIN_WITHIN = 5 * _M
# After each documented action the custodian is asked again by then.
NEXT_ACTION_WITHIN: dict[Urgency, timedelta] = {
    Urgency.IMMINENT: 4 * 60 * _M,
    Urgency.ELEVATED: 24 * 60 * _M,
    Urgency.ROUTINE: 14 * 24 * 60 * _M,
}
