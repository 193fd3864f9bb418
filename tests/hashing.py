"""Password hashes that cost nothing: the cast signs in a thousand times, at 64 MiB and three passes each.

What a guess costs an attacker is the business of one test, which asks for REAL.
"""

from __future__ import annotations

from argon2 import PasswordHasher

from directory import sign_in

REAL = sign_in._hasher


def cheapen() -> None:
    """From here on this process hashes with the least that Argon2 allows, for members and for nobody."""
    sign_in._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    sign_in._NOBODY = sign_in._hasher.hash("nobody's password")
