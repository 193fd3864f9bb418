"""Promise: the ledger notices any edit, and the database refuses to make one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation import database
from ledger import entries
from ledger.audit import audit
from ledger.entries import Actor
from ledger.tables import ledger_entries as rows
from ledger.tables import ledger_heads as heads
from ledger.verification import verify

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def written(engine: Engine) -> None:
    """Two streams, `a` and `b`, of four entries each."""
    with database.transaction(engine) as session:
        for stream in "aabbabab":
            entries.append(session, stream, kind="noted", at=NOON, actor=Actor(part="test"), facts={})


def at(stream: str, position: int) -> tuple[object, ...]:
    return (rows.c.stream == stream, rows.c.position == position)


def rewritten(body: str, **changes: object) -> dict[str, str]:
    """A body with other facts, and the hash that fits it."""
    forged = json.dumps(json.loads(body) | changes, sort_keys=True, separators=(",", ":"))
    return {"body": forged, "entry_hash": hashlib.sha256(forged.encode()).hexdigest()}


def edit(db: Connection) -> None:
    db.execute(update(rows).where(*at("a", 2)).values(body=rows.c.body + " "))  # type: ignore[arg-type]


def forge(db: Connection) -> None:
    body = db.execute(select(rows.c.body).where(*at("a", 2))).scalar_one()  # type: ignore[arg-type]
    db.execute(update(rows).where(*at("a", 2)).values(rewritten(body, kind="other")))  # type: ignore[arg-type]


def forge_facts(db: Connection) -> None:
    """Columns and hash fit: only the entry after it can tell."""
    body = db.execute(select(rows.c.body).where(*at("a", 2))).scalar_one()  # type: ignore[arg-type]
    changes = rewritten(body, facts={"other": True})
    db.execute(update(rows).where(*at("a", 2)).values(changes))  # type: ignore[arg-type]


def forge_last(db: Connection) -> None:
    body = db.execute(select(rows.c.body).where(*at("a", 4))).scalar_one()  # type: ignore[arg-type]
    changes = rewritten(body, facts={"other": True})
    db.execute(update(rows).where(*at("a", 4)).values(changes))  # type: ignore[arg-type]


def garble(db: Connection) -> None:
    changes = {"body": "no JSON", "entry_hash": hashlib.sha256(b"no JSON").hexdigest()}
    db.execute(update(rows).where(*at("a", 2)).values(changes))  # type: ignore[arg-type]


def remove(db: Connection) -> None:
    db.execute(delete(rows).where(*at("a", 2)))  # type: ignore[arg-type]


def remove_first(db: Connection) -> None:
    db.execute(delete(rows).where(*at("a", 1)))  # type: ignore[arg-type]


def cut(db: Connection) -> None:
    db.execute(delete(rows).where(rows.c.stream == "a", rows.c.position > 2))


def swap(db: Connection) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        db.execute(update(rows).where(*at("a", old)).values(position=new))  # type: ignore[arg-type]


def move(db: Connection) -> None:
    db.execute(update(rows).where(*at("a", 4)).values(stream="b", position=5))  # type: ignore[arg-type]


def antedate(db: Connection) -> None:
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    db.execute(update(rows).where(*at("a", 2)).values(at=earlier))  # type: ignore[arg-type]


def rename(db: Connection) -> None:
    db.execute(update(rows).where(*at("a", 2)).values(kind="closed"))  # type: ignore[arg-type]


def behead(db: Connection) -> None:
    db.execute(delete(heads).where(heads.c.stream == "a"))


def empty(db: Connection) -> None:
    db.execute(delete(rows).where(rows.c.stream == "a"))


TAMPERINGS = [
    edit, forge, forge_facts, forge_last, garble, remove, remove_first, cut, swap, move, antedate, rename, behead,
    empty,
]  # fmt: skip


def unguard(db: Connection) -> None:
    """What an administrator of the database can do: take the triggers away."""
    if db.dialect.name == "sqlite":
        for name in ("ledger_entries_no_update", "ledger_entries_no_delete"):
            db.execute(text(f"DROP TRIGGER {name}"))
    else:
        db.execute(text("SET session_replication_role = replica"))


def test_an_untouched_ledger_is_intact(engine: Engine) -> None:
    with database.reading(engine) as session:
        verdict = audit(session)
    assert (verdict.entries, verdict.streams, verdict.broken) == (8, 2, None)


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_is_noticed_and_its_stream_named(
    engine: Engine, tamper: Callable[[Connection], None]
) -> None:
    with engine.begin() as db:
        unguard(db)
        tamper(db)
        # Undone at the end, so that the shared database of PostgreSQL keeps its triggers.
        with Session(db) as session:
            broken = audit(session).broken
            in_stream = verify(session, "a").broken
        db.rollback()
    assert broken is not None
    assert "stream a" in broken or tamper is move
    assert in_stream is not None


@pytest.mark.parametrize("statement", ["UPDATE ledger_entries SET kind = 'x'", "DELETE FROM ledger_entries"])
def test_the_database_refuses_to_change_an_entry(engine: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="only ever added to"), engine.begin() as db:
        db.execute(text(statement))


def test_the_database_refuses_to_empty_the_ledger_at_once(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DBAPIError, match="only ever added to"), engine.begin() as db:
        db.execute(text("TRUNCATE ledger_entries"))
