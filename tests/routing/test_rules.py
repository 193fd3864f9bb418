"""Coverage rules: what they may say and what they may never ask."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from directory.hours import Hours
from referrals.facts import Evidence, Facts
from routing.demonstration import rules
from routing.rules import Rule, RuleFault, RuleSet
from tests.routing.cases import BOUNDARIES, TEMPE, lead, rule_set

SLUGS = [
    *("root-desk", "az-stamp", "maricopa-county", "tempe-police", "mesa-police", "saguaro-bend-school"),
    *("tempe-care-7", "nv-hub", "lincoln-high-mesa", "lincoln-high-tucson", "pima-county", "fbi-phoenix"),
    *("dhs-nter", "utah-hub"),
]

# The closed list. Whoever adds a field adds it here, in a review that asks: does it say what was done, or
# who somebody is?
MAY_ASK = {
    "behaviours",
    "urgencies",
    "settings",
    "originators",
    "hours",
    "calendar",
    "relations",
    "valid_from",
    "valid_to",
}
MAY_SAY = {"id", "team", "role", "area", "every", "mandate", "priority", "shields", "author", "reason"}
MAY_KNOW = {"urgency", "behaviours", "setting", "originator", "evidence"}
MAY_LOCATE = {"kind", "relation", "areas", "latitude", "longitude", "accuracy_m"}
NEVER = {
    "race",
    "ethnicity",
    "religion",
    "belief",
    "creed",
    "faith",
    "origin",
    "nationality",
    "disability",
} | {*("gender", "sex", "immigration", "citizenship", "language", "age")}


def test_a_rule_has_the_fields_of_the_closed_list_and_no_other() -> None:
    assert {field.name for field in fields(Rule)} == MAY_ASK | MAY_SAY
    assert {field.name for field in fields(Facts)} == MAY_KNOW
    assert {field.name for field in fields(Evidence)} == MAY_LOCATE


def test_no_field_asks_who_somebody_is() -> None:
    for name in MAY_ASK | MAY_KNOW | MAY_LOCATE:
        assert not NEVER & set(name.split("_"))


@pytest.mark.parametrize(
    "condition", ["race", "religion", "origin", "belief", "disability", "gender", "immigration"]
)
def test_a_rule_that_asks_who_somebody_is_cannot_be_read(condition: str) -> None:
    with pytest.raises(RuleFault, match=condition):
        Rule.from_json({**lead("tempe", TEMPE), condition: ["x"]})


@pytest.mark.parametrize(
    "wrong",
    [
        {"behaviours": ["believes_something"]},
        {"behaviours": "assault"},
        {"urgencies": ["soon"]},
        {"mandate": 3},
        {"shields": ["planet"]},
        {"role": "boss"},
        {"team": ""},
        {"relations": ["reporter"]},
        {"valid_from": "2026-02-01", "valid_to": "2026-01-01"},
        {"hours": {"zone": "Mars/Olympus", "begins": "08:00", "ends": "17:00"}},
        {"hours": {"zone": "America/Phoenix"}},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(RuleFault, match="tempe"):
        Rule.from_json({**lead("tempe", TEMPE), "id": "tempe", **wrong})


def test_a_rule_set_survives_its_json() -> None:
    hours = {"zone": "America/Phoenix", "begins": "17:00", "ends": "08:00", "holidays": ["2026-12-25"]}
    written = rule_set(lead("night", TEMPE, hours=hours, shields=["county"], valid_from="2026-01-01"))
    assert RuleSet.from_json(written.as_json()) == written
    assert RuleSet.from_json(written.as_json()).digest == written.digest


@pytest.mark.parametrize(
    ("area", "why"),
    [("county:09001", "county:09120"), ("county:99999", "not known"), ("place:0400000", "not known")],
)
def test_a_rule_on_an_area_that_is_not_there_stops_the_set(area: str, why: str) -> None:
    (fault,) = rule_set(lead("lost", area)).faults(BOUNDARIES)
    assert "lost" in fault
    assert why in fault


def test_the_demonstrations_rules_fit_its_areas() -> None:
    written = RuleSet.from_json(rules({slug: slug for slug in SLUGS}))
    assert written.faults(BOUNDARIES) == []


NIGHT = {"zone": "America/Phoenix", "begins": "20:00", "ends": "06:00"}


@pytest.mark.parametrize(
    ("more", "moment", "held"),
    [
        ({}, "2026-03-06T20:00", True),
        ({}, "2026-03-06T06:00", False),
        ({"days": ["friday"]}, "2026-03-07T02:00", True),
        ({"days": ["friday"]}, "2026-03-06T02:00", False),
        ({"days": ["friday"], "holidays": ["2026-03-06"]}, "2026-03-06T21:00", False),
        ({"days": ["holiday"], "holidays": ["2026-03-06"]}, "2026-03-06T21:00", True),
        ({"begins": "00:00", "ends": "00:00"}, "2026-03-06T13:00", True),
    ],
)
def test_hours_reach_into_the_morning_and_know_holidays(
    more: dict[str, Any], moment: str, held: bool
) -> None:
    # Phoenix is seven hours behind UTC all year.
    utc = datetime.fromisoformat(moment).replace(tzinfo=UTC) + timedelta(hours=7)
    assert Hours.from_json({**NIGHT, **more}).hold(utc) is held
