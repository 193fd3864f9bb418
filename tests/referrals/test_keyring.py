"""The keyring: opened by its passphrase or its recovery copy, and no key is lost."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from referrals import sealing
from referrals.keyring import FileKeyring
from referrals.sealing import CannotOpen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ring.json"


def test_a_guess_at_a_passphrase_costs_three_passes_over_256_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(sealing, "Argon2id", lambda **given: asked.update(given) or Mock())
    sealing.stretch("passphrase", b"salt" * 4)
    assert asked == {
        "salt": b"salt" * 4, "length": 32, "iterations": 3, "lanes": 4, "memory_cost": 256 * 1024
    }  # fmt: skip


def test_a_key_outlives_its_process(path: Path) -> None:
    ring, _ = FileKeyring.create(path, "passphrase")
    ring.add("k1", b"1" * 32)
    assert FileKeyring.unlock(path, "passphrase").seed("k1") == b"1" * 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert (b"1" * 32).hex() not in path.read_text()


def test_a_key_of_another_process_is_seen_at_the_next_miss(path: Path) -> None:
    first, _ = FileKeyring.create(path, "passphrase")
    second = FileKeyring.unlock(path, "passphrase")
    first.add("k1", b"1" * 32)
    assert second.seed("k1") == b"1" * 32


def test_two_who_add_at_once_lose_no_key(path: Path) -> None:
    FileKeyring.create(path, "passphrase")

    def add(number: int) -> None:
        ring = FileKeyring.unlock(path, "passphrase")
        for round in range(5):
            ring.add(f"{number}-{round}", b"1" * 32)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring = FileKeyring.unlock(path, "passphrase")
    assert all(ring.seed(f"{number}-{round}") for number in range(4) for round in range(5))


def test_a_ring_is_never_overwritten(path: Path) -> None:
    FileKeyring.create(path, "passphrase")
    with pytest.raises(FileExistsError):
        FileKeyring.create(path, "passphrase")


def test_the_recovery_copy_gives_a_new_passphrase_and_ends_the_old(path: Path) -> None:
    ring, recovery = FileKeyring.create(path, "passphrase")
    ring.add("k1", b"1" * 32)
    assert FileKeyring.recover(path, f" {recovery}\n", "another").seed("k1") == b"1" * 32
    with pytest.raises(CannotOpen):
        FileKeyring.unlock(path, "passphrase")
    assert FileKeyring.recover(path, recovery, "a third").seed("k1") == b"1" * 32


@pytest.mark.parametrize("recovery", ["", "ab", "not hexadecimal", "00" * 32, "00" * 31])
def test_a_wrong_recovery_copy_changes_nothing(path: Path, recovery: str) -> None:
    FileKeyring.create(path, "passphrase")
    before = path.read_text()
    with pytest.raises(CannotOpen):
        FileKeyring.recover(path, recovery, "another")
    assert path.read_text() == before


def test_a_key_that_the_ring_lacks_does_not_open(path: Path) -> None:
    ring, _ = FileKeyring.create(path, "passphrase")
    with pytest.raises(CannotOpen):
        ring.seed("k1")
