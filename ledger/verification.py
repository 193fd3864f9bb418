"""Verifying the ledger: everything recomputed, the first broken entry named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ledger.entries import GENESIS
from ledger.tables import ledger_entries, ledger_heads

_BATCH = 5_000
# The position and the hash of a stream's last entry.
Last = tuple[int, str]
BEFORE_FIRST: Last = (0, GENESIS)


class Broken(Exception):
    """The first fault, as a sentence."""


@dataclass(frozen=True)
class Verdict:
    """How much was checked, and the first thing that is wrong (None: the ledger is intact)."""

    entries: int
    streams: int
    broken: str | None

    @property
    def intact(self) -> bool:
        """True where nothing is wrong."""
        return self.broken is None


def verify(session: Session, stream: str) -> Verdict:
    """Recomputes the hash and the link of each entry of one stream. The whole ledger: `audit.audit`."""
    last, count = BEFORE_FIRST, 0
    for row in _entries(session, stream):
        count += 1
        if fault := fault_of(row, last):
            return Verdict(count, 1, fault)
        last = row.position, row.entry_hash
    head = session.execute(select(ledger_heads).where(ledger_heads.c.stream == stream)).first()
    return Verdict(count, 1, end_fault(stream, (head.position, head.entry_hash) if head else None, last))


def entries_of(session: Session, stream: str) -> list[dict[str, Any]]:
    """All entries of one stream in order, each as its JSON object plus its `hash`."""
    rows = _entries(session, stream)
    return [json.loads(row.body) | {"hash": row.entry_hash} for row in rows]


def fault_of(row: Row[Any], last: Last) -> str | None:
    """What is wrong with an entry that should follow `last` in its stream, as a sentence; None where nothing is."""
    words = _fault(row, last)
    return f"entry {row.position} of stream {row.stream}: {words}" if words else None


def end_fault(stream: str, head: Last | None, last: Last) -> str | None:
    """What is wrong with the end of a stream: its last entries are gone, or it has entries without a head."""
    if head == last or (head is None and last == BEFORE_FIRST):
        return None
    if head is None:
        return f"stream {stream}: it has entries and no head"
    if last[0] == head[0]:
        return f"entry {last[0]} of stream {stream}: its hash is not the one that its head says"
    return f"stream {stream}: the entry after {last[0]} is missing, its head says {head[0]}"


def _entries(session: Session, stream: str) -> Iterator[Row[Any]]:
    query = (
        select(ledger_entries).where(ledger_entries.c.stream == stream).order_by(ledger_entries.c.position)
    )
    yield from session.execute(query.execution_options(yield_per=_BATCH))


def _fault(row: Row[Any], last: Last) -> str | None:
    position, previous = last[0] + 1, last[1]
    if row.position != position:
        return f"entry {position} is missing before it"
    if hashlib.sha256(row.body.encode()).hexdigest() != row.entry_hash:
        return "its content does not fit its hash"
    body = _object_in(row.body)
    if body.get("previous") != previous:
        return "it does not follow from the entry before it"
    columns = {
        "stream": row.stream,
        "position": row.position,
        "kind": row.kind,
        "at": row.at.isoformat(timespec="microseconds"),
    }
    if any(body.get(name) != value for name, value in columns.items()):
        return "its columns do not fit its content"
    return None


def _object_in(body: str) -> dict[str, Any]:
    """The entry's JSON object; what a forger left there instead is as good as an empty one."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
