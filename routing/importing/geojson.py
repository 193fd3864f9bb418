"""GeoJSON, feature by feature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
import shapely

from routing.importing.layers import UNREADABLE, WGS84, Feature, Layer, crs_named, shape_from
from routing.importing.rows import ReadingFault


def read(path: Path, _layer: str, _encoding: str) -> Layer:
    """The features of a FeatureCollection. Raises ReadingFault."""
    columns, count, named = _survey(path)
    # RFC 7946: without a word it is WGS 84. Files from before it may name another.
    return Layer(columns, count, crs_named(named, "") if named else WGS84, _features(path))


def _survey(path: Path) -> tuple[tuple[str, ...], int, str]:
    """Column names, how many features, and the name of a coordinate system, if the file has one."""
    columns, count, named, kind = dict[str, None](), 0, "", ""
    with path.open("rb") as file:
        for where, event, value in _unbroken(ijson.parse(file)):
            if event == "map_key" and where == "features.item.properties":
                columns[value] = None
            elif event == "start_map" and where == "features.item":
                count += 1
            elif where == "crs.properties.name":
                named = str(value)
            elif where == "type":
                kind = value
    if kind != "FeatureCollection":
        raise ReadingFault("The file is no GeoJSON FeatureCollection")
    return tuple(columns), count, named


def _features(path: Path) -> Iterator[Feature]:
    with path.open("rb") as file:
        for feature in _unbroken(ijson.items(file, "features.item", use_float=True)):
            yield _feature(feature if isinstance(feature, dict) else {"geometry": True})


def _feature(feature: dict[str, Any]) -> Feature:
    geometry, cells = feature.get("geometry"), feature.get("properties")
    cells = cells if isinstance(cells, dict) else {}
    if geometry is None or isinstance(geometry, dict):
        return cells, geometry and shape_from(shapely.from_geojson, json.dumps(geometry))
    return cells, UNREADABLE


def _unbroken(events: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from events
    except ijson.JSONError:
        raise ReadingFault("The file is broken: it is no JSON, or ends too soon") from None
