"""The keyring: the private halves of the teams' keys. Only the desk and the workers are given it.

A file: the ring of seeds under a random key, and that key wrapped twice, under the passphrase (Argon2id) and under
the recovery copy, which is printed once and kept apart. Whoever loses one can still open with the other.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from foundation.settings import Settings
from referrals import sealing
from referrals.sealing import CannotOpen


class Keyring(Protocol):
    """What opens grants. Other keepers of keys (a KMS) only need these two."""

    def seed(self, key_id: str) -> bytes:
        """The 32-byte seed of a team's key. Raises CannotOpen where the ring lacks it."""
        ...

    def add(self, key_id: str, seed: bytes) -> None:
        """Keeps a new key, durably before it returns."""
        ...

    def destroy(self, key_id: str) -> None:
        """Forgets a key for good, durably before it returns; one that is not there is forgotten already."""
        ...


class NoKeyring(Exception):
    """The settings name no keyring, or it does not open; the sentence says which."""


def keyring_of(settings: Settings) -> FileKeyring:
    """The ring that the settings name, unlocked. Raises NoKeyring."""
    if not settings.keyring_file:
        raise NoKeyring("KEYRING_FILE is not set: this process needs the keyring.")
    try:
        return FileKeyring.unlock(Path(settings.keyring_file), settings.keyring_passphrase)
    except (OSError, CannotOpen) as fault:
        raise NoKeyring(f"The keyring does not open: {fault}.") from None


class HeldKeys:
    """A keyring in memory only: for tests."""

    def __init__(self, seeds: Mapping[str, bytes] | None = None) -> None:
        self._seeds = dict(seeds or {})

    def seed(self, key_id: str) -> bytes:
        """See Keyring."""
        if key_id not in self._seeds:
            raise CannotOpen("the keyring does not hold this key")
        return self._seeds[key_id]

    def add(self, key_id: str, seed: bytes) -> None:
        """See Keyring."""
        self._seeds[key_id] = seed

    def destroy(self, key_id: str) -> None:
        """See Keyring."""
        self._seeds.pop(key_id, None)

    def copy(self) -> HeldKeys:
        """A ring of the same keys, to which more can be added apart."""
        return HeldKeys(self._seeds)


class FileKeyring:
    """A keyring in a file, unlocked by a passphrase. Keys added by another process are seen at the next miss."""

    def __init__(self, path: Path, ring_key: bytes) -> None:
        self._path, self._ring_key = path, ring_key
        self._seeds = self._read()

    @classmethod
    def create(cls, path: Path, passphrase: str) -> tuple[FileKeyring, str]:
        """A new, empty ring and its recovery copy: 64 hexadecimal characters to print and lock away.

        Raises FileExistsError: a ring is never overwritten.
        """
        ring_key, recovery, salt = sealing.new_key(), sealing.new_key(), os.urandom(16)
        stored = {
            "version": 1,
            "salt": _text(salt),
            "by_passphrase": _text(sealing.wrap(sealing.stretch(passphrase, salt), ring_key, "passphrase")),
            "by_recovery": _text(sealing.wrap(recovery, ring_key, "recovery")),
            "ring": _text(sealing.wrap(ring_key, b"{}", "ring")),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            _write(file, stored)
        return cls(path, ring_key), recovery.hex()

    @classmethod
    def unlock(cls, path: Path, passphrase: str) -> FileKeyring:
        """The ring of a file. Raises CannotOpen for a wrong passphrase, OSError where there is no file."""
        stored = json.loads(path.read_text())
        key = sealing.stretch(passphrase, _bytes(stored["salt"]))
        return cls(path, sealing.unwrap(key, _bytes(stored["by_passphrase"]), "passphrase"))

    @classmethod
    def recover(cls, path: Path, recovery: str, new_passphrase: str) -> FileKeyring:
        """Opens the ring by its recovery copy and gives it a new passphrase. Raises CannotOpen."""
        salt = os.urandom(16)
        stretched = sealing.stretch(new_passphrase, salt)
        with _alone(path):
            stored = json.loads(path.read_text())
            ring_key = sealing.unwrap(_typed(recovery), _bytes(stored["by_recovery"]), "recovery")
            stored["salt"] = _text(salt)
            stored["by_passphrase"] = _text(sealing.wrap(stretched, ring_key, "passphrase"))
            _replace(path, stored)
        return cls(path, ring_key)

    def seed(self, key_id: str) -> bytes:
        """See Keyring."""
        if key_id not in self._seeds:
            self._seeds = self._read()
        if key_id not in self._seeds:
            raise CannotOpen("the keyring does not hold this key")
        return self._seeds[key_id]

    def add(self, key_id: str, seed: bytes) -> None:
        """See Keyring."""
        with _alone(self._path):
            self._keep(self._read() | {key_id: seed})

    def destroy(self, key_id: str) -> None:
        """See Keyring. What other copies of the file hold is not reached: see docs/operating.md."""
        with _alone(self._path):
            self._keep({id: seed for id, seed in self._read().items() if id != key_id})

    def _keep(self, seeds: dict[str, bytes]) -> None:
        ring = json.dumps({id: seed.hex() for id, seed in seeds.items()}).encode()
        stored = json.loads(self._path.read_text())
        stored["ring"] = _text(sealing.wrap(self._ring_key, ring, "ring"))
        _replace(self._path, stored)
        self._seeds = seeds

    def _read(self) -> dict[str, bytes]:
        stored = json.loads(self._path.read_text())
        ring = json.loads(sealing.unwrap(self._ring_key, _bytes(stored["ring"]), "ring"))
        return {id: bytes.fromhex(seed) for id, seed in ring.items()}


def _replace(path: Path, stored: dict[str, object]) -> None:
    """Writes beside and renames, flushed to disk: a crash leaves the old ring or the new one."""
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        _write(file, stored)
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # The new name, too, must outlive a power cut.
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process changes a ring at a time: of two that read, add and write, one key would be lost."""
    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(file: TextIO, stored: dict[str, object]) -> None:
    json.dump(stored, file)
    file.flush()
    os.fsync(file.fileno())


def _typed(recovery: str) -> bytes:
    try:
        return bytes.fromhex(recovery.strip())
    except ValueError:
        raise CannotOpen("a recovery copy is 64 hexadecimal characters") from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
