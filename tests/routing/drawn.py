"""Reads a path back into the shapes that it draws."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

import shapely

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


def rings(d: str) -> list[list[tuple[float, float]]]:
    """The corners of each ring or line of a path."""
    found = []
    for part in d.split("M")[1:]:
        start, _, moves = part.partition("l")
        numbers = [float(number) for number in _NUMBER.findall(start + " " + moves)]
        steps = list(zip(numbers[::2], numbers[1::2], strict=True))
        found.append(list(accumulate(steps, lambda at, step: (at[0] + step[0], at[1] + step[1]))))
    return found


def area(d: str) -> Any:
    """What a filled path covers; rings inside others are holes, as `evenodd` fills them."""
    shapes = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings(d)]
    whole: Any = shapely.Polygon()
    for shape in sorted(shapes, key=shapely.area, reverse=True):
        whole = shapely.symmetric_difference(whole, shape)
    return whole
