"""Evidence of place becomes hits: areas that it names, lies in, or may lie in; and the doubts that remain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from referrals.facts import Evidence, PlaceKind, Relation
from routing.areas import COVERING_LAYERS, layer_of
from routing.boundaries import Boundaries

if TYPE_CHECKING:
    from routing.outlines import Near


class Confidence(StrEnum):
    """How sure it is that the evidence means the area.

    *asserted*: a person named it; *inside*: a point, farther from the line than all uncertainty; *share*:
    that share of a ZIP's addresses (or of a place) lies there; *border*: one of several that fit.
    """

    ASSERTED = "asserted"
    INSIDE = "inside"
    SHARE = "share"
    BORDER = "border"


RANKS = {Confidence.ASSERTED: 3, Confidence.INSIDE: 2, Confidence.SHARE: 1, Confidence.BORDER: 0}
# By value: the hash of a member of an enumeration costs more than all else in the inner loop.
_RANK_OF = {confidence.value: rank for confidence, rank in RANKS.items()}


class DoubtKind(StrEnum):
    """Why several areas fit: a line close by, words that fit several, a ZIP or place that spans several."""

    LINE = "line"
    CHOICE = "choice"
    SHARE = "share"


class Hit(NamedTuple):
    """The evidence means, or may mean, this area. `share` is 1.0 but where only part of it lies there;
    `distance_m` is the way from a point to the area's line, where that mattered."""

    area: str
    relation: Relation
    confidence: Confidence
    share: float = 1.0
    distance_m: float | None = None


Hits = tuple[Hit, ...]
# Some tens of MB at most; more different places are named in no week.
_REMEMBERED = 20_000


class Option(NamedTuple):
    """One way in which a doubt may end: the point lies in `area` ("" for outside all of them), and then
    `hits` hold."""

    area: str
    hits: Hits


class Doubt(NamedTuple):
    """Several areas of one layer fit. `nominal` holds as long as nobody knows better."""

    kind: DoubtKind
    relation: Relation
    options: tuple[Option, ...]
    nominal: Hits = ()
    distance_m: float | None = None


class Located(NamedTuple):
    """All hits, each area once per relation, and what would hold if a doubt were settled."""

    hits: Hits
    certain: Hits
    doubts: tuple[Doubt, ...]

    def settled(self, felt: Callable[[Hits], Hits] = tuple) -> Iterator[tuple[Doubt, Option, Hits]]:
        """Each doubt ended in each of its ways, one at a time, the others left open; of the hits what `felt` keeps."""
        certain = felt(self.certain)
        nominal = [felt(doubt.nominal) for doubt in self.doubts]
        for at, doubt in enumerate(self.doubts):
            others = [hit for hits in (*nominal[:at], *nominal[at + 1 :]) for hit in hits]
            rest = _best((*certain, *others), {})
            for option in doubt.options:
                yield doubt, option, _by_id(_best(felt(option.hits), rest))


def locate(evidence: Iterable[Evidence], boundaries: Boundaries, floor: float) -> Located:
    """Hits of all evidence, widened by everything that holds them. Shares below `floor` leave a doubt.
    Evidence that names nothing known finds nothing; it is never an error."""
    certain: list[Hit] = []
    doubts: list[Doubt] = []
    for piece in evidence:
        locator = _at_point if piece.kind is PlaceKind.POINT else _remembered
        hits, open_questions = locator(piece, boundaries, floor)
        certain += hits
        doubts += open_questions
    nominal = [hit for doubt in doubts for hit in doubt.nominal]
    return Located(_merged((*certain, *nominal)), tuple(certain), tuple(doubts))


def _remembered(piece: Evidence, boundaries: Boundaries, floor: float) -> tuple[Hits, list[Doubt]]:
    """What a name means is the map's alone, so the map remembers it: the same towns are named again and again."""
    asked = piece.areas, piece.relation._value_, floor
    known = boundaries.remembered.get(asked)
    if known is None:
        known = _by_name(piece, boundaries, floor)
        if len(boundaries.remembered) >= _REMEMBERED:
            boundaries.remembered.clear()
        boundaries.remembered[asked] = known
    return known


def _by_name(piece: Evidence, boundaries: Boundaries, floor: float) -> tuple[Hits, list[Doubt]]:
    successors = {area for named in piece.areas for area in boundaries.successors(named)}
    known = sorted(area for area in successors if boundaries.knows(area))
    if len(known) > 1:
        return (), [_choice(known, piece.relation, boundaries)]
    if not known:
        return (), []
    hits = _widened(known[0], piece.relation, Confidence.ASSERTED, boundaries)
    return hits, _share_doubts(hits, boundaries, floor)


