"""A place learned later: it becomes evidence, and the referral is routed again with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from foundation import outbox
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.facts import Evidence, Facts, PlaceKind, Urgency
from referrals.filing import ROUTE
from referrals.tables import referrals


def learn_place(
    session: Session, referral_id: str, evidence: Iterable[Evidence], *, actor: Actor, now: datetime
) -> None:
    """Puts what was learned in the place of what was uncertain, and owes a new decision.

    Evidence of the same relation that named several areas or none is replaced; certain evidence stays beside it.
    """
    row, learned = moves.lock(session, referral_id), tuple(evidence)
    facts = Facts.from_json(row.facts)
    relations = {piece.relation for piece in learned}
    kept = tuple(
        piece for piece in facts.evidence if piece.relation not in relations or not _uncertain(piece)
    )
    changed = replace(facts, evidence=(*kept, *learned))
    session.execute(update(referrals).where(referrals.c.id == referral_id).values(facts=changed.as_json()))
    entries.append(
        session,
        referral_id,
        kind="place_learned",
        at=now,
        actor=actor,
        facts={
            "evidence": entries.commitment(row.commitment_key, repr(learned).encode()),
            "pieces": len(learned),
        },
    )
    outbox.post(session, ROUTE, referral_id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)


def _uncertain(piece: Evidence) -> bool:
    return piece.kind is PlaceKind.UNKNOWN or len(piece.areas) > 1
