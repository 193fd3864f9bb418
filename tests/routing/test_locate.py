"""Evidence becomes hits, with what is sure and what is not."""

from __future__ import annotations

import pytest

from referrals.facts import Evidence, PlaceKind, Relation
from routing.locate import Confidence, DoubtKind, Hit, Located, locate
from tests.routing.cases import ARIZONA, BOUNDARIES, MARICOPA, MESA, TEMPE, named, point


def found(*evidence: Evidence) -> dict[str, Hit]:
    return {hit.area: hit for hit in located(*evidence).hits}


def located(*evidence: Evidence) -> Located:
    return locate(evidence, BOUNDARIES, 0.9)


def test_a_named_school_is_asserted_with_all_that_holds_it() -> None:
    hits = found(named("school:demo-saguaro-bend"))
    assert {hits[area].confidence for area in (TEMPE, MARICOPA, ARIZONA, "nation:us")} == {
        Confidence.ASSERTED
    }


def test_a_point_well_inside_is_certain() -> None:
    assert found(point(33.40, -111.93))[TEMPE].confidence is Confidence.INSIDE


def test_a_point_on_the_line_hits_both_sides() -> None:
    hits = found(point(33.40, -111.89, 0.0))
    assert {hits[TEMPE].confidence, hits[MESA].confidence} == {Confidence.BORDER}
    assert hits[TEMPE].distance_m == 0.0


def test_near_a_city_line_the_county_stays_certain() -> None:
    assert found(point(33.40, -111.8904, 60))[MARICOPA].confidence is Confidence.INSIDE


def test_the_distance_to_a_line_is_in_metres() -> None:
    # One thousandth of a degree of longitude at 33.4 degrees north is 93.0 m.
    distance = found(point(33.40, -111.891, 500))[TEMPE].distance_m
    assert distance == pytest.approx(93.0, abs=0.3)


def test_far_in_the_north_a_degree_of_longitude_is_short() -> None:
    from routing.lines import metres_per_degree

    along, across = metres_per_degree(70.0)
    assert [along, across] == pytest.approx([38_188, 111_562], abs=5)


@pytest.mark.parametrize(
    ("name", "latitude", "longitude", "county"),
    [
        ("Falls Church", 38.8823, -77.1711, "county:51610"),
        ("Manassas Park", 38.7726, -77.4430, "county:51685"),
        ("Marble Hill", 40.8762, -73.9110, "county:36061"),
    ],
)
def test_where_the_map_is_wrong_nothing_is_certain(
    name: str, latitude: float, longitude: float, county: str
) -> None:
    hits = found(point(latitude, longitude))
    counties = [hit for area, hit in hits.items() if area.startswith("county:")]
    assert county in hits
    assert len(counties) > 1
    assert {hit.confidence for hit in counties} == {Confidence.BORDER}


def test_what_all_candidates_have_in_common_is_certain() -> None:
    hits = found(named("school:demo-lincoln-mesa", Relation.INCIDENT, "school:demo-lincoln-tucson"))
    assert hits[ARIZONA].confidence is Confidence.ASSERTED
    assert hits[MARICOPA].confidence is Confidence.BORDER


def test_a_zip_has_its_counties_shares_and_their_sum_for_the_state() -> None:
    hits = found(named("zip:22030"))
    assert (hits["county:51059"].share, hits["county:51600"].share) == (0.6043, 0.3957)
    assert hits["state:51"].share == 1.0


def test_a_shared_zip_leaves_a_doubt_between_its_counties() -> None:
    (doubt,) = located(named("zip:22030")).doubts
    assert doubt.kind is DoubtKind.SHARE
    assert [option.area for option in doubt.options] == ["county:51059", "county:51600"]


def test_a_postal_city_over_several_counties_proves_none_of_them() -> None:
    assert found(named("place:usps-TX-HOUSTON"))["county:48201"].share < 0.9


@pytest.mark.parametrize(
    ("old", "new"),
    [("county:51515", "county:51019"), ("county:46113", "county:46102"), ("county:09007", "county:09130")],
)
def test_a_code_that_ended_finds_its_successor(old: str, new: str) -> None:
    assert found(named(old))[new].confidence is Confidence.ASSERTED


def test_a_code_that_was_split_leaves_a_choice_of_its_parts() -> None:
    hits = found(named("county:02261"))
    assert hits["county:02063"].confidence is hits["county:02066"].confidence is Confidence.BORDER
    assert hits["state:02"].confidence is Confidence.ASSERTED


@pytest.mark.parametrize(("latitude", "longitude"), [(-111.9, 33.4), (91, 0), (33.4, 511.0), (0.0, 0.0)])
def test_a_point_nowhere_finds_nothing(latitude: float, longitude: float) -> None:
    assert found(point(latitude, longitude)) == {}


@pytest.mark.parametrize("accuracy_m", [60_000, 1e9, float("inf"), float("nan")])
def test_a_fix_too_coarse_to_use_finds_nothing(accuracy_m: float) -> None:
    assert found(point(33.4, -111.93, accuracy_m)) == {}


def test_a_coarse_fix_leaves_every_county_around_open() -> None:
    hits = found(point(33.4, -111.93, 40_000))
    assert hits[MARICOPA].confidence is hits["county:04021"].confidence is Confidence.BORDER
    assert hits[ARIZONA].confidence is Confidence.INSIDE


def test_words_that_fit_nothing_find_nothing() -> None:
    assert found(Evidence(PlaceKind.UNKNOWN, Relation.TARGET), named("county:99999")) == {}


def test_an_id_that_is_no_text_finds_nothing() -> None:
    assert found(named("school:\ud800")) == {}
