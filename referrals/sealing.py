"""Sealing: words become bytes that only the right team's key opens. The one module that imports cryptography.

A referral has one random 32-byte key. Each part of its content (`PARTS`) is AES-256-GCM under a key of its own,
derived by HKDF. A *grant* is a part's key, or the referral's key for all of them, sealed by HPKE (RFC 9180) to a
team's public key. HPKE's `info` and GCM's additional data bind deployment, referral, part and key, so that no blob
can stand in another's place. Every blob begins with version, suite and key id: a changed suite is a re-wrap of
grants, never a re-encryption of words.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# `need` is what a supporter is asked for. Records of a school or of care have keys of their own: the law binds who
# may pass them on, and on which ground.
PARTS = ("narrative", "subject", "reporter", "attachments", "notes", "need", "education", "health")
# A grant of this part carries the referral's key, from which all parts' keys follow.
ALL = "all"
KEY_BYTES = 32
_VERSION = 1
_AES_256_GCM, _STREAM = 0x10, 0x11
_NONCE_BYTES, _KEY_ID_BYTES = 12, 16
HEADER = 2 + _KEY_ID_BYTES


class CannotOpen(Exception):
    """The bytes were not sealed for this key, referral and part, or were changed."""


@dataclass(frozen=True)
class Suite:
    """A way to seal keys to teams: how a 32-byte seed becomes key pairs, and HPKE's algorithms."""

    number: int
    hpke: Any
    private_key: Callable[[bytes], Any]
    public_bytes: Callable[[bytes], bytes]
    public_key: Callable[[bytes], Any]


def _xwing_halves(seed: bytes) -> tuple[Any, Any]:
    # X-Wing: SHAKE256 of the seed gives both halves (draft-connolly-cfrg-xwing-kem).
    both = hashlib.shake_256(seed).digest(96)
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(both[:64]), x25519.X25519PrivateKey.from_private_bytes(
        both[64:]
    )


def _xwing_private(seed: bytes) -> Any:
    return hpke.MLKEM768X25519PrivateKey(*_xwing_halves(seed))


def _xwing_public_bytes(seed: bytes) -> bytes:
    lattice, curve = _xwing_halves(seed)
    return bytes(lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())


@lru_cache(maxsize=1000)
def _xwing_public(raw: bytes) -> Any:
    return hpke.MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(raw[:1184]),
        x25519.X25519PublicKey.from_public_bytes(raw[1184:]),
    )


# The order of the group of P-256 (FIPS 186-5); a scalar must lie below it.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _p256_private(seed: bytes) -> ec.EllipticCurvePrivateKey:
    # 64 bytes reduced modulo the order leave no bias worth naming.
    scalar = int.from_bytes(_derive(seed, b"p256 scalar", 64)) % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def _p256_public_bytes(seed: bytes) -> bytes:
    point = serialization.PublicFormat.UncompressedPoint
    return _p256_private(seed).public_key().public_bytes(serialization.Encoding.X962, point)


