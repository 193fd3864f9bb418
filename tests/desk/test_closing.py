"""Closing: a routine referral by one member, an urgent one by two."""

from __future__ import annotations

from referrals.facts import Urgency
from tests.desk.sitting import Desk

MANAGED: dict[str, str] = {"disposition": "managed", "reason": "Plan in place, family and school agree."}


def test_a_routine_one_closes_at_once(desk: Desk) -> None:
    reference = desk.held(urgency=Urgency.ROUTINE)
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    assert desk.row(reference).state == "closed"
    assert reference not in desk.seat("Ines").look("/").get_text()


def test_an_elevated_one_waits_for_another_member(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    assert desk.row(reference).state == "closing"
    desk.seat("Ines").look(f"/referrals/{reference}/closing", status=404)


def test_the_second_member_reads_the_reason_and_approves(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    page = desk.seat("Tomas").look(f"/referrals/{reference}/closing")
    assert "Plan in place" in page.get_text()
    desk.seat("Tomas").press(page, f"/referrals/{reference}/closing", {"answer": "approve"})
    assert desk.row(reference).disposition == "managed"


def test_the_second_member_may_refuse(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    desk.seat("Tomas").send(f"/referrals/{reference}/closing", {"answer": "refuse"})
    assert desk.row(reference).state == "held"


def test_closing_twice_reads_that_it_is_closed(desk: Desk) -> None:
    reference = desk.held(urgency=Urgency.ROUTINE)
    seat, address = desk.seat("Ines"), f"/referrals/{reference}/close"
    page = seat.look(address)
    seat.press(page, address, {**MANAGED})
    answer = seat.press(page, address, {**MANAGED}, status=409)
    assert MANAGED["reason"] in str(answer.textarea)


def test_a_reason_is_needed(desk: Desk) -> None:
    reference = desk.held()
    page = desk.seat("Ines").send(f"/referrals/{reference}/close", {"disposition": "managed"}, status=400)
    assert "Say why it can be closed." in page.get_text()
    assert page.select_one("input[value=managed][checked]") is not None
