"""Re-deciding: what a change of rules does to everything that can be asked, before it is in force.

Only what the change can reach is asked at all: a place is out of reach if no rule that changes, and no area that
changes, is about it or about anything that holds it. Among the rest, one of each situation is decided under both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from referrals.facts import Evidence, Facts, Relation
from routing import circumstances, gazetteer, lineside, situations
from routing.boundaries import Boundaries
from routing.circumstances import Circumstance
from routing.decision import Status
from routing.rules import Role, Rule, RuleSet
from routing.situations import Answer, Side, Situation
from routing.snapshots import Snapshot
from routing.weighing import Outcome

Tick = Callable[[str, int, int], None]
_EXAMPLES = 5
# Instead of the number of a circumstance: referrals bring their own.
THEIR_OWN = -1


class Step(StrEnum):
    """What is being asked at the moment, in this order."""

    WAITING = "waiting"
    REFERRALS = "referrals"
    ZIPS = "zips"
    SCHOOLS = "schools"
    POINTS = "points"
    RULES = "rules"


class Kind(StrEnum):
    """What becomes of a lead: a closed list, the worst first."""

    GAP = "gap"
    TIE = "tie"
    DOUBT = "doubt"
    LEAD = "lead"
    COVERED = "covered"
    COMPANY = "company"


@dataclass
class Difference:
    """Places that are answered differently in one way. Teams are ids; `counts` by step; `examples` are area ids."""

    kind: Kind
    circumstance: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


@dataclass
class Found:
    """What a dry run found. `asked` and `reached`: how many places there are, and how many the change can reach, by
    step. `circumstances` were tried; `left_out` more were too many. `lost`: teams without any lead afterwards.
    `never`: rules that lead nowhere, `ended`: sentences about rules on areas that ended or are not known."""

    circumstances: tuple[Circumstance, ...]
    left_out: int
    asked: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: ids, codes, counts and times."""
        return dict(self.__dict__) | {
            "circumstances": [dict(one.__dict__) | {"at": one.at.isoformat()} for one in self.circumstances],
            "differences": [dict(one.__dict__) for one in self.differences],
        }


@dataclass(frozen=True)
class Population:
    """Who is asked: stored referrals by their facts, ZIPs and schools by their areas. Points follow from the rules."""

    referrals: Sequence[Facts]
    zips: Sequence[str]
    schools: Sequence[str]


def everybody(before: Snapshot, after: Snapshot, referrals: Sequence[Facts]) -> Population:
    """Every ZIP in use, and every school and campus of either map."""
    extra = {area for snapshot in (before, after) for area in snapshot.boundaries.extra}
    schools = sorted(area for area in extra if area.startswith(("school:", "campus:")))
    return Population(referrals, [f"zip:{code}" for code in gazetteer.load().zip_codes], schools)


def redecide(
    before: Snapshot, after: Snapshot, at: datetime, population: Population, tick: Tick | None = None
) -> Found:
    """Asks everybody under both, as of the aware moment `at` and of those at which a rule begins or ends. `tick` is
    told the step, how much of it is done, and how much there is."""
    tried, left_out = circumstances.of(before.rules, after.rules, at)
    work = _Work(before, after, Found(tried, left_out), tick or (lambda step, done, total: None))
    work.ask_referrals(population.referrals, at)
    work.ask_named(Step.ZIPS, population.zips)
    work.ask_named(Step.SCHOOLS, population.schools)
    work.ask_points()
    work.look_at_rules(at)
    return work.finished()


class Pair:
    """Both sides of the change as of one day, and how far it reaches: whether a rule or an area differs at a place, or
    at anything that holds it."""

    def __init__(self, before: Snapshot, after: Snapshot, day: date) -> None:
        self.old = Side(before.rules, before.boundaries.on(day))
        self.new = Side(after.rules, after.boundaries.on(day))
        self.same_map = self.old.boundaries.digest == self.new.boundaries.digest
        self._touched = {rule.area for rule in circumstances.changed(before.rules, after.rules)}
        self._everywhere = _foundations(before.rules) != _foundations(after.rules)
        self._reached: dict[str, bool] = {}

    def reaches(self, area: str) -> bool:
        """Whether the change can be felt where that area is named."""
        known = self._reached.get(area)
        if known is None:
            # First a no, so that areas that lie in each other end the climb.
            self._reached[area] = False
            known = self._everywhere or area in self._touched or self._climbs(area)
            self._reached[area] = known
        return known

    def kin(self, area: str) -> Hashable:
        """Equal for areas that are sure to be alike on both sides."""
        theirs = self.new.about(area) if self.same_map else self.new.kin(area)
        return self.old.kin(area), theirs

    def situations(self, evidence: tuple[Evidence, ...]) -> tuple[Situation, Situation]:
        """What both feel of a place."""
        return self.old.situation(evidence), self.new.situation(evidence)

    def reached_outlines(self) -> list[str]:
        """Areas with an outline at which the change can be felt."""
        one, other = self.old.boundaries, self.new.boundaries
        if self.same_map:
            return [area for area in lineside.outlined(one) if self.reaches(area)]
        drawn = {*lineside.outlined(one), *lineside.outlined(other)}
        return sorted(area for area in drawn if self.reaches(area) or _redrawn(area, one, other))

    def _climbs(self, area: str) -> bool:
        one, other = self.old.boundaries, self.new.boundaries
        above, after = one.parents(area), one.successors(area)
        if not self.same_map and (
            above != other.parents(area)
            or after != other.successors(area)
            or one.knows(area) != other.knows(area)
        ):
            return True
        successors = after if after != (area,) else ()
        return any(map(self.reaches, (*successors, *(parent for parent, _ in above))))


