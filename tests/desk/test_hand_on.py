"""Handing on: two questions, a last look that reads like a sentence, and custody that stays until somebody takes it."""

from __future__ import annotations

from collections.abc import Sequence

from bs4 import BeautifulSoup
from sqlalchemy import delete

from directory.members import Channel
from directory.tables import contacts
from foundation import database
from referrals.facts import Urgency
from tests.builders import WORDS, csrf_token
from tests.desk.sitting import Desk, Seat

Answers = dict[str, str | Sequence[str]]


def _last_look(
    desk: Desk, seat: Seat, reference: str, kind: str, **what: str | Sequence[str]
) -> BeautifulSoup:
    address = f"/referrals/{reference}/hand-on"
    whom: Answers = {"to_team": desk.town.team["saguaro-bend-school"], "kind": kind, "step": "what"}
    page = seat.send(address, whom)
    said = {"basis": "emergency", "threat": "He has a knife.", "need": "A talk. Ines, 0130."}
    return seat.press(page, address, {**said, "step": "look", **what})


def test_the_last_look_is_a_sentence(desk: Desk) -> None:
    reference = desk.held()
    page = _last_look(desk, desk.seat("Ines"), reference, "consult").get_text(" ", strip=True)
    assert f"You send {reference} to Saguaro Bend High School team as a consult ." in page
    assert "The ground: health or safety emergency ." in page


def test_nothing_is_sent_before_the_last_press(desk: Desk) -> None:
    reference = desk.held()
    before = len(desk.recorded(reference))
    _last_look(desk, desk.seat("Ines"), reference, "consult")
    assert len(desk.recorded(reference)) == before


