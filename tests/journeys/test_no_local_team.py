"""Story S4 in its simple form: a place without a team still has somebody responsible."""

from __future__ import annotations

from tests.journeys.house import RunningHouse, Visitor, code_in, reference_in
from tests.journeys.tempe import Cast

ADA, RITA, UMA = "+16025550120", "+12025550110", "+18015550102"
WORDS = "He wrote that people at the county fair will burn."


def test_a_county_without_a_team_climbs_to_the_states_hub(house: RunningHouse, cast: Cast) -> None:
    before = house.count(ADA, "Reply A")
    Visitor(house).send_tip(
        what_happened=WORDS, place="St. Johns", state="AZ", behaviours=["threat_communicated"]
    )
    message = house.message(ADA, "Reply A", beyond=before)
    house.reply(ADA, f"A {code_in(message)}")
    house.message(ADA, f"You have {reference_in(message)}")
    assert cast["Ada"].open(f"/referrals/{reference_in(message)}").status == 200


def test_a_state_that_has_a_hub_only_goes_to_that_hub(house: RunningHouse) -> None:
    Visitor(house).send_tip(what_happened=WORDS, state="UT", behaviours=["threat_communicated"])
    assert "Reply A" in house.message(UMA, "ELEVATED")


def test_a_state_with_nobody_is_the_national_desks_with_a_clock(house: RunningHouse, cast: Cast) -> None:
    before = house.count(RITA, "task")
    Visitor(house).send_tip(what_happened=WORDS, state="WY", behaviours=["threat_communicated"])
    reference = reference_in(house.message(RITA, "task", beyond=before))
    rita = cast["Rita"].open(f"/referrals/{reference}")
    assert rita.status == 200
    assert "min left" in rita.text
