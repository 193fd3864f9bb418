"""How long a record is kept, what holds it back, and erasing it: by two people, for good, with a tombstone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, exists, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from foundation import database
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.casework import Disposition
from referrals.facts import Facts, Urgency
from referrals.filing import Mark
from referrals.moves import NotNow
from referrals.states import State
from referrals.tables import attachments, casework, erasures, grants, legal_holds, referrals, sealed_parts

# How long a closed record is kept, by how it ended. What is not enough to go on is looked at again after half a year
# and kept a year longer: a later tip may complete it.
KEPT_FOR: Mapping[str, timedelta] = {
    Disposition.UNFOUNDED.value: timedelta(days=90),
    Disposition.INSUFFICIENT.value: timedelta(days=180 + 365),
    Disposition.MANAGED.value: timedelta(days=5 * 365),
    Disposition.PROTECTED_ACTIVITY.value: timedelta(days=30),
    Disposition.DUPLICATE.value: timedelta(days=90),
}
_PAGE = 50


@dataclass(frozen=True)
class Due:
    """A closed record whose time is over. `asked_by` is set while an erasure waits for its second person."""

    id: str
    reference: str
    disposition: str
    closed_at: datetime
    due_at: datetime
    custodian_team_id: str
    held: bool
    asked_by: str | None


def due(
    session: Session, now: datetime, teams: Collection[str] | None = None, after: str = "", most: int = _PAGE
) -> list[Due]:
    """Records whose time is over, in the order of their references from `after` on; those of some teams, or all."""
    over = or_(
        *(
            and_(referrals.c.disposition == name, referrals.c.closed_at <= now - kept)
            for name, kept in KEPT_FOR.items()
        )
    )
    held = exists(
        select(legal_holds.c.id).where(
            legal_holds.c.referral_id == referrals.c.id, legal_holds.c.lifted_at.is_(None)
        )
    )
    waiting = and_(erasures.c.referral_id == referrals.c.id, erasures.c.answered_at.is_(None))
    mine = literal(True) if teams is None else referrals.c.custodian_team_id.in_(teams)
    # By themselves first: for a page in order, all that ever was would be gone through.
    found = (
        select(referrals.c.id)
        .where(over, referrals.c.erased_at.is_(None), referrals.c.reference > after, mine)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    query = (
        select(referrals, held.label("held"), erasures.c.asked_by)
        .join(found, found.c.id == referrals.c.id)
        .outerjoin(erasures, waiting)
        .order_by(referrals.c.reference)
        .limit(most)
    )
    return [
        Due(
            row.id,
            row.reference,
            row.disposition,
            row.closed_at,
            row.closed_at + KEPT_FOR[row.disposition],
            row.custodian_team_id,
            bool(row.held),
            row.asked_by,
        )
        for row in session.execute(query)
    ]


def kept_until(row: Row[Any]) -> datetime | None:
    """When the time of a referral is over; None while it is open."""
    return row.closed_at + KEPT_FOR[row.disposition] if row.closed_at and row.disposition else None


def place_hold(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> str:
    """Keeps a record whatever its time; returns the hold's id. Raises NotNow where it is erased."""
    if moves.lock(session, referral_id).erased_at:
        raise NotNow("this record is erased")
    id = new_id()
    session.execute(
        insert(legal_holds).values(id=id, referral_id=referral_id, placed_by=actor.member_id, placed_at=now)
    )
    entries.append(session, referral_id, kind="hold_placed", at=now, actor=actor, facts={"hold": id})
    return id


def lift_hold(session: Session, referral_id: str, hold_id: str, *, actor: Actor, now: datetime) -> None:
    """Lets a record's time run again. Raises NotNow where that hold does not stand."""
    moves.lock(session, referral_id)
    lifted = update(legal_holds).where(
        legal_holds.c.id == hold_id,
        legal_holds.c.referral_id == referral_id,
        legal_holds.c.lifted_at.is_(None),
    )
    if not database.changed(session, lifted.values(lifted_at=now, lifted_by=actor.member_id)):
        raise NotNow("this hold does not stand any more")
    entries.append(session, referral_id, kind="hold_lifted", at=now, actor=actor, facts={"hold": hold_id})


