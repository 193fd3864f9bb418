"""What a decision is made from, but for the place: the facts, the rules, the moment, and who is passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from referrals.facts import Facts
from routing.areas import layer_of
from routing.boundaries import Boundaries
from routing.locate import Hit
from routing.rules import Rule, RuleSet, takes_out

if TYPE_CHECKING:
    from routing.weighing import Match


@dataclass(slots=True)
class Question:
    """What stays the same while hits vary: everything a decision is made from, but the place.

    `unreachable` and `excluded` give a reason by team. `passed_over` collects the unreachable teams that mattered:
    the others are no part of the decision. `failed` keeps the verdict on a rule's own conditions, which no hit
    changes: each is asked once. `brought` and `leads` keep what each hit brings, and what of it could
    lead.
    """

    facts: Facts
    rules: RuleSet
    boundaries: Boundaries
    as_of: datetime
    unreachable: Mapping[str, str]
    excluded: Mapping[str, str]
    passed_over: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    brought: dict[Hit, tuple[Match, ...]] = field(default_factory=dict)
    leads: dict[Hit, tuple[Match, ...]] = field(default_factory=dict)

    def why_unreachable(self, team: str) -> str:
        """Why nobody there can be reached now; "" if somebody can."""
        why = self.unreachable.get(team, "")
        if why:
            self.passed_over[team] = why
        return why

    def rules_about(self, area: str) -> tuple[Rule, ...]:
        """Rules about an area itself, and about all of its layer in what holds it."""
        rules = self.rules.by_area.get(area, ())
        return (*rules, *self._rules_about_every(area)) if self.rules.by_every else rules

    def _rules_about_every(self, area: str) -> Iterator[Rule]:
        layer = layer_of(area)
        for above, share in self.boundaries.widen(area):
            for rule in self.rules.by_every.get(above, ()):
                # "All places in the county" means those that lie in it, not those that touch it.
                if rule.every == layer and share >= self.rules.share_floor:
                    yield rule

    def someone_is_taken_out(self, hits: Iterable[Hit]) -> bool:
        """Whether a rule about one of the hits excludes or shields."""
        if not self.rules.by_every:
            return not self.rules.areas_taking_out.isdisjoint([hit.area for hit in hits])
        return any(takes_out(rule) for hit in hits for rule in self.rules_about(hit.area))

    def first_failed(self, rule: Rule) -> str:
        """The first of the rule's conditions that does not hold, or ""."""
        if not rule.conditions:
            return ""
        failed = self.failed.get(rule.id)
        if failed is None:
            failed = next((name for name in rule.conditions if not _HOLDS[name](rule, self)), "")
            self.failed[rule.id] = failed
        return failed


_HOLDS: dict[str, Callable[[Rule, Question], bool]] = {
    "dates": lambda rule, asked: rule.in_force(asked.rules.local(rule, asked.as_of).date()),
    "behaviours": lambda rule, asked: not rule.behaviours.isdisjoint(asked.facts.behaviours),
    "urgency": lambda rule, asked: asked.facts.urgency in rule.urgencies,
    "setting": lambda rule, asked: asked.facts.setting in rule.settings,
    "originator": lambda rule, asked: asked.facts.originator in rule.originators,
    "hours": lambda rule, asked: asked.rules.hours_of(rule).hold(asked.as_of),
}
