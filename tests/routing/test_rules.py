"""Coverage rules: what they may say and what they may never ask."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from directory.hours import Hours
from foundation import clock, database
from referrals.facts import Evidence, Facts
from routing import snapshots
from routing.demonstration import rules
from routing.rules import Rule, RuleFault, RuleSet
from tests.builders import Town
from tests.routing.cases import BOUNDARIES, EVENING, TEMPE, ask, lead, named, outcomes, rule_set

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


def test_hours_without_a_zone_are_those_of_the_team() -> None:
    night = lead("tempe", TEMPE, hours={"begins": "17:00", "ends": "08:00"})
    written = {"root_team": "root", "zones": {"tempe": "America/Phoenix"}, "rules": [night]}
    rules = RuleSet.from_json(written)
    assert rules.rules[0].hours == Hours.from_json({**night["hours"], "zone": "America/Phoenix"})
    assert RuleSet.from_json(rules.as_json()).digest == rules.digest


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"zones": {"tempe": "Mars/Olympus"}}, "unknown time zone"),
        ({"calendars": {"az": ["the fourth of July"]}}, "calendar cannot be read"),
        ({"rules": [lead("tempe", TEMPE, hours={"begins": "17:00", "ends": "08:00"})]}, "tempe"),
        ({"rules": [lead("tempe", TEMPE, calendar="az")]}, "tempe: a calendar"),
    ],
)
def test_zones_and_calendars_that_make_no_sense_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(RuleFault, match=why):
        RuleSet.from_json({"root_team": "root", **wrong})


def test_a_rule_follows_the_holidays_of_its_calendar() -> None:
    office = {"zone": "America/Phoenix", "begins": "08:00", "ends": "17:00", "days": ["wednesday"]}
    by_day = lead("tempe", TEMPE, hours=office, calendar="az")
    rules = [
        {"root_team": "root", "calendars": {"az": days}, "rules": [by_day]} for days in ([], ["2026-03-04"])
    ]
    workday, holiday = (ask(RuleSet.from_json(written), named(TEMPE)) for written in rules)
    assert (workday.leads, holiday.leads) == (("tempe",), ())
    assert outcomes(holiday)["tempe"] == "not applied hours"


@pytest.mark.parametrize(("zone", "led"), [("America/Phoenix", ("tempe",)), ("UTC", ())])
def test_a_rule_ends_with_the_day_of_its_own_zone(zone: str, led: tuple[str, ...]) -> None:
    """Eight in the evening in Phoenix is the next day in UTC."""
    ending = lead("tempe", TEMPE, valid_to="2026-03-05")
    rules = RuleSet.from_json({"root_team": "root", "zones": {"tempe": zone}, "rules": [ending]})
    assert ask(rules, named(TEMPE), as_of=EVENING).leads == led


def test_a_published_set_knows_the_zones_of_its_teams(town: Town) -> None:
    with database.reading(town.engine) as session:
        published = snapshots.current(session, clock.now()).rules
    assert published.zones[town.team["tempe-police"]] == "America/Phoenix"
    assert town.team["fbi-phoenix"] not in published.zones


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
