"""Departures: a member or a team leaves, and what they held or were asked goes on to somebody who can act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from directory import members, reach, teams
from directory.tables import ladder_steps
from directory.tables import members as member_rows
from directory.tables import teams as team_rows
from directory.teams import TeamKind
from ledger.entries import Actor
from notifications import notices
from referrals.facts import Urgency
from referrals.grants import Keys
from referrals.moves import NotNow
from referrals.states import State
from referrals.tables import referrals
from routing import custody, ending, offers, recusals, register, telling
from routing.offers import Offer
from routing.states import OPEN, Basis, Kind, Reason
from routing.tables import handoffs

_ROUTING = Actor(part="routing")


@dataclass(frozen=True)
class Hanging:
    """A referral that waits for a team in which nobody is left: it `holds` it, or was asked."""

    referral_id: str
    reference: str
    team_id: str
    holds: bool


def hanging(session: Session, team_id: str | None = None) -> list[Hanging]:
    """Everything that hangs, of one team or of all. Offices forward, and what they hold is asked of others."""
    empty = _empty_teams()
    held = select(
        referrals.c.id, referrals.c.reference, referrals.c.custodian_team_id.label("team_id")
    ).where(referrals.c.state != State.CLOSED.value, referrals.c.custodian_team_id.in_(empty))
    asked = (
        select(referrals.c.id, referrals.c.reference, handoffs.c.to_team_id.label("team_id"))
        .join(handoffs, handoffs.c.referral_id == referrals.c.id)
        .where(handoffs.c.state.in_(OPEN), handoffs.c.to_team_id.in_(empty))
    )
    return [
        Hanging(row.id, row.reference, row.team_id, holds)
        for query, holds in ((held, True), (asked, False))
        for row in session.execute(query)
        if team_id in (None, row.team_id)
    ]


def member_leaves(session: Session, keys: Keys, member_id: str, *, actor: Actor, now: datetime) -> list[str]:
    """The member can act no more: whom they were told to answer for, the next on the ladder is told at once; a team
    in which nobody is left, leaves. Returns the references that moved to another team."""
    seats = members.member(session, member_id).team_ids
    members.leave(session, member_id)
    moved: list[str] = []
    for team_id in seats:
        if not members.ladder(session, team_id):
            moved += team_leaves(session, keys, team_id, actor=actor, now=now)
            continue
        for row in _asked(session, team_id):
            if member_id in notices.told(session, row.id):
                telling.tell_next(session, row, now)
    return moved


def team_leaves(session: Session, keys: Keys, team_id: str, *, actor: Actor, now: datetime) -> list[str]:
    """Nobody of the team acts any more: what it holds goes to the nearest desk above, what it was asked to the next
    team above that can be reached. Returns the references that moved. Raises NotNow for the root desk."""
    if teams.team(session, team_id).kind == TeamKind.ROOT.value:
        raise NotNow("the root desk is the last resort and cannot leave")
    members.empty_ladder(session, team_id)
    moved = []
    for entry in hanging(session, team_id):
        if entry.holds:
            custody.give_up(session, keys, entry.referral_id, why="departed", actor=actor, now=now)
        moved.append(entry.reference)
    for row in _asked(session, team_id):
        ending.recall(session, row.id, actor=_ROUTING, now=now, why="departed")
        if row.kind == Kind.TRANSFER.value:
            _ask_above(session, keys, row, now)
        else:
            telling.tell_sender(session, register.handoff(session, row.id), "task", now)
    return moved


def _ask_above(session: Session, keys: Keys, row: Row[Any], now: datetime) -> None:
    """The next team up, with what was to go along; at the custodian itself it waits at its desk."""
    unreached = reach.unreachable(session, by_telephone=row.urgency == Urgency.IMMINENT.value)
    silent = unreached.keys() | recusals.teams(session, row.referral_id)
    above = [team.id for team in teams.ancestors(session, row.to_team_id) if team.id not in silent]
    holder = row.from_team_id
    if not above or above[0] == holder:
        ending.back_to_desk(session, row, _ROUTING, "departed", now)
        ending.owe_next_step(session, row, now)
        return
    proposal = Offer(
        referral_id=row.referral_id,
        kind=Kind.TRANSFER,
        from_team=holder,
        to_team=above[0],
        reason=Reason.DEPARTED,
        basis=Basis(row.basis),
        parts=tuple(row.parts),
        decision_id=row.decision_id,
    )
    offers.offer(session, keys, proposal, actor=_ROUTING, now=now)


def _asked(session: Session, team_id: str) -> list[Row[Any]]:
    query = select(handoffs).where(handoffs.c.to_team_id == team_id, handoffs.c.state.in_(OPEN))
    return list(session.execute(query.order_by(handoffs.c.offered_at, handoffs.c.id)))


def _empty_teams() -> Select[str]:
    """Teams that work at a desk and on whose ladder nobody is active."""
    somebody = exists().where(
        ladder_steps.c.team_id == team_rows.c.id,
        ladder_steps.c.member_id == member_rows.c.id,
        member_rows.c.active,
    )
    return select(team_rows.c.id).where(team_rows.c.kind != TeamKind.OFFICE.value, ~somebody)
