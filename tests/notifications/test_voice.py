"""Calls: they say that something waits and never what, and they are recorded, reported and ended like texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine, Row, select, update

from directory import contacts
from directory.contacts import CONSENT_NOW
from directory.members import Channel
from directory.tables import contact_codes
from foundation import clock, database
from foundation.settings import Settings
from foundation.tables import outbox
from notifications import callbacks, checking, delivery, ringing, silence, sms, twilio_wire, voice
from notifications import notices as written
from notifications.outcomes import OutcomeState
from notifications.sms import SmsSender
from notifications.standin import Running
from notifications.standin.webhooks import signature
from notifications.tables import attempts, notices
from referrals.duty import Duty
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town, later
from tests.notifications.acts import deliver, due_in, notice, owed, report, row, row_of, tried
from tests.notifications.conftest import Desk
from tests.waiting import until

# Each exchange with the stand-in is checked against Twilio's own description.
pytestmark = pytest.mark.usefixtures("checked")
HELLO = '<Response><Gather action="{0}/twilio/voice/a/digit"><Say>Hello.</Say></Gather></Response>'


@pytest.fixture
def town(engine: Engine, wired: Settings) -> Town:
    """A town whose Twilio is the stand-in."""
    return builders.found(engine, wired)


def duty(town: Town) -> Duty:
    return Duty(town.engine, town.settings, town.keys)


def calls(phone: Running, last: str = "0001") -> Sequence[dict[str, str]]:
    """The calls to that telephone, the newest first."""
    found: Sequence[dict[str, str]] = (
        phone.app.test_client().get(f"/api/calls?to=%2B1480555{last}").get_json()
    )
    return found


def call_notice(town: Town) -> Row[Any]:
    """The one notice that is a call."""
    with database.reading(town.engine) as session:
        return session.execute(select(notices).where(notices.c.channel == Channel.VOICE.value)).one()


def touch(phone: Running, press: str, last: str = "0001") -> None:
    """Presses a button on the screen of the telephone that was rung last."""
    number = f"+1480555{last}"
    sid = calls(phone, last)[0]["sid"]
    phone.app.test_client().post(f"/phones/{number}/calls/{sid}", data={"press": press})


def test_a_call_rings_is_picked_up_and_ends(wired: Settings, phone: Running, desk: Desk) -> None:
    desk.answer = HELLO.format(desk.url)
    outcome = SmsSender(wired).ring("+14805550001", attempt_id="a")
    assert outcome.state is OutcomeState.ACCEPTED
    until(lambda: calls(phone)[0]["status"] == "ringing")
    for press in ("answer", "1"):
        touch(phone, press)
    asked = [one for one in desk.heard if one.path == "/twilio/voice/a/digit"]
    assert [one.form["Digits"] for one in asked] == ["1"]
    assert all(
        one.signature == signature(wired.twilio_auth_token, desk.url + one.path, one.form) for one in asked
    )
    assert calls(phone)[0]["said"] == "Hello."
    touch(phone, "end")
    until(lambda: "completed" in [one.form.get("CallStatus") for one in desk.heard])
    assert SmsSender(wired).fetch_call(str(outcome.provider_id))["CallStatus"] == "completed"


def test_a_call_whose_making_was_cut_off_is_found(wired: Settings) -> None:
    sender, before = SmsSender(wired), clock.now()
    first = sender.ring("+14805550001", attempt_id="a").provider_id
    second = sender.ring("+14805550001", attempt_id="b").provider_id
    found = sender.find_call("+14805550001", before, [str(second)])
    assert found is not None
    assert found.provider_id == first


@pytest.mark.parametrize(("last", "status"), [("0005", "no-answer"), ("0016", "busy")])
def test_a_telephone_that_nobody_answers_reports_so(
    wired: Settings, phone: Running, desk: Desk, last: str, status: str
) -> None:
    SmsSender(wired).ring(f"+1480555{last}", attempt_id="a")
    until(lambda: [one.form["CallStatus"] for one in desk.heard] == [status])


def test_a_landline_is_rung_and_the_next_is_asked(town: Town, phone: Running) -> None:
    deliver(town, notice(town, "0015"))
    assert owed(town) == 1
    assert deliver(town, call_notice(town).id) is None
    assert [call["to"] for call in calls(phone, "0015")] == ["+14805550015"]


@pytest.mark.parametrize(
    ("urgency", "email", "rings"),
    [(Urgency.ELEVATED, "", 1), (Urgency.ROUTINE, "", 0), (Urgency.ELEVATED, "nobody@tempe.example", 0)],
)
def test_an_urgent_text_that_was_refused_is_followed_by_a_call_at_once(
    town: Town, urgency: Urgency, email: str, rings: int
) -> None:
    deliver(town, notice(town, "0019", email=email, urgency=urgency))
    assert owed(town) == 1
    with database.reading(town.engine) as session:
        spoken = select(notices.c.id).where(notices.c.channel == "voice")
        assert len(session.execute(spoken).all()) == rings


def test_an_urgent_text_that_nobody_answers_is_followed_by_one_call(town: Town) -> None:
    id = notice(town)
    deliver(town, id)
    assert round(due_in(town, ringing.RING), -1) == 300
    for _ in range(2):
        ringing.ring(duty(town), id)
    call, text = call_notice(town), row_of(town, id)
    assert (call.contact_id, call.deadline_at, call.code) == (text.contact_id, text.deadline_at, None)


def test_an_imminent_text_is_followed_by_a_call_after_a_minute_and_a_half(town: Town, phone: Running) -> None:
    id = notice(town, urgency=Urgency.IMMINENT)
    deliver(town, id)
    assert round(due_in(town, ringing.RING), -1) == 90
    ringing.ring(duty(town), id)
    deliver(town, call_notice(town).id)
    assert len(calls(phone)) == 1
    said = voice.say(town.settings, call_notice(town), "an attempt", clock.now())
    assert "An imminent referral" in said


def test_a_carrier_that_takes_no_texts_is_rung_and_the_next_is_asked(town: Town, phone: Running) -> None:
    deliver(town, notice(town, "0016"))
    report(town, "undelivered", 30006)
    assert owed(town) == 1
    deliver(town, call_notice(town).id)
    assert [call["to"] for call in calls(phone, "0016")] == ["+14805550016"]


def test_a_number_that_only_rings_is_told_its_code_letter_by_letter(town: Town, phone: Running) -> None:
    with database.transaction(town.engine) as session:
        ines, now = town.member_id("Ines"), clock.now()
        added = contacts.add(session, ines, Channel.VOICE, "+14805550001", consent=CONSENT_NOW["en"], now=now)
        contacts.ask_for_proof(session, added, now)
        code = session.execute(select(contact_codes)).one()
    checking.send_code(duty(town), code.id)
    deliver(town, call_notice(town).id)
    assert len(calls(phone)) == 1
    said = voice.say(town.settings, call_notice(town), "an attempt", clock.now())
    assert f"Your code is {', '.join(code.code)}." in said
    assert "<Gather" not in said


def test_what_asks_for_nothing_is_said_in_its_own_words(town: Town) -> None:
    spoken(town)
    with database.transaction(town.engine) as session:
        asks_nothing = {"template": "turn", "reference": "", "code_until": None}
        session.execute(update(notices).values(**asks_nothing))
    said = voice.say(town.settings, call_notice(town), "an attempt", clock.now())
    assert "Your turn on duty begins" in said
    assert "referral" not in said
    assert "Press 1" not in said


def test_what_was_answered_rings_nobody(town: Town) -> None:
    id = notice(town)
    deliver(town, id)
    with database.transaction(town.engine) as session:
        written.supersede(session, "a handoff")
    ringing.ring(duty(town), id)
    assert owed(town, written.DELIVER) == 1  # the text's own, which was delivered by hand


def test_a_call_that_nobody_answers_is_made_once_more_and_then_asks_the_next(town: Town) -> None:
    text = notice(town)
    deliver(town, text)
    ringing.ring(duty(town), text)
    call = call_notice(town).id
    for expected in (("failed_transient", 0), ("failed_permanent", 1)):
        deliver(town, call)
        report(town, "no-answer", newest=True, call=True)
        assert (row_of(town, call).state, owed(town)) == expected


def test_a_call_says_nothing_but_that_something_waits(town: Town) -> None:
    reference = "R, 7, K, 3, M, Q, 2"
    # Our own words.
    root = ElementTree.fromstring(spoken(town))  # noqa: S314
    said = [say.text or "" for say in root.iter("Say")]
    assert len(said) == 2
    assert said[0] == said[1]
    assert f"An elevated referral {reference} waits for you." in said[0]
    assert "Press 1 to take it. Press 2 to decline." in said[0]
    (action,) = {gather.get("action") for gather in root.iter("Gather")}
    assert action == sms.digit_url(town.settings, "an attempt")


def spoken(town: Town) -> str:
    """What the call about Ines's text says."""
    text = notice(town)
    with database.transaction(town.engine) as session:
        found = session.execute(select(notices).where(notices.c.id == text)).one()
        ringing.call_as_well(session, found, clock.now())
    return voice.say(town.settings, call_notice(town), "an attempt", clock.now())


