"""What an office's system asked for under its Idempotency-Key, so that it is done once however often it is asked.

A request is claimed before it is done and settled afterwards. A claim that was never settled, since its process died,
can be taken over after a minute. Both digests are keyed by the caller: nothing of what was sent can be guessed here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from directory.tables import api_requests
from foundation import database

# An office that lost its network over a long weekend still meets its own requests.
KEPT = timedelta(days=7)
# Nothing takes so long, however large its files are: they are sealed before.
LEASE = timedelta(minutes=1)


def claim(session: Session, team_id: str, key_digest: str, content_digest: str, now: datetime) -> None:
    """Says that it is being done, and forgets the office's old ones. Raises IntegrityError where it was claimed."""
    old = delete(api_requests).where(
        api_requests.c.team_id == team_id, api_requests.c.claimed_at < now - KEPT
    )
    session.execute(old)
    session.execute(
        insert(api_requests).values(
            team_id=team_id, key_digest=key_digest, content_digest=content_digest, claimed_at=now
        )
    )


def claimed(session: Session, team_id: str, key_digest: str) -> Row[Any] | None:
    """Content digest, time of the claim and reference of that request, or None."""
    query = select(api_requests).where(*_which(team_id, key_digest))
    return session.execute(query).one_or_none()


def take_over(session: Session, team_id: str, key_digest: str, now: datetime) -> bool:
    """Claims what nobody settled within the lease; whether this caller is the one."""
    left = update(api_requests).where(
        *_which(team_id, key_digest),
        api_requests.c.reference.is_(None),
        api_requests.c.claimed_at <= now - LEASE,
    )
    return database.changed(session, left.values(claimed_at=now)) > 0


def settle(session: Session, team_id: str, key_digest: str, reference: str) -> None:
    """Says what it made."""
    _change(session, team_id, key_digest, reference=reference)


def release(session: Session, team_id: str, key_digest: str, now: datetime) -> None:
    """It could not be done: whoever asks again need not wait for the lease."""
    _change(session, team_id, key_digest, claimed_at=now - LEASE)


def _change(session: Session, team_id: str, key_digest: str, **values: Any) -> None:
    session.execute(update(api_requests).where(*_which(team_id, key_digest)).values(**values))


def _which(team_id: str, key_digest: str) -> tuple[Any, ...]:
    return (api_requests.c.team_id == team_id, api_requests.c.key_digest == key_digest)
