"""What the grid of lines tells of a point is what the outlines themselves say, asked one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import shapely

from routing.area_set import Columns
from routing.areas import Area
from routing.boundaries import Boundaries
from routing.lines import metres_per_degree
from routing.outlines import Outlines

DOUBT_M = 50.0


def star(longitude: float, latitude: float, size: float, chance: random.Random) -> Any:
    """A closed ring whose radius jumps."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = np.array([size * chance.uniform(0.3, 1) for _ in angles])
    return shapely.Polygon(np.c_[longitude + radii * np.cos(angles), latitude + radii * np.sin(angles)])


@lru_cache(maxsize=1)
def shapes() -> dict[str, Any]:
    """Small and large ones, one with a hole, one of three islands, one across many cells."""
    chance = random.Random(4)
    found = {f"custom:{number}": star(-99, 38, 0.02 * 2**number, chance) for number in range(6)}
    found["custom:hole"] = star(-99, 38, 0.9, chance).buffer(0.3) - star(-99, 38, 0.2, chance)
    islands = [star(-99.3 + 0.3 * number, 38.2, 0.1, chance) for number in range(3)]
    found["custom:islands"] = shapely.MultiPolygon(islands)
    return found


@lru_cache(maxsize=2)
def outlines(*, stored: bool) -> Outlines:
    areas = [
        Area(area, area, geometry=shapely.to_wkb(shape, byte_order=1), precision_m=DOUBT_M)
        for area, shape in shapes().items()
    ]
    columns = Columns.of(areas)
    return Boundaries(Columns.from_bytes(columns.to_bytes()) if stored else columns).outlines


def points() -> Iterator[tuple[float, float]]:
    """Anywhere among them, on their corners, and close to their lines."""
    chance = random.Random(5)
    for _ in range(100):
        yield 38 + chance.gauss(0, 0.4), -99 + chance.gauss(0, 0.4)
    for shape in shapes().values():
        for longitude, latitude in shapely.get_coordinates(shape)[:4].tolist():
            yield latitude, longitude
            yield latitude + chance.gauss(0, 0.001), longitude + chance.gauss(0, 0.001)


@lru_cache(maxsize=1)
def truth() -> list[tuple[float, float, dict[str, tuple[bool, float]]]]:
    """Whether each shape holds each point, and metres to its line."""
    return [
        (latitude, longitude, {area: _said(shape, latitude, longitude) for area, shape in shapes().items()})
        for latitude, longitude in points()
    ]


def _said(shape: Any, latitude: float, longitude: float) -> tuple[bool, float]:
    scale = metres_per_degree(latitude)
    line = shapely.transform(shape.boundary, lambda at: (at - (longitude, latitude)) * scale)
    inside = shapely.intersects_xy(shape, longitude, latitude)
    return bool(inside), float(shapely.distance(line, shapely.Point(0, 0)))


@pytest.mark.parametrize("stored", [False, True], ids=["fresh", "stored"])
@pytest.mark.parametrize("accuracy_m", [10.0, 400.0])
def test_a_point_is_told_what_the_shapes_themselves_say(stored: bool, accuracy_m: float) -> None:
    doubt = max(accuracy_m, DOUBT_M)
    for latitude, longitude, shapes_say in truth():
        told = outlines(stored=stored).at(latitude, longitude, accuracy_m)
        own = [near for near in told if near.area in shapes_say]
        assert {near.area for near in own} == {
            area for area, (inside, way) in shapes_say.items() if inside or way <= doubt
        }
        for near in own:
            inside, way = shapes_say[near.area]
            assert (near.inside, near.certain) == (inside, way > doubt)
            assert near.distance_m == (pytest.approx(way, abs=0.06) if way <= doubt else np.inf)


def test_a_point_finds_the_outline_of_its_day() -> None:
    small, large = (shapely.to_wkb(shapes()[f"custom:{number}"], byte_order=1) for number in (2, 5))
    turn = date(2026, 7, 1)
    town = (
        Area("custom:town", "Town", geometry=small, valid_to=turn),
        Area("custom:town", "Town", geometry=large, valid_from=turn),
    )
    outside_of_the_small_one = 38.0, -99 + 0.25 * 0.6, 0.0
    told = [
        Boundaries(town).on(day).outlines.at(*outside_of_the_small_one) for day in (date(2026, 6, 30), turn)
    ]
    assert ["custom:town" in {near.area for near in found} for found in told] == [False, True]
