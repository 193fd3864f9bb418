"""TopoJSON into polygons: only as much of the format as a quantised atlas uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

Point = tuple[float, float]


def outlines(topology: dict[str, Any], layer: str) -> Iterator[tuple[str, str, BaseGeometry]]:
    """Yields (code, name, polygons in degrees WGS 84) of one object; rings that cross themselves are
    repaired. The geometry is empty where the simplified atlas has lost the area."""
    arcs = _arcs(topology)
    for entry in topology["objects"][layer]["geometries"]:
        yield entry["id"], entry["properties"]["name"], _shape(entry, arcs)


def _arcs(topology: dict[str, Any]) -> list[list[Point]]:
    (scale_x, scale_y), (shift_x, shift_y) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    decoded = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y, *_ in arc:
            x, y = x + step_x, y + step_y
            # Six digits are 10 cm; the atlas itself is good to 1 km.
            points.append((round(x * scale_x + shift_x, 6), round(y * scale_y + shift_y, 6)))
        decoded.append(points)
    return decoded


def _shape(entry: dict[str, Any], arcs: list[list[Point]]) -> BaseGeometry:
    polygons = [entry["arcs"]] if entry["type"] == "Polygon" else entry["arcs"]
    shapes = [_polygon(rings, arcs) for rings in polygons]
    whole = MultiPolygon([shape for shape in shapes if shape is not None])
    return shapely.union_all(whole) if whole.is_valid else _areal(shapely.make_valid(whole))


def _polygon(rings: list[list[int]], arcs: list[list[Point]]) -> Polygon | None:
    shell, *holes = [_ring(ring, arcs) for ring in rings]
    return Polygon(shell, [hole for hole in holes if len(hole) >= 4]) if len(set(shell)) >= 3 else None


def _ring(ring: list[int], arcs: list[list[Point]]) -> list[Point]:
    points: list[Point] = []
    for index in ring:
        # ~i names arc i walked backwards; each arc begins where the one before ended.
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points.extend(arc if not points else arc[1:])
    return points


def _areal(shape: BaseGeometry) -> BaseGeometry:
    """Only the polygons of what a repair has left; stray lines enclose nothing."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts)
