"""The audit of the whole ledger: every entry, every link, the tree, every checkpoint; the first fault is named.

It goes through the log in order and in batches. Each stream's last entry is remembered, some 300 bytes a stream; all
else takes constant memory. It can go on from where an earlier audit ended: that is what `doctor` does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, tuple_
from sqlalchemy.orm import Session

from ledger import checkpoint, checkpoints, log, tiles
from ledger.checkpoint import Verifier
from ledger.leaves import Leaf, leaves_from, sound
from ledger.milestones import Milestones
from ledger.tables import ledger_checks, ledger_entries, ledger_heads, ledger_leaves, ledger_tiles
from ledger.verification import BEFORE_FIRST, Broken, Last, end_fault, fault_of

# Twenty tiles of the tree.
_BATCH = 20 * tiles.TILE
_SOME = 400


@dataclass(frozen=True)
class Audited:
    """What was looked at, and the first fault (None: all is as it should be).

    `entries` of `streams` were read: the log's from `since` up to `size`, and the `waiting` that are not in it yet.
    `signed` checkpoints and `kept` ones fit the tree, whose root is `root`.
    """

    since: int
    size: int
    root: bytes
    entries: int
    waiting: int
    streams: int
    signed: int
    kept: int
    broken: str | None

    @property
    def intact(self) -> bool:
        """True where nothing is wrong."""
        return self.broken is None


def audit(
    session: Session, keys: Sequence[Verifier] = (), kept: Iterable[str] = (), since: int = 0
) -> Audited:
    """Checks the ledger; with `since`, what came after so many entries of the log. Call it in a steady transaction.

    `keys` are public keys from a trusted place. Without any, those that the database itself names are believed, and a
    thief of the database could have put in others. `kept` are checkpoints that somebody outside kept: the log must
    continue each of them, so with one all is checked. Raises BadNote where no known key signed one of those.
    """
    known = list(keys) or checkpoints.verifiers(session)
    covered = [checkpoint.read(note, known) for note in kept]
    since = 0 if covered else since
    run = _Run(session, known, covered, since)
    broken = None
    try:
        run.log_in_order()
        run.what_waits()
        run.ends()
    except Broken as fault:
        broken = str(fault)
    size, root = run.tree.size, run.tree.root()
    signed, kept_ones = run.milestones.signed, run.milestones.kept
    return Audited(since, size, root, run.entries, run.waiting, len(run.last), signed, kept_ones, broken)


def checked(session: Session) -> int:
    """How many entries of the log an earlier audit checked, if their root is still what it was then; else 0."""
    newest = session.execute(select(ledger_checks).order_by(ledger_checks.c.id.desc()).limit(1)).first()
    if newest is None:
        return 0
    try:
        unchanged = tiles.StoredTree(session).root(newest.size) == newest.root
    except ValueError:
        return 0
    return int(newest.size) if unchanged else 0


def remember(session: Session, audited: Audited, now: datetime) -> None:
    """Keeps how far the log is checked and sound."""
    if audited.intact and audited.size > audited.since:
        row = {"size": audited.size, "root": audited.root, "checked_at": now}
        session.execute(insert(ledger_checks), row)


class _Run:
    """One audit under way."""

    def __init__(
        self, session: Session, known: list[Verifier], kept: list[checkpoint.Checkpoint], since: int
    ) -> None:
        self._session, self._since = session, since
        self.tree = tiles.FillingTree(tiles.StoredTree(session), since)
        self.milestones = Milestones(session, known, kept, since)
        self.last: dict[str, Last] = {}
        self.entries = self.waiting = 0

    def log_in_order(self) -> None:
        """Every leaf with its entry, the tiles, and each checkpoint at the size at which it was signed."""
        for first in itertools.count(self._since, _BATCH):
            leaves = leaves_from(self._session, first, _BATCH)
            self._know_before((leaf.stream, leaf.position) for leaf in leaves)
            count = sound(leaves, first, self.last)
            self.entries += count
            self._grow([leaf.hash for leaf in leaves[:count]])
            if count < len(leaves):
                self._refuse_leaf(leaves[count])
            self._compare_tiles()
            if len(leaves) < _BATCH:
                break
        self._compare_upper_tiles()
        self.milestones.compare_later(self.tree.size)

    def what_waits(self) -> None:
        """Entries that the sequencer has not taken up yet."""
        leaf, sequence = ledger_leaves.c.sequence, ledger_entries.c.sequence
        taken = exists(select(leaf).where(leaf == sequence))
        waiting = select(ledger_entries).where(~taken).order_by(sequence)
        last = self._session.execute(select(func.max(leaf))).scalar_one() or 0
        if self._since:
            before = select(leaf).where(ledger_leaves.c.log_index == self._since - 1).scalar_subquery()
            waiting = waiting.where(sequence > func.coalesce(before, 0))
        elif self._entries_up_to(last) == self.tree.size:
            # Every leaf has its entry, so as many entries as leaves are all taken up: nobody looks for each.
            waiting = waiting.where(sequence > last)
        found = self._session.execute(waiting.execution_options(yield_per=_BATCH))
        for rows in found.partitions():
            self._know_before((row.stream, row.position) for row in rows)
            for row in rows:
                _refuse(fault_of(row, self.last.get(row.stream, BEFORE_FIRST)))
                self.last[row.stream] = row.position, row.entry_hash
                self.entries += 1
                self.waiting += 1

    def _entries_up_to(self, sequence: int) -> int:
        counted = select(func.count()).where(ledger_entries.c.sequence <= sequence)
        return int(self._session.execute(counted).scalar_one())

    def ends(self) -> None:
        """Each stream's last entry is the one that its head says."""
        unmet = set(self.last)
        for row in self._heads():
            unmet.discard(row.stream)
            head = row.position, row.entry_hash
            if head != self.last.get(row.stream):
                _refuse(end_fault(row.stream, head, self.last.get(row.stream, BEFORE_FIRST)))
        for stream in sorted(unmet)[:1]:
            _refuse(end_fault(stream, None, self.last[stream]))

    def _refuse_leaf(self, leaf: Leaf) -> None:
        """Says what is wrong with a leaf or its entry."""
        size = self.tree.size
        if leaf.place != size:
            raise Broken(f"place {size} of the log: nothing is there, and more comes after it")
        if leaf.body is None:
            raise Broken(f"place {size} of the log: its entry is gone")
        entry = select(ledger_entries).where(
            ledger_entries.c.stream == leaf.stream, ledger_entries.c.position == leaf.position
        )
        _refuse(fault_of(self._session.execute(entry).one(), self.last.get(leaf.stream, BEFORE_FIRST)))
        name = f"entry {leaf.position} of stream {leaf.stream}"
        if log.leaf_hash(leaf.body.encode()) != leaf.hash:
            raise Broken(f"{name}: it is not what place {size} of the log holds")
        raise Broken(f"{name}: it is not in canonical form")

    def _grow(self, hashes: list[bytes]) -> None:
        """Lets the tree grow, and stops where a checkpoint has to fit."""
        while hashes:
            stop = self.milestones.next
            until = stop - self.tree.size if stop else len(hashes)
            self.tree.add(hashes[:until])
            hashes = hashes[until:]
            if self.tree.size == stop:
                self.milestones.compare(self.tree.size, self.tree.root())

    def _know_before(self, entries: Iterable[tuple[str, int]]) -> None:
        """After an earlier audit: the entries before the first new ones of their streams were checked by it."""
        if not self._since:
            return
        firsts: dict[str, int] = {}
        for stream, position in entries:
            if stream is not None and stream not in self.last:
                firsts.setdefault(stream, position)
        wanted = [(stream, position - 1) for stream, position in firsts.items() if position > 1]
        columns = (ledger_entries.c.stream, ledger_entries.c.position)
        for start in range(0, len(wanted), _SOME):
            found = self._session.execute(
                select(*columns, ledger_entries.c.entry_hash).where(
                    tuple_(*columns).in_(wanted[start : start + _SOME])
                )
            )
            self.last |= {row.stream: (row.position, row.entry_hash) for row in found}

    def _compare_tiles(self) -> None:
        """The tiles that were filled just now are stored as they should be."""
        filled, tile = self.tree.take_filled(), ledger_tiles.c
        query = select(tile.position, tile.root, tile.hashes).where(
            tile.level == 0, tile.position.in_(filled)
        )
        found = {row.position: (row.hashes, row.root) for row in self._session.execute(query)}
        for position, expected in filled.items():
            if found.get(position) != expected:
                raise Broken(f"tile {position} of the log: it does not fit the leaves below it")

    def _compare_upper_tiles(self) -> None:
        for level in itertools.count(1):
            width = tiles.TILE ** (level + 1)
            count = self.tree.size // width
            if not count:
                return
            stored = tiles.StoredTree(self._session)
            for position in range(self._since // width, count):
                below = stored.below(level, position)
                if stored.tile(level, position) != (b"".join(below), log.root_of(below)):
                    raise Broken(
                        f"tile {position} of level {level} of the log: it does not fit those below it"
                    )

    def _heads(self) -> Iterable[Row[Any]]:
        """All heads; after an earlier audit those of the streams that went on since."""
        if not self._since:
            yield from self._session.execute(select(ledger_heads).execution_options(yield_per=_BATCH))
            return
        streams = sorted(self.last)
        for start in range(0, len(streams), _SOME):
            some = streams[start : start + _SOME]
            yield from self._session.execute(select(ledger_heads).where(ledger_heads.c.stream.in_(some)))


def _refuse(fault: str | None) -> None:
    if fault:
        raise Broken(fault)
