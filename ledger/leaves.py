"""The log's leaves with their entries, as an audit reads them: many at once, and quickly."""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, String, func, select, type_coerce
from sqlalchemy.orm import Session

from ledger.tables import ledger_entries, ledger_leaves
from ledger.verification import BEFORE_FIRST, Last


class Leaf(NamedTuple):
    """One place of the log and its entry. `at` is the text that the entry's body should have; what is of the entry is
    None where the entry is gone."""

    place: int
    hash: bytes
    stream: str
    position: int
    kind: str
    at: str
    body: str | None
    entry_hash: str


def leaves_from(session: Session, first: int, most: int) -> list[Leaf]:
    """The leaves from place `first` on, in order."""
    entry, at = ledger_entries.c, _at_as_text(session.get_bind().dialect.name)
    rows = session.execute(
        select(
            ledger_leaves.c.log_index,
            ledger_leaves.c.leaf_hash,
            *(entry.stream, entry.position, entry.kind, at, entry.body, entry.entry_hash),
        )
        .outerjoin(ledger_entries, entry.sequence == ledger_leaves.c.sequence)
        .where(ledger_leaves.c.log_index >= first, ledger_leaves.c.log_index < first + most)
        .order_by(ledger_leaves.c.log_index)
    )
    return [Leaf._make(row) for row in rows]


def sound(leaves: Sequence[Leaf], first: int, last: MutableMapping[str, Last]) -> int:
    """How many of the leaves are as they should be, up to the first that may not be.

    Each is at its place (counted from `first`), has its hashes, and follows `last` of its stream, which goes along. Its
    names and values stand in the canonical text where we write them: reading a million JSON objects to know the same
    would take most of the time.
    """
    sha256, count = hashlib.sha256, 0
    for place, leaf, stream, position, kind, at, body, entry_hash in leaves:
        before, previous = last.get(stream, BEFORE_FIRST)
        if body is None or place != first + count or position != before + 1:
            break
        raw = body.encode()
        if sha256(raw).hexdigest() != entry_hash or sha256(b"\x00" + raw).digest() != leaf:
            break
        end = (
            f'"kind":"{kind}","position":{position},"previous":"{previous}","stream":"{stream}","version":1}}'
        )
        if not body.endswith(end) or not body.partition('},"at":"')[2].startswith(f'{at}","facts":{{'):
            break
        last[stream] = position, entry_hash
        count += 1
    return count


def _at_as_text(dialect: str) -> ColumnElement[str]:
    """An entry's time as its body has it, made by the database."""
    at = ledger_entries.c.at
    if dialect == "sqlite":
        return func.replace(type_coerce(at, String), " ", "T") + "+00:00"
    return func.to_char(func.timezone("UTC", at), 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
