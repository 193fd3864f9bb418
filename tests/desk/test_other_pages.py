"""Why here, the timeline, who is on call, status and finding."""

from __future__ import annotations

from datetime import timedelta

from directory import members
from foundation import clock, database, heartbeat
from referrals.facts import Urgency
from tests.desk.sitting import Desk


def test_why_here_says_it_in_a_sentence_first(desk: Desk) -> None:
    page = desk.seat("Ines").look(f"/referrals/{desk.tip()}/why")
    lead = page.select_one(".lead")
    assert lead is not None
    assert lead.get_text().startswith("Tempe Police leads because the place named is Tempe")
    assert "Lost on layer" in page.select("table")[0].get_text()


def test_the_timeline_is_sentences_and_the_ledgers_verdict(desk: Desk) -> None:
    text = desk.seat("Ines").look(f"/referrals/{desk.held()}/timeline").get_text(" ", strip=True)
    assert "Ines Vega of Tempe Police acknowledged the transfer." in text
    assert "The ledger of this referral is intact" in text


def test_a_reference_is_found_however_it_is_typed(desk: Desk) -> None:
    reference = desk.tip(urgency=Urgency.ROUTINE)
    seat = desk.seat("Ines")
    for typed in (reference, reference.lower().replace("-", ""), reference[2:]):
        seat.look(f"/find?reference={typed}")
        assert seat.answer.request.path == f"/referrals/{reference}"


def test_who_cannot_be_reached_is_said_in_words(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        for contact in members.reachable_contacts(session, [desk.town.member_id("Olu")]):
            members.disable_contact(session, contact.id, reason="gone", now=clock.now())
    text = desk.seat("Olu").look("/teams").get_text(" ", strip=True)
    assert "Cannot be reached" in text
    assert "Nobody of this team can be reached" in text


def test_a_clock_that_stands_still_is_said_in_words(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        heartbeat.beat(session, "clock", clock.now() - timedelta(seconds=61))
    assert "The clock stands still" in desk.seat("Ines").look("/status").get_text()
