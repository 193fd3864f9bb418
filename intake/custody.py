"""The custody of a forward, in sentences for the office that sent it: offices and times, nobody's notes or names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import teams
from intake.forward import Handling
from intake.forward_words import HANDLINGS
from intake.forwards import Forwarded
from referrals.behaviours import BEHAVIOURS
from referrals.casework import DISPOSITIONS, Disposition
from referrals.facts import Evidence, Facts, Relation
from referrals.states import State
from routing import explanation, jobs
from routing.boundaries import Boundaries
from routing.decision import Decision, Status
from routing.naming import named
from routing.states import DECLINES, Decline, HandoffState

# What is due next, by the referral's `due_reason`.
DUE = {
    "route": lazy_gettext("Finding the right team"),
    "answer": lazy_gettext("An answer to the offer"),
    "first_action": lazy_gettext("A first action by the team"),
    "work": lazy_gettext("The team’s next action"),
    "approve_closing": lazy_gettext("A second member’s answer to the closing"),
    "no_answer": lazy_gettext("A call by the desk: nobody has answered"),
}
_ANSWERED = {
    HandoffState.ACKNOWLEDGED: lazy_gettext("%(team)s acknowledged and has custody from here on."),
    HandoffState.PASSED_ON: lazy_gettext("%(team)s acknowledged and had custody from here on."),
    HandoffState.RETURNED: lazy_gettext("%(team)s acknowledged and had custody from here on."),
    HandoffState.COMPLETED: lazy_gettext("%(team)s acknowledged and had custody from here on."),
    HandoffState.DECLINED: lazy_gettext("%(team)s declined: %(reason)s."),
    HandoffState.LAPSED: lazy_gettext("%(team)s did not answer in time."),
    HandoffState.RECALLED: lazy_gettext("The offer to %(team)s was taken back."),
}
_NOT_CERTAIN = lazy_gettext(
    "The place is not certain yet; people at a central desk have it and are finding the right team."
)
_NOT_SENT = {
    Status.NO_COVERAGE: lazy_gettext("No team answers for that place yet, so the central desk has it.")
}
_FIRST = (Relation.TARGET, Relation.INCIDENT, Relation.SUBJECT, Relation.REPORTER)


@dataclass(frozen=True)
class Step:
    """One line of the chain."""

    at: datetime
    sentence: str


def line_by_line(forwarded: Forwarded) -> list[Step]:
    """What happened to custody, oldest first."""
    filed = Step(
        forwarded.filed_at, gettext("You forwarded it. Your office keeps custody until a team acknowledges.")
    )
    steps = [filed, *(step for row in forwarded.transfers for step in _of_transfer(row))]
    if forwarded.closed_at:
        steps.append(Step(forwarded.closed_at, closed_as(forwarded)))
    return sorted(steps, key=lambda step: step.at)


def closed_as(forwarded: Forwarded) -> str:
    """With what class of result it was closed."""
    assert forwarded.disposition
    result = gettext(DISPOSITIONS[Disposition(forwarded.disposition)])
    return str(gettext("Closed. %(result)s.", result=result))


def due_words(forwarded: Forwarded) -> str:
    """What the next deadline is for; "" where nothing is due."""
    if forwarded.state is State.CLOSED:
        return ""
    return str(DUE.get(forwarded.due_reason or "", gettext("A decision by the desk")))


def handling(forwarded: Forwarded) -> str:
    """Its handling code, with what that means in short."""
    return str(HANDLINGS[Handling(forwarded.handling_code)])


def acts(facts: Facts) -> list[str]:
    """The acts in words, in the order of the closed list."""
    return [gettext(act.words) for act in BEHAVIOURS if act.code in facts.behaviours]


def place(facts: Facts, boundaries: Boundaries) -> str:
    """The place that counts most, such as "Tempe, AZ"; "" where none is known."""
    for whose in _FIRST:
        pieces = [piece for piece in facts.evidence if piece.relation is whose]
        named = [words for piece in pieces if (words := _piece(piece, boundaries))]
        if named:
            # A state beside a town of it says nothing more.
            return named[0]
    return ""


def route(session: Session, forwarded: Forwarded, boundaries: Boundaries) -> str:
    """Where it was sent and why, in one sentence; "" until that is decided."""
    decided = jobs.latest(session, forwarded.id)
    if decided is None:
        return ""
    decision = Decision.from_json(decided.explanation)
    if decision.status is Status.ROUTED:
        lead = decision.leads[0]
        team = teams.names(session, [lead])[lead]
        area = boundaries.name(explanation.led_by(decision))
        return str(
            gettext(
                "Sent to %(team)s, because the place that was named is in %(area)s.", team=team, area=area
            )
        )
    return str(_NOT_SENT.get(decision.status, _NOT_CERTAIN))


def _of_transfer(row: Row[Any]) -> Iterable[Step]:
    team = row.as_then["to_team"]
    yield Step(row.offered_at, gettext("Offered to %(team)s.", team=team))
    if row.opened_at:
        yield Step(row.opened_at, gettext("%(team)s opened the offer.", team=team))
    if row.answered_at:
        reason = gettext(DECLINES[Decline(row.decline_reason)]) if row.decline_reason else ""
        yield Step(
            row.answered_at, str(_ANSWERED[HandoffState(row.state)]) % {"team": team, "reason": reason}
        )


def _piece(piece: Evidence, boundaries: Boundaries) -> str:
    if piece.areas:
        return str(gettext(" or ")).join(named(area, boundaries) for area in piece.areas[:4])
    if piece.latitude is not None and piece.longitude is not None:
        return str(gettext("a point at %(at)s", at=f"{piece.latitude:.4f}, {piece.longitude:.4f}"))
    return ""
