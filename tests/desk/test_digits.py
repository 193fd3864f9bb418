"""Answers by a pressed digit: signed, from the telephone that was rung, and the same act as at the desk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete, insert, select

from desk.app import create_app
from directory.tables import memberships
from foundation import clock, database
from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications import ringing, sms
from notifications.standin.webhooks import signature
from notifications.tables import attempts, notices
from tests import builders
from tests.builders import WORDS, Town, later
from tests.routing.acts import Case, faults, tip

TOKEN = "a" * 32
INES, OLU = "+14805550130", "+14805550140"


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    return builders.found(engine, replace(settings, twilio_auth_token=TOKEN))


@pytest.fixture
def case(town: Town) -> Case:
    """A tip that Tempe was asked to take."""
    return tip(town)


@pytest.fixture
def call(town: Town, case: Case) -> str:
    """The attempt by which Ines's telephone rings about it."""
    with database.transaction(town.engine) as session:
        mine = select(notices).where(
            notices.c.member_id == town.member_id("Ines"), notices.c.code.is_not(None)
        )
        ringing.call_as_well(session, session.execute(mine).one(), clock.now())
        rung = session.execute(select(notices.c.id).where(notices.c.channel == "voice")).scalar_one()
        id = new_id()
        session.execute(insert(attempts).values(id=id, notice_id=rung, started_at=clock.now()))
    return id


def pick_up(town: Town, call: str, number: str = INES, *, token: str = TOKEN, status: int = 200) -> str:
    """What is said first."""
    return post(town, sms.voice_url(town.settings, call), {"To": number}, token, status)


def press(
    town: Town, call: str, digit: str, number: str = INES, *, token: str = TOKEN, status: int = 200
) -> str:
    """What is said after that digit."""
    return post(town, sms.digit_url(town.settings, call), {"To": number, "Digits": digit}, token, status)


def post(town: Town, url: str, form: dict[str, str], token: str, status: int) -> str:
    client = create_app(town.settings, town.engine, town.keys).test_client()
    headers = {"X-Twilio-Signature": signature(token, url, form)}
    answer = client.post(url.removeprefix(town.settings.desk_url), data=form, headers=headers)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_one_takes_it_in_the_name_of_whose_telephone_rang(town: Town, case: Case, call: str) -> None:
    assert "Press 1 to take it" in (said := pick_up(town, call))
    assert "You have" in press(town, call, "1")
    row = case.handoff("tempe-police")
    assert (case.holder, row.answered_via, row.answered_by) == (
        "tempe-police",
        "voice",
        town.member_id("Ines"),
    )
    assert WORDS not in said
    assert faults(town) == []


def test_two_declines(town: Town, case: Case, call: str) -> None:
    assert "You declined" in press(town, call, "2")
    assert case.offers()["tempe-police"] == "declined"


def test_every_other_digit_hears_it_again_and_answers_nothing(town: Town, case: Case, call: str) -> None:
    assert press(town, call, "9") == pick_up(town, call)
    assert case.offers()["tempe-police"] == "offered"


def test_a_digit_pressed_twice_answers_once(town: Town, case: Case, call: str) -> None:
    press(town, call, "1")
    assert "You have" in press(town, call, "2")
    assert case.holder == "tempe-police"


def test_after_four_hours_a_digit_answers_nothing(town: Town, case: Case, call: str) -> None:
    with later(hours=4, seconds=1):
        assert "too old" in press(town, call, "1")
    assert case.offers()["tempe-police"] == "offered"


def test_whoever_left_the_team_answers_nothing_for_it(town: Town, case: Case, call: str) -> None:
    with database.transaction(town.engine) as session:
        session.execute(delete(memberships).where(memberships.c.member_id == town.member_id("Ines")))
    assert "too old" in press(town, call, "1")
    assert case.offers()["tempe-police"] == "offered"


@pytest.mark.parametrize(
    ("number", "token", "status"), [(INES, "b" * 32, 403), (INES, "", 403), (OLU, TOKEN, 404)]
)
def test_what_is_forged_or_another_telephone_answers_nothing(
    town: Town, case: Case, call: str, number: str, token: str, status: int
) -> None:
    press(town, call, "1", number, token=token, status=status)
    pick_up(town, call, number, token=token, status=status)
    assert case.offers()["tempe-police"] == "offered"