@lru_cache(maxsize=1000)
def _p256_public(raw: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


SUITES: dict[str, Suite] = {
    # ML-KEM-768 with X25519: what is recorded now stays closed to a later quantum computer.
    "xwing": Suite(
        1,
        hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
        _xwing_private,
        _xwing_public_bytes,
        _xwing_public,
    ),
    # For sites that must stay within FIPS-approved algorithms.
    "p256": Suite(
        2,
        hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
        _p256_private,
        _p256_public_bytes,
        _p256_public,
    ),
}
_SUITE_OF_NUMBER = {suite.number: suite for suite in SUITES.values()}


@dataclass(frozen=True)
class Recipient:
    """A team's public key, ready to seal to. `key_id` is 32 hexadecimal characters."""

    team_id: str
    key_id: str
    suite: str
    public_key: bytes


@dataclass(frozen=True)
class Place:
    """Where a blob belongs: bound into it, so that it opens nowhere else."""

    deployment: str
    referral_id: str
    part: str

    def bound(self, purpose: str, *more: str) -> bytes:
        """Length-prefixed, so that no two places give the same bytes."""
        pieces = [piece.encode() for piece in (self.deployment, self.referral_id, self.part, purpose, *more)]
        return b"".join(len(piece).to_bytes(2) + piece for piece in pieces)


def new_key() -> bytes:
    """32 random bytes: a referral's key, or a team's seed."""
    return os.urandom(KEY_BYTES)


def part_key(referral_key: bytes, part: str) -> bytes:
    """The key of one part of a referral."""
    return _derive(referral_key, b"part " + part.encode(), KEY_BYTES)


def public_half(suite: str, seed: bytes) -> bytes:
    """The public key that belongs to a team's seed."""
    return SUITES[suite].public_bytes(seed)


def seal(key: bytes, place: Place, words: bytes, *, purpose: str = "content") -> bytes:
    """The words under a part's key: header, nonce, AES-256-GCM."""
    nonce = os.urandom(_NONCE_BYTES)
    header = bytes((_VERSION, _AES_256_GCM)) + _derive(key, b"key id", _KEY_ID_BYTES)
    return header + nonce + AESGCM(key).encrypt(nonce, words, header + place.bound(purpose))


def unseal(key: bytes, place: Place, blob: bytes, *, purpose: str = "content") -> bytes:
    """The inverse of `seal`. Raises CannotOpen."""
    header, nonce, sealed = (
        blob[:HEADER],
        blob[HEADER : HEADER + _NONCE_BYTES],
        blob[HEADER + _NONCE_BYTES :],
    )
    if header[:2] != bytes((_VERSION, _AES_256_GCM)):
        raise CannotOpen("unknown version of sealed content")
    try:
        return AESGCM(key).decrypt(nonce, sealed, header + place.bound(purpose))
    except (InvalidTag, ValueError):
        # ValueError: too short to hold a nonce.
        raise CannotOpen("sealed content does not open with this key at this place") from None


def stream_header(key: bytes) -> bytes:
    """What a sealed file begins with: version, suite and key id (see `referrals.streams`)."""
    return bytes((_VERSION, _STREAM)) + _derive(key, b"key id", _KEY_ID_BYTES)


def seal_chunk(key: bytes, nonce: bytes, chunk: bytes, bound: bytes) -> bytes:
    """One chunk of a file. A nonce of 12 bytes serves once for a key."""
    return AESGCM(key).encrypt(nonce, chunk, bound)


def unseal_chunk(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The inverse of `seal_chunk`. Raises CannotOpen."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, bound)
    except (InvalidTag, ValueError):
        # ValueError: a nonce or a chunk that was cut.
        raise CannotOpen("a sealed file was changed, cut or put elsewhere") from None


def grant(key: bytes, place: Place, to: Recipient) -> bytes:
    """A part's key (or the referral's) sealed to a team."""
    suite = SUITES[to.suite]
    header = bytes((_VERSION, suite.number)) + bytes.fromhex(to.key_id)
    sealed = suite.hpke.encrypt(key, suite.public_key(to.public_key), info=place.bound("grant", to.key_id))
    return bytes(header + sealed)


def open_grant(seed: bytes, place: Place, blob: bytes) -> bytes:
    """The key inside a grant, by the seed of the team's key that it names. Raises CannotOpen."""
    known = len(blob) > HEADER and blob[0] == _VERSION
    suite = _SUITE_OF_NUMBER.get(blob[1]) if known else None
    if suite is None:
        raise CannotOpen("unknown version of a grant")
    key_id = blob[2:HEADER].hex()
    try:
        return bytes(
            suite.hpke.decrypt(blob[HEADER:], suite.private_key(seed), info=place.bound("grant", key_id))
        )
    except (InvalidTag, ValueError):
        raise CannotOpen("this grant is for another key or another place") from None


def reporter_public_key(receipt: bytes) -> bytes:
    """The public X25519 key, to which a team can write back, that a receipt's secret gives."""
    private = x25519.X25519PrivateKey.from_private_bytes(_derive(receipt, b"reporter mailbox", KEY_BYTES))
    return private.public_key().public_bytes_raw()


def wrap(key: bytes, secret: bytes, label: str) -> bytes:
    """A secret under a key, for the keyring's file."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, label.encode())


def unwrap(key: bytes, wrapped: bytes, label: str) -> bytes:
    """The inverse of `wrap`. Raises CannotOpen."""
    try:
        return AESGCM(key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], label.encode())
    except (InvalidTag, ValueError):
        # ValueError: a copy that was not typed whole.
        raise CannotOpen("wrong passphrase or recovery copy") from None


def stretch(passphrase: str, salt: bytes) -> bytes:
    """A key from a passphrase: Argon2id, 256 MiB, three passes; about a second, once at each start."""
    return Argon2id(salt=salt, length=KEY_BYTES, iterations=3, lanes=4, memory_cost=256 * 1024).derive(
        passphrase.encode()
    )


def derive(secret: bytes, label: str) -> bytes:
    """32 bytes from a strong secret for one purpose (HKDF-SHA-256)."""
    return _derive(secret, label.encode(), KEY_BYTES)


def _derive(secret: bytes, label: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=b"waypost " + label).derive(secret)
