"""Who is alive: each long-running part says so every few seconds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from foundation import database
from foundation.tables import heartbeats


def beat(session: Session, part: str, now: datetime) -> None:
    """Records that `part` lives."""
    changed = database.changed(
        session, update(heartbeats).where(heartbeats.c.part == part).values(beat_at=now)
    )
    if not changed:
        session.execute(insert(heartbeats).values(part=part, beat_at=now))


def last(session: Session, part: str) -> datetime | None:
    """When `part` last said that it lives, or None."""
    return session.execute(select(heartbeats.c.beat_at).where(heartbeats.c.part == part)).scalar_one_or_none()
