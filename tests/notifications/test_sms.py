"""Texts by twilio-python itself, against the stand-in on a socket, each exchange checked against the contract."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from foundation import outbox
from foundation.settings import Settings
from notifications import sms, twilio_codes, twilio_wire
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.sms import Found, SmsSender
from notifications.standin import Running, create_standin
from notifications.standin.webhooks import signature
from notifications.twilio_codes import outcome_of, outcome_of_report
from notifications.twilio_wire import ProviderSilent
from tests.notifications.conftest import Desk
from tests.waiting import PATIENCE_S, until

TEXT = "[Waypost] IMMINENT referral R-7K3M-Q2. Reply A 7H2K to take it."
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# Each exchange with the stand-in is checked against Twilio's own description.
pytestmark = pytest.mark.usefixtures("checked")


def number(last: str) -> str:
    """A number that behaves as its last four digits say."""
    return f"+1480555{last}"


@pytest.fixture
def send(wired: Settings) -> Callable[..., Outcome]:
    """Sends the text to the number with those last digits."""
    sender = SmsSender(wired)

    def to(last: str, attempt_id: str = "attempt1", validity_s: float = 600) -> Outcome:
        return sender.send(number(last), TEXT, attempt_id=attempt_id, validity_s=validity_s)

    return to


def test_a_text_is_accepted_and_reported_delivered(
    send: Callable[..., Outcome], desk: Desk, checked: list[tuple[str, int]]
) -> None:
    outcome = send("0001")
    assert (outcome.state, outcome.action) == (OutcomeState.ACCEPTED, Action.NOTHING)
    assert outcome.provider_id is not None
    assert checked == [("POST", 201)]
    desk.await_statuses("sent", "delivered")
    assert {one.form["MessageSid"] for one in desk.heard} == {outcome.provider_id}


def test_reports_name_the_attempt_and_are_signed_by_twilios_rule(
    send: Callable[..., Outcome], desk: Desk, wired: Settings
) -> None:
    send("0001", attempt_id="attempt7")
    desk.await_statuses("sent", "delivered")
    report = desk.heard[0]
    assert report.path == "/twilio/status/attempt7"
    assert sms.signature_is_valid(wired, sms.status_url(wired, "attempt7"), report.form, report.signature)


@pytest.mark.parametrize(
    ("last", "statuses"),
    [
        ("0002", ["sent", "sent", "delivered", "delivered"]),
        ("0003", ["delivered", "sent"]),
        ("0005", ["sent", "undelivered"]),
        ("0006", ["sent", "undelivered"]),
        ("0007", ["sent", "undelivered"]),
    ],
)
def test_reports_come_doubled_unordered_or_bad(
    last: str, statuses: list[str], send: Callable[..., Outcome], desk: Desk
) -> None:
    assert send(last).state is OutcomeState.ACCEPTED
    desk.await_statuses(*statuses)


def test_reports_may_come_before_the_answer(send: Callable[..., Outcome], desk: Desk) -> None:
    send("0004")
    assert desk.statuses() == ["sent", "delivered"]


@pytest.mark.parametrize(("last", "code"), [("0005", 30003), ("0006", 30007), ("0007", 30008)])
def test_a_bad_report_brings_its_code(
    last: str, code: int, send: Callable[..., Outcome], desk: Desk, wired: Settings
) -> None:
    provider_id = send(last).provider_id
    assert provider_id is not None
    desk.await_statuses("sent", "undelivered")
    assert desk.heard[1].form["ErrorCode"] == str(code)
    assert SmsSender(wired).find(number(last), LONG_AGO, "7H2K") == Found(provider_id, "undelivered", code)


def test_a_silent_number_is_found_by_asking(
    send: Callable[..., Outcome], desk: Desk, wired: Settings
) -> None:
    provider_id = send("0008").provider_id
    assert provider_id is not None
    assert SmsSender(wired).find(number("0008"), LONG_AGO, "7H2K") == Found(provider_id, "queued", None)
    assert desk.statuses() == []


def test_a_report_that_the_desk_did_not_take_comes_again(send: Callable[..., Outcome], desk: Desk) -> None:
    desk.deaf = 2
    send("0001")
    desk.await_statuses("sent", "delivered")


@pytest.mark.parametrize(
    ("last", "state", "action", "code", "wait"),
    [
        ("0010", OutcomeState.FAILED_PERMANENT, Action.DISABLE_CONTACT, 21211, None),
        ("0011", OutcomeState.FAILED_TRANSIENT, Action.RETRY, 20429, 2.0),
        ("0012", OutcomeState.UNKNOWN, Action.ASK, 500, None),
        ("0014", OutcomeState.FAILED_PERMANENT, Action.OPTED_OUT, 21610, None),
    ],
)
def test_a_refusal_means_what_the_table_says(
    last: str,
    state: OutcomeState,
    action: Action,
    code: int,
    wait: float | None,
    send: Callable[..., Outcome],
) -> None:
    assert send(last) == Outcome(state, action, None, code, wait)


def test_a_slow_answer_is_unknown_and_the_text_is_found(wired: Settings) -> None:
    # Slow is 0.6 seconds here.
    hasty = SmsSender(replace(wired, twilio_timeout_seconds=0.2))
    outcome = hasty.send(number("0009"), TEXT, attempt_id="attempt1", validity_s=600)
    assert (outcome.state, outcome.action) == (OutcomeState.UNKNOWN, Action.ASK)
    # On a busy machine the sender may give up before all that it sent is read.
    until(lambda: SmsSender(wired).find(number("0009"), LONG_AGO, "7H2K") is not None)


def test_what_was_taken_and_then_cut_off_is_unknown_and_found(
    send: Callable[..., Outcome], wired: Settings
) -> None:
    assert send("0013").state is OutcomeState.UNKNOWN
    found = SmsSender(wired).find(number("0013"), datetime.now(UTC) - timedelta(seconds=5), "A 7H2K")
    assert found is not None
    assert found.outcome == Outcome(OutcomeState.ACCEPTED, provider_id=found.provider_id)


def test_what_twilio_never_took_is_not_found(send: Callable[..., Outcome], wired: Settings) -> None:
    assert send("0012").state is OutcomeState.UNKNOWN
    assert SmsSender(wired).find(number("0012"), LONG_AGO, "7H2K") is None


@pytest.mark.parametrize(
    ("since", "marker"), [(LONG_AGO, "9X9X"), (datetime(2200, 1, 1, tzinfo=UTC), "7H2K")]
)
def test_another_text_to_the_same_number_is_not_mistaken_for_it(
    since: datetime, marker: str, send: Callable[..., Outcome], wired: Settings
) -> None:
    send("0001")
    assert SmsSender(wired).find(number("0001"), since, marker) is None


def test_a_message_of_another_attempt_is_passed_over(send: Callable[..., Outcome], wired: Settings) -> None:
    older, newer = send("0001").provider_id, send("0001").provider_id
    assert newer
    found = SmsSender(wired).find(number("0001"), LONG_AGO, "7H2K", {newer})
    assert found is not None
    assert found.provider_id == older


def test_a_question_and_a_text_end_before_the_lease(wired: Settings) -> None:
    patient = twilio_wire.client(replace(wired, twilio_timeout_seconds=300.0)).http_client
    # Each of two calls may wait to connect and wait again for the answer.
    assert 4 * patient.timeout < outbox.LEASE.total_seconds()


def test_a_wrong_token_stops_the_sender(wired: Settings) -> None:
    sender = SmsSender(replace(wired, twilio_auth_token="wrong"))
    outcome = sender.send(number("0001"), TEXT, attempt_id="attempt1", validity_s=600)
    assert (outcome.action, outcome.code) == (Action.STOP_SENDER, 20003)
    with pytest.raises(ProviderSilent):
        sender.find(number("0001"), LONG_AGO, "7H2K")


def test_without_an_account_nothing_is_sent(settings: Settings) -> None:
    sender = SmsSender(settings)
    outcome = sender.send(number("0001"), TEXT, attempt_id="attempt1", validity_s=600)
    assert (outcome.action, outcome.code) == (Action.CONFIGURATION, "not_configured")
    with pytest.raises(ProviderSilent):
        sender.find(number("0001"), LONG_AGO, "7H2K")


def test_a_connection_that_was_never_made_left_nothing_behind(wired: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        sender = SmsSender(replace(wired, twilio_api_base=nobody))
        outcome = sender.send(number("0001"), TEXT, attempt_id="attempt1", validity_s=600)
    assert outcome == Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code="not_reached")


@pytest.mark.parametrize(("given", "sent"), [(0.2, "1"), (90.7, "90"), (86_400, "36000")])
def test_validity_stays_within_twilios_limits(
    given: float, sent: str, send: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[str] = []
    prepare = requests.Session.prepare_request

    def remembering(session: requests.Session, request: requests.Request) -> Any:
        prepared = prepare(session, request)
        bodies.append(str(prepared.body))
        return prepared

    monkeypatch.setattr(requests.Session, "prepare_request", remembering)
    send("0008", validity_s=given)
    assert f"ValidityPeriod={sent}" in bodies[0].split("&")
    assert "StatusCallback=" in bodies[0]
    assert "%23rc%3D5%26rp%3Dall" in bodies[0]


def test_a_messaging_service_takes_the_place_of_a_number(wired: Settings, phone: Running) -> None:
    service = "MG" + "0" * 32
    sender = SmsSender(replace(wired, twilio_messaging_service_sid=service))
    assert sender.send(number("0008"), TEXT, attempt_id="a", validity_s=60).state is OutcomeState.ACCEPTED
    kept = phone.app.extensions["store"].messages(to=number("0008"))[0]
    assert (kept["service_sid"], kept["from"]) == (service, None)


def test_stop_on_the_phone_refuses_texts_until_start(
    send: Callable[..., Outcome], phone: Running, checked: list[tuple[str, int]]
) -> None:
    for word, action in (("Stop", Action.OPTED_OUT), ("START", Action.NOTHING)):
        requests.post(f"{phone.base_url}/phones/{number('0001')}", data={"body": word}, timeout=PATIENCE_S)
        assert send("0001").action is action


def test_no_log_holds_a_number_or_a_text(
    send: Callable[..., Outcome], wired: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tried = ("0001", "0010", "0012", "0013")
    for last in tried:
        send(last)
        SmsSender(wired).find(number(last), LONG_AGO, "7H2K")
    # The last seven digits: shorter ones stand in ports and sizes as well.
    assert [last for last in tried if number(last)[-7:] in caplog.text] == []
    assert "7H2K" not in caplog.text


def test_what_is_raised_holds_no_number(wired: Settings) -> None:
    sender = SmsSender(replace(wired, twilio_api_base="http://127.0.0.1:1"))
    with pytest.raises(ProviderSilent) as raised:
        sender.find(number("0001"), LONG_AGO, "7H2K")
    assert number("0001")[-7:] not in str(raised.value)
    assert raised.value.__suppress_context__


FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "Body": "¿Sí? a=b&c"}


@pytest.mark.parametrize(
    ("token", "valid"),
    [("today's token", True), ("yesterday's token", True), ("another's", False), ("", False)],
)
def test_both_tokens_of_a_rotation_are_believed_and_no_other(
    settings: Settings, token: str, valid: bool
) -> None:
    rotating = replace(
        settings, twilio_auth_token="today's token", twilio_auth_token_previous="yesterday's token"
    )
    url = sms.inbound_url(rotating)
    assert sms.signature_is_valid(rotating, url, FORM, signature(token, url, FORM)) is valid


def test_without_a_token_nothing_is_believed(settings: Settings) -> None:
    url = sms.inbound_url(settings)
    assert not sms.signature_is_valid(settings, url, FORM, signature("", url, FORM))


def test_a_changed_form_or_address_is_forged(settings: Settings) -> None:
    ours = replace(settings, twilio_auth_token="today's token")
    url = sms.status_url(ours, "attempt1")
    signed = signature("today's token", url, FORM)
    assert not sms.signature_is_valid(ours, url, FORM | {"MessageStatus": "sent"}, signed)
    assert not sms.signature_is_valid(ours, sms.status_url(ours, "attempt2"), FORM, signed)
    elsewhere = "https://evil.example/twilio/inbound"
    assert not sms.signature_is_valid(ours, elsewhere, FORM, signature("today's token", elsewhere, FORM))


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (20003, Action.STOP_SENDER),
        (30005, Action.DISABLE_CONTACT),
        (30006, Action.NOT_FOR_SMS),
        (30034, Action.CONFIGURATION),
        (30003, Action.RETRY_AND_NEXT),
        (30007, Action.NEXT_CONTACT),
        (21617, Action.SHORTEN),
        (99999, Action.ALARM),
    ],
)
def test_each_code_has_one_action_and_an_unknown_one_raises_an_alarm(code: int, action: Action) -> None:
    assert outcome_of(code).action is action


def test_no_code_stands_in_two_rows() -> None:
    codes = [code for _, row in twilio_codes._MEANINGS for code in row]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("status", "code", "action"),
    [
        ("delivered", None, Action.NOTHING),
        ("failed", None, Action.ALARM),
        ("undelivered", 30008, Action.RETRY),
    ],
)
def test_a_report_means_what_its_code_means(status: str, code: int | None, action: Action) -> None:
    assert outcome_of_report(status, code).action is action


def test_messages_under_way_go_on_after_a_restart(
    wired: Settings, desk: Desk, tmp_path: Path, phone: Running
) -> None:
    store = phone.app.extensions["store"]
    store.add_message("outbound-api", "+1", number("0001"), TEXT, callback=sms.status_url(wired, "attempt1"))
    create_standin(tmp_path / "standin", desk.url, "AC", "token", pace=0.05)
    desk.await_statuses("sent", "delivered")
    until(lambda: store.messages()[0]["status"] == "delivered")
