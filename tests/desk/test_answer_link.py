"""The link of a mailed offer: looking changes nothing, the button answers once, and the imminent needs a sign-in."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from directory.tables import contacts, members, memberships
from foundation import database
from notifications import links
from notifications.tables import notices
from referrals.facts import Urgency
from tests.builders import WORDS, Town, later
from tests.desk.sitting import Desk
from tests.routing.acts import Case, faults, tip


@pytest.fixture
def case(town: Town) -> Case:
    """A tip that Tempe was asked to take."""
    return tip(town)


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    """A browser that nobody signed in with."""
    return desk.app.test_client()


def link(town: Town) -> str:
    """The path of the newest mailed offer's link."""
    query = select(notices).where(notices.c.channel == "email", notices.c.template == "offer")
    with database.reading(town.engine) as session:
        notice = session.execute(query.order_by(notices.c.created_at.desc())).first()
    return (links.url(town.settings, notice) or "").removeprefix(town.settings.desk_url) if notice else ""


def look(client: FlaskClient, path: str, status: int = 200) -> BeautifulSoup:
    answer = client.get(path)
    assert answer.status_code == status
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def press(client: FlaskClient, page: BeautifulSoup, path: str, act: str = "take", status: int = 200) -> str:
    token: Any = page.select_one("input[name=csrf_token]")
    answer = client.post(path, data={"csrf_token": token["value"] if token else "", "act": act})
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return answer.get_data(as_text=True)


def test_a_scanner_that_looks_changes_nothing(town: Town, case: Case, client: FlaskClient) -> None:
    for _ in range(3):
        text = look(client, link(town)).get_text()
    assert WORDS not in text
    assert "MST" in text
    assert case.offers()["tempe-police"] == "offered"


@pytest.mark.parametrize(("act", "state"), [("take", "acknowledged"), ("decline", "declined")])
def test_the_button_answers_in_the_readers_name(
    town: Town, case: Case, client: FlaskClient, act: str, state: str
) -> None:
    path = link(town)
    assert "Thank you" in press(client, look(client, path), path, act)
    row = case.handoff("tempe-police")
    assert (row.state, row.answered_via, row.answered_by) == (state, "link", town.member_id("Ines"))
    assert faults(town) == []


@pytest.mark.parametrize(("first", "second"), [("take", "take"), ("take", "decline"), ("decline", "take")])
def test_it_serves_once_in_every_order(
    town: Town, case: Case, client: FlaskClient, first: str, second: str
) -> None:
    path = link(town)
    page = look(client, path)
    press(client, page, path, first)
    state = case.handoff("tempe-police").state
    assert "You answered this already" in press(client, page, path, second)
    assert case.handoff("tempe-police").state == state


def test_who_was_second_is_told_so(town: Town, case: Case, desk: Desk, client: FlaskClient) -> None:
    path = link(town)
    page = look(client, path)
    case.acknowledge("Tomas", "tempe-police")
    assert "answered already" in press(client, page, path)
    assert case.handoff("tempe-police").answered_by == town.member_id("Tomas")


def test_the_imminent_needs_a_sign_in(town: Town, client: FlaskClient) -> None:
    case = tip(town, Urgency.ELEVATED)
    path = link(town)
    page = look(client, path)
    with database.transaction(town.engine) as session:
        session.execute(update(notices).values(urgency="imminent"))
    assert "sign in to answer" in press(client, page, path, status=403)
    assert not look(client, path).select("button[name=act]")
    assert case.handoff("tempe-police").state in {"offered", "opened"}


def test_another_site_cannot_press(town: Town, case: Case, client: FlaskClient) -> None:
    client.post(link(town), data={"act": "take"})
    assert case.offers()["tempe-police"] == "offered"


def test_a_link_dies_after_four_hours(town: Town, case: Case, client: FlaskClient) -> None:
    path = link(town)
    with later(hours=4, minutes=1):
        look(client, path, status=404)


@pytest.mark.parametrize("change", [-1, 5, 40])
def test_no_other_link_is_one(town: Town, case: Case, client: FlaskClient, change: int) -> None:
    path = link(town)
    at = change if change < 0 else len("/answer/") + change
    other = "A" if path[at] != "A" else "B"
    look(client, path[:at] + other + (path[at + 1 :] if at != -1 else ""), status=404)


@pytest.mark.parametrize("lost", ["mailbox", "seat", "account"])
def test_it_is_bound_to_the_person_and_the_mailbox(
    town: Town, case: Case, client: FlaskClient, lost: str
) -> None:
    path, ines = link(town), town.member_id("Ines")
    with database.transaction(town.engine) as session:
        session.execute(
            {
                "mailbox": update(contacts).where(contacts.c.member_id == ines).values(verified_at=None),
                "seat": delete(memberships).where(memberships.c.member_id == ines),
                "account": update(members).where(members.c.id == ines).values(active=False),
            }[lost]
        )
    look(client, path, status=404)


def test_what_no_button_can_answer_has_no_link(town: Town, case: Case) -> None:
    with database.transaction(town.engine) as session:
        session.execute(update(notices).values(asked="request"))
    assert link(town) == ""
