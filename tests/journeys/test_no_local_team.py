"""Story S4: a place without a team still has somebody responsible, and the gap can be seen and closed."""

from __future__ import annotations

import pytest

from desk.demonstration import PASSWORD
from tests.journeys import handing
from tests.journeys.house import RunningHouse, Visitor, code_in, eventually, reference_in
from tests.journeys.tempe import Cast

ADA, RITA, UMA = "+16025550120", "+12025550110", "+18015550102"
_EVERYWHERE = "100.0 % of addresses"
WORDS = "He wrote that people at the county fair will burn."
SHERIFF = {
    "agency": "Laramie County Sheriff",
    "person": "Dana Ruiz",
    "telephone": "(307) 555-0117",
    "basis": "law_enforcement",
}


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
    rita = cast["Rita"].open(f"/referrals/{_tip(house, state='WY')}")
    assert rita.status == 200
    assert "min left" in rita.text


def test_a_sheriff_outside_the_directory_is_called_back_before_it_counts(
    house: RunningHouse, cast: Cast
) -> None:
    reference, rita = _tip(house, place="Cheyenne", state="WY"), cast["Rita"]
    told = f"External: National desk to {SHERIFF['agency']}"
    rita.open(f"/referrals/{reference}/outside").submit(SHERIFF, button="Put it on record")
    assert rita.status == 200, rita.text[:800]
    handing.handed(rita, reference, told, "Not yet seen")
    assert "Custody moved" not in handing.timeline(rita, reference)
    rita.open(f"/referrals/{reference}").follow("Record the call back")
    rita.submit({"result": "confirmed", "spoke_with": "Sgt. Bell"}, button="Record the call")
    handing.handed(rita, reference, told, "Acknowledged")


@pytest.mark.slow
def test_a_gap_is_seen_closed_by_two_people_and_what_is_open_is_listed(
    house: RunningHouse, cast: Cast
) -> None:
    reference, rita, rob = _tip(house, place="Cheyenne", state="WY"), cast["Rita"], cast["Rob"]
    assert _EVERYWHERE in handing.flask(house, "routing", "gaps", "--state", "WY")
    _add_team(house)
    draft = _draft(rita)
    assert reference in rita.text, "the open referral is not listed for a person to offer it anew"
    rob.open(f"{house.desk}{draft}").submit(button="Approve it as it is")
    rob.submit(button="Publish these rules")
    assert "It is published" in rob.text, rob.text[:800]
    assert _EVERYWHERE not in rob.open("/rules/gaps?state=56").text
    handing.hand_on(rita, reference, "Laramie County team", "transfer")
    house.message("+13075550120", reference)


def _tip(house: RunningHouse, **where: str) -> str:
    """A tip that nobody but the national desk can take; returns its reference."""
    before = house.count(RITA, "task")
    Visitor(house).send_tip(what_happened=WORDS, behaviours=["threat_communicated"], **where)
    return reference_in(house.message(RITA, "task", beyond=before))


def _add_team(house: RunningHouse) -> None:
    slug, email = "laramie-county", "lou@laramie-county.example"
    handing.flask(
        house, "directory", "add-team", slug, "--name", "Laramie County team", "--kind", "local",
        "--parent", "root-desk", "--time-zone", "America/Denver",
    )  # fmt: skip
    handing.flask(
        house, "directory", "add-member", email, "--name", "Lou Hart", "--team", slug,
        "--discipline", "deputy", "--phone", "+1 307 555 0120", "--password", PASSWORD,
    )  # fmt: skip


def _draft(rita: Visitor) -> str:
    """A draft that gives the county to the new team, tried; returns its path."""
    rita.open("/rules/drafts").submit({"title": "A team for Laramie County"}, button="Start a draft")
    draft = rita.address.rpartition("//")[2].partition("/")[2]
    team = next(
        option["value"]
        for option in rita.open(f"/{draft}/rule").page.select("[name=team] option")
        if "Laramie" in option.get_text()
    )
    rita.submit(
        {"area": "Laramie County, WY", "team": team, "reason": "It has a team now."},
        button="Put it into the draft",
    )
    rita.open(f"/{draft}").submit(button="Try it")
    eventually(lambda: "would lead" in rita.open(f"/{draft}").text, "the dry run did not end")
    return f"/{draft}"
