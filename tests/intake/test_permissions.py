"""The office is asked whether its forward may be passed on: on top of its list until somebody answers."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine

from foundation.settings import Settings
from tests.builders import csrf_token
from tests.intake.asking import asked, permitted, settle
from tests.intake.office import Office, open_office, text


@pytest.fixture
def office(engine: Engine, settings: Settings) -> Office:
    """Frank at the portal."""
    return open_office(engine, settings)


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
    settle(office)
    return text(sent)


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