def holds(session: Session, referral_id: str) -> list[Row[Any]]:
    """The holds that stand on a record."""
    query = select(legal_holds).where(
        legal_holds.c.referral_id == referral_id, legal_holds.c.lifted_at.is_(None)
    )
    return list(session.execute(query.order_by(legal_holds.c.placed_at)))


def ask(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> str:
    """Asks a second person to approve the erasure; returns its id. Raises NotNow before its time, or under a hold."""
    row = moves.lock(session, referral_id)
    _check(session, row, now)
    if waiting(session, referral_id):
        raise NotNow("its erasure waits for a second person already")
    id = new_id()
    session.execute(
        insert(erasures).values(
            id=id,
            referral_id=referral_id,
            retention_class=row.disposition,
            asked_by=actor.member_id,
            asked_at=now,
        )
    )
    entries.append(
        session, referral_id, kind="erasure_asked", at=now, actor=actor, facts={"class": row.disposition}
    )
    return id


def waiting(session: Session, referral_id: str) -> Row[Any] | None:
    """The erasure that waits for its second person, or None."""
    return session.execute(
        select(erasures).where(erasures.c.referral_id == referral_id, erasures.c.answered_at.is_(None))
    ).one_or_none()


def answer(session: Session, referral_id: str, *, approved: bool, actor: Actor, now: datetime) -> None:
    """The second person's answer; approved, the record is gone when this commits. Raises NotNow."""
    row = moves.lock(session, referral_id)
    asked = waiting(session, referral_id)
    if asked is None or asked.asked_by == actor.member_id:
        raise NotNow("an erasure is asked for by one person and answered by another")
    if approved:
        # A hold may have been placed since it was asked for.
        _check(session, row, now)
    session.execute(
        update(erasures)
        .where(erasures.c.id == asked.id)
        .values(answered_by=actor.member_id, answered_at=now, approved="yes" if approved else "no")
    )
    if not approved:
        entries.append(session, referral_id, kind="erasure_refused", at=now, actor=actor, facts={})
        return
    _erase(session, row, now)
    entries.append(
        session, referral_id, kind="erased", at=now, actor=actor, facts={"class": asked.retention_class}
    )


def forget_canary(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """Erases a closed canary: nobody sent it, so no second person is asked. Raises NotNow for anything else."""
    row = moves.lock(session, referral_id)
    if row.mark != Mark.CANARY.value or row.state != State.CLOSED.value or row.erased_at:
        raise NotNow("it is no canary, or not over, or erased already")
    _erase(session, row, now)
    entries.append(session, referral_id, kind="erased", at=now, actor=actor, facts={"class": row.mark})


def _check(session: Session, row: Row[Any], now: datetime) -> None:
    until = kept_until(row)
    if row.erased_at:
        raise NotNow("this record is erased already")
    if row.state != State.CLOSED.value or until is None or until > now:
        raise NotNow("its time is not over yet")
    if holds(session, row.id):
        raise NotNow("a legal hold keeps it")


def _erase(session: Session, row: Row[Any], now: datetime) -> None:
    """Destroys keys first, then what they opened, then what was stored in clear. Staff's names and times stay."""
    session.execute(delete(grants).where(grants.c.referral_id == row.id))
    session.execute(delete(sealed_parts).where(sealed_parts.c.referral_id == row.id))
    # Their keys went with the part; the clock removes the sealed bytes (`referrals.shelf`).
    session.execute(update(attachments).where(attachments.c.referral_id == row.id).values(erased_at=now))
    # A closing names the entry with its reason, so the rows stay; what was done is nobody's business any more.
    session.execute(update(casework).where(casework.c.referral_id == row.id).values(blob=b"", action=None))
    session.execute(
        update(referrals)
        .where(referrals.c.id == row.id)
        .values(
            erased_at=now,
            facts=Facts(Urgency(row.urgency)).as_json(),
            originator_case_number=None,
            receipt_lookup=None,
            reporter_public_key=None,
            # Commitments in the ledger bind to nothing that anybody could try words against.
            commitment_key=b"",
            submission_digest=new_id() + new_id(),
        )
    )
