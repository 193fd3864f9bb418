"""Drafting: what was read becomes a draft beside what is in force, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from routing import snapshots
from routing.areas import Area
from routing.importing.areas_file import area_of
from routing.importing.changes import Changes
from routing.importing.mapping import AreaMapping
from routing.importing.spool import Spool
from routing.snapshots import Snapshot


class Overtaken(RuntimeError):
    """What is in force changed while the file was read: what was previewed is not what would be drafted."""


def _check(session: Session, base: Snapshot) -> None:
    now = snapshots.current(session)
    if (now.rules_id, now.areas_id) != (base.rules_id, base.areas_id):
        raise Overtaken("Something else was published while the file was read. Start again")


def draft_areas(
    session: Session,
    spool: Spool,
    mapping: AreaMapping,
    changes: Changes,
    *,
    base: Snapshot,
    end_missing: bool,
    source: str,
    now: datetime,
    tick: Callable[[int], Any],
) -> str:
    """The boundary set in force with the spool's areas in it, as a draft; returns its id. Raises Overtaken."""
    _check(session, base)
    gone = set(changes.missing) if end_missing else set()
    kept = (area for area in base.boundaries.extra.values() if area.id not in gone and not spool.has(area.id))
    brought = (area_of(entry, shape, mapping) for _, entry, shape in spool)
    return snapshots.store_areas(session, [_plain(area) for area in (*kept, *brought)], source, now)


def _plain(area: Area) -> dict[str, Any]:
    written = {key: value for key, value in asdict(area).items() if value}
    return written | {
        "parents": dict(area.parents),
        "zips": dict(area.zips),
        "geometry": area.geometry and json.loads(area.geometry),
    }


def draft_rules(
    session: Session, rules: Mapping[str, Any], *, base: Snapshot, source: str, now: datetime
) -> str:
    """A rule set as a draft; returns its id. Raises Overtaken."""
    _check(session, base)
    return snapshots.store_rules(session, rules, source, now)