def _widened(area: str, relation: Relation, confidence: Confidence, boundaries: Boundaries) -> Hits:
    """The area and all that holds it. What holds only part of it is a share; so is everything about a ZIP."""
    by_zip, partly = layer_of(area) == "zip", Confidence.SHARE
    return tuple(
        [
            Hit(
                above,
                relation,
                confidence if share >= 1 and not (by_zip and above != area) else partly,
                share,
            )
            for above, share in boundaries.widen(area)
        ]
    )


def _share_doubts(hits: Hits, boundaries: Boundaries, floor: float) -> list[Doubt]:
    """One doubt per layer in which no area has enough; areas below one minus the floor are too unlikely to
    ask for."""
    layers: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        layers[layer_of(hit.area)].append(hit)
    return [
        Doubt(
            DoubtKind.SHARE,
            likely[0].relation,
            tuple(
                Option(hit.area, _widened(hit.area, hit.relation, Confidence.SHARE, boundaries))
                for hit in likely
            ),
        )
        for found in layers.values()
        if all(hit.share < floor for hit in found)
        and (likely := [hit for hit in found if hit.share >= 1 - floor])
    ]


def _choice(areas: list[str], relation: Relation, boundaries: Boundaries) -> Doubt:
    options = tuple(Option(area, _widened(area, relation, Confidence.ASSERTED, boundaries)) for area in areas)
    return Doubt(DoubtKind.CHOICE, relation, options, _nominal(options))


def _nominal(options: tuple[Option, ...], distances: dict[str, float] | None = None) -> Hits:
    """What is common to all options is as sure as they would be; the rest is border."""
    seen: dict[str, list[Hit]] = defaultdict(list)
    for option in options:
        for hit in option.hits:
            seen[hit.area].append(hit)
    return tuple(
        min(found, key=lambda hit: (_RANK_OF[hit.confidence._value_], hit.share))
        if len(found) == len(options)
        else Hit(area, found[0].relation, Confidence.BORDER, found[0].share, (distances or {}).get(area))
        for area, found in seen.items()
    )


def _at_point(piece: Evidence, boundaries: Boundaries, floor: float) -> tuple[Hits, list[Doubt]]:
    if piece.latitude is None or piece.longitude is None:
        return (), []
    near = boundaries.outlines.at(piece.latitude, piece.longitude, piece.accuracy_m or 0.0)
    layers: dict[str, list[Near]] = defaultdict(list)
    for area in near:
        layers[layer_of(area.area)].append(area)
    certain: list[Hit] = []
    doubts = []
    for layer, areas in sorted(layers.items()):
        if all(area.certain for area in areas):
            for area in areas:
                certain += _widened(area.area, piece.relation, Confidence.INSIDE, boundaries)
        else:
            # Near one line, nothing of that layer is certain: the other side is a neighbour's.
            doubts.append(_line_doubt(layer, areas, piece.relation, boundaries))
    return tuple(certain), doubts


def _line_doubt(layer: str, areas: list[Near], relation: Relation, boundaries: Boundaries) -> Doubt:
    inside = tuple(
        Option(area.area, _widened(area.area, relation, Confidence.INSIDE, boundaries)) for area in areas
    )
    # States and counties leave no gaps; beyond a city's or a campus's line there may be none.
    outside = () if layer in COVERING_LAYERS else (Option("", ()),)
    distances = {area.area: area.distance_m for area in areas}
    nominal = _nominal((*inside, *outside), distances)
    return Doubt(DoubtKind.LINE, relation, (*inside, *outside), nominal, min(distances.values()))


def _merged(hits: Iterable[Hit]) -> Hits:
    """Each area once per relation, by its best hit; in the order of their ids."""
    return _by_id(_best(hits, {}))


def _best(hits: Iterable[Hit], known: dict[tuple[str, Relation], Hit]) -> dict[tuple[str, Relation], Hit]:
    """The best hit by area and relation, where those in `known` count too."""
    best = known.copy()
    for hit in hits:
        of = hit[:2]
        other = best.get(of)
        if other is None or _weight(hit) > _weight(other):
            best[of] = hit
    return best


def _by_id(best: dict[tuple[str, Relation], Hit]) -> Hits:
    return tuple([best[of] for of in sorted(best)])


def _weight(hit: Hit) -> tuple[int, float, float]:
    return _RANK_OF[hit.confidence._value_], hit.share, -(hit.distance_m or 0.0)
