"""Making an old decision again, from what was stored with it: the digest must be the same."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from routing import snapshots
from routing.decision import Decision, decide
from routing.tables import decisions


def replay(session: Session, row: Row[Any]) -> Decision:
    """The decision of that row made anew: on the facts, rules, areas and moment of then, whatever holds today.

    Raises SnapshotFault where its snapshots are gone.
    """
    then = Decision.from_json(row.explanation)
    snapshot = snapshots.load(session, row.rules_id, row.areas_id)
    return decide(
        then.facts,
        snapshot.rules,
        snapshot.boundaries,
        as_of=then.as_of,
        unreachable=dict(then.unreachable),
        excluded=dict(then.excluded),
    )


def of_referral(session: Session, referral_id: str) -> list[Row[Any]]:
    """All decisions about a referral, oldest first."""
    query = select(decisions).where(decisions.c.referral_id == referral_id)
    return list(session.execute(query.order_by(decisions.c.made_at, decisions.c.id)))
