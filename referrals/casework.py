"""Documentation: notes and actions taken, sealed; and closing with a disposition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from foundation import database
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from referrals import grants, moves, sealing
from referrals.facts import Urgency
from referrals.grants import Keys
from referrals.moves import NotNow
from referrals.sealing import CannotOpen, Place
from referrals.states import Move, State
from referrals.tables import casework, closings

NOTES = "notes"
# Parts under whose keys members write. A record of a school or of care has a key of its own.
WRITTEN = frozenset({NOTES, "need", "education", "health"})

# What was done, by code; the words beside it are sealed.
ACTIONS: dict[str, str] = {
    "spoke_with_subject": "Spoke with the person it is about",
    "spoke_with_family": "Spoke with the family",
    "spoke_with_target": "Spoke with the person who may be hurt",
    "spoke_with_school": "Spoke with the school or workplace",
    "welfare_check": "Made a welfare check",
    "safety_measure": "Put a safety measure in place",
    "support_arranged": "Arranged support or care",
    "team_met": "The team met",
    "other": "Something else",
}


class Disposition(StrEnum):
    """How a referral ends. A closed list; the reason beside it is sealed."""

    UNFOUNDED = "unfounded"
    INSUFFICIENT = "insufficient_information"
    MANAGED = "managed"
    PROTECTED_ACTIVITY = "protected_activity_only"
    DUPLICATE = "duplicate"


DISPOSITIONS: dict[Disposition, str] = {
    Disposition.UNFOUNDED: "Looked into; there is no concern",
    Disposition.INSUFFICIENT: "Not enough is known; to be looked at again",
    Disposition.MANAGED: "Help and safety are in place; the work is done",
    Disposition.PROTECTED_ACTIVITY: "Only protected speech or activity; nothing of concern",
    Disposition.DUPLICATE: "The same matter is worked on under another reference",
}

# Closing these needs a second member.
SECOND_PERSON = frozenset({Urgency.IMMINENT, Urgency.ELEVATED})


@dataclass(frozen=True)
class Entry:
    """One piece of documentation in clear."""

    id: str
    kind: str
    action: str | None
    part: str
    team_id: str
    member_id: str
    at: datetime
    words: str


def record(
    session: Session,
    keys: Keys,
    referral_id: str,
    *,
    kind: str,
    action: str | None,
    words: str,
    actor: Actor,
    now: datetime,
    id: str | None = None,
    part: str = NOTES,
) -> str:
    """Seals words under the key of their part; returns their id. Never changed later. Raises CannotOpen where the
    actor's team was not given that part.

    `kind` is note, action, closing, or what a handoff rests on: ground, override, need.
    `id` is the key that a form was given: the same form twice raises IntegrityError instead of a second record.
    """
    assert actor.member_id is not None
    assert actor.team_id is not None
    id = id or new_id()
    commitment_key = moves.lock(session, referral_id).commitment_key
    key = grants.part_key(session, keys, referral_id, part, team_id=actor.team_id)
    blob = sealing.seal(key, Place(keys.deployment, referral_id, part), words.encode(), purpose=id)
    session.execute(
        insert(casework).values(
            id=id,
            referral_id=referral_id,
            kind=kind,
            part=part,
            action=action,
            team_id=actor.team_id,
            member_id=actor.member_id,
            at=now,
            blob=blob,
        )
    )
    entries.append(
        session,
        referral_id,
        kind=f"{kind}_recorded",
        at=now,
        actor=actor,
        facts={"id": id, "action": action, "words": entries.commitment(commitment_key, words.encode())},
    )
    return id


def documented(session: Session, keys: Keys, referral_id: str, team_id: str) -> list[Entry]:
    """All that was written down in parts that the team was given, oldest first. Raises CannotOpen where it was given
    none of them."""
    opened = {
        part: grants.part_key(session, keys, referral_id, part, team_id=team_id)
        for part in sorted(grants.granted_parts(session, referral_id, team_id) & WRITTEN)
    }
    if not opened:
        raise CannotOpen("no grant of any notes")
    rows = session.execute(
        select(casework)
        .where(casework.c.referral_id == referral_id, casework.c.part.in_(opened))
        .order_by(casework.c.at, casework.c.id)
    ).all()
    return [
        Entry(
            row.id,
            row.kind,
            row.action,
            row.part,
            row.team_id,
            row.member_id,
            row.at,
            sealing.unseal(
                opened[row.part],
                Place(keys.deployment, referral_id, row.part),
                row.blob,
                purpose=row.id,
            ).decode(),
        )
        for row in rows
    ]


def propose_closing(
    session: Session,
    keys: Keys,
    referral_id: str,
    *,
    disposition: Disposition,
    reason: str,
    actor: Actor,
    due_at: datetime,
    now: datetime,
) -> State:
    """Closes a routine referral, or asks a second member to approve; returns the state. Raises NotNow."""
    alone = Urgency(moves.referral(session, referral_id).urgency) not in SECOND_PERSON
    reason_id = record(
        session, keys, referral_id, kind="closing", action=None, words=reason, actor=actor, now=now
    )
    session.execute(
        insert(closings).values(
            id=new_id(),
            referral_id=referral_id,
            disposition=disposition.value,
            reason_id=reason_id,
            proposed_by=actor.member_id,
            proposed_at=now,
            answered_at=now if alone else None,
            approved="yes" if alone else None,
        )
    )
    if alone:
        return _close(session, referral_id, disposition.value, actor, now)
    return moves.move(
        session,
        referral_id,
        Move.PROPOSE_CLOSING,
        now=now,
        actor=actor,
        due_at=due_at,
        due_reason="approve_closing",
        facts={"disposition": disposition.value},
    )


def answer_closing(
    session: Session, referral_id: str, *, approved: bool, actor: Actor, due_at: datetime, now: datetime
) -> State:
    """The second member's answer. Raises NotNow where nothing is proposed, or by the member who proposed it."""
    pending = open_closing(session, referral_id)
    if pending is None or pending.proposed_by == actor.member_id:
        raise NotNow("closing needs a proposal by one member and the answer of another")
    taken = database.changed(
        session,
        update(closings)
        .where(closings.c.id == pending.id, closings.c.answered_at.is_(None))
        .values(answered_by=actor.member_id, answered_at=now, approved="yes" if approved else "no"),
    )
    if taken != 1:
        raise NotNow("this closing was answered already")
    if approved:
        return _close(session, referral_id, pending.disposition, actor, now)
    return moves.move(
        session, referral_id, Move.REFUSE_CLOSING, now=now, actor=actor, due_at=due_at, due_reason="work"
    )


