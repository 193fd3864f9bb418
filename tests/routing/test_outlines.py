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
            # Some 100 m off, and some 300 m.
            for off in (0.001, 0.003):
                yield latitude + chance.gauss(0, off), longitude + chance.gauss(0, off)


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
@pytest.mark.parametrize("accuracy_m", [10.0, 90.0, 400.0])
def test_a_point_is_told_what_the_shapes_themselves_say(stored: bool, accuracy_m: float) -> None:
    doubt = max(accuracy_m, DOUBT_M)
    for latitude, longitude, shapes_say in truth():
        told = outlines(stored=stored).at(latitude, longitude, accuracy_m)
        assert [near.area for near in told] == sorted(near.area for near in told)
        own = [near for near in told if near.area in shapes_say]
        assert {near.area for near in own} == {
            area for area, (inside, way) in shapes_say.items() if inside or way <= doubt
        }
        for near in own:
            inside, way = shapes_say[near.area]
            assert (near.inside, near.certain) == (inside, way > doubt)
            assert near.distance_m == (pytest.approx(way, abs=0.06) if way <= doubt else np.inf)


# What stands where the map ends is drawn at its one end, at the other, or in two pieces. Their lines are 0.0005 degrees
# from the end; the end itself is no line.
EAST, WEST = shapely.box(179.9, 52, 179.9995, 52.1), shapely.box(-179.9995, 52, -179.9, 52.1)
BOTH = shapely.MultiPolygon([EAST, WEST])


@pytest.mark.parametrize(
    ("shape", "longitude", "degrees"),
    [
        (EAST, 179.9998, 0.0003), (EAST, -179.9998, 0.0007), (WEST, 179.9998, 0.0007), (WEST, -179.9998, 0.0003),
        (BOTH, 179.9998, 0.0003), (BOTH, -179.9998, 0.0003),
    ],
)  # fmt: skip
@pytest.mark.parametrize("accuracy_m", [10.0, 3000.0])
def test_a_point_where_the_map_ends_is_near_what_is_drawn_at_its_other_end(
    shape: Any, longitude: float, degrees: float, accuracy_m: float
) -> None:
    end = Area("custom:end", "End", geometry=shapely.to_wkb(shape, byte_order=1), precision_m=DOUBT_M)
    found = [
        near for near in Boundaries([end]).outlines.at(52.05, longitude, accuracy_m) if near.area == end.id
    ]
    assert [near.distance_m for near in found] == [
        pytest.approx(degrees * metres_per_degree(52.05)[0], abs=0.06)
    ]


@pytest.mark.parametrize("place", [(90.0, 0.0), (-90.0, 0.0), (38.0, 180.1), (float("nan"), -99.0)])
def test_what_no_place_on_earth_has_finds_nothing(place: tuple[float, float]) -> None:
    drawn = [shapely.box(-1, 89, 1, 91), shapely.box(-1, -91, 1, -89), shapely.box(179, 37, 181, 39)]
    beyond = [
        Area(f"custom:{number}", "Beyond", geometry=shapely.to_wkb(shape, byte_order=1))
        for number, shape in enumerate(drawn)
    ]
    assert Boundaries(beyond).outlines.at(*place, 0.0) == ()


def test_a_fix_too_coarse_to_use_finds_nothing() -> None:
    found = [outlines(stored=False).at(38, -99, metres) for metres in (50_000, 50_001)]
    assert [bool(each) for each in found] == [True, False]


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
