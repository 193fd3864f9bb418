"""Every way out of a team's hands, as pages: given back, asked for, told outside, stepped aside, called about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation import clock, database
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.moves import by_reference
from routing import clocks, handoffs, permission
from routing.states import Kind
from tests.builders import WORDS, later
from tests.desk.sitting import Desk
from tests.intake.office import Office

SHERIFF = {
    "agency": "Greenlee County Sheriff",
    "person": "Sheriff Dan Poe",
    "telephone": "+1 928 555 0100",
    "basis": "agreement",
    "parts": ["narrative"],
}


def state_of(desk: Desk, reference: str, kind: Kind) -> str:
    with database.reading(desk.town.engine) as session:
        rows = [row for row in handoffs.of_referral(session, desk.row(reference).id) if row.kind == kind]
    return str(rows[-1].state)


def sweep(desk: Desk) -> None:
    clocks.sweep(Duty(desk.town.engine, desk.town.settings, desk.town.keys))


def test_what_is_given_back_says_what_it_means_and_why(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "transfer", "mesa-police")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/acknowledge")
    link = desk.seat("Olu").look(f"/referrals/{reference}").find("a", string="Give it back to Tempe Police")
    assert link is not None
    page = desk.seat("Olu").look(str(link["href"]))
    assert "Your team gives up responsibility. It goes back to Tempe Police" in page.get_text(" ", strip=True)
    page = desk.seat("Olu").press(page, str(link["href"]), {"reason": "He lives in Tempe."}, to="/give-back")
    assert desk.row(reference).custodian_team_id == desk.town.team["tempe-police"]
    desk.seat("Ines").send(f"/referrals/{reference}", to="/open")
    assert "He lives in Tempe." in desk.seat("Ines").look(f"/referrals/{reference}").get_text()


def test_giving_back_needs_a_reason(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "consult", "mesa-police")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/acknowledge")
    link = desk.seat("Olu").look(f"/referrals/{reference}").find("a", string="Give it back to Tempe Police")
    assert link is not None
    page = desk.seat("Olu").send(str(link["href"]), {"reason": " "}, to="/give-back", status=400)
    assert "Say why." in page.get_text()


def test_a_helper_says_that_its_part_is_done(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "support", "mesa-police")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/acknowledge")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/complete")
    assert state_of(desk, reference, Kind.SUPPORT) == "completed"


def test_support_reads_the_need_and_the_contact_only(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "support", "tempe-care-7")
    desk.seat("Cora").send(f"/referrals/{reference}", to="/acknowledge")
    told = desk.seat("Cora").send(f"/referrals/{reference}", to="/open").get_text()
    assert "A talk. Ines, 0130." in told
    assert WORDS not in told
    assert "He has a knife." not in told


def test_a_supporter_does_not_read_what_another_was_asked(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "support", "tempe-care-7")
    desk.ask(reference, "support", "mesa-police")
    desk.seat("Cora").send(f"/referrals/{reference}", to="/acknowledge")
    told = desk.seat("Cora").send(f"/referrals/{reference}", to="/open").get_text()
    assert told.count("A talk. Ines, 0130.") == 1


def test_who_steps_aside_finds_nothing_any_more(desk: Desk) -> None:
    reference = desk.held()
    page = desk.seat("Ines").send(f"/referrals/{reference}/step-aside", {"who": "me"})
    assert "Your team goes on without you." in page.get_text()
    desk.seat("Ines").look(f"/referrals/{reference}", status=404)
    assert WORDS in desk.seat("Tomas").send(f"/referrals/{reference}", to="/open").get_text()


def test_a_whole_team_steps_aside_and_the_desk_above_has_it(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/step-aside", {"who": "team"})
    desk.seat("Tomas").look(f"/referrals/{reference}", status=404)
    assert desk.row(reference).custodian_team_id == desk.town.team["az-stamp"]
    assert "conflict of interest" in desk.seat("Ada").look(f"/referrals/{reference}").get_text()


def test_the_hub_asks_for_it_and_the_custodian_decides(desk: Desk) -> None:
    reference = desk.held()
    page = desk.seat("Ada").look(f"/referrals/{reference}/request")
    assert "You ask Tempe Police to pass" in page.get_text(" ", strip=True)
    desk.seat("Ada").press(page, f"/referrals/{reference}/request")
    desk.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
    assert desk.row(reference).custodian_team_id == desk.town.team["tempe-police"]
    desk.ask(reference, "transfer", "az-stamp")
    desk.seat("Ada").send(f"/referrals/{reference}", to="/acknowledge")
    assert state_of(desk, reference, Kind.REQUEST) == "completed"


def test_a_place_without_a_team_is_told_by_telephone_and_custody_stays(desk: Desk) -> None:
    """Story 4: the desk phones a sheriff who is in no directory, and calls back."""
    reference = desk.tip(evidence=())
    rita, address = desk.seat("Rita"), f"/referrals/{reference}"
    page = rita.send(f"{address}/outside", SHERIFF)
    assert "It is on record that Greenlee County Sheriff was told." in page.get_text()
    assert "Greenlee County Sheriff was asked" in rita.look("/").get_text(" ", strip=True)
    assert desk.row(reference).custodian_team_id == desk.town.team["root-desk"]
    link = rita.look(address).find("a", string="Record the call back to Greenlee County Sheriff")
    assert link is not None
    rita.send(str(link["href"]), {"result": "confirmed", "spoke_with": "Ann Ray"}, to="/call-back")
    assert state_of(desk, reference, Kind.EXTERNAL) == "acknowledged"
    assert (desk.row(reference).custodian_team_id, desk.row(reference).due_reason) == (
        desk.town.team["root-desk"],
        "outside",
    )


def test_a_call_of_tomorrow_is_a_slip(desk: Desk) -> None:
    reference = desk.tip(evidence=())
    tomorrow = (clock.now() + timedelta(days=2)).date().isoformat()
    page = desk.seat("Rita").send(
        f"/referrals/{reference}/outside", {**SHERIFF, "called_on": tomorrow}, status=400
    )
    assert "This is later than now." in page.get_text()
    assert page.find("input", attrs={"name": "agency"})["value"] == SHERIFF["agency"]  # type: ignore[index]


def h2(desk: Desk) -> str:
    """Nadia's office forwarded it under H2, and Ines holds it."""
    return desk.taken(handling="H2")


