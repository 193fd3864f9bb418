"""Outlines: which areas a point lies in, or may lie in, with distances in metres. The only file that needs
shapely."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from routing.areas import Area, AreaFault
from routing.gazetteer import DATA

# A fix that is coarser than this says nothing that a county could be chosen by.
COARSEST_M = 50_000.0


@dataclass(frozen=True)
class Near:
    """An area at, or near, a point. `distance_m` is the way to its line; `certain` if the point is inside and
    farther from the line than the evidence's accuracy and the line's own precision."""

    area: str
    inside: bool
    distance_m: float
    certain: bool


class Outlines:
    """An index over the county outlines and those of a site's own areas."""

    def __init__(self, extra: Iterable[Area]) -> None:
        ids, precisions, shapes = _base()
        own = [area for area in extra if area.geometry]
        drawn = [_drawn(area) for area in own]
        self._ids = (*ids, *(area.id for area in own))
        self._precisions = (*precisions, *(area.precision_m for area in own))
        self._shapes = np.concatenate([shapes, np.array(drawn, dtype=object)]) if drawn else shapes
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)
        self._reach = max(self._precisions)

    def at(self, latitude: float, longitude: float, accuracy_m: float) -> tuple[Near, ...]:
        """Areas that hold the point, on the line included, or whose line is nearer than the uncertainty. A
        latitude or longitude that no place on Earth has finds nothing, and so does a fix too coarse to use."""
        on_earth = -90 < latitude < 90 and -180 <= longitude <= 180
        if not (on_earth and accuracy_m <= COARSEST_M):
            return ()
        accuracy_m = max(accuracy_m, 0.0)
        box = _box(latitude, longitude, max(accuracy_m, self._reach))
        point = shapely.Point(longitude, latitude)
        found = (
            self._near(index, point, accuracy_m) for index in self._tree.query(shapely.box(*box)).tolist()
        )
        return tuple(sorted((near for near in found if near), key=lambda near: near.area))

    def _near(self, index: int, point: Any, accuracy_m: float) -> Near | None:
        shape, doubt = self._shapes[index], max(accuracy_m, self._precisions[index])
        inside = bool(shapely.covers(shape, point))
        distance = _line_distance(shape, point, doubt)
        if not inside and distance > doubt:
            return None
        return Near(self._ids[index], inside, round(distance, 1), certain=inside and distance > doubt)


def _drawn(area: Area) -> Any:
    """The area's shape, repaired where it crosses itself. Raises AreaFault where it encloses nothing on Earth."""
    try:
        shape = shapely.make_valid(shapely.from_geojson(area.geometry))
    except shapely.errors.ShapelyError as fault:
        raise AreaFault(f"{area.id}: the outline cannot be read") from fault
    if not shapely.area(shape) > 0:
        raise AreaFault(f"{area.id}: the outline encloses nothing")
    west, south, east, north = shapely.bounds(shape)
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise AreaFault(f"{area.id}: the outline lies nowhere on Earth; the longitude comes first")
    return shape


def _line_distance(shape: Any, point: Any, enough: float) -> float:
    """Metres from the point to the shape's line; more than `enough` is answered with infinity."""
    # Only the line close by is measured: on a plane that touches the Earth at the point, exact to a
    # millionth there.
    latitude, longitude = point.y, point.x
    line = shape.boundary if shape.geom_type != "Point" else shape
    near = shapely.clip_by_rect(line, *_box(latitude, longitude, enough))
    if near.is_empty:
        return math.inf
    along, across = _metres_per_degree(latitude)
    flat = shapely.transform(near, lambda at: (at - (longitude, latitude)) * (along, across))
    return float(shapely.distance(flat, shapely.Point(0, 0)))


def _box(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    along, across = _metres_per_degree(latitude)
    wide, high = metres * 1.01 / along, metres * 1.01 / across
    return longitude - wide, latitude - high, longitude + wide, latitude + high


def _metres_per_degree(latitude: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude on the WGS 84 ellipsoid, in metres."""
    phi = math.radians(latitude)
    across = 111_132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    along = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    return along, across


def _base() -> tuple[tuple[str, ...], tuple[float, ...], Any]:
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        # The csv module refuses fields as long as Alaska's coast; no field here holds a comma.
        rows = [line.rstrip("\n").split(",") for line in table][1:]
    ids = tuple(f"county:{row[0]}" for row in rows)
    return ids, tuple(float(row[2]) for row in rows), shapely.from_wkb([row[3] for row in rows])


def misdrawn() -> frozenset[str]:
    """Counties whose outline in the source is lost or wrong; a point stands for them. For the gap report."""
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        rows = (line.split(",", 2) for line in table)
        return frozenset(f"county:{code}" for code, drawn, _ in rows if drawn == "misdrawn")
