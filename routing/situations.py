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
from functools import cached_property

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing.areas import Shares, code_of, layer_of
from routing.boundaries import Boundaries
from routing.circumstances import Circumstance
from routing.decision import Decision, Status, decide
from routing.locate import Confidence, Hits, Located, locate
from routing.question import Question
from routing.rules import Rule, RuleSet
from routing.weighing import Match, weigh

# A hit: ids of the rules about it, its layer, relation and confidence, and whether its share may decide.
Felt = tuple[tuple[str, ...], str, str, str, bool]


@dataclass(frozen=True)
class Situation:
    """What is felt of a place now, what would be if each doubt ended, the states that surely hold it, and whether
    anybody said more than where the reporter is."""

    felt: tuple[Felt, ...]
    ends: tuple[tuple[str, bool, tuple[Felt, ...]], ...]
    states: tuple[tuple[str, str], ...]
    told: bool

    @cached_property
    def rules(self) -> frozenset[str]:
        """Ids of all rules in it."""
        every = (self.felt, *(felt for _, _, felt in self.ends))
        return frozenset(rule for felt in every for hit in felt for rule in hit[0])

    @cached_property
    def _hash(self) -> int:
        return hash((self.felt, self.ends, self.states, self.told))

    def __hash__(self) -> int:
        # It is asked for under every circumstance.
        return self._hash


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

    def renamed(self, names: Mapping[str, str]) -> Answer:
        """The same with other names for the teams, each part in its order."""
        leads, supports, notifies = (
            [names[team] for team in teams] for teams in (self.leads, self.supports, self.notifies)
        )
        # Of the one that would lead if another place is meant, the others come after it.
        fixed = {Status.AMBIGUOUS: 0, Status.CONFIRM_LOCATION: 1}.get(self.status, len(leads))
        ordered = (*leads[:fixed], *sorted(leads[fixed:]))
        return Answer(
            self.status, ordered, tuple(sorted(supports)), tuple(sorted(notifies)), names[self.owner]
        )


def weight(rule: Rule) -> Hashable:
    """All that a decision asks of a rule beside its team, its area and the conditions of its own."""
    return rule.role, rule.mandate, rule.specificity, rule.priority, rule.shields, rule.relations


