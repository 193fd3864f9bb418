"""Snapshots: a rule set and a boundary set, each stored under the hash of its content, put in force together. Published
ones never change."""

from __future__ import annotations

import gc
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.orm import Session

from routing import boundary_sets
from routing.boundaries import Boundaries
from routing.rules import RuleFault, RuleSet
from routing.tables import publications, rule_sets
from routing.zones import with_zones


class SnapshotFault(LookupError):
    """A snapshot that is asked for is not there, or nothing was in force yet."""


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
    return boundary_sets.store_areas(session, areas, source, now)


def store_rules(session: Session, rules: Mapping[str, Any], source: str, now: datetime) -> str:
    """Stores a draft of a rule set and returns its id; the same content twice is one row. Raises RuleFault."""
    content = RuleSet.from_json(with_zones(session, rules)).as_json()
    body = json.dumps(content, sort_keys=True, separators=(",", ":"))
    named = _named(body)
    if session.execute(select(rule_sets.c.id).where(rule_sets.c.id == named)).first() is None:
        session.execute(insert(rule_sets).values(id=named, body=body, source=source, created_at=now))
    return named


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


def put_in_force(
    session: Session,
    rules_id: str,
    areas_id: str,
    now: datetime,
    effective_at: datetime | None = None,
    *,
    published_by: str | None = None,
    approved_by: str | None = None,
) -> Snapshot:
    """Puts two stored drafts in force together, from `effective_at` on (default: now, with this transaction's commit).
    Raises AreaFault and RuleFault with every fault of the areas and of the rules on them as of that day, and
    SnapshotFault for an id that was never stored."""
    snapshot, effective_at = load(session, rules_id, areas_id), effective_at or now
    # A set never changes: what was in force once was found good then.
    if not _was_published(session, areas_id):
        boundary_sets.refuse_faults(snapshot.boundaries)
    if faults := snapshot.rules.faults(snapshot.boundaries.on(effective_at.date())):
        raise RuleFault("; ".join(faults))
    session.execute(
        insert(publications).values(
            rules_id=rules_id,
            areas_id=areas_id,
            published_at=now,
            effective_at=effective_at,
            published_by=published_by,
            approved_by=approved_by,
        )
    )
    return snapshot


def load(session: Session, rules_id: str, areas_id: str) -> Snapshot:
    """A snapshot by the ids of its two halves, published or not: old decisions replay from it. Raises
    SnapshotFault."""
    return Snapshot(_rules(session, rules_id), _boundaries(session, areas_id), rules_id, areas_id)


# One per process. A half-swapped pair cannot be seen: the name is bound to a whole Snapshot or to the one
# before.
_current: Snapshot | None = None
_loading = threading.Lock()


def current(session: Session, now: datetime) -> Snapshot:
    """What is in force at `now`, from memory unless something newer came into force. Whoever
    holds a snapshot keeps it whole, whatever is published meanwhile. Raises SnapshotFault if nothing is in force."""
    global _current
    newest = in_force_at(session, now)
    known = _current
    if known and _is(known, newest):
        return known
    with _loading:
        # Another thread may have loaded it in the meantime.
        if _current is None or not _is(_current, newest):
            loaded = load(session, newest.rules_id, newest.areas_id)
            if _warm:
                _settle(loaded)
            _current = loaded
        return _current


# Whether this process decides, and not only looks up names.
_warm = False


def keep_warm() -> None:
    """From now on every snapshot is loaded whole, so that no decision waits for a part of it. For processes that
    decide: it takes a second and some memory that whoever only reads names can do without."""
    global _warm
    _warm = True


def _settle(snapshot: Snapshot) -> None:
    snapshot.rules.prepare()
    snapshot.boundaries.prepare()
    # A hundred thousand objects that stay: the collector would walk over all of them in the middle of a decision. What
    # the snapshot before left in circles goes first.
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def in_force_at(session: Session, moment: datetime) -> Row[Any]:
    """The publication that decided at that moment. One that was published later with an earlier effect does not count:
    nobody could know of it. Raises SnapshotFault."""
    known = publications.c.published_at <= moment, publications.c.effective_at <= moment
    row = session.execute(_newest_first().where(*known)).first()
    if row is None:
        raise SnapshotFault("no coverage rules were ever published")
    return row


def last_published(session: Session) -> Row[Any]:
    """The publication that takes effect last, whether it has come into force or not. Raises SnapshotFault."""
    row = session.execute(_newest_first()).first()
    if row is None:
        raise SnapshotFault("no coverage rules were ever published")
    return row


def _was_published(session: Session, areas_id: str) -> bool:
    query = select(publications.c.id).where(publications.c.areas_id == areas_id).limit(1)
    return session.execute(query).first() is not None


def _newest_first() -> Select[Any]:
    newest = publications.c.effective_at.desc(), publications.c.published_at.desc(), publications.c.id.desc()
    return select(publications).order_by(*newest).limit(1)


def _is(snapshot: Snapshot, publication: Row[Any]) -> bool:
    return (snapshot.rules_id, snapshot.areas_id) == (publication.rules_id, publication.areas_id)


def _rules(session: Session, rules_id: str) -> RuleSet:
    body = session.execute(select(rule_sets.c.body).where(rule_sets.c.id == rules_id)).scalar()
    if body is None:
        raise SnapshotFault(f"there are no rules {rules_id}")
    if _named(body) != rules_id:
        raise SnapshotFault(f"what is stored as the rules {rules_id} are others")
    return RuleSet.from_stored(body)


def _named(body: str) -> str:
    return hashlib.sha256(f"rules\n{body}".encode()).hexdigest()


def _boundaries(session: Session, areas_id: str) -> Boundaries:
    # The map is large and changes seldom: new rules on the same map share it.
    if _current is not None and _current.areas_id == areas_id:
        return _current.boundaries
    try:
        return boundary_sets.load_set(session, areas_id)
    except boundary_sets.SetFault as fault:
        raise SnapshotFault(str(fault)) from fault