def _redrawn(area: str, one: Boundaries, other: Boundaries) -> bool:
    before, after = one.extra.get(area), other.extra.get(area)
    return (before and before.geometry) != (after and after.geometry)


def _foundations(rules: RuleSet) -> tuple[Any, ...]:
    """What of a set bears on every decision."""
    hubs, ranks, calendars = map(dict, (rules.state_hubs, rules.layer_ranks, rules.calendars))
    return rules.root_team, hubs, ranks, rules.share_floor, calendars


@dataclass
class _Class:
    """Places in one situation: evidence of one of them, how many there are, and a few of them."""

    like: tuple[Evidence, ...]
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, areas: Sequence[str], count: int) -> None:
        self.count += count
        self.examples += areas[: _EXAMPLES - len(self.examples)]


Classes = dict[tuple[Situation, Situation], _Class]
# Circumstances that see the same map and ask about the same relation, by number.
Together = Mapping[int, Circumstance]


class _Work:
    """One dry run while it runs."""

    def __init__(self, before: Snapshot, after: Snapshot, found: Found, tick: Tick) -> None:
        self._before, self._after, self._found, self._tick = before, after, found, tick
        self._pairs: dict[Hashable, Pair] = {}
        self._differences: dict[Hashable, Difference] = {}

    def ask_referrals(self, referrals: Sequence[Facts], at: datetime) -> None:
        """Each under both, with its own facts."""
        pair = self._pair(at)
        self._found.asked[Step.REFERRALS] = self._found.reached[Step.REFERRALS] = len(referrals)
        for number, facts in enumerate(referrals):
            self._told(Step.REFERRALS, number, len(referrals), often=50)
            own = Circumstance(at, facts.urgency, facts.behaviours, facts.setting, facts.originator)
            a, b = (Answer.of(side.decide(own, facts.evidence)) for side in (pair.old, pair.new))
            self._note(Step.REFERRALS, THEIR_OWN, a, b, 1, [])

    def ask_named(self, step: Step, areas: Sequence[str]) -> None:
        """Places that are named: one of each kin, then one of each situation."""
        self._found.asked[step] = len(areas)
        reached: set[str] = set()
        for pair, relation, together in self._groups():
            kin: dict[Hashable, list[str]] = defaultdict(list)
            for number, area in enumerate(areas):
                self._told(step, number, len(areas))
                if pair.reaches(area):
                    kin[pair.kin(area)].append(area)
            classes: Classes = {}
            for alike in kin.values():
                evidence = situations.naming(alike[0], relation)
                _class(classes, pair.situations(evidence), evidence).add(alike, len(alike))
                reached.update(alike)
            self._compare(step, pair, together, classes)
        self._found.reached[step] = len(reached)

    def ask_points(self) -> None:
        """Points beside the lines of outlines that rules are on: one of each neighbourhood, then of each situation."""
        ruled = sorted(
            {rule.area for rules in (self._before.rules, self._after.rules) for rule in rules.rules}
        )
        for pair, relation, together in self._groups():
            beside = lineside.beside(ruled, pair.reached_outlines(), pair.old.boundaries, pair.new.boundaries)
            self._found.asked[Step.POINTS] = beside.all_of_them
            self._found.reached[Step.POINTS] = len(beside.degrees)
            self._told(Step.POINTS, 0, len(beside.degrees))
            classes: Classes = {}
            for (near, *_), rows in beside.alike(pair.old.boundaries, pair.new.boundaries).items():
                evidence = (beside.evidence(rows[0], relation),)
                at = [area for area, _, _ in near]
                _class(classes, pair.situations(evidence), evidence).add(at, len(rows))
            self._compare(Step.POINTS, pair, together, classes)

    def look_at_rules(self, at: datetime) -> None:
        """What the new rules as such are worth: those that lead nowhere, or are about areas that are no more."""
        pair = self._pair(at)
        self._found.ended = self._after.rules.faults(pair.new.boundaries)
        self._found.lost = sorted(_leading(self._before.rules, at) - _leading(self._after.rules, at))
        leads = [rule for rule in self._after.rules.rules if pair.reaches(rule.area)]
        for number, rule in enumerate(leads):
            self._told(Step.RULES, number, len(leads), often=200)
            if not can_win(pair.new, rule, at):
                self._found.never.append(rule.id)

    def finished(self) -> Found:
        """All of it, the worst first."""
        order = list(Kind)
        self._found.differences = sorted(
            self._differences.values(),
            key=lambda one: (order.index(one.kind), -sum(one.counts.values()), one.before, one.after),
        )
        return self._found

    def _pair(self, at: datetime) -> Pair:
        day = at.date()
        # Between two days on which some area begins or ends, all days are alike and share a view of the map.
        views = self._before.boundaries.on(day), self._after.boundaries.on(day)
        key = tuple(map(id, views))
        if key not in self._pairs:
            self._pairs[key] = Pair(self._before, self._after, day)
        return self._pairs[key]

    def _groups(self) -> Iterator[tuple[Pair, Relation, Together]]:
        groups: dict[tuple[int, Relation], dict[int, Circumstance]] = defaultdict(dict)
        pairs = {}
        for number, one in enumerate(self._found.circumstances):
            pair = self._pair(one.at)
            pairs[id(pair)] = pair
            groups[id(pair), one.relation][number] = one
        for (pair_id, relation), together in groups.items():
            yield pairs[pair_id], relation, together

    def _compare(self, step: Step, pair: Pair, together: Together, classes: Classes) -> None:
        for number, circumstance in together.items():
            for (one, other), alike in classes.items():
                a = pair.old.answer(one, circumstance, alike.like)
                b = pair.new.answer(other, circumstance, alike.like)
                self._note(step, number, a, b, alike.count, alike.examples)

    def _note(
        self, step: Step, circumstance: int, a: Answer, b: Answer, count: int, examples: Sequence[str]
    ) -> None:
        if a == b:
            return
        kind = kind_of(a, b)
        key = (kind, circumstance, a.leads, b.leads)
        one = self._differences.setdefault(key, Difference(kind, circumstance, a.leads, b.leads))
        one.counts[step] += count
        one.examples = list(dict.fromkeys([*one.examples, *examples]))[:_EXAMPLES]

    def _told(self, step: Step, done: int, total: int, often: int = 2_000) -> None:
        if done % often == 0:
            self._tick(step, done, total)


