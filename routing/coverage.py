"""Who leads where: every county asked as a tip that names only that county would be asked.

The answer is `decide`'s own, county by county; nothing here knows a rule's meaning a second time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import gazetteer, snapshots
from routing.areas import LAYER_RANKS, layer_of
from routing.decision import Decision, decide
from routing.rules import Role
from routing.snapshots import Snapshot
from routing.verdict import Whys
from routing.weighing import Outcome

Answer = TypeVar("Answer")
_BEST = {Outcome.LEAD, Outcome.TIED}


class Kind(StrEnum):
    """How a county stands: somebody leads, several would equally, nobody does."""

    LED = "led"
    TIED = "tied"
    GAP = "gap"


@dataclass(frozen=True)
class Covered:
    """Who would lead for a tip that names this county and nothing else. Teams are ids.

    `leads`: one; several where they are tied; none in a gap, which `owner` holds. `passed_over`: teams that would
    lead, or be tied, if anybody there could be reached, each with the reason.
    """

    area: str
    leads: tuple[str, ...]
    passed_over: Whys
    owner: str

    @property
    def kind(self) -> Kind:
        """How it stands."""
        return (Kind.GAP, Kind.LED)[len(self.leads)] if len(self.leads) < 2 else Kind.TIED


Coverage = Mapping[str, Covered]


def coverage(
    snapshot: Snapshot, urgency: Urgency, hour: datetime, unreachable: Mapping[str, str]
) -> Coverage:
    """Every county of the country by id, as covered at the beginning of that aware `hour`. `unreachable`: teams that
    nobody could tell, with the reasons."""
    as_of = hour.replace(minute=0, second=0, microsecond=0)
    asked = (
        snapshot.rules.digest,
        snapshot.boundaries.digest,
        urgency,
        as_of,
        frozenset(unreachable.items()),
    )
    return _kept.found(asked) or _kept.keep(
        asked,
        {area: covered(snapshot, area, urgency, as_of, unreachable) for area in gazetteer.load().counties},
    )


def covered(
    snapshot: Snapshot, area: str, urgency: Urgency, as_of: datetime, unreachable: Mapping[str, str]
) -> Covered:
    """The same for one county."""
    named = Evidence(PlaceKind.COUNTY, Relation.INCIDENT, (area,))
    facts = Facts(urgency, evidence=(named,))
    decision = decide(facts, snapshot.rules, snapshot.boundaries, as_of, unreachable)
    return Covered(area, decision.leads, _passed_over(decision), decision.owner)


def _passed_over(decision: Decision) -> Whys:
    leads = [entry for entry in decision.considered if entry.role is Role.LEAD]
    best = max((entry.key for entry in leads if entry.outcome in _BEST), default=())
    unreached = (entry for entry in leads if entry.outcome is Outcome.UNREACHABLE and entry.key >= best)
    return tuple(dict.fromkeys((entry.team, entry.detail) for entry in unreached))


@dataclass(frozen=True)
class Within:
    """An area inside a county, smaller than it, with a team of its own under some condition or none."""

    area: str
    team: str


def in_force(session: Session, moment: datetime, now: datetime) -> Snapshot:
    """What will decide at a moment to come, as far as it is published already; for one that has passed, what decides
    now: who asks about three at night means every night, not the last one. Raises SnapshotFault before the first
    publication."""
    publication = snapshots.in_force_at(session, max(moment, now))
    now_in_force = snapshots.current(session, now)
    ids = publication.rules_id, publication.areas_id
    if ids == (now_in_force.rules_id, now_in_force.areas_id):
        return now_in_force
    return _kept_snapshots.found(ids) or _kept_snapshots.keep(ids, snapshots.load(session, *ids))


Inside = Mapping[str, tuple[Within, ...]]


def within(snapshot: Snapshot) -> Inside:
    """Areas more specific than a county that a rule lets some team lead, by county id, in the order of their ids. A
    rule about all areas of a layer counts as none: it names no area."""
    asked = (snapshot.rules.digest, snapshot.boundaries.digest)
    return _kept_inside.found(asked) or _kept_inside.keep(asked, _inside(snapshot))


def _inside(snapshot: Snapshot) -> Inside:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for rule in snapshot.rules.rules:
        if (
            rule.role is Role.LEAD
            and not rule.every
            and LAYER_RANKS[layer_of(rule.area)] > LAYER_RANKS["county"]
        ):
            for above, _ in snapshot.boundaries.widen(rule.area):
                if layer_of(above) == "county":
                    found[above].add((rule.area, rule.team))
    return {county: tuple(Within(*pair) for pair in sorted(pairs)) for county, pairs in found.items()}


class Kept(Generic[Answer]):
    """The answers that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._by_question: OrderedDict[object, Answer] = OrderedDict()

    def found(self, asked: object) -> Answer | None:
        """What was kept for that question."""
        with self._lock:
            known = self._by_question.get(asked)
            if known is not None:
                self._by_question.move_to_end(asked)
            return known

    def keep(self, asked: object, answer: Answer) -> Answer:
        """Keeps it, and forgets the oldest where there are too many."""
        with self._lock:
            self._by_question[asked] = answer
            while len(self._by_question) > self._most:
                self._by_question.popitem(last=False)
            return answer


# Each urgency at this hour, and some others' hours; a megabyte each.
_kept = Kept[Coverage](most=12)
# What is in force, and what was a moment ago, or will be.
_kept_inside = Kept[Inside](most=2)
# One beside the current one, which `snapshots` keeps: each may be tens of megabytes.
_kept_snapshots = Kept[Snapshot](most=1)
