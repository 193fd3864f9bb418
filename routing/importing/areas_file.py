"""Areas from a file: read, checked and compared with what is in force, row by row, before anything is drafted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from routing.areas import Area
from routing.boundaries import Boundaries
from routing.importing.changes import Changes
from routing.importing.checking import Checked, Checker
from routing.importing.mapping import AreaMapping
from routing.importing.report import Fault, Report
from routing.importing.rows import Opened, Row
from routing.importing.spool import Spool

Tick = Callable[[int], Any]


def read_areas(opened: Opened, checker: Checker, spool: Spool, report: Report, tick: Tick) -> None:
    """Reads the whole file: good rows into the spool, the others into the report. `tick` is told of rows read. Raises
    ReadingFault."""
    for row in opened.rows:
        tick(1)
        if row.fault or checker.wants(row):
            _take(row, checker.check(row), spool, report)
    _refuse_orphans(spool, report)


def _take(row: Row, found: Checked, spool: Spool, report: Report) -> None:
    if not found.faults and (earlier := spool.add(found)) is not None:
        found.faults.append(Fault(row.number, found.entry["id"], "", f"row {earlier} has the same id"))
    if found.faults:
        report.refuse(found.faults)
    elif found.notes:
        report.note(found.notes)


def _refuse_orphans(spool: Spool, report: Report) -> None:
    """Parents may stand in any row, so they are looked for at the end; whom an orphan holds is an orphan then."""
    while orphans := spool.orphans():
        for area_id, faults in _by_area(orphans).items():
            report.refuse(faults)
            spool.remove(area_id)


def _by_area(orphans: Iterable[tuple[int, str, str]]) -> dict[str, list[Fault]]:
    found: dict[str, list[Fault]] = {}
    for row, area_id, parent in orphans:
        reason = "it lies in an area that is neither known nor brought by a good row of this file"
        found.setdefault(area_id, []).append(Fault(row, area_id, "", reason, parent))
    return found


def area_of(entry: dict[str, Any], shape: bytes | None, mapping: AreaMapping) -> Area:
    """The version of an area that an entry of the spool describes."""
    about = {"source": mapping.source, "vintage": mapping.vintage, "licence": mapping.licence}
    return Area.from_body(json.dumps({**about, **entry}), shape)


def changes(spool: Spool, mapping: AreaMapping, layer: str, boundaries: Boundaries, tick: Tick) -> Changes:
    """What the file does to the boundary set in force. `missing` are areas of the same layer and kind of id."""
    sorted_out: dict[str, list[str]] = {"new": [], "changed": [], "unchanged": []}
    for _, entry, shape in spool:
        tick(1)
        before = boundaries.extra.get(entry["id"])
        same = before is not None and before.digest == area_of(entry, shape, mapping).digest
        sorted_out["new" if before is None else "unchanged" if same else "changed"].append(entry["id"])
    begins = f"{layer}:{mapping.id.written.partition('{')[0]}"
    missing = (name for name in boundaries.extra if name.startswith(begins) and not spool.has(name))
    return Changes(**{kind: tuple(ids) for kind, ids in sorted_out.items()}, missing=tuple(missing))


def first_areas(spool: Spool, boundaries: Boundaries, count: int = 5) -> list[str]:
    """The first areas as sentences, for the preview."""
    return [_told(entry, shape, boundaries) for _, entry, shape in islice(spool, count)]


def _told(entry: dict[str, Any], shape: bytes | None, boundaries: Boundaries) -> str:
    parents = ", ".join(
        boundaries.name(area) + ("" if share >= 1 else f" ({share:.0%})")
        for area, share in entry.get("parents", {}).items()
    )
    zips = len(entry.get("zips", ()))
    by_zips = f"{zips} ZIP{'' if zips == 1 else 's'}" if zips else ""
    where = "drawn" if shape else by_zips or "found by its name"
    return f"{entry['id']}  {entry['name']}" + (f", in {parents}" if parents else "") + f"; {where}"
