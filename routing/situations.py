"""Situations: what a decision feels of a place. Places whose situations are equal are decided alike, so one of them
stands for all.

A decision looks at a hit only through the rules about its area, its layer, its relation, its confidence and whether
its share may decide; at states also to find the owner; and at doubts through what would hold if they ended. Nothing
else of a place enters, but the order in which tied teams are named.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing.areas import layer_of
from routing.boundaries import Boundaries
from routing.circumstances import Circumstance
from routing.decision import Decision, Status, decide
from routing.locate import Confidence, Hits, locate
from routing.question import Question
from routing.rules import RuleSet

Situation = Hashable


@dataclass(frozen=True)
class Answer:
    """Who answers. Teams are ids; tied ones are a set, since none is before the other."""

    status: Status
    leads: tuple[str, ...]
    supports: tuple[str, ...]
    notifies: tuple[str, ...]
    owner: str

    @classmethod
    def of(cls, decision: Decision) -> Answer:
        """What counts of a decision when two of them are compared."""
        tied = decision.status is Status.AMBIGUOUS
        leads = tuple(sorted(decision.leads)) if tied else decision.leads
        if decision.status is Status.CONFIRM_LOCATION:
            leads = (leads[0], *sorted(leads[1:]))
        return cls(decision.status, leads, decision.supports, decision.notifies, decision.owner)


class Side:
    """Rules and areas as of one day, being asked about thousands of places. Nothing is asked twice."""

    def __init__(self, rules: RuleSet, boundaries: Boundaries) -> None:
        self.rules, self.boundaries = rules, boundaries
        self._about: dict[str, tuple[str, ...]] = {}
        self._answers: dict[tuple[Situation, Circumstance], Answer] = {}
        facts, now = Facts(Urgency.ELEVATED), datetime.min.replace(tzinfo=UTC)
        self._question = Question(facts, rules, boundaries, now, {}, {})

    def about(self, area: str) -> tuple[str, ...]:
        """Ids of the rules about an area."""
        known = self._about.get(area)
        if known is None:
            known = self._about[area] = tuple(rule.id for rule in self._question.rules_about(area))
        return known

    def kin(self, area: str) -> Hashable:
        """Equal for areas that are sure to have equal situations when they are named: of one layer, directly held by
        the same, with the same rules about themselves. Cheaper to find than the situation."""
        after = self.boundaries.successors(area)
        if after != (area,):
            return area
        layer, floor = layer_of(area), self.rules.share_floor
        # Through a city, a ZIP lies in nothing more: one that no rule is about is not felt.
        felt = tuple(
            (parent, share)
            for parent, share in self.boundaries.parents(area)
            if layer != "zip" or share < floor or layer_of(parent) != "place" or self.about(parent)
        )
        return layer, self.about(area), felt

    def situation(self, evidence: Iterable[Evidence]) -> Situation:
        """What a decision on that evidence feels of the place."""
        floor = self.rules.share_floor
        located = locate(evidence, self.boundaries, floor)
        ends = tuple(
            (doubt.kind.value, bool(option.area), self._felt(hits))
            for doubt, option, hits in located.settled()
        )
        states = tuple(
            (hit.area, hit.relation.value)
            for hit in located.hits
            if layer_of(hit.area) == "state"
            and hit.confidence is not Confidence.BORDER
            and hit.share >= floor
        )
        told = any(hit.relation is not Relation.REPORTER for hit in located.hits)
        return self._felt(located.hits), ends, states, told

    def answer(self, situation: Situation, circumstance: Circumstance, like: tuple[Evidence, ...]) -> Answer:
        """Who answers in that situation; `like` is evidence of a place that is in it."""
        known = self._answers.get((situation, circumstance))
        if known is None:
            decision = self.decide(circumstance, like)
            known = self._answers[situation, circumstance] = Answer.of(decision)
        return known

    def decide(self, circumstance: Circumstance, evidence: tuple[Evidence, ...]) -> Decision:
        """The whole decision. Who can be reached at the moment is left out: it is not the rules' doing."""
        return decide(circumstance.facts(evidence), self.rules, self.boundaries, circumstance.at)

    def _felt(self, hits: Hits) -> tuple[Hashable, ...]:
        floor, about = self.rules.share_floor, self.about
        felt = [
            (rules, layer_of(hit.area), hit.relation.value, hit.confidence.value, hit.share >= floor)
            for hit in hits
            if (rules := about(hit.area))
        ]
        felt.sort()
        return tuple(felt)


_KINDS: Mapping[str, PlaceKind] = {
    "zip": PlaceKind.ZIP,
    "school": PlaceKind.SCHOOL,
    "campus": PlaceKind.CAMPUS,
    "county": PlaceKind.COUNTY,
    "state": PlaceKind.STATE,
}


def naming(area: str, relation: Relation = Relation.INCIDENT) -> tuple[Evidence, ...]:
    """Evidence that names that area and nothing else."""
    return (Evidence(_KINDS.get(layer_of(area), PlaceKind.PLACE), relation, (area,)),)
