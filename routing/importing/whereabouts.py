"""Whereabouts: in which areas something lies, by its point or its outline, where no column says it.

Nobody is put on one side of a line that is too near to tell. What is surely inside has the share 1; near a line every
candidate has an equal share, below the floor from which a share may lead, so that a person is asked.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import shapely

from routing import shapes
from routing.areas import COVERING_LAYERS, LAYER_RANKS, Shares, layer_of
from routing.boundaries import Boundaries
from routing.outlines import Near

# So far from land a place may lie and still be its state's: an island, a pier, a coarse coast. In metres.
_OFFSHORE_M = 5_000.0
# A smaller outline is found like a point that is as exact as it is wide. In metres.
_SMALL_M = 3_000.0
# Coarse county lines cut slivers off what lies along them: so small a part of the whole is one.
_SLIVER = 0.03
_VERTICES = 12


def lies_in(
    boundaries: Boundaries, places: Sequence[tuple[float, float]], state: str, precision_m: float
) -> bool:
    """Whether any of these (latitude, longitude) lies in the state, or just off it; "": in any state."""
    # Nearly all lie in it: few need the second, slower look.
    asked = ((place, reach) for reach in (precision_m, _OFFSHORE_M) for place in places)
    return any(
        near.area.startswith(f"county:{state}")
        for place, reach in asked
        for near in _near(boundaries, place, reach)
    )


@lru_cache(maxsize=64)
def _near(boundaries: Boundaries, place: tuple[float, float], accuracy_m: float) -> tuple[Near, ...]:
    """The same point is asked for more than once while its row is checked."""
    return boundaries.outlines.at(*place, accuracy_m)


def sample(shape: Any) -> list[tuple[float, float]]:
    """Some (latitude, longitude) of a point or an outline: its inner point, and points of its line."""
    if shape.geom_type == "Point":
        return [(shape.y, shape.x)]
    line = shapely.get_coordinates(shape)
    step = max(len(line) // _VERTICES, 1)
    inner = shapely.point_on_surface(shape)
    return [(inner.y, inner.x), *((y, x) for x, y in line[::step].tolist())]


def parents_of(boundaries: Boundaries, shape: Any, layer: str, precision_m: float) -> Shares:
    """Which areas of less specific layers hold it, with shares. An outline of some size is only asked for its
    counties: what else it overlaps is found at the point of each piece of evidence."""
    half = 0.0 if shape.geom_type == "Point" else _half_width_m(shape)
    if half > _SMALL_M:
        return _counties_under(shape)
    near = _near(boundaries, sample(shape)[0], max(half, precision_m))
    named = layer in {"school", "campus"}
    return _shares(
        entry
        for entry in near
        if LAYER_RANKS[layer_of(entry.area)] < LAYER_RANKS[layer]
        and (named or layer_of(entry.area) in COVERING_LAYERS)
    )


def _shares(near: Iterable[Near]) -> Shares:
    by_layer: dict[str, list[Near]] = defaultdict(list)
    for entry in near:
        by_layer[layer_of(entry.area)].append(entry)
    return tuple(sorted(pair for layer, found in by_layer.items() for pair in _in_layer(layer, found)))


def _in_layer(layer: str, found: list[Near]) -> list[tuple[str, float]]:
    certain = [(entry.area, 1.0) for entry in found if entry.certain]
    if layer in COVERING_LAYERS:
        # It lies in exactly one of them, also where a coarse coast leaves it in the sea.
        return certain or [(entry.area, round(1 / len(found), 4)) for entry in found]
    return certain + [(entry.area, 0.5) for entry in found if not entry.certain]


def _counties_under(shape: Any) -> Shares:
    ids, drawn, tree = _counties()
    over = tree.query(shape, predicate="intersects")
    parts = shapely.area(shapely.intersection(drawn[over], shape)) / shapely.area(shape)
    shares = ((ids[index], _rounded(float(part))) for index, part in zip(over.tolist(), parts, strict=True))
    return tuple(sorted((area, share) for area, share in shares if share))


def _rounded(share: float) -> float:
    if share > 1 - _SLIVER:
        return 1.0
    return round(share, 4) if share > _SLIVER else 0.0


@lru_cache(maxsize=1)
def _counties() -> tuple[tuple[str, ...], Any, Any]:
    known = shapes.counties()
    drawn = shapely.make_valid(list(known.values()))
    shapely.prepare(drawn)
    return tuple(known), drawn, shapely.STRtree(drawn)


def _half_width_m(shape: Any) -> float:
    west, south, east, north = shapely.bounds(shape)
    across = (east - west) * math.cos(math.radians((south + north) / 2))
    return 111_320 * math.hypot(across, north - south) / 2
