"""Drafting: what was read becomes a draft beside what is in force, in one transaction. A second person publishes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ledger.entries import Actor
from routing import boundary_sets, drafts, snapshots
from routing.area_versions import add_versions
from routing.areas import Area
from routing.importing.areas_file import area_of
from routing.importing.changes import Changes
from routing.importing.mapping import AreaMapping
from routing.importing.spool import Spool
from routing.snapshots import Snapshot


class Overtaken(RuntimeError):
    """What is in force changed while the file was read: what was previewed is not what would be drafted."""


def draft_areas(
    session: Session,
    spool: Spool,
    mapping: AreaMapping,
    changes: Changes,
    *,
    base: Snapshot,
    end_missing: bool,
    source: str,
    by: Actor,
    now: datetime,
    tick: Callable[[int], Any],
) -> str:
    """A draft with the boundary set in force and the spool's new and changed areas in it; returns the draft's id.
    Raises Overtaken, and AreaFault where the set as a whole would have faults."""
    _refuse_overtaken(session, base)
    wanted = {*changes.new, *changes.changed}

    def brought() -> Iterator[Area]:
        for _, entry, shape in spool:
            tick(1)
            if entry["id"] in wanted:
                yield area_of(entry, shape, mapping)

    added = add_versions(session, brought(), now)
    gone = changes.missing if end_missing else ()
    areas_id = boundary_sets.draft_set(session, base.areas_id, added, gone, source, now)
    boundary_sets.refuse_faults(boundary_sets.load_set(session, areas_id))
    return drafts.begin(session, title=f"Areas of {source}", by=by, now=now, areas_id=areas_id)


def draft_rules(
    session: Session, rules: Mapping[str, Any], *, base: Snapshot, source: str, by: Actor, now: datetime
) -> str:
    """A draft of the rules in force changed into these; returns its id. Raises Overtaken and RuleFault."""
    _refuse_overtaken(session, base)
    return drafts.draft(
        session, rules, title=f"Rules of {source}", reason=f"Imported from {source}", by=by, now=now
    )


def _refuse_overtaken(session: Session, base: Snapshot) -> None:
    if drafts.base(session) != (base.rules_id, base.areas_id):
        raise Overtaken("Something else was published while the file was read. Start again")


def in_force(session: Session) -> Snapshot:
    """What a draft starts from. Raises SnapshotFault before anything was published."""
    return snapshots.load(session, *drafts.base(session))
