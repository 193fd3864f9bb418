"""Locating points among tens of thousands of outlines: beside a bare shapely loop, beside PostGIS where there is one,
and how it grows. CPU time; every answer is compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import shapely

from referrals.facts import Evidence, PlaceKind, Relation
from routing.areas import Area
from routing.boundaries import Boundaries
from routing.locate import locate
from routing.outlines import county_outlines
from tests.benchmarks import growing_map, postgis, synthetic_areas

_TOWNS, _SCHOOLS, _POINTS, _ROUNDS, _ASKED_OF_POSTGIS = 23_000, 130_000, 20_000, 5, 2_000
# So many points are asked before the other side is.
_AT_ONCE = 500
_GROWTH, _GROWTH_POINTS = (1_000, 10_000, 25_000, 100_000), 3_000

Spot = tuple[float, float, float]
Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class Bare:
    """What anybody would write: a tree, prepared outlines, and one test of what the tree finds."""

    ids: list[str]
    shapes: Any
    tree: shapely.STRtree

    @classmethod
    def of(cls, outlines: dict[str, Any]) -> Bare:
        """The same outlines as `Outlines` has."""
        shapes = shapely.from_wkb(list(outlines.values()))
        shapely.prepare(shapes)
        return cls(list(outlines), shapes, shapely.STRtree(shapes))

    def at(self, spot: Spot) -> Any:
        """Places of the outlines that hold the point."""
        point = shapely.points([spot[1], spot[0]])
        found = self.tree.query(point)
        return found[shapely.covers(self.shapes[found], point)]

    def named(self, spot: Spot) -> set[str]:
        """Ids of the outlines that hold the point."""
        return {self.ids[place] for place in self.at(spot).tolist()}


def rows(folder: Path, postgresql: str) -> Iterator[Row]:
    """The rows of the table. `postgresql`: the URL of a server, with PostGIS or without."""
    towns = synthetic_areas.towns(_TOWNS)
    drawn = {area.id: area.geometry for area in towns} | dict(county_outlines())
    boundaries, bare = Boundaries(towns), Bare.of(drawn)
    spots = synthetic_areas.points(towns, _POINTS)
    _compare([bare.named(spot) for spot in spots], boundaries, spots)
    yield _beside_bare(boundaries, bare, spots, len(drawn))
    yield from postgis.beside(boundaries, towns, spots[:_ASKED_OF_POSTGIS], postgresql)
    yield _loading(folder, towns)
    yield from _growth(folder)


def _compare(told: list[set[str]], boundaries: Boundaries, spots: list[Spot]) -> None:
    """One by one: whoever is faster with other answers is not faster."""
    for names, spot in zip(told, spots, strict=True):
        held = {near.area for near in boundaries.outlines.at(*spot) if near.inside}
        if held != names:
            raise AssertionError(f"at {spot}: {sorted(held)} and {sorted(names)}")


def _beside_bare(boundaries: Boundaries, bare: Bare, spots: list[Spot], outlines: int) -> Row:
    pairs = [pair for some in _some(spots) for pair in _pairs(boundaries.outlines.at, bare, some)]
    own, other = (median(times) for times in zip(*pairs, strict=True))
    whole = _cpu_us(lambda spot: locate([_evidence(spot)], boundaries, 0.9), spots)
    return (
        f"A point among {outlines:,} outlines, with ways to lines near by; {len(spots):,} points, all alike",
        f"{own:.1f} µs ({whole:.1f} µs with all that holds it, as evidence)",
        f"bare shapely STRtree, query and covers: {other:.1f} µs",
        f"{median(one / two for one, two in pairs):.2f} times its time",
    )


def _some(spots: list[Spot]) -> Iterator[list[Spot]]:
    # Few at a time, in turn: what else the machine does hits both alike.
    for start in range(0, len(spots), _AT_ONCE):
        yield spots[start : start + _AT_ONCE]


def _pairs(at: Callable[..., Any], bare: Bare, spots: list[Spot]) -> list[tuple[float, float]]:
    return [(_cpu_us(lambda spot: at(*spot), spots), _cpu_us(bare.at, spots)) for _ in range(_ROUNDS)]


def _loading(folder: Path, towns: list[Area]) -> Row:
    cost = growing_map.worker(folder, towns, synthetic_areas.schools(towns, _SCHOOLS), 1_000)
    stored = (folder / "areas").stat().st_size
    return (
        f"A snapshot of {_SCHOOLS:,} schools, {cost.outlines:,} outlines and {cost.rules:,} rules in a worker",
        f"loaded in {cost.load_s:.2f} s of CPU, {cost.areas_s:.2f} s of it for the areas",
        f"{cost.memory_mb:.0f} MB of memory; the areas as stored: {stored / 1e6:.0f} MB",
        "aim: under 1 s",
    )


def _growth(folder: Path) -> Iterator[Row]:
    least = 0.0
    for count in _GROWTH:
        cost = growing_map.worker(folder, synthetic_areas.towns(count), (), _GROWTH_POINTS)
        least = least or cost.located
        yield (
            f"A point among {cost.outlines:,} outlines, {cost.rules:,} rules",
            f"{cost.located:.1f} µs, the first time p99 {cost.first_p99:.0f} µs; a whole decision p50 "
            f"{cost.decided_p50:.0f} µs, p99 {cost.decided_p99:.0f} µs",
            f"loaded in {cost.load_s:.2f} s of CPU ({cost.areas_s:.2f} s the areas); {cost.memory_mb:.0f} MB, "
            f"{cost.later_mb:.0f} MB when all points were asked",
            f"{cost.located / least:.2f} times the smallest",
        )


def _evidence(spot: Spot) -> Evidence:
    latitude, longitude, accuracy_m = spot
    return Evidence(
        PlaceKind.POINT, Relation.TARGET, latitude=latitude, longitude=longitude, accuracy_m=accuracy_m
    )


def _cpu_us(ask: Callable[[Spot], Any], spots: list[Spot]) -> float:
    start = time.process_time()
    for spot in spots:
        ask(spot)
    return (time.process_time() - start) / len(spots) * 1e6
