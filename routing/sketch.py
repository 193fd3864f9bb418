"""The small map of one decision: where the evidence points, which areas were candidates, which line was near."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import shapely

from referrals.facts import Evidence
from routing import drawing, shapes
from routing.areas import LAYER_RANKS, layer_of
from routing.boundaries import Boundaries
from routing.decision import Considered, Decision
from routing.drawing import WIDTH, Room
from routing.shapes import shape_of
from routing.sheet import HEIGHT, Bar, Fix, Sheet, Way, around, padded
from routing.weighing import Outcome

_ORDER = {
    outcome: place
    for place, outcome in enumerate(
        (Outcome.LEAD, Outcome.TIED, Outcome.SUPPORT, Outcome.NOTIFY, Outcome.UNREACHABLE, Outcome.LOST)
    )
}
# A name needs so much room around its middle, in units; more counties than these are too many names.
_ROOM_FOR_NAME, _MANY, _MARGIN = 34.0, 24, 110.0


@dataclass(frozen=True)
class Named:
    """A county or state that nobody's rule is about, to find one's way by."""

    area: str
    x: float
    y: float


@dataclass(frozen=True)
class Candidate:
    """An area that a rule was about. `d` is "" and `room` None where it has no outline, or none in this map."""

    number: int
    area: str
    d: str = ""
    room: Room | None = None


@dataclass(frozen=True)
class Sketch:
    """A map 1000 units wide. `candidates` are in the order of their numbers, best first; `painted` are those with an
    outline, the largest first, as they must be drawn. `named` are the lines of what the evidence means; `counties` and
    `states` are lines to find one's way by."""

    width: float
    height: float
    candidates: tuple[Candidate, ...]
    painted: tuple[Candidate, ...]
    named: str
    counties: str
    states: str
    around: tuple[Named, ...]
    fixes: tuple[Fix, ...]
    ways: tuple[Way, ...]
    bar: Bar


def sketch(decision: Decision, boundaries: Boundaries) -> Sketch | None:
    """The map of a decision; None where no evidence leads to any outline, so that there is nothing to draw."""
    focus = _focus(decision.evidence, boundaries)
    if not focus:
        return None
    bounds = padded(shapely.total_bounds(np.array([shape for _, shape in focus], dtype=object)).tolist())
    paper = Sheet(bounds)
    painted = tuple(_painted(decision, boundaries, paper))
    drawn = {candidate.number: candidate for candidate in painted}
    return Sketch(
        width=WIDTH,
        height=HEIGHT,
        candidates=tuple(
            drawn.get(number, Candidate(number, area)) for area, number in numbered(decision).items()
        ),
        painted=painted,
        named=paper.lines(shape for layer, shape in focus if layer != "point"),
        counties=paper.lines(shapes.counties().values()),
        states=paper.lines(shapes.states().values()),
        around=tuple(_around(paper, set(numbered(decision)))),
        fixes=tuple(paper.fix(piece) for piece in decision.evidence if piece.latitude is not None),
        ways=tuple(_ways(decision, boundaries, paper)),
        bar=paper.bar(),
    )


def _focus(evidence: Iterable[Evidence], boundaries: Boundaries) -> list[tuple[str, Any]]:
    """What must be in the picture: the finest outlines of all that was named, or around the points. A state only
    where nothing finer was named: beside a town it would make the town a dot."""
    found = [pair for piece in evidence for pair in _meant(piece, boundaries)]
    return [(layer, shape) for layer, shape in found if layer != "state"] or found


def _meant(piece: Evidence, boundaries: Boundaries) -> list[tuple[str, Any]]:
    """Outlines that one piece of evidence leads to, each with its layer; a point near a line is its own."""
    if piece.latitude is None or piece.longitude is None:
        return [pair for area in piece.areas for pair in _finest(area, boundaries)]
    near = boundaries.outlines.at(piece.latitude, piece.longitude, piece.accuracy_m or 0.0)
    if near and not all(area.certain for area in near):
        return [("point", around(piece, max(area.distance_m for area in near if not area.certain)))]
    return [pair for area in near for pair in _finest(area.area, boundaries)]


def _finest(area: str, boundaries: Boundaries) -> list[tuple[str, Any]]:
    """The outlines of the most specific layer that holds the area and has any, with that layer."""
    drawn: dict[str, list[tuple[str, Any]]] = {}
    for above, _ in boundaries.widen(area):
        if (shape := shape_of(above, boundaries)) is not None:
            drawn.setdefault(layer_of(above), []).append((layer_of(above), shape))
    return drawn[max(drawn, key=lambda layer: LAYER_RANKS[layer])] if drawn else []


def in_order(decision: Decision) -> list[Considered]:
    """The rules that were looked at: those that take part first, then those that nearly did, each heaviest first."""
    return sorted(decision.considered, key=lambda entry: _ORDER.get(entry.outcome, len(_ORDER)))


def numbered(decision: Decision) -> dict[str, int]:
    """The numbers of the areas that rules are about, in that order, from 1."""
    return {area: number for number, area in enumerate(dict.fromkeys(e.area for e in in_order(decision)), 1)}


def _painted(decision: Decision, boundaries: Boundaries, paper: Sheet) -> Iterator[Candidate]:
    """Candidates with an outline, the largest first; each label where no smaller one is painted over it."""
    whole = {(number, area): shape_of(area, boundaries) for area, number in numbered(decision).items()}
    seen = {key: part for key, shape in whole.items() if (part := paper.clipped(shape)) is not None}
    order = sorted(seen, key=lambda key: -paper.size(whole[key]))
    for place, (number, area) in enumerate(order, start=1):
        part = seen[number, area]
        free = shapely.difference(part, shapely.union_all([seen[key] for key in order[place:]]))
        yield Candidate(number, area, drawing.path(part), drawing.room(free))


def _around(paper: Sheet, numbers: set[str]) -> Iterator[Named]:
    """What else the sheet shows, where a name has room: counties, or states where those would be too many."""
    counties = paper.showing(shapes.counties())
    for area, part in (counties if len(counties) <= _MANY else paper.showing(shapes.states())).items():
        spot = drawing.room(part)
        if area not in numbers and spot and spot.radius >= _ROOM_FOR_NAME and _is_free(spot):
            yield Named(area, spot.x, spot.y)


def _is_free(spot: Room) -> bool:
    """Neither so near the edge that a name would be cut off, nor on the scale bar."""
    middle = _MARGIN <= spot.x <= WIDTH - _MARGIN
    return middle and not (spot.x < WIDTH / 2 and spot.y > HEIGHT - _MARGIN / 2)


def _ways(decision: Decision, boundaries: Boundaries, paper: Sheet) -> Iterator[Way]:
    """From each point to the nearest line of those whose nearness left a doubt."""
    near = {entry.area for entry in decision.considered if entry.distance_m is not None}
    near |= {
        area
        for change in decision.what_would_change
        if change.distance_m is not None
        for area in change.areas
    }
    told = [
        *(entry.distance_m for entry in decision.considered),
        *(change.distance_m for change in decision.what_would_change),
    ]
    known = [metres for metres in told if metres is not None]
    drawn = [shape for area in sorted(near) if (shape := shape_of(area, boundaries)) is not None]
    for piece in decision.evidence:
        if piece.latitude is not None and drawn:
            way = paper.way(piece, drawn)
            # The decision measured on the ellipsoid, the sheet is a sheet: the page says one number, the decision's.
            yield replace(way, metres=min(known, key=partial(_apart, way.metres)))


def _apart(one: float, other: float) -> float:
    return abs(one - other)
