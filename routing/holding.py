"""What holds what, for many areas at once and in columns: the same shares as `Boundaries.widen` finds one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from routing.areas import LAYER_RANKS, Shares, layer_of

LAYERS = tuple(LAYER_RANKS)
_NUMBER = {layer: number for number, layer in enumerate(LAYERS)}
_ZIP, _PLACE = _NUMBER["zip"], _NUMBER["place"]


@dataclass(frozen=True)
class Held:
    """A row for each of the areas asked about and each area that holds it, itself included: `place` is the number of
    the one, `above` that of the other, among `names`, which begin with those asked about; `share` as in `widen`.
    `layers` are the numbers of the names' layers. Rows are ordered by place, then above."""

    names: list[str]
    layers: Any
    place: Any
    above: Any
    share: Any


def held(graph: Graph) -> Held:
    """What holds each of the areas that were asked about."""
    start = np.arange(len(graph.asked), dtype=np.int64)
    reached = edge = _Pairs(start * len(graph.names) + start, np.ones(len(start)))
    # In rounds from the areas outwards, as `widen` climbs.
    for _ in range(len(LAYERS)):
        farther = graph.one_round(edge)
        better = farther.share > reached.share_of(farther.key)
        edge = _Pairs(farther.key[better], farther.share[better])
        if not len(edge.key):
            break
        reached = reached.raised(edge)
    place, above = np.divmod(reached.key, len(graph.names))
    return Held(graph.names, graph.layers, place, above, reached.share)


@dataclass(frozen=True)
class _Pairs:
    """Pairs of a place and what holds it, as one number each (place × names + above), ascending, with shares."""

    key: Any
    share: Any

    def share_of(self, keys: Any) -> Any:
        """Shares of these pairs; 0 for one that is not here."""
        at = np.minimum(np.searchsorted(self.key, keys), len(self.key) - 1)
        return np.where(self.key[at] == keys, self.share[at], 0.0)

    def raised(self, edge: _Pairs) -> _Pairs:
        """These and those; of a pair in both, the larger share."""
        return _grouped(
            np.concatenate([self.key, edge.key]), np.concatenate([self.share, edge.share]), np.maximum
        )


def _grouped(key: Any, share: Any, join: np.ufunc) -> _Pairs:
    if not len(key):
        return _Pairs(key, share)
    order = np.argsort(key, kind="stable")
    key, share = key[order], share[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return _Pairs(key[first], join.reduceat(share, first))


class Graph:
    """Areas, all different, and all that holds them however far above: `names`, which begin with those that are `asked`
    about. `parents` says what directly holds an area, with shares."""

    def __init__(self, areas: Sequence[str], parents: Callable[[str], Shares]) -> None:
        # Each one's parents are laid end to end.
        self.asked, self.names = areas, list(areas)
        codes = {area: code for code, area in enumerate(areas)}
        # It grows while it is walked, some hundred thousand times.
        names, known = self.names, codes.get
        begins, holders, parts = [0], [], []
        for name in names:
            for parent, part in parents(name):
                code = known(parent)
                if code is None:
                    code = codes[parent] = len(names)
                    names.append(parent)
                holders.append(code)
                parts.append(part)
            begins.append(len(holders))
        self.layers = np.array([_NUMBER[layer_of(name)] for name in self.names], dtype=np.int64)
        self._begins = np.array(begins, dtype=np.int64)
        self._parents = np.array(holders, dtype=np.int64)
        self._parts = np.array(parts, dtype=np.float64)

    def under(self, marked: Any) -> Any:
        """For each of the names, whether it is marked, or anything that holds it is."""
        below = np.repeat(np.arange(len(self.names)), np.diff(self._begins))
        marked, count = marked.copy(), -1
        while count < (count := int(marked.sum())):
            marked[below[marked[self._parents]]] = True
        return marked

    def one_round(self, edge: _Pairs) -> _Pairs:
        """What directly holds the edge. Neighbours add up (the counties of one ZIP, in their state); ways through
        different layers do not. Where a city lies says nothing of the part that a ZIP covers."""
        count = len(self.names)
        place, below = np.divmod(edge.key, count)
        climbs = ~((self.layers[below] == _PLACE) & (self.layers[place] == _ZIP))
        place, below, share = place[climbs], below[climbs], edge.share[climbs]
        many = self._begins[below + 1] - self._begins[below]
        rows = np.repeat(np.arange(len(below)), many)
        at = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many) + self._begins[below][rows]
        pair = place[rows] * count + self._parents[at]
        sums = _grouped(pair * len(LAYERS) + self.layers[below][rows], share[rows] * self._parts[at], np.add)
        return _grouped(sums.key // len(LAYERS), np.round(np.minimum(sums.share, 1.0), 4), np.maximum)