def test_a_consult_leaves_responsibility_where_it_is(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    page = _last_look(desk, seat, reference, "consult")
    seat.press(page, f"/referrals/{reference}/hand-on", {"step": "send"})
    desk.seat("Sol").send(f"/referrals/{reference}", to="/acknowledge")
    assert desk.row(reference).custodian_team_id == desk.town.team["tempe-police"]
    assert WORDS in desk.seat("Sol").send(f"/referrals/{reference}", to="/open").get_text()


def test_only_what_is_ticked_goes_along(desk: Desk) -> None:
    reference = desk.held(subject="@sb_example")
    seat = desk.seat("Ines")
    page = _last_look(desk, seat, reference, "consult", parts=["subject"])
    seat.press(page, f"/referrals/{reference}/hand-on", {"step": "send"})
    desk.seat("Sol").send(f"/referrals/{reference}", to="/acknowledge")
    told = desk.seat("Sol").send(f"/referrals/{reference}", to="/open").get_text()
    assert "@sb_example" in told
    assert WORDS not in told


def test_support_starts_without_the_narrative_even_after_another_kind(desk: Desk) -> None:
    reference = desk.held()
    seat, address = desk.seat("Ines"), f"/referrals/{reference}/hand-on"
    page = _last_look(desk, seat, reference, "transfer")
    page = seat.press(page, address, {"step": "whom"})
    page = seat.press(page, address, {"kind": "support", "step": "what"})
    assert page.select("input[name=parts][checked]") == []


def test_the_words_show_in_the_last_look_while_they_are_open(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    assert WORDS not in _last_look(desk, seat, reference, "transfer").get_text()
    seat.send(f"/referrals/{reference}", to="/open")
    assert WORDS in _last_look(desk, seat, reference, "transfer").get_text()


def test_without_a_ground_nothing_goes(desk: Desk) -> None:
    reference = desk.held()
    address = f"/referrals/{reference}/hand-on"
    seat = desk.seat("Ines")
    page = seat.send(address, {"to_team": desk.town.team["tempe-care-7"], "kind": "support", "step": "what"})
    page = seat.press(page, address, {"step": "look"}, status=400)
    assert "Choose the ground" in page.get_text()
    carried = page.find("input", attrs={"name": "to_team", "type": "hidden"})
    assert carried is not None


def test_an_own_offer_can_be_taken_back(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    page = _last_look(desk, seat, reference, "transfer")
    seat.press(page, f"/referrals/{reference}/hand-on", {"step": "send"})
    seat.send(f"/referrals/{reference}", to="/recall")
    assert (
        "There is nothing for you to do here" in desk.seat("Sol").look(f"/referrals/{reference}").get_text()
    )
    assert reference not in desk.seat("Sol").look("/").get_text()


def test_who_holds_it_takes_back_what_was_asked_for_it_before(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "inform", "mesa-police")
    desk.ask(reference, "transfer", "saguaro-bend-school")
    desk.seat("Sol").send(f"/referrals/{reference}", to="/acknowledge")
    page = desk.seat("Sol").send(f"/referrals/{reference}", to="/recall")
    assert "You took back the offer to Mesa Police" in page.get_text()
    assert "Take back" not in page.get_text()


def test_the_notes_always_go_along_with_a_transfer_and_the_page_says_why(desk: Desk) -> None:
    reference = desk.held()
    seat, address = desk.seat("Ines"), f"/referrals/{reference}/hand-on"
    whom: Answers = {
        "to_team": desk.town.team["saguaro-bend-school"],
        "kind": "transfer",
        "step": "what",
    }
    page = seat.send(address, whom)
    assert "Notes and actions always go along with a transfer" in page.get_text(" ", strip=True)
    assert page.select("input[name=parts][value=notes]") == []
    page = seat.press(
        page, address, {"basis": "emergency", "threat": "A knife.", "step": "look", "parts": []}
    )
    assert "Notes and actions" in page.get_text()


def test_the_notes_can_be_left_out_of_a_consult(desk: Desk) -> None:
    reference = desk.held()
    page = _last_look(desk, desk.seat("Ines"), reference, "transfer")
    address = f"/referrals/{reference}/hand-on"
    page = desk.seat("Ines").press(page, address, {"kind": "consult", "step": "what"})
    assert page.select("input[name=parts][value=notes][checked]")
    page = desk.seat("Ines").press(page, address, {"step": "look", "parts": ["narrative"]})
    assert "Notes and actions" not in page.get_text()


def test_an_office_is_never_asked(desk: Desk) -> None:
    page = desk.seat("Ines").look(f"/referrals/{desk.held()}/hand-on")
    assert "FBI Phoenix" not in page.get_text()
    assert "Mesa Police" in page.get_text()


def test_who_only_helps_is_offered_no_note_and_keeps_the_words_of_one(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    page = _last_look(desk, seat, reference, "support")
    seat.press(page, f"/referrals/{reference}/hand-on", {"step": "send"})
    page = desk.seat("Sol").send(f"/referrals/{reference}", to="/acknowledge")
    assert page.find("a", string="Add a note") is None
    assert "Help as agreed" in page.get_text()
    data = {"csrf_token": csrf_token(str(desk.seat("Sol").look("/"))), "words": "we are on it"}
    answer = desk.seat("Sol").client.post(f"/referrals/{reference}/note", data=data)
    assert (answer.status_code, "we are on it" in answer.text) == (404, True)


def test_a_team_with_mail_alone_says_so_where_it_cannot_wait(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        mine = contacts.c.member_id == desk.town.member_id("Olu")
        session.execute(delete(contacts).where(mine, contacts.c.channel == Channel.SMS.value))
    told = "Mesa Police (nobody there has a telephone, and this cannot wait)"
    for urgency, says in ((Urgency.IMMINENT, True), (Urgency.ELEVATED, False)):
        reference = desk.held(urgency=urgency, form_key=f"{urgency}, a form's own key of 128 bits")
        page = desk.seat("Ines").look(f"/referrals/{reference}/hand-on")
        assert (told in [option.get_text(strip=True) for option in page.select("option")]) is says
