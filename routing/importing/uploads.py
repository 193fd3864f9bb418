"""Uploads: a file stays between the page that shows what it would change and the press that makes the draft."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select
from sqlalchemy.orm import Session

from foundation.identifiers import new_id
from routing.importing.reading import KINDS
from routing.importing.tables import uploads

# Larger files are for the command, beside which nobody waits.
LARGEST = 50 * 1024**2
_KEPT = timedelta(days=1)


def keep(
    session: Session,
    *,
    member_id: str,
    file_name: str,
    holds: str,
    mapping: str,
    content: bytes,
    now: datetime,
) -> str:
    """Keeps a file in place of the member's earlier one; returns its id. Whatever is a day old goes with it."""
    old = or_(uploads.c.member_id == member_id, uploads.c.sent_at < now - _KEPT)
    session.execute(delete(uploads).where(old))
    id = new_id()
    session.execute(
        insert(uploads).values(
            id=id,
            member_id=member_id,
            file_name=PurePath(file_name).name[-200:],
            holds=holds,
            mapping=mapping,
            content=content,
            sent_at=now,
        )
    )
    return id


def kept(session: Session, upload_id: str, member_id: str) -> Row[Any] | None:
    """The member's own upload of that id, or None."""
    mine = uploads.c.id == upload_id, uploads.c.member_id == member_id
    return session.execute(select(uploads).where(*mine)).one_or_none()


def drop(session: Session, upload_id: str) -> None:
    """Forgets a file: its draft is made."""
    session.execute(delete(uploads).where(uploads.c.id == upload_id))


@contextmanager
def as_file(upload: Row[Any]) -> Iterator[Path]:
    """The upload as a file of a name of ours; only its ending is the sender's, and only if it is a known one."""
    ending = PurePath(upload.file_name).suffix.lower()
    with tempfile.TemporaryDirectory(prefix="waypost-import-") as folder:
        path = Path(folder) / f"upload{ending if ending in KINDS else ''}"
        path.write_bytes(upload.content)
        yield path
