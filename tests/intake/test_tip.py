"""A tip as a value: what it tells, how urgent it is, where it points."""

from __future__ import annotations

import pytest

from intake.tip import ELEVATED_ACTS, Danger, Tip
from referrals.behaviours import CODES
from referrals.facts import PlaceKind, Relation, Urgency
from routing.boundaries import Boundaries

MAP = Boundaries()


def test_danger_now_is_imminent_whatever_else_was_said() -> None:
    assert Tip("a", danger=Danger.YES).urgency is Urgency.IMMINENT


@pytest.mark.parametrize("act", sorted(ELEVATED_ACTS))
def test_a_threatening_act_is_elevated(act: str) -> None:
    assert Tip("a", behaviours=(act,), danger=Danger.NO).urgency is Urgency.ELEVATED


@pytest.mark.parametrize("act", sorted(CODES - ELEVATED_ACTS))
def test_any_other_act_is_routine(act: str) -> None:
    assert Tip("a", behaviours=(act,)).urgency is Urgency.ROUTINE


def test_only_known_acts_are_elevated() -> None:
    assert ELEVATED_ACTS < CODES


def test_a_place_becomes_evidence_without_its_words() -> None:
    located = Tip("a", place="Tempe", state="AZ", school="a school nobody knows").located(MAP)
    assert not located.faults
    assert {piece.relation for piece in located.evidence} == {Relation.TARGET}
    assert "place:usps-AZ-TEMPE" in {area for piece in located.evidence for area in piece.areas}
    assert PlaceKind.UNKNOWN in {piece.kind for piece in located.evidence}
    assert "nobody" not in repr(located)


def test_a_place_that_is_not_known_stays_in_the_words() -> None:
    tip = Tip("a", school="Behind the old mill", zip_code="85281")
    assert tip.told()["place"] == "Behind the old mill\n85281"


def test_the_same_words_from_the_same_form_are_one_submission() -> None:
    assert Tip("a").submission("key") == Tip("a").submission("key")


def test_other_words_or_another_form_are_another_submission() -> None:
    submissions = {Tip("a").submission("key"), Tip("b").submission("key"), Tip("a").submission("other")}
    assert len(submissions) == 3
