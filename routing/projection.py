"""Albers' equal-area projection: a gap looks as large as it is, whatever its latitude."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin, sqrt
from typing import Any

import numpy as np

_EARTH_KM = 6_371.0088
# On the equator itself the cone becomes a cylinder, which these formulas do not know. So near to it, no map can tell
# a cone that leans by so little.
_LEAST_LEAN = 0.1


@dataclass(frozen=True)
class Albers:
    """Degrees to kilometres on a plane, x to the east, y to the south as screens count.

    `south` and `north` are the parallels without stretch, (`centre`, `origin`) is the longitude and latitude that
    becomes (0, 0). True to area everywhere on the sphere; away from the equator's own cone it is true to shape near
    the parallels.
    """

    south: float
    north: float
    centre: float
    origin: float

    @cached_property
    def _cone(self) -> tuple[float, float, float]:
        """The cone's constant, the square of its base, the radius at the origin."""
        south, north = radians(self.south), radians(self.north)
        constant = (sin(south) + sin(north)) / 2
        base = cos(south) ** 2 + 2 * constant * sin(south)
        return constant, base, sqrt(base - 2 * constant * sin(radians(self.origin))) / constant

    def __call__(self, degrees: Any) -> Any:
        """An array of (longitude, latitude) in degrees as one of (x, y) in kilometres.

        Longitudes may run past 180: who draws across the date line unrolls them first.
        """
        constant, base, at_origin = self._cone
        turn = constant * np.radians(degrees[:, 0] - self.centre)
        inner = np.maximum(base - 2 * constant * np.sin(np.radians(degrees[:, 1])), 0.0)
        radius = np.sqrt(inner) / constant
        flat = np.column_stack((radius * np.sin(turn), radius * np.cos(turn) - at_origin))
        return flat * _EARTH_KM


# The one that the maps of the Geological Survey and the Census use for the 48 states.
LOWER_48 = Albers(29.5, 45.5, -96.0, 37.5)


def fitted(west: float, south: float, east: float, north: float) -> Albers:
    """The projection with the least stretch for a box in degrees: parallels at a sixth of its height."""
    spread, middle = (north - south) / 6, (south + north) / 2
    lean = _LEAST_LEAN if abs(middle) < _LEAST_LEAN else 0.0
    return Albers(south + spread + lean, north - spread + lean, (west + east) / 2, middle)
