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


def verify(session: Session, stream: str | None = None) -> Verdict:
    """Recomputes the hash and the link of each entry, of one stream or of all, in constant memory."""
    heads = _heads(session, stream)
    seen: dict[str, tuple[int, str]] = {}
    count = 0
    for row in _entries(session, stream):
        count += 1
        position, previous = seen.get(row.stream, (0, GENESIS))
        fault = _fault(row, position + 1, previous)
        if fault:
            return Verdict(count, len(seen), f"entry {row.position} of stream {row.stream}: {fault}")
        seen[row.stream] = (row.position, row.entry_hash)
    return Verdict(count, len(seen), _cut(heads, seen))


def _heads(session: Session, stream: str | None) -> dict[str, tuple[int, str]]:
    query = select(ledger_heads)
    if stream is not None:
        query = query.where(ledger_heads.c.stream == stream)
    return {row.stream: (row.position, row.entry_hash) for row in session.execute(query)}


def _entries(session: Session, stream: str | None) -> Iterator[Row[Any]]:
    query = select(ledger_entries).order_by(ledger_entries.c.stream, ledger_entries.c.position)
    if stream is not None:
        query = query.where(ledger_entries.c.stream == stream)
    yield from session.execute(query.execution_options(yield_per=_BATCH))


def _fault(row: Row[Any], position: int, previous: str) -> str | None:
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


def _cut(heads: dict[str, tuple[int, str]], seen: dict[str, tuple[int, str]]) -> str | None:
    """A stream whose last entries are gone, or that has entries without a head."""
    for stream in sorted(heads.keys() | seen.keys()):
        head, last = heads.get(stream), seen.get(stream)
        if head == last:
            continue
        if head is None:
            return f"stream {stream}: it has entries and no head"
        position = last[0] if last else 0
        if position == head[0]:
            return f"entry {position} of stream {stream}: its hash is not the one that its head says"
        return f"stream {stream}: the entry after {position} is missing, its head says {head[0]}"
    return None


def entries_of(session: Session, stream: str) -> list[dict[str, Any]]:
    """All entries of one stream in order, each as its JSON object plus its `hash`."""
    rows = _entries(session, stream)
    return [json.loads(row.body) | {"hash": row.entry_hash} for row in rows]
