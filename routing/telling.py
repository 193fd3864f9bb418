"""Who is told at each step of a handoff. The words are notifications'; the choice of people is made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import members, teams
from directory.members import Channel
from directory.teams import TeamKind
from notifications import notices
from notifications.notices import Waiting
from referrals import moves
from referrals.facts import Urgency
from routing.states import STEPS, Audience, Reason

# A ladder of one still has a next: the same person again.
_TEMPLATE_OF_STEP = ("offer", "reminder", "escalated", "escalated")


def tell_step(session: Session, row: Row[Any], now: datetime) -> None:
    """Sends the notices of the step on which this handoff stands."""
    step = STEPS[Urgency(row.urgency)][row.step]
    template = _TEMPLATE_OF_STEP[row.step]
    if row.step == 0 and row.reason == Reason.UNCERTAIN_PLACE.value:
        template = "uncertain_place"
    for audience in step.audiences:
        team_id, people = _AUDIENCES[audience](session, row)
        is_receiver = team_id == row.to_team_id
        notices.write(
            session,
            _waiting(session, row, team_id),
            people,
            template if is_receiver else "task",
            now=now,
            with_code=is_receiver,
        )


def tell_next(session: Session, row: Row[Any], now: datetime) -> int:
    """Tells the next on the ladder at once, because a message to the last one failed. Returns how many notices."""
    _, people = _next(session, row)
    return notices.write(
        session, _waiting(session, row, row.to_team_id), people, "offer", now=now, with_code=True
    )


def tell_sender(session: Session, row: Row[Any], what: str, now: datetime) -> None:
    """Tells the member who made an offer, or else the first on the sending team's ladder, what became of it."""
    people = [row.from_member_id] if row.from_member_id else members.ladder(session, row.from_team_id)[:1]
    notices.write(
        session, _waiting(session, row, row.from_team_id), people, what, now=now, channels=(Channel.EMAIL,)
    )


def tell_withdrawn(session: Session, row: Row[Any], people: list[str], now: datetime) -> None:
    """Tells everybody who was asked that they need not answer any more."""
    notices.write(session, _waiting(session, row, row.to_team_id), people, "withdrawn", now=now)


def tell_custodian(session: Session, referral: Row[Any], team_id: str, template: str, now: datetime) -> int:
    """Tells everybody of a team that a referral waits for its custodian. Returns how many notices."""
    waiting = Waiting(
        subject_id=referral.id,
        reference=referral.reference,
        urgency=Urgency(referral.urgency),
        team_id=team_id,
        time_zone=teams.team(session, team_id).time_zone,
        deadline_at=referral.due_at,
    )
    return notices.write(session, waiting, members.ladder(session, team_id), template, now=now)


def _waiting(session: Session, row: Row[Any], team_id: str) -> Waiting:
    referral = moves.referral(session, row.referral_id)
    waiting = Waiting(
        subject_id=row.id,
        reference=referral.reference,
        urgency=Urgency(row.urgency),
        team_id=team_id,
        time_zone=teams.team(session, team_id).time_zone,
        deadline_at=row.offered_at,
    )
    return replace(waiting, deadline_at=row.due_at) if row.due_at else waiting


def _first(session: Session, row: Row[Any]) -> tuple[str, list[str]]:
    ladder = members.ladder(session, row.to_team_id)
    reachable = {contact.member_id for contact in members.reachable_contacts(session, ladder)}
    # Somebody without a usable contact cannot be first: the next who can be reached is.
    return row.to_team_id, [id for id in ladder if id in reachable][:1]


def _next(session: Session, row: Row[Any]) -> tuple[str, list[str]]:
    ladder = members.ladder(session, row.to_team_id)
    told = notices.told(session, row.id)
    return row.to_team_id, [id for id in ladder if id not in told][:1] or ladder[:1]


def _whole_team(session: Session, row: Row[Any]) -> tuple[str, list[str]]:
    everybody = [*members.ladder(session, row.to_team_id), *members.supervisors(session, row.to_team_id)]
    return row.to_team_id, list(dict.fromkeys(everybody))


def _hub_desk(session: Session, row: Row[Any]) -> tuple[str, list[str]]:
    hub = teams.hub_above(session, row.to_team_id)
    # The root desk has nobody above it: its own people are all told anyway.
    people = (
        []
        if hub.id == row.to_team_id and hub.kind == TeamKind.ROOT.value
        else members.ladder(session, hub.id)
    )
    return hub.id, people


_AUDIENCES: dict[Audience, Callable[[Session, Row[Any]], tuple[str, list[str]]]] = {
    Audience.FIRST: _first,
    Audience.NEXT: _next,
    Audience.WHOLE_TEAM: _whole_team,
    Audience.HUB_DESK: _hub_desk,
}
