"""The country and each state as drawings: counties and states of the real outlines, thinned to what a screen shows.

They hold no rule and no team, so each is drawn once per process; who leads is painted over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from routing import drawing, shapes
from routing.areas import code_of
from routing.drawing import WIDTH, Box, Frame, Room
from routing.gazetteer import load
from routing.projection import LOWER_48, Albers, fitted

# The main map is as high as the 48 states need; the others stand below it, each in a frame and to a scale of its own.
_MAIN: Box = (4.0, 4.0, WIDTH - 8, 632.0)
_INSETS: tuple[tuple[str, Box], ...] = (
    ("02", (4.0, 650.0, 244.0, 150.0)),
    ("15", (256.0, 650.0, 194.0, 150.0)),
    ("72", (458.0, 650.0, 186.0, 150.0)),
    ("78", (652.0, 650.0, 96.0, 150.0)),
    ("60", (756.0, 650.0, 94.0, 150.0)),
    ("66", (858.0, 650.0, 65.0, 150.0)),
    ("69", (931.0, 650.0, 65.0, 150.0)),
)
_TALLEST = 860.0
_MARGIN, _LETTERS = 8.0, 26.0
# Corners whose triangle is smaller than the square of this, in units, are thinned away: no screen shows them. The
# nation's many counties are painted without lines between them and may be coarser.
_THINNED, _THINNED_COUNTIES = 0.7, 1.4


@dataclass(frozen=True)
class Outline:
    """One area on a map: `d` of its path, and where its label goes (None: no room at all)."""

    area: str
    d: str
    room: Room | None


@dataclass(frozen=True)
class Inset:
    """A state or territory that lies elsewhere, in a frame of its own."""

    area: str
    box: Box


@dataclass(frozen=True)
class Map:
    """A drawing of states and counties by id. `insets` are to scales of their own."""

    width: float
    height: float
    states: Mapping[str, Outline]
    counties: Mapping[str, Outline]
    insets: tuple[Inset, ...] = ()


@lru_cache(maxsize=1)
def nation() -> Map:
    """All states and territories, the far ones in insets."""
    states: dict[str, Outline] = {}
    counties: dict[str, Outline] = {}
    elsewhere = dict(_INSETS)
    main = [code for code in load().states if code not in elsewhere]
    for codes, projection, box in [
        (main, LOWER_48, _MAIN),
        *(([code], None, _inside(box)) for code, box in _INSETS),
    ]:
        drawn = _draw(codes, projection, box)
        states |= drawn[0]
        # Counties are many and small here: no label of theirs has room.
        counties |= {area: Outline(area, outline.d, None) for area, outline in drawn[1].items()}
    height = 4 + max(y + high for _, (_, y, _, high) in _INSETS)
    return Map(WIDTH, height, states, counties, tuple(Inset(f"state:{code}", box) for code, box in _INSETS))


@lru_cache(maxsize=64)
def state(code: str) -> Map:
    """One state or territory by FIPS code with its counties. Raises KeyError for what is none."""
    area = f"state:{code}"
    projection = _projection([code])
    west, top, east, bottom = shapely.bounds(shapely.transform(shapes.states()[area], projection)).tolist()
    height = min(_TALLEST, WIDTH * (bottom - top) / (east - west))
    box = (_MARGIN, _MARGIN, WIDTH - 2 * _MARGIN, height - 2 * _MARGIN)
    states, counties = _draw([code], projection, box)
    return Map(WIDTH, round(height, 1), states, counties)


def _draw(
    codes: Iterable[str], projection: Albers | None, box: Box
) -> tuple[dict[str, Outline], dict[str, Outline]]:
    wanted = set(codes)
    project = projection or _projection(wanted)
    states = {area: shape for area, shape in shapes.states().items() if code_of(area) in wanted}
    counties = {area: shape for area, shape in shapes.counties().items() if code_of(area)[:2] in wanted}
    flat = shapely.transform(np.array(list(states.values()), dtype=object), project)
    frame = drawing.fit(shapely.total_bounds(flat).tolist(), box)
    alone = len(wanted) == 1
    return (
        _outlines(states, project, frame, _THINNED, labelled=True),
        _outlines(counties, project, frame, _THINNED if alone else _THINNED_COUNTIES, labelled=alone),
    )


def _outlines(
    drawn: Mapping[str, Any], project: Albers, frame: Frame, thinned_to: float, *, labelled: bool
) -> dict[str, Outline]:
    placed = shapely.transform(
        np.array(list(drawn.values()), dtype=object), lambda points: frame(project(points))
    )
    thinned = shapely.coverage_simplify(placed, thinned_to)
    return {
        area: Outline(area, drawing.path(shape), drawing.room(shape) if labelled else None)
        for area, shape in zip(drawn, thinned, strict=True)
    }


def _projection(codes: Iterable[str]) -> Albers:
    states = np.array([shapes.states()[f"state:{code}"] for code in codes], dtype=object)
    west, south, east, north = shapely.total_bounds(states).tolist()
    return fitted(west, south, east, north)


def _inside(box: Box) -> Box:
    """The frame without its edge and the line on top for the letters."""
    x, y, width, height = box
    return (x + _MARGIN, y + _LETTERS, width - 2 * _MARGIN, height - _LETTERS - _MARGIN)
