"""The log's tree as it is stored: runs of 256 hashes, so that proofs and appends touch a few rows however long it is.

A tile of level 0 holds the hashes of 256 leaves, one of level 1 the roots of 256 tiles below it, and so on. Only whole
tiles are stored; the open run at the right edge is read from the leaves, or from the roots of the level below.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ledger import log
from ledger.tables import ledger_leaves, ledger_tiles

TILE = 256
_HEIGHT = 8
_HASH = 32


class StoredTree:
    """The tree in the database, as one transaction sees it. Each tile is read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[tuple[int, int], list[bytes]] = {}

    @property
    def size(self) -> int:
        """How many leaves there are."""
        last = self._session.execute(select(func.max(ledger_leaves.c.log_index))).scalar_one()
        return 0 if last is None else int(last) + 1

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        return self.subtree(0, size) if size else log.EMPTY

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf `index` is among the first `size`."""
        return log.inclusion(index, size, self.subtree)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `new` leaves begin with the first `old`."""
        return log.consistency(old, new, self.subtree)

    def subtree(self, start: int, end: int) -> bytes:
        """The root over the leaves from `start` up to, without, `end`. Raises ValueError where some are missing."""
        width = end - start
        if width & (width - 1):
            half = log.middle(start, end)
            return log.node_hash(self.subtree(start, half), self.subtree(half, end))
        level, rest = divmod(width.bit_length() - 1, _HEIGHT)
        first = start >> level * _HEIGHT
        position, offset = divmod(first, TILE)
        hashes = self.run(level, position)[offset : offset + (1 << rest)]
        if len(hashes) != 1 << rest:
            raise ValueError(f"the log has no leaves up to {end}")
        return log.root_of(hashes)

    def run(self, level: int, position: int) -> list[bytes]:
        """The hashes of a tile; of an open one those that are there."""
        if (level, position) not in self._read:
            stored = self.tile(level, position)
            self._read[level, position] = _cut(stored[0]) if stored else self.below(level, position)
        return self._read[level, position]

    def tile(self, level: int, position: int) -> tuple[bytes, bytes] | None:
        """The hashes and the root of a stored tile; None where it is not whole yet."""
        tile = ledger_tiles.c
        row = self._session.execute(
            select(tile.hashes, tile.root).where(tile.level == level, tile.position == position)
        ).first()
        return (row.hashes, row.root) if row else None

    def below(self, level: int, position: int) -> list[bytes]:
        """What a tile is made of: hashes of leaves, or roots of the tiles below it; fewer while it is open."""
        first = position * TILE
        if level == 0:
            column, index = ledger_leaves.c.leaf_hash, ledger_leaves.c.log_index
            query = select(column)
        else:
            column, index = ledger_tiles.c.root, ledger_tiles.c.position
            query = select(column).where(ledger_tiles.c.level == level - 1)
        rows = self._session.execute(query.where(index >= first, index < first + TILE).order_by(index))
        return list(rows.scalars())


class FillingTree:
    """The tree as it grows from `size` leaves on, and the tiles that it fills: what should be stored."""

    def __init__(self, stored: StoredTree, size: int) -> None:
        whole, rest = divmod(size, TILE)
        self._tiles = log.Growing(whole, lambda start, end: stored.subtree(start * TILE, end * TILE))
        self._open = stored.run(0, whole)[:rest]
        self._filled: dict[int, tuple[bytes, bytes]] = {}

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._tiles.size * TILE + len(self._open)

    def add(self, leaves: Sequence[bytes]) -> None:
        """More leaves, by their hashes."""
        self._open = [*self._open, *leaves]
        while len(self._open) >= TILE:
            tile, self._open = self._open[:TILE], self._open[TILE:]
            root = log.root_of(tile)
            self._filled[self._tiles.size] = b"".join(tile), root
            self._tiles.add(root)

    def root(self) -> bytes:
        """The root over all leaves."""
        return self._tiles.root(log.root_of(self._open) if self._open else None)

    def take_filled(self) -> dict[int, tuple[bytes, bytes]]:
        """Hashes and root of each tile that was filled since the last call, by its position."""
        filled, self._filled = self._filled, {}
        return filled


def grow(session: Session, start: int, hashes: list[bytes]) -> None:
    """Stores every tile that these new leaves complete; `start` is the index of the first of them."""
    level = 0
    while hashes:
        position, before = divmod(start, TILE)
        row = [*StoredTree(session).run(level, position)[:before], *hashes] if before else hashes
        full = [row[at : at + TILE] for at in range(0, len(row) - TILE + 1, TILE)]
        roots = [log.root_of(tile) for tile in full]
        if full:
            session.execute(
                insert(ledger_tiles),
                [
                    {"level": level, "position": position + at, "root": root, "hashes": b"".join(tile)}
                    for at, (tile, root) in enumerate(zip(full, roots, strict=True))
                ],
            )
        level, start, hashes = level + 1, position, roots


def _cut(stored: bytes) -> list[bytes]:
    return [stored[at : at + _HASH] for at in range(0, len(stored), _HASH)]
