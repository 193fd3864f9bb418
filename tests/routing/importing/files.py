"""Small invented files of every kind that can be imported."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapefile
import shapely

Feature = tuple[Mapping[str, Any], Any]
# Where Tempe is, more or less, and a square of it.
WEST, SOUTH, EAST, NORTH = -111.98, 33.32, -111.89, 33.46
NAD83 = 4269
UTM_12N = 26912


def square(west: float = WEST, south: float = SOUTH, east: float = EAST, north: float = NORTH) -> Any:
    """A polygon."""
    return shapely.box(west, south, east, north)


def ring(*corners: tuple[float, float]) -> Any:
    """A polygon of these corners, however they cross."""
    return shapely.Polygon([*corners, corners[0]])


BOW_TIE = ring((-112, 33), (-111, 34), (-111, 33), (-112, 34))
ACROSS_THE_DATE_LINE = ring((179, 52), (-179, 52), (-179, 53), (179, 53))
ROUND_THE_POLE = ring((-120, 80), (0, 80), (120, 80))


def geojson(path: Path, features: Iterable[Feature], **members: Any) -> Path:
    """A FeatureCollection; a shape may be GeoJSON of one's own."""
    path.write_text(
        json.dumps(
            {"type": "FeatureCollection", "features": [_feature(*entry) for entry in features], **members}
        )
    )
    return path


def _feature(cells: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    drawn = json.loads(shapely.to_geojson(shape)) if isinstance(shape, shapely.Geometry) else shape
    return {"type": "Feature", "properties": dict(cells), "geometry": drawn}


def zipped(
    path: Path, features: Iterable[Feature], *, epsg: int | None = NAD83, stem: str = "tl/areas"
) -> Path:
    """A zipped shapefile of polygons, in the coordinates of that system."""
    parts = {ending: io.BytesIO() for ending in ("shp", "dbf", "shx")}
    rows = list(features)
    with shapefile.Writer(**parts, shapeType=shapefile.POLYGON) as writer:
        for column in rows[0][0]:
            writer.field(column, "C", 80)
        for cells, shape in rows:
            _draw(writer, turned(shape, epsg or NAD83))
            writer.record(*cells.values())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for ending, part in parts.items():
            archive.writestr(f"{stem}.{ending}", part.getvalue())
        if epsg:
            archive.writestr(f"{stem}.prj", pyproj.CRS.from_epsg(epsg).to_wkt("WKT1_ESRI"))
    return path


def _draw(writer: shapefile.Writer, shape: Any) -> None:
    if shape is None:
        writer.null()
    else:
        writer.shape(shapely.geometry.mapping(shape))


def turned(shape: Any, epsg: int) -> Any:
    """A shape in WGS 84, in another system."""
    if shape is None:
        return None
    transformer = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    return shapely.transform(shape, lambda at: np.column_stack(transformer.transform(*at.T)))


def geopackage(path: Path, features: Iterable[Feature], *, epsg: int = NAD83, layer: str = "areas") -> Path:
    """A GeoPackage with one layer; a shape may be bytes of one's own."""
    rows = list(features)
    columns = ", ".join(f'"{name}" TEXT' for name in rows[0][0])
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT, "
            "organization_coordsys_id INTEGER, definition TEXT, description TEXT);"
            "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, "
            "srs_id INTEGER, z INTEGER, m INTEGER);"
            f'CREATE TABLE "{layer}" (fid INTEGER PRIMARY KEY, geom BLOB, {columns});'
        )
        database.execute("INSERT INTO gpkg_spatial_ref_sys VALUES ('', ?, 'EPSG', ?, '', '')", (epsg, epsg))
        database.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POLYGON', ?, 0, 0)", (layer, epsg)
        )
        marks = ", ".join("?" * (len(rows[0][0]) + 1))
        for cells, shape in rows:
            database.execute(
                f'INSERT INTO "{layer}" VALUES (NULL, {marks})',  # noqa: S608  # our own names
                (_packed(shape, epsg), *cells.values()),
            )
        database.commit()
    return path


def _packed(shape: Any, epsg: int) -> Any:
    if not isinstance(shape, shapely.Geometry):
        return shape
    flags = b"\x03"  # little endian, with an envelope of four numbers
    return (
        b"GP\x00"
        + flags
        + epsg.to_bytes(4, "little")
        + bytes(32)
        + shapely.to_wkb(turned(shape, epsg) if epsg else shape)
    )


def table(path: Path, *rows: str) -> Path:
    """A CSV of these lines."""
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
