"""A referral's places as the board says them."""

from __future__ import annotations

import pytest

from desk import places
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing.boundaries import Boundaries

TEMPE, MESA, ARIZONA, NEVADA = "place:usps-AZ-TEMPE", "place:usps-AZ-MESA", "state:04", "state:32"


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        ([TEMPE, ARIZONA], "Tempe, AZ"),
        ([ARIZONA], "Arizona"),
        ([TEMPE, NEVADA], "Tempe, AZ; Nevada"),
        ([TEMPE, MESA], "Tempe, AZ; Mesa, AZ"),
        ([], "Place not known"),
    ],
)
def test_a_state_is_named_only_where_nothing_in_it_is(areas: list[str], said: str) -> None:
    told = tuple(Evidence(PlaceKind.PLACE, Relation.TARGET, (area,)) for area in areas)
    assert places.in_words(Facts(Urgency.ROUTINE, evidence=told), Boundaries()) == said
