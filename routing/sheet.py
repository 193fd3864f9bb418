"""One sheet of paper: a projection and a frame for a box in degrees, and what is put on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from referrals.facts import Evidence
from routing import drawing
from routing.drawing import WIDTH, Frame
from routing.projection import Albers, fitted

HEIGHT = 620.0
# A map of less than this shows nothing that a reader knows again.
_LEAST_KM = 1.2
# So much of the country around what matters, as a part of it on each side.
_AROUND = 0.3
# A scale bar is at most this long, in units, and one of these times a power of ten.
_LONGEST_BAR, _ROUND_NUMBERS = 260.0, (5, 2, 1)
_KM_PER_DEGREE = 111.2
# East of this lie only the Aleutians beyond the date line.
_DATE_LINE = 170.0
# A corner that is nearer than this to the line without it, in units, no reader sees.
_THINNED = 0.5


@dataclass(frozen=True)
class Fix:
    """A point of the evidence, with the circle that it may lie in (0: too small to be drawn)."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Way:
    """The shortest way from a point to a line that mattered, in metres."""

    d: str
    x: float
    y: float
    metres: float


@dataclass(frozen=True)
class Bar:
    """The scale: a length in units, and what it means."""

    length: float
    km: float


class Sheet:
    """A projection and a frame for a box in degrees, and all that is put on it."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        self._project: Albers = fitted(*bounds)
        flat = shapely.transform(shapely.box(*bounds).segmentize(1.0), self._project)
        west, top, east, bottom = shapely.bounds(flat).tolist()
        self._frame: Frame = drawing.fit((west, top, east, bottom), (0.0, 0.0, WIDTH, HEIGHT))
        # What the sheet shows is wider or higher than what was asked for; this much around it is surely enough.
        around = 1.0 + 2.0 * max(bounds[2] - bounds[0], bounds[3] - bounds[1])
        self._near = (bounds[0] - around, bounds[1] - around, bounds[2] + around, bounds[3] + around)

    def placed(self, shape: Any) -> Any:
        """A shape in degrees on the sheet."""
        return shapely.transform(shape, lambda at: self._frame(self._project(at)))

    def clipped(self, shape: Any) -> Any | None:
        """The part of an area that the sheet shows; None where it shows none."""
        if shape is None:
            return None
        near = shapely.clip_by_rect(shape, *self._near)
        seen = shapely.clip_by_rect(self.placed(near), 0.0, 0.0, WIDTH, HEIGHT)
        return None if seen.is_empty else shapely.simplify(seen, _THINNED)

    def showing(self, shapes: Mapping[str, Any]) -> dict[str, Any]:
        """The parts of those areas that the sheet shows, by id."""
        edge = shapely.box(*self._near)
        near = ((area, shape) for area, shape in shapes.items() if shapely.intersects(shape, edge))
        parts = ((area, self.clipped(shape)) for area, shape in near)
        return {area: part for area, part in parts if part is not None}

    def size(self, shape: Any) -> float:
        """How large an area is on this sheet and beyond its edge."""
        return float(shapely.area(self.placed(shape)))

    def lines(self, shapes: Iterable[Any]) -> str:
        """The lines of all areas that the sheet shows, as one path."""
        edge = shapely.box(*self._near)
        lines = (shape.boundary for shape in shapes if shapely.intersects(shape, edge))
        near = (shapely.clip_by_rect(line, *self._near) for line in lines)
        seen = (shapely.clip_by_rect(self.placed(line), 0.0, 0.0, WIDTH, HEIGHT) for line in near)
        return "".join(drawing.path(shapely.simplify(line, _THINNED)) for line in seen)

    def fix(self, piece: Evidence) -> Fix:
        """A point with its circle."""
        (x, y) = self._spot(piece)
        return Fix(x, y, round((piece.accuracy_m or 0.0) / 1000 * self._frame.scale, 1))

    def way(self, piece: Evidence, drawn: list[Any]) -> Way:
        """The shortest way from the point to any of their lines."""
        spot = shapely.Point(self._spot(piece))
        lines = [self.placed(shapely.clip_by_rect(shape, *self._near)).boundary for shape in drawn]
        nearest = min(lines, key=lambda line: shapely.distance(spot, line))
        way = shapely.shortest_line(spot, nearest)
        middle = shapely.line_interpolate_point(way, 0.5, normalized=True)
        metres = float(shapely.length(way)) / self._frame.scale * 1000
        return Way(drawing.path(way), round(middle.x, 1), round(middle.y, 1), round(metres))

    def bar(self) -> Bar:
        """The longest round length that is no longer than it should be."""
        most = _LONGEST_BAR / self._frame.scale
        ten = 10.0 ** math.floor(math.log10(most))
        km = next(number * ten for number in _ROUND_NUMBERS if number * ten <= most)
        return Bar(round(km * self._frame.scale, 1), km)

    def _spot(self, piece: Evidence) -> tuple[float, float]:
        x, y = self._frame(self._project(np.array([_at(piece)])))[0].tolist()
        return round(x, 1), round(y, 1)


def padded(bounds: list[float]) -> tuple[float, float, float, float]:
    """A box in degrees (west, south, east, north) with some of the country around it."""
    west, south, east, north = bounds
    middle = ((west + east) / 2, (south + north) / 2)
    squeezed = max(math.cos(math.radians(middle[1])), 0.01)
    high = max((north - south) * (0.5 + _AROUND), _LEAST_KM / 2 / _KM_PER_DEGREE)
    wide = max((east - west) * (0.5 + _AROUND), _LEAST_KM / 2 / _KM_PER_DEGREE / squeezed)
    return middle[0] - wide, middle[1] - high, middle[0] + wide, middle[1] + high


def around(piece: Evidence, metres: float) -> Any:
    """The box around a point, in degrees, that holds all within so many metres or its own accuracy."""
    longitude, latitude = _at(piece)
    high = max(metres, piece.accuracy_m or 0.0) / 1000 / _KM_PER_DEGREE
    wide = high / max(math.cos(math.radians(latitude)), 0.01)
    return shapely.box(longitude - wide, latitude - high, longitude + wide, latitude + high)


def _at(piece: Evidence) -> tuple[float, float]:
    """Longitude and latitude of a point, unrolled as the outlines are."""
    assert piece.longitude is not None
    assert piece.latitude is not None
    return piece.longitude - 360 * (piece.longitude > _DATE_LINE), piece.latitude
