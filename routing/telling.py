"""Who is told at each step of a handoff. The words are notifications'; the choice of people is made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from directory import members, schedules, teams
from directory.members import Channel
from directory.teams import TeamKind
from notifications import notices
from notifications.notices import Waiting
from notifications.tables import notices as notice_rows
from referrals import moves
from referrals.facts import Urgency
from routing import recusals
from routing.states import Kind, Reason
from routing.steps import STEPS_OF, Audience

# Within it, the same words about the same referral say nothing new.
_A_MOMENT = timedelta(minutes=1)
_TEMPLATE_OF_STEP = ("offer", "reminder", "escalated", "escalated")
# What a text message can take or decline: the rest is answered on a page that says what is asked.
_BY_CODE = frozenset({Kind.TRANSFER, Kind.CONSULT, Kind.SUPPORT, Kind.INFORM})
# What a desk above hears of while nobody answers: what somebody must take.
_CLIMBS = frozenset({Kind.TRANSFER, Kind.EXTERNAL})


def tell_step(session: Session, row: Row[Any], now: datetime) -> None:
    """Sends the notices of the step on which this handoff stands."""
    kind = Kind(row.kind)
    step = STEPS_OF[kind][Urgency(row.urgency)][row.step]
    template = _TEMPLATE_OF_STEP[row.step]
    if row.step == 0 and row.reason == Reason.UNCERTAIN_PLACE.value:
        template = "uncertain_place"
    for audience in step.audiences:
        team_id, people = _AUDIENCES[audience](session, row, now)
        waiting = _waiting(session, row, team_id)
        if team_id == row.to_team_id:
            _ask(session, waiting, people, template, kind, now)
        elif audience is Audience.SENDER or (kind in _CLIMBS and (row.step or team_id != row.from_team_id)):
            # The team that made the offer knows of it; a desk above hears of what somebody must take.
            _tell(session, waiting, people, "task", now)


def remind(session: Session, row: Row[Any], now: datetime) -> None:
    """Half the time is over: who was asked is asked once more; for somebody outside, who has to call them."""
    if row.to_team_id is None:
        team_id, people = _sender(session, row, now)
        _tell(session, _waiting(session, row, team_id), people, "task", now)
        return
    told = notices.told(session, row.id)
    people = [id for id in _ladder(session, row, row.to_team_id, now) if id in told]
    _ask(session, _waiting(session, row, row.to_team_id), people, "reminder", Kind(row.kind), now)


def _ask(
    session: Session, waiting: Waiting, people: Sequence[str], template: str, kind: Kind, now: datetime
) -> None:
    # Whether to pass it over, or to permit it, is answered on a page.
    by_code = kind in _BY_CODE
    notices.write(session, waiting, people, template, now=now, with_code=by_code, asked=kind.value)


def tell_next(session: Session, row: Row[Any], now: datetime) -> int:
    """Tells the next on the ladder at once, because a message to the last one failed. Returns how many notices.

    Nobody is told twice by this: after the last on the ladder the hub's desk is told, once, and then it is the
    clock's.
    """
    told = notices.told(session, row.id)
    left = [id for id in _reachable_ladder(session, row, now) if id not in told]
    if left:
        waiting = _waiting(session, row, row.to_team_id)
        return notices.write(
            session, waiting, left[:1], "offer", now=now, with_code=True, asked=str(row.kind)
        )
    hub_id, desk = _hub_desk(session, row, now)
    people = [id for id in desk if id not in told]
    return notices.write(session, _waiting(session, row, hub_id), people, "task", now=now)


def tell_sender(session: Session, row: Row[Any], what: str, now: datetime) -> None:
    """Tells the member who made an offer, or else the first on the sending team's ladder, what became of it.

    Good news goes by mail. A *task*, since nobody took it, goes by all ways, and imminent to the whole team.
    """
    ladder = _ladder(session, row, row.from_team_id, now)
    people = [row.from_member_id] if row.from_member_id else ladder[:1]
    if what == "task" and row.urgency == Urgency.IMMINENT.value:
        people = list(dict.fromkeys((*people, *ladder)))
    channels = (Channel.SMS, Channel.EMAIL) if what == "task" else (Channel.EMAIL,)
    _tell(session, _waiting(session, row, row.from_team_id), people, what, now, channels)


def tell_office(session: Session, row: Row[Any], office: str, now: datetime) -> None:
    """Tells the people of the office that a referral came from that there is something of it to look at."""
    _tell(session, _waiting(session, row, office), _ladder(session, row, office, now), "task", now)


def tell_second_members(session: Session, referral: Row[Any], proposed_by: str, now: datetime) -> int:
    """Tells those who may approve a closing that it waits for one of them. Returns how many notices."""
    team, others = second_members(session, referral, proposed_by, now)
    return _tell(session, _of_referral(session, referral, team), others, "task", now)


def second_members(
    session: Session, referral: Row[Any], proposed_by: str, now: datetime
) -> tuple[str, list[str]]:
    """Who is asked to approve a closing: the custodian's other members, or where there is none the desk above."""
    team = referral.custodian_team_id
    barred = {proposed_by} | recusals.members(session, referral.id)
    others = [id for id in schedules.ladder(session, team, now) if id not in barred]
    if not others:
        team = teams.hub_above(session, team).id
        others = [id for id in schedules.ladder(session, team, now) if id not in barred]
    return team, others


