"""Snapshots: rule sets and a site's own areas, stored under the hash of their content. Published ones never
change."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from routing.boundaries import Boundaries
from routing.rules import RuleFault, RuleSet
from routing.tables import snapshots


class Kind(StrEnum):
    """What a snapshot holds."""

    RULES = "rules"
    AREAS = "areas"


class SnapshotFault(LookupError):
    """A snapshot that is asked for is not there, or nothing was ever published."""


@dataclass(frozen=True)
class Snapshot:
    """What decisions are made from: immutable, swapped only as a whole. The ids are those of the rows."""

    rules: RuleSet
    boundaries: Boundaries
    rules_id: str
    areas_id: str

    @property
    def digest(self) -> str:
        """Names rules, own areas and the country's tables together; equal digests decide alike."""
        return hashlib.sha256((self.rules.digest + self.boundaries.digest).encode()).hexdigest()


def store_areas(session: Session, areas: Sequence[Mapping[str, Any]], source: str, now: datetime) -> str:
    """Stores a draft of a site's own areas and returns its id; the same content twice is one row. Raises
    AreaFault."""
    # Outlines are otherwise read when a point is first located: too late to refuse one.
    _ = Boundaries.from_json(areas).outlines
    return _store(session, Kind.AREAS, sorted(areas, key=lambda area: str(area["id"])), source, now)


def store_rules(session: Session, rules: Mapping[str, Any], source: str, now: datetime) -> str:
    """Stores a draft of a rule set and returns its id. Raises RuleFault."""
    return _store(session, Kind.RULES, RuleSet.from_json(rules).as_json(), source, now)


def publish(
    session: Session,
    *,
    areas: Sequence[Mapping[str, Any]],
    rules: Mapping[str, Any],
    source: str,
    now: datetime,
) -> Snapshot:
    """Stores both and puts them in force at once. Raises AreaFault and RuleFault."""
    areas_id = store_areas(session, areas, source, now)
    rules_id = store_rules(session, rules, source, now)
    return put_in_force(session, rules_id, areas_id, now)


def put_in_force(session: Session, rules_id: str, areas_id: str, now: datetime) -> Snapshot:
    """Puts two stored drafts in force together, from this transaction's commit on. Raises RuleFault with
    every fault of the rules on those areas, and SnapshotFault for an id that was never stored."""
    snapshot = load(session, rules_id, areas_id)
    if faults := snapshot.rules.faults(snapshot.boundaries):
        raise RuleFault("; ".join(faults))
    both = snapshots.c.id.in_((rules_id, areas_id))
    session.execute(update(snapshots).where(both).values(published_at=now))
    return snapshot


def load(session: Session, rules_id: str, areas_id: str) -> Snapshot:
    """A snapshot by the ids of its two halves, published or not: old decisions replay from it."""
    rules = RuleSet.from_json(_body(session, Kind.RULES, rules_id))
    boundaries = Boundaries.from_json(_body(session, Kind.AREAS, areas_id))
    return Snapshot(rules, boundaries, rules_id, areas_id)


# One per process. A half-swapped pair cannot be seen: the name is bound to a whole Snapshot or to the one
# before.
_current: Snapshot | None = None
_loading = threading.Lock()


def current(session: Session) -> Snapshot:
    """What is in force now, from memory unless something newer was published. Raises SnapshotFault if
    nothing ever was."""
    global _current
    ids = _published(session)
    known = _current
    if known and (known.rules_id, known.areas_id) == ids:
        return known
    with _loading:
        # Another thread may have loaded it in the meantime.
        if _current is None or (_current.rules_id, _current.areas_id) != ids:
            _current = load(session, *ids)
        return _current


def _published(session: Session) -> tuple[str, str]:
    rows = session.execute(
        select(snapshots.c.kind, snapshots.c.id)
        .where(snapshots.c.published_at.is_not(None))
        # Oldest first, so that the newest of each kind is what remains.
        .order_by(snapshots.c.published_at, snapshots.c.id)
    )
    newest = {row.kind: row.id for row in rows}
    if len(newest) < len(Kind):
        raise SnapshotFault("no coverage rules were ever published")
    return newest[Kind.RULES], newest[Kind.AREAS]


def _store(session: Session, kind: Kind, content: Any, source: str, now: datetime) -> str:
    body = json.dumps(content, sort_keys=True, separators=(",", ":"))
    named = hashlib.sha256(f"{kind}\n{body}".encode()).hexdigest()
    if session.execute(select(snapshots.c.id).where(snapshots.c.id == named)).first() is None:
        session.execute(
            insert(snapshots).values(id=named, kind=kind.value, body=body, source=source, created_at=now)
        )
    return named


def _body(session: Session, kind: Kind, named: str) -> Any:
    body = session.execute(
        select(snapshots.c.body).where(snapshots.c.id == named, snapshots.c.kind == kind.value)
    ).scalar()
    if body is None:
        raise SnapshotFault(f"there are no {kind.value} {named}")
    return json.loads(body)
