"""Rules meet hits: which apply, which do not and why not, and which of those that could lead weigh most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from referrals.facts import Relation
from routing.areas import layer_of
from routing.locate import RANKS, Confidence, Hit
from routing.question import Question
from routing.rules import Role, Rule

# A lead weighs by these, left to right; the larger wins. Size and ids are never used.
CRITERIA = ("mandate", "relation", "layer", "specificity", "priority", "confidence")
RELATION_RANKS = {Relation.TARGET: 3, Relation.INCIDENT: 2, Relation.SUBJECT: 1, Relation.REPORTER: 0}
Key = tuple[int, ...]
# Looked up once: a member of an enumeration, and its hash, cost more than all else in the inner loop.
_RANK_OF = {relation.value: rank for relation, rank in RELATION_RANKS.items()}
_SURENESS = {confidence.value: rank for confidence, rank in RANKS.items()}
_REPORTER, _SHARE, _BORDER = Relation.REPORTER, Confidence.SHARE, Confidence.BORDER
_LEADS, _EXCLUDES = Role.LEAD, Role.EXCLUDE


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
    NOT_AGAIN = "not asked again"
    UNREACHABLE = "unreachable"
    BELOW_FLOOR = "share below floor"


_HELPS = {"support": Outcome.SUPPORT, "notify": Outcome.NOTIFY}


class Match(NamedTuple):
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


Matches = tuple[Match, ...]


def weigh(hits: Iterable[Hit], asked: Question) -> tuple[Match, ...]:
    """Every rule touched by a hit, once, each with its outcome; ordered by weight, then id."""
    ended = list(_ordered(_standing(hits, asked)))
    ended.sort(key=_RULE)
    # Sorting keeps the order of equals, also in reverse.
    ended.sort(key=_KEY, reverse=True)
    return tuple(ended)


_RULE, _KEY = attrgetter("rule.id"), attrgetter("key")


def foremost(hits: Sequence[Hit], asked: Question) -> tuple[str, ...]:
    """The team that would lead on these hits, or all that would be tied, in the order of their rules' areas."""
    if asked.someone_is_taken_out(hits):
        return _teams(_best(_standing(hits, asked)))
    # Nobody takes anybody out: then the heaviest lead of each hit is all that counts.
    most: Key = ()
    best: list[Match] = []
    known = asked.leads
    for hit in hits:
        leads = known.get(hit)
        for match in _leads(hit, asked) if leads is None else leads:
            if match.key >= most and not (asked.unreachable and asked.why_unreachable(match.rule.team)):
                if match.key > most:
                    most, best = match.key, []
                best.append(match)
    return _teams(best)


def leading(matches: Iterable[Match]) -> tuple[str, ...]:
    """The same of what was weighed already."""
    lead, tied = Outcome.LEAD, Outcome.TIED
    return _teams([match for match in matches if match.outcome is lead or match.outcome is tied])


def _teams(best: list[Match]) -> tuple[str, ...]:
    if len(best) > 1:
        best.sort(key=lambda match: (match.hit.area, match.rule.id))
    return tuple(dict.fromkeys(match.rule.team for match in best))


def _standing(hits: Iterable[Hit], asked: Question) -> list[Match]:
    """Every touched rule by its best hit; those that were taken out have their outcome, the others none yet."""
    matches = _shielded(_excluded(_matched(hits, asked), asked))
    if not asked.unreachable:
        return matches
    return [
        match.ended(Outcome.UNREACHABLE, why)
        if match.outcome is None and (why := asked.why_unreachable(match.rule.team))
        else match
        for match in matches
    ]


def _matched(hits: Iterable[Hit], asked: Question) -> list[Match]:
    best: dict[str, Match] = {}
    for hit in hits:
        for match in _brought(hit, asked):
            known = best.get(match.rule.id)
            if known is None or _stands_better(match, known):
                best[match.rule.id] = match
    return list(best.values())


def _brought(hit: Hit, asked: Question) -> Matches:
    """Every rule about the hit's area, with what its conditions and the hit make of it. Most hits are the same in every
    ending of a doubt: each is asked once."""
    known = asked.brought.get(hit)
    if known is None:
        rules = asked.rules_about(hit.area)
        known = _matches(rules, hit, asked) if rules else ()
        asked.brought[hit] = known
    return known


