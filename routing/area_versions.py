"""The store of area versions: added to, never changed. Two questions stay apart: what was right on a day, and what was
believed at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Row, insert, or_, select
from sqlalchemy.orm import Session

from routing.areas import Area
from routing.tables import area_versions

# Rows of one statement: SQLite takes a bounded number of parameters, and outlines are large.
_BATCH = 500
_ADDED = (
    "area_id",
    "valid_from",
    "valid_to",
    "precision_m",
    "source",
    "vintage",
    "licence",
    "body",
    "geometry",
)


Item = TypeVar("Item")


def add_versions(session: Session, areas: Iterable[Area], loaded_at: datetime) -> list[str]:
    """Stores versions and returns their digests in the order given. What is known already and was not overruled since
    is not stored again. Memory stays bounded however many there are."""
    digests: list[str] = []
    for batch in _batches(areas):
        known = _last_loaded(session, [area.id for area in batch])
        new = {
            area.digest: _row(area, loaded_at)
            for area in batch
            if known.get((area.id, area.valid_from)) != area.digest
        }
        if new:
            session.execute(insert(area_versions), list(new.values()))
        digests += [area.digest for area in batch]
    return digests


def read_versions(session: Session, digests: Sequence[str]) -> Iterator[Area]:
    """The versions of these digests, in no order. Raises LookupError for one that was never added."""
    columns = select(area_versions.c.digest, area_versions.c.body, area_versions.c.geometry)
    for batch in _batches(dict.fromkeys(digests)):
        rows = session.execute(columns.where(area_versions.c.digest.in_(batch)))
        found = {row.digest: Area.from_body(row.body, row.geometry) for row in rows}
        if missing := [digest for digest in batch if digest not in found]:
            raise LookupError(f"there is no area version {missing[0]}")
        yield from found.values()


def right_on(session: Session, area_id: str, day: date) -> Area | None:
    """The version that was legally in force on that day, as far as is known by now."""
    return _valid(session, area_id, day, None)


def believed_at(session: Session, area_id: str, day: date, moment: datetime) -> Area | None:
    """The version that was taken for the one of that day at that moment: what was loaded later is left out."""
    return _valid(session, area_id, day, moment)


def _valid(session: Session, area_id: str, day: date, moment: datetime | None) -> Area | None:
    table = area_versions.c
    query = select(table.body, table.geometry).where(
        table.area_id == area_id,
        or_(table.valid_from.is_(None), table.valid_from <= day),
        or_(table.valid_to.is_(None), table.valid_to > day),
    )
    if moment is not None:
        query = query.where(table.loaded_at <= moment)
    # What was learned last counts; of what was learned at once, what began last.
    newest = query.order_by(table.loaded_at.desc(), table.valid_from.desc().nulls_last(), table.digest).limit(
        1
    )
    row = session.execute(newest).first()
    return row and Area.from_body(row.body, row.geometry)


def _last_loaded(session: Session, area_ids: Iterable[str]) -> dict[tuple[str, date | None], str]:
    """The digest that was loaded last, by area and first day."""
    table = area_versions.c
    rows: Iterable[Row[Any]] = session.execute(
        select(table.area_id, table.valid_from, table.digest)
        .where(table.area_id.in_(set(area_ids)))
        .order_by(table.loaded_at)
    )
    return {(row.area_id, row.valid_from): row.digest for row in rows}


def _row(area: Area, loaded_at: datetime) -> dict[str, Any]:
    given = {name: getattr(area, name) for name in _ADDED if name != "area_id"}
    return {"digest": area.digest, "loaded_at": loaded_at, "area_id": area.id, **given}


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    left = iter(items)
    while batch := list(islice(left, _BATCH)):
        yield batch