def tell_withdrawn(session: Session, row: Row[Any], people: list[str], now: datetime) -> None:
    """Tells everybody who was asked that they need not answer any more."""
    notices.write(session, _waiting(session, row, row.to_team_id), people, "withdrawn", now=now)


def tell_custodian(session: Session, referral: Row[Any], team_id: str, template: str, now: datetime) -> int:
    """Tells everybody of a team that a referral waits for its custodian. Returns how many notices."""
    waiting = _of_referral(session, referral, team_id)
    barred = recusals.members(session, referral.id)
    people = [id for id in schedules.ladder(session, team_id, now) if id not in barred]
    return _tell(session, waiting, people, template, now)


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
        mark=referral.mark,
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
        mark=referral.mark,
    )


def _ladder(session: Session, row: Row[Any], team_id: str, now: datetime) -> list[str]:
    """Who is called, first who is on duty, then everybody else, without those who stepped aside from this referral."""
    barred = recusals.members(session, row.referral_id)
    return [id for id in schedules.ladder(session, team_id, now) if id not in barred]


def _reachable_ladder(session: Session, row: Row[Any], now: datetime) -> list[str]:
    """The asked team's ladder without those who have no usable contact: they cannot be next."""
    ladder = _ladder(session, row, row.to_team_id, now)
    reachable = {contact.member_id for contact in members.reachable_contacts(session, ladder)}
    return [id for id in ladder if id in reachable]


def _first(session: Session, row: Row[Any], now: datetime) -> tuple[str, list[str]]:
    return row.to_team_id, _reachable_ladder(session, row, now)[:1]


def _next(session: Session, row: Row[Any], now: datetime) -> tuple[str, list[str]]:
    ladder = _reachable_ladder(session, row, now)
    told = notices.told(session, row.id)
    # A ladder of one still has a next: the same person again.
    return row.to_team_id, [id for id in ladder if id not in told][:1] or ladder[:1]


def _whole_team(session: Session, row: Row[Any], now: datetime) -> tuple[str, list[str]]:
    barred = recusals.members(session, row.referral_id)
    everybody = [
        *schedules.ladder(session, row.to_team_id, now),
        *members.supervisors(session, row.to_team_id),
    ]
    return row.to_team_id, [id for id in dict.fromkeys(everybody) if id not in barred]


def _hub_desk(session: Session, row: Row[Any], now: datetime) -> tuple[str, list[str]]:
    asked = row.to_team_id or row.from_team_id
    hub = teams.hub_above(session, asked)
    # The root desk has nobody above it: its own people are all told anyway.
    people = [] if hub.id == asked and hub.kind == TeamKind.ROOT.value else _ladder(session, row, hub.id, now)
    return hub.id, people


def _sender(session: Session, row: Row[Any], now: datetime) -> tuple[str, list[str]]:
    ladder = _ladder(session, row, row.from_team_id, now)
    first = [row.from_member_id] if row.from_member_id in ladder else ladder[:1]
    return row.from_team_id, ladder if row.urgency == Urgency.IMMINENT.value else first


_AUDIENCES: dict[Audience, Callable[[Session, Row[Any], datetime], tuple[str, list[str]]]] = {
    Audience.FIRST: _first,
    Audience.NEXT: _next,
    Audience.WHOLE_TEAM: _whole_team,
    Audience.HUB_DESK: _hub_desk,
    Audience.SENDER: _sender,
}
