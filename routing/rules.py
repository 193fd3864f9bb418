"""Coverage rules in force together: immutable sets named by their content."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from directory.hours import Hours
from routing.areas import LAYER_RANKS, layer_of
from routing.boundaries import Boundaries
from routing.rule import Role, Rule, RuleFault

__all__ = ["SHARE_FLOOR", "Role", "Rule", "RuleFault", "RuleSet"]

# A ZIP's share of addresses that may decide alone.
SHARE_FLOOR = 0.90


@dataclass(frozen=True)
class RuleSet:
    """All rules in force together, and who owns what no rule decides.

    `root_team` owns everything else; `state_hubs` maps a state's FIPS code to the team that owns what stays
    open in it. `zones` are the teams' IANA time zones as they were when the set was written, `calendars` the days
    of each holiday calendar. `digest` (SHA-256, hex) names the whole content.
    """

    rules: tuple[Rule, ...]
    root_team: str
    state_hubs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    layer_ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(dict(LAYER_RANKS)))
    share_floor: float = SHARE_FLOOR
    zones: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    calendars: Mapping[str, frozenset[date]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RuleSet:
        """The inverse of `as_json`; hours without a zone take that of their team. Raises RuleFault."""
        zones, calendars = _zones(stored.get("zones", {})), _calendars(stored.get("calendars", {}))
        rules = tuple(Rule.from_json(_with_zone(entry, zones)) for entry in stored.get("rules", ()))
        if strange := sorted(
            rule.id for rule in rules if rule.calendar and not (rule.hours and rule.calendar in calendars)
        ):
            raise RuleFault(
                f"{', '.join(strange)}: a calendar of the set and hours that follow it are needed"
            )
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
            zones=MappingProxyType(zones),
            calendars=MappingProxyType(calendars),
        )

    @classmethod
    def from_stored(cls, body: str) -> RuleSet:
        """The set that was stored as this canonical JSON. Its digest is the body's, which need not be written again."""
        stored = cls.from_json(orjson.loads(body))
        stored.__dict__["digest"] = hashlib.sha256(body.encode()).hexdigest()
        return stored

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, rules by id, so that equal sets give equal bytes."""
        return {
            "calendars": {name: _plain_days(days) for name, days in sorted(self.calendars.items())},
            "layer_ranks": dict(sorted(self.layer_ranks.items())),
            "root_team": self.root_team,
            "rules": [rule.as_json() for rule in sorted(self.rules, key=lambda rule: rule.id)],
            "share_floor": self.share_floor,
            "state_hubs": dict(sorted(self.state_hubs.items())),
            "zones": dict(sorted(self.zones.items())),
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
    def areas_taking_out(self) -> frozenset[str]:
        """Areas with a rule about themselves that excludes or shields."""
        return frozenset(rule.area for rule in self.rules if not rule.every and takes_out(rule))

    @cached_property
    def by_every(self) -> Mapping[str, tuple[Rule, ...]]:
        """Rules about all areas of a layer inside an area."""
        return _grouped((rule.area, rule) for rule in self.rules if rule.every)

    @cached_property
    def _hours(self) -> Mapping[str, Hours]:
        """Hours by rule, with the days of the calendar that each follows."""
        return {
            rule.id: replace(
                rule.hours, holidays=rule.hours.holidays | self.calendars.get(rule.calendar, frozenset())
            )
            for rule in self.rules
            if rule.hours
        }

    def prepare(self) -> None:
        """Builds now what the first decision would have to wait for."""
        _ = self.digest, self.by_area, self.by_every, self.areas_taking_out, self._hours
        for rule in self.rules:
            _ = rule.conditions, rule.specificity

    def hours_of(self, rule: Rule) -> Hours:
        """The hours of a rule that has some, with the holidays of its calendar."""
        return self._hours[rule.id]

    def local(self, rule: Rule, moment: datetime) -> datetime:
        """The aware moment in the rule's zone: of its hours, else of its team, else UTC."""
        return moment.astimezone(
            ZoneInfo(rule.hours.zone if rule.hours else self.zones.get(rule.team, "UTC"))
        )

    def faults(self, boundaries: Boundaries) -> list[str]:
        """Why this set must not be published on these boundaries: one sentence each, naming the rule."""
        return [f"{rule.id}: {fault}" for rule in self.rules for fault in _faults_on(rule, boundaries)]


def takes_out(rule: Rule) -> bool:
    """Whether it may keep another team from leading."""
    return rule.role is Role.EXCLUDE or bool(rule.shields)


def _grouped(pairs: Iterable[tuple[str, Rule]]) -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = defaultdict(list)
    for key, rule in pairs:
        found[key].append(rule)
    return {key: tuple(rules) for key, rules in found.items()}


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


def _zones(stored: Mapping[str, Any]) -> dict[str, str]:
    for team, zone in stored.items():
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError) as fault:
            raise RuleFault(f"the team {team} has the unknown time zone {zone}") from fault
    return dict(stored)


def _calendars(stored: Mapping[str, Any]) -> dict[str, frozenset[date]]:
    try:
        return {name: frozenset(map(date.fromisoformat, days)) for name, days in stored.items()}
    except (ValueError, TypeError) as fault:
        raise RuleFault(f"a holiday calendar cannot be read: {fault}") from fault


def _with_zone(stored: Mapping[str, Any], zones: Mapping[str, str]) -> Mapping[str, Any]:
    hours, zone = stored.get("hours"), zones.get(str(stored.get("team")))
    return {**stored, "hours": {"zone": zone, **hours}} if hours and zone else stored


def _plain_days(days: Iterable[date]) -> list[str]:
    return sorted(day.isoformat() for day in days)
