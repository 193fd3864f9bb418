"""Land in square kilometres, from outlines in degrees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from routing import outlines, shapes

# The radius of a sphere with the Earth's surface, in kilometres.
_RADIUS_KM = 6371.0072


def km2(shape: Any) -> float:
    """The area of an outline in degrees; on a sphere, exact to half a hundredth."""
    # The cylinder's projection along its axis keeps areas (Archimedes).
    flat = shapely.transform(
        shape, lambda at: np.column_stack([np.radians(at[:, 0]), np.sin(np.radians(at[:, 1]))])
    )
    return float(shapely.area(flat)) * _RADIUS_KM**2


@lru_cache(maxsize=1)
def counties() -> Mapping[str, float]:
    """Every county's land and waters by id, as its outline is drawn; what is drawn as a point has none."""
    lost = outlines.misdrawn()
    return {area: 0.0 if area in lost else km2(shape) for area, shape in shapes.counties().items()}
