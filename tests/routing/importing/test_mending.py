"""Outlines from elsewhere are repaired and it is said, or refused with the reason."""

from __future__ import annotations

import pytest
import shapely

from routing.importing.mending import mend
from tests.routing.importing.files import ACROSS_THE_DATE_LINE, BOW_TIE, ROUND_THE_POLE, ring, square


def test_a_sound_outline_stays_as_it_is() -> None:
    assert mend(square()).shape.equals(square())
    assert mend(square()).notes == ()


def test_a_self_crossing_is_repaired_and_said() -> None:
    mended = mend(BOW_TIE)
    assert mended.shape.is_valid
    assert mended.shape.area == pytest.approx(0.5)
    assert mended.notes == ("the outline was repaired (Self-intersection near -111.5 33.5)",)


def test_what_crosses_the_date_line_is_cut_there_and_said() -> None:
    mended = mend(ACROSS_THE_DATE_LINE)
    assert mended.shape.area == pytest.approx(2)
    assert shapely.contains_xy(mended.shape, [179.5, -179.5, 0], 52.5).tolist() == [True, True, False]
    assert "180th meridian" in mended.notes[0]


def test_a_hole_stays_a_hole_on_both_sides_of_the_date_line() -> None:
    outer = ACROSS_THE_DATE_LINE.exterior
    hole = ring((-179.6, 52.4), (-179.4, 52.4), (-179.4, 52.6), (-179.6, 52.6)).exterior
    mended = mend(shapely.Polygon(outer, [hole]))
    assert shapely.contains_xy(mended.shape, [-179.5, -179.2], 52.5).tolist() == [False, True]


def test_height_is_dropped() -> None:
    assert not mend(shapely.Point(-111, 33, 400)).shape.has_z


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (None, "empty"),
        (shapely.Polygon(), "empty"),
        (shapely.LineString([(-111, 33), (-112, 33)]), "a polygon or a point is needed"),
        (ring((-111, 33), (-112, 33), (-113, 33)), "encloses nothing"),
        (ring((33, -111), (34, -111), (34, -112)), "latitude and longitude look swapped"),
        (ring((500_000, 3_600_000), (600_000, 3_600_000), (600_000, 3_700_000)), "nowhere on Earth"),
        (ring((0, 80), (10, 80), (10, 90)), "touches a pole"),
        (ROUND_THE_POLE, "round a pole"),
        (ring((-120, 80), (0, 70), (120, 80)), "round a pole"),
        (shapely.Point(float("nan"), 33), "empty|no number"),
        (ring((-111, 33), (-112, float("inf")), (-112, 34)), "no number"),
    ],
)
def test_what_cannot_be_trusted_is_refused(shape: shapely.Geometry | None, told: str) -> None:
    mended = mend(shape)
    assert mended.shape is None
    assert any(part in mended.fault for part in told.split("|"))
