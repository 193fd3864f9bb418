"""Re-deciding: what a change of rules does to everything that can be asked, before it is in force.

Only what the change can reach is asked at all: a place is out of reach if no rule that changes, and no area that
changes, is about it or about anything that holds it. The rest is laid out in columns (`alike`), or grouped by
situation, and one of each is decided under both. It is done in pieces of a few seconds each, so that whoever is
stopped between two of them goes on with the next.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from referrals.facts import Evidence, Facts, Relation
from routing import circumstances, gazetteer, lineside, situations, winning
from routing.alike import Alike
from routing.circumstances import Circumstance
from routing.found import EXAMPLES, THEIR_OWN, Found, Step
from routing.pair import Pair
from routing.situations import Answer, Situation
from routing.snapshots import Snapshot

Tick = Callable[[str, int, int], None]
# So many places, rules or lines make a piece: two or three seconds of one core, where all of them are reached.
_SLICES: Mapping[Step, int] = {
    Step.REFERRALS: 2_000,
    Step.ZIPS: 25_000,
    Step.SCHOOLS: 35_000,
    Step.POINTS: 1_000,
    Step.RULES: 5_000,
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
    work = Redeciding(before, after, at, population)
    for piece in work.pieces:
        if tick is not None:
            tick(piece.step, piece.done, piece.total)
        work.do(piece)
    return work.found


@dataclass(frozen=True)
class Piece:
    """Some of what is asked in one step under circumstances that go together; `done` of the step's `total` lie before
    it."""

    step: Step
    group: int
    begins: int
    ends: int
    done: int
    total: int


@dataclass
class _Class:
    """Places in one situation: evidence of one of them, how many there are, and a few of them."""

    like: tuple[Evidence, ...]
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, area: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES and area not in self.examples:
            self.examples.append(area)


Classes = dict[tuple[Situation, Situation], _Class]


@dataclass(frozen=True)
class _Group:
    """Circumstances that see the same map and ask about the same relation, by number."""

    pair: Pair
    relation: Relation
    together: Mapping[int, Circumstance]


class Redeciding:
    """One dry run while it runs, as of the moment `at`. `found` grows with every piece; `pieces` are always the same
    for the same change."""

    def __init__(self, before: Snapshot, after: Snapshot, at: datetime, population: Population) -> None:
        self._before, self._after, self.at, self._population = before, after, at, population
        self.found = Found(*circumstances.of(before.rules, after.rules, at))
        self._pairs: dict[Hashable, Pair] = {}

    @cached_property
    def pieces(self) -> list[Piece]:
        """All that there is to do, in order."""
        asked, groups = self._population, len(self._groups)
        return [
            *_cut(Step.REFERRALS, len(asked.referrals), 1),
            *_cut(Step.ZIPS, len(asked.zips), groups),
            *_cut(Step.SCHOOLS, len(asked.schools), groups),
            *_cut(Step.POINTS, len(self._ruled), groups),
            *_cut(Step.RULES, len(self._after.rules.rules), 1),
        ]

    def do(self, piece: Piece) -> None:
        """Does one piece."""
        _DO[piece.step](self, piece)

    def ask_referrals(self, piece: Piece) -> None:
        """Each under both, with its own facts."""
        pair = self._pair(self.at)
        some = self._population.referrals[piece.begins : piece.ends]
        self.found.asked[Step.REFERRALS] += len(some)
        self.found.reached[Step.REFERRALS] += len(some)
        for facts in some:
            own = Circumstance(self.at, facts.urgency, facts.behaviours, facts.setting, facts.originator)
            a, b = (Answer.of(side.decide(own, facts.evidence)) for side in (pair.old, pair.new))
            self.found.note(Step.REFERRALS, THEIR_OWN, a, b, 1, [])

    def ask_named(self, piece: Piece) -> None:
        """Places that are named: in columns, and those that leave a doubt one by one."""
        step, group = piece.step, self._groups[piece.group]
        named = self._population.zips if step is Step.ZIPS else self._population.schools
        areas = named[piece.begins : piece.ends]
        reached = group.pair.reached(areas)
        self._count(piece, len(areas), len(reached.asked))
        if not reached.asked:
            return
        alike = Alike(reached, *group.pair.numbers, group.relation, examples=EXAMPLES)
        for number, circumstance in group.together.items():
            for same in alike.answers(circumstance):
                self.found.note(step, number, same.before, same.after, same.count, same.examples)
        classes: Classes = {}
        for area in alike.alone:
            evidence = situations.naming(area, group.relation)
            _class(classes, group.pair.situations(evidence), evidence).add(area)
        self._compare(step, group, classes)

    def ask_points(self, piece: Piece) -> None:
        """Points beside the lines of outlines that rules are on: one of each situation."""
        group = self._groups[piece.group]
        pair, relation = group.pair, group.relation
        beside = lineside.beside(self._ruled[piece.begins : piece.ends], pair.reached_outlines, *pair.maps)
        self._count(piece, beside.all_of_them, len(beside.degrees))
        classes: Classes = {}
        for row, area in enumerate(beside.areas):
            point = beside.evidence(row, relation)
            _class(classes, pair.situations_at(point), (point,)).add(area)
        self._compare(Step.POINTS, group, classes)

    def look_at_rules(self, piece: Piece) -> None:
        """What the new rules as such are worth: those that lead nowhere, or are about areas that are no more."""
        pair, rules = self._pair(self.at), self._after.rules
        if piece.begins == 0:
            self.found.ended = rules.faults(pair.new.boundaries)
            before, after = (winning.leading(one.rules, self.at) for one in (self._before, self._after))
            self.found.lost = sorted(before - after)
        for rule in rules.rules[piece.begins : piece.ends]:
            if pair.reaches(rule.area) and not winning.can_win(pair.new, rule, self.at):
                self.found.never.append(rule.id)

    @cached_property
    def _ruled(self) -> list[str]:
        return sorted({rule.area for side in (self._before, self._after) for rule in side.rules.rules})

    def _pair(self, at: datetime) -> Pair:
        day = at.date()
        # Between two days on which some area begins or ends, all days are alike and share a view of the map.
        views = self._before.boundaries.on(day), self._after.boundaries.on(day)
        key = tuple(map(id, views))
        if key not in self._pairs:
            self._pairs[key] = Pair(self._before, self._after, day)
        return self._pairs[key]

    @cached_property
    def _groups(self) -> list[_Group]:
        groups: dict[tuple[int, Relation], _Group] = {}
        for number, one in enumerate(self.found.circumstances):
            pair = self._pair(one.at)
            group = groups.setdefault((id(pair), one.relation), _Group(pair, one.relation, {}))
            assert isinstance(group.together, dict)
            group.together[number] = one
        return list(groups.values())

    def _count(self, piece: Piece, asked: int, reached: int) -> None:
        # Each group asks the same places; they are counted once.
        if piece.group == 0:
            self.found.asked[piece.step] += asked
            self.found.reached[piece.step] += reached

    def _compare(self, step: Step, group: _Group, classes: Classes) -> None:
        for number, circumstance in group.together.items():
            for (one, other), alike in classes.items():
                a = group.pair.old.answer(one, circumstance, alike.like)
                b = group.pair.new.answer(other, circumstance, alike.like)
                self.found.note(step, number, a, b, alike.count, alike.examples)


_DO: Mapping[Step, Callable[[Redeciding, Piece], None]] = {
    Step.REFERRALS: Redeciding.ask_referrals,
    Step.ZIPS: Redeciding.ask_named,
    Step.SCHOOLS: Redeciding.ask_named,
    Step.POINTS: Redeciding.ask_points,
    Step.RULES: Redeciding.look_at_rules,
}


def _cut(step: Step, count: int, groups: int) -> Iterator[Piece]:
    """Pieces of a step; one that is empty where there is nothing, so that each step is told."""
    for group in range(groups):
        for begins in range(0, max(count, 1), _SLICES[step]):
            ends = min(begins + _SLICES[step], count)
            yield Piece(step, group, begins, ends, group * count + begins, groups * count)


def _class(classes: Classes, key: tuple[Situation, Situation], evidence: tuple[Evidence, ...]) -> _Class:
    return classes.setdefault(key, _Class(evidence))
