"""The lines of outlines in grids, so that most points are told at once that no line is near; and how far it is where
one is, in metres."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from struct import unpack_from
from typing import Any

import numpy as np
import shapely

from routing.tiles import covered, spread

# Up to this accuracy of a fix, in metres, the grid knows every line that matters. Phones are finer; what is coarser is
# measured the long way.
GRID_M = 100.0
# Cells in degrees: small for exact lines, so that few points are measured in vain; large for coarse ones, so that there
# are not too many.
_FINE, _COARSE, _COARSE_FROM_M = 0.01, 0.04, 400.0
_SIZES = np.array([_FINE, _COARSE])
# A little more than the distance in question: no rounding may hide a line.
_MARGIN = 1.01
# The number of any cell fits into 32 bits.
_WEST, _SOUTH, _ROWS = -200.0, -100.0, 1 << 15
# Bytes of outlines that are laid into the grid at a time; a hundred times as many are needed on the way.
_AT_ONCE = 50_000
# Of what stands before its corners in the WKB of an outline: of the whole, of each polygon, of each ring.
_OF_WHOLE, _OF_POLYGON, _OF_RING = 9, 9, 4

Cells = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of many outlines. Each is cut into its straight pieces, and these are known by the cells that they are
    near; as near as the outline's own doubt or GRID_M, whichever is more.

    `outlines`: the outlines as WKB (little endian, flat), end to end. `bounds`: which of the `cells` belong to the line
    at a place; `starts`: which runs are near a cell. A run is one or more pieces of one ring that follow each other:
    `corners` says where in `outlines` its first corner is, `counts` how many pieces it has. `coarse`: the line at a
    place lies in the coarse cells. All are memoryviews of 32 bits a number: arrays do not pay for one cell.
    """

    outlines: bytes | memoryview
    bounds: Any
    cells: Any
    starts: Any
    corners: Any
    counts: Any
    coarse: Any

    def near(self, place: int, at: Cells) -> tuple[int, range]:
        """Runs of the line at a place that are near the cell of a point (see cells_of). None: the line is farther than
        GRID_M and its own doubt; then the number says in which stretch without a line the point lies.

        Nothing crosses the cells between two that have a line, so a stretch is wholly inside or wholly outside.
        (Between two columns it is outside: no shape goes on for ever.)
        """
        cells, end = self.cells, self.bounds[place + 1]
        cell = at[self.coarse[place]]
        found = bisect_left(cells, cell, self.bounds[place], end)
        if found == end or cells[found] != cell:
            # Each line has one stretch more than it has cells.
            return found + place, _NONE
        return -1, range(self.starts[found], self.starts[found + 1])

    def around(self, place: int) -> range:
        """All runs of the line at a place; most pieces in several of them."""
        return range(self.starts[self.bounds[place]], self.starts[self.bounds[place + 1]])

    def distance(self, runs: Iterable[int], latitude: float, longitude: float) -> float:
        """Metres from the point to the nearest piece of these runs. On a plane that touches the Earth at the point:
        exact to a millionth close by."""
        nearest = math.inf
        along, across = metres_per_degree(latitude)
        for run in runs:
            degrees = unpack_from(f"<{2 * self.counts[run] + 2}d", self.outlines, self.corners[run])
            x, y = (degrees[0] - longitude) * along, (degrees[1] - latitude) * across
            for at in range(2, len(degrees), 2):
                end_x, end_y = (degrees[at] - longitude) * along, (degrees[at + 1] - latitude) * across
                dx, dy = end_x - x, end_y - y
                part = -(x * dx + y * dy)
                if part > 0:
                    # The nearest point is not the first corner; at most it is the last.
                    length = dx * dx + dy * dy
                    part = part / length if part < length else 1.0
                    x, y = x + part * dx, y + part * dy
                square = x * x + y * y
                if square < nearest:
                    nearest = square
                x, y = end_x, end_y
        return math.sqrt(nearest)


_NONE = range(0)


def lines_of(outlines: bytes | memoryview, begins: Any, doubts: Any) -> Lines:
    """The lines of outlines in WKB, which are laid end to end. `begins` says where each begins and the last ends, and
    `doubts` how many metres each is in doubt."""
    laid = [
        _laid(_shapes(outlines, begins[some.start : some.stop + 1].tolist()), begins[some], doubts[some])
        for some in _batches(begins)
    ]
    cells_each, cells, runs_each, corners, counts = map(np.concatenate, zip(*laid, strict=True))
    coarse = np.maximum(doubts, GRID_M) > _COARSE_FROM_M
    columns = _ends(cells_each), cells, _ends(runs_each), corners, counts, coarse
    return Lines(outlines, *(column.astype(np.int32).data for column in columns))


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
    """Boxes as much wider as a line in them can matter to a point outside."""
    reach = _in_degrees(np.maximum(doubts, GRID_M), np.abs(boxes[:, 1::2]).max(axis=1))
    return np.concatenate([boxes[:, :2] - reach, boxes[:, 2:] + reach], axis=1)


