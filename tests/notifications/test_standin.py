"""The phone and the mailbox on screen, as a person uses them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import requests

from foundation.settings import Settings
from notifications import sms, standin
from notifications.mail import MailSender
from notifications.sms import SmsSender
from notifications.standin import Running, create_standin
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from tests.notifications.conftest import Desk
from tests.servers import free_port
from tests.waiting import PATIENCE_S, until

INES = "+14805550142"
TEXT = "[Waypost] IMMINENT referral R-7K3M-Q2. Reply A 7H2K to take it, D 7H2K to decline, or sign in: https://desk.example"
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def texted(wired: Settings, desk: Desk) -> None:
    """Ines was sent an offer."""
    SmsSender(wired).send(INES, TEXT, attempt_id="attempt1", validity_s=600)
    desk.await_statuses("sent", "delivered")


def page(phone: Running, path: str) -> str:
    """The page at that path."""
    answer = requests.get(phone.base_url + path, timeout=PATIENCE_S)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.usefixtures("texted")
def test_a_text_is_seen_on_the_phone_with_ready_answers(phone: Running) -> None:
    assert "(480) 555-0142" in page(phone, "/")
    assert "R-7K3M-Q2" in page(phone, f"/phones/{INES}/conversation")
    shown = page(phone, f"/phones/{INES}")
    assert 'value="A 7H2K"' in shown
    assert 'value="D 7H2K"' in shown


@pytest.mark.usefixtures("texted")
def test_a_reply_reaches_the_desk_signed_and_its_answer_is_seen(
    phone: Running, desk: Desk, wired: Settings
) -> None:
    desk.answer = "<Response><Message>You have R-7K3M-Q2 &amp; no other.</Message></Response>"
    requests.post(f"{phone.base_url}/phones/{INES}", {"body": "A 7H2K"}, headers=HERE, timeout=PATIENCE_S)
    came = desk.heard[-1]
    assert (came.path, came.form["From"], came.form["To"]) == ("/twilio/inbound", INES, wired.twilio_from)
    assert came.form["Body"] == "A 7H2K"
    assert sms.signature_is_valid(wired, sms.inbound_url(wired), came.form, came.signature)
    assert "You have R-7K3M-Q2 &amp; no other." in page(phone, f"/phones/{INES}/conversation")


def test_an_answer_in_a_body_element_is_seen_too(phone: Running, desk: Desk) -> None:
    desk.answer = "<Response><Message><Body>Thanks.</Body></Message></Response>"
    requests.post(f"{phone.base_url}/phones/{INES}", {"body": "hello"}, headers=HERE, timeout=PATIENCE_S)
    assert "Thanks." in page(phone, f"/phones/{INES}/conversation")


@pytest.mark.parametrize(
    ("deaf", "answer", "said"), [(1, "", "answered 503"), (0, "<Resp", "no usable answer")]
)
def test_a_desk_that_fails_is_named_in_the_conversation(
    phone: Running, desk: Desk, deaf: int, answer: str, said: str
) -> None:
    desk.deaf, desk.answer = deaf, answer
    requests.post(f"{phone.base_url}/phones/{INES}", {"body": "A 7H2K"}, headers=HERE, timeout=PATIENCE_S)
    assert said in page(phone, f"/phones/{INES}/conversation")


def test_a_foreign_page_cannot_write_texts(phone: Running, desk: Desk) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(
        f"{phone.base_url}/phones/{INES}", {"body": "A"}, headers=foreign, timeout=PATIENCE_S
    )
    assert answer.status_code == 403
    assert desk.heard == []


def test_a_foreign_name_for_this_machine_is_refused(phone: Running) -> None:
    answer = requests.get(phone.base_url, headers={"Host": "evil.example"}, timeout=PATIENCE_S)
    assert answer.status_code == 400


def test_what_people_write_is_shown_and_never_obeyed(phone: Running) -> None:
    written = {"body": "<script>alert(1)</script>"}
    requests.post(f"{phone.base_url}/phones/{INES}", written, headers=HERE, timeout=PATIENCE_S)
    shown = page(phone, f"/phones/{INES}/conversation")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize("path", ["/", "/phones/", f"/phones/{INES}", "/mail/ines@tempe.example"])
def test_every_page_says_that_it_is_a_stand_in(phone: Running, path: str) -> None:
    assert "nothing here reaches a real phone or mailbox" in page(phone, path)


@pytest.mark.parametrize("path", ["/", f"/phones/{INES}", "/mail/ines@tempe.example"])
def test_no_page_that_is_read_loads_itself_again(phone: Running, path: str) -> None:
    assert "http-equiv" not in page(phone, path)


@pytest.mark.usefixtures("texted")
def test_a_time_says_in_which_zone_it_is(phone: Running) -> None:
    zone = datetime.now().astimezone().tzname()
    assert re.search(rf"\d\d:\d\d {zone}</time>", page(phone, "/"))


def test_a_telephone_says_whose_it_is(tmp_path: Path) -> None:
    standin = create_standin(tmp_path, "http://127.0.0.1:1", "AC1", "token", names={INES: "Ines Vega"})
    shown = standin.test_client().get(f"/phones/{INES}", base_url="http://127.0.0.1").text
    assert '<h1 id="owner">Ines Vega, (480) 555-0142</h1>' in shown


def test_a_number_is_opened_as_people_type_it(phone: Running) -> None:
    answer = requests.get(f"{phone.base_url}/phones/", {"number": "+1 (480) 555-0142"}, timeout=PATIENCE_S)
    assert answer.url == f"{phone.base_url}/phones/{INES}"
    assert "no telephone number" in page(phone, "/phones/?number=12")


def test_a_mail_is_read_in_its_box(phone: Running, wired: Settings) -> None:
    MailSender(wired).send(
        "ines@tempe.example", "Hello", "See https://desk.example", "<b>Hi</b>", message_id="n1"
    )
    assert "Hello" in page(phone, "/mail/ines@tempe.example")
    assert 'href="https://desk.example"' in page(phone, "/mail/ines@tempe.example/1")
    html = requests.get(f"{phone.base_url}/mail/ines@tempe.example/1/html", timeout=PATIENCE_S)
    assert "<b>Hi</b>" in html.text
    assert "sandbox" in html.headers["Content-Security-Policy"]


def test_a_mail_is_not_read_in_another_box(phone: Running, wired: Settings) -> None:
    MailSender(wired).send("ines@tempe.example", "Hello", "Text", "<b>Hi</b>", message_id="n1")
    assert requests.get(f"{phone.base_url}/mail/olu@tempe.example/1", timeout=PATIENCE_S).status_code == 404


@pytest.mark.usefixtures("texted")
def test_tests_can_ask_for_texts(phone: Running) -> None:
    (message,) = requests.get(f"{phone.base_url}/api/messages", {"to": INES}, timeout=PATIENCE_S).json()
    assert (message["body"], message["status"]) == (TEXT, "delivered")


def test_nothing_of_it_outlives_it(settings: Settings, desk: Desk, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    # At this pace the message would be under way for minutes.
    with standin.running(tmp_path, desk.url, pace=1000) as phone:
        wired = replace(
            settings,
            desk_url=desk.url,
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=AUTH_TOKEN,
            twilio_from="+15550100000",
            twilio_api_base=phone.base_url,
        )
        SmsSender(wired).send(INES, TEXT, attempt_id="attempt1", validity_s=600)
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) <= before


def test_it_runs_as_a_program_and_forgets_nothing(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "notifications.standin", "--port", str(port), "--data", str(tmp_path)]
    names = tmp_path / "names.json"
    names.write_text(json.dumps({INES: "Ines Vega"}))
    command += ["--smtp-port", str(free_port()), "--desk-url", "http://127.0.0.1:1", "--names", str(names)]
    for seen in (0, 1):
        program = subprocess.Popen(command)
        try:
            until(lambda: _answers(f"http://127.0.0.1:{port}/api/messages"))
            assert (
                len(requests.get(f"http://127.0.0.1:{port}/api/messages", timeout=PATIENCE_S).json()) == seen
            )
            assert (
                "Ines Vega" in requests.get(f"http://127.0.0.1:{port}/phones/{INES}", timeout=PATIENCE_S).text
            )
            requests.post(f"http://127.0.0.1:{port}/phones/{INES}", {"body": "hello"}, timeout=PATIENCE_S)
        finally:
            program.terminate()
            assert program.wait(PATIENCE_S) == 0


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False