def test_h2_stops_at_the_page_until_the_originator_answered(desk: Desk) -> None:
    reference, ines = h2(desk), desk.seat("Ines")
    address = f"/referrals/{reference}/hand-on"
    chosen = {"to_team": desk.town.team["mesa-police"], "kind": "transfer", "step": "what"}
    page = ines.send(address, chosen)
    assert "It may not be passed on without permission." in page.get_text(" ", strip=True)
    page = ines.press(page, address, {"basis": "agreement", "step": "look"}, status=400)
    assert "Ask the originator first" in page.get_text()
    form = {"csrf_token": page.find("input", attrs={"name": "csrf_token"})["value"]}  # type: ignore[index]
    ines.client.post(f"/referrals/{reference}/permission", data={**form, "about": chosen["to_team"]})
    with database.transaction(desk.town.engine) as session:
        row = by_reference(session, reference)
        assert row is not None
        (asked,) = handoffs.open_offers(session, row.id, Kind.PERMISSION)
        nadia = desk.town.actor("Nadia")
        permission.answer(session, asked.id, granted=True, actor=nadia, now=clock.now())
    page = ines.press(ines.send(address, chosen), address, {"basis": "agreement", "step": "look"})
    ines.press(page, address, {"step": "send"})
    assert state_of(desk, reference, Kind.TRANSFER) == "offered"


def test_imminent_danger_sets_h2_aside_with_a_reason_on_record(desk: Desk) -> None:
    reference, ines = h2(desk), desk.seat("Ines")
    address = f"/referrals/{reference}/hand-on"
    chosen = {"to_team": desk.town.team["mesa-police"], "kind": "transfer", "step": "what"}
    said = {"basis": "agreement", "danger": "He is on his way.", "step": "look"}
    page = ines.press(ines.send(address, chosen), address, said)
    assert "Your name and your reason go on record" in page.get_text(" ", strip=True)
    ines.press(page, address, {"step": "send"})
    kinds = [entry["kind"] for entry in desk.recorded(reference)]
    assert {"override_recorded", "handoff_handling_set_aside"} <= set(kinds)


