"""Texts to our number that answer nothing: counted for the desk, never kept, and told once a day whom to call."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, func, insert, select
from sqlalchemy.orm import Session

from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications import guesses
from notifications.tables import stray_texts

# Whoever goes on writing has read it; two machines that answer each other must come to an end.
TOLD_EVERY = timedelta(hours=24)


def note(session: Session, settings: Settings, number: str, now: datetime) -> bool:
    """Counts one more; whether its sender, by the digest of their number, is to be told once more that nobody reads."""
    digest = guesses.digest(settings, number)
    lately = exists().where(
        stray_texts.c.sender_digest == digest, stray_texts.c.told, stray_texts.c.at > now - TOLD_EVERY
    )
    told = not session.execute(select(lately)).scalar_one()
    row = {"id": new_id(), "sender_digest": digest, "at": now, "told": told}
    session.execute(insert(stray_texts).values(**row))
    return told


def count(session: Session, since: datetime) -> int:
    """How many came since then."""
    query = select(func.count()).where(stray_texts.c.at > since)
    return int(session.execute(query).scalar_one())
