"""Stepping aside for a conflict of interest: a member, whose team goes on, or a whole team."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from directory import members
from ledger.entries import Actor
from referrals import grants, moves
from referrals.grants import Keys
from routing import custody, ending, recusals, register, telling
from routing.states import Act, Decline, Kind


def recuse_member(session: Session, keys: Keys, referral_id: str, *, actor: Actor, now: datetime) -> bool:
    """The acting member steps aside for good; returns whether the team goes on without them.

    Where nobody is left in it, the team steps aside too. Raises NotNow where nobody else could hold the referral.
    """
    assert actor.member_id is not None
    assert actor.team_id is not None
    moves.lock(session, referral_id)
    recusals.note(session, referral_id, actor=actor, now=now, member_id=actor.member_id)
    barred = recusals.members(session, referral_id)
    if any(id not in barred for id in members.ladder(session, actor.team_id)):
        return True
    recuse_team(session, keys, referral_id, actor=actor, now=now)
    return False


def recuse_team(session: Session, keys: Keys, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """The acting member's team steps aside for good: what it holds goes back or up, what it was asked it declines,
    what it helps with it gives back, and nothing opens to it any more. Raises NotNow where nobody else could hold it.
    """
    assert actor.team_id is not None
    team_id, referral = actor.team_id, moves.lock(session, referral_id)
    recusals.note(session, referral_id, actor=actor, now=now, team_id=team_id)
    if referral.custodian_team_id == team_id:
        custody.give_up(session, keys, referral_id, why="recused", actor=actor, now=now)
    for row in register.open_offers(session, referral_id):
        if row.to_team_id == team_id:
            ending.decline(session, row.id, reason=Decline.CONFLICT, actor=actor, via="desk", now=now)
        elif row.from_team_id == team_id and row.kind == Kind.REQUEST.value:
            ending.recall(session, row.id, actor=actor, now=now)
    for row in register.acknowledged(session, referral_id, Kind.CONSULT, Kind.SUPPORT):
        if row.to_team_id == team_id:
            ended = register.end(session, row.id, Act.GIVE_BACK, actor, now)
            register.write(session, ended, "returned", actor, now, why="recused")
            telling.tell_sender(session, ended, "task", now)
    grants.drop_team(session, referral_id, team_id)
