"""The one next step of a referral for the member who looks at it: words and where the button leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from desk.lateness import Call
from directory import permissions
from directory.members import Member
from directory.permissions import Standing
from referrals.states import State


@dataclass(frozen=True)
class NextStep:
    """What to do now. `endpoint` is a route of the desk, or None where there is nothing to press."""

    words: str
    endpoint: str | None = None
    anchor: str | None = None


# What is due → the button for whoever holds it.
_FOR_HOLDER: dict[str, NextStep] = {
    "first_action": NextStep("Record your first action", "desk.action"),
    "work": NextStep("Record the next action", "desk.action"),
    "routed": NextStep("Record your first action", "desk.action"),
    "location_needed": NextStep("Add what you learn of the place", "desk.place"),
    "confirm_location": NextStep("Confirm the place", "desk.place"),
    "ambiguous": NextStep("Choose a team", "desk.hand_on"),
    "no_coverage": NextStep("Find a team", "desk.hand_on"),
    "no_answer": NextStep("Call, then hand it on", "desk.hand_on"),
    "declined": NextStep("Choose another team", "desk.hand_on"),
    "recalled": NextStep("Choose a team", "desk.hand_on"),
    "returned": NextStep("Choose a team, or work on it", "desk.hand_on"),
    "departed": NextStep("Choose a team, or work on it", "desk.hand_on"),
    "recused": NextStep("Choose a team, or work on it", "desk.hand_on"),
    "outside": NextStep("Ask how it went, and record it", "desk.action"),
    "answer": NextStep("Waiting for an answer"),
    "route": NextStep("The right team is being found"),
    "approve_closing": NextStep("Waiting for a second member"),
}


def find(
    row: Row[Any],
    standing: Standing,
    member: Member,
    offers: list[Row[Any]],
    *,
    may_write: bool,
    call: Call | None,
) -> NextStep:
    """The next step for this member. `may_write`: notes were disclosed to their team, so it can add some; `call`:
    whom the member has to call, if they are of the hub above."""
    if row.state == State.CLOSED.value:
        return NextStep("Closed")
    if offers:
        return NextStep("Answer", anchor="answer")
    if permissions.allowed(member, "referral.approve_closing", standing):
        return NextStep("Answer the closing", "desk.closing")
    if standing.holder in member.team_ids:
        return _FOR_HOLDER.get(row.due_reason, NextStep("Record the next action", "desk.action"))
    if call and call.late_since:
        return NextStep(call.words)
    return _for_helper(standing, member, may_write=may_write) or NextStep(
        call.words if call else "Waiting for an answer"
    )


def _for_helper(standing: Standing, member: Member, *, may_write: bool) -> NextStep | None:
    works = permissions.allowed(member, "referral.timeline", standing)
    if works and may_write:
        return NextStep("Add a note", "desk.note")
    return NextStep("Help as agreed") if works or standing.informed & set(member.team_ids) else None
