"""The drawings of the country and of a state are the real outlines: whole, in proportion, in their place."""

from __future__ import annotations

import pytest
import shapely

from routing import drawing, gazetteer, maps, outlines, shapes
from tests.routing import drawn


def test_every_state_and_county_is_drawn() -> None:
    nation = maps.nation()
    assert nation.states.keys() == {f"state:{code}" for code in gazetteer.load().states}
    assert nation.counties.keys() == gazetteer.load().counties.keys()
    assert all(outline.d for outline in (*nation.states.values(), *nation.counties.values()))


def test_nothing_is_cut_off() -> None:
    nation = maps.nation()
    corners = [at for outline in nation.states.values() for ring in drawn.rings(outline.d) for at in ring]
    assert all(0 <= x <= nation.width and 0 <= y <= nation.height for x, y in corners)


def test_states_are_as_large_as_they_are() -> None:
    texas, colorado = (drawn.area(maps.nation().states[f"state:{code}"].d).area for code in ("48", "08"))
    # 695,660 and 269,600 square kilometres.
    assert texas / colorado == pytest.approx(2.58, rel=0.03)


def test_the_counties_fill_their_state() -> None:
    georgia = maps.state("13")
    parts = [drawn.area(outline.d) for outline in georgia.counties.values()]
    whole = drawn.area(georgia.states["state:13"].d)
    assert len(parts) == 159
    assert sum(part.area for part in parts) == pytest.approx(whole.area, rel=0.01)
    assert shapely.union_all(parts).difference(whole.buffer(1.5)).area < 1


def test_a_label_stands_inside_its_county() -> None:
    for area, outline in maps.state("04").counties.items():
        assert outline.room is not None
        spot = shapely.Point(outline.room.x, outline.room.y).buffer(outline.room.radius * 0.9)
        assert drawn.area(outline.d).covers(spot), area


def test_islands_beyond_the_date_line_lie_west_of_alaska() -> None:
    alaska = maps.state("02").counties
    corners = [at for ring in drawn.rings(alaska["county:02016"].d) for at in ring]
    anchorage = alaska["county:02020"].room
    assert anchorage is not None
    assert max(x for x, _ in corners) < anchorage.x


def test_a_county_whose_outline_was_lost_is_still_seen() -> None:
    virginia = maps.state("51").counties
    assert all(virginia[area].d for area in outlines.misdrawn())
    assert outlines.misdrawn() < virginia.keys()


def test_what_is_no_state_has_no_map() -> None:
    with pytest.raises(KeyError):
        maps.state("03")


def test_a_path_is_short_and_exact() -> None:
    square = shapely.Polygon([(0.04, 0), (10.51, 0), (10.5, 0.5), (0, 0.5), (0.04, 0)])
    assert drawing.path(square) == "M0 0l10.5 0 0 .5-10.5 0z"
    assert drawing.path(shapely.box(0, 0, 0.01, 0.01)) == ""
    assert drawing.path(shapely.LineString([(1, 1), (0.5, 2)])) == "M1 1l-.5 1"


def test_states_are_the_unions_of_their_counties() -> None:
    delaware = [shape for area, shape in shapes.counties().items() if area.startswith("county:10")]
    assert shapes.states()["state:10"].area == pytest.approx(sum(shape.area for shape in delaware))
