"""Places of a referral in words: names instead of area ids, the most telling place first."""

from __future__ import annotations

from referrals.facts import Evidence, Facts, Relation
from routing.boundaries import Boundaries
from routing.naming import named

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
