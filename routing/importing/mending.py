"""Mending: outlines from elsewhere are made valid, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.affinity import translate

SWAPPED = "latitude and longitude look swapped"
# Nobody of ours lives nearer to a pole, and longitudes mean nothing there.
_POLE = 89.9
_DRAWN = {"Polygon", "MultiPolygon"}
# West, south, east and north of a shape.
Box = Sequence[float]


@dataclass(frozen=True)
class Mended:
    """A shape that can be used, with what was done to it; or None, with the reason."""

    shape: Any
    notes: tuple[str, ...] = ()
    fault: str = ""


def mend(shape: Any) -> Mended:
    """A polygon or a point in degrees, longitude first, as one that can be used. Self-crossings are repaired, what
    crosses the 180th meridian is cut there, and both are said; whatever cannot be trusted is refused."""
    if shape is None or shape.is_empty:
        return Mended(None, fault="the shape is empty")
    flat = shapely.force_2d(shape)
    box = shapely.bounds(flat).tolist()
    if fault := next((said for wrong, said in _REFUSED if wrong(flat, box)), ""):
        return Mended(None, fault=fault)
    return Mended(flat) if flat.geom_type == "Point" else _outline(flat)


def _outline(shape: Any) -> Mended:
    cut, notes = shape, []
    if _jumps(shape):
        parts = [part for polygon in shapely.get_parts(shape) for part in _cut(polygon)]
        if not parts:
            return Mended(None, fault="the outline goes round a pole")
        cut = shapely.union_all([shapely.make_valid(part) for part in parts])
        notes.append("the outline crosses the 180th meridian and was cut there")
    if not cut.is_valid:
        notes.append(
            f"the outline was repaired ({shapely.is_valid_reason(cut).replace('[', ' near ').rstrip(']')})"
        )
        cut = _surfaces(shapely.make_valid(cut))
    if not shapely.area(cut) > 0:
        return Mended(None, fault="the outline encloses nothing")
    return Mended(cut, tuple(notes))


def _surfaces(shape: Any) -> Any:
    """Without the lines and points that a repair leaves behind."""
    return shapely.union_all([part for part in shapely.get_parts(shape) if part.geom_type in _DRAWN])


def _not_a_surface(shape: Any, box: Box) -> bool:
    return shape.geom_type not in {*_DRAWN, "Point"}


def _no_number(shape: Any, box: Box) -> bool:
    return not np.isfinite(shapely.get_coordinates(shape)).all()


def _looks_swapped(shape: Any, box: Box) -> bool:
    west, south, east, north = box
    return max(-south, north) > 90 and max(-west, east) <= 90


def _off_earth(shape: Any, box: Box) -> bool:
    west, south, east, north = box
    return west < -180 or east > 180 or south < -90 or north > 90


def _polar(shape: Any, box: Box) -> bool:
    _, south, _, north = box
    return max(-south, north) > _POLE


# In this order: each may rely on those before it.
_REFUSED: tuple[tuple[Callable[[Any, Box], bool], str], ...] = (
    (_not_a_surface, "the shape is a line or a mixture; a polygon or a point is needed"),
    (_no_number, "a coordinate is no number"),
    (_looks_swapped, SWAPPED),
    (_off_earth, "the shape lies nowhere on Earth; the longitude comes first, both in degrees"),
    (_polar, "the shape touches a pole"),
)


def _rings(shape: Any) -> Iterable[Any]:
    for polygon in shapely.get_parts(shape):
        yield from (polygon.exterior, *polygon.interiors)


def _jumps(shape: Any) -> bool:
    """Whether an edge seems to run round the far side of the Earth: it crosses the 180th meridian instead."""
    return any((np.abs(np.diff(shapely.get_coordinates(ring)[:, 0])) > 180).any() for ring in _rings(shape))


def _cut(polygon: Any) -> list[Any]:
    """The pieces of a polygon on either side of the 180th meridian; none if it goes round a pole."""
    rings = [_unrolled(ring) for ring in _rings(polygon)]
    if any(abs(ring[0, 0] - ring[-1, 0]) > 1 for ring in rings):
        return []
    outer, holes = rings[0], [_beside(ring, rings[0]) for ring in rings[1:]]
    whole = shapely.make_valid(shapely.Polygon(outer, holes))
    cells = [(turn, shapely.box(turn - 180, -90, turn + 180, 90)) for turn in (-360, 0, 360)]
    pieces = [translate(shapely.intersection(whole, cell), -turn) for turn, cell in cells]
    return [piece for piece in pieces if shapely.area(piece) > 0]


def _unrolled(ring: Any) -> Any:
    line = shapely.get_coordinates(ring)
    line[:, 0] = np.unwrap(line[:, 0], period=360)
    return line


def _beside(ring: Any, outer: Any) -> Any:
    """A hole on the same turn of the Earth as its outer ring."""
    turns = np.round((outer[:, 0].mean() - ring[:, 0].mean()) / 360)
    return ring + np.array((turns * 360, 0))
