"""The small map of one decision: where the evidence points, which areas were candidates, which line was near."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from referrals.facts import Evidence
from routing import drawing, shapes
from routing.areas import LAYER_RANKS, layer_of
from routing.boundaries import Boundaries
from routing.decision import Decision
from routing.drawing import WIDTH, Frame, Room
from routing.projection import Albers, fitted
from routing.shapes import shape_of

_HEIGHT = 620.0
# A map of less than three kilometres shows nothing that a reader knows again.
_LEAST_KM = 3.0
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
class Candidate:
    """An area that a rule was about. `d` is "" and `room` None where it has no outline, or none in this map."""

    number: int
    area: str
    d: str
    room: Room | None


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


@dataclass(frozen=True)
class Sketch:
    """A map 1000 units wide. `candidates` are in the order of their numbers, best first; `painted` are those with an
    outline, the largest first, as they must be drawn. `counties` and `states` are lines to find one's way by."""

    width: float
    height: float
    candidates: tuple[Candidate, ...]
    painted: tuple[Candidate, ...]
    counties: str
    states: str
    fixes: tuple[Fix, ...]
    ways: tuple[Way, ...]
    bar: Bar


def sketch(decision: Decision, boundaries: Boundaries) -> Sketch | None:
    """The map of a decision; None where no evidence leads to any outline, so that there is nothing to draw."""
    focus = list(_focus(decision.evidence, boundaries))
    if not focus:
        return None
    bounds = _padded(shapely.total_bounds(np.array(focus, dtype=object)).tolist())
    paper = _Paper(bounds)
    candidates = tuple(_candidates(decision, boundaries, paper))
    sizes = {
        candidate.number: paper.size(shape_of(candidate.area, boundaries))
        for candidate in candidates
        if candidate.d
    }
    return Sketch(
        width=WIDTH,
        height=_HEIGHT,
        candidates=candidates,
        painted=tuple(sorted((one for one in candidates if one.d), key=lambda one: -sizes[one.number])),
        counties=paper.lines(shapes.counties().values()),
        states=paper.lines(shapes.states().values()),
        fixes=tuple(paper.fix(piece) for piece in decision.evidence if piece.latitude is not None),
        ways=tuple(_ways(decision, boundaries, paper)),
        bar=paper.bar(),
    )


def _focus(evidence: Iterable[Evidence], boundaries: Boundaries) -> Iterator[Any]:
    """What must be in the picture: the points with their circles, the finest outlines of each area that was named.
    A state only where nothing finer was: beside a town it would make the town a dot."""
    found: list[tuple[str, Any]] = []
    for piece in evidence:
        if piece.latitude is not None and piece.longitude is not None:
            found.append(("point", _circle(piece)))
        for area in piece.areas:
            found += _finest(area, boundaries)
    fine = [shape for layer, shape in found if layer != "state"]
    yield from fine or (shape for _, shape in found)


def _circle(piece: Evidence) -> Any:
    """The box around a point and all that it may mean, in degrees."""
    longitude, latitude = _at(piece)
    high = (piece.accuracy_m or 0.0) / 1000 / _KM_PER_DEGREE
    wide = high / max(math.cos(math.radians(latitude)), 0.01)
    return shapely.box(longitude - wide, latitude - high, longitude + wide, latitude + high)


def _at(piece: Evidence) -> tuple[float, float]:
    """Longitude and latitude of a point, unrolled as the outlines are."""
    assert piece.longitude is not None and piece.latitude is not None
    return piece.longitude - 360 * (piece.longitude > _DATE_LINE), piece.latitude


def _finest(area: str, boundaries: Boundaries) -> list[tuple[str, Any]]:
    """The outlines of the most specific layer that holds the area and has any, with that layer."""
    drawn: dict[str, list[tuple[str, Any]]] = {}
    for above, _ in boundaries.widen(area):
        if (shape := shape_of(above, boundaries)) is not None:
            drawn.setdefault(layer_of(above), []).append((layer_of(above), shape))
    return drawn[max(drawn, key=lambda layer: LAYER_RANKS[layer])] if drawn else []


def _candidates(decision: Decision, boundaries: Boundaries, paper: _Paper) -> Iterator[Candidate]:
    areas = dict.fromkeys(entry.area for entry in decision.considered)
    for number, area in enumerate(areas, start=1):
        seen = paper.clipped(shape_of(area, boundaries))
        d = drawing.path(seen) if seen is not None else ""
        yield Candidate(number, area, d, drawing.room(seen) if d else None)


def _ways(decision: Decision, boundaries: Boundaries, paper: _Paper) -> Iterator[Way]:
    """From each point to the nearest line of those whose nearness left a doubt."""
    near = {entry.area for entry in decision.considered if entry.distance_m is not None}
    near |= {
        area
        for change in decision.what_would_change
        if change.distance_m is not None
        for area in change.areas
    }
    told = {entry.distance_m for entry in (*decision.considered, *decision.what_would_change)} - {None}
    drawn = [shape for area in sorted(near) if (shape := shape_of(area, boundaries)) is not None]
    for piece in decision.evidence:
        if piece.latitude is not None and drawn:
            way = paper.way(piece, drawn)
            # The decision measured on the ellipsoid, the sheet is a sheet: the page says one number, the decision's.
            yield replace(way, metres=min(told, key=lambda metres: abs((metres or 0.0) - way.metres)) or 0.0)


def _padded(bounds: list[float]) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    middle = ((west + east) / 2, (south + north) / 2)
    squeezed = max(math.cos(math.radians(middle[1])), 0.01)
    high = max((north - south) * (0.5 + _AROUND), _LEAST_KM / 2 / _KM_PER_DEGREE)
    wide = max((east - west) * (0.5 + _AROUND), _LEAST_KM / 2 / _KM_PER_DEGREE / squeezed)
    return middle[0] - wide, middle[1] - high, middle[0] + wide, middle[1] + high


class _Paper:
    """A projection and a frame for a box in degrees, and all that is put on it."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        self._project: Albers = fitted(*bounds)
        flat = shapely.transform(shapely.box(*bounds).segmentize(1.0), self._project)
        west, top, east, bottom = shapely.bounds(flat).tolist()
        self._frame: Frame = drawing.fit((west, top, east, bottom), (0.0, 0.0, WIDTH, _HEIGHT))
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
        seen = shapely.clip_by_rect(self.placed(near), 0.0, 0.0, WIDTH, _HEIGHT)
        return None if seen.is_empty else shapely.simplify(seen, _THINNED)

    def size(self, shape: Any) -> float:
        """How large an area is on this sheet and beyond its edge."""
        return float(shapely.area(self.placed(shape)))

    def lines(self, shapes: Iterable[Any]) -> str:
        """The lines of all areas that the sheet shows, as one path."""
        edge = shapely.box(*self._near)
        lines = (shape.boundary for shape in shapes if shapely.intersects(shape, edge))
        near = (shapely.clip_by_rect(line, *self._near) for line in lines)
        seen = (shapely.clip_by_rect(self.placed(line), 0.0, 0.0, WIDTH, _HEIGHT) for line in near)
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
