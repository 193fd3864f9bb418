"""An invented site's areas in real numbers: towns whose lines bend like real ones and stop at county lines, and schools
in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from routing import gazetteer, shapes
from routing.areas import Area

# Corners of a town's line before it is cut at the county's: of the Census places, half have fewer than 90.
_CORNERS = 96
_KINDS = ("Elementary School", "Middle School", "High School")


def towns(count: int) -> list[Area]:
    """Towns all over the country, in each county by its turn, always the same."""
    chance = np.random.default_rng(3)
    counties = [(area, shape) for area, shape in shapes.counties().items() if shapely.area(shape) > 0.01]
    turns = np.arange(count) % len(counties)
    held = np.array([shape for _, shape in counties], dtype=object)[turns]
    low, high = shapely.bounds(held)[:, :2], shapely.bounds(held)[:, 2:]
    centres = low + (high - low) * chance.uniform(0.2, 0.8, (count, 2))
    cut = shapely.intersection(shapely.make_valid(held), shapely.polygons(_blobs(chance, centres)))
    # Whose middle fell outside an odd county is drawn where it is.
    return [
        _town(number, counties[turn][0], shape)
        for number, (turn, shape) in enumerate(zip(turns, cut, strict=True))
        if shapely.area(shape) > 0
    ]


def schools(towns: list[Area], count: int) -> Iterator[Area]:
    """Schools in those towns by name, without outlines."""
    chance = random.Random(5)
    names = sorted({place.name for place in gazetteer.load().places.values()})
    for number in range(count):
        town, name = towns[number % len(towns)], f"{chance.choice(names)} {chance.choice(_KINDS)}"
        yield Area(
            f"school:nces-{number:012}", name, state=town.state, parents=((town.id, 1.0),),
            source="invented", vintage="2026", licence="none",
        )  # fmt: skip


def points(areas: list[Area], count: int) -> list[tuple[float, float, float]]:
    """(latitude, longitude, accuracy in metres): most in and around towns, as people are; the others anywhere."""
    chance = random.Random(7)
    spots = shapely.get_coordinates(
        shapely.point_on_surface(shapely.from_wkb([area.geometry for area in areas]))
    )
    found = []
    for _ in range(count):
        if chance.random() < 0.7:
            longitude, latitude = spots[chance.randrange(len(spots))].tolist()
            place = latitude + chance.gauss(0, 0.03), longitude + chance.gauss(0, 0.03)
        else:
            place = chance.uniform(26, 48), chance.uniform(-122, -72)
        found.append((*place, chance.choice((5.0, 10.0, 30.0, 65.0))))
    return found


def _blobs(chance: Any, centres: Any) -> Any:
    """Closed rings around the centres, 1 to 10 km wide, whose radius wanders."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    radii = chance.lognormal(np.log(0.025), 0.6, (len(centres), 1)).clip(0.005, 0.1)
    wander = sum(
        chance.normal(0, 0.25 / turn, (len(centres), 1))
        * np.cos(turn * angles + chance.uniform(0, 6, (len(centres), 1)))
        for turn in range(1, 9)
    )
    radii = radii * np.exp(wander + chance.normal(0, 0.03, (len(centres), _CORNERS)))
    around = np.stack([radii * np.cos(angles), radii * 0.8 * np.sin(angles)], axis=2)
    rings = centres[:, None, :] + around
    return np.concatenate([rings, rings[:, :1]], axis=1)


def _town(number: int, county: str, shape: Any) -> Area:
    parts = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.geom_type == "Polygon"]
    outline = shapely.to_wkb(shapely.union_all(parts), byte_order=1)
    return Area(
        f"place:bench-{number:06}", f"Town {number}", state=county[7:9], parents=((county, 1.0),),
        geometry=outline, source="invented", vintage="2026", licence="none",
    )  # fmt: skip
