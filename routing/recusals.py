"""Recusals: who must not touch a referral, for a conflict of interest. A member, or a team with all its members."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from routing.tables import recusals


def teams(session: Session, referral_id: str) -> frozenset[str]:
    """Ids of the teams that are recused."""
    return _ids(session, referral_id, recusals.c.team_id)


def members(session: Session, referral_id: str) -> frozenset[str]:
    """Ids of the members who are recused by themselves, whatever their team."""
    return _ids(session, referral_id, recusals.c.member_id)


def note(
    session: Session,
    referral_id: str,
    *,
    actor: Actor,
    now: datetime,
    team_id: str | None = None,
    member_id: str | None = None,
) -> None:
    """Writes one down, once. Nothing undoes it: who saw a conflict once is not impartial later."""
    known = teams(session, referral_id) | members(session, referral_id)
    if (team_id or member_id) in known:
        return
    session.execute(
        insert(recusals).values(
            id=new_id(),
            referral_id=referral_id,
            team_id=team_id,
            member_id=member_id,
            made_by=actor.member_id,
            made_at=now,
        )
    )
    who = {"team": team_id} if team_id else {"member": member_id}
    entries.append(session, referral_id, kind="recused", at=now, actor=actor, facts=who)


def _ids(session: Session, referral_id: str, column: object) -> frozenset[str]:
    query = select(column).where(recusals.c.referral_id == referral_id)  # type: ignore[call-overload]
    return frozenset(id for id in session.execute(query).scalars() if id)
