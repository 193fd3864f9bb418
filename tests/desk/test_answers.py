"""Answering an offer: preview before, one press, a reason for no, and one winner of every race."""

from __future__ import annotations

from referrals.facts import Urgency
from tests.builders import WORDS
from tests.desk.sitting import Desk


def test_before_the_acknowledgement_only_the_preview_shows(desk: Desk) -> None:
    reference = desk.tip()
    page = desk.seat("Ines").look(f"/referrals/{reference}").get_text(" ", strip=True)
    assert "Sealed until you acknowledge" in page
    assert "You were asked because the place named lies in Tempe, AZ." in page
    assert WORDS not in page


def test_looking_at_an_offer_is_recorded_once(desk: Desk) -> None:
    reference = desk.tip()
    for name in ("Ines", "Tomas", "Ines"):
        desk.seat(name).look(f"/referrals/{reference}")
    opened = [entry for entry in desk.recorded(reference) if entry["kind"] == "handoff_offer_opened"]
    assert [entry["actor"]["member"] for entry in opened] == [desk.town.member_id("Ines")]


def test_one_press_moves_custody(desk: Desk) -> None:
    reference = desk.held()
    assert desk.row(reference).custodian_team_id == desk.town.team["tempe-police"]


def test_pressing_twice_reads_who_was_first(desk: Desk) -> None:
    reference = desk.tip()
    address = f"/referrals/{reference}"
    page = desk.seat("Ines").look(address)
    desk.seat("Tomas").send(address, to="/acknowledge")
    answer = desk.seat("Ines").press(page, address, to="/acknowledge", status=409)
    assert "Already acknowledged by Tomas Reed at" in answer.get_text()
    assert sum(entry["kind"] == "handoff_acknowledged" for entry in desk.recorded(reference)) == 1


def test_declining_needs_a_reason(desk: Desk) -> None:
    reference = desk.tip()
    link = desk.seat("Ines").look(f"/referrals/{reference}").find("a", string="Decline")
    assert link is not None
    page = desk.seat("Ines").send(str(link["href"]), to="/decline", status=400)
    assert "Choose a reason." in page.get_text()


def test_declining_goes_on_without_the_team(desk: Desk) -> None:
    reference = desk.tip()
    seat = desk.seat("Ines")
    link = seat.look(f"/referrals/{reference}").find("a", string="Decline")
    assert link is not None
    better = {"reason": "not_our_area", "better_team": desk.town.team["mesa-police"]}
    seat.send(str(link["href"]), better, to="/decline")
    (declined,) = [entry for entry in desk.recorded(reference) if entry["kind"] == "handoff_declined"]
    assert declined["facts"]["better_team"] == desk.town.team["mesa-police"]
    assert reference not in seat.look("/").get_text()


def test_who_declined_reads_what_became_of_it_and_no_more(desk: Desk) -> None:
    reference = desk.tip()
    seat = desk.seat("Ines")
    link = seat.look(f"/referrals/{reference}").find("a", string="Decline")
    assert link is not None
    seat.send(str(link["href"]), {"reason": "no_capacity"}, to="/decline")
    page = seat.look(f"/referrals/{reference}").get_text(" ", strip=True)
    assert "There is nothing for you to do here" in page
    assert "Tempe, AZ" not in page


def test_imminent_may_be_read_before_it_is_acknowledged(desk: Desk) -> None:
    reference = desk.tip(urgency=Urgency.IMMINENT)
    page = desk.seat("Ines").send(f"/referrals/{reference}", to="/open")
    assert WORDS in page.get_text()
    assert desk.row(reference).custodian_team_id != desk.town.team["tempe-police"]


def test_whoever_took_it_reads_what_can_be_opened_and_of_nothing_that_is_not_there(desk: Desk) -> None:
    page = desk.seat("Ines").look(f"/referrals/{desk.held()}").get_text(" ", strip=True)
    assert "You can open: what was told. Your name" in page
