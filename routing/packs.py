"""Many texts in little memory: compressed some at a time, and read some at a time."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

# Neighbours are much alike: so many together shrink to a tenth, and are read in ten millionths of a second.
_TOGETHER = 16


class Packs:
    """Texts by their place. `packed` are compressed packs, end to end; `begins` says where each begins, and `starts`
    where each text would begin if all were laid end to end."""

    def __init__(self, packed: memoryview, begins: memoryview, starts: memoryview) -> None:
        # Plain numbers: arrays do not pay for one text.
        self.packed, self.begins, self.starts = packed, begins, starts
        self._last = -1, b""

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> Packs:
        """These texts."""
        packs = [
            zlib.compress(b"".join(texts[at : at + _TOGETHER])) for at in range(0, len(texts), _TOGETHER)
        ]
        return cls(memoryview(b"".join(packs)), _offsets(packs), _offsets(texts))

    def __getitem__(self, place: int) -> bytes:
        number = place // _TOGETHER
        # Bound once: another thread may put another pack in its place.
        known, pack = self._last
        if known != number:
            pack = zlib.decompress(self.packed[self.begins[number] : self.begins[number + 1]])
            self._last = number, pack
        before = self.starts[number * _TOGETHER]
        return pack[self.starts[place] - before : self.starts[place + 1] - before]


def _offsets(parts: Sequence[bytes]) -> memoryview:
    return np.cumsum([0, *map(len, parts)], dtype=np.int32).data
