"""Rules meet hits: which apply, which do not and why not, and which of those that could lead weigh most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from referrals.facts import Facts, Relation
from routing.areas import layer_of
from routing.boundaries import Boundaries
from routing.locate import RANKS, Confidence, Hit, Hits
from routing.rules import Role, Rule, RuleSet

# A lead weighs by these, left to right; the larger wins. Size and ids are never used.
CRITERIA = ("mandate", "relation", "layer", "specificity", "priority", "confidence")
RELATION_RANKS = {Relation.TARGET: 3, Relation.INCIDENT: 2, Relation.SUBJECT: 1, Relation.REPORTER: 0}
Key = tuple[int, ...]


class Outcome(StrEnum):
    """What became of a rule: a closed list."""

    LEAD = "lead"
    TIED = "tied"
    SUPPORT = "support"
    NOTIFY = "notify"
    LOST = "lost on"
    NOT_APPLIED = "not applied"
    SHIELDED = "shielded by"
    EXCLUDED = "excluded by"
    UNREACHABLE = "unreachable"
    BELOW_FLOOR = "share below floor"


@dataclass(frozen=True)
class Match:
    """A rule, the hit that carried it, its weight, and what became of it (`detail`: criterion, condition,
    area, rule or reason, as the outcome says)."""

    rule: Rule
    hit: Hit
    key: Key
    outcome: Outcome | None = None
    detail: str = ""

    def ended(self, outcome: Outcome, detail: str = "") -> Match:
        """The same with its outcome."""
        return Match(self.rule, self.hit, self.key, outcome, detail)


@dataclass(frozen=True)
class Question:
    """What stays the same while hits vary: everything a decision is made from, but the place."""

    facts: Facts
    rules: RuleSet
    boundaries: Boundaries
    as_of: datetime
    unreachable: frozenset[str]
    excluded: frozenset[str]


def weigh(hits: Hits, asked: Question) -> tuple[Match, ...]:
    """Every rule touched by a hit, once, each with its outcome; ordered by weight, then id."""
    matches = _excluded(_matched(hits, asked), asked)
    matches = _reachable(_shielded(matches), asked)
    return tuple(sorted(_ordered(matches), key=lambda match: ([-part for part in match.key], match.rule.id)))


def leading(matches: tuple[Match, ...]) -> tuple[str, ...]:
    """The team that leads, or all that are tied, in the order of their rules' areas."""
    best = [match for match in matches if match.outcome in {Outcome.LEAD, Outcome.TIED}]
    return tuple(
        dict.fromkeys(match.rule.team for match in sorted(best, key=lambda m: (m.hit.area, m.rule.id)))
    )


def _matched(hits: Hits, asked: Question) -> list[Match]:
    best: dict[str, Match] = {}
    # Whether a rule's own conditions hold does not depend on the hit: each is asked once.
    verdicts: dict[str, str] = {}
    for hit in hits:
        for rule in _rules_about(hit, asked):
            if rule.id not in verdicts:
                verdicts[rule.id] = _first_failed(rule, asked)
            match = _ended_by_conditions(Match(rule, hit, _key(rule, hit, asked)), verdicts[rule.id], asked)
            if rule.id not in best or _stands_better(match, best[rule.id]):
                best[rule.id] = match
    return list(best.values())


def _stands_better(match: Match, other: Match) -> bool:
    return (match.outcome is None, match.key) > (other.outcome is None, other.key)


def _rules_about(hit: Hit, asked: Question) -> Iterator[Rule]:
    yield from asked.rules.by_area.get(hit.area, ())
    if asked.rules.by_every:
        layer = layer_of(hit.area)
        for above, share in asked.boundaries.widen(hit.area):
            for rule in asked.rules.by_every.get(above, ()):
                # "All places in the county" means those that lie in it, not those that touch it.
                if rule.every == layer and share >= asked.rules.share_floor:
                    yield rule


def _key(rule: Rule, hit: Hit, asked: Question) -> Key:
    return (
        rule.mandate,
        RELATION_RANKS[hit.relation],
        asked.rules.layer_ranks[layer_of(hit.area)],
        rule.specificity,
        rule.priority,
        RANKS[hit.confidence],
    )


