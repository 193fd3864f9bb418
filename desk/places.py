"""Places of a referral in words: names instead of area ids, the most telling place first."""

from __future__ import annotations

from referrals.facts import Evidence, Facts, Relation
from routing import gazetteer
from routing.areas import layer_of
from routing.boundaries import Boundaries

_ORDER = (Relation.TARGET, Relation.INCIDENT, Relation.SUBJECT, Relation.REPORTER)
_NOT_KNOWN = "Place not known"


def in_words(facts: Facts, boundaries: Boundaries) -> str:
    """The place that counts most, such as `Tempe, AZ`; several where the words fitted several."""
    known = [piece for piece in facts.evidence if piece.areas or piece.latitude is not None]
    for relation in _ORDER:
        told = [words(piece, boundaries) for piece in known if piece.relation is relation]
        if told:
            return "; ".join(dict.fromkeys(told))
    return _NOT_KNOWN


def words(piece: Evidence, boundaries: Boundaries) -> str:
    """One piece of evidence in words."""
    if piece.areas:
        return " or ".join(named(area, boundaries) for area in piece.areas)
    if piece.latitude is not None:
        return f"a point on the map ({piece.latitude:.3f}, {piece.longitude:.3f})"
    return _NOT_KNOWN


def named(area: str, boundaries: Boundaries) -> str:
    """An area with the town that a school stands in and its state's letters: `Lincoln High School (Mesa), AZ`."""
    name, state = boundaries.name(area), gazetteer.load().states.get(boundaries.state_of(area))
    if layer_of(area) in {"school", "campus", "zip"}:
        towns = [above for above, _ in boundaries.parents(area) if layer_of(above) == "place"]
        name += f" ({boundaries.name(towns[0])})" if towns else ""
    return f"{name}, {state.letters}" if state and layer_of(area) != "state" else name
