"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, and the two proofs, as pure functions.

A *subtree* is given as a function: `subtree(start, end)` is the root over the leaves from `start` up to, without,
`end`. Where the hashes come from (`tiles.py`) is no matter of this file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

Subtree = Callable[[int, int], bytes]
# The root of a tree without leaves.
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf; its first byte keeps it apart from every node's."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def middle(start: int, end: int) -> int:
    """Where a tree of two or more leaves parts: the left side is the largest whole power of two."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaves' hashes: pair by pair, row by row; who has no partner goes up alone."""
    row = list(hashes)
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        alone = row[-1:] if len(row) & 1 else []
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs] + alone
    return row[0] if row else EMPTY


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves, from the leaf upwards (RFC 9162, 2.1.3.1)."""
    start, end, path = 0, size, []
    while end - start > 1:
        half = middle(start, end)
        if index < half:
            path.append(subtree(half, end))
            end = half
        else:
            path.append(subtree(start, half))
            start = half
    return path[::-1]


def consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the one of `old` leaves (RFC 9162, 2.1.4.1).

    Empty where `old` is 0 or `new`: there is nothing to prove.
    """
    if old == 0:
        return []
    start, end, path = 0, new, []
    while end != old:
        half = middle(start, end)
        if old <= half:
            path.append(subtree(half, end))
            end = half
        else:
            path.append(subtree(start, half))
            start = half
    if start:
        path.append(subtree(start, end))
    return path[::-1]


class Growing:
    """A tree that grows leaf by leaf in constant memory: it keeps one hash for each whole subtree on its right edge."""

    def __init__(self, size: int = 0, subtree: Subtree | None = None) -> None:
        self.size = size
        self._edge = [subtree(start, end) for start, end in _whole(size)] if subtree else []

    def add(self, leaf: bytes) -> None:
        """One more leaf, by its hash."""
        rest = self.size
        while rest & 1:
            leaf = node_hash(self._edge.pop(), leaf)
            rest >>= 1
        self._edge.append(leaf)
        self.size += 1

    def root(self, right: bytes | None = None) -> bytes:
        """The root over all leaves so far, and over a smaller tree to their right, if its root is given."""
        for left in reversed(self._edge):
            right = left if right is None else node_hash(left, right)
        return EMPTY if right is None else right


def _whole(size: int) -> list[tuple[int, int]]:
    """The whole subtrees of which a tree of `size` leaves is made, from left to right."""
    found, start = [], 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            found.append((start, start + (1 << height)))
            start += 1 << height
    return found
