"""Places of a referral in words: names instead of area ids, the most telling place first."""

from __future__ import annotations

from referrals.facts import Evidence, Facts, Relation
from routing.areas import layer_of
from routing.boundaries import Boundaries
from routing.naming import named

_ORDER = (Relation.TARGET, Relation.INCIDENT, Relation.SUBJECT, Relation.REPORTER)
_NOT_KNOWN = "Place not known"


def in_words(facts: Facts, boundaries: Boundaries) -> str:
    """The place that counts most, such as `Tempe, AZ`; several where the words fitted several."""
    known = [piece for piece in facts.evidence if piece.areas or piece.latitude is not None]
    for relation in _ORDER:
        told = _telling([piece for piece in known if piece.relation is relation], boundaries)
        if told:
            return "; ".join(dict.fromkeys(words(piece, boundaries) for piece in told))
    return _NOT_KNOWN


def _telling(pieces: list[Evidence], boundaries: Boundaries) -> list[Evidence]:
    """Without the state that another piece lies in: it says nothing more."""
    areas = [area for piece in pieces for area in piece.areas]
    inside = {boundaries.state_of(area) for area in areas if layer_of(area) != "state"}
    states = {area for area in areas if layer_of(area) == "state" and boundaries.state_of(area) in inside}
    return [piece for piece in pieces if not piece.areas or not states.issuperset(piece.areas)]


def words(piece: Evidence, boundaries: Boundaries) -> str:
    """One piece of evidence in words."""
    if piece.areas:
        return " or ".join(named(area, boundaries) for area in piece.areas)
    if piece.latitude is not None:
        return f"a point on the map ({piece.latitude:.3f}, {piece.longitude:.3f})"
    return _NOT_KNOWN
