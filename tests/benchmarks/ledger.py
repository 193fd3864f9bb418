"""The ledger: appends a second with 1, 4 and 16 writers, the audit of a million entries, and the size of a proof."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import LiteralString

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, insert, select

from foundation import database
from foundation.identifiers import new_id
from foundation.settings import Settings
from ledger import checkpoint, receipts
from ledger.audit import Audited, audit
from ledger.entries import GENESIS, Actor, append, body_of
from ledger.sequencer import Sequencer
from ledger.tables import ledger_heads
from tests.benchmarks.cores import server_seconds

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_INES = Actor(member_id=new_id(), team_id=new_id())
_FACTS = {"handoff": new_id(), "from_team": new_id(), "to_team": new_id(), "kind": "transfer", "via": "desk"}
# Entries of one referral, as a busy one has them.
_IN_A_STREAM = 10
_SECONDS = 5.0
_BARE = Table("bare_appends", MetaData(), Column("id", Integer, primary_key=True), Column("words", Text))

# Stream, position, hash, kind, time and body.
Entry = tuple[str, int, str, str, datetime, str]
Act = Callable[[Engine, str], None]


@dataclass(frozen=True)
class Proved:
    """Seconds of the fold and of the audit, those of a core in this process and in the server's in the audit, its
    report, and a receipt of three entries: its bytes, and the hashes of one proof."""

    fold_s: float
    audit_s: float
    audit_core_s: float
    audit_server_s: float
    audited: Audited
    receipt_bytes: int
    hashes: int


def appends_per_second(url: str, writers: int) -> tuple[float, float]:
    """By so many processes: appends a second, each in a transaction of its own and to a referral of its own; and beside
    them transactions that insert one bare row."""
    engine = database.make_engine(url)
    _BARE.create(engine, checkfirst=True)
    engine.dispose()
    return _per_second(url, writers, _append), _per_second(url, writers, _insert)


def _per_second(url: str, writers: int, act: Act) -> float:
    spawning = multiprocessing.get_context("spawn")
    ready, counts = spawning.Barrier(writers), spawning.Queue()
    processes = [spawning.Process(target=_act_for, args=(url, act, ready, counts)) for _ in range(writers)]
    for process in processes:
        process.start()
    each = [counts.get() for _ in processes]
    for process in processes:
        process.join()
    return float(sum(each)) / _SECONDS


def _act_for(url: str, act: Act, ready: Barrier, counts: Queue[int]) -> None:
    engine, count = database.make_engine(url), 0
    act(engine, new_id())
    # Every process has loaded and connected before the measured seconds begin.
    ready.wait()
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        stream = new_id()
        for _ in range(_IN_A_STREAM):
            act(engine, stream)
            count += time.monotonic() < end
    counts.put(count)
    engine.dispose()


def _append(engine: Engine, stream: str) -> None:
    with database.transaction(engine) as session:
        append(session, stream, kind="handoff_acknowledged", at=NOON, actor=_INES, facts=_FACTS)


def _insert(engine: Engine, stream: str) -> None:
    with database.transaction(engine) as session:
        session.execute(insert(_BARE), {"words": stream})


def proved(url: str, settings: Settings, entries: int, rounds: int = 100) -> Proved:
    """Fills an empty ledger, folds it in so many rounds with a checkpoint each, and audits the whole of it."""
    engine = database.make_engine(url)
    settings = replace(settings, database_url=url, ledger_key=checkpoint.new_key(settings.deployment))
    sequencer = Sequencer(engine, settings)
    fold_s = 0.0
    made = _rows()
    for _ in range(rounds):
        _fill(url, list(islice(made, entries // rounds)))
        began = time.perf_counter()
        sequencer.round(NOON)
        fold_s += time.perf_counter() - began
    began, core, there = time.perf_counter(), time.process_time(), server_seconds(engine)
    with database.steady(engine) as session:
        audited = audit(session)
    audit_s, audit_core_s = time.perf_counter() - began, time.process_time() - core
    audit_server_s = server_seconds(engine) - there
    with database.reading(engine) as session:
        some: str = session.execute(select(ledger_heads.c.stream).limit(1)).scalar_one()
        receipt = receipts.receipt(session, some, {1: "Offered.", 2: "Opened.", 3: "Acknowledged."})
    engine.dispose()
    hashes = len(receipt["entries"][0]["proof"])
    told = len(json.dumps(receipt))
    return Proved(fold_s, audit_s, audit_core_s, audit_server_s, audited, told, hashes)


def _rows() -> Iterator[Entry]:
    """Entries without end, each stream's in order. Canonical JSON takes long, so one text is filled in."""
    text = body_of("STREAM", 0, "PREVIOUS", "handoff_acknowledged", NOON, _INES, _FACTS).decode()
    while True:
        stream, previous = new_id(), GENESIS
        for position in range(1, _IN_A_STREAM + 1):
            body = text.replace("STREAM", stream).replace("PREVIOUS", previous)
            body = body.replace('"position":0', f'"position":{position}')
            previous = hashlib.sha256(body.encode()).hexdigest()
            yield stream, position, previous, "handoff_acknowledged", NOON, body


def _fill(url: str, rows: list[Entry]) -> None:
    """By COPY: a million inserts would take longer than all that is measured."""
    with psycopg.connect(url) as server, server.cursor() as cursor:
        entries = "COPY ledger_entries (stream, position, entry_hash, kind, at, body) FROM STDIN"
        _copy(cursor, entries, rows)
        heads = (row[:3] for row in rows if row[1] == _IN_A_STREAM)
        _copy(cursor, "COPY ledger_heads (stream, position, entry_hash) FROM STDIN", heads)


def _copy(cursor: Cursor[TupleRow], statement: LiteralString, rows: Iterable[tuple[object, ...]]) -> None:
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
