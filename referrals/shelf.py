"""The shelf: keeping the sealed bytes of files in step with their rows. Nothing here opens anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from foundation import clock, database
from foundation.blobs import Blobs
from referrals import attachments as files
from referrals.duty import Duty
from referrals.sealing import CannotOpen
from referrals.tables import attachments, referrals

# What a form brings is filed within seconds of its last byte. Longer, so that no commit on its way is overtaken.
ORPHAN_AFTER = timedelta(hours=2)
# The clock removes what was erased within a minute.
LEFT_AFTER = timedelta(hours=1)
# A crash is swept up within hours; a clock that stood still over a weekend still finds it.
_DAYS_BACK = 5
_BATCH = 500
# How much is read through at each visit of the doctor, the longest unseen first: all of it, in time.
_BYTES_A_VISIT, _FILES_A_VISIT = 200_000_000, 200


@dataclass(frozen=True)
class Look:
    """What the doctor found: a sentence for each fault, and the ids of the files that were read and are sound."""

    faults: list[str]
    read: list[str]


def keep_shelf(duty: Duty) -> int:
    """One round of the clock: removes what was erased, and what was received and never filed; returns how many."""
    blobs, now = files.blobs_of(duty.settings), clock.now()
    return _remove_erased(duty, blobs) + _remove_orphans(duty, blobs, now)


def look(session: Session, blobs: Blobs, now: datetime) -> Look:
    """Compares all rows with what lies there, and reads through those that were read longest ago. Read-only: commit
    what was read with `remember`."""
    altered, read = _read_through(session, blobs)
    return Look([*_missing(session, blobs), *altered, *_left_behind(session, now)], read)


def remember(session: Session, looked: Look, now: datetime) -> None:
    """So that the next visit reads others."""
    if looked.read:
        session.execute(update(attachments).where(attachments.c.id.in_(looked.read)).values(checked_at=now))


def _remove_erased(duty: Duty, blobs: Blobs) -> int:
    with database.reading(duty.engine) as session:
        erased = session.execute(
            select(attachments.c.id, attachments.c.blob)
            .where(attachments.c.erased_at.is_not(None))
            .order_by(attachments.c.erased_at)
            .limit(_BATCH)
        ).all()
    for row in erased:
        # The bytes first: a row that is left behind is met again, bytes without a row would not be.
        blobs.delete(row.blob)
    if erased:
        with database.transaction(duty.engine) as session:
            session.execute(delete(attachments).where(attachments.c.id.in_([row.id for row in erased])))
    return len(erased)


def _remove_orphans(duty: Duty, blobs: Blobs, now: datetime) -> int:
    old = [
        name
        for back in range(_DAYS_BACK)
        for name, changed in blobs.of_day(now - timedelta(days=back))
        if changed < now - ORPHAN_AFTER
    ]
    removed = 0
    for start in range(0, len(old), _BATCH):
        names = old[start : start + _BATCH]
        with database.reading(duty.engine) as session:
            known = select(attachments.c.blob).where(attachments.c.blob.in_(names))
            filed = set(session.execute(known).scalars())
        for name in names:
            # What is being written has no name of its own yet, and after so long never gets one.
            blobs.delete_unfinished(name)
            if name not in filed:
                blobs.delete(name)
                removed += 1
    return removed


def _missing(session: Session, blobs: Blobs) -> Iterator[str]:
    last = ""
    while page := session.execute(
        select(attachments.c.id, attachments.c.blob, attachments.c.sealed_size, referrals.c.reference)
        .join(referrals, referrals.c.id == attachments.c.referral_id)
        .where(attachments.c.erased_at.is_(None), attachments.c.id > last)
        .order_by(attachments.c.id)
        .limit(_BATCH)
    ).all():
        for row in page:
            if (size := blobs.size(row.blob)) != row.sealed_size:
                yield f"{row.reference}: a file of it is {'missing' if size is None else 'cut'}"
        last = page[-1].id


def _read_through(session: Session, blobs: Blobs) -> tuple[list[str], list[str]]:
    """Sentences for what was altered, and the ids of what was found sound. What is not is met at each visit again."""
    unseen = session.execute(
        select(attachments, referrals.c.reference)
        .join(referrals, referrals.c.id == attachments.c.referral_id)
        .where(attachments.c.erased_at.is_(None))
        .order_by(attachments.c.checked_at.is_not(None), attachments.c.checked_at, attachments.c.id)
        .limit(_FILES_A_VISIT)
    ).all()
    altered, sound, size = list[str](), list[str](), 0
    for row in unseen:
        if size >= _BYTES_A_VISIT:
            break
        size += row.sealed_size
        try:
            files.read_sound(blobs, row).close()
            sound.append(row.id)
        except CannotOpen:
            if blobs.size(row.blob) == row.sealed_size:
                altered.append(f"{row.reference}: a file of it was altered where it lies")
    return altered, sound


def _left_behind(session: Session, now: datetime) -> list[str]:
    left = session.execute(
        select(referrals.c.reference)
        .join(attachments, attachments.c.referral_id == referrals.c.id)
        .where(attachments.c.erased_at < now - LEFT_AFTER)
        .distinct()
        .order_by(referrals.c.reference)
    ).scalars()
    return [f"{reference}: it is erased, and a file of it still lies there" for reference in left]
