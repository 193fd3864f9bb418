"""The register of handoffs: finding them, and the one compare-and-set by which any of them changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from directory import members, teams
from foundation import database
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from routing.states import ACTS, OPEN, Act, HandoffState, Kind
from routing.tables import handoffs, outside_recipients


class AlreadyAnswered(Exception):
    """Somebody was first, or the offer lapsed or was recalled; the sentence says who and when."""


def handoff(session: Session, handoff_id: str) -> Row[Any]:
    """The handoff's row. Raises NoResultFound."""
    return session.execute(select(handoffs).where(handoffs.c.id == handoff_id)).one()


def of_referral(session: Session, referral_id: str) -> list[Row[Any]]:
    """All handoffs of a referral, oldest first."""
    query = select(handoffs).where(handoffs.c.referral_id == referral_id)
    return list(session.execute(query.order_by(handoffs.c.offered_at, handoffs.c.id)))


def open_offers(session: Session, referral_id: str, kind: Kind | None = None) -> list[Row[Any]]:
    """The offers of a referral that nobody answered yet."""
    query = select(handoffs).where(handoffs.c.referral_id == referral_id, handoffs.c.state.in_(OPEN))
    return list(session.execute(query.where(handoffs.c.kind == kind.value) if kind else query))


def acknowledged(session: Session, referral_id: str, *kinds: Kind) -> list[Row[Any]]:
    """The handoffs of a referral that stand acknowledged, of these kinds or of any."""
    query = select(handoffs).where(
        handoffs.c.referral_id == referral_id, handoffs.c.state == HandoffState.ACKNOWLEDGED.value
    )
    return list(session.execute(query.where(handoffs.c.kind.in_(kinds)) if kinds else query))


def held_transfer(session: Session, referral_id: str) -> Row[Any] | None:
    """The acknowledged transfer by which the custodian holds it; None where it holds it by designation."""
    found = acknowledged(session, referral_id, Kind.TRANSFER)
    return found[0] if found else None


def outside(session: Session, handoff_id: str) -> Row[Any]:
    """Who was called outside the directory. Raises NoResultFound."""
    return session.execute(
        select(outside_recipients).where(outside_recipients.c.handoff_id == handoff_id)
    ).one()


def told_outside(session: Session, referral_id: str) -> list[Row[Any]]:
    """Who outside the directory was told of a referral: the rows of `outside_recipients`."""
    query = select(outside_recipients).join(handoffs, handoffs.c.id == outside_recipients.c.handoff_id)
    return list(session.execute(query.where(handoffs.c.referral_id == referral_id)))


def change(session: Session, handoff_id: str, act: Act, **columns: Any) -> bool:
    """The compare-and-set of all handoffs: true for the one caller who moved the row."""
    moves.lock(session, handoff(session, handoff_id).referral_id)
    rule = ACTS[act]
    changed = database.changed(
        session,
        update(handoffs)
        .where(
            handoffs.c.id == handoff_id, handoffs.c.state.in_(rule.before), handoffs.c.kind.in_(rule.kinds)
        )
        .values(state=rule.after.value, **columns),
    )
    return changed == 1


def answer(
    session: Session, handoff_id: str, act: Act, actor: Actor, via: str | None, now: datetime, **columns: Any
) -> Row[Any]:
    """Answers an open offer, which ends its clock; returns the row. Raises AlreadyAnswered."""
    won = change(
        session,
        handoff_id,
        act,
        answered_at=now,
        answered_by=actor.member_id,
        answered_via=via,
        due_at=None,
        remind_at=None,
        **columns,
    )
    if not won:
        raise AlreadyAnswered(answered_sentence(session, handoff_id))
    return handoff(session, handoff_id)


def end(session: Session, handoff_id: str, act: Act, actor: Actor, now: datetime) -> Row[Any]:
    """Ends an acknowledged handoff; returns the row. Raises AlreadyAnswered where it does not stand any more."""
    if not change(session, handoff_id, act, ended_at=now, ended_by=actor.member_id, ends_at=None):
        raise AlreadyAnswered(answered_sentence(session, handoff_id))
    return handoff(session, handoff_id)


def resume(session: Session, referral_id: str, team_id: str) -> None:
    """The newest transfer that this team had passed on stands acknowledged again, if there is one."""
    query = (
        select(handoffs.c.id)
        .where(
            handoffs.c.referral_id == referral_id,
            handoffs.c.to_team_id == team_id,
            handoffs.c.kind == Kind.TRANSFER.value,
            handoffs.c.state == HandoffState.PASSED_ON.value,
        )
        .order_by(handoffs.c.answered_at.desc())
        .limit(1)
    )
    if found := session.execute(query).scalar_one_or_none():
        change(session, found, Act.RESUME, ended_at=None, ended_by=None)


def write(session: Session, row: Row[Any], kind: str, actor: Actor, now: datetime, **facts: Any) -> None:
    """The ledger's entry of what happened to a handoff."""
    entries.append(
        session,
        row.referral_id,
        kind=f"handoff_{kind}",
        at=now,
        actor=actor,
        facts={
            "handoff": row.id,
            "kind": row.kind,
            "from_team": row.from_team_id,
            "to_team": row.to_team_id,
            **facts,
        },
    )


def answered_sentence(session: Session, handoff_id: str) -> str:
    """Who answered an offer, and when, as the loser of a race reads it."""
    row = handoff(session, handoff_id)
    if row.answered_by is None:
        # Withdrawn because another team was first: that is who the loser wants to know.
        row = held_transfer(session, row.referral_id) or row
    who = members.names(session, [row.answered_by]).get(row.answered_by, "the service")
    zone = ZoneInfo(teams.team(session, row.to_team_id or row.from_team_id).time_zone)
    when = row.answered_at.astimezone(zone).strftime("%H:%M") if row.answered_at else "an unknown time"
    return f"already {row.state.replace('_', ' ')} by {who} at {when}"