def kind_of(a: Answer, b: Answer) -> Kind:
    """What became of the lead when `a` became `b`."""
    tests = (
        (bool(a.leads) and not b.leads, Kind.GAP),
        (b.status is Status.AMBIGUOUS and a.leads != b.leads, Kind.TIE),
        (not a.leads and bool(b.leads), Kind.COVERED),
        (b.status is Status.CONFIRM_LOCATION and a.status is Status.ROUTED, Kind.DOUBT),
        (a.leads != b.leads, Kind.LEAD),
    )
    return next((kind for holds, kind in tests if holds), Kind.COMPANY)


def can_win(side: Side, rule: Rule, at: datetime) -> bool:
    """Whether a rule does what it says where its own area is named and all that it asks for holds: the best case for
    it. What excludes, or is about all areas of a layer, is taken for able."""
    if rule.every or rule.role is Role.EXCLUDE:
        return True
    best = circumstances.satisfying(rule, side.rules, at)
    return any(_wins(side, rule, one) for one in best)


def _wins(side: Side, rule: Rule, one: Circumstance) -> bool:
    decision = side.decide(one, situations.naming(rule.area, one.relation))
    return any(entry.rule == rule.id and entry.outcome in _WINS for entry in decision.considered)


_WINS = {Outcome.LEAD, Outcome.TIED, Outcome.SUPPORT, Outcome.NOTIFY}


def _leading(rules: RuleSet, at: datetime) -> set[str]:
    """Teams that some rule lets lead, at that moment or later."""
    return {
        rule.team
        for rule in rules.rules
        if rule.role is Role.LEAD and (rule.valid_to is None or rules.local(rule, at).date() < rule.valid_to)
    }


def _class(classes: Classes, key: tuple[Situation, Situation], evidence: tuple[Evidence, ...]) -> _Class:
    return classes.setdefault(key, _Class(evidence))
