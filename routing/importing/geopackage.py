"""GeoPackage: a SQLite file whose tables the standard names (OGC 12-128, clause 2.1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import shapely

from routing.importing.layers import UNREADABLE, Feature, Layer, crs_named, shape_from, the_one
from routing.importing.rows import ReadingFault

# How long the envelope in a geometry's head is, by its kind.
_ENVELOPES = (0, 32, 48, 48, 64)
_HEAD = 8
# The standard's two numbers for "undefined".
_UNDEFINED = {0, -1}
# Only tables: a view is a query that somebody else wrote.
_FEATURE_TABLES = (
    "SELECT g.table_name, g.column_name, g.srs_id FROM gpkg_geometry_columns g "
    "JOIN sqlite_master m ON m.name = g.table_name AND m.type = 'table'"
)
_SYSTEM = (
    "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?"
)


def read(path: Path, layer: str, _encoding: str) -> Layer:
    """The features of one layer. Raises ReadingFault."""
    try:
        with closing(_database(path)) as database:
            tables = {row[0]: row for row in database.execute(_FEATURE_TABLES)}
            table, column, system = tables[the_one(sorted(tables), layer, "layer")]
            crs = crs_named(_system(database, system), f"The layer {table} names no coordinate system")
            columns = tuple(row[1] for row in database.execute(f"PRAGMA table_info({_quoted(table)})"))
            rows = database.execute(f"SELECT count(*) FROM {_quoted(table)}")  # noqa: S608  # quoted
            count: int = rows.fetchone()[0]
    except sqlite3.DatabaseError:
        raise ReadingFault("The file is no GeoPackage, or is broken") from None
    at = columns.index(column)
    return Layer(columns[:at] + columns[at + 1 :], count, crs, _features(path, table, columns, at))


def _database(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    # The schema itself is input: no function of it runs, and broken pages are noticed.
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0"):
        database.execute(f"PRAGMA {pragma}")
    return database


def _system(database: sqlite3.Connection, named: int) -> str:
    row = database.execute(_SYSTEM, (named,)).fetchone()
    if row is None or named in _UNDEFINED:
        return ""
    return f"EPSG:{row[1]}" if str(row[0]).upper() == "EPSG" else str(row[2])


def _features(path: Path, table: str, columns: tuple[str, ...], at: int) -> Iterator[Feature]:
    with closing(_database(path)) as database:
        try:
            for row in database.execute(f"SELECT * FROM {_quoted(table)}"):  # noqa: S608  # quoted
                cells = dict(zip(columns, row, strict=True))
                yield cells, _shape(cells.pop(columns[at]))
        except sqlite3.DatabaseError:
            raise ReadingFault("The file is broken: SQLite cannot read on") from None


def _shape(written: Any) -> Any:
    """The geometry behind the standard's head: "GP", version, flags, four bytes of system, an envelope."""
    if written is None:
        return None
    if not isinstance(written, bytes) or written[:2] != b"GP" or len(written) <= _HEAD:
        return UNREADABLE
    kind = written[3] >> 1 & 7
    if kind >= len(_ENVELOPES):
        return UNREADABLE
    return shape_from(shapely.from_wkb, written[_HEAD + _ENVELOPES[kind] :])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
