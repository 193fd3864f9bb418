"""The tables of the map: what they hold, where they come from, what they must never hold."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

import pytest

from routing import gazetteer, outlines
from routing.areas import Area, AreaFault
from routing.boundaries import Boundaries
from tests.routing.cases import BOUNDARIES

KNOWN = gazetteer.load()


def test_every_table_is_the_one_whose_provenance_is_recorded() -> None:
    described = json.loads((gazetteer.DATA / "PROVENANCE.json").read_text())
    tables = {path.name for path in gazetteer.DATA.glob("*.csv*")}
    assert tables == set(described["files"])
    for name, recorded in described["files"].items():
        assert hashlib.sha256((gazetteer.DATA / name).read_bytes()).hexdigest() == recorded
    assert all(source["licence"] and source["vintage"] for source in described["sources"])


def test_the_whole_country_is_there() -> None:
    assert (len(KNOWN.states), len(KNOWN.counties)) == (56, 3233)
    assert Counter(area[7:9] for area in KNOWN.counties)["04"] == 15


def test_counties_have_their_legal_names() -> None:
    names = {KNOWN.counties[f"county:{code}"] for code in ("51059", "51600", "22033", "09110", "02063")}
    expected = {"Fairfax County", "Fairfax city", "East Baton Rouge Parish", "Capitol Planning Region"}
    assert names == expected | {"Chugach Census Area"}


def test_shares_of_a_zip_add_up() -> None:
    entries = [entry for code in KNOWN.zip_codes if (entry := KNOWN.zip(code)) and entry.shares]
    assert len(entries) > 39_000
    assert all(abs(sum(share for _, share in entry.shares) - 1) < 0.01 for entry in entries)
    assert {county for entry in entries for county, _ in entry.shares} <= KNOWN.counties.keys()


def test_american_samoa_has_its_right_code() -> None:
    entry = KNOWN.zip("96799")
    assert entry is not None
    assert entry.shares == (("county:60010", 1.0),)


def test_codes_that_ended_are_gone_and_lead_on() -> None:
    assert not KNOWN.changes.keys() & KNOWN.counties.keys()
    successors = {area for change in KNOWN.changes.values() for area in change.successors}
    assert successors <= KNOWN.counties.keys()


def test_the_counties_that_the_map_draws_wrong_are_marked() -> None:
    assert outlines.misdrawn() == {"county:51610", "county:51685"}


def test_a_set_of_areas_is_named_by_its_content() -> None:
    from routing.demonstration import areas

    assert Boundaries.from_json(areas()).digest == Boundaries.from_json(areas()[::-1]).digest
    assert Boundaries.from_json(areas()[:-1]).digest != Boundaries.from_json(areas()).digest


def test_an_areas_state_is_the_one_that_holds_all_of_it() -> None:
    assert BOUNDARIES.state_of("school:demo-lincoln-mesa") == "04"
    assert BOUNDARIES.state_of("nation:us") == ""


@pytest.mark.parametrize(
    "area",
    [
        {"id": "place:5127200", "name": "Falls Church", "parents": ["state:51"]},
        {"id": "school:x", "name": "X", "parents": ["place:nowhere"]},
        {"id": "school:x", "name": "X", "state": "99"},
        {"id": "place:x", "name": "X", "zips": {"99999": 1.0}},
        {"id": "place:x", "name": "X", "zips": {"85281": 1.5}},
        {"id": "planet:x", "name": "X"},
        {"id": "school:x", "name": ""},
        {"id": "school:x", "name": "X", "religion": "any"},
        {"id": "place:x", "name": "X", "geometry": {"type": "LineString", "coordinates": []}},
        {"id": "school:x", "name": "X", "valid_from": "2026-07-01", "valid_to": "2026-07-01"},
        {"id": "school:x", "name": "X", "valid_from": "next July"},
        {"id": "school:x", "name": "X", "relations": [["swallowed", "school:y", "2026-07-01"]]},
        {"id": "school:x", "name": "X", "parents": ["county:09001"]},
        {"id": "school:x", "name": "X", "state": "32", "zips": {"85281": 1.0}},
        {"id": "place:x", "name": "X", "zips": {"85281": 1.0}, "parents": ["place:x"]},
    ],
)
def test_an_area_that_could_not_be_found_or_understood_is_refused(area: dict[str, object]) -> None:
    with pytest.raises(AreaFault):
        Boundaries.from_json([area])


def test_a_shape_that_crosses_itself_is_repaired() -> None:
    bow = [[-111.0, 33.0], [-110.0, 34.0], [-110.0, 33.0], [-111.0, 34.0], [-111.0, 33.0]]
    shape = {"type": "Polygon", "coordinates": [bow]}
    drawn = Boundaries.from_json([{"id": "custom:bow", "name": "Bow", "geometry": shape}])
    assert any(near.area == "custom:bow" for near in drawn.outlines.at(33.5, -110.9, 0))


BOX = [[-111.9, 33.4], [-111.8, 33.4], [-111.8, 33.5], [-111.9, 33.5], [-111.9, 33.4]]
SWAPPED = [[south, west] for west, south in BOX]
FLAT = [[-111.9, 33.4], [-111.8, 33.4], [-111.9, 33.4], [-111.9, 33.4]]
POLAR = [[-180, 89], [180, 89], [180, 90], [-180, 90], [-180, 89]]
# Round the pole without touching it: no shape on a map.
AROUND = [[-170, 80], [-60, 80], [60, 80], [170, 80], [-170, 80]]


def drawn(ring: Sequence[Sequence[object]], **more: object) -> dict[str, object]:
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"id": "custom:x", "name": "X", "geometry": shape, **more}


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        (SWAPPED, "look swapped"),
        (FLAT, "encloses nothing"),
        (BOX[:-1], "not closed"),
        ([], "empty|cannot be read"),
        ([[-111.9, 33.4]], "cannot be read"),
        ([["a", "b"]], "cannot be read"),
        (POLAR, "pole"),
        (AROUND, "pole"),
    ],
)
def test_an_outline_that_cannot_be_used_is_refused_with_the_reason(
    ring: Sequence[Sequence[object]], reason: str
) -> None:
    with pytest.raises(AreaFault, match=f"custom:x: .*({reason})"):
        Area.from_json(drawn(ring))


def test_an_outline_that_lies_on_earth_but_not_in_its_state_is_refused() -> None:
    # Tampa's latitude and longitude the wrong way round lie in the sea off Antarctica.
    swapped = [[27.9, -82.5], [28.0, -82.5], [28.0, -82.4], [27.9, -82.5]]
    with pytest.raises(AreaFault, match=r"custom:x lies nowhere near Florida: .* swapped"):
        Boundaries.from_json([drawn(swapped, state="12")])
    with pytest.raises(AreaFault, match="custom:x lies nowhere near Florida: look"):
        Boundaries.from_json([drawn(BOX, state="12")])


def test_what_was_repaired_is_said_with_the_area() -> None:
    bow = [[-111.0, 33.0], [-110.0, 34.0], [-110.0, 33.0], [-111.0, 34.0], [-111.0, 33.0]]
    (note,) = Area.from_json(drawn(bow)).notes
    assert "repaired (Self-intersection near -110.5 33.5)" in note


@pytest.mark.parametrize("longitude", [179.9, -179.9, 180.0, -180.0])
def test_an_outline_across_the_date_line_holds_the_aleutians_on_both_sides(longitude: float) -> None:
    across = [[179, 51], [-179, 51], [-179, 52], [179, 52], [179, 51]]
    (near,) = (
        near
        for near in Boundaries.from_json([drawn(across, state="02")]).outlines.at(51.5, longitude, 10)
        if near.area == "custom:x"
    )
    # Where it was cut there is no line.
    assert near.certain


def test_a_line_on_the_other_side_of_the_date_line_is_near() -> None:
    east = [[179.0, 51.0], [179.9999, 51.0], [179.9999, 52.0], [179.0, 52.0], [179.0, 51.0]]
    near = Boundaries.from_json([drawn(east)]).outlines.at(51.5, -179.9999, 50)
    assert [(entry.area, entry.inside) for entry in near if entry.area == "custom:x"] == [("custom:x", False)]
