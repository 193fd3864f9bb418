"""Re-deciding before publication: classes stand for all their places, and what changes is found and counted."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from referrals.facts import Evidence, Facts, Relation, Setting, Urgency
from routing import gazetteer, lineside, situations
from routing.alike import Alike
from routing.boundaries import Boundaries
from routing.circumstances import Circumstance
from routing.decision import decide
from routing.demonstration import areas
from routing.found import Difference, Found, Kind, Step
from routing.holding import Graph, held
from routing.pair import Pair
from routing.redeciding import everybody, redecide
from routing.rules import RuleSet
from routing.situations import Answer, Side
from routing.snapshots import Snapshot
from tests.routing.cases import (
    ARIZONA,
    BOUNDARIES,
    CAMPUS,
    MARICOPA,
    MESA,
    MORNING,
    TEMPE,
    lead,
    named,
    rule_set,
)

# The whole country takes seconds.
ARIZONAS_ZIPS = [f"zip:{code}" for code in gazetteer.load().zip_codes if code.startswith(("85", "86"))]
STATE, COUNTY = lead("state", ARIZONA), lead("county", MARICOPA)


def _snapshot(*rules: dict[str, Any], boundaries: Boundaries = BOUNDARIES) -> Snapshot:
    return Snapshot(rule_set(*rules), boundaries, "", "")


def _tried(before: Snapshot, after: Snapshot, *referrals: Facts) -> Found:
    everyone = everybody(before, after, referrals)
    return redecide(before, after, MORNING, replace(everyone, zips=ARIZONAS_ZIPS))


def _of(found: Found, kind: Kind) -> list[Difference]:
    return [one for one in found.differences if one.kind is kind]


def test_a_new_city_team_takes_the_lead_from_its_county_and_the_zips_are_counted() -> None:
    found = _tried(_snapshot(STATE, COUNTY), _snapshot(STATE, COUNTY, lead("tempe", TEMPE)))
    led = next(one for one in _of(found, Kind.LEAD) if one.after == ("tempe",))
    assert led.before == ("county",)
    # The five ZIPs that lie in Tempe with more than nine tenths of their addresses.
    assert led.counts[Step.ZIPS] == 5
    assert led.counts[Step.SCHOOLS] == 2
    assert found.lost == []


def test_a_rule_that_ends_without_another_is_a_gap_and_its_team_is_lost() -> None:
    found = _tried(_snapshot(COUNTY), _snapshot())
    assert found.lost == ["county"]
    assert sum(one.counts[Step.ZIPS] for one in _of(found, Kind.GAP)) > 100
    assert all(one.after == () for one in _of(found, Kind.GAP))


def test_equal_rules_for_one_area_are_a_new_tie() -> None:
    found = _tried(_snapshot(COUNTY), _snapshot(COUNTY, lead("other", MARICOPA)))
    assert {one.after for one in _of(found, Kind.TIE)} == {("county", "other")}


def test_a_rule_that_always_loses_is_named() -> None:
    weaker = lead("weaker", TEMPE, priority=-1)
    found = _tried(_snapshot(lead("tempe", TEMPE)), _snapshot(lead("tempe", TEMPE), weaker))
    assert found.never == ["weaker"]


def test_a_rule_on_an_ended_county_is_named_with_what_took_its_place() -> None:
    found = _tried(_snapshot(), _snapshot(lead("old", "county:02261")))
    assert any(sentence.startswith("old: county:02261 has ended") for sentence in found.ended)


def test_a_rule_of_a_later_day_is_tried_on_that_day() -> None:
    later = lead("tempe", TEMPE, valid_from="2026-06-01")
    found = _tried(_snapshot(COUNTY), _snapshot(COUNTY, later))
    tried = {found.circumstances[one.circumstance].at.date() for one in found.differences}
    assert tried == {date(2026, 6, 1)}


@pytest.mark.parametrize("sooner", [True, False])
def test_a_day_on_which_a_rule_ends_is_tried_whether_it_comes_or_goes(sooner: bool) -> None:
    night = {"days": ["monday"], "begins": "20:00", "ends": "06:00", "zone": "America/Phoenix"}
    always, ends = (
        _snapshot(COUNTY, lead("tempe", TEMPE, hours=night, **more))
        for more in ({}, {"valid_to": "2026-06-01"})
    )
    found = _tried(always, ends) if sooner else _tried(ends, always)
    (led,) = _of(found, Kind.LEAD)
    assert (led.before, led.after) == ((("tempe",), ("county",)) if sooner else (("county",), ("tempe",)))
    # A Monday; before that evening the rule would not have been asked.
    assert found.circumstances[led.circumstance].at.date() >= date(2026, 6, 1)


def test_a_rule_for_one_kind_of_act_is_tried_with_that_act() -> None:
    school = lead("school", TEMPE, settings=["school"], urgencies=["imminent"])
    found = _tried(_snapshot(COUNTY), _snapshot(COUNTY, school))
    (led,) = {found.circumstances[one.circumstance] for one in _of(found, Kind.LEAD)}
    assert (led.setting.value, led.urgency) == ("school", Urgency.IMMINENT)


def test_stored_referrals_are_decided_again_with_their_own_facts() -> None:
    told = [Facts(Urgency.ROUTINE, evidence=(named(TEMPE),)), Facts(Urgency.ROUTINE, evidence=(named(MESA),))]
    found = _tried(_snapshot(COUNTY), _snapshot(COUNTY, lead("tempe", TEMPE)), *told)
    assert found.asked[Step.REFERRALS] == 2
    assert sum(one.counts[Step.REFERRALS] for one in found.differences) == 1


def test_points_on_both_sides_of_a_line_are_asked() -> None:
    found = _tried(_snapshot(COUNTY, lead("tempe", TEMPE)), _snapshot(COUNTY, lead("other", TEMPE)))
    at_points = [one for one in found.differences if one.counts[Step.POINTS]]
    assert found.asked[Step.POINTS] > 0
    assert {one.after for one in at_points} >= {("other",)}


def test_the_same_rules_change_nothing_and_reach_nothing() -> None:
    found = _tried(_snapshot(STATE, COUNTY), _snapshot(STATE, {**COUNTY, "reason": "said better"}))
    assert found.differences == []
    assert sum(found.reached.values()) == 0


# Everything a rule can do: exclusions, shields, mandates, conditions, hours, whole layers.
RICH = (
    STATE,
    COUNTY,
    lead("tempe", TEMPE),
    lead("campus", CAMPUS),
    lead("cities", MARICOPA, every="place", priority=1),
    lead("law", ARIZONA, mandate=2, behaviours=["threat_communicated"]),
    lead("schools", MARICOPA, settings=["school"]),
    {"id": "not-county", "team": "county", "role": "exclude", "area": MESA},
    {"id": "help", "team": "care", "role": "support", "area": TEMPE},
    {"id": "told", "team": "fusion", "role": "notify", "area": ARIZONA, "shields": ["county"]},
    lead("pima", "county:04019", relations=["target"]),
    lead("virginia", "county:51059"),
    lead("fairfax-city", "county:51600"),
)


def _places() -> list[str]:
    zips = gazetteer.load().zip_codes
    near = [f"zip:{code}" for code in zips if code.startswith(("852", "220", "857"))]
    far = [f"zip:{code}" for code in random.Random(7).sample(zips, 150)]
    return [*near, *far, *(area["id"] for area in areas()), *list(gazetteer.load().places)[::150]]


@pytest.mark.parametrize("relation", [Relation.INCIDENT, Relation.TARGET, Relation.REPORTER])
def test_a_class_answers_as_each_of_its_places_does_one_by_one(relation: Relation) -> None:
    rules, circumstance = rule_set(*RICH), Circumstance(MORNING, relation=relation)
    side, checked = Side(rules, BOUNDARIES), 0
    kin: dict[Hashable, tuple[Evidence, ...]] = {}
    for area in _places():
        evidence = situations.naming(area, relation)
        first = kin.setdefault(side.kin(area), evidence)
        classed = side.answer(side.situation(first), circumstance, first)
        one_by_one = decide(circumstance.facts(evidence), rules, BOUNDARIES, MORNING)
        assert classed == Answer.of(one_by_one), area
        checked += first != evidence
    # Classes that held one place each would prove nothing.
    assert checked > 100


HOURS = {"days": ["wednesday"], "begins": "08:00", "ends": "18:00", "zone": "America/Phoenix"}
# What the change would bring: other teams, and rules that ask for an hour and an urgency.
RICHER = (
    *RICH[1:],
    lead("state-by-day", ARIZONA, hours=HOURS, urgencies=["imminent"], mandate=1),
    lead("root", "county:04019", priority=2),
    {"id": "help-mesa", "team": "tempe", "role": "support", "area": MESA},
)


@pytest.mark.parametrize(
    "asked",
    [
        Circumstance(MORNING),
        Circumstance(MORNING, Urgency.IMMINENT, ("threat_communicated",)),
        Circumstance(MORNING, setting=Setting.SCHOOL, relation=Relation.TARGET),
        Circumstance(MORNING, relation=Relation.REPORTER),
    ],
)
def test_a_row_answers_as_each_of_its_places_does_one_by_one(asked: Circumstance) -> None:
    pair = Pair(_snapshot(*RICH), _snapshot(*RICHER), MORNING.date())
    places = sorted({*_places(), "county:02261", "place:nowhere"})
    alike = Alike(Graph(places, pair.old.parents), *pair.numbers, asked.relation, examples=len(places))
    checked = 0
    for same in alike.answers(asked):
        assert len(same.examples) == same.count
        for area in same.examples:
            evidence = situations.naming(area, asked.relation)
            assert same.before == Answer.of(pair.old.decide(asked, evidence)), area
            assert same.after == Answer.of(pair.new.decide(asked, evidence)), area
            checked += 1
    assert {"county:02261", "place:nowhere"} < {*alike.alone}
    assert checked + len(alike.alone) == len(places)
    assert checked > 4 * len(alike.alone)


def test_many_areas_are_held_by_the_same_as_each_of_them() -> None:
    places = sorted({*_places(), "county:02261"})
    found = held(Graph(places, BOUNDARIES.parents))
    mine: dict[str, dict[str, float]] = defaultdict(dict)
    for place, above, share in zip(
        found.place.tolist(), found.above.tolist(), found.share.tolist(), strict=True
    ):
        mine[places[place]][found.names[above]] = share
    assert mine == {area: dict(BOUNDARIES.widen(area)) for area in places}


def test_what_the_change_cannot_reach_is_decided_as_before() -> None:
    before, after = (
        _snapshot(*RICH),
        _snapshot(*RICH, lead("tempe-schools", TEMPE, settings=["school"], priority=9)),
    )
    pair, circumstance = Pair(before, after, MORNING.date()), Circumstance(MORNING)
    places = sorted({*_places()})
    reached = {*pair.reached(places).asked}
    # What is asked for many at once is what is asked for each.
    assert reached == {area for area in places if pair.reaches(area)}
    beyond = [area for area in places if area not in reached]
    assert len(beyond) > 100
    for area in beyond:
        evidence = situations.naming(area)
        assert Answer.of(pair.old.decide(circumstance, evidence)) == Answer.of(
            pair.new.decide(circumstance, evidence)
        )


def test_points_near_the_same_outlines_are_felt_as_each_of_them_is() -> None:
    pair = Pair(_snapshot(*RICH), _snapshot(*RICHER), MORNING.date())
    beside = lineside.beside([TEMPE, MESA, CAMPUS, MARICOPA], pair.reached_outlines, *pair.maps)
    exact = [beside.evidence(row, Relation.INCIDENT) for row in range(len(beside.degrees))]
    points = [point for one in exact for point in (one, replace(one, accuracy_m=600.0))]
    assert [pair.situations_at(point) for point in points] == [pair.situations((point,)) for point in points]


def test_no_rules_at_all_is_an_answer_too() -> None:
    side = Side(RuleSet.from_json({"root_team": "root"}), BOUNDARIES)
    evidence = situations.naming(TEMPE)
    answer = side.answer(side.situation(evidence), Circumstance(MORNING), evidence)
    assert answer.owner == "root"
    assert answer.leads == ()
