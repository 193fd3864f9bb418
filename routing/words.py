"""Many short texts in little memory: end to end, and objects only while they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any, overload

import numpy as np


class Words(Sequence[str]):
    """Words in their order; none holds a line break. A list of 150,000 takes five times the memory."""

    def __init__(self, lines: bytes) -> None:
        self.lines = lines
        ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
        # Plain numbers without a copy: arrays do not pay for one word.
        self._starts = np.append(0, ends).astype(np.int32).data

    @classmethod
    def of(cls, words: Iterable[str]) -> Words:
        """These words."""
        return cls("".join(f"{word}\n" for word in words).encode())

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self.lines[self._starts[place] : self._starts[place + 1] - 1].decode()

    def has(self, encoded: bytes, place: int) -> bool:
        """Whether that word, as UTF-8, stands in that place."""
        return self.lines[self._starts[place] : self._starts[place + 1] - 1] == encoded

    def __iter__(self) -> Iterator[str]:
        # Line by line: a list of all would be as large as what this saves.
        return (line[:-1].decode() for line in BytesIO(self.lines))


class Lookup:
    """Where a word stands among some of the places of `words`: the last of them that has it."""

    def __init__(self, words: Words, places: Any) -> None:
        hashes = np.fromiter(map(hash, words), np.int64, len(words))[places]
        same = np.flatnonzero(hashes[1:] == hashes[:-1]).tolist()
        # Equal words stand side by side.
        earlier = [at for at in same if words[places[at]] == words[places[at + 1]]]
        self.places = np.delete(places, earlier).astype(np.int32)
        self._words = words
        # More buckets than words: most that are not there are found missing at once.
        self._mask = (1 << len(self.places).bit_length()) - 1
        buckets = np.delete(hashes, earlier) & self._mask
        order = np.argsort(buckets, kind="stable")
        counts = np.bincount(buckets, minlength=self._mask + 1)
        self._starts = np.append(0, np.cumsum(counts)).astype(np.int32).data
        self._in_buckets = self.places[order].data

    def get(self, word: str) -> int | None:
        """Its place."""
        bucket = hash(word) & self._mask
        starts, encoded = self._starts, word.encode(errors="surrogatepass")
        for place in self._in_buckets[starts[bucket] : starts[bucket + 1]]:
            if self._words.has(encoded, place):
                return place
        return None
