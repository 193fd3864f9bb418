"""Outlines in degrees, as drawings need them: whole, unrolled across the date line, read once per process."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from routing.areas import code_of, layer_of
from routing.boundaries import Boundaries
from routing.gazetteer import DATA, load

# Whose outline the source has lost is drawn as a small ring where it lies, in degrees.
_RING = 0.03


def shape_of(area: str, boundaries: Boundaries) -> Any | None:
    """The outline of a state, a county or one of a site's own areas; None for what has none."""
    own = boundaries.extra.get(area)
    if own is not None:
        return _own(own.geometry) if own.geometry else None
    drawn = {"county": counties, "state": states}.get(layer_of(area))
    return drawn().get(area) if drawn else None


@lru_cache(maxsize=512)
def _own(geometry: str | bytes) -> Any:
    shape = shapely.from_wkb(geometry) if isinstance(geometry, bytes) else shapely.from_geojson(geometry)
    return shapely.make_valid(shape)


@lru_cache(maxsize=1)
def counties() -> Mapping[str, Any]:
    """The country's counties by id. The far Aleutians' longitudes run on past -180."""
    with gzip.open(DATA / "outlines.csv.gz", "rt", encoding="utf-8") as table:
        rows = [line.rstrip("\n").split(",") for line in table][1:]
    shapes = shapely.from_wkb([row[3] for row in rows])
    return {f"county:{row[0]}": _unrolled(shape) for row, shape in zip(rows, shapes, strict=True)}


def _unrolled(shape: Any) -> Any:
    if shape.geom_type == "Point":
        return shape.buffer(_RING, 8)
    west, _, east, _ = shapely.bounds(shape)
    if east - west < 180:
        return shape
    # The Aleutians cross the date line: what lies beyond it is drawn further west, not at the world's other end.
    return shapely.transform(shape, _unroll)


def _unroll(degrees: Any) -> Any:
    longitude, latitude = degrees.T
    return np.column_stack((np.where(longitude > 0, longitude - 360, longitude), latitude))


@lru_cache(maxsize=1)
def states() -> Mapping[str, Any]:
    """States and territories by id: the unions of their counties."""
    by_state: dict[str, list[Any]] = {f"state:{code}": [] for code in load().states}
    for area, shape in counties().items():
        by_state[f"state:{code_of(area)[:2]}"].append(shape)
    return {area: shapely.union_all(shapes) for area, shapes in by_state.items() if shapes}
