"""Signed checkpoints: the log's size and root as a C2SP signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

The only file of the ledger that knows a cipher: Ed25519. Keys are written as Go's `note` package writes them, so that
tools of transparency logs read them: `PRIVATE+KEY+name+id+…` and, public, `name+id+…`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# The type of an Ed25519 signature in key ids and encoded keys.
_ED25519 = b"\x01"
_KEY_NAME = re.compile(r"[^\s+]+")
_PRIVATE = "PRIVATE+KEY+"


class BadKey(ValueError):
    """A text that is no key of this form; the sentence never repeats it."""


class BadNote(ValueError):
    """A text that is no checkpoint, or that no known key signed."""


@dataclass(frozen=True)
class Verifier:
    """A public key by which checkpoints are checked."""

    name: str
    id: bytes
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"

    @classmethod
    def of(cls, name: str, public: bytes) -> Verifier:
        """The verifier of a raw public key under a name. Raises BadKey for a name that a note cannot hold."""
        if not _KEY_NAME.fullmatch(name):
            raise BadKey("the name of a key has no spaces and no plus signs")
        return cls(name, hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4], public)

    @classmethod
    def read(cls, text: str) -> Verifier:
        """From `name+id+base64`. Raises BadKey."""
        name, id, public = _encoded(text.strip())
        verifier = cls.of(name, public)
        if verifier.id.hex() != id:
            raise BadKey("the id of this key does not fit it")
        return verifier

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether this key made the signature of that text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key that signs checkpoints."""

    verifier: Verifier
    _key: Ed25519PrivateKey

    @classmethod
    def read(cls, text: str) -> Signer:
        """From `PRIVATE+KEY+name+id+base64`. Raises BadKey."""
        if not text.startswith(_PRIVATE):
            raise BadKey("this is no private key of a log")
        name, id, seed = _encoded(text.removeprefix(_PRIVATE).strip())
        signer = cls.of(name, seed)
        if signer.verifier.id.hex() != id:
            raise BadKey("the id of this key does not fit it")
        return signer

    @classmethod
    def of(cls, name: str, seed: bytes) -> Signer:
        """The signer of a 32-byte seed."""
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(Verifier.of(name, key.public_key().public_bytes_raw()), key)

    def line(self, text: str) -> str:
        """The signature line of a note."""
        verifier = self.verifier
        return f"— {verifier.name} {_base64(verifier.id + self._key.sign(text.encode()))}\n"


@dataclass(frozen=True)
class Checkpoint:
    """What a note says: whose log, how many entries, their root; and who of the known signed it."""

    origin: str
    size: int
    root: bytes
    signed_by: tuple[Verifier, ...]


def new_key(name: str) -> str:
    """A new private key as one line of text."""
    seed = os.urandom(32)
    verifier = Signer.of(name, seed).verifier
    return f"{_PRIVATE}{name}+{verifier.id.hex()}+{_base64(_ED25519 + seed)}"


def signers(text: str) -> tuple[Signer, ...]:
    """The keys of a setting: one a line, the newest first. While keys rotate there are two. Raises BadKey."""
    return tuple(Signer.read(line) for line in text.split())


def write(origin: str, size: int, root: bytes, by: Sequence[Signer]) -> str:
    """The signed note of a tree."""
    text = f"{origin}\n{size}\n{_base64(root)}\n"
    return text + "\n" + "".join(signer.line(text) for signer in by)


def read(note: str, known: Sequence[Verifier]) -> Checkpoint:
    """What a note says, if a known key signed it. Raises BadNote: also where one known signature is wrong."""
    text, found, lines = note.rpartition("\n\n")
    if not found:
        raise BadNote("this is no signed note")
    text += "\n"
    by = tuple(verifier for line in lines.splitlines() if (verifier := _signature(text, line, known)))
    if not by:
        raise BadNote("no known key signed this checkpoint")
    return _parsed(text, by)


def _parsed(text: str, by: tuple[Verifier, ...]) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]):
        raise BadNote("this note is no checkpoint")
    try:
        return Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True), by)
    except binascii.Error:
        raise BadNote("this note is no checkpoint") from None


def _signature(text: str, line: str, known: Sequence[Verifier]) -> Verifier | None:
    """Who of the known signed by this line; None for a line of somebody else's, which is no fault."""
    dash, name, encoded = [*line.split(" "), "", ""][:3]
    try:
        signed = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise BadNote("a signature line of this note cannot be read") from None
    verifier = next((each for each in known if (each.name, each.id) == (name, signed[:4])), None)
    if dash != "—" or verifier is None:
        return None
    if not verifier.signed(text, signed[4:]):
        raise BadNote("a known key's signature does not fit this checkpoint")
    return verifier


def _encoded(text: str) -> tuple[str, str, bytes]:
    name, id, encoded = [*text.split("+", 2), "", ""][:3]
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise BadKey("this key cannot be read") from None
    if key[:1] != _ED25519 or len(key) != 33:
        raise BadKey("this is no Ed25519 key of a log")
    return name, id, key[1:]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
