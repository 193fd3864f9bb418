"""Reading: one door for every kind of file."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from routing.importing.apart import Limits, read_apart
from routing.importing.rows import Opened
from routing.importing.tables_csv import open_table

_TABLES = {".csv", ".txt", ".tsv"}
# What can be read, by its ending, in words.
KINDS = {
    ".csv": "CSV",
    ".txt": "CSV",
    ".tsv": "CSV",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".gpkg": "GeoPackage",
    ".zip": "zipped shapefile",
}


def open_file(
    path: Path, limits: Limits, *, layer: str = "", encoding: str = ""
) -> AbstractContextManager[Opened]:
    """The rows of a file by its ending. `layer` chooses among several in one file. Raises ReadingFault, also while
    rows are read."""
    if path.suffix.lower() in _TABLES:
        return open_table(path, encoding)
    return read_apart(path, limits, layer, encoding)
