"""Records at the desk: the list of what is due, a hold, and an erasure that two people want."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from referrals.facts import Urgency
from tests.builders import later
from tests.desk.sitting import Desk

ENDED = {"disposition": "unfounded", "reason": "A line of a song."}
WHY = "The county court asked for it, case 77-1."


def _closed(desk: Desk) -> str:
    reference = desk.held(urgency=Urgency.ROUTINE)
    desk.seat("Ines").send(f"/referrals/{reference}/close", {**ENDED})
    return reference


@contextmanager
def _in_time(desk: Desk) -> Iterator[None]:
    """A hundred days later: what ended as unfounded has had its time."""
    with later(days=100):
        desk.enter_again("Ines", "Tomas", "Olu", "Ada")
        yield


def test_the_list_names_what_is_due_to_the_team_that_closed_it(desk: Desk) -> None:
    reference = _closed(desk)
    assert desk.seat("Ines").look("/").find("a", href="/records")
    assert reference not in desk.seat("Ines").look("/records").get_text()
    with _in_time(desk):
        assert reference in desk.seat("Ines").look("/records").get_text()
        assert reference not in desk.seat("Olu").look("/records").get_text()


def test_who_administers_sees_that_it_is_due_and_not_how_it_ended(desk: Desk) -> None:
    reference = _closed(desk)
    with later(days=100):
        page = " ".join(desk.seat("Rita").look("/records").get_text().split())
    assert reference in page
    assert "there is no concern" not in page


def test_two_people_erase_and_then_the_reference_leads_nowhere(desk: Desk) -> None:
    reference = _closed(desk)
    address = f"/referrals/{reference}/record"
    with _in_time(desk):
        ines, tomas = desk.seat("Ines"), desk.seat("Tomas")
        ines.send(address, to=f"{address}/erase")
        assert "Another person must answer" in ines.look(address).get_text()
        tomas.send(address, {"answer": "erase"}, to=f"{address}/erasure")
        assert "is erased" in tomas.answer.get_data(as_text=True)
        ines.look(f"/referrals/{reference}", status=404)
        assert reference not in ines.look("/records").get_text()
    assert desk.recorded(reference)[-1]["kind"] == "erased"


def test_whoever_asked_cannot_answer_even_by_hand(desk: Desk) -> None:
    reference = _closed(desk)
    address = f"/referrals/{reference}/record"
    with _in_time(desk):
        ines, tomas = desk.seat("Ines"), desk.seat("Tomas")
        ines.send(address, to=f"{address}/erase")
        page = tomas.look(address)
        ines.press(page, address, {"answer": "erase"}, to=f"{address}/erasure", status=400)
    assert desk.row(reference).erased_at is None


def test_a_hold_keeps_it_with_its_reason_among_the_notes(desk: Desk) -> None:
    reference = _closed(desk)
    address = f"/referrals/{reference}/record"
    desk.seat("Ines").send(address, {"words": WHY}, to=f"{address}/hold")
    with _in_time(desk):
        ines = desk.seat("Ines")
        assert "legal hold keeps it" in ines.look("/records").get_text()
        page = ines.look(address)
        assert page.find("form", action=f"{address}/erase") is None
        lift = page.find("form", action=lambda to: bool(to) and to.endswith("/lift"))
        assert lift is not None
        ines.send(address, to=str(lift["action"]))
        assert ines.look(address).find("form", action=f"{address}/erase") is not None
    kinds = [entry["kind"] for entry in desk.recorded(reference)]
    assert {"hold_placed", "hold_recorded", "hold_lifted"} <= set(kinds)
    assert WHY not in str(desk.recorded(reference))


def test_a_hold_without_a_reason_is_refused_at_the_field(desk: Desk) -> None:
    reference = _closed(desk)
    address = f"/referrals/{reference}/record"
    page = desk.seat("Ines").send(address, {"words": ""}, to=f"{address}/hold", status=400)
    assert "Say why it must be kept" in page.get_text()


def test_an_open_one_says_that_its_ending_decides(desk: Desk) -> None:
    reference = desk.held()
    text = desk.seat("Ines").look(f"/referrals/{reference}/record").get_text()
    assert "It is open" in text
    desk.seat("Olu").look(f"/referrals/{reference}/record", status=404)


def test_the_referrals_page_leads_to_how_long_it_is_kept(desk: Desk) -> None:
    open_one, closed = desk.held(form_key="the key of an open one, 128 bits"), _closed(desk)
    for reference in (open_one, closed):
        page = desk.seat("Ines").look(f"/referrals/{reference}")
        link = page.find("a", string="How long this is kept")
        assert link is not None
        assert desk.seat("Ines").look(str(link["href"])).get_text()
    desk.ask(open_one, "support", "tempe-care-7")
    desk.seat("Cora").send(f"/referrals/{open_one}", to="/acknowledge")
    assert "How long this is kept" not in desk.seat("Cora").look(f"/referrals/{open_one}").get_text()
