"""Attachments: files that came along, sealed while they arrive and kept byte for byte.

Each file has a random key of its own. Names, sizes, fingerprints and those keys are the document of the part
`attachments`: whoever is granted the part opens the files, and the record's commitment in the ledger binds them. The
sealed bytes lie apart, in `foundation.blobs`. A door takes each file in with `receive` (or writes into `Incoming`),
gives them to `filing.seal`, and `filing.file_referral` adds their rows. What was not filed after all is dropped with
`discard`; what a crash left is swept (`referrals.shelf`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert
from sqlalchemy.orm import Session

from foundation.blobs import Blobs, Writing, blob_name
from foundation.identifiers import new_id
from foundation.settings import Settings
from referrals import sealing
from referrals.kinds import ENOUGH, TextLook, kind_of
from referrals.sealing import CannotOpen, Place
from referrals.streams import Sealer
from referrals.tables import attachments

PART = "attachments"
_VERSION = 1
# Longer names are cut; what is left is shown as text only.
_LONGEST_NAME = 200


class Fault(StrEnum):
    """Why a file was not taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNKNOWN_KIND = "unknown_kind"
    # The disk is full, or does not answer: it is not the file's fault.
    NO_ROOM = "no_room"


class Refused(Exception):
    """A file was not taken; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True)
class File:
    """A file that was taken: `id` is the blob's, `name` as it was sent, `kind` of `referrals.kinds.KINDS`, `size` and
    `sha256` (64 hexadecimal characters) of the bytes as they came, `key` opens them."""

    id: str
    name: str
    kind: str
    size: int
    sha256: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Kept(File):
    """A file whose sealed bytes lie in the blobs under `blob`, and what they must be."""

    blob: str
    sealed_size: int
    sealed_sha256: str


def blobs_of(settings: Settings) -> Blobs:
    """Where the settings say that sealed files lie."""
    return Blobs(Path(settings.attachments_folder), settings.attachments_reserve_bytes)


class Incoming:
    """A file that arrives: sealed while it streams, never on the disk in clear.

    After a fault the rest is swallowed, so that what stands beside the file in a form is still read. `most` is the
    largest size taken, in bytes.
    """

    def __init__(self, blobs: Blobs, deployment: str, name: str, most: int, now: datetime) -> None:
        self.name, self.size, self.fault = _short(name), 0, None if most else Fault.TOO_LARGE
        self.kept: Kept | None = None
        self._blobs, self._deployment, self._most, self._now = blobs, deployment, most, now
        self._beginning, self._digest = b"", hashlib.sha256()
        self._storing: _Storing | None = None
        self._kind, self._text = "", TextLook()

    def write(self, piece: bytes) -> int:
        """Takes the next piece."""
        self.size += len(piece)
        if self.size > self._most:
            self._refuse(Fault.TOO_LARGE)
        if self.fault is None:
            self._digest.update(piece)
            self._take(piece)
        return len(piece)

    def finish(self) -> Kept | None:
        """The file, on the disk for good; None where it has a fault."""
        if self.fault is None:
            self._take(b"", last=True)
        if self.fault is None and self._storing:
            try:
                self.kept = self._storing.keep(self)
            except OSError:
                self._refuse(Fault.NO_ROOM)
        return self.kept

    def drop(self) -> None:
        """Forgets it, whether it was kept by now or is still on its way."""
        if self._storing:
            self._storing.drop()
        if self.kept:
            self._blobs.delete(self.kept.blob)

    def as_file(self) -> File:
        """What is known of it after its last byte."""
        assert self._storing is not None
        return File(
            self._storing.id, self.name, self._kind, self.size, self._digest.hexdigest(), self._storing.key
        )

    def _take(self, piece: bytes, *, last: bool = False) -> None:
        if not self._kind:
            self._beginning += piece
            if len(self._beginning) < ENOUGH and not last:
                return
            piece, self._beginning = self._beginning, b""
            self._begin(piece)
        if self._kind == "text" and not self._text.is_text(piece, last=last):
            self._refuse(Fault.UNKNOWN_KIND)
        self._store(piece)

    def _begin(self, beginning: bytes) -> None:
        self._kind = kind_of(beginning) or "text"
        if not beginning:
            self._refuse(Fault.EMPTY)
            return
        try:
            self._storing = _Storing(self._blobs, self._deployment, self._now)
        except OSError:
            self._refuse(Fault.NO_ROOM)

    def _store(self, piece: bytes) -> None:
        if self._storing and self.fault is None:
            try:
                self._storing.write(piece)
            except OSError:
                self._refuse(Fault.NO_ROOM)

    def _refuse(self, fault: Fault) -> None:
        self.fault = self.fault or fault
        if self._storing:
            self._storing.drop()


class _Storing:
    """Sealing and storing at once, with the fingerprint of what is stored. Raises OSError."""

    def __init__(self, blobs: Blobs, deployment: str, now: datetime) -> None:
        self.id, self.key = new_id(), sealing.new_key()
        self._name, self._size, self._digest = blob_name(now, self.id), 0, hashlib.sha256()
        self._writing: Writing | None = blobs.begin(self._name)
        try:
            self._sealer = Sealer(self.key, bound(deployment, self.id), self._put)
        except OSError:
            self.drop()
            raise
        self.write = self._sealer.write

    def keep(self, incoming: Incoming) -> Kept:
        self._sealer.finish()
        assert self._writing is not None
        self._writing.keep()
        self._writing = None
        return Kept(
            **vars(incoming.as_file()),
            blob=self._name,
            sealed_size=self._size,
            sealed_sha256=self._digest.hexdigest(),
        )

    def drop(self) -> None:
        if self._writing:
            self._writing.drop()
            self._writing = None

    def _put(self, sealed: bytes) -> None:
        assert self._writing is not None
        self._size += len(sealed)
        self._digest.update(sealed)
        self._writing.write(sealed)


def receive(
    blobs: Blobs, name: str, content: Iterable[bytes], *, deployment: str, most: int, now: datetime
) -> Kept:
    """Takes in a whole file, sealed and stored; the caller files it or discards it. Raises Refused."""
    incoming = Incoming(blobs, deployment, name, most, now)
    for piece in content:
        incoming.write(piece)
    kept = incoming.finish()
    if kept is None:
        raise Refused(incoming.fault or Fault.EMPTY)
    return kept


def discard(blobs: Blobs, files: Iterable[Kept]) -> None:
    """Removes what was received and is not filed after all."""
    for file in files:
        blobs.delete(file.blob)


def fingerprint(files: Sequence[File]) -> str:
    """What names these files in a submission: the same form with other files is another record. "" for none."""
    return "".join(file.sha256 for file in files)


def add(session: Session, referral_id: str, files: Sequence[Kept], now: datetime) -> None:
    """The rows of a new referral's files; in the transaction that files it, and without a statement where there are
    none. `filing.file_referral` calls it."""
    rows = [
        {
            "id": file.id,
            "referral_id": referral_id,
            "position": position,
            "blob": file.blob,
            "sealed_size": file.sealed_size,
            "sealed_sha256": file.sealed_sha256,
            "added_at": now,
        }
        for position, file in enumerate(files, start=1)
    ]
    if rows:
        session.execute(insert(attachments), rows)


def read_sound(blobs: Blobs, row: Row[Any]) -> BufferedReader:
    """The sealed bytes of a row, from their beginning, after a look at all of them. Raises CannotOpen where they are
    missing or are not those that were stored."""
    try:
        blob = blobs.read(row.blob)
    except FileNotFoundError:
        raise CannotOpen("the sealed bytes of a file are missing") from None
    if hashlib.file_digest(blob, "sha256").hexdigest() != row.sealed_sha256:
        blob.close()
        raise CannotOpen("the sealed bytes of a file are not those that were stored")
    blob.seek(0)
    return blob


def document(files: Sequence[File]) -> bytes:
    """What is sealed as the part `attachments`: the files with their keys, in the order in which they came."""
    listed = [
        {"id": file.id, "name": file.name, "kind": file.kind, "size": file.size, "sha256": file.sha256}
        | {"key": file.key.hex()}
        for file in files
    ]
    return json.dumps({"version": _VERSION, "told": {}, "files": listed}, ensure_ascii=False).encode()


def files_in(opened: bytes) -> tuple[File, ...]:
    """The files that an opened part lists; none for a part of words."""
    listed: list[dict[str, Any]] = json.loads(opened).get("files", [])
    return tuple(File(**each | {"key": bytes.fromhex(each["key"])}) for each in listed)


def bound(deployment: str, file_id: str) -> bytes:
    """What a file's sealed bytes are bound to: they open as no other file, and in no other deployment."""
    return Place(deployment, file_id, PART).bound("file")


def _short(name: str) -> str:
    # What no text can hold is replaced; the rest stays as it was sent, and pages show it as text only.
    readable = name.encode("utf-8", "replace").decode()
    return readable if len(readable) <= _LONGEST_NAME else readable[: _LONGEST_NAME - 1] + "…"
