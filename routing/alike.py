"""Many named places at once, in columns: which of them are decided alike but for the names of their teams.

A decision feels of a place the rules about what holds it, each with its weight and with how surely it holds it; it
tells teams apart and never minds who they are. So places are laid out in rows of numbers; of those whose rows are
alike one is decided, by `decide` itself, and the teams of the others are read off their own rows.

Places that leave a doubt are no part of it, nor are areas that ended: they are asked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from referrals.facts import Relation
from routing.boundaries import Boundaries
from routing.circumstances import Circumstance
from routing.holding import Graph, held
from routing.rows import Numbers, Reading, Rows
from routing.situations import Answer


@dataclass(frozen=True)
class Same:
    """Places that are answered by `before` on one side and by `after` on the other."""

    before: Answer
    after: Answer
    count: int
    examples: list[str]


class Alike:
    """Named places under both sides of a change, in the graph of the old one. `alone` are those that have to be asked
    one by one."""

    def __init__(
        self, graph: Graph, old: Numbers, new: Numbers, relation: Relation, *, examples: int
    ) -> None:
        areas = self._areas = graph.asked
        self._examples = examples
        maps = (old.side.boundaries, new.side.boundaries)
        same = maps[0].digest == maps[1].digest
        before = held(graph)
        after = before if same else held(Graph(areas, new.side.parents))
        self._old, self._new = Rows(old, areas, relation, before), Rows(new, areas, relation, after)
        gone = [any(_is_gone(area, one) for one in maps[: 1 if same else 2]) for area in areas]
        alone = self._old.alone | self._new.alone | np.array(gone, dtype=bool)
        self.alone = [areas[row] for row in np.flatnonzero(alone).tolist()]
        self._rows = np.flatnonzero(~alone)

    def answers(self, circumstance: Circumstance) -> Iterator[Same]:
        """How all others are answered."""
        rows, old, new = self._rows, self._old, self._new
        a, b = (side.failing(circumstance)[rows] for side in (old, new))
        looks = np.stack([old.kind[rows], a, new.kind[rows], b], axis=1)
        for members in _split(looks):
            first = members[0]
            reads = (
                old.reading(int(rows[first]), int(a[first]), circumstance),
                new.reading(int(rows[first]), int(b[first]), circumstance),
            )
            yield from self._told(rows[members], reads)

    def _told(self, rows: Any, reads: tuple[Reading, Reading]) -> Iterator[Same]:
        before, after = (
            side.answers(rows, read) for side, read in zip((self._old, self._new), reads, strict=True)
        )
        teams = np.hstack([before, after])
        for members in _split(teams):
            one = teams[members[0]].tolist()
            yield Same(
                self._old.answer(one[: before.shape[1]], reads[0]),
                self._new.answer(one[before.shape[1] :], reads[1]),
                len(members),
                [self._areas[row] for row in rows[members[: self._examples]].tolist()],
            )


def _is_gone(area: str, boundaries: Boundaries) -> bool:
    """Whether a name means something else on that map, or nothing."""
    return not boundaries.knows(area) or boundaries.successors(area) != (area,)


def _split(rows: Any) -> Iterator[Any]:
    """The numbers of equal rows, together, each in ascending order."""
    if not len(rows):
        return
    order = np.lexsort(rows.T)
    ordered = rows[order]
    yield from np.split(order, np.flatnonzero((ordered[1:] != ordered[:-1]).any(axis=1)) + 1)
