"""The small map of a decision shows what was named, who was a candidate, and how near the line was."""

from __future__ import annotations

import shapely

from referrals.facts import Evidence, Facts, Urgency
from routing.decision import Decision, decide
from routing.sketch import Sketch, in_order, numbered, sketch
from tests.routing import drawn
from tests.routing.cases import (
    ARIZONA,
    BOUNDARIES,
    MARICOPA,
    MESA,
    MORNING,
    TEMPE,
    lead,
    named,
    point,
    rule_set,
)

RULES = rule_set(lead("hub", ARIZONA), lead("county", MARICOPA), lead("tempe", TEMPE), lead("mesa", MESA))


def _decide(*evidence: Evidence) -> Decision:
    return decide(Facts(Urgency.ELEVATED, evidence=evidence), RULES, BOUNDARIES, MORNING)


def _sketch(*evidence: Evidence) -> Sketch:
    made = sketch(_decide(*evidence), BOUNDARIES)
    assert made is not None
    return made


def test_who_leads_has_the_first_number_and_lies_on_top() -> None:
    made = _sketch(named(TEMPE))
    assert [(one.number, one.area) for one in made.candidates] == [(1, TEMPE), (2, MARICOPA), (3, ARIZONA)]
    assert [one.number for one in made.painted] == [3, 2, 1]


def test_the_numbers_are_those_of_the_rules_table() -> None:
    decision = _decide(named(TEMPE))
    first = next(entry.area for entry in in_order(decision))
    assert first == TEMPE
    assert numbered(decision)[first] == 1


def test_no_label_is_hidden_by_a_smaller_area() -> None:
    areas = {one.area: one for one in _sketch(named(TEMPE)).painted}
    county = areas[MARICOPA].room
    assert county is not None
    assert not drawn.area(areas[TEMPE].d).covers(shapely.Point(county.x, county.y))


def test_the_line_that_was_near_is_shown_with_the_decisions_own_distance() -> None:
    fix = point(33.40, -111.8904, accuracy_m=60)
    decision = _decide(fix)
    made = sketch(decision, BOUNDARIES)
    assert made is not None
    (way,) = made.ways
    assert {way.metres} == {change.distance_m for change in decision.what_would_change if change.distance_m}
    assert drawn.rings(way.d)[0][0] == (made.fixes[0].x, made.fixes[0].y)


def test_the_point_and_its_circle_are_in_the_picture() -> None:
    (fix,) = _sketch(point(33.40, -111.8904, accuracy_m=60)).fixes
    assert fix.radius > 0
    assert fix.radius < fix.x < 1000 - fix.radius


def test_a_school_without_an_outline_shows_its_town() -> None:
    assert _sketch(named("school:demo-saguaro-bend")).named == _sketch(named(TEMPE)).named


def test_a_state_beside_a_town_does_not_make_the_town_a_dot() -> None:
    assert _sketch(named(TEMPE), named(ARIZONA)).bar == _sketch(named(TEMPE)).bar


def test_a_point_beyond_the_date_line_is_drawn_where_it_is() -> None:
    (fix,) = _sketch(point(52.90, 172.90, accuracy_m=500)).fixes
    assert 0 < fix.x < 1000
    assert 0 < fix.y < 620


def test_what_lies_around_is_named_and_nothing_twice() -> None:
    made = _sketch(named("county:04013"))
    around = {spot.area for spot in made.around}
    assert "county:04025" in around
    assert not around & {one.area for one in made.candidates}


def test_where_nothing_is_known_there_is_no_map() -> None:
    assert sketch(_decide(), BOUNDARIES) is None
    assert sketch(_decide(point(0.0, 0.0)), BOUNDARIES) is None
