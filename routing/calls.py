"""Telephone calls that must be made: owed by the clock, and ended by nothing but a person's record of the call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory import teams
from foundation import database
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.moves import NotNow
from routing import telling
from routing.steps import CALL_AGAIN_WITHIN
from routing.tables import calls

# The 911 centre of the place, which is in no directory.
EMERGENCY = "911"
# However long nobody calls, the desk is told at least this often.
_SELDOM = timedelta(hours=4)

RESULTS: dict[str, str] = {
    "reached": "I spoke with them",
    "no_answer": "Nobody answered",
    "message": "I left a message",
}


def owe(session: Session, row: Row[Any], now: datetime) -> None:
    """An imminent offer was not acknowledged: the desk above telephones the team and the local 911 centre.

    Each is called once a referral, however many teams are asked after the first.
    """
    desk = teams.hub_above(session, row.to_team_id).id
    for whom in (row.to_team_id, EMERGENCY):
        if whom != desk and not _is_owed(session, row.referral_id, whom):
            _owe(session, row, desk, whom, now)


def _is_owed(session: Session, referral_id: str, whom: str) -> bool:
    query = select(calls.c.id).where(calls.c.referral_id == referral_id, calls.c.whom == whom)
    return session.execute(query.limit(1)).first() is not None


def _owe(session: Session, row: Row[Any], desk: str, whom: str, now: datetime) -> None:
    id = new_id()
    session.execute(
        insert(calls).values(
            id=id,
            referral_id=row.referral_id,
            handoff_id=row.id,
            team_id=desk,
            whom=whom,
            made_at=now,
            due_at=now + CALL_AGAIN_WITHIN,
        )
    )
    entries.append(
        session,
        row.referral_id,
        kind="call_owed",
        at=now,
        actor=Actor(part="clock"),
        facts={"call": id, "handoff": row.id, "desk": desk, "whom": whom},
    )


def to_make(session: Session, team_ids: Iterable[str]) -> list[Row[Any]]:
    """The calls that these teams must make, oldest first."""
    query = select(calls).where(calls.c.team_id.in_(list(team_ids)), calls.c.done_at.is_(None))
    return list(session.execute(query.order_by(calls.c.made_at, calls.c.id)))


def of_referral(session: Session, referral_id: str) -> list[Row[Any]]:
    """All calls about a referral, made or not, oldest first."""
    query = select(calls).where(calls.c.referral_id == referral_id)
    return list(session.execute(query.order_by(calls.c.made_at, calls.c.id)))


def record(session: Session, call_id: str, result: str, *, actor: Actor, now: datetime) -> bool:
    """A person's record of a call, `result` one of RESULTS; returns whether that ended it: only *reached* does.

    Raises NotNow where it was ended before, and NoResultFound for no such call.
    """
    row = session.execute(select(calls).where(calls.c.id == call_id)).one()
    moves.lock(session, row.referral_id)
    reached = result == "reached"
    values: dict[str, Any] = (
        {"done_at": now, "done_by": actor.member_id, "due_at": None}
        if reached
        else {"due_at": now + CALL_AGAIN_WITHIN}
    )
    changed = database.changed(
        session,
        update(calls)
        .where(calls.c.id == call_id, calls.c.done_at.is_(None))
        .values(tries=calls.c.tries + 1, **values),
    )
    if changed != 1:
        raise NotNow("this call was recorded already")
    entries.append(
        session,
        row.referral_id,
        kind="call_recorded",
        at=now,
        actor=actor,
        facts={"call": call_id, "whom": row.whom, "result": result},
    )
    return reached


def remind(session: Session, call_id: str, now: datetime) -> None:
    """Nobody recorded it: its desk is told again, and the desk above that one; less and less often."""
    row = session.execute(select(calls).where(calls.c.id == call_id)).one()
    referral = moves.lock(session, row.referral_id)
    again = min(max(now - row.made_at, CALL_AGAIN_WITHIN), _SELDOM)
    changed = database.changed(
        session,
        update(calls)
        .where(calls.c.id == call_id, calls.c.done_at.is_(None), calls.c.due_at <= now)
        .values(due_at=now + again),
    )
    if changed == 1:
        for team_id in dict.fromkeys((row.team_id, teams.hub_above(session, row.team_id).id)):
            telling.tell_custodian(session, referral, team_id, "task", now)
