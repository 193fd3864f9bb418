"""Both sides of a change of rules, and how far it reaches."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from referrals.facts import Evidence
from routing import circumstances, lineside, rows
from routing.boundaries import Boundaries
from routing.holding import Graph
from routing.locate import locate
from routing.rows import Numbers
from routing.rules import RuleSet
from routing.situations import Side, Situation
from routing.snapshots import Snapshot


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
        self._at_points: dict[Hashable, tuple[Situation, Situation]] = {}

    @cached_property
    def numbers(self) -> tuple[Numbers, Numbers]:
        """Both sides' teams and rules as numbers."""
        return rows.numbered(self.old, self.new)

    def reaches(self, area: str) -> bool:
        """Whether the change can be felt where that area is named."""
        known = self._reached.get(area)
        if known is None:
            # First a no, so that areas that lie in each other end the climb.
            self._reached[area] = False
            known = self._begins_at(area) or any(self.reaches(above) for above, _ in self.old.parents(area))
            self._reached[area] = known
        return known

    def reached(self, areas: Sequence[str]) -> Graph:
        """Of many areas those where it can be felt, with what holds them."""
        graph = Graph(areas, self.old.parents)
        begins = np.array([self._begins_at(name) for name in graph.names], dtype=bool)
        felt = graph.under(begins)[: len(areas)]
        if felt.all():
            return graph
        return Graph([areas[row] for row in np.flatnonzero(felt).tolist()], self.old.parents)

    def situations(self, evidence: tuple[Evidence, ...]) -> tuple[Situation, Situation]:
        """What both feel of a place."""
        old, new = self.old, self.new
        if not self.same_map or old.rules.share_floor != new.rules.share_floor:
            return old.situation(evidence), new.situation(evidence)
        located = locate(evidence, old.boundaries, old.rules.share_floor)
        return old.felt(located), new.felt(located)

    def situations_at(self, point: Evidence) -> tuple[Situation, Situation]:
        """The same of a point. Most beside one line are near the same outlines; how near decides nothing."""
        near = (point.relation, *(_near(point, one) for one in self.maps))
        known = self._at_points.get(near)
        if known is None:
            known = self._at_points[near] = self.situations((point,))
        return known

    @cached_property
    def maps(self) -> tuple[Boundaries, ...]:
        """Both sides' maps, or the one of both."""
        return (self.old.boundaries,) if self.same_map else (self.old.boundaries, self.new.boundaries)

    @cached_property
    def reached_outlines(self) -> list[str]:
        """Areas with an outline at which the change can be felt."""
        one, other = self.old.boundaries, self.new.boundaries
        if self.same_map:
            return [area for area in lineside.outlined(one) if self.reaches(area)]
        drawn = {*lineside.outlined(one), *lineside.outlined(other)}
        return sorted(area for area in drawn if self.reaches(area) or _redrawn(area, one, other))

    def _begins_at(self, area: str) -> bool:
        """Whether it can be felt there, whatever holds the area."""
        if self._everywhere or area in self._touched:
            return True
        one, other = self.old.boundaries, self.new.boundaries
        after = one.successors(area)
        if not self.same_map and (
            self.old.parents(area) != self.new.parents(area)
            or after != other.successors(area)
            or one.knows(area) != other.knows(area)
        ):
            return True
        return after != (area,) and any(map(self.reaches, after))


def _near(point: Evidence, boundaries: Boundaries) -> Hashable:
    """What a decision is told of a point, but for distances."""
    assert point.latitude is not None
    assert point.longitude is not None
    near = boundaries.outlines.at(point.latitude, point.longitude, point.accuracy_m or 0.0)
    return tuple([(one.area, one.certain) for one in near])


def _redrawn(area: str, one: Boundaries, other: Boundaries) -> bool:
    before, after = one.extra.get(area), other.extra.get(area)
    return (before and before.geometry) != (after and after.geometry)


def _foundations(rules: RuleSet) -> tuple[Any, ...]:
    """What of a set bears on every decision."""
    hubs, ranks, calendars = map(dict, (rules.state_hubs, rules.layer_ranks, rules.calendars))
    return rules.root_team, hubs, ranks, rules.share_floor, calendars
