"""Boxes by the tiles that they touch: which of tens of thousands hold a point, in a few comparisons."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

# Of tiles, in degrees: a box lies on those of the smallest size of which it needs few. Towns, counties, all else.
_SIZES = (0.1, 0.6, 2.0)
# A box on more tiles than this along one side waits for the next size.
_FEW = 2
_WEST, _SOUTH, _ROWS = -200.0, -100.0, 1 << 20
# Tiles of one size begin where those of the size before cannot reach.
_LAYER = 1 << 40


class Tiles:
    """Boxes of degrees (west, south, east, north), of which those of some numbers count. Never changes."""

    def __init__(self, boxes: Any, numbers: Any) -> None:
        wide = (boxes[numbers, 2:] - boxes[numbers, :2]).max(axis=1)
        layer = np.digitize(wide, [size * _FEW for size in _SIZES[:-1]])
        corners = boxes[numbers] - (_WEST, _SOUTH, _WEST, _SOUTH)
        within = (corners / np.array(_SIZES)[layer][:, None]).astype(np.int64)
        tiles, box = covered(within[:, :2], within[:, 2:], _ROWS)
        tiles += layer[box] * _LAYER
        order = np.argsort(tiles, kind="stable")
        named, begins = np.unique(tiles[order], return_index=True)
        self._place = dict(zip(named.tolist(), range(len(named)), strict=True))
        self._layers = [(number * _LAYER, _SIZES[number]) for number in np.unique(layer).tolist()]
        # Plain numbers without a copy: arrays do not pay for one tile.
        self._starts = np.append(begins, len(tiles)).astype(np.int32).data
        self._numbers = numbers[box[order]].astype(np.int32).data
        self._edges: list[list[float]] = boxes.T.tolist()

    def at(self, latitude: float, longitude: float) -> list[int]:
        """Numbers of the boxes that hold the point."""
        found = []
        wests, souths, easts, norths = self._edges
        east, north = longitude - _WEST, latitude - _SOUTH
        for layer, size in self._layers:
            place = self._place.get(layer + int(east / size) * _ROWS + int(north / size))
            if place is not None:
                for box in self._numbers[self._starts[place] : self._starts[place + 1]]:
                    if wests[box] <= longitude <= easts[box] and souths[box] <= latitude <= norths[box]:
                        found.append(box)
        return found

    def touching(self, box: tuple[float, float, float, float]) -> list[int]:
        """Numbers of the boxes that share a point with this one."""
        found: set[int] = set()
        for layer, size in self._layers:
            left, right = (int((edge - _WEST) / size) for edge in (max(box[0], _WEST), min(box[2], -_WEST)))
            low, high = (int((edge - _SOUTH) / size) for edge in (max(box[1], _SOUTH), min(box[3], -_SOUTH)))
            for column, row in product(range(left, right + 1), range(low, high + 1)):
                place = self._place.get(layer + column * _ROWS + row)
                if place is not None:
                    found.update(self._numbers[self._starts[place] : self._starts[place + 1]])
        return [number for number in sorted(found) if self._touches(number, box)]

    def _touches(self, number: int, box: tuple[float, float, float, float]) -> bool:
        west, south, east, north = (edges[number] for edges in self._edges)
        return west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1]


def covered(start: Any, stop: Any, rows: int) -> tuple[Any, Any]:
    """Cells of the rectangles from `start` to `stop` (column and row, both included), numbered column by column of
    `rows` each, and the number of the rectangle to which each belongs."""
    wide, tall = (stop - start + 1).T
    number, place = spread(wide * tall)
    column, row = np.divmod(place, tall[number])
    return (start[number, 0] + column) * rows + start[number, 1] + row, number


def spread(counts: Any) -> tuple[Any, Any]:
    """0 0 0 1 1 … and 0 1 2 0 1 …: each index as often as it is counted, and the count so far."""
    index = np.repeat(np.arange(len(counts)), counts)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
