"""One coverage rule: which team answers for which area, under which conditions.

A rule may ask what was done, how urgent it is, where, when and who forwards it. It may never ask who
somebody is: race, religion, origin, belief, disability, gender and immigration status are no fields here,
and a test fails if one appears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from directory.hours import Hours
from referrals import behaviours
from referrals.facts import Relation, Setting, Urgency
from routing.areas import LAYER_RANKS


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
    `hours` are in the team's time zone; `calendar` names the set's holiday calendar that they follow.
    `valid_from` and `valid_to` are half open, days of that zone. `shields`: layers that an exclusive area shuts out.
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
    calendar: str = ""
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

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Which conditions it has, in the order in which they are asked. The place is not among them."""
        has = (
            ("dates", self.valid_from or self.valid_to),
            ("behaviours", self.behaviours),
            ("urgency", self.urgencies),
            ("setting", self.settings),
            ("originator", self.originators),
            ("hours", self.hours),
        )
        return tuple([name for name, given in has if given])

    def in_force(self, day: date) -> bool:
        """Whether `day`, in the rule's zone, lies within its dates."""
        return (self.valid_from or day) <= day and (self.valid_to is None or day < self.valid_to)

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
        # Read a hundred thousand times when snapshots are loaded: what is empty is not even looked at.
        members = self.__dict__
        return {name: _plain(value) for name in _READ if (value := members[name])}


def _faults_alone(rule: Rule) -> Iterable[str]:
    if not (rule.id and rule.team and rule.area):
        yield "id, team and area must be given"
    if rule.behaviours and (unknown := rule.behaviours - behaviours.CODES):
        yield f"unknown behaviours {', '.join(sorted(unknown))}"
    if strange := ({*rule.shields, rule.every} - {""}) - LAYER_RANKS.keys():
        yield f"unknown layers {', '.join(sorted(strange))}"
    if rule.mandate not in {0, 1, 2}:
        yield "the mandate must be 0 (ordinary), 1 (written agreement) or 2 (law)"
    if rule.valid_from and rule.valid_to and rule.valid_from >= rule.valid_to:
        yield "it ends before it begins"
    if rule.relations == {Relation.REPORTER} and rule.role is Role.LEAD:
        yield "a reporter's place alone never leads"


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
    "calendar": str,
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