@lru_cache(maxsize=4)
def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude on the WGS 84 ellipsoid, in metres."""
    # All lines around one point ask for the same.
    phi = math.radians(latitude)
    across = 111_132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    along = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    return along, across


def _batches(begins: Any) -> Iterator[slice]:
    """Outlines of so many bytes together that laying them needs little memory; at least one, even of none."""
    last = len(begins) - 1
    ends = [*np.flatnonzero(np.diff(begins[1:] // _AT_ONCE)) + 1, last] if last else [0]
    yield from map(slice, [0, *ends[:-1]], ends)


def _shapes(outlines: bytes | memoryview, begins: list[int]) -> Any:
    pieces = [bytes(outlines[begin:end]) for begin, end in pairwise(begins)]
    return shapely.from_wkb(np.array(pieces, dtype=object))


def _laid(shapes: Any, begins: Any, doubts: Any) -> tuple[Any, ...]:
    """By shape, how many cells it has; the cells; by cell, how many runs are near it; by run, the byte of its first
    corner and how many pieces it has."""
    degrees, pieces, owners, at = _pieces(shapes)
    reach = np.maximum(doubts, GRID_M)
    size = _SIZES[(reach > _COARSE_FROM_M).astype(int)]
    cells, near = _touched(degrees[pieces], degrees[pieces + 1], owners, size[owners, None], reach[owners])
    owner, first = owners[near], pieces[near]
    new_cell = _changes(cells) | _changes(owner)
    new_run = new_cell | np.append(True, np.diff(first) != 1)[: len(first)]
    cell, run = np.flatnonzero(new_cell), np.flatnonzero(new_run)
    columns = (
        np.bincount(owner[cell], minlength=len(shapes)),
        cells[cell],
        np.diff(np.searchsorted(run, np.append(cell, len(cells)))),
        begins[owner[run]] + at[near[run]],
        np.diff(np.append(run, len(cells))),
    )
    return tuple(column.astype(np.int32) for column in columns)


def _pieces(shapes: Any) -> tuple[Any, Any, Any, Any]:
    """All corners, the first corner of each straight piece, the shape that has it, and the byte of its WKB where that
    corner is. The cuts along the 180th meridian and at the poles are no lines on Earth, so they are left out."""
    parts, of_part = shapely.get_parts(shapes, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    degrees, of_corner = shapely.get_coordinates(rings, return_index=True)
    on_cut = np.abs(degrees) == (180.0, 90.0)
    cut = (on_cut[1:] & on_cut[:-1]).any(axis=1)
    first = np.flatnonzero((of_corner[1:] == of_corner[:-1]) & ~cut)
    ring = of_corner[first]
    part = of_ring[ring]
    owner = of_part[part]
    before = _OF_WHOLE * (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOLYGON)[owner]
    before += _OF_POLYGON * (_within(part, of_part, owner) + 1)
    before += _OF_RING * (_within(ring, of_part[of_ring], owner) + 1)
    return degrees, first, owner, before + 16 * _within(first, of_part[of_ring][of_corner], owner)


def _within(numbers: Any, owners: Any, owner: Any) -> Any:
    """Numbers counted anew in each owner; `owners` are those of all that could be numbered, in order."""
    return numbers - np.searchsorted(owners, owner)


def _touched(begin: Any, end: Any, owners: Any, size: Any, reach: Any) -> tuple[Any, Any]:
    """Cells, and the number of a piece that comes within its reach of each, by owner, cell and piece; a few cells too
    many at bends, none too few."""
    # No longer than a cell each: the box of a long slanting piece would hold half a county.
    counts = np.maximum(np.ceil((np.abs(end - begin) / size).max(axis=1)), 1).astype(int)
    piece, step = spread(counts)
    way = ((end - begin) / counts[:, None])[piece]
    first = begin[piece] + way * step[:, None]
    low, high = np.minimum(first, first + way), np.maximum(first, first + way)
    beside = _in_degrees(reach[piece], np.abs(low[:, 1]))
    start, stop = (
        ((edge - (_WEST, _SOUTH)) / size[piece]).astype(int) for edge in (low - beside, high + beside)
    )
    cells, part = covered(start, stop, _ROWS)
    number = piece[part]
    order = np.lexsort((cells, owners[number]))
    cells, number = cells[order], number[order]
    # The parts of one piece may share a cell; sorting kept them side by side.
    new = _changes(cells) | _changes(number)
    return cells[new], number[new]


def _changes(numbers: Any) -> Any:
    """Where another number begins."""
    return np.append(True, numbers[1:] != numbers[:-1])[: len(numbers)]


def _ends(each: Any) -> Any:
    """Where each begins, and where the last ends, of so many each."""
    return np.append(0, np.cumsum(each))


def _in_degrees(metres: Any, latitudes: Any) -> Any:
    phi = np.radians(np.minimum(latitudes + 0.5, 89.9))
    return np.stack(
        [metres * _MARGIN / (111_000 * np.cos(phi)), metres * _MARGIN / 110_500 + 0 * phi], axis=1
    )
