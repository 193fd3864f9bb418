"""STREAM: a file of any size sealed piece by piece, in constant memory (Hoang, Reyhanitabar, Rogaway, Vizár 2015).

Each chunk of 1 MiB is AES-256-GCM under a nonce of seven random bytes, the chunk's number and whether it is the last:
cutting, moving and appending chunks is noticed, not only changing them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from referrals import sealing
from referrals.sealing import CannotOpen

CHUNK = 1024**2
_PREFIX, _TAG = 7, 16


class Sealer:
    """Seals what is written to it and passes it on to `to`. `bound` says where it belongs; nothing else opens it."""

    def __init__(self, key: bytes, bound: bytes, to: Callable[[bytes], object]) -> None:
        self._key, self._bound, self._to = key, bound, to
        self._waiting, self._number = bytearray(), 0
        self._header, self._prefix = sealing.stream_header(key), os.urandom(_PREFIX)
        to(self._header + self._prefix)

    def write(self, piece: bytes) -> None:
        """Takes a piece of any length."""
        self._waiting += piece
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        """Seals what is left as the last chunk."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._to(sealing.seal_chunk(self._key, nonce, chunk, self._header + self._bound))
        self._number += 1


def opened(key: bytes, bound: bytes, blob: BinaryIO) -> Iterator[bytes]:
    """The pieces in clear. Raises CannotOpen at the first that is not what was sealed, or where the end is missing."""
    header = blob.read(sealing.HEADER)
    prefix, number = blob.read(_PREFIX), 0
    if header != sealing.stream_header(key):
        raise CannotOpen("this file was not sealed with this key")
    chunk = blob.read(CHUNK + _TAG)
    while chunk:
        following = blob.read(CHUNK + _TAG)
        nonce = _nonce(prefix, number, last=not following)
        yield sealing.unseal_chunk(key, nonce, chunk, header + bound)
        chunk, number = following, number + 1
    if not number:
        raise CannotOpen("the sealed file has no end")


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes((last,))
