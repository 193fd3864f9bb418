"""The office is asked whether its forward may be passed on: on top of its list until somebody answers."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine

from foundation import clock, database, outbox
from foundation.settings import Settings
from referrals import moves
from referrals.duty import Duty
from routing import handling, permission
from tests.builders import csrf_token
from tests.intake.office import Office, open_office, text


@pytest.fixture
def office(engine: Engine, settings: Settings) -> Office:
    """Frank at the portal."""
    return open_office(engine, settings)


def asked(office: Office) -> str:
    """The state's hub holds an H2 forward of Frank's and asks whether Tempe may have it; the reference."""
    reference = office.forward(handling="H2")
    office.acknowledge(reference, "Ada")
    town = office.town
    with database.transaction(town.engine) as session:
        permission.ask(
            session, town.keys, moves.referral(session, office.id_of(reference)), town.team["tempe-police"],
            actor=town.actor("Ada"), now=clock.now(),
        )  # fmt: skip
    return reference


def answer(office: Office, reference: str, word: str, handoff: str = "") -> str:
    page = office.client.get("/portal").text
    found = re.search(r'name="handoff" value="([0-9a-f]{32})"', page)
    data = {
        "csrf_token": csrf_token(page),
        "handoff": handoff or (found[1] if found else ""),
        "answer": word,
    }
    sent = office.client.post(f"/portal/forwards/{reference}/permission", data=data, follow_redirects=True)
    assert sent.status_code == 200
    town = office.town
    duty = Duty(town.engine, town.settings, town.keys)
    for urgent in (True, False):
        outbox.drain(town.engine, lambda job, id: _only_settle(duty, job, id), urgent=urgent)
    return text(sent)


def _only_settle(duty: Duty, job: str, id: str) -> None:
    if job == permission.SETTLE:
        permission.settle(duty, id)
        # Twice is once.
        permission.settle(duty, id)


def permitted(office: Office, reference: str) -> bool:
    with database.reading(office.town.engine) as session:
        teams = handling.permitted(session, office.id_of(reference))
    return office.town.team["tempe-police"] in teams


def test_a_request_stands_on_top_until_it_is_answered(office: Office) -> None:
    reference = asked(office)
    assert f"AZ-STAMP asks: may {reference} go to Tempe Police?" in office.look("/portal")
    assert "Your answer is on record." in answer(office, reference, "yes")
    assert "You are asked for permission" not in office.look("/portal")
    assert permitted(office, reference)


def test_no_is_no(office: Office) -> None:
    reference = asked(office)
    answer(office, reference, "no")
    assert not permitted(office, reference)


def test_a_second_answer_changes_nothing(office: Office) -> None:
    reference = asked(office)
    page = office.client.get("/portal").text
    found = re.search(r'name="handoff" value="([0-9a-f]{32})"', page)
    assert found
    answer(office, reference, "no")
    office.forward(handling="H2", what_happened="Another one.")
    assert "This was answered already." in answer(office, reference, "yes", found[1])
    assert not permitted(office, reference)


def test_another_office_neither_sees_nor_answers_it(office: Office) -> None:
    reference = asked(office)
    nadia = Office(office.town, "Nadia", office.app)
    page = nadia.client.get("/portal/forward").text
    assert "You are asked" not in nadia.look("/portal")
    sent = nadia.client.post(
        f"/portal/forwards/{reference}/permission",
        data={"csrf_token": csrf_token(page), "answer": "yes", "handoff": "0" * 32},
    )
    assert sent.status_code == 404
    assert not permitted(office, reference)
