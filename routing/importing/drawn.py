"""Drawn files of any kind: their outlines and points made valid, in WGS 84. Read in a process of its own: `apart`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyproj
import shapely

from routing.importing import geojson, geopackage, zipped
from routing.importing.layers import UNREADABLE, WGS84, Layer
from routing.importing.mending import Mended, mend
from routing.importing.rows import Opened, ReadingFault, Row, text

_READERS: Mapping[str, Callable[[Path, str, str], Layer]] = {
    ".geojson": geojson.read,
    ".json": geojson.read,
    ".gpkg": geopackage.read,
    ".zip": zipped.read,
}


def open_drawn(path: Path, layer: str = "", encoding: str = "") -> Opened:
    """The rows of a drawn file by its ending. Raises ReadingFault, also while rows are read."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ReadingFault(f"{path.suffix or 'A file without ending'} is no kind of file that is known here")
    found = read(path, layer, encoding)
    return Opened(found.columns, found.count, _rows(found))


def _rows(layer: Layer) -> Iterator[Row]:
    turn = _turning(layer.crs)
    for number, (cells, shape) in enumerate(layer.features, 1):
        values = {name: text(cell) for name, cell in cells.items()}
        if shape is None:
            yield Row(number, values)
            continue
        mended = _mended(shape, turn)
        written = shapely.to_wkb(mended.shape) if mended.shape is not None else None
        yield Row(number, values, written, mended.notes, mended.fault)


def _mended(shape: Any, turn: Callable[[Any], Any] | None) -> Mended:
    if shape is UNREADABLE:
        return Mended(None, fault="the shape cannot be read")
    return mend(shapely.transform(shape, turn) if turn else shape)


def _turning(crs: pyproj.CRS) -> Callable[[Any], Any] | None:
    """From the file's coordinates to longitude and latitude; None where they are that already."""
    if crs.equals(WGS84, ignore_axis_order=True):
        return None
    transformer = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)

    def turn(line: Any) -> Any:
        line[:, 0], line[:, 1] = transformer.transform(line[:, 0], line[:, 1])
        return line

    return turn
