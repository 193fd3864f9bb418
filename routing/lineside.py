"""Line-side points: places close to the lines of outlines, on both sides, where a change of rules shows first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from referrals.facts import Evidence, PlaceKind, Relation
from routing import gazetteer, shapes
from routing.boundaries import Boundaries

# Points stand so far from a line, and are known so well, in metres.
ASIDE_M, ACCURACY_M = 300.0, 10.0
# On each side of each line so many, at equal steps.
ON_EACH = 4
# A degree of a sphere like the Earth, in metres: exact enough to stand 300 m aside.
_DEGREE_M = 111_195.0
# So far beyond its line an outline is felt, in degrees: more than the coarsest line's doubt and the 300 m.
_FELT = 0.05


@dataclass(frozen=True)
class Beside:
    """Points beside lines. `all_of_them` were asked for; those that no reached outline is near were left out, and
    `degrees` holds the others, one a row: longitude, latitude. `areas` are those of whose lines they are."""

    all_of_them: int
    degrees: Any
    areas: list[str]

    def evidence(self, row: int, relation: Relation) -> Evidence:
        """The point of that row as evidence of place."""
        longitude, latitude = self.degrees[row].tolist()
        return Evidence(
            PlaceKind.POINT, relation, latitude=latitude, longitude=longitude, accuracy_m=ACCURACY_M
        )


def beside(ruled: Iterable[str], reached: Iterable[str], *maps: Boundaries) -> Beside:
    """Points 300 m on either side of the line of each ruled area that a map draws, as far as they are near an outline
    of a reached area."""
    drawn = [(area, _outer(shape)) for area in ruled for shape in _drawn(area, maps)]
    lines = [line for _, line in drawn]
    felt = [shape for area in reached for shape in _drawn(area, maps)]
    everything = len(lines) * 2 * ON_EACH
    near = _meet(lines, felt)
    found = [_along(lines[number]) for number in near]
    degrees = np.concatenate(found) if found else np.empty((0, 2))
    degrees[:, 0] = (degrees[:, 0] + 180) % 360 - 180
    return Beside(everything, degrees, [drawn[number][0] for number in near for _ in range(2 * ON_EACH)])


def outlined(boundaries: Boundaries) -> Iterable[str]:
    """Every area with an outline: the country's counties and a site's own."""
    return (*gazetteer.load().counties, *boundaries.extra.drawn().ids)


def _drawn(area: str, maps: Sequence[Boundaries]) -> list[Any]:
    found = [shape for boundaries in maps if (shape := shapes.shape_of(area, boundaries)) is not None]
    # The same map twice draws the same line twice.
    return found[:1] if len(found) > 1 and shapely.equals_exact(found[0], found[-1]) else found


def _outer(shape: Any) -> Any:
    """Its longest ring: islands smaller than it have the same neighbours."""
    rings = shapely.get_exterior_ring(shapely.get_parts(shape))
    return max(rings.tolist(), key=shapely.length)


def _meet(lines: Sequence[Any], felt: Sequence[Any]) -> list[int]:
    """Numbers of the lines whose box meets that of a felt outline: one bulk question to a tree."""
    if not lines or not felt:
        return []
    boxes = shapely.bounds(np.array(lines, dtype=object)) + np.array([-_FELT, -_FELT, _FELT, _FELT])
    tree = shapely.STRtree(np.array(felt, dtype=object))
    asked, _ = tree.query(shapely.box(*boxes.T))
    return sorted({*asked.tolist()})


def _along(line: Any) -> Any:
    """Points on both sides at equal steps, as rows of degrees."""
    at = (np.arange(ON_EACH) + 0.5) / ON_EACH
    here = shapely.get_coordinates(shapely.line_interpolate_point(line, at, normalized=True))
    there = shapely.get_coordinates(shapely.line_interpolate_point(line, at + 1e-4, normalized=True))
    across = np.cos(np.radians(here[:, 1:2]))
    scale = np.hstack([across, np.ones_like(across)]) * _DEGREE_M
    way = (there - here) * scale
    length = np.linalg.norm(way, axis=1, keepdims=True)
    way = np.divide(way, length, out=np.zeros_like(way), where=length > 0)
    aside = np.column_stack([-way[:, 1], way[:, 0]]) * ASIDE_M / scale
    return np.concatenate([here + aside, here - aside])
