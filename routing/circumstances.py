"""Circumstances under which a change of rules is tried: those of an ordinary tip, and those that the changed rules ask
for, at the moments at which they begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from itertools import chain
from operator import attrgetter
from zoneinfo import ZoneInfo

from referrals.facts import Evidence, Facts, Relation, Setting, Urgency
from routing.rules import Rule, RuleSet
from routing.weighing import RELATION_RANKS

# More than these are not tried; how many were left out is told.
MOST = 40
# Members of a rule that decide nothing.
_WORDS = {"author", "reason"}


@dataclass(frozen=True)
class Circumstance:
    """All that a decision is made from, but the place."""

    at: datetime
    urgency: Urgency = Urgency.ELEVATED
    behaviours: tuple[str, ...] = ()
    setting: Setting = Setting.UNKNOWN
    originator: str | None = None
    relation: Relation = Relation.INCIDENT

    def facts(self, evidence: tuple[Evidence, ...]) -> Facts:
        """The facts of a referral from there."""
        return Facts(self.urgency, self.behaviours, self.setting, self.originator, evidence)


def of(before: RuleSet, after: RuleSet, at: datetime) -> tuple[tuple[Circumstance, ...], int]:
    """What is tried when `before` becomes `after` at that moment, and how many more there would be."""
    # Where no rule asks for the urgency, all three are answered alike.
    told_apart = any(rule.urgencies for rules in (before, after) for rule in rules.rules)
    urgencies = tuple(Urgency) if told_apart else (Urgency.ELEVATED,)
    tried = dict.fromkeys(Circumstance(at, urgency) for urgency in urgencies)
    for rule, rules in _changed(before, after):
        tried.update(dict.fromkeys(satisfying(rule, rules, at)))
        # On the day on which it ends it holds no more: what would be asked of it then shows what comes after it.
        undated = replace(rule, valid_from=None, valid_to=None)
        for moment in _turns(rule, rules, at):
            tried.update(dict.fromkeys(satisfying(undated, rules, moment)))
    every = tuple(tried)
    return every[:MOST], max(len(every) - MOST, 0)


def changed(before: RuleSet, after: RuleSet) -> tuple[Rule, ...]:
    """Rules as they were and as they become, wherever both differ in something that decides."""
    return tuple(rule for rule, _ in _changed(before, after))


def _changed(before: RuleSet, after: RuleSet) -> Iterator[tuple[Rule, RuleSet]]:
    old, new = ({rule.id: rule for rule in rules.rules} for rules in (before, after))
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one is None or other is None or differ(one, other):
            # What comes first: of many, the last ones may be left out.
            if other is not None:
                yield other, after
            if one is not None:
                yield one, before


_DECISIVE = attrgetter(*(entry.name for entry in fields(Rule) if entry.name not in _WORDS))


def differ(one: Rule, other: Rule) -> bool:
    """Whether they decide differently; what is only said about them does not count."""
    return bool(_DECISIVE(one) != _DECISIVE(other))


def satisfying(rule: Rule, rules: RuleSet, at: datetime) -> tuple[Circumstance, ...]:
    """Circumstances, from that moment on, in which all that the rule asks for holds: one for each urgency of it."""
    moment = moment_of(rule, rules, at)
    if moment is None:
        return ()
    relation = max(rule.relations, key=RELATION_RANKS.__getitem__, default=Relation.INCIDENT)
    return tuple(
        Circumstance(
            moment,
            urgency,
            tuple(sorted(rule.behaviours)[:1]),
            min(rule.settings, default=Setting.UNKNOWN),
            min(rule.originators, default=None),
            relation,
        )
        for urgency in sorted(rule.urgencies) or (Urgency.ELEVATED,)
    )


def moment_of(rule: Rule, rules: RuleSet, at: datetime) -> datetime | None:
    """The first moment from `at` on, to the hour, at which the rule is in force and in its hours; None if none comes
    within two weeks of its first day."""
    first = at
    if rule.valid_from and rules.local(rule, at).date() < rule.valid_from:
        first = _midnight(rule.valid_from, rule, rules)
    later = (_hour(first) + timedelta(hours=number) for number in range(1, 24 * 14))
    return next((moment for moment in chain((first,), later) if _holds(rule, rules, moment)), None)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _holds(rule: Rule, rules: RuleSet, moment: datetime) -> bool:
    in_hours = rule.hours is None or rules.hours_of(rule).hold(moment)
    return in_hours and rule.in_force(rules.local(rule, moment).date())


def _turns(rule: Rule, rules: RuleSet, at: datetime) -> Iterable[datetime]:
    """The days on which it begins and ends, if they are still to come."""
    for day in (rule.valid_from, rule.valid_to):
        if day and (moment := _midnight(day, rule, rules)) > at:
            yield moment


def _midnight(day: date, rule: Rule, rules: RuleSet) -> datetime:
    zone = rule.hours.zone if rule.hours else rules.zones.get(rule.team, "UTC")
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(_UTC)


_UTC = ZoneInfo("UTC")
