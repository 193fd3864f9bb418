"""Outlines: which areas a point lies in, or may lie in, with distances in metres."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import shapely

from routing.area_set import AreaSet, Drawn
from routing.gazetteer import DATA
from routing.lines import GRID_M, Lines, box_around, cells_of, lines_of, surroundings
from routing.tiles import Tiles

# A fix that is coarser than this says nothing that a county could be chosen by.
COARSEST_M = 50_000.0
# Beyond this longitude, in degrees, either side of the 180th meridian is near enough to be asked.
_DATE_LINE = 177.0
# Some 10 MB of shapes; one that is needed again is read again in a few millionths of a second.
_SHAPES = 5_000
# From so many bytes on, an outline is worth an index of its own.
_LARGE = 10_000
# What is known of a stretch without a line.
_INSIDE, _OUTSIDE = 1, 2


class Near(NamedTuple):
    """An area at, or near, a point. `distance_m` is the way to its line, infinite where that is farther than the
    doubt; `certain` if the point is inside and farther from the line than the evidence's accuracy and the line's own
    precision."""

    area: str
    inside: bool
    distance_m: float
    certain: bool


class _Sheet(NamedTuple):
    """Outlines of one source. They are numbered from `first` on; `stretches` is what is known of those of `lines`."""

    first: int
    lines: Lines
    stretches: bytearray
    outline: Callable[[int], bytes | None]
    name: Callable[[int], str]


# Numbers of the outlines that hold a point, and metres to the lines near by.
_Found = tuple[list[int], dict[int, float]]


class Outlines:
    """An index over the county outlines and those of a site's own areas that are in force.

    Most points are near no line: they need one look at the tiles, and one into the grid of each line that may matter.
    Shapes are read only to ask which side of a line is inside.
    """

    def __init__(self, own: AreaSet) -> None:
        base, columns = _base(), own.columns
        rows, lines = columns.drawn_rows, columns.lines
        first = self._first = len(base.ids)
        self._sheets = (
            _Sheet(0, _lines(), _unasked(_lines()), base.outline, base.ids.__getitem__),
            _Sheet(
                first,
                lines,
                _unasked(lines),
                lambda at: columns.outline(rows[at]),
                lambda at: columns.ids[rows[at]],
            ),
        )
        doubts = np.concatenate([base.precisions, columns.precisions[rows]])
        boxes = surroundings(np.concatenate([base.boxes, columns.boxes]), doubts)
        in_force = np.append(np.arange(first), first + np.flatnonzero(own.drawn_ones))
        self._doubts: list[float] = doubts.tolist()
        self._tiles = Tiles(boxes, in_force)
        self._shapes: dict[int, Any] = {}
        self._surely: dict[int, Near] = {}

    def at(self, latitude: float, longitude: float, accuracy_m: float) -> tuple[Near, ...]:
        """Areas that hold the point, on the line included, or whose line is nearer than the uncertainty, by id. A
        latitude or longitude that no place on Earth has finds nothing, and so does a fix too coarse to use."""
        if not (-90 < latitude < 90 and -180 <= longitude <= 180 and accuracy_m <= COARSEST_M):
            return ()
        if accuracy_m > GRID_M or abs(longitude) > _DATE_LINE:
            held, ways = self._the_long_way(latitude, longitude, accuracy_m)
        else:
            held, ways = self._look(latitude, longitude, accuracy_m)
        found = [self._near(number, number in held, ways.get(number)) for number in {*held, *ways}]
        if len(found) > 1:
            found.sort(key=_BY_AREA)
        return tuple(found)

    def _near(self, number: int, inside: bool, way: float | None) -> Near:
        surely = self._surely.get(number)
        if surely is None:
            surely = self._surely[number] = Near(self._name(number), True, math.inf, True)
        return surely if way is None else Near(surely.area, inside, round(way, 1), False)

    def _look(self, latitude: float, longitude: float, accuracy_m: float) -> _Found:
        """What the point lies in, and metres to the lines that are nearer than the doubt, of those in its cells."""
        held: list[int] = []
        ways: dict[int, float] = {}
        cells, beyond = cells_of(latitude, longitude), self._first
        base, own = self._sheets
        for number in self._tiles.at(latitude, longitude):
            first, lines, stretches, _, _ = base if number < beyond else own
            stretch, runs = lines.near(number - first, cells)
            if runs:
                way = lines.distance(runs, latitude, longitude)
                if way <= accuracy_m or way <= self._doubts[number]:
                    ways[number] = way
                inside = self._holds(number, latitude, longitude)
            else:
                known = stretches[stretch]
                if not known:
                    holds = self._holds(number, latitude, longitude)
                    known = stretches[stretch] = _INSIDE if holds else _OUTSIDE
                inside = known == _INSIDE
            if inside:
                held.append(number)
        return held, ways

    def _holds(self, number: int, latitude: float, longitude: float) -> bool:
        shape = self._shapes.get(number)
        if shape is None:
            shape = self._read(number)
        return bool(shapely.intersects_xy(shape, longitude, latitude))

    def _read(self, number: int) -> Any:
        sheet = self._sheet(number)
        outline = sheet.outline(number - sheet.first)
        shape = shapely.from_wkb(outline)
        if outline and len(outline) > _LARGE:
            shapely.prepare(shape)
        if len(self._shapes) >= _SHAPES:
            self._shapes.clear()
        self._shapes[number] = shape
        return shape

    def _sheet(self, number: int) -> _Sheet:
        return self._sheets[number >= self._first]

    def _name(self, number: int) -> str:
        sheet = self._sheet(number)
        return sheet.name(number - sheet.first)

    def _the_long_way(self, latitude: float, longitude: float, accuracy_m: float) -> _Found:
        """Coarse fixes, and places that have two longitudes: what lies close by may be drawn at either end of the
        map."""
        turned = (longitude - math.copysign(360, longitude),) if abs(longitude) > _DATE_LINE else ()
        held: dict[int, None] = {}
        ways: dict[int, float] = {}
        for at in (longitude, *turned):
            inside, near = self._look(latitude, at, accuracy_m)
            held |= dict.fromkeys(inside)
            for number, way in (*near.items(), *self._around(latitude, at, accuracy_m)):
                ways[number] = min(way, ways.get(number, math.inf))
        return list(held), ways

    def _around(self, latitude: float, longitude: float, accuracy_m: float) -> Iterator[tuple[int, float]]:
        """Metres to every line that may be nearer than the accuracy."""
        box = box_around(latitude, longitude, accuracy_m)
        for number in self._tiles.touching(box) if accuracy_m > GRID_M else ():
            if accuracy_m <= self._doubts[number]:
                # Its cells know every line so near.
                continue
            sheet = self._sheet(number)
            runs = sheet.lines.around(number - sheet.first)
            way = sheet.lines.distance(runs, latitude, longitude)
            if way <= accuracy_m:
                yield number, way


_BY_AREA = attrgetter("area")


def _unasked(lines: Lines) -> bytearray:
    # Each line has one stretch more than it has cells.
    return bytearray(len(lines.cells) + len(lines.bounds))


@lru_cache(maxsize=1)
def _base() -> Drawn:
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        # The csv module refuses fields as long as Alaska's coast; no field here holds a comma.
        rows = [line.rstrip("\n").split(",") for line in table][1:]
    outlines = [bytes.fromhex(row[3]) for row in rows]
    boxes = shapely.bounds(shapely.from_wkb(np.array(outlines, dtype=object)))
    precisions = np.array([float(row[2]) for row in rows])
    return Drawn([f"county:{row[0]}" for row in rows], precisions, boxes, outlines.__getitem__)


@lru_cache(maxsize=1)
def _lines() -> Lines:
    base = _base()
    rings = [_ring(base.outline(place)) for place in range(len(base.ids))]
    return lines_of(b"".join(rings), np.cumsum([0, *map(len, rings)]), base.precisions)


def _ring(outline: bytes | None) -> bytes:
    """An outline; for a point that stands for a lost one, a ring of no length around it."""
    shape: Any = shapely.from_wkb(outline)
    if shape.geom_type == "Point":
        shape = shapely.Polygon([shape.coords[0]] * 4)
    ring: bytes = shapely.to_wkb(shape, byte_order=1)
    return ring


def county_bounds() -> Iterable[tuple[str, tuple[float, float, float, float]]]:
    """Every county with west, south, east and north of its outline."""
    return zip(_base().ids, map(tuple, _base().boxes.tolist()), strict=True)


def county_outlines() -> Iterable[tuple[str, bytes | None]]:
    """Every county with its outline as WKB."""
    return ((area, _base().outline(place)) for place, area in enumerate(_base().ids))


def bounds(outline: bytes) -> tuple[float, float, float, float]:
    """West, south, east and north of an outline in WKB."""
    west, south, east, north = shapely.bounds(shapely.from_wkb(outline)).tolist()
    return west, south, east, north


def misdrawn() -> frozenset[str]:
    """Counties whose outline in the source is lost or wrong; a point stands for them. For the gap report."""
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        rows = (line.split(",", 2) for line in table)
        return frozenset(f"county:{code}" for code, drawn, _ in rows if drawn == "misdrawn")


class Misplaced(NamedTuple):
    """A place that the source draws on the wrong side of a county's line, with a point in it."""

    name: str
    belongs_to: str
    drawn_in: str
    latitude: float
    longitude: float


# Marble Hill was cut off Manhattan by a canal in 1895 and joined to the Bronx by landfill; by law it stays Manhattan's.
MISPLACED = (Misplaced("Marble Hill", "county:36061", "county:36005", 40.8762, -73.9110),)
