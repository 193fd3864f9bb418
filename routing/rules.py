"""Coverage rules: which team answers for which area, under which conditions. Immutable sets named by their
content.

A rule may ask what was done, how urgent it is, where, when and who forwards it. It may never ask who
somebody is: race, religion, origin, belief, disability, gender and immigration status are no fields here,
and a test fails if one appears.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from directory.hours import Hours
from referrals import behaviours
from referrals.facts import Relation, Setting, Urgency
from routing.areas import LAYER_RANKS, layer_of
from routing.boundaries import Boundaries

# A ZIP's share of addresses that may decide alone.
SHARE_FLOOR = 0.90


class RuleFault(ValueError):
    """A rule or a set of rules cannot be used; the message names the rule and the reason."""


class Role(StrEnum):
    """What a rule's team is to do."""

    LEAD = "lead"
    SUPPORT = "support"
    NOTIFY = "notify"
    EXCLUDE = "exclude"


@dataclass(frozen=True)
class Rule:
    """One line of coverage. Empty conditions ask nothing.

    `every`: a layer; the rule is then about every area of that layer inside `area` ("all places in the county").
    `originators`: team ids of forwarding offices. `mandate`: 0 ordinary, 1 written agreement, 2 law.
    `valid_from` and `valid_to` are half open. `shields`: layers that an exclusive area shuts out.
    """

    id: str
    team: str
    role: Role
    area: str
    every: str = ""
    behaviours: frozenset[str] = frozenset()
    urgencies: frozenset[Urgency] = frozenset()
    settings: frozenset[Setting] = frozenset()
    originators: frozenset[str] = frozenset()
    hours: Hours | None = None
    relations: frozenset[Relation] = frozenset()
    mandate: int = 0
    priority: int = 0
    valid_from: date | None = None
    valid_to: date | None = None
    shields: frozenset[str] = frozenset()
    author: str = ""
    reason: str = ""

    @cached_property
    def specificity(self) -> int:
        """Kinds of act and of setting count twice, urgency and hours once each."""
        twice = bool(self.behaviours) + bool(self.settings)
        return 2 * twice + bool(self.urgencies) + (self.hours is not None)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Rule:
        """A rule from plain JSON; lists for sets, ISO dates. Raises RuleFault for unknown members and
        values."""
        name = stored.get("id", "a rule without id")
        if unknown := stored.keys() - _READ.keys():
            raise RuleFault(f"{name}: unknown members {', '.join(sorted(unknown))}")
        try:
            rule = cls(**{member: _READ[member](value) for member, value in stored.items()})
        except (ValueError, TypeError, KeyError) as fault:
            raise RuleFault(f"{name}: {fault}") from fault
        if faults := list(_faults_alone(rule)):
            raise RuleFault(f"{name}: {'; '.join(faults)}")
        return rule

    def as_json(self) -> dict[str, Any]:
        """Plain JSON without empty members, sets sorted."""
        written = {entry.name: _plain(getattr(self, entry.name)) for entry in fields(self)}
        return {member: value for member, value in written.items() if value not in (None, "", [], 0)}


