"""Wrong codes are counted for each number, and slowed: who guesses is not heard even with the right one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from desk.app import create_app
from foundation import database
from foundation.settings import Settings
from notifications import guesses, sms
from notifications.standin.webhooks import signature
from notifications.tables import notices, wrong_codes
from tests import builders
from tests.builders import Town, later
from tests.routing.acts import Case, tip

TOKEN = "a" * 32
INES, STRANGER = "+14805550130", "+14805559999"


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    return builders.found(engine, replace(settings, twilio_auth_token=TOKEN))


@pytest.fixture
def case(town: Town) -> Case:
    """A tip that Tempe was asked to take."""
    return tip(town)


def text(town: Town, number: str, body: str) -> str:
    """Our answer to a text message."""
    form = {"From": number, "Body": body}
    headers = {"X-Twilio-Signature": signature(TOKEN, sms.inbound_url(town.settings), form)}
    client = create_app(town.settings, town.engine, town.keys).test_client()
    return client.post("/twilio/inbound", data=form, headers=headers).get_data(as_text=True)


def right_code(town: Town) -> str:
    with database.reading(town.engine) as session:
        found: str = (
            session.execute(select(notices.c.code).where(notices.c.code.is_not(None))).scalars().one()
        )
    return found


def guess(town: Town, number: str, times: int) -> None:
    right = right_code(town)
    for wrong in [code for code in ("A000", "B111", "C222", "D333", "E444", "F555") if code != right][:times]:
        assert "not known" in text(town, number, f"A {wrong}")


def test_after_five_wrong_codes_the_right_one_is_not_heard_for_a_while(town: Town, case: Case) -> None:
    guess(town, INES, guesses.MOST)
    assert "not known" in text(town, INES, f"A {right_code(town)}")
    assert case.offers()["tempe-police"] == "offered"
    with later(minutes=11):
        text(town, INES, f"A {right_code(town)}")
    assert case.holder == "tempe-police"


def test_a_slip_costs_nothing(town: Town, case: Case) -> None:
    guess(town, INES, guesses.MOST - 1)
    text(town, INES, f"A {right_code(town)}")
    assert case.holder == "tempe-police"


def test_anothers_guesses_slow_nobody_else_and_their_number_is_not_kept(town: Town, case: Case) -> None:
    guess(town, STRANGER, guesses.MOST)
    text(town, INES, f"A {right_code(town)}")
    assert case.holder == "tempe-police"
    with database.reading(town.engine) as session:
        assert not [row for row in session.execute(select(wrong_codes)) if "4805559999" in str(row)]
