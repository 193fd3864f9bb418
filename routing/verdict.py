"""What a decision says: who answers, what became of every rule that was looked at, and what would change it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from referrals.facts import Evidence, Facts, Relation, Setting, Urgency
from routing.locate import Confidence
from routing.rules import Role
from routing.weighing import Outcome


class Status(StrEnum):
    """How a decision ends. Each of the five has an owner."""

    ROUTED = "routed"
    AMBIGUOUS = "ambiguous"
    CONFIRM_LOCATION = "confirm_location"
    LOCATION_NEEDED = "location_needed"
    NO_COVERAGE = "no_coverage"


class ChangeKind(StrEnum):
    """What is not known: on which side of a line, which place of one name, which part of a ZIP, any place at all,
    or what kind of place it is."""

    LINE = "line"
    CHOICE = "choice"
    SHARE = "share"
    PLACE = "place"
    SETTING = "setting"


class Considered(NamedTuple):
    """A rule that was touched, and what became of it. `detail` belongs to the outcome: the criterion that lost, the
    condition that failed, the shielding area, the excluding rule, why the team is not asked again or not reached."""

    rule: str
    team: str
    role: Role
    area: str
    relation: Relation
    confidence: Confidence
    share: float
    key: tuple[int, ...]
    outcome: Outcome
    detail: str = ""
    distance_m: float | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Considered:
        """The inverse of `_asdict` after JSON."""
        return cls(
            **{
                **stored,
                "role": Role(stored["role"]),
                "relation": Relation(stored["relation"]),
                "confidence": Confidence(stored["confidence"]),
                "key": tuple(stored["key"]),
                "outcome": Outcome(stored["outcome"]),
            }
        )


class Change(NamedTuple):
    """What would change the decision: settling which of `areas` is meant ("" stands for outside all of them), for a
    line also how far off it is; or learning that the kind of place is one of `settings`."""

    kind: ChangeKind
    areas: tuple[str, ...] = ()
    distance_m: float | None = None
    settings: tuple[Setting, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Change:
        """The inverse of `_asdict` after JSON."""
        settings = tuple(map(Setting, stored["settings"]))
        return cls(ChangeKind(stored["kind"]), tuple(stored["areas"]), stored["distance_m"], settings)


Whys = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Decision:
    """Who answers and why. Teams are ids.

    `leads`: the one team that leads; tied teams if *ambiguous*; if *confirm_location* the best first and then
    those that would lead otherwise; else none. `owner` holds the referral until somebody acknowledges: the
    hub of the one state that the place lies in, or the root desk. `offered_at_once` is not empty only for
    imminent referrals that are not *routed*. `facts` are those it was made from, their evidence in the order of its
    content. `unreachable` and `excluded` are the teams that mattered and were passed over, each with its reason.
    """

    status: Status
    leads: tuple[str, ...]
    supports: tuple[str, ...]
    notifies: tuple[str, ...]
    owner: str
    offered_at_once: tuple[str, ...]
    considered: tuple[Considered, ...]
    what_would_change: tuple[Change, ...]
    facts: Facts
    as_of: datetime
    rule_set: str
    boundary_set: str
    unreachable: Whys = ()
    excluded: Whys = ()

    @property
    def urgency(self) -> Urgency:
        """How urgent it was then."""
        return self.facts.urgency

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The places that were named then."""
        return self.facts.evidence

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over everything else; it goes into the ledger.

        It is taken over a JSON list of the members in their order: a list is as exact as an object and half the work.
        """
        facts = self.facts
        members = (
            self.status, self.leads, self.supports, self.notifies, self.owner, self.offered_at_once,
            self.considered, self.what_would_change, facts.urgency, facts.behaviours, facts.setting,
            facts.originator,
            [(e.kind, e.relation, e.areas, e.latitude, e.longitude, e.accuracy_m) for e in facts.evidence],
            self.as_of.isoformat(), self.rule_set, self.boundary_set, self.unreachable, self.excluded,
        )  # fmt: skip
        # The standard library's JSON takes a fifth of the whole decision; named tuples are lists here.
        return hashlib.sha256(orjson.dumps(members, default=tuple)).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """A JSON object with the digest."""
        plain = dict(self.__dict__)
        return plain | {
            "considered": [entry._asdict() for entry in self.considered],
            "what_would_change": [entry._asdict() for entry in self.what_would_change],
            "facts": self.facts.as_json(),
            "as_of": self.as_of.isoformat(),
            "unreachable": dict(self.unreachable),
            "excluded": dict(self.excluded),
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Decision:
        """The inverse of `as_json`. The stored digest is not believed: it is computed anew."""
        names = ("leads", "supports", "notifies", "offered_at_once")
        lists: dict[str, Any] = {name: tuple(stored[name]) for name in names}
        return cls(
            status=Status(stored["status"]),
            owner=stored["owner"],
            considered=tuple(Considered.from_json(entry) for entry in stored["considered"]),
            what_would_change=tuple(Change.from_json(entry) for entry in stored["what_would_change"]),
            facts=Facts.from_json(stored["facts"]),
            as_of=datetime.fromisoformat(stored["as_of"]),
            rule_set=stored["rule_set"],
            boundary_set=stored["boundary_set"],
            unreachable=tuple(sorted(stored["unreachable"].items())),
            excluded=tuple(sorted(stored["excluded"].items())),
            **lists,
        )
