"""The decision: which team answers, as a pure function. The same inputs give the same bytes, always."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from referrals.facts import Evidence, Facts, Relation, Setting, Urgency
from routing.areas import code_of
from routing.boundaries import Boundaries
from routing.locate import Confidence, Doubt, DoubtKind, Hit, Hits, Located, locate
from routing.question import Question
from routing.rules import Role, RuleSet
from routing.verdict import Change, ChangeKind, Considered, Decision, Status
from routing.weighing import RELATION_RANKS, Match, Outcome, foremost, leading, weigh

__all__ = ["Change", "ChangeKind", "Considered", "Decision", "Status", "decide"]

# Why a team is passed over, by team; a bare collection of teams says it in the usual words.
PassedOver = Mapping[str, str] | Collection[str]


def decide(
    facts: Facts,
    ruleset: RuleSet,
    boundaries: Boundaries,
    as_of: datetime,
    unreachable: PassedOver = frozenset(),
    excluded: PassedOver = frozenset(),
) -> Decision:
    """The decision on `facts` (their evidence included) at the aware moment `as_of`.

    `unreachable` are teams without a verified contact for this urgency now; `excluded` are teams that have
    already answered no, or nothing. Never fails on strange evidence: what finds nothing is as good as no evidence.
    """
    facts = _in_order(facts)
    boundaries = boundaries.on(as_of.date())
    located = locate(facts.evidence, boundaries, ruleset.share_floor)
    asked = Question(
        facts, ruleset, boundaries, as_of, _whys(unreachable, "contact"), _whys(excluded, "declined")
    )
    matches = weigh(located.hits, asked)
    best = leading(matches)
    others = _other_leads(located, asked, best)
    status = _status(best, others, matches, located.hits)
    owner = _owner(located.hits, asked)
    leads, possible = _leads(status, best, others)
    at_once = _at_once(asked, status, possible, owner) if facts.urgency is Urgency.IMMINENT else ()
    supports, notifies = _company(matches, {*leads, *at_once})
    return Decision(
        status=status,
        leads=leads,
        supports=supports,
        notifies=notifies,
        owner=owner,
        offered_at_once=at_once,
        considered=tuple(map(_considered, matches)),
        what_would_change=(*_doubts(status, located, others), *_settings(located.hits, matches, asked, best)),
        facts=facts,
        as_of=as_of,
        rule_set=ruleset.digest,
        boundary_set=boundaries.digest,
        unreachable=tuple(sorted(asked.passed_over.items())),
        excluded=tuple(sorted(asked.excluded.items())),
    )


def _whys(passed_over: PassedOver, usual: str) -> Mapping[str, str]:
    if not passed_over:
        return {}
    return passed_over if isinstance(passed_over, Mapping) else dict.fromkeys(passed_over, usual)


def _in_order(facts: Facts) -> Facts:
    """Each piece once, in an order of its content: who was quicker to type what must not matter."""
    evidence = tuple(map(_sorted, facts.evidence))
    if len(evidence) > 1:
        pieces = {_content(piece): piece for piece in evidence}
        evidence = tuple([pieces[content] for content in sorted(pieces)])
    behaviours = tuple(sorted({*facts.behaviours}))
    return Facts(facts.urgency, behaviours, facts.setting, facts.originator, evidence)


def _sorted(piece: Evidence) -> Evidence:
    areas = piece.areas if len(piece.areas) < 2 else tuple(sorted({*piece.areas}))
    return piece if areas == piece.areas else replace(piece, areas=areas)


_NO_NUMBERS = (None, None, None)


def _content(piece: Evidence) -> tuple[object, ...]:
    # As text, since some have no numbers and none is smaller than another.
    given = piece.latitude, piece.longitude, piece.accuracy_m
    numbers = "" if given == _NO_NUMBERS else repr(given)
    return piece.kind._value_, piece.relation._value_, piece.areas, numbers


Others = tuple[tuple[Doubt, tuple[str, ...]], ...]


def _other_leads(located: Located, asked: Question, best: tuple[str, ...]) -> Others:
    """Doubts whose end could change who leads, with the teams that would lead then ("" for nobody)."""
    if not located.doubts:
        return ()
    found: dict[int, tuple[Doubt, dict[str, None]]] = {}
    # Many ends differ in nothing that a rule is about: that is not weighed again.
    known = {_felt(located.hits, asked): best}
    for doubt, option, hits in located.settled(lambda hits: _felt(hits, asked)):
        if len(best) > 1 and not option.area:
            # A tie at a line has an answer on each side of it; that the point lies on neither is far-fetched.
            continue
        would = known.get(hits)
        if would is None:
            would = known[hits] = foremost(hits, asked)
        # A line or a share with nobody beyond it takes the lead from no one. Words that fit a place where
        # nobody leads do: "Phoenix" alone may mean the one in New York.
        if would != best and (would or (best and doubt.kind is DoubtKind.CHOICE)):
            entry = found.setdefault(id(doubt), (doubt, {}))
            entry[1].update(dict.fromkeys(would or ("",)))
    return tuple((doubt, tuple(teams)) for doubt, teams in found.values())


def _felt(hits: Hits, asked: Question) -> Hits:
    """The hits that some rule is about."""
    if not asked.rules.by_every:
        about = asked.rules.by_area
        return tuple([hit for hit in hits if hit.area in about])
    return tuple([hit for hit in hits if asked.rules_about(hit.area)])


def _status(best: tuple[str, ...], others: Others, matches: tuple[Match, ...], hits: Hits) -> Status:
    if len(best) > 1:
        return Status.AMBIGUOUS
    if best:
        return Status.CONFIRM_LOCATION if others else Status.ROUTED
    below = any(match.outcome is Outcome.BELOW_FLOOR and match.rule.role is Role.LEAD for match in matches)
    if below or not any(hit.relation is not Relation.REPORTER for hit in hits):
        return Status.LOCATION_NEEDED
    return Status.NO_COVERAGE


def _leads(status: Status, best: tuple[str, ...], others: Others) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The leads, and all that are tied or possible; "" among these stands for nobody."""
    possible = (*best, *sorted({team for _, teams in others for team in teams} - {*best})) if best else ()
    if status is Status.CONFIRM_LOCATION:
        return tuple(team for team in possible if team), possible
    return best, possible


