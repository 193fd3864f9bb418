"""Places in rows of numbers: the rules about all that holds each, with their weights and teams. Rows that look alike
are decided alike, so one of them is decided, by `decide` itself, and the teams of the others are read off theirs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from referrals.facts import Relation, Urgency
from routing import situations
from routing.areas import code_of
from routing.circumstances import Circumstance
from routing.decision import Status
from routing.holding import LAYERS, Held
from routing.situations import Answer, Side

# Rows with more rules than this are asked one by one: each rule has a bit of a number.
_MOST = 56
_NOBODY = -1
_STATE, _ZIP = LAYERS.index("state"), LAYERS.index("zip")
_STATUSES = tuple(Status)


class Numbers:
    """Teams as numbers in the order of their ids, and the rules of one side as numbers in theirs."""

    def __init__(self, side: Side, teams: Sequence[str]) -> None:
        self.side, self.teams = side, teams
        self.team = {team: number for number, team in enumerate(teams)}
        rules = side.rules.rules
        self.rule = {rule.id: number for number, rule in enumerate(rules)}
        self.team_of = np.array([self.team[rule.team] for rule in rules], dtype=np.int64)
        weights: dict[Hashable, int] = {}
        self.weight_of = np.array(
            [weights.setdefault(situations.weight(rule), len(weights)) for rule in rules], dtype=np.int64
        )
        self.weights = max(len(weights), 1)
        self.hub_of = {state: self.team[hub] for state, hub in side.rules.state_hubs.items() if hub}
        self.root = self.team[side.rules.root_team]
        # What kinds of rows there are, and how one of each is decided; both are met again in the next thousand places.
        self.kinds: dict[Hashable, int] = {}
        self.read: dict[Hashable, Reading] = {}
        self._fails: dict[Circumstance, Any] = {}
        self._about = {
            area: [self.rule[rule.id] for rule in about] for area, about in side.rules.by_area.items()
        }

    def about(self, area: str) -> Sequence[int]:
        """Numbers of the rules about an area."""
        if not self.side.rules.by_every:
            return self._about.get(area, ())
        return [self.rule[rule] for rule in self.side.about(area)]

    def failing(self, circumstance: Circumstance) -> Any:
        """For each rule, whether one of its own conditions does not hold."""
        known = self._fails.get(circumstance)
        if known is None:
            asked = self.side.question(circumstance)
            failed = [bool(asked.first_failed(rule)) for rule in self.side.rules.rules]
            known = self._fails[circumstance] = np.array(failed, dtype=bool)
        return known


def numbered(old: Side, new: Side) -> tuple[Numbers, Numbers]:
    """Both sides, with one number for a team that is in both."""
    teams = sorted({team for side in (old, new) for team in _teams(side)})
    return Numbers(old, teams), Numbers(new, teams)


def _teams(side: Side) -> Iterator[str]:
    yield side.rules.root_team
    yield from (hub for hub in side.rules.state_hubs.values() if hub)
    yield from (rule.team for rule in side.rules.rules)


@dataclass(frozen=True)
class Reading:
    """How one row is decided: a status, and the columns of `teams` in which the teams of the answer stand."""

    status: Status
    leads: list[int]
    supports: list[int]
    notifies: list[int]
    owner: int


class Rows:
    """The places of one side. `kind` numbers what a row looks like but for conditions that may or may not hold."""

    def __init__(self, numbers: Numbers, areas: Sequence[str], relation: Relation, holding: Held) -> None:
        self._numbers, self._areas, self._relation = numbers, areas, relation
        self._floor = numbers.side.rules.share_floor
        entries = self._entries(holding)
        counts = np.bincount(entries["place"], minlength=len(areas))
        self.alone = self._doubtful(holding) | (counts > _MOST) | self._twice(entries)
        self.rules, codes, self._teams = self._laid_out(entries, counts, self._hubs(holding))
        self.kind = self._kinds(codes)

    def _entries(self, holding: Held) -> dict[str, Any]:
        """A row for each rule about anything that holds a place, by place, in an order that no name decides."""
        about = [self._numbers.about(name) for name in holding.names]
        many = np.array([len(rules) for rules in about], dtype=np.int64)
        flat = np.array([rule for rules in about for rule in rules], dtype=np.int64)
        begins = np.cumsum(many) - many
        felt = many[holding.above] > 0
        place, above, share = holding.place[felt], holding.above[felt], holding.share[felt]
        rows = np.repeat(np.arange(len(place)), many[above])
        at = np.arange(len(rows)) - np.repeat(np.cumsum(many[above]) - many[above], many[above])
        rule = flat[begins[above][rows] + at] if len(rows) else np.empty(0, dtype=np.int64)
        code = self._sureness(holding, place, above, share)[rows]
        code = (holding.layers[above][rows] * 3 + code) * self._numbers.weights + self._numbers.weight_of[
            rule
        ]
        order = np.lexsort((code, place[rows]))
        return {"place": place[rows][order], "rule": rule[order], "code": code[order]}

    def _sureness(self, holding: Held, place: Any, above: Any, share: Any) -> Any:
        """0: below the floor, 1: a share that decides, 2: all of it. Whatever holds a ZIP holds a share of it."""
        whole = (share >= 1) & ((holding.layers[place] != _ZIP) | (above == place))
        return np.where(whole, 2, (share >= self._floor).astype(np.int64))

    def _doubtful(self, holding: Held) -> Any:
        """Places with a layer in which nothing holds enough of them."""
        layers = len(LAYERS)
        most = np.zeros(len(self._areas) * layers)
        layer = holding.place * layers + holding.layers[holding.above]
        np.maximum.at(most, layer, holding.share)
        there = np.zeros(len(most), dtype=bool)
        there[layer] = True
        return (there & (most < self._floor)).reshape(-1, layers).any(axis=1)

    def _twice(self, entries: Mapping[str, Any]) -> Any:
        """Places that one rule is about in two ways: all cities of a county, of which it lies in two."""
        pair = np.sort(entries["place"] * max(len(self._numbers.rule), 1) + entries["rule"])
        again = pair[1:][pair[1:] == pair[:-1]] // max(len(self._numbers.rule), 1)
        found = np.zeros(len(self._areas), dtype=bool)
        found[again] = True
        return found

    def _hubs(self, holding: Held) -> Any:
        """The hub of the one state that surely holds a place; nobody where there is none."""
        found = np.full(len(self._areas), _NOBODY, dtype=np.int64)
        if self._relation is Relation.REPORTER:
            return found
        sure = (holding.layers[holding.above] == _STATE) & (holding.share >= self._floor)
        place, hub_of = holding.place[sure], self._numbers.hub_of
        hubs = {
            above: hub_of.get(code_of(holding.names[above]), _NOBODY)
            for above in np.unique(holding.above[sure]).tolist()
        }
        found[place] = [hubs[above] for above in holding.above[sure].tolist()]
        found[np.bincount(place, minlength=len(found)) != 1] = _NOBODY
        return found

    def _laid_out(self, entries: Mapping[str, Any], counts: Any, hubs: Any) -> tuple[Any, Any, Any]:
        """Rules, codes and teams, a row for each place; the last two teams are the hub's and the root desk's."""
        # In steps of eight, so that the same rows look the same among other places.
        wide = min(int(counts.max(initial=0)) + 7, _MOST) // 8 * 8
        at = np.arange(len(entries["place"])) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = at < wide
        place, at = entries["place"][kept], at[kept]
        shape = len(self._areas), wide
        rules, codes = np.full(shape, _NOBODY, dtype=np.int64), np.full(shape, _NOBODY, dtype=np.int64)
        rules[place, at], codes[place, at] = entries["rule"][kept], entries["code"][kept]
        teams = np.full((shape[0], wide + 2), _NOBODY, dtype=np.int64)
        teams[place, at] = self._numbers.team_of[entries["rule"][kept]]
        teams[:, -2], teams[:, -1] = hubs, self._numbers.root
        return rules, codes, teams

    def _kinds(self, codes: Any) -> Any:
        """Equal for rows of the same codes in which the same columns hold the same teams."""
        first = np.stack(
            [
                (self._teams == self._teams[:, [column]]).argmax(axis=1)
                for column in range(self._teams.shape[1])
            ],
            axis=1,
        )
        has_hub = self._teams[:, [-2]] != _NOBODY
        looks = np.ascontiguousarray(np.hstack([codes, has_hub, first]).astype(np.int32))
        known = self._numbers.kinds
        return np.array(
            [known.setdefault((self._relation, look.tobytes()), len(known)) for look in looks], dtype=np.int64
        )

    def failing(self, circumstance: Circumstance) -> Any:
        """Which rules of each row fail, as the bits of a number."""
        fails = self._numbers.failing(circumstance)
        bits = np.int64(1) << np.arange(self.rules.shape[1], dtype=np.int64)
        return ((fails[self.rules] & (self.rules >= 0)) * bits).sum(axis=1)

    def reading(self, row: int, failing: int, circumstance: Circumstance) -> Reading:
        """How the rows of this kind are decided, found by deciding this one."""
        key = int(self.kind[row]), failing, circumstance.urgency is Urgency.IMMINENT
        known = self._numbers.read.get(key)
        if known is None:
            evidence = situations.naming(self._areas[row], self._relation)
            answer = Answer.of(self._numbers.side.decide(circumstance, evidence))
            known = self._numbers.read[key] = self._read(row, answer)
        return known

    def _read(self, row: int, answer: Answer) -> Reading:
        teams = self._teams[row].tolist()
        column: Callable[[str], int] = lambda team: teams.index(self._numbers.team[team])  # noqa: E731
        return Reading(
            answer.status,
            [column(team) for team in answer.leads],
            [column(team) for team in answer.supports],
            [column(team) for team in answer.notifies],
            column(answer.owner),
        )

    def answers(self, rows: Any, read: Reading) -> Any:
        """The teams of these rows' answers in the order of `_parts`, each part as an answer orders it."""
        teams = self._teams[rows]
        leads = teams[:, read.leads]
        # Of the one that would lead if another place is meant, the others come after it.
        fixed = {Status.AMBIGUOUS: 0, Status.CONFIRM_LOCATION: 1}.get(read.status, len(read.leads))
        leads[:, fixed:] = np.sort(leads[:, fixed:], axis=1)
        helped = [np.sort(teams[:, columns], axis=1) for columns in (read.supports, read.notifies)]
        return np.hstack([leads, *helped, teams[:, [read.owner]]])

    def answer(self, teams: Sequence[int], read: Reading) -> Answer:
        """One answer out of such a row."""
        names = [self._numbers.teams[team] for team in teams]
        one, two = len(read.leads), len(read.leads) + len(read.supports)
        return Answer(read.status, tuple(names[:one]), tuple(names[one:two]), tuple(names[two:-1]), names[-1])