def test_after_two_minutes_of_silence_the_state_is_fetched(town: Town, phone: Running) -> None:
    """The desk heard nothing, though the text was delivered long ago."""
    deliver(town, notice(town))
    until(lambda: phone.app.extensions["store"].messages()[0]["status"] == "delivered")
    assert round(due_in(town, silence.LOOK), -1) == 120
    with later(seconds=121):
        silence.look(duty(town), attempt_id(town))
    apply_reports(town)
    assert row(town).state == "delivered"


def test_what_was_reported_is_not_fetched(town: Town) -> None:
    deliver(town, notice(town))
    report(town, "delivered")
    with later(seconds=121):
        assert silence.look(duty(town), attempt_id(town)) is None
    assert owed(town, silence.APPLY) == 0


def test_a_provider_that_does_not_say_is_asked_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(town, notice(town, "0008"))

    def silent(self: SmsSender, sid: str) -> dict[str, str]:
        raise twilio_wire.ProviderSilent

    monkeypatch.setattr(SmsSender, "fetch", silent)
    again = silence.look(duty(town), attempt_id(town))
    assert isinstance(again, datetime)
    assert tried(town) == [("accepted", True)]


def attempt_id(town: Town) -> str:
    with database.reading(town.engine) as session:
        found: str = session.execute(select(attempts.c.id)).scalar_one()
    return found


def apply_reports(town: Town) -> None:
    """Does what is owed of reports."""
    with database.reading(town.engine) as session:
        ids = (
            session.execute(select(outbox.c.subject_id).where(outbox.c.job == silence.APPLY)).scalars().all()
        )
    for id in ids:
        callbacks.apply_report(duty(town), id)


def test_a_call_needs_a_number_of_ours(town: Town) -> None:
    deliver(town, notice(town, "0015"))
    unset = replace(town.settings, twilio_from="", twilio_messaging_service_sid="MG" + "0" * 32)
    assert delivery.deliver(Duty(town.engine, unset, town.keys), call_notice(town).id) is None
    assert row_of(town, call_notice(town).id).fault == "no_provider"
