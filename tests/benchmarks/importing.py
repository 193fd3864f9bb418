"""How long large files take to become a draft: a school list, and district outlines; and to be refused for one row."""

from __future__ import annotations

import csv
import random
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapefile
import shapely

from foundation import clock, database
from foundation.settings import Settings
from ledger.entries import Actor
from routing import shapes
from routing.importing import drafting, previews
from routing.importing.apart import OF_A_COMMAND
from routing.importing.changes import Changes
from routing.importing.mapping import AreaMapping, mapping_named
from routing.importing.previews import Source
from routing.importing.report import Report
from routing.importing.spool import Spool
from routing.snapshots import Snapshot
from tests import builders

SCHOOLS, OUTLINES, CORNERS, ROWS = 130_000, 25_000, 200, 1_000_000
# The row of a spreadsheet in which the bad one of a million stands.
_BAD = 750_002


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock, by this process's and its reader's processors, and the largest memory of either in MB."""

    rows: int
    wall: float
    cpu: float
    memory: float


def seconds_to_draft(url: str, folder: Path, settings: Settings) -> dict[str, Measured]:
    """A list of 130,000 schools with points, and 25,000 outlines of 200 corners each as a zipped shapefile."""
    engine = database.make_engine(url)
    builders.found(engine, settings)
    measured = {
        "outlines": _measure(engine, _districts(folder / "districts.zip"), "nces-districts"),
        "schools": _measure(engine, _schools(folder / "schools.csv"), "nces-schools"),
    }
    engine.dispose()
    return measured


def seconds_to_refuse(url: str, folder: Path, settings: Settings) -> Measured:
    """A million rows with points, one of which names a state that there is not: all are checked, that one is named."""
    engine = database.make_engine(url)
    builders.found(engine, settings)
    path, report = _list_with_a_fault(folder / "million.csv"), Report()
    wall, cpu = time.perf_counter(), _cpu()
    with database.reading(engine) as session:
        base = drafting.in_force(session)
    with Spool() as spool:
        changes = _looked(path, mapping_named("generic-points"), "school", base, spool, report)
    assert [fault.row for fault in report.faults] == [_BAD]
    engine.dispose()
    return Measured(len(changes.new) + 1, time.perf_counter() - wall, _cpu() - cpu, _memory())


def _measure(engine: Any, path: Path, named: str) -> Measured:
    mapping, report, now = mapping_named(named), Report(), clock.now()
    wall, cpu = time.perf_counter(), _cpu()
    with database.reading(engine) as session:
        base = drafting.in_force(session)
    with Spool() as spool:
        changes = _looked(path, mapping, mapping.layer, base, spool, report)
        assert not report.faulty_rows, report.faults[:3]
        with database.transaction(engine) as session:
            drafting.draft_areas(
                session,
                spool,
                mapping,
                changes,
                base=base,
                end_missing=False,
                source=path.name,
                by=Actor(part="bench"),
                now=now,
                tick=lambda rows: None,
            )
    return Measured(len(changes.new), time.perf_counter() - wall, _cpu() - cpu, _memory())


def _looked(
    path: Path, mapping: AreaMapping, layer: str, base: Snapshot, spool: Spool, report: Report
) -> Changes:
    return previews.areas(
        Source(path, OF_A_COMMAND),
        mapping,
        layer,
        base=base,
        today=clock.now().date(),
        spool=spool,
        report=report,
        progress=_silent,
    )


_BOTH = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _memory() -> float:
    return max(resource.getrusage(who).ru_maxrss for who in _BOTH) / 1024


def _cpu() -> float:
    used = [resource.getrusage(who) for who in _BOTH]
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def _silent(label: str, count: int) -> Iterator[Callable[[int], Any]]:
    yield lambda rows: None


def _places(chance: random.Random, count: int) -> Iterator[tuple[str, float, float]]:
    """County code, longitude and latitude of points inside counties of the contiguous states."""
    inner = [
        (area.partition(":")[2], shapely.point_on_surface(shape))
        for area, shape in shapes.counties().items()
        if shape.bounds[0] > -125 and shape.bounds[2] < -66 and shape.area > 0.01
    ]
    for _ in range(count):
        code, point = chance.choice(inner)
        yield code, point.x + chance.uniform(-0.005, 0.005), point.y + chance.uniform(-0.005, 0.005)


def _schools(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["NCESSCH", "LEAID", "NAME", "STFIP", "CNTY", "LAT", "LON"])
        for number, (county, east, north) in enumerate(_places(random.Random(3), SCHOOLS)):
            name = f"Invented School {number}"
            writer.writerow(
                [number, number % OUTLINES, name, county[:2], county, f"{north:.6f}", f"{east:.6f}"]
            )
    return path


def _list_with_a_fault(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "state", "latitude", "longitude"])
        for row, (county, east, north) in enumerate(_places(random.Random(7), ROWS), 2):
            state = "XX" if row == _BAD else county[:2]
            writer.writerow([row, f"Invented School {row}", state, f"{north:.6f}", f"{east:.6f}"])
    return path


def _districts(path: Path) -> Path:
    around = np.linspace(0, -2 * np.pi, CORNERS + 1)
    circle = np.column_stack((np.cos(around), np.sin(around))) * 0.02
    parts = {ending: BytesIO() for ending in ("shp", "dbf", "shx")}
    with shapefile.Writer(**parts, shapeType=shapefile.POLYGON) as writer:
        for column in ("GEOID", "NAME", "STATEFP"):
            writer.field(column, "C", 60)
        for number, (county, east, north) in enumerate(_places(random.Random(5), OUTLINES)):
            writer.poly([(circle + np.array((east, north))).tolist()])
            writer.record(f"{number:07}", f"Invented District {number}", county[:2])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for ending, part in parts.items():
            archive.writestr(f"districts.{ending}", part.getvalue())
        archive.writestr("districts.prj", pyproj.CRS.from_epsg(4269).to_wkt("WKT1_ESRI"))
    return path
