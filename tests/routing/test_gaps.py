"""The gap report: each kind of gap is found where there is one, and not where there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from directory import members
from foundation import clock, database
from referrals.facts import Urgency
from routing import gaps, ground, land, outlines, overlaps, snapshots
from routing.areas import Area
from routing.boundaries import Boundaries
from routing.demonstration import areas
from routing.situations import Side
from routing.snapshots import Snapshot
from routing.unled import Unled, bare_land, unled
from tests.builders import Town
from tests.routing.cases import ARIZONA, BOUNDARIES, MARICOPA, MORNING, TEMPE, lead, rule_set


def _shares(*rules: dict[str, Any], state: str = "04", urgency: Urgency = Urgency.ELEVATED) -> list[Unled]:
    return unled(Side(rule_set(*rules), BOUNDARIES), MORNING, state, (urgency,))


def _section(town: Town, title: str, **more: Any) -> list[str]:
    with database.reading(town.engine) as session:
        told = gaps.report(session, snapshots.current(session, clock.now()), clock.now(), state="04", **more)
    (found,) = (section for section in told.sections if section.title.startswith(title))
    return [gap.sentence for gap in found.gaps]


def test_a_state_with_a_team_has_no_gap_and_one_without_is_all_gap() -> None:
    (led,), (bare,) = _shares(lead("state", ARIZONA)), _shares()
    assert (led.zips_without, led.km2_without) == (0, 0)
    assert bare.zips_without == pytest.approx(bare.zips)
    assert bare.km2_without == pytest.approx(bare.km2)


def test_land_and_addresses_of_one_county_are_counted_as_led() -> None:
    (share,) = _shares(lead("county", MARICOPA))
    assert share.km2 - share.km2_without == pytest.approx(land.counties()[MARICOPA])
    assert 0 < share.zips_without < share.zips


def test_a_city_with_a_team_in_a_county_without_is_taken_off_the_land() -> None:
    (share,) = _shares(lead("tempe", TEMPE))
    # The demonstration's Tempe: nine hundredths of a degree by fourteen.
    assert share.km2 - share.km2_without == pytest.approx(130, rel=0.05)


def test_land_without_a_lead_is_named_county_by_county() -> None:
    rules = rule_set(lead("county", MARICOPA), lead("pima", "county:04019"))
    bare = {
        county: (without, whole)
        for county, without, whole in bare_land(Side(rules, BOUNDARIES), MORNING, "04")
    }
    assert "county:04021" in bare
    assert not {MARICOPA, "county:04019"} & bare.keys()
    assert len(bare) == 13


def test_of_the_whole_country_land_is_summed_by_state() -> None:
    side = Side(rule_set(lead("county", MARICOPA)), BOUNDARIES)
    told = [gap.sentence for gap in ground.bare(side, MORNING, "")]
    assert told[0].startswith("Alaska: ")
    assert any(sentence.startswith("Arizona: ") and sentence.endswith("in 14 counties.") for sentence in told)


def test_only_the_rest_of_a_county_is_bare_where_a_city_in_it_has_a_team() -> None:
    bare = bare_land(Side(rule_set(lead("tempe", TEMPE)), BOUNDARIES), MORNING, "04")
    (rest,) = (whole - without for county, without, whole in bare if county == MARICOPA)
    assert rest == pytest.approx(130, rel=0.05)


@pytest.mark.parametrize(
    ("bronx", "told"),
    [
        ("bronx", "led to manhattan; for a point there, bronx or manhattan would"),
        ("", "manhattan leads either way"),
    ],
)
def test_marble_hill_is_named_and_who_answers_for_it(bronx: str, told: str) -> None:
    other = lead("bronx", "county:36005") | {"team": bronx or "manhattan"}
    side = Side(rule_set(lead("manhattan", "county:36061"), other), BOUNDARIES)
    (gap,) = ground.misplaced(side, {}, MORNING, "36")
    assert gap.sentence.startswith(
        "Marble Hill belongs to New York County, NY; the map draws it in Bronx County, NY."
    )
    assert told in gap.sentence
    assert list(ground.misplaced(side, {}, MORNING, "04")) == []


def test_maricopa_is_as_large_as_it_is() -> None:
    assert land.counties()[MARICOPA] == pytest.approx(23_890, rel=0.01)


def test_hours_in_which_nobody_leads_are_named() -> None:
    hours = {"zone": "America/Phoenix", "begins": "08:00", "ends": "17:00"}
    by_hours = {one.hours: one.zips_without for one in _shares(lead("day", ARIZONA, hours=hours))}
    assert by_hours == {
        "every day 15:00–24:00 (UTC)": 0,
        "every day 00:00–15:00 (UTC)": pytest.approx(_shares()[0].zips),
    }


def test_an_urgency_that_no_rule_covers_is_told_apart() -> None:
    rule = lead("calm", ARIZONA, urgencies=["routine"])
    assert _shares(rule, urgency=Urgency.ROUTINE)[0].zips_without == 0
    assert _shares(rule, urgency=Urgency.IMMINENT)[0].zips_without > 0


def test_two_teams_that_fit_equally_are_counted_as_tied() -> None:
    (share,) = _shares(lead("one", ARIZONA), lead("two", ARIZONA))
    assert share.zips_tied == pytest.approx(share.zips)
    assert share.zips_without == 0


def _box(area: str, west: float, east: float) -> dict[str, Any]:
    ring = [[west, 33.0], [east, 33.0], [east, 33.1], [west, 33.1], [west, 33.0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"id": area, "name": area, "state": "04", "parents": [MARICOPA], "geometry": geometry}


def test_areas_of_one_layer_overlap_only_beyond_their_precision() -> None:
    apart = Boundaries.from_json([_box("custom:a", -112.2, -112.1), _box("custom:b", -112.1001, -112.0)])
    over = Boundaries.from_json([_box("custom:a", -112.2, -112.1), _box("custom:b", -112.12, -112.0)])
    other_layer = Boundaries.from_json(
        [_box("custom:a", -112.2, -112.1), _box("district:b", -112.12, -112.0)]
    )
    assert overlaps.overlaps(apart) == overlaps.overlaps(other_layer) == ()
    (found,) = overlaps.overlaps(over)
    assert (found.area, found.other) == ("custom:a", "custom:b")
    assert found.km2 == pytest.approx(20.7, rel=0.02)


def test_lost_counties_are_named_in_their_state(session: Session, town: Town) -> None:
    assert {"county:51610", "county:51685"} <= outlines.misdrawn()
    told = gaps.report(session, snapshots.current(session, clock.now()), clock.now(), state="51")
    (found,) = (section for section in told.sections if section.title.startswith("Areas that cannot"))
    assert any("Falls Church" in gap.sentence for gap in found.gaps)


def test_a_team_that_nobody_can_reach_is_named_with_the_reason(town: Town) -> None:
    assert _section(town, "Teams that nobody") == []
    with database.transaction(town.engine) as session:
        for contact in members.reachable_contacts(session, [town.member_id("Olu")]):
            members.disable_contact(session, contact.id, reason="gone", now=clock.now())
    (sentence,) = _section(town, "Teams that nobody")
    assert sentence.startswith("Mesa Police: every contact there is switched off.")


def test_a_team_with_mail_alone_is_named_since_nothing_imminent_reaches_it(town: Town) -> None:
    with database.transaction(town.engine) as session:
        for contact in members.reachable_contacts(session, [town.member_id("Olu")]):
            if contact.channel == members.Channel.SMS:
                members.disable_contact(session, contact.id, reason="gone", now=clock.now())
        assert members.reachable_contacts(session, [town.member_id("Olu")])
    (sentence,) = _section(town, "Teams that nobody")
    assert sentence.startswith("Mesa Police: nobody there has a telephone")


def test_an_area_without_outline_and_zips_is_named(session: Session) -> None:
    nowhere = {"id": "custom:nowhere", "name": "Nowhere", "parents": [MARICOPA]}
    there = Boundaries(map(Area.from_json, (_box("custom:there", -112.2, -112.1), nowhere)))
    told = gaps.report(session, Snapshot(rule_set(), there, "", ""), MORNING, state="04", urgencies=())
    (found,) = (section for section in told.sections if section.title.startswith("Areas that cannot"))
    (gap,) = found.gaps
    assert gap.sentence == "Nowhere, AZ (custom:nowhere) has neither an outline nor ZIPs."


def _publish(town: Town, *more: dict[str, Any]) -> None:
    with database.transaction(town.engine) as session:
        rules = snapshots.current(session, clock.now()).rules.as_json()
        rules["rules"] = [*rules["rules"], *more]
        snapshots.publish(session, areas=areas(), rules=rules, source="test", now=clock.now())


def test_a_rule_that_never_wins_and_an_agreement_that_ends_soon_are_told(town: Town) -> None:
    today = clock.now().date()
    mesa = town.team["mesa-police"]
    beaten = {"id": "beaten", "team": mesa, "role": "lead", "area": TEMPE, "priority": -1}
    agreed = {"id": "agreed", "team": mesa, "role": "lead", "area": "place:0455000", "mandate": 1}
    _publish(town, beaten, {**agreed, "valid_to": (today + timedelta(days=30)).isoformat()})
    assert _section(town, "Rules that can never win") == ["Mesa Police leads in Tempe, AZ (priority -1)."]
    (ending,) = _section(town, "Agreements")
    assert "It ends in " in ending


def test_a_rule_that_has_ended_is_told_until_it_is_taken_out(town: Town) -> None:
    ended = {"id": "ended", "team": town.team["mesa-police"], "role": "notify", "area": TEMPE}
    _publish(town, {**ended, "valid_from": "2020-01-01", "valid_to": "2021-01-01"})
    (sentence,) = _section(town, "Rules that can never win")
    assert sentence.endswith("It has ended.")


def test_an_agreement_of_next_year_is_not_told(town: Town) -> None:
    later = (clock.now().date() + timedelta(days=61 + 2)).isoformat()
    rule = {"id": "a", "team": town.team["mesa-police"], "role": "lead", "area": TEMPE, "mandate": 1}
    _publish(town, {**rule, "valid_to": later})
    assert _section(town, "Agreements") == []


def test_the_report_of_no_rules_at_all_has_a_line_for_each_urgency() -> None:
    side = Side(rule_set(), BOUNDARIES)
    assert [one.urgency for one in unled(side, MORNING, "32", tuple(Urgency))] == [
        urgency.value for urgency in Urgency
    ]


def test_every_gap_says_what_to_do(town: Town) -> None:
    with database.reading(town.engine) as session:
        snapshot: Snapshot = snapshots.current(session, clock.now())
        told = gaps.report(session, snapshot, clock.now(), state="51")
    found = [gap for section in told.sections for gap in section.gaps]
    assert found
    assert all(gap.advice.endswith(".") and gap.sentence.endswith(".") for gap in found)
