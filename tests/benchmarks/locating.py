"""Locating points among tens of thousands of outlines: beside a bare shapely loop, beside PostGIS where there is one,
and how it grows. CPU time; every answer is compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import shapely

from referrals.facts import Evidence, PlaceKind, Relation
from routing.area_set import Columns
from routing.areas import Area
from routing.boundaries import Boundaries
from routing.locate import locate
from routing.outlines import county_outlines
from tests.benchmarks import synthetic_areas

_TOWNS, _SCHOOLS, _POINTS, _ROUNDS, _ASKED_OF_POSTGIS = 23_000, 130_000, 20_000, 5, 2_000
_GROWTH = (1_000, 10_000, 100_000)

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


def rows(postgresql: str) -> Iterator[Row]:
    """The rows of the table. `postgresql`: the URL of a server, with PostGIS or without."""
    towns = synthetic_areas.towns(_TOWNS)
    drawn = {area.id: area.geometry for area in towns} | dict(county_outlines())
    boundaries, bare = Boundaries(towns), Bare.of(drawn)
    spots = synthetic_areas.points(towns, _POINTS)
    _compare([bare.named(spot) for spot in spots], boundaries, spots)
    yield _beside_bare(boundaries, bare, spots, len(drawn))
    yield from _beside_postgis(boundaries, drawn, spots[:_ASKED_OF_POSTGIS], postgresql)
    yield _loading(towns)
    yield _growth()


def _compare(told: list[set[str]], boundaries: Boundaries, spots: list[Spot]) -> None:
    """One by one: whoever is faster with other answers is not faster."""
    for names, spot in zip(told, spots, strict=True):
        held = {near.area for near in boundaries.outlines.at(*spot) if near.inside}
        if held != names:
            raise AssertionError(f"at {spot}: {sorted(held)} and {sorted(names)}")


def _beside_bare(boundaries: Boundaries, bare: Bare, spots: list[Spot], outlines: int) -> Row:
    at = boundaries.outlines.at
    pairs = [(_cpu_us(lambda spot: at(*spot), spots), _cpu_us(bare.at, spots)) for _ in range(_ROUNDS)]
    own, other = min(own for own, _ in pairs), min(other for _, other in pairs)
    whole = _cpu_us(lambda spot: locate([_evidence(spot)], boundaries, 0.9), spots)
    return (
        f"A point among {outlines:,} outlines, with ways to lines near by; {len(spots):,} points, all alike",
        f"{own:.1f} µs ({whole:.1f} µs with all that holds it, as evidence)",
        f"bare shapely STRtree, query and covers: {other:.1f} µs",
        f"{own / other:.2f} times its time",
    )


def _beside_postgis(
    boundaries: Boundaries, drawn: dict[str, Any], spots: list[Spot], postgresql: str
) -> Iterator[Row]:
    what = "The same point, asked one by one"
    with psycopg.connect(postgresql, autocommit=True) as server:
        try:
            server.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except psycopg.Error:
            yield what, "", "PostGIS: not installed here", "not measured"
            return
        _fill(server, drawn)
        # Its own computing takes place in another process, so both are measured by the clock on the wall.
        theirs, told = _wall_us(lambda spot: _of_postgis(server, spot), spots)
    _compare(told, boundaries, spots)
    own, _ = _wall_us(lambda spot: boundaries.outlines.at(*spot), spots)
    yield (
        what,
        f"{own:.0f} µs",
        f"PostGIS, GiST index, ST_Covers: {theirs:.0f} µs",
        f"{theirs / own:.1f} times faster",
    )


def _fill(server: psycopg.Connection[Any], drawn: dict[str, Any]) -> None:
    server.execute("CREATE TABLE drawn (id text, shape geometry(Geometry, 4326))")
    with server.cursor().copy("COPY drawn (id, shape) FROM STDIN") as copy:
        for area, outline in drawn.items():
            copy.write_row(
                (
                    area,
                    shapely.to_wkb(
                        shapely.set_srid(shapely.from_wkb(outline), 4326), hex=True, include_srid=True
                    ),
                )
            )
    server.execute("CREATE INDEX ON drawn USING gist (shape)")
    server.execute("VACUUM ANALYZE drawn")


def _of_postgis(server: psycopg.Connection[Any], spot: Spot) -> set[str]:
    query = "SELECT id FROM drawn WHERE ST_Covers(shape, ST_SetSRID(ST_MakePoint(%s, %s), 4326))"
    return {row[0] for row in server.execute(query, (spot[1], spot[0]), prepare=True)}


def _loading(towns: list[Area]) -> Row:
    packed = Columns.of([*towns, *synthetic_areas.schools(towns, _SCHOOLS)]).to_bytes()
    taken = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        boundaries = Boundaries(Columns.from_bytes(packed))
        ready = boundaries.digest, boundaries.outlines.at(33.4, -111.9, 10), boundaries.schools_named("x")
        taken.append(time.process_time() - start)
        assert ready[1]
    return (
        f"Loading a boundary set of {_SCHOOLS:,} schools and {len(towns):,} outlines into a worker",
        f"{min(taken):.2f} s of CPU",
        f"{len(packed) / 1e6:.0f} MB as stored",
        "aim: under 1 s",
    )


def _growth() -> Row:
    measured = {}
    for count in _GROWTH:
        towns = synthetic_areas.towns(count)
        at, spots = Boundaries(towns).outlines.at, synthetic_areas.points(towns, 5_000)
        measured[count] = min(_cpu_us(lambda spot, at=at: at(*spot), spots) for _ in range(3))  # type: ignore[misc]
    told = ", ".join(f"{count:,}: {taken:.1f} µs" for count, taken in measured.items())
    few, many = measured[_GROWTH[0]], measured[_GROWTH[-1]]
    return (
        "A point as outlines grow, beside the counties",
        told,
        "",
        f"100 times as many: {many / few:.2f} times the time",
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


def _wall_us(ask: Callable[[Spot], Any], spots: list[Spot]) -> tuple[float, list[Any]]:
    start = time.perf_counter()
    told = [ask(spot) for spot in spots]
    return (time.perf_counter() - start) / len(spots) * 1e6, told
