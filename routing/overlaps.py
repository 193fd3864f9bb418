"""Outlines of one layer that overlap by more than their own lines are uncertain."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from routing import land
from routing.areas import layer_of
from routing.boundaries import Boundaries

# A report with more of them is not read; they come from one wrong file.
MOST = 200
_DEGREE_M = 111_195.0


@dataclass(frozen=True)
class Overlap:
    """Two areas that both claim the same land."""

    area: str
    other: str
    km2: float


def overlaps(boundaries: Boundaries) -> tuple[Overlap, ...]:
    """Those of a site's own areas, the largest first. Kept for the last few maps."""
    key = (boundaries.digest, id(boundaries))
    if key not in _kept:
        _kept[key] = tuple(sorted(_found(boundaries), key=lambda one: -one.km2)[:MOST])
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return _kept[key]


_KEPT = 4
_kept: OrderedDict[tuple[str, int], tuple[Overlap, ...]] = OrderedDict()


def _found(boundaries: Boundaries) -> Iterator[Overlap]:
    layers: dict[str, list[int]] = defaultdict(list)
    drawn = boundaries.extra.drawn()
    for number, area in enumerate(drawn.ids):
        layers[layer_of(area)].append(number)
    for numbers in layers.values():
        own = shapely.from_wkb(np.array([drawn.outline(number) for number in numbers], dtype=object))
        shapely.prepare(own)
        # Neighbours that only share a line touch; these do more.
        one, other = shapely.STRtree(own).query(own, predicate="intersects")
        for first, second in zip(one[one < other].tolist(), other[one < other].tolist(), strict=True):
            both = numbers[first], numbers[second]
            common = shapely.intersection(own[first], own[second])
            doubt = max(float(drawn.precisions[number]) for number in both)
            # What stays when the doubt is taken off its sides is no matter of precision.
            if shapely.area(common) and not shapely.buffer(common, -doubt / _DEGREE_M / 2).is_empty:
                yield Overlap(drawn.ids[both[0]], drawn.ids[both[1]], land.km2(common))
