"""A thief of the database: somebody with its owner's role, who takes the triggers away and writes what they like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from ledger import log
from ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_heads,
    ledger_keys,
    ledger_leaves,
    ledger_tiles,
)

TABLES = (ledger_entries, ledger_leaves, ledger_tiles, ledger_checkpoints, ledger_keys)


@contextmanager
def stolen(engine: Engine) -> Iterator[Connection]:
    """The database without its guards; what was done stays done. On PostgreSQL the triggers are only switched off, so
    that the tests' shared database keeps them."""
    with engine.begin() as db:
        if engine.dialect.name == "postgresql":
            db.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for table in TABLES:
                for act in ("update", "delete"):
                    db.execute(text(f"DROP TRIGGER IF EXISTS {table.name}_no_{act}"))
        yield db


def forge(db: Connection, stream: str, position: int, /, **changes: Any) -> None:
    """Rewrites an entry, and all that follows from it in its stream: hashes, links and the head. No link can tell."""
    rows = db.execute(
        select(ledger_entries)
        .where(ledger_entries.c.stream == stream, ledger_entries.c.position >= position)
        .order_by(ledger_entries.c.position)
    ).all()
    previous = json.loads(rows[0].body)["previous"]
    for row in rows:
        changed = changes if row.position == position else {}
        body = _canonical(json.loads(row.body) | changed | {"previous": previous})
        previous = hashlib.sha256(body.encode()).hexdigest()
        db.execute(
            update(ledger_entries)
            .where(ledger_entries.c.sequence == row.sequence)
            .values(body=body, entry_hash=previous)
        )
    db.execute(update(ledger_heads).where(ledger_heads.c.stream == stream).values(entry_hash=previous))


def remove(db: Connection, stream: str) -> None:
    """A whole stream with its head; nothing in another stream speaks of it."""
    db.execute(delete(ledger_entries).where(ledger_entries.c.stream == stream))
    db.execute(delete(ledger_heads).where(ledger_heads.c.stream == stream))


def grow_again(db: Connection) -> list[bytes]:
    """Makes the log anew over the entries that there are now; returns its leaves. Short ones only: no tiles."""
    entries = db.execute(select(ledger_entries).order_by(ledger_entries.c.sequence)).all()
    leaves = [log.leaf_hash(row.body.encode()) for row in entries]
    db.execute(delete(ledger_leaves))
    rows = [
        {"log_index": at, "sequence": row.sequence, "leaf_hash": leaf}
        for at, (row, leaf) in enumerate(zip(entries, leaves, strict=True))
    ]
    db.execute(insert(ledger_leaves), rows)
    return leaves


def _canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))
