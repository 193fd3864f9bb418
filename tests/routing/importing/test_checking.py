"""Each row becomes an area, or says all that is wrong with it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import shapely

from routing import demonstration
from routing.boundaries import Boundaries
from routing.importing.checking import Checked, Checker
from routing.importing.mapping import AreaMapping
from routing.importing.rows import Row
from tests.routing.importing.files import square

MAPPING = AreaMapping.from_toml(
    """
    id = "{id}"
    name = "{name}"
    aliases = "{also}"
    state = "{state}"
    zips = "{zips}"
    parents = "{parents}"
    parents_if_known = "district:{district}"
    latitude = "{lat}"
    longitude = "{lon}"
    outline = "{wkt}"
    precision_m = "{precision}"
    valid_from = "{since}"
    valid_to = "{until}"
    """
)


@cache
def boundaries() -> Boundaries:
    return Boundaries.from_json(demonstration.areas())


def checked(layer: str = "school", shape: Any = None, **cells: str) -> Checked:
    values = dict.fromkeys(MAPPING.columns, "") | {"id": "1", "name": "Ocotillo"} | cells
    wkb = shapely.to_wkb(shape) if shape is not None else None
    return Checker(MAPPING, layer, boundaries()).check(Row(7, values, wkb))


def told(layer: str = "school", shape: Any = None, **cells: str) -> str:
    return "; ".join(map(str, checked(layer, shape, **cells).faults))


def test_a_plain_row_is_an_area() -> None:
    assert checked(also="OES; Ocotillo; Little O").entry == {
        "id": "school:1",
        "name": "Ocotillo",
        "aliases": ["OES", "Little O"],
        "precision_m": 50.0,
    }


@pytest.mark.parametrize("written", ["04", "AZ", "az", "Arizona"])
def test_a_state_may_be_written_in_any_way(written: str) -> None:
    assert checked(state=written).entry["state"] == "04"


def test_a_point_says_what_holds_it() -> None:
    assert checked(lat="33.40", lon="-111.93").entry["parents"] == {"county:04013": 1.0, "place:0473000": 1.0}


def test_a_point_near_a_line_belongs_to_nobody_alone() -> None:
    parents = checked(lat="33.40", lon="-111.8901", precision="60").entry["parents"]
    assert parents == {"county:04013": 1.0, "place:0446000": 0.5, "place:0473000": 0.5}


@pytest.mark.parametrize(("precision", "places"), [("50", {"place:0473000": 1.0}), ("200", None)])
def test_a_point_that_is_less_exact_than_the_line_is_near_belongs_to_nobody_alone(
    precision: str, places: dict[str, float] | None
) -> None:
    # 150 metres from the line between Tempe and Mesa.
    parents = checked(lat="33.40", lon="-111.89161", precision=precision).entry["parents"]
    assert parents == {"county:04013": 1.0} | (places or {"place:0446000": 0.5, "place:0473000": 0.5})


def test_what_a_column_says_counts_more_than_the_point() -> None:
    parents = checked(lat="33.40", lon="-111.93", parents="place:0446000").entry["parents"]
    assert parents == {"county:04013": 1.0, "place:0446000": 1.0}


def test_an_outline_lies_in_the_counties_under_it() -> None:
    entry = checked("place", square(-112.0, 33.0, -111.5, 33.4)).entry
    assert set(entry["parents"]) == {"county:04013", "county:04021"}
    assert sum(entry["parents"].values()) == pytest.approx(1, abs=0.03)


def test_a_small_outline_is_found_like_a_point() -> None:
    entry = checked("campus", square(-111.94, 33.41, -111.93, 33.42)).entry
    assert entry["parents"] == {"county:04013": 1.0, "place:0473000": 1.0}
    assert entry["state"] == "04"


def test_a_district_that_is_not_there_yet_is_left_out_where_the_mapping_allows_it() -> None:
    assert checked(district="nces-1").faults == []


def test_a_parent_may_come_with_a_later_row() -> None:
    assert checked(parents="district:new").owed == ["district:new"]


def test_an_outline_may_be_a_column() -> None:
    found = checked("custom", wkt=square().wkt)
    assert found.shape.equals(square())


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"id": ""}, "the id is missing"),
        ({"id": "a b"}, "only letters, digits"),
        ({"name": ""}, "the name is missing"),
        ({"name": "x" * 201}, "at most 200 signs"),
        ({"name": "a\u202eb"}, "no invisible signs"),
        ({"state": "ZZ"}, "ZZ: there is no such state"),
        ({"zips": "99999"}, "99999: this ZIP is not in use"),
        ({"zips": "85281", "state": "NV"}, "85281: this ZIP does not lie in Nevada"),
        ({"zips": "85281:1.2"}, "at most 1"),
        ({"parents": "county:09001"}, "it has ended; in its place: county:09120"),
        ({"parents": "county:06037", "state": "AZ"}, "it does not lie in Arizona"),
        ({"lat": "-111.93", "lon": "33.40"}, "lat, lon -111.93, 33.40: latitude and longitude look swapped"),
        ({"lat": "71.3", "lon": "51.9", "state": "AK"}, "it lies outside Alaska"),
        ({"lat": "13.44", "lon": "144.79", "state": "AZ"}, "it lies outside Arizona"),
        ({"lat": "33.40", "lon": "111.93"}, "lack its minus sign"),
        ({"lat": "33.40", "lon": ""}, "must be a number"),
        ({"lat": "nan", "lon": "-111"}, "no number"),
        ({"lat": "0", "lon": "0"}, "it lies in no county"),
        ({"precision": "-1"}, "more than 0"),
        ({"since": "31.3.2026"}, "a day is written 2026-03-31"),
        ({"since": "2026-03-31", "until": "2026-03-30"}, "ends before it begins"),
        ({"since": "2026-03-31", "until": "2026-03-31"}, "ends before it begins"),
        ({"wkt": "POLYGON ((1 2"}, "no WKT"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(cells: dict[str, str], reason: str) -> None:
    assert told(**cells).startswith("row 7")
    assert reason in told(**cells)


def test_swapped_outlines_are_noticed_against_the_outline_of_their_state() -> None:
    turned = shapely.transform(square(-80.5, 35.0, -80.4, 35.1), lambda at: at[:, ::-1])
    assert "look swapped" in told("custom", turned, state="NC")


def test_an_area_that_nothing_could_find_is_refused() -> None:
    assert "neither an outline nor ZIPs" in told("place", state="AZ")
    assert told("place", state="AZ", zips="85281 85282:0.4") == ""


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(checked(name="", state="ZZ", zips="99999", precision="x").faults) == 4


def test_values_are_plain_json() -> None:
    entry = checked(lat="33.40", lon="-111.93", state="AZ", zips="85281").entry
    assert json.loads(json.dumps(entry)) == entry
