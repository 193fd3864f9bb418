"""Story S2 in its simple form: only a school's name, and several schools have it. Nobody guesses."""

from __future__ import annotations

from tests.journeys.house import RunningHouse, Visitor, eventually, reference_in
from tests.journeys.tempe import Cast

LEAH, LARS, ADA = "+14805550180", "+15205550181", "+16025550120"
TOLD = {"what_happened": "He showed me a gun and said Friday.", "school": "Lincoln High", "state": "AZ"}


def test_a_name_that_fits_two_schools_is_the_hubs_to_settle(house: RunningHouse, cast: Cast) -> None:
    before = len(house.messages(LEAH)) + len(house.messages(LARS))
    tasks = house.count(ADA, "task")
    Visitor(house).send_tip(**TOLD, danger="no", behaviours=["weapon_seeking"])
    reference = reference_in(house.message(ADA, "task", beyond=tasks))
    assert len(house.messages(LEAH)) + len(house.messages(LARS)) == before
    ada = cast["Ada"].open(f"/referrals/{reference}")
    assert ada.status == 200, "the hub that holds it cannot see it"


def test_in_imminent_danger_every_candidate_is_told_at_once_and_the_wrong_one_is_released(
    house: RunningHouse, cast: Cast
) -> None:
    words = Visitor(house).send_tip(**TOLD, danger="yes")
    asked = house.message(LEAH, "place unclear")
    reference = reference_in(asked)
    assert reference in house.message(LARS, "place unclear")
    _tell_the_town(cast["Ada"], reference, "Mesa")
    house.message(LARS, f"{reference} no longer waits")
    house.reply(LEAH, f"A {asked.split('Reply A ')[1][:4]}")
    house.message(LEAH, f"You have {reference}")
    standing = _standing(house, words)
    assert "a team has it" in standing.lower(), standing


def test_a_receipt_that_nobody_has_says_nothing_of_others(house: RunningHouse) -> None:
    visitor = Visitor(house).open(f"{house.public}/status")
    visitor.submit(
        {"code_words": "abacus abdomen abdominal abide abiding ability ablaze able"}, form="main form"
    )
    assert visitor.status == 400
    assert "R-" not in visitor.text


def _tell_the_town(desk: Visitor, reference: str, town: str) -> None:
    desk.open(f"/referrals/{reference}/place")
    desk.submit({"relation": "target", "school": "Lincoln High", "place": town, "state": "AZ"}, button="lace")
    assert desk.status == 200, desk.text[:600]


def _standing(house: RunningHouse, words: str) -> str:
    def held() -> str | None:
        visitor = Visitor(house).open(f"{house.public}/status")
        visitor.submit({"code_words": words}, form="main form")
        return visitor.heading if "team has it" in visitor.heading.lower() else None

    return eventually(held, "the reporter never read that a team has it")
