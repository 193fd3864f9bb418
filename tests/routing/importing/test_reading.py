"""Every kind of file is read as the same rows, in WGS 84."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from routing.importing.drawn import open_drawn
from routing.importing.rows import ReadingFault, Row
from routing.importing.tables_csv import open_table
from tests.routing.importing import files
from tests.routing.importing.files import NAD83, UTM_12N, square

TEMPE = ({"GEOID": "0473000", "NAME": "Tempé"}, square())
DRAWN = {
    "areas.geojson": lambda path: files.geojson(path, [TEMPE]),
    "areas.gpkg": lambda path: files.geopackage(path, [TEMPE]),
    "areas.zip": lambda path: files.zipped(path, [TEMPE]),
    "metres.gpkg": lambda path: files.geopackage(path, [TEMPE], epsg=UTM_12N),
    "metres.zip": lambda path: files.zipped(path, [TEMPE], epsg=UTM_12N),
}


def rows(path: Path) -> list[Row]:
    return list(open_drawn(path).rows)


@pytest.mark.parametrize("name", DRAWN)
def test_each_kind_of_map_gives_the_same_row(tmp_path: Path, name: str) -> None:
    (row,) = rows(DRAWN[name](tmp_path / name))
    assert (row.number, row.values["GEOID"], row.values["NAME"]) == (1, "0473000", "Tempé")
    assert row.shape
    assert shapely.hausdorff_distance(shapely.from_wkb(row.shape), square()) < 1e-4


def test_the_head_says_how_many_rows_and_which_columns(tmp_path: Path) -> None:
    opened = open_drawn(files.zipped(tmp_path / "a.zip", [TEMPE, TEMPE]))
    assert (opened.count, opened.columns) == (2, ("GEOID", "NAME"))


def test_a_row_without_a_shape_is_a_row(tmp_path: Path) -> None:
    (row,) = rows(files.geojson(tmp_path / "a.geojson", [({"id": "x"}, None)]))
    assert (row.shape, row.fault) == (None, "")


def test_a_shape_that_is_rubbish_is_the_fault_of_its_row_alone(tmp_path: Path) -> None:
    path = files.geopackage(tmp_path / "a.gpkg", [({"id": "x"}, b"rubbish"), ({"id": "y"}, square())])
    assert [row.fault for row in rows(path)] == ["the shape cannot be read", ""]


def test_an_older_geojson_may_name_its_system(tmp_path: Path) -> None:
    named = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{UTM_12N}"}}
    (row,) = rows(files.geojson(tmp_path / "a.geojson", [({}, files.turned(square(), UTM_12N))], crs=named))
    assert shapely.hausdorff_distance(shapely.from_wkb(row.shape), square()) < 1e-4


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda at: files.zipped(at / "a.zip", [TEMPE], epsg=None), "no .prj file"),
        (lambda at: files.geopackage(at / "a.gpkg", [TEMPE], epsg=0), "names no coordinate system"),
        (lambda at: files.geojson(at / "a.geojson", [TEMPE], crs={"properties": {"name": "x"}}), "not known"),
        (
            lambda at: files.table(at / "a.geojson", '{"type": "FeatureCollection", "features": ['),
            "is broken",
        ),
        (lambda at: files.table(at / "a.geojson", '{"type": "Feature"}'), "no GeoJSON FeatureCollection"),
        (lambda at: files.table(at / "a.gpkg", "rubbish"), "no GeoPackage"),
        (lambda at: files.table(at / "a.zip", "rubbish"), "broken or locked"),
        (lambda at: files.table(at / "a.kml", "rubbish"), ".kml is no kind of file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, make: object, told: str) -> None:
    with pytest.raises(ReadingFault, match=told):
        rows(make(tmp_path))  # type: ignore[operator]


def test_of_several_layers_one_must_be_named(tmp_path: Path) -> None:
    path = files.geopackage(tmp_path / "a.gpkg", [TEMPE], layer="towns")
    assert list(open_drawn(path, "towns").rows)
    with pytest.raises(ReadingFault, match="The file holds towns"):
        open_drawn(path, "cities")


def test_a_table_may_be_separated_by_what_its_header_shows(tmp_path: Path) -> None:
    with open_table(files.table(tmp_path / "a.csv", "id;name", "1; Lincoln, High ")) as opened:
        assert [row.values for row in opened.rows] == [{"id": "1", "name": "Lincoln, High"}]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(tmp_path: Path) -> None:
    path = files.table(tmp_path / "a.csv", "id,name", '1,"two', 'lines"', "", "2,b")
    with open_table(path) as opened:
        assert [row.number for row in opened.rows] == [2, 4]


def test_a_row_with_too_few_cells_is_at_fault(tmp_path: Path) -> None:
    with open_table(files.table(tmp_path / "a.csv", "id,name", "1", "2,b")) as opened:
        assert [row.fault for row in opened.rows] == ["it has 1 cells where the header has 2", ""]


def test_another_encoding_is_noticed_and_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,name\n1,Peñasco\n2,Peñasco,3\n".encode("latin-1"))
    with open_table(path) as opened:
        assert [("encoding" in row.fault, row.values) for row in opened.rows] == [(True, {}), (True, {})]
    with open_table(path, "latin-1") as opened:
        assert next(iter(opened.rows)).values["name"] == "Peñasco"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("id,name", '1,"never closed'), "after row 1"),
        (("id,id", "1,2"), "same name"),
        (("",), "is empty"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused(tmp_path: Path, lines: tuple[str, ...], told: str) -> None:
    with (
        pytest.raises(ReadingFault, match=told),
        open_table(files.table(tmp_path / "a.csv", *lines)) as opened,
    ):
        list(opened.rows)


def test_a_header_in_another_encoding_is_a_sentence_that_can_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,año\n1,2\n".encode("latin-1"))
    with pytest.raises(ReadingFault, match="header is not in UTF-8"), open_table(path):
        pass


def test_nad83_is_as_good_as_wgs84_here(tmp_path: Path) -> None:
    (row,) = rows(files.zipped(tmp_path / "a.zip", [TEMPE], epsg=NAD83))
    assert row.shape
    assert shapely.from_wkb(row.shape).bounds == pytest.approx(square().bounds, abs=1e-5)