def _matches(rules: Iterable[Rule], hit: Hit, asked: Question) -> Matches:
    relation, sureness = _RANK_OF[hit.relation._value_], _SURENESS[hit.confidence._value_]
    layer = asked.rules.layer_ranks[layer_of(hit.area)]
    return tuple(
        [
            Match(
                rule,
                hit,
                # In the order of CRITERIA.
                (rule.mandate, relation, layer, rule.specificity, rule.priority, sureness),
                *_ended_by(rule, hit, asked),
            )
            for rule in rules
        ]
    )


def _leads(hit: Hit, asked: Question) -> Matches:
    """Of those the ones that could lead, kept as well."""
    leads = [match for match in _brought(hit, asked) if match.rule.role is _LEADS and match.outcome is None]
    if asked.excluded:
        leads = [match for match in leads if match.rule.team not in asked.excluded]
    asked.leads[hit] = kept = tuple(leads)
    return kept


def _stands_better(match: Match, other: Match) -> bool:
    return (match.outcome is None, match.key) > (other.outcome is None, other.key)


_STANDS: tuple[Outcome | None, str] = (None, "")


def _ended_by(rule: Rule, hit: Hit, asked: Question) -> tuple[Outcome | None, str]:
    """What its own conditions, or the hit, make of a rule before it is weighed against others."""
    if failed := asked.first_failed(rule):
        return Outcome.NOT_APPLIED, failed
    if rule.relations or hit.relation is _REPORTER:
        # A reporter's place brings nobody in unless a rule asks for it by name, and then never as lead.
        never = hit.relation is _REPORTER and rule.role is _LEADS
        if never or hit.relation not in rule.relations:
            return Outcome.NOT_APPLIED, "relation"
    if hit.confidence is _SHARE and hit.share < asked.rules.share_floor:
        return Outcome.BELOW_FLOOR, ""
    if rule.role is _EXCLUDES and hit.confidence is _BORDER:
        # Near a line nobody is left out.
        return Outcome.NOT_APPLIED, "line"
    return _STANDS


def _excluded(matches: list[Match], asked: Question) -> list[Match]:
    """Those go whom a rule excludes, and those who have already answered no or nothing."""
    by_rule: dict[str, str] = {}
    for match in matches:
        if match.rule.role is _EXCLUDES and match.outcome is None:
            team, rule = match.rule.team, match.rule.id
            by_rule[team] = min(rule, by_rule.get(team, rule))
    if not by_rule and not asked.excluded:
        return matches

    def excluded(match: Match) -> Match:
        team = match.rule.team
        if match.outcome is not None:
            return match
        if team in by_rule:
            return match.ended(Outcome.EXCLUDED, by_rule[team])
        return match.ended(Outcome.NOT_AGAIN, asked.excluded[team]) if team in asked.excluded else match

    return [excluded(match) for match in matches]


def _shielded(matches: list[Match]) -> list[Match]:
    shields = [
        match
        for match in matches
        if match.rule.shields and match.outcome is None and match.hit.confidence is not _BORDER
    ]
    if not shields:
        return matches
    shields.sort(key=lambda match: match.hit.area)

    def shielded(match: Match) -> Match:
        if match.outcome is None and match.rule.mandate == 0:
            for shield in shields:
                same = shield.hit.relation is match.hit.relation and shield.rule.team != match.rule.team
                if same and layer_of(match.hit.area) in shield.rule.shields:
                    return match.ended(Outcome.SHIELDED, shield.hit.area)
        return match

    return [shielded(match) for match in matches]


def _best(matches: Iterable[Match]) -> list[Match]:
    """The leads that stand and weigh most."""
    leads = [match for match in matches if match.outcome is None and match.rule.role is _LEADS]
    if len(leads) < 2:
        return leads
    most = max(match.key for match in leads)
    return [match for match in leads if match.key == most]


def _ordered(matches: list[Match]) -> Iterator[Match]:
    best = _best(matches)
    won = Outcome.TIED if len({match.rule.team for match in best}) > 1 else Outcome.LEAD
    for match in matches:
        if match.outcome is not None:
            yield match
        elif match.rule.role is not _LEADS:
            yield match.ended(_HELPS[match.rule.role._value_])
        elif match.key == best[0].key:
            yield match.ended(won)
        else:
            yield match.ended(Outcome.LOST, _lost_on(match.key, best[0].key))


def _lost_on(mine: Key, best: Key) -> str:
    return next(name for name, my, top in zip(CRITERIA, mine, best, strict=True) if my != top)