class Side:
    """Rules and areas as of one day, being asked about thousands of places. Nothing is asked twice."""

    def __init__(self, rules: RuleSet, boundaries: Boundaries) -> None:
        self.rules, self.boundaries = rules, boundaries
        self._about: dict[str, tuple[str, ...]] = {}
        self._parents: dict[str, Shares] = {}
        self._answers: dict[Hashable, Answer] = {}
        self._by_shape: dict[Hashable, Answer] = {}
        self._conditional: dict[Situation, tuple[Rule, ...]] = {}
        self._rules_by_id = {rule.id: rule for rule in rules.rules}
        self._questions: dict[Circumstance, Question] = {}
        numbers: dict[Hashable, int] = {}
        self._weights = {rule.id: numbers.setdefault(weight(rule), len(numbers)) for rule in rules.rules}
        facts, now = Facts(Urgency.ELEVATED), datetime.min.replace(tzinfo=UTC)
        self._question = Question(facts, rules, boundaries, now, {}, {})

    def about(self, area: str) -> tuple[str, ...]:
        """Ids of the rules about an area."""
        known = self._about.get(area)
        if known is None:
            known = self._about[area] = tuple(rule.id for rule in self._question.rules_about(area))
        return known

    def parents(self, area: str) -> Shares:
        """What directly holds an area, with shares."""
        known = self._parents.get(area)
        if known is None:
            known = self._parents[area] = self.boundaries.parents(area)
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
            for parent, share in self.parents(area)
            if layer != "zip" or share < floor or layer_of(parent) != "place" or self.about(parent)
        )
        return layer, self.about(area), felt

    def situation(self, evidence: Iterable[Evidence]) -> Situation:
        """What a decision on that evidence feels of the place."""
        return self.felt(locate(evidence, self.boundaries, self.rules.share_floor))

    def felt(self, located: Located) -> Situation:
        """The same of a place that was located on this map, by these rules' floor."""
        floor = self.rules.share_floor
        ends = tuple(
            (doubt.kind.value, bool(option.area), self._felt(hits))
            for doubt, option, hits in located.settled(self._ruled)
        )
        states = tuple(
            (hit.area, hit.relation.value)
            for hit in located.hits
            if layer_of(hit.area) == "state"
            and hit.confidence is not Confidence.BORDER
            and hit.share >= floor
        )
        told = any(hit.relation is not Relation.REPORTER for hit in located.hits)
        return Situation(self._felt(located.hits), ends, states, told)

    def answer(self, situation: Situation, circumstance: Circumstance, like: tuple[Evidence, ...]) -> Answer:
        """Who answers in that situation; `like` is evidence of a place that is in it."""
        # Of a circumstance, no more is felt than which rules fail, and whether everybody is asked at once.
        felt = situation, self._failing(situation, circumstance), circumstance.urgency is Urgency.IMMINENT
        known = self._answers.get(felt)
        if known is None:
            shape, teams = self._shape(situation, frozenset(felt[1]))
            alike = self._by_shape.get((shape, felt[2]))
            if alike is None:
                answer = Answer.of(self.decide(circumstance, like))
                alike = self._by_shape[shape, felt[2]] = answer.renamed(teams)
            known = self._answers[felt] = alike.renamed({number: team for team, number in teams.items()})
        return known

    def _shape(self, situation: Situation, failing: frozenset[str]) -> tuple[Hashable, dict[str, str]]:
        """The situation without names: rules and teams are numbers in the order in which they are met, by weight.
        With it, the number of each team. What a decision makes of names is nothing but telling them apart."""
        teams, rules = {self.rules.root_team: "0"}, dict[str, int]()

        def nameless(hits: tuple[Felt, ...]) -> Hashable:
            ordered = sorted((rest, sorted((self._weights[id], id) for id in about)) for about, *rest in hits)
            return tuple(
                (*rest, weight, id in failing, rules.setdefault(id, len(rules)), self._number(teams, id))
                for rest, about in ordered
                for weight, id in about
            )

        felt = nameless(situation.felt)
        ends = tuple((kind, somewhere, nameless(hits)) for kind, somewhere, hits in situation.ends)
        hubs = {state: self.rules.state_hubs.get(code_of(state), "") for state, _ in situation.states}
        states = tuple(
            (relation, number, hubs[state] and teams.setdefault(hubs[state], str(len(teams))))
            for number, (state, relation) in enumerate(situation.states)
        )
        return (felt, ends, states, situation.told), teams

    def _number(self, teams: dict[str, str], rule: str) -> str:
        return teams.setdefault(self._rules_by_id[rule].team, str(len(teams)))

    def _failing(self, situation: Situation, circumstance: Circumstance) -> tuple[str, ...]:
        """Ids of the rules in that situation of which a condition does not hold."""
        conditional = self._conditional.get(situation)
        if conditional is None:
            rules = (self._rules_by_id[id] for id in sorted(situation.rules))
            conditional = self._conditional[situation] = tuple(rule for rule in rules if rule.conditions)
        if not conditional:
            return ()
        asked = self.question(circumstance)
        return tuple(rule.id for rule in conditional if asked.first_failed(rule))

    def question(self, circumstance: Circumstance) -> Question:
        """What is asked under that circumstance, but for the place."""
        known = self._questions.get(circumstance)
        if known is None:
            facts = circumstance.facts(())
            asked = Question(facts, self.rules, self.boundaries, circumstance.at, {}, {})
            known = self._questions[circumstance] = asked
        return known

    def decide(self, circumstance: Circumstance, evidence: tuple[Evidence, ...]) -> Decision:
        """The whole decision. Who can be reached at the moment is left out: it is not the rules' doing."""
        return decide(circumstance.facts(evidence), self.rules, self.boundaries, circumstance.at)

    def weighed(self, circumstance: Circumstance, evidence: tuple[Evidence, ...]) -> tuple[Match, ...]:
        """What becomes of each rule in that decision, and nothing else of it."""
        boundaries = self.boundaries.on(circumstance.at.date())
        located = locate(evidence, boundaries, self.rules.share_floor)
        facts = circumstance.facts(evidence)
        return weigh(located.hits, Question(facts, self.rules, boundaries, circumstance.at, {}, {}))

    def _ruled(self, hits: Hits) -> Hits:
        about = self.about
        return tuple([hit for hit in hits if about(hit.area)])

    def _felt(self, hits: Hits) -> tuple[Felt, ...]:
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