@dataclass(frozen=True)
class RuleSet:
    """All rules in force together, and who owns what no rule decides.

    `root_team` owns everything else; `state_hubs` maps a state's FIPS code to the team that owns what stays
    open in it. `digest` (SHA-256, hex) names the whole content.
    """

    rules: tuple[Rule, ...]
    root_team: str
    state_hubs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    layer_ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(dict(LAYER_RANKS)))
    share_floor: float = SHARE_FLOOR

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RuleSet:
        """The inverse of `as_json`. Raises RuleFault."""
        rules = tuple(Rule.from_json(entry) for entry in stored.get("rules", ()))
        if len({rule.id for rule in rules}) < len(rules):
            raise RuleFault("two rules have the same id")
        if not stored.get("root_team"):
            raise RuleFault("root_team is missing: somebody must own what no rule decides")
        return cls(
            rules=tuple(sorted(rules, key=lambda rule: rule.id)),
            root_team=str(stored["root_team"]),
            state_hubs=MappingProxyType(dict(stored.get("state_hubs", {}))),
            layer_ranks=MappingProxyType(dict(LAYER_RANKS) | dict(stored.get("layer_ranks", {}))),
            share_floor=float(stored.get("share_floor", SHARE_FLOOR)),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, rules by id, so that equal sets give equal bytes."""
        return {
            "layer_ranks": dict(sorted(self.layer_ranks.items())),
            "root_team": self.root_team,
            "rules": [rule.as_json() for rule in sorted(self.rules, key=lambda rule: rule.id)],
            "share_floor": self.share_floor,
            "state_hubs": dict(sorted(self.state_hubs.items())),
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON."""
        written = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(written.encode()).hexdigest()

    @cached_property
    def by_area(self) -> Mapping[str, tuple[Rule, ...]]:
        """Rules about an area itself."""
        return _grouped((rule.area, rule) for rule in self.rules if not rule.every)

    @cached_property
    def by_every(self) -> Mapping[str, tuple[Rule, ...]]:
        """Rules about all areas of a layer inside an area."""
        return _grouped((rule.area, rule) for rule in self.rules if rule.every)

    def faults(self, boundaries: Boundaries) -> list[str]:
        """Why this set must not be published on these boundaries: one sentence each, naming the rule."""
        return [f"{rule.id}: {fault}" for rule in self.rules for fault in _faults_on(rule, boundaries)]


def _grouped(pairs: Iterable[tuple[str, Rule]]) -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = defaultdict(list)
    for key, rule in pairs:
        found[key].append(rule)
    return {key: tuple(rules) for key, rules in found.items()}


def _faults_alone(rule: Rule) -> Iterable[str]:
    if not (rule.id and rule.team and rule.area):
        yield "id, team and area must be given"
    if unknown := rule.behaviours - behaviours.CODES:
        yield f"unknown behaviours {', '.join(sorted(unknown))}"
    if unknown := (rule.shields | ({rule.every} - {""})) - LAYER_RANKS.keys():
        yield f"unknown layers {', '.join(sorted(unknown))}"
    if rule.mandate not in {0, 1, 2}:
        yield "the mandate must be 0 (ordinary), 1 (written agreement) or 2 (law)"
    if rule.valid_from and rule.valid_to and rule.valid_from >= rule.valid_to:
        yield "it ends before it begins"
    if rule.relations == {Relation.REPORTER} and rule.role is Role.LEAD:
        yield "a reporter's place alone never leads"


def _faults_on(rule: Rule, boundaries: Boundaries) -> Iterable[str]:
    if boundaries.successors(rule.area) != (rule.area,):
        after = ", ".join(boundaries.successors(rule.area))
        yield f"{rule.area} has ended; in its place: {after}"
    elif not boundaries.knows(rule.area):
        yield f"{rule.area} is not known"
    elif not boundaries.can_be_found(rule.area):
        yield f"{rule.area} has neither an outline nor ZIPs, so it could never apply"
    elif layer_of(rule.area) not in LAYER_RANKS:
        yield f"{rule.area} is of no known layer"


def _date(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None


def _words(values: Any) -> frozenset[str]:
    if isinstance(values, str):
        raise TypeError("a list is needed where a single word stands")
    return frozenset(map(str, values))


# The closed list of what a rule may say, and how each is read.
_READ: Mapping[str, Any] = {
    "id": str,
    "team": str,
    "role": Role,
    "area": str,
    "every": str,
    "behaviours": _words,
    "urgencies": lambda values: frozenset(map(Urgency, _words(values))),
    "settings": lambda values: frozenset(map(Setting, _words(values))),
    "originators": _words,
    "hours": lambda value: Hours.from_json(value) if value else None,
    "relations": lambda values: frozenset(map(Relation, _words(values))),
    "mandate": int,
    "priority": int,
    "valid_from": _date,
    "valid_to": _date,
    "shields": _words,
    "author": str,
    "reason": str,
}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(str(member) for member in value)
    if isinstance(value, Hours):
        return value.as_json()
    return (
        value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, StrEnum) else value
    )
