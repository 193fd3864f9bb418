"""What must hold for any referral, any rules and any place, however strange."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing import decision as deciding
from routing import explanation
from routing.decision import Decision, Status, decide
from routing.locate import locate
from routing.question import Question
from routing.rules import Role
from routing.weighing import CRITERIA, Outcome, foremost, leading, weigh
from tests.routing.cases import (
    ARIZONA,
    BOUNDARIES,
    CAMPUS,
    MARICOPA,
    MESA,
    MORNING,
    RESERVATION,
    TEMPE,
    rule_set,
)

AREAS = [
    CAMPUS,
    TEMPE,
    MESA,
    MARICOPA,
    ARIZONA,
    RESERVATION,
    "zip:22030",
    "zip:85281",
    "county:02261",
    "state:56",
]
TEAMS = ["a", "b", "c", "hub"]
EVIDENCE = st.builds(
    Evidence,
    kind=st.sampled_from(PlaceKind),
    relation=st.sampled_from(Relation),
    areas=st.lists(st.sampled_from([*AREAS, "rubbish", ""]), max_size=3).map(tuple),
    latitude=st.none() | st.floats(-200, 200) | st.floats(33.3, 33.5) | st.just(float("nan")),
    longitude=st.none() | st.floats(-200, 200) | st.floats(-112, -111.5),
    accuracy_m=st.none() | st.floats(-10, 1e9) | st.floats(0, 500),
)
FACTS = st.builds(
    Facts,
    urgency=st.sampled_from(Urgency),
    behaviours=st.lists(st.sampled_from(["assault", "last_acts"]), max_size=2).map(tuple),
    setting=st.sampled_from([Setting.UNKNOWN, Setting.SCHOOL, Setting.HOME]),
    originator=st.none() | st.just("fbi"),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
)
NIGHT = {"zone": "America/Phoenix", "begins": "17:00", "ends": "08:00"}
CONDITIONS: list[dict[str, Any]] = [
    *({}, {}, {}, {"behaviours": ["last_acts"]}, {"settings": ["school"]}, {"urgencies": ["imminent"]}),
    *(
        {"hours": NIGHT},
        {"originators": ["fbi"]},
        {"relations": ["reporter", "target"]},
        {"valid_to": "2026-03-04"},
    ),
]
RULE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "team": st.sampled_from(TEAMS),
        "role": st.sampled_from(["lead", "lead", "lead", "support", "notify", "exclude"]),
        "area": st.sampled_from([*AREAS[:6], "nation:us", "county:51059", "county:51600"]),
        "every": st.sampled_from(["", "", "", "place"]),
        "mandate": st.sampled_from([0, 0, 1]),
        "priority": st.integers(0, 1),
        "shields": st.sampled_from([[], [], [], ["county", "state"]]),
    }
)
RULES = st.lists(st.tuples(RULE, st.sampled_from(CONDITIONS)), max_size=7).map(
    lambda rules: [{**rule, **more, "id": f"r{at}"} for at, (rule, more) in enumerate(rules)]
)
SOME_TEAMS = st.frozensets(st.sampled_from(TEAMS))
BEST = {Outcome.LEAD, Outcome.TIED}


def asked(facts: Facts, rules: list[Any], **more: Any) -> Decision:
    return decide(facts, rule_set(*rules), BOUNDARIES, MORNING, **more)


def best(decision: Decision, without: str = "") -> set[str]:
    return {entry.rule for entry in decision.considered if entry.outcome in BEST and entry.team != without}


@settings(max_examples=120)
@given(FACTS, RULES, SOME_TEAMS, SOME_TEAMS)
def test_whatever_comes_ends_in_one_of_five_with_an_owner_and_can_be_told(
    facts: Facts, rules: list[Any], unreachable: frozenset[str], excluded: frozenset[str]
) -> None:
    decision = asked(facts, rules, unreachable=unreachable, excluded=excluded)
    company = {*decision.leads, *decision.supports, *decision.notifies}
    assert decision.status in Status
    assert decision.owner in {"hub", "root"} - ({"hub"} & (unreachable | excluded))
    assert bool(decision.leads) == (decision.status not in {Status.LOCATION_NEEDED, Status.NO_COVERAGE})
    assert not (unreachable | excluded) & company
    waits_for_nobody = facts.urgency is Urgency.IMMINENT and decision.status is not Status.ROUTED
    assert bool(decision.offered_at_once) == waits_for_nobody
    assert set(decision.leads) <= set(decision.offered_at_once) or not waits_for_nobody
    assert explanation.sentences(decision, BOUNDARIES)


@settings(max_examples=60)
@given(FACTS, RULES, st.randoms())
def test_the_order_of_evidence_acts_and_rules_never_matters(
    facts: Facts, rules: list[Any], random: Any
) -> None:
    evidence, acts, others = list(facts.evidence), list(facts.behaviours), list(rules)
    for order in (evidence, acts, others):
        random.shuffle(order)
    other = replace(facts, evidence=(*evidence, *evidence[:1]), behaviours=tuple(acts))
    assert asked(facts, rules).as_json() == asked(other, others).as_json() or _strange(facts)
    assert asked(facts, rules).digest == asked(other, others).digest


def _strange(facts: Facts) -> bool:
    """What is no number is not even equal to itself."""
    return any(piece.latitude != piece.latitude for piece in facts.evidence)


@settings(max_examples=60)
@given(FACTS, RULES, st.sampled_from(TEAMS), st.sampled_from(["nation:us", *AREAS[:5]]))
def test_an_exclusion_takes_its_team_out_and_nobody_else(
    facts: Facts, rules: list[Any], team: str, area: str
) -> None:
    rules = [{**rule, "shields": []} for rule in rules]
    before = asked(facts, rules)
    after = asked(facts, [*rules, {"id": "x", "team": team, "role": "exclude", "area": area}])
    if any(entry.rule == "x" and entry.outcome is Outcome.EXCLUDED for entry in after.considered):
        assert team not in {*after.leads, *after.supports, *after.notifies}
        # Who was best stays best; who was left out stays left out.
        assert best(before, without=team) <= best(after)
        assert _left_out(before) <= _left_out(after) <= _left_out(before) | {team}
    else:
        assert (after.status, after.leads, after.supports) == (before.status, before.leads, before.supports)


def _left_out(decision: Decision) -> set[str]:
    return {entry.team for entry in decision.considered if entry.outcome is Outcome.EXCLUDED}


@settings(max_examples=60)
@given(FACTS, RULES)
def test_the_larger_key_never_loses_and_the_loser_hears_where(facts: Facts, rules: list[Any]) -> None:
    decision = asked(facts, rules)
    standing = [entry for entry in decision.considered if entry.role is Role.LEAD]
    standing = [entry for entry in standing if entry.outcome in {*BEST, Outcome.LOST}]
    most = max((entry.key for entry in standing), default=())
    for entry in standing:
        assert (entry.key == most) == (entry.outcome in BEST)
        if entry.outcome is Outcome.LOST:
            at = CRITERIA.index(entry.detail)
            assert (entry.key[:at], entry.key[at] < most[at]) == (most[:at], True)


@settings(max_examples=60)
@given(FACTS, RULES, st.sampled_from(AREAS[:6]))
def test_a_new_lead_of_a_strictly_larger_key_leads(facts: Facts, rules: list[Any], area: str) -> None:
    law = {"id": "law", "team": "z", "role": "lead", "area": area, "mandate": 2}
    decision = asked(facts, [*rules, law])
    entry = next((entry for entry in decision.considered if entry.rule == "law"), None)
    if entry is not None and entry.outcome not in {Outcome.NOT_APPLIED, Outcome.BELOW_FLOOR}:
        assert (entry.outcome, decision.leads[0]) == (Outcome.LEAD, "z")


@settings(max_examples=60)
@given(FACTS, FACTS, RULES, RULES)
def test_the_digest_is_equal_where_everything_decisive_is_and_only_there(
    facts: Facts, others: Facts, rules: list[Any], other_rules: list[Any]
) -> None:
    first, second = asked(facts, rules), asked(others, other_rules)
    same = {**first.as_json(), "digest": ""} == {**second.as_json(), "digest": ""}
    assert (first.digest == second.digest) == same or _strange(facts)
    assert asked(facts, other_rules).digest != first.digest or rule_set(*rules) == rule_set(*other_rules)


@settings(max_examples=60)
@given(FACTS, RULES, SOME_TEAMS, SOME_TEAMS)
def test_from_what_it_stores_alone_a_decision_is_made_again(
    facts: Facts, rules: list[Any], unreachable: frozenset[str], excluded: frozenset[str]
) -> None:
    first = asked(facts, rules, unreachable=unreachable, excluded=excluded)
    stored = Decision.from_json(json.loads(json.dumps(first.as_json())))
    again = asked(stored.facts, rules, unreachable=dict(stored.unreachable), excluded=dict(stored.excluded))
    assert first.digest == stored.digest == again.digest


def test_weighing_only_what_a_rule_can_feel_decides_as_weighing_everything() -> None:
    @settings(max_examples=60)
    @given(FACTS, RULES, SOME_TEAMS)
    def alike(facts: Facts, rules: list[Any], unreachable: frozenset[str]) -> None:
        short = asked(facts, rules, unreachable=unreachable).digest
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(deciding, "_felt", lambda hits, question: hits)
            assert asked(facts, rules, unreachable=unreachable).digest == short

    alike()


@settings(max_examples=80)
@given(FACTS, RULES, SOME_TEAMS, SOME_TEAMS)
def test_who_would_lead_is_found_the_short_way_as_by_weighing_everything(
    facts: Facts, rules: list[Any], unreachable: frozenset[str], excluded: frozenset[str]
) -> None:
    ruleset = rule_set(*rules)
    silent, asked_before = (dict.fromkeys(teams, "why") for teams in (unreachable, excluded))
    # What a question remembers is asked of both: across the hits of one, and never between the two.
    short, long = (Question(facts, ruleset, BOUNDARIES, MORNING, silent, asked_before) for _ in range(2))
    located = locate(facts.evidence, BOUNDARIES, ruleset.share_floor)
    for hits in (located.hits, *(hits for _, _, hits in located.settled())):
        assert foremost(hits, short) == leading(weigh(hits, long))
