"""The lines of outlines in a grid, so that most points are told at once that no line is near; and how far it is to
those that are, in metres."""

from __future__ import annotations

import math
from bisect import bisect_left
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
_WEST, _SOUTH, _ROWS = -200.0, -100.0, 1 << 20


class Lines:
    """Every straight piece of the outlines of `shapes`, by the cells that it is near; as near as its shape's doubt
    (`doubts`, metres) or GRID_M, whichever is more."""

    def __init__(self, shapes: Any, doubts: Any) -> None:
        rings, owners = _rings(shapes)
        corners, ring = shapely.get_coordinates(rings, return_index=True)
        # Plain floats without a copy: one piece is a few of them, too few for arrays to pay.
        self._points, self._corners = corners, memoryview(corners.ravel())
        self._owners = memoryview(owners[ring].astype(np.int32))
        self._pieces = pieces = _pieces(corners, ring)
        # Pieces of one shape lie together.
        self._of_shape = np.searchsorted(owners[ring[pieces]], np.arange(len(shapes) + 1)).tolist()
        reach = np.maximum(doubts, GRID_M)[owners[ring[pieces]]]
        coarse = reach > _COARSE_FROM_M
        self._grids = [
            _Grid(cell, corners, pieces[part], reach[part])
            for cell, part in ((_FINE, ~coarse), (_COARSE, coarse))
            if part.any()
        ]

    def near(self, latitude: float, longitude: float) -> list[int]:
        """Pieces in whose cells the point lies. None: no line is within GRID_M or its own doubt."""
        found: list[int] = []
        for grid in self._grids:
            found += grid.at(latitude, longitude)
        return found

    def within(self, shapes: list[int], box: tuple[float, float, float, float]) -> list[int]:
        """Pieces of these shapes that may touch the box."""
        found: list[int] = []
        west, south, east, north = box
        for shape in shapes:
            pieces = self._pieces[self._of_shape[shape] : self._of_shape[shape + 1]]
            ends = np.stack([self._points[pieces], self._points[pieces + 1]])
            (left, low), (right, high) = ends.min(axis=0).T, ends.max(axis=0).T
            found += pieces[(left <= east) & (right >= west) & (low <= north) & (high >= south)].tolist()
        return found

    def distances(self, pieces: list[int], latitude: float, longitude: float) -> dict[int, float]:
        """Metres from the point to the nearest of these pieces of each shape, by shape. On a plane that touches the
        Earth at the point: exact to a millionth close by."""
        nearest: dict[int, float] = {}
        along, across = metres_per_degree(latitude)
        corners, owners = self._corners, self._owners
        for piece in pieces:
            at = 2 * piece
            x, y = (corners[at] - longitude) * along, (corners[at + 1] - latitude) * across
            dx, dy = (corners[at + 2] - longitude) * along - x, (corners[at + 3] - latitude) * across - y
            length = dx * dx + dy * dy
            part = min(max(-(x * dx + y * dy) / length, 0.0), 1.0) if length else 0.0
            way = math.hypot(x + part * dx, y + part * dy)
            owner = owners[piece]
            if way < nearest.get(owner, math.inf):
                nearest[owner] = way
        return nearest


class _Grid:
    """Cells in one row of numbers, west to east and south to north; beside each, the pieces near it."""

    def __init__(self, cell: float, corners: Any, pieces: Any, reach: Any) -> None:
        self._cell = cell
        cells, near = _touched(cell, corners, pieces, reach)
        order = np.argsort(cells, kind="stable")
        cells, near = cells[order], near[order]
        begins = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
        self._cells = memoryview(cells[begins])
        self._starts = memoryview(np.r_[begins, len(cells)].astype(np.int32))
        self._near = memoryview(near.astype(np.int32))

    def at(self, latitude: float, longitude: float) -> list[int]:
        """Pieces near the cell of that point."""
        cell = int((longitude - _WEST) / self._cell) * _ROWS + int((latitude - _SOUTH) / self._cell)
        place = bisect_left(self._cells, cell)
        if place == len(self._cells) or self._cells[place] != cell:
            return []
        return self._near[self._starts[place] : self._starts[place + 1]].tolist()


def box_around(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of what lies so near."""
    along, across = metres_per_degree(latitude)
    wide, high = metres * _MARGIN / along, metres * _MARGIN / across
    return longitude - wide, latitude - high, longitude + wide, latitude + high


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude on the WGS 84 ellipsoid, in metres."""
    phi = math.radians(latitude)
    across = 111_132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    along = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    return along, across


def _rings(shapes: Any) -> tuple[Any, Any]:
    """All rings in the order of their shapes, and whose each is. A point that stands for a lost shape is a ring of no
    length."""
    parts, part_of = shapely.get_parts(shapes, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    points = np.flatnonzero(shapely.get_type_id(parts) == 0)
    stumps = shapely.linestrings(np.repeat(shapely.get_coordinates(parts[points])[:, None], 2, axis=1))
    owners = np.concatenate([part_of[ring_of], part_of[points]])
    order = np.argsort(owners, kind="stable")
    return np.concatenate([rings, stumps])[order], owners[order]


def _pieces(corners: Any, ring: Any) -> Any:
    """The first corner of each straight piece. The cuts along the 180th meridian and at the poles are no lines on
    Earth, so they are left out."""
    on_cut = np.abs(corners) == (180.0, 90.0)
    cut = (on_cut[1:] & on_cut[:-1]).any(axis=1)
    return np.flatnonzero((ring[1:] == ring[:-1]) & ~cut)


def _touched(cell: float, corners: Any, pieces: Any, reach: Any) -> tuple[Any, Any]:
    """Pairs of a cell and a piece that comes within its reach of it; a few cells too many at bends, none too few."""
    begin, end = corners[pieces], corners[pieces + 1]
    # No longer than a cell each: the box of a long slanting piece would hold half a county.
    counts = np.maximum(np.ceil(np.abs(end - begin).max(axis=1) / cell), 1).astype(np.int64)
    piece, step = _spread(counts)
    way = (end - begin)[piece] / counts[piece, None]
    first = begin[piece] + way * step[:, None]
    low, high = np.minimum(first, first + way), np.maximum(first, first + way)
    beside = _in_degrees(reach[piece], np.abs(low[:, 1]))
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
    return np.column_stack([metres * _MARGIN / (111_000 * np.cos(phi)), metres * _MARGIN / 110_500])
