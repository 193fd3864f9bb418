"""Who is alive: each long-running part says so every few seconds."""

from __future__ import annotations

import logging
from datetime import datetime

import requests
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from foundation import database
from foundation.tables import heartbeats

log = logging.getLogger(__name__)
_SECONDS = 10.0


def beat(session: Session, part: str, now: datetime) -> None:
    """Records that `part` lives."""
    changed = database.changed(
        session, update(heartbeats).where(heartbeats.c.part == part).values(beat_at=now)
    )
    if not changed:
        session.execute(insert(heartbeats).values(part=part, beat_at=now))


def call(url: str) -> bool:
    """Says to somebody outside that all is well; whether they heard. The address is secret, so never logged."""
    try:
        with requests.get(url, timeout=_SECONDS, allow_redirects=False, stream=True) as answer:
            heard = answer.ok
    except requests.RequestException as fault:
        log.error("the heartbeat could not be called: %s", type(fault).__name__)
        return False
    if not heard:
        log.error("the heartbeat was answered with %s", answer.status_code)
    return heard


def last(session: Session, part: str) -> datetime | None:
    """When `part` last said that it lives, or None."""
    return session.execute(select(heartbeats.c.beat_at).where(heartbeats.c.part == part)).scalar_one_or_none()


def every(session: Session) -> dict[str, datetime]:
    """When each part last said that it lives, by its name."""
    return {row.part: row.beat_at for row in session.execute(select(heartbeats).order_by(heartbeats.c.part))}
