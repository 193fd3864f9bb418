"""My contacts at the portal: an office's member is reached where they agreed to be, and proves it by a code."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from directory import contacts, members
from directory.contacts import CONSENT_NOW
from directory.tables import contact_codes, memberships
from directory.tables import contacts as rows
from directory.tables import members as people
from foundation import clock, database
from notifications import losses
from tests import builders
from tests.builders import Town
from tests.intake.office import Office, faults, text

ADDED = {"channel": "sms", "address": "(602) 555-0199", "agreed": "y"}


@pytest.fixture
def office(town: Town) -> Office:
    """Frank at the portal."""
    return Office(town)


def send(office: Office, to: str, **answers: Any) -> TestResponse:
    """Sends the form that stands on my contacts, or a button of one of them."""
    page = office.client.get("/portal/contacts").text
    fields = {"csrf_token": builders.csrf_token(page), "consent": CONSENT_NOW["en"]}
    return office.client.post(to, data=fields | answers, follow_redirects=True)


def add(office: Office) -> str:
    """Adds a number; returns the address of its page."""
    return send(office, "/portal/contacts", **ADDED).request.path


def code(office: Office) -> str:
    """The newest code that was sent."""
    with database.reading(office.town.engine) as session:
        newest = select(contact_codes.c.code).order_by(contact_codes.c.made_at.desc()).limit(1)
        return str(session.execute(newest).scalar_one())


def test_a_number_is_added_with_consent_proved_and_then_works(office: Office) -> None:
    page = add(office)
    assert "Not proved yet" in office.look(page)
    assert "from now on" in text(send(office, page, code=code(office)))
    with database.reading(office.town.engine) as session:
        mine = contacts.of_member(session, office.town.member_id("Frank"))
        (added,) = (row for row in mine if row.address == "+16025550199")
        assert (added.consent, bool(added.verified_at)) == ("2026-11", True)
        assert added.id in {row.id for row in members.reachable_contacts(session, [added.member_id])}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"address": "call me"}, "not a telephone number"),
        ({"agreed": ""}, "only where you agree"),
        ({"channel": "webhook"}, "Not a valid choice"),
    ],
)
def test_a_fault_stands_at_its_field(office: Office, wrong: dict[str, str], says: str) -> None:
    answer = send(office, "/portal/contacts", **(ADDED | wrong))
    assert (answer.status_code, faults(answer)) == (400, list(wrong))
    assert says in text(answer)


def test_words_that_never_were_are_not_agreed_to(office: Office) -> None:
    assert send(office, "/portal/contacts", **ADDED, consent="2020-01").status_code == 400


def test_a_wrong_code_says_so_and_a_new_one_can_be_had_five_times(office: Office) -> None:
    page = add(office)
    wrong = f"{(int(code(office)) + 1) % 1_000_000:06}"
    assert "That is not the code" in text(send(office, page, code=wrong))
    again = [send(office, f"{page}/code").status_code for _ in range(5)]
    assert again == [200, 200, 200, 200, 400]


def test_why_a_contact_is_not_used_is_said_to_its_owner(office: Office) -> None:
    with database.transaction(office.town.engine) as session:
        first = contacts.of_member(session, office.town.member_id("Frank"))[0]
        losses.end(session, first.id, "provider said 21211", clock.now())
    assert "nothing arrives there (provider said 21211)" in office.look("/portal/contacts")


def test_a_contact_is_removed_but_not_the_offices_last(office: Office) -> None:
    with database.reading(office.town.engine) as session:
        every = contacts.of_member(session, office.town.member_id("Frank"))
    said = [text(send(office, f"/portal/contacts/{row.id}/remove")) for row in every]
    assert ["Nothing is sent" in one for one in said] == [True] * (len(said) - 1) + [False]
    assert "Add another contact first" in said[-1]


def test_nobody_sees_anothers(office: Office) -> None:
    with database.reading(office.town.engine) as session:
        theirs = contacts.of_member(session, office.town.member_id("Ines"))[0]
    assert office.client.get(f"/portal/contacts/{theirs.id}").status_code == 404
    assert send(office, f"/portal/contacts/{theirs.id}/remove").status_code == 404


def test_who_sits_in_a_team_as_well_keeps_them_at_the_desk(office: Office) -> None:
    frank, tempe = office.town.member_id("Frank"), office.town.actor("Ines").team_id
    with database.transaction(office.town.engine) as session:
        session.execute(insert(memberships).values(member_id=frank, team_id=tempe, discipline="liaison"))
    assert office.client.get("/portal/contacts").status_code == 404
    assert "/portal/contacts" not in office.client.get("/portal").text


def test_who_reads_spanish_agrees_in_spanish(office: Office) -> None:
    frank = office.town.member_id("Frank")
    with database.transaction(office.town.engine) as session:
        session.execute(update(people).where(people.c.id == frank).values(language="es"))
    page = office.client.get("/portal/contacts").text
    assert "a cualquier hora cuando son urgentes" in page
    assert "Mis contactos" in page
    send(office, "/portal/contacts", **ADDED, consent=CONSENT_NOW["es"])
    with database.reading(office.town.engine) as session:
        agreed = session.execute(select(rows.c.consent).where(rows.c.address == "+16025550199"))
        assert agreed.scalar_one() == "2026-11-es"
