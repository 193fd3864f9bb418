"""The sequencer: every committed entry gets one place in the log, in order, and checkpoints never fork."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select, text

from foundation import database
from foundation.settings import Settings
from foundation.tables import outbox
from ledger import checkpoint, checkpoints, entries, log, sequencer, tiles
from ledger.audit import audit
from ledger.checkpoint import BadNote, Signer
from ledger.entries import Actor
from ledger.sequencer import Sequencer
from ledger.tables import ledger_checkpoints, ledger_entries, ledger_leaves
from ledger.tiles import TILE, StoredTree
from ledger.verification import entries_of
from tests.ledger.logged import NOON, Log
from tests.ledger.thief import grow_again, remove, stolen

only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def written(engine: Engine, settings: Settings) -> Log:
    return Log(engine, settings)


def in_log(engine: Engine) -> list[tuple[str, int]]:
    """Stream and position of each place of the log, in order."""
    with database.reading(engine) as session:
        rows = session.execute(
            select(ledger_entries.c.stream, ledger_entries.c.position)
            .join(ledger_leaves, ledger_leaves.c.sequence == ledger_entries.c.sequence)
            .order_by(ledger_leaves.c.log_index)
        )
        return [(stream, position) for stream, position in rows]


@contextmanager
def unfinished(engine: Engine, stream: str) -> Iterator[None]:
    """An entry whose transaction commits only at the end of the block."""
    with database.transaction(engine) as session:
        entries.append(session, stream, kind="noted", at=NOON, actor=Actor(part="test"), facts={})
        yield


def test_entries_are_folded_in_order_and_once(written: Log) -> None:
    written.write("abab")
    written.sign()
    written.write("a")
    written.sign()
    # The first checkpoint published its key, which is an entry too.
    assert in_log(written.engine) == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("deployment", 1), ("a", 3)]


def test_nothing_is_signed_where_nothing_is_new(written: Log) -> None:
    written.write("a")
    first, second = written.sign(), written.sign()
    third = written.sign()
    assert first is not None
    assert second is not None
    # The entry about the new key came after the first; then nothing did.
    assert (first.size, second.size, third) == (1, 2, second)


@only_postgresql
def test_an_entry_that_commits_late_is_not_skipped(written: Log) -> None:
    """Its number is lower than those of entries that were folded long before."""
    with unfinished(written.engine, "late"):
        written.write("ab")
        for _ in range(3):
            written.sign()
        assert ("late", 1) not in in_log(written.engine)
    written.write("c")
    written.sign()
    places = in_log(written.engine)
    assert places.count(("late", 1)) == 1
    assert len(places) == len(set(places)) == 5


@only_postgresql
def test_the_window_does_not_pass_a_running_transaction(written: Log) -> None:
    with unfinished(written.engine, "late"):
        written.write("ab")
        for _ in range(3):
            written.sign()
        assert settled_after(written, looks=3) == 0
    written.sign()
    assert settled_after(written, looks=3) > 0


@only_postgresql
def test_a_transaction_that_writes_no_entry_holds_nothing_up(written: Log) -> None:
    """However long it runs: or each round would read again all that came since it began."""
    with written.engine.connect() as other:
        other.execute(text("CREATE TEMPORARY TABLE other AS SELECT 1"))
        written.write("ab")
        for _ in range(2):
            written.sign()
        assert settled_after(written, looks=2) > 0


def settled_after(written: Log, looks: int) -> int:
    """How far the window of a sequencer that has just started comes."""
    window = sequencer.Window()
    for _ in range(looks):
        with database.reading(written.engine) as session:
            window, _ = sequencer.look(session, window)
    return window.settled


def test_a_number_that_nobody_used_holds_nothing_up(written: Log) -> None:
    with suppress(RuntimeError), unfinished(written.engine, "gone"):
        raise RuntimeError
    written.write("a")
    written.sign()
    written.sign()
    assert settled_after(written, looks=3) > 0


def write_and_give_up(engine: Engine, name: str) -> None:
    """Ten entries, and two whose transactions fail after they had a number."""
    for at in range(12):
        with suppress(RuntimeError), unfinished(engine, f"{name}{at % 3}"):
            if at % 5 == 4:
                raise RuntimeError


def fold_until(stopping: threading.Event, by: Sequencer) -> None:
    while not stopping.is_set():
        by.round(NOON)


def test_writers_and_two_sequencers_at_once_lose_nothing_and_double_nothing(written: Log) -> None:
    """Eight writers, some of whom give up, while two sequencers race for the same places."""
    stopping, other = threading.Event(), Sequencer(written.engine, replace(written.settings, ledger_key=""))
    folders = [threading.Thread(target=fold_until, args=(stopping, by)) for by in (written.sequencer, other)]
    writers = [threading.Thread(target=write_and_give_up, args=(written.engine, name)) for name in "abcdefgh"]
    for thread in [*folders, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    stopping.set()
    for thread in folders:
        thread.join()
    written.sign()
    written.sign()
    with database.steady(written.engine) as session:
        audited = audit(session, [written.verifier])
    assert (audited.broken, audited.waiting, audited.size) == (None, 0, 8 * 10 + 1)


def test_stored_hashes_give_every_root_and_proof(written: Log) -> None:
    """Across the edge of a tile: against the tree computed anew."""
    with database.transaction(written.engine) as session:
        for at in range(TILE + 5):
            entries.append(session, f"s{at % 7}", kind="noted", at=NOON, actor=Actor(part="test"), facts={})
    written.restart(ledger_key="")
    written.sign()
    with database.reading(written.engine) as session:
        leaves = list(
            session.execute(select(ledger_leaves.c.leaf_hash).order_by(ledger_leaves.c.log_index)).scalars()
        )
        tree = StoredTree(session)
        for size in (1, 2, 255, 256, 257, 261):
            assert tree.root(size) == log.root_of(leaves[:size])

        def anew(start: int, end: int) -> bytes:
            return log.root_of(leaves[start:end])

        assert tree.inclusion(255, 261) == log.inclusion(255, 261, anew)
        assert tree.consistency(200, 261) == log.consistency(200, 261, anew)
        assert tree.tile(0, 0) is not None
        with pytest.raises(ValueError, match="no leaves up to 262"):
            tree.root(262)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of four, so that a few dozen entries fill tiles of tiles."""
    monkeypatch.setattr(tiles, "TILE", 4)
    monkeypatch.setattr(tiles, "_HEIGHT", 2)


