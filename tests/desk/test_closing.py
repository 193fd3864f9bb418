"""Closing: a routine referral by one member, an urgent one by two."""

from __future__ import annotations

import pytest

from directory import members
from foundation import clock, database
from notifications import notices
from referrals.facts import Urgency
from routing import permission
from tests.builders import csrf_token, later
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


def test_the_second_member_is_told_that_a_closing_waits(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    with database.reading(desk.town.engine) as session:
        told = notices.told(session, desk.row(reference).id, "task")
    assert told == {desk.town.member_id("Tomas")}


def test_the_second_member_may_refuse(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    desk.seat("Tomas").send(f"/referrals/{reference}/closing", {"answer": "refuse"})
    assert desk.row(reference).state == "held"


def test_a_late_password_is_asked_for_before_the_reason_shows(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    seat = desk.seat("Tomas")
    with later(minutes=desk.town.settings.reentry_minutes + 1):
        seat.look(f"/referrals/{reference}/closing")
    assert seat.answer.request.path == "/prove"


def test_who_proposed_it_can_go_on_working_instead(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    page = desk.seat("Ines").send(f"/referrals/{reference}", to="/closing/withdraw")
    assert "Tempe Police goes on working on it." in page.get_text()
    assert "Ines Vega took back the closing" in page.get_text()
    assert (desk.row(reference).state, desk.row(reference).due_reason) == ("held", "work")


def test_nobody_but_the_team_that_holds_it_takes_a_closing_back(desk: Desk) -> None:
    reference = desk.taken()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    page = desk.seat("Ada").look(f"/referrals/{reference}")
    assert "Withdraw" not in page.get_text()
    data = {"csrf_token": csrf_token(str(desk.seat("Ada").look(f"/referrals/{reference}/closing")))}
    answer = desk.seat("Ada").client.post(f"/referrals/{reference}/closing/withdraw", data=data)
    assert (answer.status_code, desk.row(reference).state) == (404, "closing")


@pytest.mark.parametrize(("answer", "state"), [("approve", "closed"), ("refuse", "held")])
def test_the_hub_above_answers_without_reading_the_reason(desk: Desk, answer: str, state: str) -> None:
    reference = desk.taken()
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    page = desk.seat("Ada").look(f"/referrals/{reference}/closing")
    said = page.get_text(" ", strip=True)
    assert "The reason is sealed to your team" in said
    assert MANAGED["reason"] not in said
    assert "work is done" in said
    desk.seat("Ada").press(page, f"/referrals/{reference}/closing", {"answer": answer})
    assert desk.row(reference).state == state


@pytest.mark.parametrize(("kind", "asked"), [("support", "to help"), ("inform", "for a receipt")])
def test_help_that_nobody_answered_ends_with_the_closing(desk: Desk, kind: str, asked: str) -> None:
    reference = desk.held(urgency=Urgency.ROUTINE)
    desk.ask(reference, kind, "mesa-police")
    page = desk.seat("Ines").look(f"/referrals/{reference}/close")
    assert f"Mesa Police was asked {asked}." in page.get_text(" ", strip=True)
    desk.seat("Ines").press(page, f"/referrals/{reference}/close", {**MANAGED})
    assert desk.row(reference).state == "closed"
    assert "handoff_recalled" in [entry["kind"] for entry in desk.recorded(reference)]


def test_a_permission_that_is_still_asked_is_named_before_and_after_the_closing(desk: Desk) -> None:
    reference = desk.taken(handling="H2", urgency="routine")
    with database.transaction(desk.town.engine) as session:
        mesa, ines = desk.town.team["mesa-police"], desk.town.actor("Ines")
        permission.ask(session, desk.town.keys, desk.row(reference), mesa, actor=ines, now=clock.now())
    seat, address = desk.seat("Ines"), f"/referrals/{reference}/close"
    page = seat.look(address)
    assert "DHS NTER was asked whether it may go to Mesa Police." in page.get_text(" ", strip=True)
    told = seat.press(page, address, {**MANAGED}).get_text(" ", strip=True)
    assert "took back the question to DHS NTER whether it may go to another team." in told
    assert "The referral was closed before they answered" in told


def test_where_nobody_else_can_approve_the_desk_above_is_named(desk: Desk) -> None:
    reference = desk.held()
    with database.transaction(desk.town.engine) as session:
        members.leave(session, desk.town.member_id("Tomas"))
    seat, address = desk.seat("Ines"), f"/referrals/{reference}/close"
    page = seat.look(address)
    assert "Ask AZ-STAMP to close it" in page.get_text(" ", strip=True)
    assert "AZ-STAMP is asked to approve." in seat.press(page, address, {**MANAGED}).get_text(" ", strip=True)
    with database.reading(desk.town.engine) as session:
        told = notices.told(session, desk.row(reference).id, "task")
    assert desk.town.member_id("Ada") in told


def test_help_stays_asked_until_the_second_member_approves(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "support", "mesa-police")
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    assert reference in desk.seat("Olu").look("/").get_text()
    desk.seat("Tomas").send(f"/referrals/{reference}/closing", {"answer": "approve"})
    assert reference not in desk.seat("Olu").look("/").get_text()


def test_a_team_that_only_knows_of_it_neither_approves_nor_reads_its_timeline(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "inform", "mesa-police")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/acknowledge")
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED})
    for page in ("closing", "timeline"):
        desk.seat("Olu").look(f"/referrals/{reference}/{page}", status=404)


@pytest.mark.parametrize("kind", ["transfer", "consult"])
def test_nothing_closes_under_who_is_about_to_work_on_it(desk: Desk, kind: str) -> None:
    reference = desk.held(urgency=Urgency.ROUTINE)
    desk.ask(reference, kind, "mesa-police")
    page = desk.seat("Ines").send(f"/referrals/{reference}/close", {**MANAGED}, status=400)
    assert "Take it back first" in page.get_text()
    assert MANAGED["reason"] in str(page.textarea)


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
