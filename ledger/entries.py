"""Appending to the ledger: one entry an event, in the transaction of the change that it records.

An entry belongs to a *stream* (one for each referral, `DEPLOYMENT` for acts on none) and carries the hash of the
one before it. Words, names and numbers never enter: `commitment` stands for them, under a key that is stored with
the record, so that destroying the record leaves a ledger that still verifies and says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ledger.tables import ledger_entries, ledger_heads

DEPLOYMENT = "deployment"
GENESIS = "0" * 64

# Made once, so that they are not compiled anew each time; the entry's number is not asked for.
_OPEN, _APPEND = insert(ledger_heads), insert(ledger_entries).inline()


@dataclass(frozen=True)
class Actor:
    """Who did it, by ids as they were then; a part of the service acts under its own name."""

    member_id: str | None = None
    team_id: str | None = None
    part: str | None = None

    def as_json(self) -> dict[str, str]:
        """Only what is known."""
        named = {"member": self.member_id, "team": self.team_id, "part": self.part}
        return {name: value for name, value in named.items() if value}


def commitment(key: bytes, value: bytes) -> str:
    """64 hexadecimal characters that bind `value` and tell nothing without `key` (HMAC-SHA-256)."""
    return hmac.new(key, value, hashlib.sha256).hexdigest()


def body_of(
    stream: str, position: int, previous: str, kind: str, at: datetime, actor: Actor, facts: Mapping[str, Any]
) -> bytes:
    """The canonical JSON of an entry (RFC 8785): what is hashed, and what a receipt shows."""
    return rfc8785.dumps(
        {
            "version": 1,
            "stream": stream,
            "position": position,
            "previous": previous,
            "kind": kind,
            "at": at.isoformat(timespec="microseconds"),
            "actor": actor.as_json(),
            "facts": dict(facts),
        }
    )


def open_stream(
    session: Session, stream: str, *, kind: str, at: datetime, actor: Actor, facts: Mapping[str, Any]
) -> str:
    """The first entry of a new stream; returns its hash. Raises IntegrityError where the stream exists."""
    row = _row(stream, 1, GENESIS, kind, at, actor, facts)
    head = {"stream": stream, "position": 1, "entry_hash": row["entry_hash"]}
    session.execute(_OPEN, head)
    session.execute(_APPEND, row)
    return str(row["entry_hash"])


def append(
    session: Session, stream: str, *, kind: str, at: datetime, actor: Actor, facts: Mapping[str, Any]
) -> str:
    """The next entry of a stream; returns its hash. Appenders of one stream wait for each other, no others do.

    `facts` holds JSON of ids, digests, codes and times: never words, names, numbers or places.
    """
    head = session.execute(
        select(ledger_heads).where(ledger_heads.c.stream == stream).with_for_update()
    ).first()
    if head is None:
        return open_stream(session, stream, kind=kind, at=at, actor=actor, facts=facts)
    row = _row(stream, head.position + 1, head.entry_hash, kind, at, actor, facts)
    session.execute(_APPEND, row)
    session.execute(
        update(ledger_heads)
        .where(ledger_heads.c.stream == stream)
        .values(position=head.position + 1, entry_hash=row["entry_hash"])
    )
    return str(row["entry_hash"])


def last_at(session: Session, stream: str, but_for: Collection[str]) -> datetime | None:
    """When the last entry was written whose kind is none of these; None where there is none."""
    last: datetime | None = session.execute(
        select(func.max(ledger_entries.c.at)).where(
            ledger_entries.c.stream == stream, ledger_entries.c.kind.not_in(but_for)
        )
    ).scalar_one()
    return last


def _row(
    stream: str,
    position: int,
    previous: str,
    kind: str,
    at: datetime,
    actor: Actor,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    body = body_of(stream, position, previous, kind, at, actor, facts)
    row = {"stream": stream, "position": position, "kind": kind, "at": at, "body": body.decode()}
    return row | {"entry_hash": hashlib.sha256(body).hexdigest()}
