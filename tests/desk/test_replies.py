"""Answers by telephone: signed, from the right number, with a living code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select

from desk.app import create_app
from directory.tables import contacts, memberships
from foundation import database
from foundation.settings import Settings
from notifications import sms
from notifications.standin.webhooks import signature
from notifications.tables import notices, stray_texts
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


def text(town: Town, number: str, body: str, *, token: str = TOKEN, status: int = 200) -> str:
    """Our answer to a text message."""
    form = {"From": number, "Body": body}
    headers = {"X-Twilio-Signature": signature(token, sms.inbound_url(town.settings), form)}
    client = create_app(town.settings, town.engine, town.keys).test_client()
    answer = client.post("/twilio/inbound", data=form, headers=headers)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def code(case: Case) -> str:
    query = select(notices.c.code).where(notices.c.code.is_not(None))
    with database.reading(case.town.engine) as session:
        found: str = session.execute(query).scalars().all()[-1] or ""
    return found


def test_a_and_the_code_takes_it_in_the_members_name(town: Town, case: Case) -> None:
    answer = text(town, INES, f"a {code(case).lower()}")
    assert case.row().reference in answer
    row = case.handoff("tempe-police")
    assert (case.holder, row.answered_via, row.answered_by) == ("tempe-police", "sms", town.member_id("Ines"))
    assert WORDS not in answer
    assert faults(town) == []


def test_an_answer_proves_the_telephone_that_it_came_from(town: Town, case: Case) -> None:
    query = select(contacts.c.verified_at).where(contacts.c.address == INES)
    with database.reading(town.engine) as session:
        before = session.execute(query).scalar_one()
    with later(minutes=3):
        text(town, INES, f"A {code(case)}")
    with database.reading(town.engine) as session:
        assert session.execute(query).scalar_one() >= before + timedelta(minutes=3)


def test_d_and_the_code_declines(town: Town, case: Case) -> None:
    assert "declined" in text(town, INES, f"D {code(case)}")
    assert case.offers()["tempe-police"] == "declined"


def test_a_code_serves_once(town: Town, case: Case) -> None:
    text(town, INES, f"A {code(case)}")
    text(town, INES, f"D {code(case)}")
    assert case.holder == "tempe-police"


@pytest.mark.parametrize(("verb", "told"), [("A", "You have"), ("D", "You declined")])
def test_who_answers_twice_is_told_the_same_twice(town: Town, case: Case, verb: str, told: str) -> None:
    assert told in text(town, INES, f"{verb} {code(case)}")
    assert told in text(town, INES, f"{verb} {code(case)}")


def test_whoever_comes_second_hears_that_another_was_first(town: Town, case: Case) -> None:
    case.acknowledge("Tomas", "tempe-police")
    assert "already answered by another" in text(town, INES, f"A {code(case)}")


def test_who_stepped_aside_hears_that_it_did_not_count(town: Town, case: Case) -> None:
    case.recuse("Ines")
    assert "Sign in" in text(town, INES, f"A {code(case)}")
    assert case.holder == "az-stamp"


@pytest.mark.parametrize("body", ["A", "d.", "A 7H2", "A UUUU"])
def test_an_answer_without_a_code_that_can_be_one_is_told_so_each_time(town: Town, body: str) -> None:
    assert [("not known" in text(town, INES, body)) for _ in range(2)] == [True, True]


@pytest.mark.parametrize("number", [OLU, "+14805559999"])
def test_anothers_code_is_unknown(town: Town, case: Case, number: str) -> None:
    assert "not known" in text(town, number, f"A {code(case)}")
    assert case.holder == "az-stamp"


def test_a_code_is_unknown_from_whoever_left_the_team(town: Town, case: Case) -> None:
    answer = f"A {code(case)}"
    with database.transaction(town.engine) as session:
        session.execute(delete(memberships).where(memberships.c.member_id == town.member_id("Ines")))
    assert "not known" in text(town, INES, answer)
    assert case.holder == "az-stamp"


def test_a_code_dies_after_four_hours(town: Town, case: Case) -> None:
    with later(hours=4, minutes=1):
        assert "not known" in text(town, INES, f"A {code(case)}")


def test_a_forged_text_is_refused(town: Town, case: Case) -> None:
    text(town, INES, f"A {code(case)}", token="c" * 32, status=403)
    assert case.holder == "az-stamp"


def test_stop_and_start_are_obeyed_and_not_answered(town: Town) -> None:
    for word, out in (("STOP", True), ("start", False)):
        assert "<Message>" not in text(town, INES, word)
        with database.reading(town.engine) as session:
            query = select(contacts.c.opted_out_at).where(contacts.c.address == INES)
            assert (session.execute(query).scalar_one() is not None) is out


def test_other_talk_gets_the_emergency_words_and_nothing_is_kept(town: Town) -> None:
    assert "911" in text(town, INES, "he has a knife & <b>")
    with database.reading(town.engine) as session:
        (row,) = session.execute(select(stray_texts)).all()
    assert "knife" not in str(row)
    assert INES not in str(row)


def test_the_emergency_words_come_once_a_day_and_the_desk_counts_the_texts(town: Town) -> None:
    answered = [text(town, INES, "anybody there?"), text(town, INES, "hello?"), text(town, OLU, "hello?")]
    with later(hours=25):
        answered.append(text(town, INES, "hello?"))
    assert ["911" in answer for answer in answered] == [True, False, True, True]
    client = create_app(town.settings, town.engine, town.keys).test_client()
    builders.sign_in_at(client, "Ada")
    assert "<strong>4</strong> text messages" in client.get("/status").get_data(as_text=True)