def withdraw_closing(
    session: Session, referral_id: str, *, actor: Actor, due_at: datetime, now: datetime
) -> State:
    """The custodian takes its own proposal back and works on. Raises NotNow where nothing is proposed."""
    taken = database.changed(
        session,
        update(closings)
        .where(closings.c.referral_id == referral_id, closings.c.answered_at.is_(None))
        .values(answered_by=actor.member_id, answered_at=now, approved="no"),
    )
    if taken != 1:
        raise NotNow("no closing waits for an answer")
    return moves.move(
        session,
        referral_id,
        Move.WITHDRAW_CLOSING,
        now=now,
        actor=actor,
        due_at=due_at,
        due_reason="work",
    )


def drop_closing(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """The team that proposed a closing does not hold it any more: nobody answers the proposal."""
    session.execute(
        update(closings)
        .where(closings.c.referral_id == referral_id, closings.c.answered_at.is_(None))
        .values(answered_by=actor.member_id, answered_at=now, approved="no")
    )


@dataclass(frozen=True)
class Closing:
    """A closing that waits for its second member."""

    id: str
    disposition: str
    proposed_by: str


def open_closing(session: Session, referral_id: str) -> Closing | None:
    """The closing of this referral that waits for an answer, or None."""
    row = session.execute(
        select(closings)
        .where(closings.c.referral_id == referral_id, closings.c.answered_at.is_(None))
        .order_by(closings.c.proposed_at.desc())
        .limit(1)
    ).one_or_none()
    return Closing(row.id, row.disposition, row.proposed_by) if row else None


def _close(session: Session, referral_id: str, disposition: str, actor: Actor, now: datetime) -> State:
    return moves.move(
        session,
        referral_id,
        Move.CLOSE,
        now=now,
        actor=actor,
        due_at=None,
        due_reason=None,
        facts={"disposition": disposition},
        disposition=disposition,
    )