def _at_once(asked: Question, status: Status, possible: tuple[str, ...], owner: str) -> tuple[str, ...]:
    """Imminent danger waits for nobody's answer: everyone who may lead is asked now. Where nobody might, the desk."""
    if status is Status.ROUTED:
        return ()
    root = asked.rules.root_team
    return tuple(dict.fromkeys(team or owner for team in possible or (owner, root)))


def _company(matches: tuple[Match, ...], leads: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Supporting and notified teams; a team with several roles has only the strongest."""
    support, notify = Outcome.SUPPORT, Outcome.NOTIFY
    supports = {match.rule.team for match in matches if match.outcome is support} - leads
    notifies = {match.rule.team for match in matches if match.outcome is notify} - leads - supports
    return tuple(sorted(supports)), tuple(sorted(notifies))


def _owner(hits: Hits, asked: Question) -> str:
    """The hub of the one state where the most telling evidence lies; the root desk where there is no such
    hub."""
    sure = [hit for hit in hits if hit.area.startswith("state:") and _is_sure(hit, asked.rules.share_floor)]
    strongest = max((RELATION_RANKS[hit.relation] for hit in sure), default=0)
    # A reporter's own state says nothing about where the danger is.
    states = {hit.area for hit in sure if strongest and RELATION_RANKS[hit.relation] == strongest}
    hubs = [asked.rules.state_hubs.get(code_of(state), "") for state in states]
    hub = hubs[0] if len(hubs) == 1 else ""
    passed_over = not hub or hub in asked.excluded or asked.why_unreachable(hub)
    return asked.rules.root_team if passed_over else hub


def _is_sure(hit: Hit, floor: float) -> bool:
    return hit.confidence is not Confidence.BORDER and hit.share >= floor


def _doubts(status: Status, located: Located, others: Others) -> Iterable[Change]:
    # Who is tied at a line is told so even where no single answer breaks the tie.
    doubts = located.doubts if status is Status.AMBIGUOUS else [doubt for doubt, _ in others]
    if status is Status.LOCATION_NEEDED and not doubts:
        return (Change(ChangeKind.PLACE),)
    return dict.fromkeys(
        Change(
            ChangeKind(doubt.kind.value), tuple([option.area for option in doubt.options]), doubt.distance_m
        )
        for doubt in doubts
    )


def _settings(
    hits: Hits, matches: tuple[Match, ...], asked: Question, best: tuple[str, ...]
) -> Iterable[Change]:
    """Kinds of place that nobody has named yet and that would give the lead to another team."""
    if asked.facts.setting is not Setting.UNKNOWN:
        return
    leads = [match for match in matches if match.rule.role is Role.LEAD]
    won, tied, not_applied = Outcome.LEAD, Outcome.TIED, Outcome.NOT_APPLIED
    least = max((match.key for match in leads if match.outcome is won or match.outcome is tied), default=())
    waiting = [
        match.rule.settings
        for match in leads
        # What weighs less than who leads could not take the lead.
        if match.outcome is not_applied and match.detail == "setting" and match.key >= least
    ]
    settings = sorted({setting for settings in waiting for setting in settings})
    decisive = [
        setting
        for setting in settings
        if (would := foremost(_felt(hits, asked), _with_setting(asked, setting))) and would != best
    ]
    if decisive:
        yield Change(ChangeKind.SETTING, settings=tuple(decisive))


def _with_setting(asked: Question, setting: Setting) -> Question:
    """The same question with a setting. Who is passed over there matters too: it decides what is missing."""
    facts = asked.facts
    known = Facts(facts.urgency, facts.behaviours, setting, facts.originator, facts.evidence)
    rest = asked.rules, asked.boundaries, asked.as_of, asked.unreachable, asked.excluded
    return Question(known, *rest, asked.passed_over)


def _considered(match: Match) -> Considered:
    rule, hit, key, outcome, detail = match
    assert outcome is not None
    return Considered(
        rule.id, rule.team, rule.role, hit.area, hit.relation, hit.confidence, hit.share, key, outcome, detail,
        hit.distance_m,
    )  # fmt: skip
