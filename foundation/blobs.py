"""Where large sealed things lie: in a folder, on the disk before anybody is told that they are kept. Knows no referral.

A name is `2026-11-24/<id>`: by day, so that whoever looks for what nobody needs looks at a few days only.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path

_NAME = re.compile(r"\d{4}-\d\d-\d\d/[0-9a-f]{32}")
_ID = re.compile(r"[0-9a-f]{32}")
# What is still being written; a crash leaves it behind under that name.
_UNFINISHED = ".part"


def blob_name(now: datetime, id: str) -> str:
    """The name of a blob that is begun now; `id` are 32 hexadecimal characters."""
    return f"{now.astimezone(UTC):%Y-%m-%d}/{id}"


class Writing:
    """A blob on its way to the disk: `write` it, then `keep` or `drop` it. Raises OSError where the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path, self._beside = path, path.with_suffix(_UNFINISHED)
        # The doors and the workers may be different users of one group: no right for anybody else.
        descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, piece: bytes) -> None:
        """Adds a piece."""
        self._file.write(piece)

    def keep(self) -> None:
        """Gives it its name. When this returns, a power cut does not lose it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._beside, self._path)
        for folder in (self._path.parent, self._path.parent.parent):
            _sync(folder)

    def drop(self) -> None:
        """Forgets what was written."""
        with suppress(OSError):
            # What could not be written is not wanted any more.
            self._file.close()
        self._beside.unlink(missing_ok=True)


class Blobs:
    """The blobs of one folder. `reserve` bytes of its disk are never filled: words go before files."""

    def __init__(self, folder: Path, reserve: int = 0) -> None:
        self._folder, self._reserve = folder, reserve

    def begin(self, name: str) -> Writing:
        """A new blob. Raises OSError (ENOSPC) where the disk has no room but the reserve."""
        path = self._path(name)
        for folder in (self._folder, path.parent):
            # With the group's bit new files belong to the folder's group, whichever process writes them.
            folder.mkdir(mode=0o2770, parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < self._reserve:
            raise OSError(errno.ENOSPC, "no room for files")
        return Writing(path)

    def read(self, name: str) -> BufferedReader:
        """A kept blob, to be closed by the caller. Raises FileNotFoundError."""
        return open(self._path(name), "rb")

    def size(self, name: str) -> int | None:
        """How many bytes are kept under that name; None where there is no such blob."""
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        """Removes a blob, for good when this returns; one that is not there is removed already."""
        path = self._path(name)
        with suppress(FileNotFoundError):
            path.unlink()
            _sync(path.parent)

    def of_day(self, day: datetime) -> Iterator[tuple[str, datetime]]:
        """The blobs of a day by name, with the time of their last change; unfinished ones too."""
        folder = self._folder / f"{day.astimezone(UTC):%Y-%m-%d}"
        for path in sorted(folder.glob("*")):
            if _ID.fullmatch(path.stem):
                with suppress(FileNotFoundError):
                    # Another process may just have given it its name.
                    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield f"{folder.name}/{path.stem}", changed

    def delete_unfinished(self, name: str) -> None:
        """Removes what a crash left of a blob that was being written."""
        self._path(name).with_suffix(_UNFINISHED).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("no name of a blob")
        return self._folder / name


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
