"""Layers: the features of one drawn file as they stand in it, and the coordinate system that the file names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyproj
import shapely

from routing.importing.rows import ReadingFault

WGS84 = pyproj.CRS.from_epsg(4326)
# Cells by column, and a shape: None for nothing, UNREADABLE for bytes that are no shape.
Feature = tuple[Mapping[str, Any], Any]
UNREADABLE = object()


@dataclass(frozen=True)
class Layer:
    """Features in the coordinates of `crs`; `count` is how many there should be."""

    columns: tuple[str, ...]
    count: int
    crs: pyproj.CRS
    features: Iterator[Feature]


def crs_named(named: str, missing: str) -> pyproj.CRS:
    """The coordinate system of an authority's code or of WKT. Raises ReadingFault: `missing`, if none is named."""
    if not named:
        raise ReadingFault(missing)
    try:
        return pyproj.CRS.from_user_input(named)
    except pyproj.exceptions.CRSError:
        raise ReadingFault("The coordinate system that the file names is not known") from None


def shape_from(read: Callable[[Any], Any], written: Any) -> Any:
    """What `read` makes of it, or UNREADABLE."""
    try:
        return read(written)
    except (shapely.errors.ShapelyError, ValueError, TypeError, IndexError):
        return UNREADABLE


def the_one(names: Sequence[str], wanted: str, what: str) -> str:
    """The layer that is wanted, or the only one. Raises ReadingFault with the names where a choice is needed."""
    if wanted in names:
        return wanted
    if not names:
        raise ReadingFault(f"The file holds no {what} with outlines")
    if wanted or len(names) > 1:
        raise ReadingFault(
            f"Which {what} is meant? The file holds {', '.join(islice(names, 20))}. Name one on the command line "
            "(--inside), or send a file that holds one"
        )
    return names[0]
