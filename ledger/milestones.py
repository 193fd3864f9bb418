"""The checkpoints that a growing tree has to fit: those of the database in order, and those that somebody kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ledger import checkpoint, checkpoints
from ledger.checkpoint import BadNote, Checkpoint, Verifier
from ledger.verification import Broken

_BATCH = 5_000


class Milestones:
    """Those over more than `since` entries.

    `next` is the size at which one has to fit, 0 after the last; `signed` and `kept` count those that did. What does
    not fit is raised as Broken.
    """

    def __init__(
        self, session: Session, known: Sequence[Verifier], kept: Sequence[Checkpoint], since: int
    ) -> None:
        self._known = known
        self._roots = {each.size: each.root for each in kept}
        self._stored: Iterator[Row[Any]] = iter(
            session.execute(checkpoints.after(since).execution_options(yield_per=_BATCH))
        )
        self._row = next(self._stored, None)
        self._number = checkpoints.numbered_up_to(session, since)
        self.signed = self.kept = 0
        self.next = self._after(since)

    def compare(self, size: int, root: bytes) -> None:
        """The tree has come to `next`."""
        if self._row is not None and self._row.size == size:
            self._compare_stored(self._row, root)
        if size in self._roots:
            self._compare_kept(size, root)
        self.next = self._after(size)

    def compare_later(self, size: int) -> None:
        """The tree has ended: nothing in the database or outside speaks of more entries than there are."""
        if self._row is not None:
            raise Broken(
                f"checkpoint {self._row.number}: it covers {self._row.size} entries, and the log has {size}"
            )
        if self._roots and max(self._roots) > size:
            raise Broken(f"a kept checkpoint: it covers {max(self._roots)} entries, and the log has {size}")

    def _after(self, size: int) -> int:
        sizes = [kept for kept in self._roots if kept > size]
        return min(sizes + ([self._row.size] if self._row is not None else []), default=0)

    def _compare_stored(self, row: Row[Any], root: bytes) -> None:
        name = f"checkpoint {row.number}"
        if row.number != self._number + 1:
            raise Broken(f"checkpoint {self._number + 1}: it is missing")
        try:
            said = checkpoint.read(row.note, self._known)
        except BadNote as fault:
            raise Broken(f"{name}: {fault}") from None
        if (said.size, said.root) != (row.size, root) or row.root != root:
            raise Broken(f"{name}: the {row.size} entries of the log are not those that it was signed over")
        self.signed += 1
        self._number = row.number
        self._row = next(self._stored, None)

    def _compare_kept(self, size: int, root: bytes) -> None:
        if self._roots[size] != root:
            raise Broken(
                f"a kept checkpoint: the first {size} entries of the log are not those that it covers"
            )
        self.kept += 1
