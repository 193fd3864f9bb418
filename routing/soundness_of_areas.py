"""What is wrong with a site's own areas, in sentences that name the area and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from routing import gazetteer
from routing.areas import Area

if TYPE_CHECKING:
    from routing.boundaries import Boundaries

Box = tuple[float, float, float, float]
# So far from its state an area may lie: waters, and a coast that the map draws coarsely. In degrees.
_OFFSHORE = 0.5


def faults(boundaries: Boundaries) -> Iterator[str]:
    """Sentences about areas that could never be found, hang in the air, or do not lie where they say."""
    for area in boundaries.extra.values():
        yield from _unfindable(area, boundaries)
        yield from _parents(area, boundaries)
        yield from _codes(area)
        yield from _elsewhere(area)


def _unfindable(area: Area, boundaries: Boundaries) -> Iterator[str]:
    if not boundaries.can_be_found(area.id):
        yield f"{area.id} has neither an outline nor ZIPs, so no evidence could ever find it"


def _parents(area: Area, boundaries: Boundaries) -> Iterator[str]:
    for parent, _ in area.parents:
        after = boundaries.successors(parent)
        if after != (parent,):
            yield f"{area.id} lies in {parent}, which has ended; in its place: {', '.join(after)}"
        elif not boundaries.knows(parent):
            yield f"{area.id} lies in {parent}, which is not known"
        elif parent in boundaries.extra and area.id in dict(boundaries.widen(parent)):
            yield f"{area.id} and {parent} lie in each other"


def _codes(area: Area) -> Iterator[str]:
    known = gazetteer.load()
    if area.state and area.state not in known.states:
        yield f"{area.id} has the state {area.state}, which is not known"
        return
    for code, _ in area.zips:
        entry = known.zip(code)
        if entry is None:
            yield f"{area.id} has the ZIP {code}, which is not in use"
        elif area.state and area.state not in _states_of(entry):
            yield f"{area.id} has the ZIP {code}, which does not lie in {known.states[area.state].name}"


def _states_of(entry: gazetteer.Zip) -> set[str]:
    letters = gazetteer.load().state_by_letters(entry.state)
    return {county[7:9] for county, _ in entry.shares} | ({letters.code} if letters else set())


def _elsewhere(area: Area) -> Iterator[str]:
    """Swapped numbers often lie on Earth, but never where the area's own state does."""
    if not area.geometry or area.state not in (boxes := _state_boxes()):
        return
    from routing.outlines import bounds

    box, state = bounds(area.geometry), boxes[area.state]
    if _meet(box, state):
        return
    west, south, east, north = box
    swapped = _meet((south, west, north, east), state)
    why = "latitude and longitude look swapped" if swapped else "look at its state and its coordinates"
    yield f"{area.id} lies nowhere near {gazetteer.load().states[area.state].name}: {why}"


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


@lru_cache(maxsize=1)
def _state_boxes() -> dict[str, Box]:
    """By FIPS code: a box around all counties, and some of the sea. Alaska's spans all longitudes."""
    from routing.outlines import county_bounds

    found: dict[str, Box] = {}
    for county, (west, south, east, north) in county_bounds():
        known = found.get(county[7:9], (180.0, 90.0, -180.0, -90.0))
        found[county[7:9]] = (
            min(known[0], west - _OFFSHORE),
            min(known[1], south - _OFFSHORE),
            max(known[2], east + _OFFSHORE),
            max(known[3], north + _OFFSHORE),
        )
    return found
