"""The decision: which team answers, as a pure function. The same inputs give the same bytes, always."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from referrals.facts import Evidence, Facts, Relation, Urgency
from routing.areas import code_of, layer_of
from routing.boundaries import Boundaries
from routing.locate import Confidence, Doubt, DoubtKind, Hit, Hits, Located, locate
from routing.rules import Role, RuleSet
from routing.weighing import RELATION_RANKS, Match, Outcome, Question, leading, weigh


class Status(StrEnum):
    """How a decision ends. Each of the five has an owner."""

    ROUTED = "routed"
    AMBIGUOUS = "ambiguous"
    CONFIRM_LOCATION = "confirm_location"
    LOCATION_NEEDED = "location_needed"
    NO_COVERAGE = "no_coverage"


@dataclass(frozen=True)
class Considered:
    """A rule that was touched, and what became of it. `detail` belongs to the outcome: the criterion that
    lost, the condition that failed, the shielding area, the excluding rule ("" for the team's own answer),
    or the reason."""

    rule: str
    team: str
    role: Role
    area: str
    relation: Relation
    confidence: Confidence
    share: float
    key: tuple[int, ...]
    outcome: Outcome
    detail: str = ""
    distance_m: float | None = None


@dataclass(frozen=True)
class Change:
    """What would change the decision: settling which of `areas` is meant ("" stands for outside all of
    them); for a line also how far off it is. Without `kind`: any place at all."""

    kind: DoubtKind | None
    areas: tuple[str, ...] = ()
    distance_m: float | None = None


@dataclass(frozen=True)
class Decision:
    """Who answers and why. Teams are ids.

    `leads`: the one team that leads; tied teams if *ambiguous*; if *confirm_location* the best first and then
    those that would lead otherwise; else none. `owner` holds the referral until somebody acknowledges: the
    hub of the one state that the place lies in, or the root desk. `offered_at_once` is not empty only for
    imminent referrals that are not *routed*.
    """

    status: Status
    leads: tuple[str, ...]
    supports: tuple[str, ...]
    notifies: tuple[str, ...]
    owner: str
    offered_at_once: tuple[str, ...]
    considered: tuple[Considered, ...]
    what_would_change: tuple[Change, ...]
    as_of: datetime
    rule_set: str
    boundary_set: str
    urgency: Urgency
    evidence: tuple[Evidence, ...]
    unreachable: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over everything else; it goes into the ledger."""
        written = json.dumps(self._members(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(written.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """A JSON object with the digest."""
        return {**self._members(), "digest": self.digest}

    def _members(self) -> dict[str, Any]:
        plain = dict(self.__dict__)
        plain.pop("digest", None)
        return plain | {
            "considered": [entry.__dict__ for entry in self.considered],
            "what_would_change": [entry.__dict__ for entry in self.what_would_change],
            "as_of": self.as_of.isoformat(),
            "evidence": [piece.as_json() for piece in self.evidence],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Decision:
        """The inverse of `as_json`. The stored digest is not believed: it is computed anew."""
        names = ("leads", "supports", "notifies", "offered_at_once", "unreachable", "excluded")
        lists: dict[str, Any] = {name: tuple(stored[name]) for name in names}
        return cls(
            status=Status(stored["status"]),
            owner=stored["owner"],
            considered=tuple(_considered_from(entry) for entry in stored["considered"]),
            what_would_change=tuple(_change_from(entry) for entry in stored["what_would_change"]),
            as_of=datetime.fromisoformat(stored["as_of"]),
            rule_set=stored["rule_set"],
            boundary_set=stored["boundary_set"],
            urgency=Urgency(stored["urgency"]),
            evidence=tuple(Evidence.from_json(piece) for piece in stored["evidence"]),
            **lists,
        )


def decide(
    facts: Facts,
    ruleset: RuleSet,
    boundaries: Boundaries,
    as_of: datetime,
    unreachable: frozenset[str] = frozenset(),
    excluded: frozenset[str] = frozenset(),
) -> Decision:
    """The decision on `facts` (their evidence included) at the aware moment `as_of`.

    `unreachable` are teams without a verified contact for this urgency now; `excluded` are teams that have
    already answered no. Never fails on strange evidence: what finds nothing is as good as no evidence.
    """
    evidence = _in_order(facts.evidence)
    located = locate(evidence, boundaries, ruleset.share_floor)
    asked = Question(facts, ruleset, boundaries, as_of, unreachable, excluded)
    matches = weigh(located.hits, asked)
    best = leading(matches)
    others = _other_leads(located, asked, best)
    status = _status(best, others, matches, located.hits)
    leads = _leads(status, best, others)
    supports, notifies = _company(matches, leads)
    owner = _owner(located.hits, asked)
    return Decision(
        status=status,
        leads=leads,
        supports=supports,
        notifies=notifies,
        owner=owner,
        offered_at_once=_at_once(facts.urgency, status, leads, owner, ruleset.root_team),
        considered=tuple(_considered(match) for match in matches),
        what_would_change=_changes(status, located, others),
        as_of=as_of,
        rule_set=ruleset.digest,
        boundary_set=boundaries.digest,
        urgency=facts.urgency,
        evidence=evidence,
        unreachable=tuple(sorted(unreachable)),
        excluded=tuple(sorted(excluded)),
    )


def _in_order(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Each piece once, in an order of its content: who was quicker to type what must not matter."""
    pieces = {json.dumps(piece.as_json(), sort_keys=True): piece for piece in evidence}
    return tuple(pieces[key] for key in sorted(pieces))


Others = tuple[tuple[Doubt, tuple[str, ...]], ...]


def _other_leads(located: Located, asked: Question, best: tuple[str, ...]) -> Others:
    """Doubts whose end could change who leads, with the teams that would lead then (perhaps none)."""
    found: dict[int, tuple[Doubt, dict[str, None]]] = {}
    for doubt, _, hits in located.settled():
        would = leading(weigh(hits, asked))
        # A line or a share with nobody beyond it takes the lead from no one. Words that fit a place where
        # nobody leads do: "Phoenix" alone may mean the one in New York.
        if would != best and (would or (best and doubt.kind is DoubtKind.CHOICE)):
            entry = found.setdefault(id(doubt), (doubt, {}))
            entry[1].update(dict.fromkeys(would))
    return tuple((doubt, tuple(teams)) for doubt, teams in found.values())


def _status(best: tuple[str, ...], others: Others, matches: tuple[Match, ...], hits: Hits) -> Status:
    if len(best) > 1:
        return Status.AMBIGUOUS
    if best:
        return Status.CONFIRM_LOCATION if others else Status.ROUTED
    below = any(match.outcome is Outcome.BELOW_FLOOR and match.rule.role is Role.LEAD for match in matches)
    if below or not any(hit.relation is not Relation.REPORTER for hit in hits):
        return Status.LOCATION_NEEDED
    return Status.NO_COVERAGE


def _leads(status: Status, best: tuple[str, ...], others: Others) -> tuple[str, ...]:
    if status is not Status.CONFIRM_LOCATION:
        return best
    further = sorted({team for _, teams in others for team in teams} - set(best))
    return (*best, *further)


def _company(matches: tuple[Match, ...], leads: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Supporting and notified teams; a team with several roles has only the strongest."""
    supports = {match.rule.team for match in matches if match.outcome is Outcome.SUPPORT} - set(leads)
    notifies = (
        {match.rule.team for match in matches if match.outcome is Outcome.NOTIFY} - set(leads) - supports
    )
    return tuple(sorted(supports)), tuple(sorted(notifies))


def _owner(hits: Hits, asked: Question) -> str:
    """The hub of the one state where the most telling evidence lies; the root desk where there is no such
    hub."""
    sure = [hit for hit in hits if layer_of(hit.area) == "state" and _is_sure(hit, asked.rules.share_floor)]
    strongest = max((RELATION_RANKS[hit.relation] for hit in sure), default=0)
    # A reporter's own state says nothing about where the danger is.
    states = {hit.area for hit in sure if strongest and RELATION_RANKS[hit.relation] == strongest}
    hubs = [asked.rules.state_hubs.get(code_of(state), "") for state in states]
    hub = hubs[0] if len(hubs) == 1 else ""
    return hub if hub and hub not in asked.unreachable | asked.excluded else asked.rules.root_team


def _is_sure(hit: Hit, floor: float) -> bool:
    return hit.confidence is not Confidence.BORDER and hit.share >= floor


def _at_once(
    urgency: Urgency, status: Status, leads: tuple[str, ...], owner: str, root: str
) -> tuple[str, ...]:
    """Imminent danger waits for nobody's answer: everyone who may lead is asked now."""
    if urgency is not Urgency.IMMINENT or status is Status.ROUTED:
        return ()
    return leads or tuple(dict.fromkeys((owner, root)))


def _changes(status: Status, located: Located, others: Others) -> tuple[Change, ...]:
    # Who is tied at a line is told so even where no single answer breaks the tie.
    doubts = located.doubts if status is Status.AMBIGUOUS else [doubt for doubt, _ in others]
    if status is Status.LOCATION_NEEDED and not doubts:
        return (Change(None),)
    changes = (
        Change(doubt.kind, tuple(option.area for option in doubt.options), doubt.distance_m)
        for doubt in doubts
    )
    return tuple(dict.fromkeys(changes))


def _considered(match: Match) -> Considered:
    assert match.outcome is not None
    hit = match.hit
    return Considered(
        rule=match.rule.id,
        team=match.rule.team,
        role=match.rule.role,
        area=hit.area,
        relation=hit.relation,
        confidence=hit.confidence,
        share=hit.share,
        key=match.key,
        outcome=match.outcome,
        detail=match.detail,
        distance_m=hit.distance_m,
    )


def _considered_from(stored: Mapping[str, Any]) -> Considered:
    return Considered(
        **{
            **stored,
            "role": Role(stored["role"]),
            "relation": Relation(stored["relation"]),
            "confidence": Confidence(stored["confidence"]),
            "key": tuple(stored["key"]),
            "outcome": Outcome(stored["outcome"]),
        }
    )


def _change_from(stored: Mapping[str, Any]) -> Change:
    kind = DoubtKind(stored["kind"]) if stored["kind"] else None
    return Change(kind, tuple(stored["areas"]), stored["distance_m"])
