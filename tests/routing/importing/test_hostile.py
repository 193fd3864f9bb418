"""A file is hostile input: read apart from the keys, and never at any price."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from routing.importing import zipped
from routing.importing.apart import OF_A_PAGE, read_apart
from routing.importing.drawn import open_drawn
from routing.importing.rows import ReadingFault
from tests.routing.importing import files
from tests.routing.importing.files import BOW_TIE, square

TEMPE = ({"GEOID": "0473000", "NAME": "Tempe"}, square())


def test_a_child_reads_what_is_sound(tmp_path: Path) -> None:
    path = files.geojson(tmp_path / "a.geojson", [TEMPE, ({"GEOID": "1"}, BOW_TIE)])
    with read_apart(path, OF_A_PAGE) as opened:
        found = list(opened.rows)
    assert [(row.number, row.values["GEOID"], bool(row.notes)) for row in found] == [
        (1, "0473000", False),
        (2, "1", True),
    ]


def test_the_child_gets_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A module path that would break the child, beside which a secret could stand.
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with read_apart(files.geojson(tmp_path / "a.geojson", [TEMPE]), OF_A_PAGE) as opened:
        assert opened.count == 1


def test_what_the_child_refuses_is_said_here(tmp_path: Path) -> None:
    with (
        pytest.raises(ReadingFault, match=r"no \.prj file"),
        read_apart(files.zipped(tmp_path / "a.zip", [TEMPE], epsg=None), OF_A_PAGE),
    ):
        pass


@pytest.mark.parametrize("limits", [replace(OF_A_PAGE, memory=64 * 1024**2), replace(OF_A_PAGE, seconds=0)])
def test_a_child_that_needs_too_much_is_ended(tmp_path: Path, limits: object) -> None:
    with (
        pytest.raises(ReadingFault, match=r"more time or memory|could not be read"),
        read_apart(files.geojson(tmp_path / "a.geojson", [TEMPE]), limits),  # type: ignore[arg-type]
    ):
        pass


def test_a_broken_table_of_a_shapefile_is_a_sentence(tmp_path: Path) -> None:
    path = files.zipped(tmp_path / "a.zip", [TEMPE])
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:10] if name.endswith(".dbf") else content)
    with pytest.raises(ReadingFault, match="broken"), read_apart(path, OF_A_PAGE) as opened:
        list(opened.rows)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = files.zipped(tmp_path / "a.zip", [TEMPE], stem="areas")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.shp", bytes(20_000_000))
        archive.writestr("bomb.dbf", bytes(10))
        archive.writestr("bomb.prj", archive.read("areas.prj"))
    with pytest.raises(ReadingFault, match="more than is reasonable"):
        open_drawn(path, "bomb")


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    path = files.zipped(tmp_path / "a.zip", [TEMPE], stem="areas")
    content = bytearray(path.read_bytes())
    # The size of the first member, in the directory at the end: 100 bytes instead of what is in it.
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"areas.shp"))
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    path.write_bytes(content)
    with pytest.raises(ReadingFault):
        list(open_drawn(path).rows)


def test_no_path_of_an_archive_is_used(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (row,) = open_drawn(files.zipped(inside / "a.zip", [TEMPE], stem="../../escaped")).rows
    assert row.values["NAME"] == "Tempe"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "inside"]


def test_a_view_of_a_geopackage_is_not_run(tmp_path: Path) -> None:
    import sqlite3

    path = files.geopackage(tmp_path / "a.gpkg", [TEMPE])
    with sqlite3.connect(path) as database:
        database.execute("CREATE VIEW trap AS SELECT * FROM areas")
        database.execute("INSERT INTO gpkg_geometry_columns VALUES ('trap', 'geom', 'POLYGON', 4269, 0, 0)")
    with pytest.raises(ReadingFault, match="The file holds areas"):
        open_drawn(path, "trap")


def test_the_largest_that_is_unpacked_is_not_much_more_than_what_is_published() -> None:
    assert zipped.LARGEST <= 2 * 1024**3
