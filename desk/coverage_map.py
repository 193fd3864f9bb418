"""How coverage is painted: a pattern for each kind or team, letters and numbers where they have room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desk import words
from routing import gazetteer, maps
from routing.coverage import Covered, Kind
from routing.drawing import Room

# A label needs so much room around its middle, in units of the map.
_ROOM_FOR_LETTERS, _ROOM_PER_DIGIT = 11.0, 5.5


ByState = Mapping[str, list[Covered]]


@dataclass(frozen=True)
class Label:
    """A word on a map: where, and perhaps the spot that a line leads to because it has no room of its own."""

    words: str
    x: float
    y: float
    to: tuple[float, float] | None = None


@dataclass(frozen=True)
class Paint:
    """Shapes of one pattern. `lines`: whether each has its own line around it."""

    pattern: str
    d: str
    lines: bool = True


@dataclass(frozen=True)
class Legend:
    """A team on the map."""

    number: int
    pattern: str
    name: str
    counties: int


def paint_nation(by_state: ByState, drawn: maps.Map) -> list[Paint]:
    """States of one kind whole; the others county by county, all counties of a kind as one shape."""
    whole: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    parts: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for code, counties in by_state.items():
        kinds = {one.kind for one in counties}
        if len(kinds) == 1:
            whole[kinds.pop()].append(drawn.states[f"state:{code}"].d)
        else:
            for one in counties:
                parts[one.kind].append(drawn.counties[one.area].d)
    painted = [Paint(kind, "".join(shapes)) for kind, shapes in whole.items() if shapes]
    return painted + [Paint(kind, "".join(shapes), lines=False) for kind, shapes in parts.items() if shapes]


# Where the letters of the small states stand: in a column beside the coast, with a line to the state.
_COAST_X, _COAST_Y, _COAST_STEP = 982.0, 190.0, 24.0
# And those of an inset: in its corner, so that they hide no island.
_CORNER = (22.0, 15.0)


def letters(by_state: ByState, drawn: maps.Map) -> list[Label]:
    """The postal letters of every state, with a cross where somebody is passed over."""
    corners = {inset.area: inset.box for inset in drawn.insets}
    labels: list[Label] = []
    coast: list[tuple[Room, str]] = []
    for code, counties in by_state.items():
        area, text = f"state:{code}", gazetteer.load().states[code].letters + _mark(counties)
        room = drawn.states[area].room
        if area in corners:
            x, y, _, _ = corners[area]
            labels.append(Label(text, x + _CORNER[0], y + _CORNER[1]))
        elif room and room.radius >= _ROOM_FOR_LETTERS:
            labels.append(Label(text, room.x, room.y))
        elif room:
            coast.append((room, text))
    return labels + [
        Label(text, _COAST_X, _COAST_Y + place * _COAST_STEP, (room.x, room.y))
        for place, (room, text) in enumerate(sorted(coast, key=lambda entry: entry[0].y))
    ]


def _mark(counties: Iterable[Covered]) -> str:
    """A cross where somebody who should lead cannot be reached."""
    return "×" if any(one.passed_over for one in counties) else ""


def legend_of(counties: Iterable[Covered], named: Mapping[str, str]) -> dict[str, Legend]:
    """Numbers of the teams that lead in a state: who leads in most counties first."""
    leading = Counter(team for one in counties for team in one.leads)
    ranked = sorted(leading, key=lambda team: (-leading[team], named.get(team, team)))
    return {
        team: Legend(number, words.pattern(number), named.get(team, team), leading[team])
        for number, team in enumerate(ranked, start=1)
    }


def paint_state(drawn: maps.Map, counties: Iterable[Covered], legend: Mapping[str, Legend]) -> list[Paint]:
    return [
        Paint(legend[one.leads[0]].pattern if one.kind is Kind.LED else one.kind, drawn.counties[one.area].d)
        for one in counties
    ]


def numbers(drawn: maps.Map, counties: Iterable[Covered], legend: Mapping[str, Legend]) -> list[Label]:
    """The number of each county's team, where it has room; the table has them all."""
    labels = []
    for one in counties:
        text, room = numbered(one, legend), drawn.counties[one.area].room
        if text and room and _fits(text, room):
            labels.append(Label(text, room.x, room.y))
    return labels


def _fits(text: str, room: Room) -> bool:
    return room.radius >= _ROOM_PER_DIGIT * max(len(text), 2)


def numbered(one: Covered, legend: Mapping[str, Legend]) -> str:
    return "/".join(str(legend[team].number) for team in one.leads) + _mark([one])
