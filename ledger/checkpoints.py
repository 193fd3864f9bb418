"""The checkpoints that were signed, the keys that signed them, and what of the ledger is in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, insert, select
from sqlalchemy.orm import Session

from ledger.checkpoint import Verifier
from ledger.tables import ledger_checkpoints, ledger_entries, ledger_keys, ledger_leaves


@dataclass(frozen=True)
class Signed:
    """A checkpoint as it is stored; `note` is what outsiders get."""

    number: int
    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True)
class Place:
    """Where an entry is in the log, and the first checkpoint over it; None where it is not there yet."""

    log_index: int | None
    number: int | None
    signed_at: datetime | None


def latest(session: Session) -> Signed | None:
    """The newest checkpoint, or None before the first."""
    newest = select(ledger_checkpoints).order_by(ledger_checkpoints.c.number.desc()).limit(1)
    return _signed(session.execute(newest).first())


def of_size(session: Session, size: int) -> Signed | None:
    """The checkpoint over the first `size` entries, or None where none was signed at that size."""
    return _signed(
        session.execute(select(ledger_checkpoints).where(ledger_checkpoints.c.size == size)).first()
    )


def numbered(session: Session, number: int) -> Signed | None:
    """The checkpoint of that number, or None."""
    wanted = select(ledger_checkpoints).where(ledger_checkpoints.c.number == number)
    return _signed(session.execute(wanted).first())


def store(session: Session, signed: Signed) -> None:
    """Keeps a checkpoint. Raises IntegrityError where there is one of that number or size."""
    session.execute(insert(ledger_checkpoints), vars(signed))


def verifiers(session: Session) -> list[Verifier]:
    """The public keys that ever signed here, the newest first, as the database says."""
    rows = session.execute(select(ledger_keys.c.verifier).order_by(ledger_keys.c.first_at.desc()))
    return [Verifier.read(text) for text in rows.scalars()]


def index_of(session: Session, leaf: str) -> int | None:
    """The place of a leaf by its hash in hexadecimal; None where the log has none such."""
    try:
        wanted = bytes.fromhex(leaf)
    except ValueError:
        return None
    found = select(ledger_leaves.c.log_index).where(ledger_leaves.c.leaf_hash == wanted)
    return session.execute(found).scalar_one_or_none()


def something_new(session: Session) -> bool:
    """Whether the log is longer than the last checkpoint says."""
    size = select(func.coalesce(func.max(ledger_checkpoints.c.size), 0)).scalar_subquery()
    return bool(session.execute(select(exists().where(ledger_leaves.c.log_index >= size))).scalar_one())


def waiting_since(session: Session) -> datetime | None:
    """When the oldest entry was written that no checkpoint covers; None where all are covered."""
    size = select(func.coalesce(func.max(ledger_checkpoints.c.size), 0)).scalar_subquery()
    last = select(ledger_leaves.c.sequence).where(ledger_leaves.c.log_index == size - 1).scalar_subquery()
    oldest: datetime | None = session.execute(
        select(ledger_entries.c.at)
        .where(ledger_entries.c.sequence > func.coalesce(last, 0))
        .order_by(ledger_entries.c.sequence)
        .limit(1)
    ).scalar_one_or_none()
    return oldest


def places(session: Session, stream: str) -> list[Place]:
    """The place of each entry of a stream, in order."""
    covering = (
        select(func.min(ledger_checkpoints.c.number))
        .where(ledger_checkpoints.c.size > ledger_leaves.c.log_index)
        .scalar_subquery()
    )
    found = (
        select(ledger_entries.c.position, ledger_leaves.c.log_index, covering.label("number"))
        .outerjoin(ledger_leaves, ledger_leaves.c.sequence == ledger_entries.c.sequence)
        .where(ledger_entries.c.stream == stream)
        .subquery()
    )
    rows = session.execute(
        select(found.c.log_index, found.c.number, ledger_checkpoints.c.signed_at)
        .outerjoin(ledger_checkpoints, ledger_checkpoints.c.number == found.c.number)
        .order_by(found.c.position)
    )
    return [Place(*row) for row in rows]


def numbered_up_to(session: Session, size: int) -> int:
    """The number of the last checkpoint over no more than `size` entries; 0 before the first."""
    last = select(func.max(ledger_checkpoints.c.number)).where(ledger_checkpoints.c.size <= size)
    return int(session.execute(last).scalar_one() or 0)


def after(size: int) -> Select[int, int, bytes, str, datetime]:
    """Every checkpoint over more than `size` entries, in order."""
    return (
        select(ledger_checkpoints)
        .where(ledger_checkpoints.c.size > size)
        .order_by(ledger_checkpoints.c.size, ledger_checkpoints.c.number)
    )


def _signed(row: Row[Any] | None) -> Signed | None:
    return Signed(row.number, row.size, bytes(row.root), row.note, row.signed_at) if row else None