_CONDITIONS: dict[str, Callable[[Rule, Question], bool]] = {
    "dates": lambda rule, asked: (
        (rule.valid_from is None or rule.valid_from <= asked.as_of.date())
        and (rule.valid_to is None or asked.as_of.date() < rule.valid_to)
    ),
    "behaviours": lambda rule, asked: (
        not rule.behaviours or not rule.behaviours.isdisjoint(asked.facts.behaviours)
    ),
    "urgency": lambda rule, asked: not rule.urgencies or asked.facts.urgency in rule.urgencies,
    "setting": lambda rule, asked: not rule.settings or asked.facts.setting in rule.settings,
    "originator": lambda rule, asked: not rule.originators or asked.facts.originator in rule.originators,
    "hours": lambda rule, asked: rule.hours is None or rule.hours.hold(asked.as_of),
}


def _first_failed(rule: Rule, asked: Question) -> str:
    return next((name for name, holds in _CONDITIONS.items() if not holds(rule, asked)), "")


def _ended_by_conditions(match: Match, failed: str, asked: Question) -> Match:
    rule, hit = match.rule, match.hit
    if failed:
        return match.ended(Outcome.NOT_APPLIED, failed)
    # A reporter's place brings nobody in unless a rule asks for it by name, and then never as lead.
    asked_for = rule.relations or frozenset(Relation) - {Relation.REPORTER}
    if hit.relation not in asked_for or (rule.role is Role.LEAD and hit.relation is Relation.REPORTER):
        return match.ended(Outcome.NOT_APPLIED, "relation")
    if hit.confidence is Confidence.SHARE and hit.share < asked.rules.share_floor:
        return match.ended(Outcome.BELOW_FLOOR)
    if rule.role is Role.EXCLUDE and hit.confidence is Confidence.BORDER:
        # Near a line nobody is left out.
        return match.ended(Outcome.NOT_APPLIED, "line")
    return match


def _excluded(matches: list[Match], asked: Question) -> list[Match]:
    by_rule = {
        match.rule.team: match.rule.id
        for match in sorted(matches, key=lambda match: match.rule.id, reverse=True)
        if match.rule.role is Role.EXCLUDE and match.outcome is None
    }

    def excluded(match: Match) -> Match:
        if match.outcome is None and match.rule.team in by_rule:
            return match.ended(Outcome.EXCLUDED, by_rule[match.rule.team])
        if match.outcome is None and match.rule.team in asked.excluded:
            # Not by a rule: by its own earlier answer.
            return match.ended(Outcome.EXCLUDED, "")
        return match

    return [excluded(match) for match in matches]


def _shielded(matches: list[Match]) -> list[Match]:
    shields = [
        match
        for match in sorted(matches, key=lambda match: match.hit.area)
        if match.rule.shields and match.outcome is None and match.hit.confidence is not Confidence.BORDER
    ]
    if not shields:
        return matches

    def shielded(match: Match) -> Match:
        if match.outcome is None and match.rule.mandate == 0:
            for shield in shields:
                same = shield.hit.relation is match.hit.relation and shield.rule.team != match.rule.team
                if same and layer_of(match.hit.area) in shield.rule.shields:
                    return match.ended(Outcome.SHIELDED, shield.hit.area)
        return match

    return [shielded(match) for match in matches]


def _reachable(matches: list[Match], asked: Question) -> list[Match]:
    return [
        match.ended(Outcome.UNREACHABLE, "contact")
        if match.outcome is None and match.rule.team in asked.unreachable
        else match
        for match in matches
    ]


def _ordered(matches: list[Match]) -> Iterator[Match]:
    leads = [match for match in matches if match.outcome is None and match.rule.role is Role.LEAD]
    best = max((match.key for match in leads), default=())
    tied = len({match.rule.team for match in leads if match.key == best}) > 1
    for match in matches:
        if match.outcome is not None:
            yield match
        elif match.rule.role is not Role.LEAD:
            yield match.ended(Outcome(match.rule.role.value))
        elif match.key == best:
            yield match.ended(Outcome.TIED if tied else Outcome.LEAD)
        else:
            lost = next(
                name for name, mine, top in zip(CRITERIA, match.key, best, strict=True) if mine != top
            )
            yield match.ended(Outcome.LOST, lost)
