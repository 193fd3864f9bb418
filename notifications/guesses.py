"""Codes that nobody gave, counted for each number that sends them: who guesses is slowed to nothing."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications.tables import wrong_codes

# A code of four letters out of 32 lives four hours: at this pace a number tries 120 of a million.
MOST, WITHIN = 5, timedelta(minutes=10)


def are_too_many(session: Session, settings: Settings, number: str, now: datetime) -> bool:
    """Whether that number sent so many wrong codes lately that not even a right one is looked at."""
    mine = wrong_codes.c.sender_digest == digest(settings, number), wrong_codes.c.at > now - WITHIN
    return int(session.execute(select(func.count()).where(*mine)).scalar_one()) >= MOST


def count(session: Session, settings: Settings, number: str, now: datetime) -> None:
    """One more wrong code from that number."""
    session.execute(insert(wrong_codes).values(id=new_id(), sender_digest=digest(settings, number), at=now))


def digest(settings: Settings, number: str) -> str:
    """Numbers of strangers are not kept."""
    return hmac.new(settings.secret_key.encode(), f"number {number}".encode(), hashlib.sha256).hexdigest()
