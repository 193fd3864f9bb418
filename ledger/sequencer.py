"""The sequencer: takes entries up into the one log, in an order that never changes, and signs how far it is.

Entries are numbered by a sequence of the database, and a lower number may be committed after a higher one. So the
place in the log is given here, to every committed entry that has none, and stands in rows of its own: an entry is
never changed. What makes the search short is a *window*: below it every number is settled for good.

A number is settled once every transaction that could still bring it to light has ended. Who draws a number holds the
lock of all who insert entries, until the end: so it is enough to have seen number n, to note who holds that lock after
that, and to wait until each of them has ended. Transactions that write no entry, however long, hold nothing up.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, Select, exists, func, insert, select, text
from sqlalchemy.orm import Session

from foundation import clock, database, outbox
from foundation.settings import Settings
from ledger import checkpoint, checkpoints, entries, log, tiles
from ledger.checkpoint import Signer
from ledger.entries import DEPLOYMENT, Actor
from ledger.tables import ledger_entries, ledger_keys, ledger_leaves

logger = logging.getLogger(__name__)

# A checkpoint a minute while there is something new.
EVERY = timedelta(seconds=60)
_BATCH = 2_000
# One sequencer at a time: "waypost" as a number, so that no other program's lock is meant.
_LOCK = 0x77617970
# An insert takes this lock before it draws a number; a commit gives it back after all can see it.
_INSERTING = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation = 'ledger_entries'::regclass"
)
# The job that mails a checkpoint to one of the addresses of the settings; the worker resolves the name.
MAIL = "notifications.witnesses.mail_checkpoint"


class Forked(Exception):
    """The log does not continue what was signed before; nothing more is signed until somebody looked."""


@dataclass(frozen=True)
class Window:
    """Numbers up to `settled` are in the log or belong to nobody. `seen` will be settled when the transactions `until`
    have ended."""

    settled: int = 0
    seen: int = 0
    until: frozenset[str] = frozenset()


class Sequencer:
    """One round a minute: fold, then sign. It remembers what it signed, so that it signs no second history."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._signers = checkpoint.signers(settings.ledger_key)
        self._window = Window()
        self._signed: checkpoints.Signed | None = None
        self._next = 0.0

    def take_turn(self) -> int:
        """A round if a minute is over; returns how many entries it folded."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + EVERY.total_seconds()
        return self.round(clock.now())

    def round(self, now: datetime) -> int:
        """Folds all that is new and signs a checkpoint over it. Without a key it only folds."""
        folded = 0
        while more := self._fold():
            folded += more
        try:
            self._sign(now)
        except (Forked, ValueError) as fault:
            logger.error("no checkpoint is signed: %s", fault)
        return folded

    def _fold(self) -> int:
        with database.reading(self._engine) as session:
            self._window, waiting = look(session, self._window)
        if not waiting:
            return 0
        with database.transaction(self._engine) as session:
            return fold(session, self._window.settled)

    def _sign(self, now: datetime) -> None:
        if not self._signers:
            return
        with database.reading(self._engine) as session:
            if not checkpoints.something_new(session):
                return
        with database.transaction(self._engine) as session:
            signed = sign(session, self._settings, self._signers, self._signed, now)
        self._signed = signed or self._signed


def look(session: Session, window: Window) -> tuple[Window, bool]:
    """The window after a look, and whether entries wait. Only reads."""
    writing = _writing(session)
    first: int | None = session.execute(_unfolded(window.settled).limit(1)).scalar_one_or_none()
    top = session.execute(select(func.max(ledger_entries.c.sequence))).scalar_one() or 0
    if window.seen and not writing & window.until and (first is None or first > window.seen):
        window = Window(settled=window.seen)
    if not window.seen:
        window = Window(window.settled, top, _writing(session))
    return window, first is not None


def fold(session: Session, settled: int) -> int:
    """Gives the next places in the log to entries that have none, up to 2,000; returns to how many.

    Nothing where another sequencer is at it.
    """
    if not _alone(session):
        return 0
    rows = session.execute(_unfolded(settled).add_columns(ledger_entries.c.body).limit(_BATCH)).all()
    start = tiles.StoredTree(session).size
    hashes = [log.leaf_hash(body.encode()) for _, body in rows]
    if rows:
        session.execute(
            insert(ledger_leaves),
            [
                {"log_index": start + at, "sequence": row.sequence, "leaf_hash": leaf}
                for at, (row, leaf) in enumerate(zip(rows, hashes, strict=True))
            ],
        )
        tiles.grow(session, start, hashes)
    return len(rows)


def sign(
    session: Session,
    settings: Settings,
    signers: tuple[Signer, ...],
    before: checkpoints.Signed | None,
    now: datetime,
) -> checkpoints.Signed | None:
    """Signs a checkpoint over the whole log, records keys that are new, and owes the day's mail.

    None where there is nothing new. Raises Forked where the log does not continue `before` (what this process signed
    last) or the last stored checkpoint: a log must never sign two histories.
    """
    if not _alone(session):
        return None
    last, tree = checkpoints.latest(session), tiles.StoredTree(session)
    size = tree.size
    for signed in filter(None, (before, last)):
        if size < signed.size or tree.root(signed.size) != signed.root:
            raise Forked(f"the log of {size} entries does not continue checkpoint {signed.number}")
    if not size or (last and last.size == size):
        return None
    _publish(session, signers, now)
    root = tree.root(size)
    note = checkpoint.write(settings.deployment, size, root, signers)
    number = last.number + 1 if last else 1
    made = checkpoints.Signed(number, size, root, note, now)
    checkpoints.store(session, made)
    if last is None or last.signed_at.date() < now.date():
        for at, _ in enumerate(settings.checkpoint_addresses):
            outbox.post(session, MAIL, f"{number}.{at}", now=now)
    return made


def _publish(session: Session, signers: tuple[Signer, ...], now: datetime) -> None:
    """Keys that sign for the first time are published, and an entry says since when."""
    known = checkpoints.verifiers(session)
    for verifier in (signer.verifier for signer in signers):
        if verifier not in known:
            session.execute(insert(ledger_keys), {"verifier": str(verifier), "first_at": now})
            entries.append(
                session,
                DEPLOYMENT,
                kind="ledger_key_added",
                at=now,
                actor=Actor(part="sequencer"),
                facts={"verifier": str(verifier)},
            )


def _unfolded(settled: int) -> Select[int]:
    leaf = ledger_leaves.c.sequence
    # The second condition follows from the others; it spares the database all leaves below the window.
    taken = exists(select(leaf).where(leaf == ledger_entries.c.sequence, leaf > settled))
    return (
        select(ledger_entries.c.sequence)
        .where(ledger_entries.c.sequence > settled, ~taken)
        .order_by(ledger_entries.c.sequence)
    )


def _alone(session: Session) -> bool:
    if session.get_bind().dialect.name == "sqlite":
        # Its transactions that write come one after the other anyway.
        return True
    return bool(session.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one())


def _writing(session: Session) -> frozenset[str]:
    """The transactions that insert entries just now. SQLite has one writer, so what is read is settled at once."""
    if session.get_bind().dialect.name == "sqlite":
        return frozenset()
    return frozenset(session.execute(_INSERTING).scalars())
