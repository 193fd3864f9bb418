"""Outlines as SVG: fitted into a box, thinned to what a screen shows, written as short paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

# All maps are this wide in units of their own, so that patterns, lines and letters look alike on each.
WIDTH = 1000.0
# Rings smaller than this, in square units, are specks.
_SPECK = 0.6

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """A linear way from a plane's kilometres to a map's units: `at` is where the plane's (0, 0) lies."""

    scale: float
    at: tuple[float, float]

    def __call__(self, flat: Any) -> Any:
        """An array of points in kilometres as one in units."""
        return flat * self.scale + self.at


def fit(bounds: Sequence[float], box: Box) -> Frame:
    """Puts `bounds` (west, north, east, south in kilometres) in the middle of `box` (x, y, width, height), as large
    as it fits."""
    west, top, east, bottom = bounds
    x, y, width, height = box
    scale = min(width / max(east - west, 1e-6), height / max(bottom - top, 1e-6))
    middle = ((west + east) / 2, (top + bottom) / 2)
    return Frame(scale, (x + width / 2 - middle[0] * scale, y + height / 2 - middle[1] * scale))


def path(shape: Any) -> str:
    """The `d` of a path: areas closed, lines open, tenths of a unit; "" for what is too small to be seen."""
    return "".join(_written(part, closed) for part, closed in _strokes(shape))


def _strokes(shape: Any) -> Iterator[tuple[Any, bool]]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            yield from ((ring, True) for ring in _rings(part))
        elif part.geom_type in {"LineString", "LinearRing"}:
            yield part, False
        elif part.geom_type.startswith("Multi") or part.geom_type == "GeometryCollection":
            yield from _strokes(part)


def _rings(part: Any) -> Iterator[Any]:
    yield part.exterior
    yield from (hole for hole in part.interiors if shapely.area(shapely.Polygon(hole)) > _SPECK)


def _written(line: Any, closed: bool) -> str:
    tenths = np.rint(shapely.get_coordinates(line) * 10).astype(int)
    steps = np.diff(tenths, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if closed:
        # The last step leads back to the first point; `z` draws it.
        steps = steps[:-1]
    if len(steps) < (2 if closed else 1):
        return ""
    moves = " ".join(_tenth(number) for number in steps.ravel().tolist())
    start = " ".join(_tenth(number) for number in tenths[0].tolist())
    # A minus sign parts two numbers as well as a blank does.
    return f"M{start}l{moves}{'z' if closed else ''}".replace(" -", "-")


def _tenth(number: int) -> str:
    whole, rest = divmod(abs(number), 10)
    digits = (f"{whole}.{rest}" if whole else f".{rest}") if rest else str(whole)
    return f"-{digits}" if number < 0 else digits


@dataclass(frozen=True)
class Room:
    """The widest free spot of a shape: where a label goes, and the radius that it may have. In units."""

    x: float
    y: float
    radius: float


def room(shape: Any) -> Room | None:
    """Where a label of the shape goes; None for what has no inside."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    widest = max(parts, key=shapely.area, default=None)
    if widest is None or not shapely.area(widest) > 0:
        return None
    circle = shapely.maximum_inscribed_circle(widest, 1.0)
    (x, y), _ = shapely.get_coordinates(circle)
    return Room(round(float(x), 1), round(float(y), 1), round(float(shapely.length(circle)), 1))
