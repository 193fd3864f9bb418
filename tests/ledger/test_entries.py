"""The ledger's entries: linked, canonical, and in the transaction of what they record."""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import rfc8785
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from foundation import database
from ledger import entries
from ledger.audit import audit
from ledger.entries import Actor, commitment
from ledger.verification import entries_of, verify

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
INES = Actor(member_id="ines", team_id="tempe")


def add(engine: Engine, stream: str, kind: str = "noted") -> str:
    with database.transaction(engine) as session:
        return entries.append(session, stream, kind=kind, at=NOON, actor=INES, facts={"n": 1})


def test_each_entry_carries_the_hash_of_the_one_before(engine: Engine) -> None:
    hashes = [add(engine, "a") for _ in range(3)]
    with database.reading(engine) as session:
        found = entries_of(session, "a")
    assert [entry["previous"] for entry in found] == [entries.GENESIS, *hashes[:2]]
    assert [entry["position"] for entry in found] == [1, 2, 3]


def test_streams_do_not_touch_each_other(engine: Engine) -> None:
    for stream in ("a", "b", "a"):
        add(engine, stream)
    with database.reading(engine) as session:
        assert [len(entries_of(session, stream)) for stream in ("a", "b", "c")] == [2, 1, 0]


def test_the_hash_is_of_the_canonical_json(engine: Engine) -> None:
    entry_hash = add(engine, "a")
    with database.reading(engine) as session:
        (entry,) = entries_of(session, "a")
    assert entry.pop("hash") == entry_hash == hashlib.sha256(rfc8785.dumps(entry)).hexdigest()


def test_an_entry_is_gone_with_the_change_that_failed(engine: Engine) -> None:
    with suppress(RuntimeError), database.transaction(engine) as session:
        entries.append(session, "a", kind="noted", at=NOON, actor=INES, facts={})
        raise RuntimeError
    with database.reading(engine) as session:
        assert audit(session).entries == 0


def test_a_stream_is_opened_once(engine: Engine) -> None:
    add(engine, "a")
    with pytest.raises(IntegrityError), database.transaction(engine) as session:
        entries.open_stream(session, "a", kind="filed", at=NOON, actor=INES, facts={})


def test_appenders_of_one_stream_wait_for_each_other(engine: Engine) -> None:
    add(engine, "a")
    threads = [threading.Thread(target=add, args=(engine, "a")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading(engine) as session:
        assert verify(session, "a").entries == 9
        assert audit(session).intact


def test_an_actor_says_only_what_is_known() -> None:
    assert INES.as_json() == {"member": "ines", "team": "tempe"}
    assert Actor(part="clock").as_json() == {"part": "clock"}


def test_a_commitment_binds_the_words_and_needs_the_key() -> None:
    assert commitment(b"key", b"words") == commitment(b"key", b"words")
    assert (
        len({commitment(b"key", b"words"), commitment(b"key", b"word"), commitment(b"other", b"words")}) == 3
    )
