"""Opening: the one way by which words are read. Each opening is in the ledger, or it does not happen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.blobs import Blobs
from ledger import entries
from ledger.entries import Actor
from referrals import attachments, content, grants, moves, sealing, streams
from referrals.attachments import File
from referrals.content import Told
from referrals.grants import Keys
from referrals.sealing import PARTS, CannotOpen, Place
from referrals.tables import attachments as rows
from referrals.tables import sealed_parts


@dataclass(frozen=True)
class OpenedPart:
    """One part in clear, with the SHA-256 of the sealed document as 64 hexadecimal characters.

    `files` are listed only; each is opened by itself, with `open_file`.
    """

    part: str
    told: list[tuple[Told, str]]
    sha256: str
    files: tuple[File, ...] = ()

    @classmethod
    def of(cls, part: str, document: bytes) -> OpenedPart:
        """What a part's document says."""
        told, digest = content.told_in(document), hashlib.sha256(document).hexdigest()
        return cls(part, told, digest, attachments.files_in(document))


@dataclass(frozen=True)
class OpenedFile:
    """A file that may be read now. Its sealed bytes are what was stored: that was just looked at."""

    file: File
    position: int
    _deployment: str
    _blob: BufferedReader

    def pieces(self) -> Iterator[bytes]:
        """The bytes as they came, once, piece by piece. Raises CannotOpen."""
        with self._blob as blob:
            yield from streams.opened(self.file.key, attachments.bound(self._deployment, self.file.id), blob)


def open_content(
    session: Session,
    keys: Keys,
    referral_id: str,
    *,
    team_id: str,
    parts: Iterable[str],
    actor: Actor,
    now: datetime,
) -> list[OpenedPart]:
    """Opens those of the parts that the team was granted, and records who opened which.

    Parts that nobody filled in, or that were not disclosed to the team, are simply absent.
    """
    moves.lock(session, referral_id)
    wanted = grants.granted_parts(session, referral_id, team_id) & set(parts)
    found = session.execute(
        select(sealed_parts.c.part, sealed_parts.c.blob).where(
            sealed_parts.c.referral_id == referral_id, sealed_parts.c.part.in_(wanted)
        )
    ).all()
    opened = [_open(session, keys, referral_id, team_id, row.part, row.blob) for row in in_order(found)]
    entries.append(
        session,
        referral_id,
        kind="content_opened",
        at=now,
        actor=actor,
        facts={"parts": sorted(wanted)},
    )
    return opened


def in_order(parts: Iterable[Any]) -> list[Any]:
    """Rows with a `part`, in the order in which they are read: the words first, then the files."""
    return sorted(parts, key=lambda row: PARTS.index(row.part))


def open_file(
    session: Session,
    keys: Keys,
    blobs: Blobs,
    referral_id: str,
    position: int,
    *,
    team_id: str,
    form: str,
    actor: Actor,
    now: datetime,
) -> OpenedFile:
    """Opens one of the files by its place in their list, and records who opened it, and in which form: "original" or
    "picture". Raises CannotOpen where it was not disclosed, is not there, or is not what was stored."""
    moves.lock(session, referral_id)
    if attachments.PART not in grants.granted_parts(session, referral_id, team_id):
        raise CannotOpen("no grant of the files")
    key = grants.part_key(session, keys, referral_id, attachments.PART, team_id=team_id)
    return open_file_with(
        session, key, keys.deployment, blobs, referral_id, position, form=form, actor=actor, now=now
    )


def open_file_with(
    session: Session,
    part_key: bytes,
    deployment: str,
    blobs: Blobs,
    referral_id: str,
    position: int,
    *,
    form: str,
    actor: Actor,
    now: datetime,
    **facts: str,
) -> OpenedFile:
    """As `open_file`, by the key of the part."""
    row = session.execute(
        select(rows, sealed_parts.c.blob.label("list"))
        .join(sealed_parts, sealed_parts.c.referral_id == rows.c.referral_id)
        .where(rows.c.referral_id == referral_id, rows.c.position == position)
        .where(sealed_parts.c.part == attachments.PART)
    ).one_or_none()
    if row is None:
        raise CannotOpen("there is no such file")
    listed = attachments.files_in(
        sealing.unseal(part_key, Place(deployment, referral_id, attachments.PART), row.list)
    )
    blob = attachments.read_sound(blobs, row)
    entries.append(
        session,
        referral_id,
        kind="file_opened",
        at=now,
        actor=actor,
        facts={"file": row.id, "form": form, **facts},
    )
    return OpenedFile(next(file for file in listed if file.id == row.id), position, deployment, blob)


def _open(session: Session, keys: Keys, referral_id: str, team_id: str, part: str, blob: bytes) -> OpenedPart:
    key = grants.part_key(session, keys, referral_id, part, team_id=team_id)
    document = sealing.unseal(key, Place(keys.deployment, referral_id, part), blob)
    return OpenedPart.of(part, document)
