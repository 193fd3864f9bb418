"""Receipts back to the office that forwarded: what became of custody, owed in the transaction in which it happened."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from directory import webhooks
from foundation import outbox
from foundation.identifiers import new_id
from referrals.states import Move
from referrals.tables import referrals, reports

# The room above knows how to call another system; a test resolves the name.
SEND = "notifications.reports.send"


class Event(StrEnum):
    """What an originator is told of. Nobody's notes, and nothing that was told."""

    RECEIVED = "received"
    ROUTED = "routed"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


OF_MOVE: dict[Move, Event] = {
    Move.OFFER: Event.ROUTED,
    Move.ACKNOWLEDGE: Event.ACKNOWLEDGED,
    Move.CLOSE: Event.CLOSED,
}


def owe(session: Session, referral_id: str, event: Event, now: datetime) -> None:
    """Owes the event to each webhook of the office that forwarded; nothing where it has none."""
    query = select(
        referrals.c.originator_organisation_id, referrals.c.custodian_team_id, referrals.c.disposition
    )
    row: Any = session.execute(query.where(referrals.c.id == referral_id)).one()
    if row.originator_organisation_id is None:
        return
    for hook in webhooks.of_organisation(session, row.originator_organisation_id):
        session.execute(
            insert(reports).values(
                id=(id := new_id()),
                webhook_id=hook.id,
                referral_id=referral_id,
                event=event.value,
                at=now,
                team_id=row.custodian_team_id,
                disposition=row.disposition if event is Event.CLOSED else None,
            )
        )
        outbox.post(session, SEND, id, now=now)
