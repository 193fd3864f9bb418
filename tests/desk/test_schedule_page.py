"""Planning turns at the desk: a supervisor's rotation, everybody's exchange, and what is refused at which field."""

from __future__ import annotations

from datetime import timedelta

import icalendar
import pytest

from directory import schedules
from foundation import clock, database
from tests.desk.sitting import Desk, Seat

TURNS = "/teams/tempe-police/turns"
EXCHANGES = "/teams/tempe-police/exchanges"


@pytest.fixture
def tomas(desk: Desk) -> Seat:
    """Tomas, who supervises Tempe's team."""
    return desk.seat("Tomas")


def _rotation(desk: Desk, **more: str | list[str]) -> dict[str, str | list[str]]:
    first = (clock.now() - timedelta(days=2)).date().isoformat()
    numbered = {f"turn-{desk.town.member_id('Tomas')}": "1", f"turn-{desk.town.member_id('Ines')}": "2"}
    return {"name": "week", "starts": first, **numbered, **more}


def _called(desk: Desk) -> list[str]:
    with database.reading(desk.town.engine) as session:
        return schedules.ladder(session, desk.town.team["tempe-police"], clock.now())


def test_a_supervisor_plans_the_turns_and_the_page_says_who_has_the_duty(desk: Desk, tomas: Seat) -> None:
    tomas.send(TURNS, _rotation(desk))
    assert _called(desk)[0] == desk.town.member_id("Tomas")
    text = " ".join(tomas.look("/teams").get_text().split())
    assert "Tomas" in text.partition("has the duty")[0].rpartition(". ")[2]
    assert "Until" in text


def test_a_hole_is_refused_with_its_hours_and_keeps_what_was_typed(desk: Desk, tomas: Seat) -> None:
    answers = _rotation(desk, begins="08:00", ends="17:00")
    page = tomas.send(TURNS, answers, status=400)
    assert "Nobody has the duty from" in page.get_text()
    typed = page.find("input", {"name": "begins"})
    assert typed is not None
    assert typed["value"] == "08:00"
    tomas.send(TURNS, {**answers, "fallback_covers": "y"})
    assert _called(desk)


def test_a_rotation_that_leaves_a_hole_behind_stays_and_the_last_one_does_not(
    desk: Desk, tomas: Seat
) -> None:
    tomas.send(TURNS, _rotation(desk, name="always"))
    tomas.send(TURNS, _rotation(desk, name="office", begins="08:00", ends="17:00"))
    page = tomas.look(TURNS)
    remove = f"{TURNS}/remove"
    assert "Nobody has the duty" in tomas.press(page, remove, {"remove": "always"}, status=400).get_text()
    tomas.press(page, remove, {"remove": "office"})
    assert "There are no rotations" in tomas.press(page, remove, {"remove": "always"}).get_text()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"turn_days": "0"}, "1 to 366"),
        ({"starts": ""}, "first day"),
        ({"holidays": "Christmas", "begins": "08:00"}, "date such as"),
    ],
)
def test_a_fault_stands_at_its_field(desk: Desk, tomas: Seat, wrong: dict[str, str], says: str) -> None:
    page = tomas.send(TURNS, _rotation(desk, **wrong), status=400)
    assert says in page.get_text()


def test_all_faults_are_said_at_once(desk: Desk, tomas: Seat) -> None:
    wrong: dict[str, str | list[str]] = {
        "turn_days": "0",
        "holidays": "Christmas",
        "days": [],
        f"turn-{desk.town.member_id('Ines')}": "second",
    }
    told = tomas.send(TURNS, _rotation(desk, **wrong), status=400).get_text()
    for words in ("1 to 366", "date such as", "at least one day", "“second” is no number"):
        assert words in told


def test_who_is_no_supervisor_takes_over_a_turn_but_plans_none(desk: Desk) -> None:
    ines = desk.seat("Ines")
    assert "Add or replace" not in ines.look(TURNS).get_text()
    begins = clock.now() - timedelta(hours=20)
    answers = {
        "member": desk.town.member_id("Ines"),
        "swap_begins": f"{begins:%Y-%m-%dT%H:%M}",
        "swap_ends": f"{begins + timedelta(days=3):%Y-%m-%dT%H:%M}",
    }
    ines.send(TURNS, answers, to=EXCHANGES)
    assert _called(desk)[0] == desk.town.member_id("Ines")
    undo = ines.look(TURNS).find("form", action=lambda to: bool(to) and to.endswith("/undo"))
    assert undo is not None
    ines.send(TURNS, to=str(undo["action"]))
    assert "Exchanges" not in ines.look(TURNS).get_text()


def test_who_is_no_supervisor_plans_nothing_by_hand_either(desk: Desk) -> None:
    ines, before = desk.seat("Ines"), _called(desk)
    page = ines.look(TURNS)
    token = page.find("input", {"name": "csrf_token"})
    assert token is not None
    for address in (TURNS, f"{TURNS}/remove", f"{TURNS}/order"):
        answers = {"csrf_token": str(token["value"]), **_rotation(desk)}
        assert ines.client.post(address, data=answers).status_code == 404
    assert _called(desk) == before


def test_an_exchange_that_ends_before_it_begins_is_refused(desk: Desk) -> None:
    answers = {
        "member": desk.town.member_id("Tomas"),
        "swap_begins": "2030-01-02T08:00",
        "swap_ends": "2030-01-01T08:00",
    }
    page = desk.seat("Tomas").send(TURNS, answers, to=EXCHANGES, status=400)
    assert "end after it begins" in page.get_text()


def test_the_order_of_the_ladder_is_set_by_number(desk: Desk, tomas: Seat) -> None:
    last = _called(desk)[-1]
    tomas.send(TURNS, {f"turn-{last}": "1"}, to=f"{TURNS}/order")
    assert _called(desk)[0] == last


def test_another_teams_turns_are_not_there(desk: Desk) -> None:
    desk.seat("Olu").look(TURNS, status=404)


def test_my_turns_are_a_calendar_at_an_address_that_a_new_one_ends(desk: Desk, tomas: Seat) -> None:
    tomas.send(TURNS, _rotation(desk))
    addresses = []
    for _ in range(2):
        shown = tomas.send("/calendar").find(class_="fingerprint")
        assert shown is not None
        addresses.append(shown.get_text().partition("/calendar/")[2])
    stranger = desk.app.test_client()
    assert stranger.get(f"/calendar/{addresses[0]}").status_code == 404
    feed = icalendar.Calendar.from_ical(stranger.get(f"/calendar/{addresses[1]}").data)
    events = list(feed.walk("VEVENT"))
    assert {str(event["summary"]) for event in events} == {"On call: Tempe Police"}
    assert max(event.end for event in events) > clock.now()  # type: ignore[attr-defined]
