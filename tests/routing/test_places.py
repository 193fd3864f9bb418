"""What people type about a place, and what becomes of it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.facts import Evidence, PlaceKind, Relation
from routing import places
from routing.places import Fault, Reason
from tests.routing.cases import BOUNDARIES, MARICOPA, TEMPE


def read(**typed: Any) -> tuple[Evidence, ...]:
    found = places.resolve(BOUNDARIES, relation=Relation.INCIDENT, **typed)
    assert found.faults == ()
    return found.evidence


def areas(**typed: Any) -> list[tuple[str, ...]]:
    return [piece.areas for piece in read(**typed)]


@pytest.mark.parametrize(
    "words", ["Tempe, AZ", "tempe az", "Tempe, Arizona", "  TEMPE ,az. ", "Tempe AZ 85281", "Tempe"]
)
def test_a_town_is_found_however_it_is_written(words: str) -> None:
    assert areas(place=words) == [(TEMPE,)]


@pytest.mark.parametrize(
    "words", ["Lincoln High", "lincoln hs", "Lincoln H.S.", "LINCOLN HIGH SCHOOL", "Lincoln-High"]
)
def test_a_schools_name_brings_every_school_so_called(words: str) -> None:
    (piece,) = read(school=words)
    assert piece.kind is PlaceKind.SCHOOL
    assert piece.areas == ("school:demo-lincoln-mesa", "school:demo-lincoln-tucson")


def test_a_town_narrows_a_schools_name() -> None:
    assert ("school:demo-lincoln-mesa",) in areas(school="Lincoln High", place="Mesa, AZ")


def test_another_town_does_not_rule_out_the_last_school() -> None:
    assert ("school:demo-saguaro-bend",) in areas(school="Saguaro Bend", place="Phoenix, AZ")


def test_a_school_is_not_looked_for_in_another_state() -> None:
    assert read(school="Lincoln High", state="NV")[0] == Evidence(PlaceKind.UNKNOWN, Relation.INCIDENT)


@pytest.mark.parametrize(
    ("typed", "area"),
    [
        ({"place": "Maricopa County, AZ"}, MARICOPA),
        ({"county": "maricopa", "state": "AZ"}, MARICOPA),
        ({"place": "Arizona"}, "state:04"),
        ({"place": "85281"}, "zip:85281"),
        ({"place": "St. Louis, MO"}, "place:usps-MO-ST-LOUIS"),
        ({"place": "saint louis mo"}, "place:usps-MO-ST-LOUIS"),
        ({"place": "New York, New York"}, "place:usps-NY-NEW-YORK"),
        ({"place": "Charleston West Virginia"}, "place:usps-WV-CHARLESTON"),
        ({"place": "West Virginia"}, "state:54"),
        ({"place": "Washington DC"}, "place:usps-DC-WASHINGTON"),
        ({"place": "Baltimore city, MD"}, "county:24510"),
        ({"place": "Cañon City, CO"}, "place:usps-CO-CANON-CITY"),
        ({"place": "San Juan, Puerto Rico"}, "place:usps-PR-SAN-JUAN"),
        ({"place": "Carson City, NV"}, "place:usps-NV-CARSON-CITY"),
        ({"zip_code": "85281-1234"}, "zip:85281"),
    ],
)
def test_other_ways_to_name_a_place(typed: dict[str, str], area: str) -> None:
    assert areas(**typed)[0] == (area,)


def test_a_county_and_a_city_of_one_name_stay_two() -> None:
    assert areas(county="Fairfax", state="VA")[0] == ("county:51059", "county:51600")


def test_new_york_alone_may_be_the_city_or_the_state() -> None:
    assert areas(place="New York") == [("place:usps-NY-NEW-YORK", "state:36")]


def test_a_town_of_many_states_is_not_guessed() -> None:
    (piece,) = read(place="Springfield")
    assert len(piece.areas) > 20


def test_the_zip_narrows_the_town_to_its_state() -> None:
    assert ("place:usps-IL-SPRINGFIELD",) in areas(place="Springfield", zip_code="62701")


@pytest.mark.parametrize("words", ["grandma's barn", "???", "🏫", "a" * 3000])
def test_words_that_fit_nothing_leave_only_that_something_was_said(words: str) -> None:
    assert read(place=words) == (Evidence(PlaceKind.UNKNOWN, Relation.INCIDENT),)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({"zip_code": "99999"}, Fault("zip_code", Reason.UNKNOWN_ZIP)),
        ({"zip_code": "8528"}, Fault("zip_code", Reason.ZIP_FORM)),
        ({"zip_code": "85281", "state": "NV"}, Fault("zip_code", Reason.ZIP_NOT_IN_STATE)),
        ({"state": "Atlantis"}, Fault("state", Reason.UNKNOWN_STATE)),
        ({"place": "Tempe, AZ", "state": "NV"}, Fault("place", Reason.PLACE_NOT_IN_STATE)),
    ],
)
def test_a_fault_names_its_field(typed: dict[str, str], fault: Fault) -> None:
    assert places.resolve(BOUNDARIES, relation=Relation.TARGET, **typed) == places.Resolution(faults=(fault,))


def test_nothing_typed_is_no_evidence() -> None:
    assert read(place="  ") == ()


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_is_typed_is_answered(school: str, place: str, code: str, state: str) -> None:
    places.resolve(
        BOUNDARIES,
        relation=Relation.SUBJECT,
        school=school,
        place=place,
        zip_code=code,
        state=state,
        county=place,
    )


def test_reading_places_loads_no_outlines() -> None:
    code = (
        "import sys; from routing import places; from routing.boundaries import Boundaries; "
        "from referrals.facts import Relation; "
        "places.resolve(Boundaries(), relation=Relation.TARGET, place='Tempe, AZ', zip_code='85281'); "
        "sys.exit('shapely' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
