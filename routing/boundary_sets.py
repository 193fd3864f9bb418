"""Boundary sets: which area versions belong together, immutable and named by the hash of what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from routing.area_set import Columns
from routing.area_versions import add_versions, read_versions
from routing.areas import Area, AreaFault
from routing.boundaries import Boundaries
from routing.tables import boundary_sets


class SetFault(LookupError):
    """A boundary set that is asked for was never stored."""


def draft_set(
    session: Session,
    base_set_id: str | None,
    add: Sequence[str],
    remove: Iterable[str],
    note: str,
    now: datetime,
) -> str:
    """Stores the base with versions added (their digests) and areas removed (their ids), and returns the set's id;
    the base stays as it is, and the same content is one row.

    From its first day on an added version says all there is to say of its area: versions of the base that begin
    on that day or later give way, earlier ones stay for their time. Nothing is checked: ask `faults`. Raises
    LookupError for a version and SetFault for a base that was never stored.
    """
    added = list(read_versions(session, add))
    base = _columns(session, base_set_id) if base_set_id else Columns.of(())
    return _store(session, Columns.of([*_kept(base, added, set(remove)), *added]), base_set_id, note, now)


def store_areas(session: Session, areas: Sequence[Mapping[str, Any]], note: str, now: datetime) -> str:
    """Stores areas in plain JSON (see Area.from_json) as versions and as a set of their own; returns its id. Raises
    AreaFault."""
    boundaries = Boundaries.from_json(areas)
    add_versions(session, boundaries.extra.columns.areas(), now)
    return _store(session, boundaries.extra.columns, None, note, now)


def load_set(session: Session, set_id: str) -> Boundaries:
    """The boundaries of a stored set. Raises SetFault."""
    return Boundaries(_columns(session, set_id))


def faults(session: Session, set_id: str) -> list[str]:
    """Why a stored set must not be published: one sentence each, naming the area. Raises SetFault."""
    return load_set(session, set_id).faults()


def refuse_faults(boundaries: Boundaries) -> None:
    """Raises AreaFault with every fault of the set."""
    if found := boundaries.faults():
        raise AreaFault("; ".join(found))


def _kept(base: Columns, added: Iterable[Area], removed: set[str]) -> Iterator[Area]:
    begins: dict[str, date] = {}
    for area in added:
        first = area.valid_from or date.min
        begins[area.id] = min(first, begins.get(area.id, first))
    for row, area_id in enumerate(base.ids):
        first = date.fromordinal(int(base.first_days[row]))
        if area_id not in removed and first < begins.get(area_id, date.max):
            yield base.area(row)


def _columns(session: Session, set_id: str) -> Columns:
    packed = session.execute(select(boundary_sets.c.packed).where(boundary_sets.c.id == set_id)).scalar()
    if packed is None:
        raise SetFault(f"there is no boundary set {set_id}")
    columns = Columns.from_bytes(packed)
    if columns.digest != set_id:
        raise SetFault(f"what is stored as the boundary set {set_id} is another")
    return columns


def _store(session: Session, columns: Columns, based_on: str | None, note: str, now: datetime) -> str:
    named = columns.digest
    if session.execute(select(boundary_sets.c.id).where(boundary_sets.c.id == named)).first() is None:
        row = {
            "id": named,
            "packed": columns.to_bytes(),
            "based_on": based_on,
            "note": note,
            "created_at": now,
        }
        session.execute(insert(boundary_sets).values(row))
    return named
