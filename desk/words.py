"""What the desk says for each code: one table for each kind of code, nothing computed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from referrals.behaviours import BEHAVIOURS
from referrals.facts import Relation, Setting
from referrals.filing import Source
from referrals.states import State
from routing.locate import Confidence
from routing.rules import Role
from routing.states import HandoffState, Reason
from routing.weighing import Outcome

# What is due next, by the referral's `due_reason`.
DUE: dict[str, str] = {
    "route": "finding the right team",
    "answer": "an answer to the offer",
    "first_action": "a first action",
    "work": "the next action",
    "approve_closing": "a second member's answer to the closing",
    "routed": "work from this desk: this team leads",
    "ambiguous": "a choice: several teams fit equally",
    "confirm_location": "the exact place",
    "location_needed": "the place",
    "no_coverage": "a team: none covers this place",
    "declined": "a choice: who was asked said no",
    "recalled": "a choice: the offer was taken back",
    "no_answer": "a call: nobody who was asked has answered",
    "returned": "a choice: the team that had it gave it back",
    "departed": "a choice: nobody is left in the team that had it",
    "recused": "a choice: the team that had it has a conflict of interest",
    "outside": "asking the agency outside how it went",
}

# Why it waits at a desk, by the same codes.
WAITS: dict[str, str] = {
    "routed": "a team is being asked",
    "ambiguous": "several teams fit equally",
    "confirm_location": "the exact place is not sure",
    "location_needed": "the place is not known",
    "no_coverage": "no team covers this place",
    "no_answer": "nobody who was asked has answered",
    "declined": "the team that was asked declined",
    "recalled": "the offer was taken back",
    "returned": "the team that had it gave it back",
    "departed": "nobody is left in the team that had it",
    "recused": "the team that had it has a conflict of interest",
}

# Why a team was asked, to end "You were asked because …".
ASKED_BECAUSE: dict[Reason, str] = {
    Reason.ROUTED: "the coverage rules name your team for this place",
    Reason.UNCERTAIN_PLACE: "the place is not certain, and it may be in your area",
    Reason.NO_LOCAL_TEAM: "no local team covers this place",
    Reason.NO_ANSWER: "a team that was asked before you did not answer in time",
    Reason.SUBJECT_PLACE: "the person whom it is about is in your area, and the danger is in another",
    Reason.SUPPORT_RULE: "the coverage rules name your team to support this kind of concern",
    Reason.NOTIFY_RULE: "the coverage rules say that your team is told",
    Reason.HANDED_ON: "{from_team} handed it on to you",
    Reason.BETTER_TEAM: "another team named yours as the better one",
    Reason.REQUESTED: "{from_team} would like to take it over",
    Reason.SUBJECT_MOVED: "the person whom it is about moved into your area",
    Reason.DEPARTED: "nobody is left in the team that was asked before",
    Reason.RECUSED: "the team that had it has a conflict of interest",
    Reason.HANDLING: "the originator has to allow it",
}

STATES: dict[State, str] = {
    State.FILED: "received, not yet with a team",
    State.OFFERED: "offered, not yet acknowledged",
    State.AT_DESK: "waits at a desk",
    State.HELD: "acknowledged, being worked on",
    State.CLOSING: "closing waits for a second member",
    State.CLOSED: "closed",
}

HANDOFF_STATES: dict[HandoffState, str] = {
    HandoffState.OFFERED: "not yet seen",
    HandoffState.OPENED: "seen, not yet answered",
    HandoffState.ACKNOWLEDGED: "acknowledged",
    HandoffState.DECLINED: "declined",
    HandoffState.LAPSED: "nobody answered in time",
    HandoffState.RECALLED: "taken back",
    HandoffState.PASSED_ON: "acknowledged, later passed on",
    HandoffState.RETURNED: "acknowledged, later given back",
    HandoffState.COMPLETED: "completed",
}

# What *Acknowledge* means, by kind of handoff.
ACKNOWLEDGING: dict[str, str] = {
    "transfer": "Your team takes responsibility. {from_team} is told at once.",
    "consult": "Your team works on it with {from_team}, who keeps responsibility and is told at once.",
    "support": "Your team helps {from_team}, who keeps responsibility and is told at once.",
    "inform": "You confirm that your team knows. {from_team} keeps responsibility.",
    "request": "You agree to pass it over. Then hand it on to {from_team}: until they acknowledge, you keep it.",
}

PARTS: dict[str, str] = {
    "narrative": "What was told",
    "subject": "Who it is about",
    "reporter": "How to reach the person who reported",
    "attachments": "Files",
    "notes": "Notes and actions",
    "need": "The need, and whom to contact",
    "education": "Records of a school",
    "health": "Records of health care",
}

# What waits in the outbox, by its job.
WORK: dict[str, str] = {
    "routing.jobs.route_referral": "referrals whose team is being found",
    "routing.jobs.next_contact": "people to be asked next",
    "routing.permission.settle": "answers of originators to be acted on",
    "routing.dry_run.try_draft": "dry runs of drafts",
    "notifications.delivery.deliver": "notices to be sent",
    "notifications.callbacks.apply_report": "delivery reports to be taken in",
    "notifications.silence.look": "notices whose arrival is asked about",
    "notifications.ringing.ring": "telephones to be rung",
    "notifications.senders.page": "words to administrators about a provider",
    "notifications.checking.send_code": "codes to be sent",
    "notifications.reports.send": "reports to offices' own systems",
    "notifications.witnesses.mail_checkpoint": "checkpoints to be mailed",
}

RELATIONS: dict[Relation, str] = {
    Relation.TARGET: "Where the danger is",
    Relation.INCIDENT: "Where it happened",
    Relation.SUBJECT: "Where the person is whom it is about",
    Relation.REPORTER: "Where the person is who reported",
}

SETTINGS: dict[Setting, str] = {
    Setting.SCHOOL: "A school",
    Setting.WORKPLACE: "A workplace",
    Setting.HOME: "A home",
    Setting.PUBLIC: "A public place",
    Setting.ONLINE: "Online",
    Setting.UNKNOWN: "Not known",
}

SOURCES: dict[Source, str] = {
    Source.PUBLIC: "A tip from the public",
    Source.FORWARD: "Forwarded by an agency",
}

HANDLING: dict[str, str] = {
    "H0": "May be used and passed on.",
    "H1": "May not be used as evidence without the originator's permission.",
    "H2": "May not be passed on without the originator's permission.",
    "H3": "To be handled as the originator states in the words.",
}

# Rules and what became of them: on "Why here?" and "What if?".
ROLES: dict[Role, str] = {
    Role.LEAD: "leads",
    Role.SUPPORT: "supports",
    Role.NOTIFY: "is told",
    Role.EXCLUDE: "is left out",
}

SURE: dict[Confidence, str] = {
    Confidence.ASSERTED: "named",
    Confidence.INSIDE: "the point lies inside",
    Confidence.SHARE: "by its share of addresses",
    Confidence.BORDER: "one of several that fit",
}

BECAME: dict[Outcome, str] = {
    Outcome.LEAD: "leads",
    Outcome.TIED: "tied for the lead",
    Outcome.SUPPORT: "supports",
    Outcome.NOTIFY: "is told",
    Outcome.LOST: "lost on {detail}",
    Outcome.NOT_APPLIED: "does not apply here",
    Outcome.SHIELDED: "shut out by {detail}",
    Outcome.EXCLUDED: "left out by a rule",
    Outcome.NOT_AGAIN: "not asked again",
    Outcome.UNREACHABLE: "passed over",
    Outcome.BELOW_FLOOR: "too small a share",
}

# The criteria by which leads are weighed, in their order.
LOST_ON: dict[str, str] = {
    "mandate": "another has an agreement or a law behind it",
    "relation": "another place counts more: where the danger is, then where it happened, then where the person is",
    "layer": "a more specific area goes first: a school before its city, a city before its county",
    "specificity": "another rule asks for more: these acts, this kind of place, this urgency, these hours",
    "priority": "another rule was given a higher priority",
    "confidence": "the place is surer for another",
}

# Maps have so many patterns for areas. The first is plain and stays the first one's; from the ninth on the others
# come again, and the numbers tell them apart.
PATTERNS = 8


def pattern(number: int) -> str:
    """The pattern of a numbered area or team, as maps.html calls it."""
    return f"team-{number if number <= PATTERNS else 2 + (number - PATTERNS - 1) % (PATTERNS - 1)}"


def work(job: str) -> str:
    """What waits, by its job; one that a newer version owes is not known here."""
    return WORK.get(job, "other work")


def parts(codes: Iterable[str], filled: Collection[str]) -> list[str]:
    """Parts of a referral in words: those that hold something."""
    return [PARTS[code] for code in codes if code in filled and code in PARTS]


_ACTS = {behaviour.code: behaviour.words for behaviour in BEHAVIOURS}


def acts(codes: Sequence[str]) -> list[str]:
    """Behaviours of concern in words, in the order of the closed list."""
    return [words for code, words in _ACTS.items() if code in codes]
