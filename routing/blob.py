"""Named arrays as one value of bytes, and back without a copy: a worker that loads 60 MB needs no 60 MB more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

# Each array begins where any number may be read in one go.
_ALIGNED = 16


def joined(arrays: Mapping[str, Any]) -> bytes:
    """The arrays, flat: first what they are and how long, then one after the other."""
    flat = {name: np.ascontiguousarray(array).ravel() for name, array in arrays.items()}
    head = orjson.dumps([[name, array.dtype.str, array.size] for name, array in flat.items()])
    parts = [len(head).to_bytes(_ALIGNED, "little"), head, *(array.tobytes() for array in flat.values())]
    return b"".join(part.ljust(_after(len(part)), b"\0") for part in parts)


def parted(blob: bytes) -> dict[str, Any]:
    """What `joined` joined: read-only arrays that look into the blob, and keep it."""
    found = {}
    length = int.from_bytes(blob[:_ALIGNED], "little")
    at = _ALIGNED + _after(length)
    for name, dtype, size in orjson.loads(blob[_ALIGNED : _ALIGNED + length]):
        found[name] = np.frombuffer(blob, dtype, size, at)
        at += _after(found[name].nbytes)
    return found


def _after(length: int) -> int:
    return -(-length // _ALIGNED) * _ALIGNED
