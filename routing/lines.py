"""The line of an outline in a grid, so that most points are told at once that it is not near; and how far it is where
it is, in metres."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

# Up to this accuracy of a fix, in metres, the grid knows every line that matters. Phones are finer; what is coarser is
# measured the long way.
GRID_M = 100.0
# Cells in degrees: small for exact lines, so that few points are measured in vain; large for coarse ones, so that there
# are not too many.
_FINE, _COARSE, _COARSE_FROM_M = 0.01, 0.04, 400.0
# A little more than the distance in question: no rounding may hide a line.
_MARGIN = 1.01
_SIZES = (_FINE, _COARSE)
_WEST, _SOUTH, _ROWS = -200.0, -100.0, 1 << 20


Cells = tuple[int, int]


class Line:
    """The line of one shape: its straight pieces, each in the cells that it is near; as near as `doubt_m` or GRID_M,
    whichever is more."""

    def __init__(self, shape: Any, doubt_m: float) -> None:
        corners, ring = shapely.get_coordinates(_rings(shape), return_index=True)
        self._points, self._pieces = corners, _pieces(corners, ring)
        # Plain floats without a copy: one piece is a few of them, too few for arrays to pay.
        self._corners = memoryview(corners.ravel().data)
        reach = max(doubt_m, GRID_M)
        self._size = int(reach > _COARSE_FROM_M)
        cells, near = _touched(_SIZES[self._size], corners, self._pieces, reach)
        begins = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
        self._cells = memoryview(cells[begins])
        self._starts = memoryview(np.r_[begins, len(cells)].astype(np.int32))
        self._near = memoryview(near.astype(np.int32))

    def near(self, at: Cells) -> Any:
        """Pieces near the cell of a point (see cells_of). None: the line is farther than GRID_M and its own doubt."""
        cell = at[self._size]
        place = bisect_left(self._cells, cell)
        if place == len(self._cells) or self._cells[place] != cell:
            return ()
        return self._near[self._starts[place] : self._starts[place + 1]]

    def within(self, box: tuple[float, float, float, float]) -> Any:
        """Pieces that may touch the box."""
        west, south, east, north = box
        ends = np.stack([self._points[self._pieces], self._points[self._pieces + 1]])
        (left, low), (right, high) = ends.min(axis=0).T, ends.max(axis=0).T
        return self._pieces[(left <= east) & (right >= west) & (low <= north) & (high >= south)].tolist()

    def distance(self, pieces: Iterable[int], latitude: float, longitude: float) -> float:
        """Metres from the point to the nearest of these pieces. On a plane that touches the Earth at the point: exact
        to a millionth close by."""
        nearest = math.inf
        along, across = metres_per_degree(latitude)
        corners = self._corners
        for piece in pieces:
            at = 2 * piece
            x, y = (corners[at] - longitude) * along, (corners[at + 1] - latitude) * across
            dx, dy = (corners[at + 2] - longitude) * along - x, (corners[at + 3] - latitude) * across - y
            part = -(x * dx + y * dy)
            if part > 0:
                # The nearest point is not the first corner; at most it is the last.
                length = dx * dx + dy * dy
                part = part / length if part < length else 1.0
                x, y = x + part * dx, y + part * dy
            square = x * x + y * y
            if square < nearest:
                nearest = square
        return math.sqrt(nearest)


def cells_of(latitude: float, longitude: float) -> Cells:
    """The fine and the coarse cell of a point."""
    east, north = longitude - _WEST, latitude - _SOUTH
    return int(east / _FINE) * _ROWS + int(north / _FINE), int(east / _COARSE) * _ROWS + int(north / _COARSE)


def box_around(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of what lies so near."""
    along, across = metres_per_degree(latitude)
    wide, high = metres * _MARGIN / along, metres * _MARGIN / across
    return longitude - wide, latitude - high, longitude + wide, latitude + high


def surroundings(boxes: Any, doubts: Any) -> Any:
    """Rectangles around boxes, as much wider as a line in them can matter to a point outside."""
    reach = _in_degrees(np.maximum(doubts, GRID_M), np.abs(boxes[:, 1::2]).max(axis=1))
    return shapely.box(*np.concatenate([boxes[:, :2] - reach, boxes[:, 2:] + reach], axis=1).T)


@lru_cache(maxsize=4)
def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude on the WGS 84 ellipsoid, in metres."""
    # All lines around one point ask for the same.
    phi = math.radians(latitude)
    across = 111_132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    along = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    return along, across


def _rings(shape: Any) -> Any:
    """Its rings. A point that stands for a lost shape is a ring of no length."""
    if shape.geom_type == "Point":
        return shapely.linestrings([[[shape.x, shape.y]] * 2])
    return shapely.get_rings(shapely.get_parts(shape))


def _pieces(corners: Any, ring: Any) -> Any:
    """The first corner of each straight piece. The cuts along the 180th meridian and at the poles are no lines on
    Earth, so they are left out."""
    on_cut = np.abs(corners) == (180.0, 90.0)
    cut = (on_cut[1:] & on_cut[:-1]).any(axis=1)
    return np.flatnonzero((ring[1:] == ring[:-1]) & ~cut)


def _touched(cell: float, corners: Any, pieces: Any, reach: float) -> tuple[Any, Any]:
    """Pairs of a cell and a piece that comes within its reach of it; a few cells too many at bends, none too few."""
    begin, end = corners[pieces], corners[pieces + 1]
    # No longer than a cell each: the box of a long slanting piece would hold half a county.
    counts = np.maximum(np.ceil(np.abs(end - begin).max(axis=1) / cell), 1).astype(np.int64)
    piece, step = _spread(counts)
    way = (end - begin)[piece] / counts[piece, None]
    first = begin[piece] + way * step[:, None]
    low, high = np.minimum(first, first + way), np.maximum(first, first + way)
    beside = _in_degrees(reach, np.abs(low[:, 1]))
    start, stop = (
        ((edge - (_WEST, _SOUTH)) / cell).astype(np.int64) for edge in (low - beside, high + beside)
    )
    wide, tall = (stop - start + 1).T
    box, place = _spread(wide * tall)
    column, row = np.divmod(place, tall[box])
    cells = (start[box, 0] + column) * _ROWS + start[box, 1] + row
    return _without_repeats(cells, pieces[piece[box]])


def _spread(counts: Any) -> tuple[Any, Any]:
    """0 0 0 1 1 … and 0 1 2 0 1 …: each index as often as it is counted, and the count so far."""
    index = np.repeat(np.arange(len(counts)), counts)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)


def _without_repeats(cells: Any, pieces: Any) -> tuple[Any, Any]:
    order = np.lexsort((pieces, cells))
    cells, pieces = cells[order], pieces[order]
    new = np.r_[True, (cells[1:] != cells[:-1]) | (pieces[1:] != pieces[:-1])]
    return cells[new], pieces[new]


def _in_degrees(metres: Any, latitudes: Any) -> Any:
    phi = np.radians(np.minimum(latitudes + 0.5, 89.9))
    return np.stack(
        [metres * _MARGIN / (111_000 * np.cos(phi)), metres * _MARGIN / 110_500 + 0 * phi], axis=1
    )
