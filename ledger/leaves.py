"""The log's leaves with their entries, as an audit reads them: many at once, and quickly."""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping, Sequence
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, String, func, select, type_coerce
from sqlalchemy.orm import Session

from ledger.tables import ledger_entries, ledger_leaves
from ledger.verification import BEFORE_FIRST, Last

# What stands before the time in the canonical text, after the actor; its first occurrence is that one.
_BEFORE_AT = '},"at":"'


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


def leaves_from(session: Session, first: int, most: int) -> Sequence[Leaf]:
    """The leaves from place `first` on, in order; rows of the database with a leaf's columns and names."""
    entry, at = ledger_entries.c, _at_as_text(session.get_bind().dialect.name)
    query = (
        select(
            ledger_leaves.c.log_index.label("place"),
            ledger_leaves.c.leaf_hash.label("hash"),
            *(entry.stream, entry.position, entry.kind, at.label("at"), entry.body, entry.entry_hash),
        )
        .outerjoin(ledger_entries, entry.sequence == ledger_leaves.c.sequence)
        .where(ledger_leaves.c.log_index >= first, ledger_leaves.c.log_index < first + most)
        .order_by(ledger_leaves.c.log_index)
    )
    # All at once: a million rows that are asked for one by one take longer than their hashes.
    return cast("Sequence[Leaf]", session.execute(query).all())


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
        if not body.endswith(
            f'"kind":"{kind}","position":{position},"previous":"{previous}","stream":"{stream}","version":1}}'
        ) or not body.startswith(f'{at}","facts":{{', body.find(_BEFORE_AT) + len(_BEFORE_AT)):
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
