"""Shapefiles, as they are published: the files of one in a zip archive.

Nothing is extracted to a path that the archive names, and nothing is unpacked that is far larger than it says or should
be.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import shapefile
import shapely

from routing.importing.layers import Feature, Layer, crs_named, shape_from, the_one
from routing.importing.rows import ReadingFault

# All school districts of the country, the largest published file, are 0.4 GB unpacked.
LARGEST = 2 * 1024**3
# Outlines pack two to one, tables of padded names twenty to one; a thousand to one is a bomb.
_DENSEST = 200
_NO_PROJECTION = "The archive has no .prj file: nobody knows in which coordinate system its outlines are"


def read(path: Path, layer: str, encoding: str) -> Layer:
    """The features of the one shapefile in the archive, or of the one named `layer`. Raises ReadingFault."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, layer)
            crs = crs_named(_written(archive, members.get(".prj")), _NO_PROJECTION)
            reader = shapefile.Reader(
                shp=_unpacked(archive, members[".shp"]),
                dbf=_unpacked(archive, members[".dbf"]),
                encoding=encoding or _written(archive, members.get(".cpg")) or "utf-8",
            )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise ReadingFault("The archive is broken or locked") from None
    columns = tuple(field[0] for field in reader.fields[1:])
    return Layer(columns, reader.numRecords or 0, crs, _features(reader))


def _members(archive: zipfile.ZipFile, layer: str) -> dict[str, zipfile.ZipInfo]:
    """The files of the one shapefile, by ending. Their names are compared, never used as paths."""
    inside = {PurePosixPath(info.filename): info for info in archive.infolist() if not info.is_dir()}
    stems = [str(name.with_suffix("")) for name in inside if name.suffix.lower() == ".shp"]
    stem = the_one(sorted(stems), layer, "shapefile")
    beside = {name.suffix.lower(): info for name, info in inside.items() if str(name.with_suffix("")) == stem}
    if ".dbf" not in beside:
        raise ReadingFault("The archive has no .dbf file: its outlines have no names")
    return beside


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """A member as an unnamed file. zipfile itself never gives more than the size that was checked here."""
    if member.file_size > min(LARGEST, _DENSEST * max(member.compress_size, 1024)):
        raise ReadingFault("The archive unpacks to more than is reasonable; it was not opened")
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the reader closes it
    with archive.open(member) as packed:
        shutil.copyfileobj(packed, file)
    file.seek(0)
    return file


def _written(archive: zipfile.ZipFile, member: zipfile.ZipInfo | None) -> str:
    """What a small member says; "" where there is none."""
    if member is None:
        return ""
    with _unpacked(archive, member) as file:
        return file.read(20_000).decode("utf-8", "replace").strip()


def _features(reader: shapefile.Reader) -> Iterator[Feature]:
    with reader:
        for found in reader.iterShapeRecords():
            yield found.record.as_dict(), _shape(found.shape)


def _shape(shape: Any) -> Any:
    if shape.shapeType == shapefile.NULL:
        return None
    return shape_from(lambda given: shapely.geometry.shape(given.__geo_interface__), shape)
