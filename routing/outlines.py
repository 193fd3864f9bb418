"""Outlines: which areas a point lies in, or may lie in, with distances in metres."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

from routing.area_set import Drawn
from routing.gazetteer import DATA
from routing.lines import GRID_M, Line, box_around, cells_of, surroundings

# A fix that is coarser than this says nothing that a county could be chosen by.
COARSEST_M = 50_000.0
# Beyond this longitude, in degrees, either side of the 180th meridian is near enough to be asked.
_DATE_LINE = 177.0


@dataclass(frozen=True, slots=True)
class Near:
    """An area at, or near, a point. `distance_m` is the way to its line, infinite where that is farther than the
    doubt; `certain` if the point is inside and farther from the line than the evidence's accuracy and the line's own
    precision."""

    area: str
    inside: bool
    distance_m: float
    certain: bool


class Outlines:
    """An index over the county outlines and those of a site's own areas.

    Only boxes are read at once; an outline and its line when a point first comes into its box. Most points are near no
    line: they need one look into the tree, one test of what they lie in, and one look into each grid.
    """

    def __init__(self, drawn: Drawn) -> None:
        base = _base()
        ids = [*base.ids, *drawn.ids]
        # In the order of their ids, so that what is found need only be sorted by place.
        order = np.argsort(np.array(ids), kind="stable")
        self._ids = [ids[place] for place in order.tolist()]
        doubts = np.concatenate([base.precisions, drawn.precisions])[order]
        self._doubts: list[float] = doubts.tolist()
        self._read = [
            (base, place) if place < len(base.ids) else (drawn, place - len(base.ids))
            for place in order.tolist()
        ]
        self._shapes = np.full(len(ids), None, dtype=object)
        self._lines: list[Line | None] = [None] * len(ids)
        self._surely = [Near(area, inside=True, distance_m=math.inf, certain=True) for area in self._ids]
        self._tree = shapely.STRtree(surroundings(np.concatenate([base.boxes, drawn.boxes])[order], doubts))

    def at(self, latitude: float, longitude: float, accuracy_m: float) -> tuple[Near, ...]:
        """Areas that hold the point, on the line included, or whose line is nearer than the uncertainty, by id. A
        latitude or longitude that no place on Earth has finds nothing, and so does a fix too coarse to use."""
        if not (-90 < latitude < 90 and -180 <= longitude <= 180 and accuracy_m <= COARSEST_M):
            return ()
        if accuracy_m > GRID_M or abs(longitude) > _DATE_LINE:
            return self._the_long_way(latitude, longitude, accuracy_m)
        held, ways = self._look(latitude, longitude, accuracy_m)
        if ways:
            return self._told(held, ways)
        held.sort()
        surely = self._surely
        return tuple([surely[place] for place in held])

    def _look(
        self, latitude: float, longitude: float, accuracy_m: float
    ) -> tuple[list[int], dict[int, float]]:
        """What the point lies in, and metres to the lines that are nearer than the doubt, of those in its cells."""
        # A row of one: a lone point would be turned into one by the tree, which takes as long as its search.
        point = shapely.points([[longitude, latitude]])
        _, found = self._tree.query(point)
        at, ways, lines = cells_of(latitude, longitude), {}, self._lines
        for place in found.tolist():
            line = lines[place] or self._line(place)
            if pieces := line.near(at):
                way = line.distance(pieces, latitude, longitude)
                if way <= accuracy_m or way <= self._doubts[place]:
                    ways[place] = way
        held: list[int] = found[shapely.covers(self._shapes[found], point)].tolist()
        return held, ways

    def _line(self, place: int) -> Line:
        """Reads an outline, once."""
        source, number = self._read[place]
        shape = shapely.from_wkb(source.outline(number))
        shapely.prepare(shape)
        self._shapes[place] = shape
        # Last: another thread that sees the line must find the shape.
        line = self._lines[place] = Line(shape, self._doubts[place])
        return line

    def _told(self, held: Iterable[int], ways: dict[int, float]) -> tuple[Near, ...]:
        inside = set(held)
        return tuple(
            Near(self._ids[place], place in inside, round(ways[place], 1), certain=False)
            if place in ways
            else self._surely[place]
            for place in sorted(inside | ways.keys())
        )

    def _the_long_way(self, latitude: float, longitude: float, accuracy_m: float) -> tuple[Near, ...]:
        """Coarse fixes, and places that have two longitudes: what lies close by may be drawn at either end of the
        map."""
        turned = (longitude - math.copysign(360, longitude),) if abs(longitude) > _DATE_LINE else ()
        held: set[int] = set()
        ways: dict[int, float] = {}
        for at in (longitude, *turned):
            inside, near = self._look(latitude, at, accuracy_m)
            held |= set(inside)
            for place, way in (*near.items(), *self._around(latitude, at, accuracy_m)):
                ways[place] = min(way, ways.get(place, math.inf))
        return self._told(held, ways)

    def _around(self, latitude: float, longitude: float, accuracy_m: float) -> Iterator[tuple[int, float]]:
        """Metres to every line that may be nearer than the accuracy."""
        box = box_around(latitude, longitude, accuracy_m)
        for place in self._tree.query(shapely.box(*box)).tolist() if accuracy_m > GRID_M else ():
            line = self._lines[place] or self._line(place)
            way = line.distance(line.within(box), latitude, longitude)
            if way <= accuracy_m:
                yield place, way


@lru_cache(maxsize=1)
def _base() -> Drawn:
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        # The csv module refuses fields as long as Alaska's coast; no field here holds a comma.
        rows = [line.rstrip("\n").split(",") for line in table][1:]
    outlines = [bytes.fromhex(row[3]) for row in rows]
    boxes = shapely.bounds(shapely.from_wkb(np.array(outlines, dtype=object)))
    precisions = np.array([float(row[2]) for row in rows])
    return Drawn([f"county:{row[0]}" for row in rows], precisions, boxes, outlines.__getitem__)


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