@pytest.mark.usefixtures("small_tiles")
def test_tiles_of_tiles_give_every_root_and_proof(written: Log) -> None:
    written.restart(ledger_key="")
    for _ in range(5):
        written.write("abcdefg" * 2)
        written.sign()
    with database.steady(written.engine) as session:
        query = select(ledger_leaves.c.leaf_hash).order_by(ledger_leaves.c.log_index)
        leaves, tree = list(session.execute(query).scalars()), StoredTree(session)
        assert tree.tile(2, 0) is not None
        assert [tree.root(size) for size in range(71)] == [log.root_of(leaves[:size]) for size in range(71)]

        def anew(start: int, end: int) -> bytes:
            return log.root_of(leaves[start:end])

        for index in range(70):
            assert tree.inclusion(index, 70) == log.inclusion(index, 70, anew)
            assert tree.consistency(index, 70) == log.consistency(index, 70, anew)
        assert audit(session).broken is None


def test_a_running_clock_does_not_sign_another_history(
    written: Log, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever cuts the tail off, checkpoints and all, does not get it to sign what is left."""
    written.write("ab")
    written.sign()
    with stolen(written.engine) as db:
        remove(db, "b")
        db.execute(delete(ledger_checkpoints))
        grow_again(db)
    assert written.sign() is None
    assert "does not continue checkpoint 1" in caplog.text


def test_a_key_s_first_use_is_published_and_in_the_ledger(written: Log) -> None:
    written.write("a")
    written.sign()
    with database.reading(written.engine) as session:
        assert checkpoints.verifiers(session) == [written.verifier]
        (entry,) = entries_of(session, "deployment")
    assert (entry["kind"], entry["facts"]) == ("ledger_key_added", {"verifier": str(written.verifier)})


def test_keys_rotate_under_two_signatures(written: Log) -> None:
    written.write("a")
    written.sign()
    old, new = written.settings.ledger_key, checkpoint.new_key(written.settings.deployment)
    written.restart(ledger_key=f"{new}\n{old}")
    written.write("a")
    both = written.sign()
    written.restart(ledger_key=new)
    written.write("a")
    alone = written.sign()
    assert both is not None
    assert alone is not None
    fresh, stale = written.verifier, Signer.read(old).verifier
    assert checkpoint.read(both.note, [stale]).size == checkpoint.read(both.note, [fresh]).size
    with pytest.raises(BadNote):
        checkpoint.read(alone.note, [stale])
    with database.steady(written.engine) as session:
        assert set(checkpoints.verifiers(session)) == {fresh, stale}
        assert audit(session).broken is None


def test_without_a_key_it_folds_and_signs_nothing(written: Log) -> None:
    written.restart(ledger_key="")
    written.write("ab")
    assert written.sign() is None
    assert len(in_log(written.engine)) == 2


def test_each_witness_is_owed_one_checkpoint_a_day(written: Log) -> None:
    written.restart(checkpoint_mail="ada@court.example, desk@partner.example")
    for hours in (1, 1, 24, 1):
        written.write("a")
        written.sign()
        written.now += timedelta(hours=hours)
    with database.reading(written.engine) as session:
        owed = list(session.execute(select(outbox.c.subject_id).order_by(outbox.c.id)).scalars())
    assert owed == ["1.0", "1.1", "4.0", "4.1"]


def test_a_turn_comes_once_a_minute(written: Log) -> None:
    written.write("a")
    assert written.sequencer.take_turn() == 1
    written.write("a")
    assert written.sequencer.take_turn() == 0


def test_an_audit_beside_writers_raises_no_false_alarm(written: Log) -> None:
    """It sees the ledger as of one moment, or a head would be ahead of its entries."""
    writers = [threading.Thread(target=write_and_give_up, args=(written.engine, name)) for name in "abcd"]
    for thread in writers:
        thread.start()
    found = []
    while any(thread.is_alive() for thread in writers):
        written.sign()
        with database.steady(written.engine) as session:
            found.append(audit(session, [written.verifier]).broken)
    assert set(found) == {None}
