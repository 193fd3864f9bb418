"""Who is told at each step of a handoff. The words are notifications'; the choice of people is made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from directory import members, teams
from directory.members import Channel
from directory.teams import TeamKind
from notifications import notices
from notifications.notices import Waiting
from notifications.tables import notices as notice_rows
from referrals import moves
from referrals.facts import Urgency
from routing.states import STEPS, Audience, Kind, Reason

# Within it, the same words about the same referral say nothing new.
_A_MOMENT = timedelta(minutes=1)
_TEMPLATE_OF_STEP = ("offer", "reminder", "escalated", "escalated")


def tell_step(session: Session, row: Row[Any], now: datetime) -> None:
    """Sends the notices of the step on which this handoff stands."""
    step = STEPS[Urgency(row.urgency)][row.step]
    template = _TEMPLATE_OF_STEP[row.step]
    if row.step == 0 and row.reason == Reason.UNCERTAIN_PLACE.value:
        template = "uncertain_place"
    for audience in step.audiences:
        team_id, people = _AUDIENCES[audience](session, row)
        waiting = _waiting(session, row, team_id)
        if team_id == row.to_team_id:
            notices.write(session, waiting, people, template, now=now, with_code=True)
        elif row.kind == Kind.TRANSFER.value and (row.step or team_id != row.from_team_id):
            # The team that made the offer knows of it; a desk above hears of what somebody must take.
            _tell(session, waiting, people, "task", now)


def tell_next(session: Session, row: Row[Any], now: datetime) -> int:
    """Tells the next on the ladder at once, because a message to the last one failed. Returns how many notices.

    Nobody is told twice by this: after the last on the ladder the hub's desk is told, once, and then it is the
    clock's.
    """
    told = notices.told(session, row.id)
    left = [id for id in _reachable_ladder(session, row.to_team_id) if id not in told]
    if left:
        waiting = _waiting(session, row, row.to_team_id)
        return notices.write(session, waiting, left[:1], "offer", now=now, with_code=True)
    hub_id, desk = _hub_desk(session, row)
    people = [id for id in desk if id not in told]
    return notices.write(session, _waiting(session, row, hub_id), people, "task", now=now)


def tell_sender(session: Session, row: Row[Any], what: str, now: datetime) -> None:
    """Tells the member who made an offer, or else the first on the sending team's ladder, what became of it.

    Good news goes by mail. A *task*, since nobody took it, goes by all ways, and imminent to the whole team.
    """
    ladder = members.ladder(session, row.from_team_id)
    people = [row.from_member_id] if row.from_member_id else ladder[:1]
    if what == "task" and row.urgency == Urgency.IMMINENT.value:
        people = list(dict.fromkeys((*people, *ladder)))
    channels = (Channel.SMS, Channel.EMAIL) if what == "task" else (Channel.EMAIL,)
    _tell(session, _waiting(session, row, row.from_team_id), people, what, now, channels)


def tell_second_members(session: Session, referral: Row[Any], proposed_by: str, now: datetime) -> int:
    """Tells those who may approve a closing that it waits for one of them: the custodian's other members, or where
    there is none the desk above. Returns how many notices."""
    team = referral.custodian_team_id
    others = [id for id in members.ladder(session, team) if id != proposed_by]
    if not others:
        team = teams.hub_above(session, team).id
        others = members.ladder(session, team)
    return _tell(session, _of_referral(session, referral, team), others, "task", now)


def tell_withdrawn(session: Session, row: Row[Any], people: list[str], now: datetime) -> None:
    """Tells everybody who was asked that they need not answer any more."""
    notices.write(session, _waiting(session, row, row.to_team_id), people, "withdrawn", now=now)


def tell_custodian(session: Session, referral: Row[Any], team_id: str, template: str, now: datetime) -> int:
    """Tells everybody of a team that a referral waits for its custodian. Returns how many notices."""
    waiting = _of_referral(session, referral, team_id)
    return _tell(session, waiting, members.ladder(session, team_id), template, now)


def _tell(
    session: Session,
    waiting: Waiting,
    people: Sequence[str],
    template: str,
    now: datetime,
    channels: Sequence[Channel] = (Channel.SMS, Channel.EMAIL),
) -> int:
    """Tells each of them once: who was told the same of this referral a moment ago hears nothing new."""
    told = set(
        session.execute(
            select(notice_rows.c.member_id).where(
                notice_rows.c.reference == waiting.reference,
                notice_rows.c.template == template,
                notice_rows.c.created_at > now - _A_MOMENT,
            )
        ).scalars()
    )
    fresh = [id for id in people if id not in told]
    return notices.write(session, waiting, fresh, template, now=now, channels=channels)


def _of_referral(session: Session, referral: Row[Any], team_id: str) -> Waiting:
    return Waiting(
        subject_id=referral.id,
        reference=referral.reference,
        urgency=Urgency(referral.urgency),
        team_id=team_id,
        time_zone=teams.team(session, team_id).time_zone,
        deadline_at=referral.due_at,
    )


def _waiting(session: Session, row: Row[Any], team_id: str) -> Waiting:
    referral = moves.referral(session, row.referral_id)
    return Waiting(
        subject_id=row.id,
        reference=referral.reference,
        urgency=Urgency(row.urgency),
        team_id=team_id,
        time_zone=teams.team(session, team_id).time_zone,
        # An answered offer has no clock any more; then what counts is when the referral itself is due.
        deadline_at=row.due_at or referral.due_at or row.offered_at,
    )


def _reachable_ladder(session: Session, team_id: str) -> list[str]:
    """The ladder without those who have no usable contact: they cannot be next."""
    ladder = members.ladder(session, team_id)
    reachable = {contact.member_id for contact in members.reachable_contacts(session, ladder)}
    return [id for id in ladder if id in reachable]


def _first(session: Session, row: Row[Any]) -> tuple[str, list[str]]:
    return row.to_team_id, _reachable_ladder(session, row.to_team_id)[:1]


def _next(session: Session, row: Row[Any]) -> tuple[str, list[str]]:
    ladder = _reachable_ladder(session, row.to_team_id)
    told = notices.told(session, row.id)
    # A ladder of one still has a next: the same person again.
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
