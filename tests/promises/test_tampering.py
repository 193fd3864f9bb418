"""Promise: whoever steals the database and rewrites the past is noticed, by what the threat model says.

The thief has the owner's role: triggers are no hindrance. Without the signing key the checkpoints in the database give
them away. With the key, only a checkpoint that somebody outside kept does.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from foundation import database
from foundation.settings import Settings
from ledger import checkpoint, log, tiles
from ledger.audit import Audited, audit, checked, remember
from ledger.checkpoint import Signer
from ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_heads,
    ledger_keys,
    ledger_leaves,
    ledger_tiles,
)
from ledger.tiles import StoredTree
from tests.ledger.logged import NOON, Log, script
from tests.ledger.thief import forge, grow_again, remove, stolen


@pytest.fixture
def victim(engine: Engine, settings: Settings) -> Log:
    """Streams a, b and c under three checkpoints, whose first entry after the first checkpoint is about the key."""
    victim = Log(engine, settings)
    for streams in ("abcab", "ca", "abc"):
        victim.write(streams)
        victim.sign()
    return victim


def audited(victim: Log, kept: str = "", own_key: bool = True) -> Audited:
    with database.steady(victim.engine) as session:
        return audit(session, [victim.verifier] if own_key else [], [kept] if kept else [])


def newest(victim: Log) -> str:
    with database.reading(victim.engine) as session:
        notes = session.execute(select(ledger_checkpoints.c.note).order_by(ledger_checkpoints.c.size))
        return str(list(notes.scalars())[-1])


def place_of(db: Connection, stream: str, position: int) -> int:
    query = (
        select(ledger_leaves.c.log_index)
        .join(ledger_entries, ledger_entries.c.sequence == ledger_leaves.c.sequence)
        .where(ledger_entries.c.stream == stream, ledger_entries.c.position == position)
    )
    place: int = db.execute(query).scalar_one()
    return place


def edit(db: Connection) -> None:
    """One entry, with all that follows in its stream rewritten to fit."""
    forge(db, "a", 2, facts={"handoff": "another"})


def edit_in_the_log_too(db: Connection) -> None:
    forge(db, "a", 2, facts={"handoff": "another"})
    grow_again(db)


def remove_one(db: Connection) -> None:
    db.execute(delete(ledger_entries).where(ledger_entries.c.stream == "a", ledger_entries.c.position == 2))


def remove_a_stream(db: Connection) -> None:
    remove(db, "b")


def remove_a_stream_from_the_log_too(db: Connection) -> None:
    remove(db, "b")
    grow_again(db)


def insert_one(db: Connection) -> None:
    """A stream that never was, put into the past."""
    row = db.execute(
        select(ledger_entries).where(ledger_entries.c.stream == "a", ledger_entries.c.position == 1)
    ).one()
    body = row.body.replace('"stream":"a"', '"stream":"x"')
    entry_hash = hashlib.sha256(body.encode()).hexdigest()
    forged = dict(row._mapping) | {"sequence": -1, "stream": "x", "body": body, "entry_hash": entry_hash}
    db.execute(insert(ledger_entries), forged)
    db.execute(insert(ledger_heads), {"stream": "x", "position": 1, "entry_hash": entry_hash})
    grow_again(db)


def insert_beside_the_log(db: Connection) -> None:
    """One more entry of a stream, well linked, with a number that the sequencer does not look at; its head stays."""
    entry = ledger_entries.c
    last = db.execute(
        select(ledger_entries).where(entry.stream == "a").order_by(entry.position.desc()).limit(1)
    ).one()
    body = json.loads(last.body) | {"position": last.position + 1, "previous": last.entry_hash}
    forged = json.dumps(body, sort_keys=True, separators=(",", ":"))
    entry_hash = hashlib.sha256(forged.encode()).hexdigest()
    one_more = {"sequence": -5, "position": last.position + 1, "body": forged, "entry_hash": entry_hash}
    db.execute(insert(ledger_entries), dict(last._mapping) | one_more)


def reorder(db: Connection) -> None:
    """Two entries of different streams change places in the log: no link between them tells."""
    places = place_of(db, "a", 1), place_of(db, "b", 1)
    rows = {
        row.log_index: (row.sequence, row.leaf_hash)
        for row in db.execute(select(ledger_leaves).where(ledger_leaves.c.log_index.in_(places)))
    }
    db.execute(delete(ledger_leaves).where(ledger_leaves.c.log_index.in_(places)))
    for place, other in (places, places[::-1]):
        sequence, leaf = rows[other]
        db.execute(insert(ledger_leaves), {"log_index": place, "sequence": sequence, "leaf_hash": leaf})


def cut_the_tail(db: Connection) -> None:
    """Everything after the second checkpoint, but for the checkpoint itself."""
    size = list(db.execute(select(ledger_checkpoints.c.size).order_by(ledger_checkpoints.c.size)).scalars())[
        1
    ]
    _cut_to(db, size)


def _cut_to(db: Connection, size: int) -> None:
    kept = select(ledger_leaves.c.sequence).where(ledger_leaves.c.log_index < size)
    db.execute(delete(ledger_entries).where(ledger_entries.c.sequence.not_in(kept)))
    db.execute(delete(ledger_leaves).where(ledger_leaves.c.log_index >= size))
    for stream in "abc":
        last = (
            select(ledger_entries)
            .where(ledger_entries.c.stream == stream)
            .order_by(ledger_entries.c.position.desc())
            .limit(1)
        )
        row = db.execute(last).one()
        db.execute(
            update(ledger_heads)
            .where(ledger_heads.c.stream == stream)
            .values(position=row.position, entry_hash=row.entry_hash)
        )


def remove_a_checkpoint(db: Connection) -> None:
    db.execute(delete(ledger_checkpoints).where(ledger_checkpoints.c.number == 2))


def swap_a_note(db: Connection) -> None:
    """A checkpoint's signed note for another's."""
    note = db.execute(select(ledger_checkpoints.c.note).where(ledger_checkpoints.c.number == 1)).scalar_one()
    db.execute(update(ledger_checkpoints).where(ledger_checkpoints.c.number == 2).values(note=note))


def change_a_root(db: Connection) -> None:
    """The column by which the clock goes on; the signed note beside it stays."""
    second = ledger_checkpoints.c.number == 2
    db.execute(update(ledger_checkpoints).where(second).values(root=bytes(32)))


def renumber(db: Connection) -> None:
    db.execute(update(ledger_leaves).where(ledger_leaves.c.log_index == 3).values(log_index=77))


def renumber_the_last(db: Connection) -> None:
    """The order stays, and so every root; proofs by its place would be wrong."""
    last = db.execute(select(func.max(ledger_leaves.c.log_index))).scalar_one()
    db.execute(update(ledger_leaves).where(ledger_leaves.c.log_index == last).values(log_index=77))


def change_a_hash(db: Connection) -> None:
    """The one that a stream ends with, in its head too: no entry links to it, and what the log holds is untouched."""
    last = db.execute(select(ledger_heads).where(ledger_heads.c.stream == "a")).one()
    for table in (ledger_entries, ledger_heads):
        same = table.c.stream == "a", table.c.position == last.position
        db.execute(update(table).where(*same).values(entry_hash="0" * 64))


def antedate(db: Connection) -> None:
    """The column that pages sort and search by; the signed text beside it stays."""
    second = (ledger_entries.c.stream == "a", ledger_entries.c.position == 2)
    db.execute(update(ledger_entries).where(*second).values(at=NOON - timedelta(days=1)))


def rename(db: Connection) -> None:
    second = (ledger_entries.c.stream == "a", ledger_entries.c.position == 2)
    db.execute(update(ledger_entries).where(*second).values(kind="closed"))


WITHOUT_THE_KEY = [
    edit, edit_in_the_log_too, remove_one, remove_a_stream, remove_a_stream_from_the_log_too, insert_one,
    insert_beside_the_log, reorder, cut_the_tail, remove_a_checkpoint, swap_a_note, change_a_root, renumber,
    renumber_the_last, change_a_hash, antedate, rename,
]  # fmt: skip


def test_an_untouched_log_is_intact(victim: Log) -> None:
    found = audited(victim, newest(victim))
    assert (found.broken, found.signed, found.kept, found.waiting) == (None, 3, 1, 0)


@pytest.mark.parametrize("tamper", WITHOUT_THE_KEY)
def test_a_thief_without_the_key_is_noticed(victim: Log, tamper: Callable[[Connection], None]) -> None:
    with stolen(victim.engine) as db:
        tamper(db)
    assert audited(victim).broken is not None


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("column", ["hashes", "root", None])
def test_stored_hashes_that_do_not_fit_are_noticed(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, level: int, column: str | None
) -> None:
    """Proofs are made from them. Tiles of four, so that few entries fill some; `None` removes the tile."""
    monkeypatch.setattr(tiles, "TILE", 4)
    monkeypatch.setattr(tiles, "_HEIGHT", 2)
    victim = Log(engine, settings)
    victim.write("abcd" * 5)
    victim.sign()
    this = (ledger_tiles.c.level == level, ledger_tiles.c.position == 0)
    with stolen(engine) as db:
        if column:
            db.execute(update(ledger_tiles).where(*this).values({column: bytes(32)}))
        else:
            db.execute(delete(ledger_tiles).where(*this))
    broken = audited(victim).broken
    assert broken is not None
    assert broken.startswith("tile 0 of")


def test_the_first_broken_entry_is_named(victim: Log) -> None:
    with stolen(victim.engine) as db:
        place = place_of(db, "a", 2)
        edit(db)
    assert audited(victim).broken == f"entry 2 of stream a: it is not what place {place} of the log holds"


def sign_anew(db: Connection, leaves: list[bytes], settings: Settings, signer: Signer) -> None:
    """Every checkpoint again, over the forged log."""
    rows = db.execute(select(ledger_checkpoints).order_by(ledger_checkpoints.c.size)).all()
    db.execute(delete(ledger_checkpoints))
    for row in rows:
        size = min(row.size, len(leaves) - len(rows) + row.number)
        root = log.root_of(leaves[:size])
        note = checkpoint.write(settings.deployment, size, root, [signer])
        db.execute(
            insert(ledger_checkpoints), dict(row._mapping) | {"size": size, "root": root, "note": note}
        )


REWRITINGS = [edit, remove_a_stream, insert_one]


@pytest.mark.parametrize("tamper", REWRITINGS)
def test_a_thief_who_signs_with_a_key_of_their_own_is_noticed_by_the_key_kept_apart(
    victim: Log, tamper: Callable[[Connection], None]
) -> None:
    """Their public key is put among those in the database: only who trusts those is fooled."""
    thiefs = Signer.read(checkpoint.new_key(victim.settings.deployment))
    with stolen(victim.engine) as db:
        tamper(db)
        db.execute(insert(ledger_keys), {"verifier": str(thiefs.verifier), "first_at": victim.now})
        sign_anew(db, grow_again(db), victim.settings, thiefs)
    assert audited(victim, own_key=False).broken is None
    assert audited(victim).broken == "checkpoint 1: no known key signed this checkpoint"


@pytest.mark.parametrize("tamper", REWRITINGS)
def test_a_thief_with_the_signing_key_is_noticed_by_a_checkpoint_kept_outside(
    victim: Log, tamper: Callable[[Connection], None]
) -> None:
    """The one case that nothing inside can show: everything was rewritten from the middle and signed again."""
    kept = newest(victim)
    with stolen(victim.engine) as db:
        tamper(db)
        sign_anew(db, grow_again(db), victim.settings, Signer.read(victim.settings.ledger_key))
    assert audited(victim).broken is None
    found = audited(victim, kept).broken
    assert found is not None
    assert found.startswith("a kept checkpoint")


def test_a_link_that_does_not_fit_is_noticed_though_all_was_signed_anew(victim: Log) -> None:
    """A thief with the key who edits one entry, and forgets that the next one of its stream carries its hash."""
    with stolen(victim.engine) as db:
        first = (ledger_entries.c.stream == "a", ledger_entries.c.position == 1)
        body = db.execute(select(ledger_entries.c.body).where(*first)).scalar_one().replace('"h"', '"x"')
        entry_hash = hashlib.sha256(body.encode()).hexdigest()
        db.execute(update(ledger_entries).where(*first).values(body=body, entry_hash=entry_hash))
        sign_anew(db, grow_again(db), victim.settings, Signer.read(victim.settings.ledger_key))
    assert audited(victim).broken == "entry 2 of stream a: it does not follow from the entry before it"


def test_a_number_left_out_is_noticed_though_all_was_signed_anew(victim: Log) -> None:
    """As if there had been entries before the last one of a stream that nobody shows any more."""
    with stolen(victim.engine) as db:
        last = db.execute(select(ledger_heads).where(ledger_heads.c.stream == "b")).one()
        forge(db, "b", last.position, position=9)
        for table in (ledger_entries, ledger_heads):
            same = table.c.stream == "b", table.c.position == last.position
            db.execute(update(table).where(*same).values(position=9))
        sign_anew(db, grow_again(db), victim.settings, Signer.read(victim.settings.ledger_key))
    broken = audited(victim).broken
    assert broken == f"entry 9 of stream b: entry {last.position} is missing before it"


def test_a_cut_tail_with_its_checkpoints_is_noticed_by_a_checkpoint_kept_outside(victim: Log) -> None:
    kept = newest(victim)
    with stolen(victim.engine) as db:
        cut_the_tail(db)
        db.execute(delete(ledger_checkpoints).where(ledger_checkpoints.c.number == 3))
    assert audited(victim).broken is None
    assert audited(victim, kept).broken == "a kept checkpoint: it covers 11 entries, and the log has 8"


def test_an_outsider_alone_notices_a_rewritten_past(victim: Log) -> None:
    """With the two scripts and what the service answers, and without trusting anything else of it."""
    kept = newest(victim)
    with stolen(victim.engine) as db:
        forge(db, "a", 2, facts={"handoff": "another"})
        leaves = grow_again(db)
        sign_anew(db, leaves, victim.settings, Signer.read(victim.settings.ledger_key))
    victim.restart()
    victim.write("a")
    later = victim.sign()
    assert later is not None
    with database.reading(victim.engine) as session:
        proof = StoredTree(session).consistency(len(leaves), later.size)
    said = {"proof": [base64.b64encode(each).decode() for each in proof]}
    with pytest.raises(ValueError, match="does not continue"):
        script("verify_consistency").check(kept, later.note, said, [str(victim.verifier)])


def test_the_doctor_s_quick_look_notices_what_is_new_and_wrong(victim: Log) -> None:
    with database.transaction(victim.engine) as session:
        remember(session, audit(session, [victim.verifier]), victim.now)
    victim.write("ab")
    victim.sign()
    with stolen(victim.engine) as db:
        forge(db, "b", 4, facts={"handoff": "another"})
    with database.steady(victim.engine) as session:
        since = checked(session)
        found = audit(session, [victim.verifier], since=since)
    assert (since, found.entries) == (11, 1)
    assert found.broken == "entry 4 of stream b: it is not what place 12 of the log holds"


def test_with_a_kept_checkpoint_all_is_checked(victim: Log) -> None:
    """Where a quick look begins it would have nothing to be compared with."""
    with database.steady(victim.engine) as session:
        found = audit(session, [victim.verifier], [newest(victim)], since=11)
    assert (found.since, found.kept, found.broken) == (0, 1, None)


@pytest.mark.parametrize("tamper", [remove_a_stream_from_the_log_too, edit_in_the_log_too])
def test_the_doctor_s_quick_look_begins_anew_where_the_past_changed(
    victim: Log, tamper: Callable[[Connection], None]
) -> None:
    with database.transaction(victim.engine) as session:
        remember(session, audit(session, [victim.verifier]), victim.now)
    with stolen(victim.engine) as db:
        tamper(db)
    with database.reading(victim.engine) as session:
        assert checked(session) == 0


@pytest.mark.parametrize("table", [ledger_leaves, ledger_checkpoints, ledger_keys, ledger_tiles])
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_the_database_refuses_to_change_the_log(victim: Log, table: Table, act: str) -> None:
    if table is ledger_tiles:
        with victim.engine.begin() as db:
            db.execute(insert(table), {"level": 9, "position": 0, "root": b"", "hashes": b""})
    statement = act.format(table.name, next(iter(table.c)).name)
    with pytest.raises(DBAPIError, match="only ever added to"), victim.engine.begin() as db:
        db.execute(text(statement))
