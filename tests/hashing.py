"""Passwords and passphrases that cost nothing: the cast signs in a thousand times, at 64 MiB and three passes each, and
each keyring takes a second to open.

What a guess costs an attacker is the business of two tests, which ask for REAL and for what a passphrase is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from directory import sign_in
from referrals import sealing

REAL = sign_in._hasher


def cheapen() -> None:
    """From here on this process hashes with the least that Argon2 allows: for members, for nobody, for keyrings."""
    sign_in._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    sign_in._NOBODY = sign_in._hasher.hash("nobody's password")
    sealing.Argon2id = _cheap  # type: ignore[attr-defined, assignment]


@contextmanager
def as_in_operation() -> Iterator[None]:
    """Keyrings at the real price: what is made here is opened by processes of their own."""
    before = sealing.Argon2id  # type: ignore[attr-defined]
    sealing.Argon2id = Argon2id  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sealing.Argon2id = before  # type: ignore[attr-defined]


def _cheap(*, salt: bytes, length: int, **_: Any) -> Argon2id:
    return Argon2id(salt=salt, length=length, iterations=1, lanes=1, memory_cost=8)
