"""Kinds, states, acts, reasons and grounds of a handoff, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from referrals.sealing import PARTS


class Kind(StrEnum):
    """What is asked of the receiving team."""

    TRANSFER = "transfer"
    CONSULT = "consult"
    SUPPORT = "support"
    INFORM = "inform"
    REQUEST = "request"
    EXTERNAL = "external"
    PERMISSION = "permission"


@dataclass(frozen=True)
class KindRule:
    """`parts` is what goes along unless the sender chooses, `always` what does unasked; `words` says what the kind
    means to who sends it. `chosen`: a custodian finds it among the kinds of handing on."""

    moves_custody: bool
    parts: tuple[str, ...]
    words: str
    always: tuple[str, ...] = ()
    chosen: bool = True


KINDS: dict[Kind, KindRule] = {
    Kind.TRANSFER: KindRule(
        True,
        PARTS,
        "They take responsibility. You keep it until a named person acknowledges.",
        # Whoever takes it over documents it and asks others for help.
        always=("notes", "need"),
    ),
    Kind.CONSULT: KindRule(
        False,
        ("narrative", "subject", "attachments", "notes"),
        "They work on it with you. You keep responsibility.",
    ),
    Kind.SUPPORT: KindRule(
        False,
        (),
        "They help with a need. They see the need and whom to contact, not what was told, unless you add it.",
        always=("need",),
    ),
    Kind.INFORM: KindRule(False, (), "They are told that it exists. Only a receipt is asked."),
    Kind.REQUEST: KindRule(
        False, (), "You ask the team that holds it to pass it over. They decide.", chosen=False
    ),
    Kind.EXTERNAL: KindRule(
        False,
        (),
        "Somebody outside this service whom you call. You keep responsibility, at least until you called their "
        "agency back and it confirmed.",
        chosen=False,
    ),
    Kind.PERMISSION: KindRule(
        False, (), "You ask the originator whether it may be passed on to another team.", chosen=False
    ),
}


class HandoffState(StrEnum):
    """Where a handoff stands. Only `acknowledged` can move custody. What is still on a form is stored nowhere."""

    OFFERED = "offered"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    LAPSED = "lapsed"
    RECALLED = "recalled"
    RETURNED = "returned"
    PASSED_ON = "passed_on"
    COMPLETED = "completed"


OPEN = (HandoffState.OFFERED, HandoffState.OPENED)
# Somebody acknowledged it, whatever came later.
TAKEN = (
    HandoffState.ACKNOWLEDGED,
    HandoffState.PASSED_ON,
    HandoffState.COMPLETED,
    HandoffState.RETURNED,
)


class Act(StrEnum):
    """What can be done to a handoff."""

    LOOK = "look"
    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    LAPSE = "lapse"
    RECALL = "recall"
    GIVE_BACK = "give_back"
    HAND_ON = "hand_on"
    RESUME = "resume"
    COMPLETE = "complete"


@dataclass(frozen=True)
class ActRule:
    """From which states an act leads to which one, for which kinds."""

    before: tuple[HandoffState, ...]
    after: HandoffState
    kinds: frozenset[Kind] = frozenset(Kind)


_TRANSFER = frozenset({Kind.TRANSFER})
# A triple of state, act and kind that does not follow from this table cannot happen.
ACTS: dict[Act, ActRule] = {
    # Nobody outside the directory looks here.
    Act.LOOK: ActRule((HandoffState.OFFERED,), HandoffState.OPENED, frozenset(Kind) - {Kind.EXTERNAL}),
    Act.ACKNOWLEDGE: ActRule(OPEN, HandoffState.ACKNOWLEDGED),
    Act.DECLINE: ActRule(OPEN, HandoffState.DECLINED),
    Act.LAPSE: ActRule(OPEN, HandoffState.LAPSED),
    Act.RECALL: ActRule(OPEN, HandoffState.RECALLED),
    # A receipt, a request and a permission are nothing that could be given back.
    Act.GIVE_BACK: ActRule(
        (HandoffState.ACKNOWLEDGED,),
        HandoffState.RETURNED,
        frozenset({Kind.TRANSFER, Kind.CONSULT, Kind.SUPPORT, Kind.EXTERNAL}),
    ),
    Act.HAND_ON: ActRule((HandoffState.ACKNOWLEDGED,), HandoffState.PASSED_ON, _TRANSFER),
    # It came back: who passed it on holds it by its own acknowledgement again.
    Act.RESUME: ActRule((HandoffState.PASSED_ON,), HandoffState.ACKNOWLEDGED, _TRANSFER),
    Act.COMPLETE: ActRule((HandoffState.ACKNOWLEDGED,), HandoffState.COMPLETED),
}


def follows(kind: Kind, state: HandoffState, act: Act) -> HandoffState | None:
    """The state after the act, or None where it cannot happen."""
    rule = ACTS[act]
    return rule.after if state in rule.before and kind in rule.kinds else None


class Reason(StrEnum):
    """Why a handoff was offered."""

    ROUTED = "routed"
    UNCERTAIN_PLACE = "uncertain_place"
    NO_LOCAL_TEAM = "no_local_team"
    NO_ANSWER = "no_answer"
    SUBJECT_PLACE = "subject_place"
    SUPPORT_RULE = "support_rule"
    NOTIFY_RULE = "notify_rule"
    HANDED_ON = "handed_on"
    BETTER_TEAM = "better_team"
    REQUESTED = "requested"
    SUBJECT_MOVED = "subject_moved"
    DEPARTED = "departed"
    RECUSED = "recused"
    HANDLING = "handling"


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
