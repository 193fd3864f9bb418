"""Locating beside PostGIS, as an application would ask it: over a local socket, one prepared query a point."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import shapely

from routing.areas import Area
from routing.boundaries import Boundaries
from routing.gazetteer import DATA
from routing.outlines import county_outlines

# So many points are asked on one side, then on the other: what else the machine does hits both alike.
_AT_ONCE = 200

Spot = tuple[float, float, float]

_TABLE = """
DROP TABLE IF EXISTS waypost_drawn;
CREATE TABLE waypost_drawn (id text, precision_m float8, shape geometry(Geometry, 4326))
"""
# What an application would lay down beforehand: each line by itself, and the box in which a point may be near it. The
# line of a point is the point: lost counties are drawn so. 65 metres: no point of ours is told less exactly.
_LAID = """
ALTER TABLE waypost_drawn ADD line geography, ADD reach geometry;
UPDATE waypost_drawn SET
    line = (CASE WHEN ST_Dimension(shape) = 0 THEN shape ELSE ST_Boundary(shape) END)::geography,
    reach = ST_Expand(
        ST_Envelope(shape),
        greatest(precision_m, 65) / (110000 * cos(radians(ST_YMax(shape)))),
        greatest(precision_m, 65) / 110000
    );
CREATE INDEX ON waypost_drawn USING gist (shape);
CREATE INDEX ON waypost_drawn USING gist (reach);
VACUUM FULL ANALYZE waypost_drawn
"""
_HOLDING = "SELECT id FROM waypost_drawn WHERE ST_Covers(shape, ST_SetSRID(ST_MakePoint(%(x)s, %(y)s), 4326))"
_NEAR = """
WITH point AS (SELECT ST_SetSRID(ST_MakePoint(%(x)s, %(y)s), 4326) AS p),
near AS (
    SELECT id, precision_m, ST_Covers(shape, p) AS inside, ST_Distance(line, p::geography) AS way
    FROM waypost_drawn, point WHERE reach && p
)
SELECT id, inside FROM near WHERE inside OR way <= greatest(precision_m, %(accuracy)s)
"""


@dataclass(frozen=True)
class PostGis:
    """A connection to a server with the outlines in it, until its block ends."""

    server: psycopg.Connection[Any]

    def holding(self, spot: Spot) -> set[str]:
        """Ids of the outlines that hold the point."""
        return {id for (id,) in self._asked(_HOLDING, spot)}

    def near(self, spot: Spot) -> set[tuple[str, bool]]:
        """Ids of those that hold it or whose line is nearer than the doubt, and whether they hold it."""
        return set(self._asked(_NEAR, spot))

    def cpu_us(self) -> float:
        """Processor time of the server's process for this connection so far. Linux alone tells it so exactly."""
        spent = Path(f"/proc/{self.server.info.backend_pid}/schedstat").read_text(encoding="ascii")
        return int(spent.split()[0]) / 1e3

    def _asked(self, query: str, spot: Spot) -> psycopg.Cursor[Any]:
        y, x, accuracy = spot
        return self.server.execute(query, {"x": x, "y": y, "accuracy": accuracy}, prepare=True)


def beside(
    boundaries: Boundaries, towns: list[Area], spots: list[Spot], url: str
) -> Iterator[tuple[str, str, str, str]]:
    """The rows of the table: beside its easy question, what holds a point, and beside the one that `at` answers."""
    what = f"The same, one by one, {len(spots):,} points, all alike; of both processes"
    with _filled(url, towns) as server:
        if server is None:
            yield (
                what,
                "",
                "PostGIS: not installed here (POSTGIS_URL names a server that has it)",
                "not measured",
            )
            return
        at = [boundaries.outlines.at(*spot) for spot in spots]
        _compare([{near.area for near in found if near.inside} for found in at], server.holding, spots)
        _compare([{(near.area, near.inside) for near in found} for found in at], server.near, spots)
        for said, ask in (("what holds it", server.holding), ("that, and whose line is near", server.near)):
            yield what, *_told(said, _pairs(boundaries, server, ask, spots))


def _compare(own: list[set[Any]], ask: Callable[[Spot], set[Any]], spots: list[Spot]) -> None:
    for found, spot in zip(own, spots, strict=True):
        if found != (told := ask(spot)):
            raise AssertionError(f"at {spot}: {sorted(found)} and {sorted(told)}")


def _pairs(
    boundaries: Boundaries, server: PostGis, ask: Callable[[Spot], Any], spots: list[Spot]
) -> list[tuple[float, ...]]:
    """Microseconds a point: of processor and by the clock, ours; and theirs."""
    pieces = [spots[start : start + _AT_ONCE] for start in range(0, len(spots), _AT_ONCE)]
    return [
        (*_cost(server, lambda spot: boundaries.outlines.at(*spot), some), *_cost(server, ask, some))
        for some in pieces
    ]


def _cost(server: PostGis, ask: Callable[[Spot], Any], spots: list[Spot]) -> tuple[float, float]:
    cpu, wall = server.cpu_us() + time.process_time() * 1e6, time.perf_counter()
    for spot in spots:
        ask(spot)
    spent = server.cpu_us() + time.process_time() * 1e6 - cpu
    return spent / len(spots), (time.perf_counter() - wall) * 1e6 / len(spots)


def _told(said: str, pairs: list[tuple[float, ...]]) -> tuple[str, str, str]:
    cpu, wall, their_cpu, their_wall = (median(times) for times in zip(*pairs, strict=True))
    times, by_clock = (median(pair[at + 2] / pair[at] for pair in pairs) for at in (0, 1))
    return (
        f"{cpu:.1f} µs of CPU, {wall:.1f} µs by the clock",
        f"PostGIS, prepared query, GiST index, {said}: {their_cpu:.0f} µs of CPU, {their_wall:.0f} µs by the clock",
        f"{times:.1f} times faster by CPU, {by_clock:.1f} times by the clock",
    )


@contextmanager
def _filled(url: str, towns: list[Area]) -> Iterator[PostGis | None]:
    """None where the server has no PostGIS."""
    with psycopg.connect(url, autocommit=True) as server:
        try:
            server.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except psycopg.Error:
            yield None
            return
        _each(server, _TABLE)
        with server.cursor().copy("COPY waypost_drawn FROM STDIN") as copy:
            for id, precision_m, outline in _drawn(towns):
                shape = shapely.set_srid(shapely.from_wkb(outline), 4326)
                copy.write_row((id, precision_m, shapely.to_wkb(shape, hex=True, include_srid=True)))
        _each(server, _LAID)
        yield PostGis(server)
        server.execute("DROP TABLE waypost_drawn")


def _each(server: psycopg.Connection[Any], statements: str) -> None:
    # VACUUM does not run among others.
    for statement in statements.split(";"):
        server.execute(statement)


def _drawn(towns: list[Area]) -> Iterator[tuple[str, float, bytes | None]]:
    """Id, precision in metres and outline of the towns and of every county."""
    yield from ((town.id, town.precision_m, town.geometry) for town in towns)
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        precisions = [float(line.split(",")[2]) for line in list(table)[1:]]
    for (county, outline), precision_m in zip(county_outlines(), precisions, strict=True):
        yield county, precision_m, outline