def test_an_emergency_without_a_threat_in_words_is_no_ground(desk: Desk) -> None:
    reference, ines = desk.held(), desk.seat("Ines")
    address = f"/referrals/{reference}/hand-on"
    page = ines.send(address, {"to_team": desk.town.team["mesa-police"], "kind": "consult", "step": "what"})
    page = ines.press(page, address, {"basis": "emergency", "step": "look"}, status=400)
    assert "Say what the threat is" in page.get_text()


def test_a_school_record_goes_on_only_with_its_ground(desk: Desk) -> None:
    reference, ines = desk.held(), desk.seat("Ines")
    ines.send(f"/referrals/{reference}/note", {"words": "Suspended in March.", "origin": "education"})
    address = f"/referrals/{reference}/hand-on"
    page = ines.send(address, {"to_team": desk.town.team["mesa-police"], "kind": "consult", "step": "what"})
    said = {"basis": "law_enforcement", "parts": ["narrative", "education"], "step": "send"}
    page = ines.press(page, address, said, status=400)
    assert "Education records go along only with consent" in page.get_text()


def test_calls_that_must_be_made_stand_on_top_until_a_person_records_them(desk: Desk) -> None:
    reference = desk.forwarded(urgency="imminent")
    for minutes in (5, 10, 11):
        with later(minutes=minutes, seconds=1):
            sweep(desk)
    ada = desk.seat("Ada")
    board = ada.look("/")
    assert board.find("h2", id="call") is not None
    page = ada.look(f"/referrals/{reference}/calls")
    assert "Call the 911 centre of the place" in page.get_text()
    assert "+1 480 555 0139" in page.get_text()
    for _ in range(2):
        ada.send(f"/referrals/{reference}/calls", {"result": "reached"})
    assert ada.look("/").find("h2", id="call") is None


def test_an_office_is_never_asked_to_pass_it_over(desk: Desk) -> None:
    reference = desk.forwarded()
    desk.seat("Ada").look(f"/referrals/{reference}/request", status=409)
    assert Office(desk.town, "Nadia").look("/portal")


def test_the_person_moved_and_both_teams_work_until_the_day(desk: Desk) -> None:
    reference, ines = desk.held(), desk.seat("Ines")
    address = f"/referrals/{reference}/hand-on"
    page = ines.send(address, {"to_team": desk.town.team["nv-hub"], "kind": "transfer", "step": "what"})
    until = (clock.now() + timedelta(days=14)).date().isoformat()
    page = ines.press(page, address, {"basis": "agreement", "overlap_until": until, "step": "look"})
    assert "Tempe Police works on beside them until" in page.get_text(" ", strip=True)
    ines.press(page, address, {"step": "send"})
    desk.seat("Neva").send(f"/referrals/{reference}", to="/acknowledge")
    assert WORDS in ines.send(f"/referrals/{reference}", to="/open").get_text()
    with later(days=15):
        sweep(desk)
    desk.enter_again("Ines")
    assert WORDS not in desk.seat("Ines").look(f"/referrals/{reference}").get_text()


def test_urgency_is_what_the_sentence_says(desk: Desk) -> None:
    reference = desk.held(urgency=Urgency.ROUTINE)
    page = desk.seat("Ines").look(f"/referrals/{reference}/hand-on")
    for line in ("They take responsibility.", "They work on it with you.", "They help with a need."):
        assert line in page.get_text()


@pytest.mark.parametrize("typed", ["555", "the sheriff"])
def test_a_number_that_no_telephone_has_is_refused_at_its_field(desk: Desk, typed: str) -> None:
    address = f"/referrals/{desk.held()}/outside"
    page = desk.seat("Ines").send(address, {**SHERIFF, "telephone": typed}, status=400)
    assert page.select_one("#telephone-error") is not None
