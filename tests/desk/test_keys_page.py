"""The administrator's page of the API's keys."""

from __future__ import annotations

from datetime import timedelta

from bs4 import BeautifulSoup
from sqlalchemy import select

from directory import api_keys
from directory.api_keys import PREFIX
from directory.tables import api_keys as rows
from foundation import clock, database
from ledger.tables import ledger_entries
from tests.desk.sitting import Desk

ADDRESS = "/keys"


def answers(desk: Desk, first_name: str = "Frank") -> dict[str, str | list[str]]:
    who = desk.town.actor(first_name)
    return {
        "seat": f"{who.team_id} {who.member_id}",
        "name": "case system",
        "scopes": ["read", "permit"],
        "days": "30",
    }


def shown(page: BeautifulSoup) -> str:
    found = page.select_one(".fingerprint")
    return found.get_text(strip=True) if found else ""


def entry_kinds(desk: Desk) -> list[str]:
    """Of keys, with who did it."""
    kinds = ("api_key_made", "api_key_ended")
    with database.reading(desk.town.engine) as session:
        found = session.execute(select(ledger_entries).where(ledger_entries.c.kind.in_(kinds))).all()
    assert all(desk.town.member_id("Rita") in row.body for row in found)
    return [row.kind for row in found]


def test_a_key_is_made_shown_once_and_ended_all_on_record(desk: Desk) -> None:
    rita = desk.seat("Rita")
    key = shown(rita.send(ADDRESS, answers(desk)))
    assert key.startswith(PREFIX)
    with database.reading(desk.town.engine) as session:
        found = api_keys.in_force(session, key, clock.now())
    assert found
    assert (found.member.name, sorted(found.scopes)) == ("Frank Ames", ["permit", "read"])
    again = rita.look(ADDRESS)
    assert key not in str(again)
    listed = again.get_text(" ", strip=True)
    assert "FBI Phoenix : case system" in listed
    assert "See who has them now · Answer whether one may be passed on" in listed
    assert "Never used" in listed
    over = rita.send(ADDRESS, to="/end").get_text(" ", strip=True)
    assert "Keys that are over (1)" in over
    assert "No key is in force" in over
    with database.reading(desk.town.engine) as session:
        assert api_keys.in_force(session, key, clock.now()) is None
    assert entry_kinds(desk) == ["api_key_made", "api_key_ended"]


def test_a_form_sent_twice_makes_one_key_and_says_so(desk: Desk) -> None:
    rita = desk.seat("Rita")
    page = rita.look(ADDRESS)
    assert shown(rita.press(page, ADDRESS, answers(desk)))
    twice = rita.press(page, ADDRESS, answers(desk), status=400)
    assert "made a moment ago" in twice.get_text()
    assert (shown(twice), entry_kinds(desk)) == ("", ["api_key_made"])
    # The page that showed it has a form of its own.
    assert shown(rita.press(rita.look(ADDRESS), ADDRESS, answers(desk)))


def test_what_is_missing_is_said_and_nothing_is_made(desk: Desk) -> None:
    page = desk.seat("Rita").send(ADDRESS, answers(desk) | {"name": "", "scopes": [], "seat": ""}, status=400)
    for sentence in ("Choose who answers for it.", "Name the system.", "Choose at least one."):
        assert sentence in page.get_text()
    # Only members of offices answer for keys.
    assert "Ines" not in str(page.select_one("#seat"))
    assert desk.seat("Rita").send(ADDRESS, answers(desk, "Ines"), status=400)
    assert entry_kinds(desk) == []


def test_the_password_is_asked_before(desk: Desk) -> None:
    rita = desk.seat("Rita")
    page = rita.look(ADDRESS)
    with clock.moved(timedelta(minutes=desk.town.settings.reentry_minutes + 1)):
        assert rita.look(ADDRESS).select_one("#password")
        assert rita.press(page, ADDRESS, answers(desk)).select_one("#password")
    assert entry_kinds(desk) == []


def test_keys_are_the_administrators_alone(desk: Desk) -> None:
    for name in ("Ada", "Ines"):
        desk.seat(name).look(ADDRESS, status=404)
        assert "/keys" not in str(desk.seat(name).look("/"))
    assert "/keys" in str(desk.seat("Rita").look("/"))


def test_what_ends_soon_and_who_left_stand_there(desk: Desk) -> None:
    rita = desk.seat("Rita")
    rita.send(ADDRESS, answers(desk))
    assert "Ends soon" not in rita.look(ADDRESS).get_text()
    with database.transaction(desk.town.engine) as session:
        session.execute(rows.update().values(expires_at=clock.now() + api_keys.SOON))
    assert "Ends soon" in rita.look(ADDRESS).get_text()
    with database.transaction(desk.town.engine) as session:
        session.execute(rows.update().values(expires_at=clock.now()))
    assert "Its time was over" in rita.look(ADDRESS).get_text()
