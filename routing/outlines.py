"""Outlines: which areas a point lies in, or may lie in, with distances in metres."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from routing.gazetteer import DATA
from routing.lines import GRID_M, Lines, box_around

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
    """An index over the county outlines and those of a site's own areas: ids, precisions in metres, outlines as WKB.

    Most points are near no line: they need one look into the tree and one test of what they lie in.
    """

    def __init__(self, ids: Sequence[str], precisions: Sequence[float], outlines: Sequence[bytes]) -> None:
        base_ids, base_precisions, base_shapes = _base()
        shapes = np.concatenate([base_shapes, shapely.from_wkb(np.array(outlines, dtype=object))])
        named = np.array([*base_ids, *ids])
        # In the order of their ids, so that what is found need only be sorted by place.
        order = np.argsort(named, kind="stable")
        self._ids: list[str] = named[order].tolist()
        self._shapes = shapes[order]
        doubts = np.array([*base_precisions, *precisions], dtype=np.float64)[order]
        self._doubts: list[float] = doubts.tolist()
        self._surely = [Near(area, inside=True, distance_m=math.inf, certain=True) for area in self._ids]
        self._lines = Lines(self._shapes, doubts)
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)

    def at(self, latitude: float, longitude: float, accuracy_m: float) -> tuple[Near, ...]:
        """Areas that hold the point, on the line included, or whose line is nearer than the uncertainty, by id. A
        latitude or longitude that no place on Earth has finds nothing, and so does a fix too coarse to use."""
        if not (-90 < latitude < 90 and -180 <= longitude <= 180 and accuracy_m <= COARSEST_M):
            return ()
        if accuracy_m > GRID_M or abs(longitude) > _DATE_LINE:
            return self._the_long_way(latitude, longitude, accuracy_m)
        held, pieces = self._held(latitude, longitude), self._lines.near(latitude, longitude)
        if pieces:
            return self._told(held, self._lines.distances(pieces, latitude, longitude), accuracy_m)
        held.sort()
        surely = self._surely
        return tuple([surely[place] for place in held])

    def _held(self, latitude: float, longitude: float) -> list[int]:
        """What the point lies in."""
        # A row of one: a lone point would be turned into one by the tree, which takes as long as its search.
        point = shapely.points([[longitude, latitude]])
        _, found = self._tree.query(point)
        held: list[int] = found[shapely.covers(self._shapes[found], point)].tolist()
        return held

    def _told(self, held: Iterable[int], ways: dict[int, float], accuracy_m: float) -> tuple[Near, ...]:
        inside, found = set(held), []
        for place in sorted(inside | ways.keys()):
            way = ways.get(place, math.inf)
            if way > max(accuracy_m, self._doubts[place]):
                if place in inside:
                    found.append(self._surely[place])
            else:
                found.append(Near(self._ids[place], place in inside, round(way, 1), certain=False))
        return tuple(found)

    def _the_long_way(self, latitude: float, longitude: float, accuracy_m: float) -> tuple[Near, ...]:
        """Coarse fixes, and places that have two longitudes: what lies close by may be drawn at either end of the
        map."""
        turned = (longitude - math.copysign(360, longitude),) if abs(longitude) > _DATE_LINE else ()
        held: set[int] = set()
        ways: dict[int, float] = {}
        for at in (longitude, *turned):
            held |= set(self._held(latitude, at))
            for place, way in self._lines.distances(
                self._around(latitude, at, accuracy_m), latitude, at
            ).items():
                ways[place] = min(way, ways.get(place, math.inf))
        return self._told(held, ways, accuracy_m)

    def _around(self, latitude: float, longitude: float, accuracy_m: float) -> list[int]:
        """Pieces of line that may be nearer than the accuracy or their own doubt."""
        near = self._lines.near(latitude, longitude)
        if accuracy_m <= GRID_M:
            return near
        box = box_around(latitude, longitude, accuracy_m)
        shapes = self._tree.query(shapely.box(*box)).tolist()
        return near + self._lines.within(shapes, box)


@lru_cache(maxsize=1)
def _base() -> tuple[tuple[str, ...], tuple[float, ...], Any]:
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        # The csv module refuses fields as long as Alaska's coast; no field here holds a comma.
        rows = [line.rstrip("\n").split(",") for line in table][1:]
    ids = tuple(f"county:{row[0]}" for row in rows)
    return ids, tuple(float(row[2]) for row in rows), shapely.from_wkb([row[3] for row in rows])


def county_bounds() -> Iterable[tuple[str, tuple[float, float, float, float]]]:
    """Every county with west, south, east and north of its outline."""
    ids, _, shapes = _base()
    return zip(ids, map(tuple, shapely.bounds(shapes).tolist()), strict=True)


def bounds(outline: bytes) -> tuple[float, float, float, float]:
    """West, south, east and north of an outline in WKB."""
    west, south, east, north = shapely.bounds(shapely.from_wkb(outline)).tolist()
    return west, south, east, north


def misdrawn() -> frozenset[str]:
    """Counties whose outline in the source is lost or wrong; a point stands for them. For the gap report."""
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        rows = (line.split(",", 2) for line in table)
        return frozenset(f"county:{code}" for code, drawn, _ in rows if drawn == "misdrawn")
