"""Mail by smtplib itself, against the stand-in's mail server on a socket."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from foundation import outbox
from foundation.settings import Settings
from notifications import mail
from notifications.mail import MailSender
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.standin import Running
from tests.notifications.mail_servers import certificate, tls_server
from tests.waiting import PATIENCE_S

TEXT = "IMMINENT referral R-7K3M-Q2. Answer by 14:25.\n\nSign in:\nhttps://desk.waypost.example\n"
HTML = "<p>IMMINENT referral R-7K3M-Q2.</p>"
TRANSIENT, PERMANENT = OutcomeState.FAILED_TRANSIENT, OutcomeState.FAILED_PERMANENT


@pytest.fixture
def send(wired: Settings) -> Callable[..., Outcome]:
    """Sends the mail to the mailbox of that name."""

    def to(name: str, message_id: str = "notice1", settings: Settings = wired) -> Outcome:
        address = f"{name}@tempe.example"
        return MailSender(settings).send(address, "Café: ¿Sí?", TEXT, HTML, message_id=message_id)

    return to


def kept(phone: Running, name: str) -> list[dict[str, Any]]:
    """What the mailbox of that name holds."""
    answer = requests.get(f"{phone.base_url}/api/mail", {"to": f"{name}@tempe.example"}, timeout=PATIENCE_S)
    mails: list[dict[str, Any]] = answer.json()
    return mails


def test_a_mail_arrives_as_text_and_html(send: Callable[..., Outcome], phone: Running) -> None:
    assert send("ines") == Outcome(OutcomeState.ACCEPTED, provider_id="notice1")
    (arrived,) = kept(phone, "ines")
    assert (arrived["subject"], arrived["text"], arrived["html"].strip()) == ("Café: ¿Sí?", TEXT, HTML)


def test_a_mail_says_that_a_machine_sent_it(send: Callable[..., Outcome], phone: Running) -> None:
    send("ines")
    headers = kept(phone, "ines")[0]["headers"]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Id"] == "Waypost notices <notices.waypost.example>"
    assert headers["Message-ID"] == "<notice1@waypost.example>"
    assert headers["Date"].endswith("+0000")
    assert "Reply-To" not in headers


@pytest.mark.parametrize(
    ("name", "state", "action", "code"),
    [
        ("nobody", PERMANENT, Action.DISABLE_CONTACT, 550),
        ("full", TRANSIENT, Action.RETRY, 452),
        ("spam", PERMANENT, Action.NEXT_CONTACT, 554),
        ("grey", TRANSIENT, Action.RETRY, 451),
        ("cut", OutcomeState.UNKNOWN, Action.ASK, "cut_after_data"),
    ],
)
def test_each_answer_of_a_server_has_its_outcome(
    name: str, state: OutcomeState, action: Action, code: int | str, send: Callable[..., Outcome]
) -> None:
    assert send(name) == Outcome(state, action, code=code)


def test_grey_listing_passes_the_second_time(send: Callable[..., Outcome], phone: Running) -> None:
    assert send("grey.ines").state is TRANSIENT
    assert send("grey.ines").state is OutcomeState.ACCEPTED
    assert len(kept(phone, "grey.ines")) == 1


def test_a_mail_sent_again_carries_the_same_id(send: Callable[..., Outcome], phone: Running) -> None:
    send("cut.ines")
    send("cut.ines")
    assert len({one["message_id"] for one in kept(phone, "cut.ines")}) == 1


def test_a_server_that_is_not_there_is_tried_again(send: Callable[..., Outcome], wired: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = replace(wired, smtp_port=taken.getsockname()[1])
        assert send("ines", settings=away) == Outcome(TRANSIENT, Action.RETRY, code="not_reached")


def test_a_server_that_says_nothing_is_left_in_time(send: Callable[..., Outcome], wired: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        patient = replace(wired, smtp_port=mute.getsockname()[1], smtp_timeout_seconds=0.2)
        assert send("ines", settings=patient).action is Action.RETRY


def test_a_server_that_dribbles_is_cut_off_before_the_lease_ends(
    send: Callable[..., Outcome], wired: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outbox.LEASE.total_seconds() > mail.LONGEST_SECONDS + mail.LONGEST_CONNECT_SECONDS
    monkeypatch.setattr(mail, "LONGEST_SECONDS", 0.5)
    started = time.monotonic()
    with _tarpit() as port:
        outcome = send("ines", settings=replace(wired, smtp_port=port))
    assert outcome == Outcome(TRANSIENT, Action.RETRY, code="cut")
    assert time.monotonic() - started < PATIENCE_S


def test_nothing_goes_in_the_clear_to_another_machine(send: Callable[..., Outcome], wired: Settings) -> None:
    elsewhere = replace(wired, smtp_host="mail.tempe.example")
    assert send("ines", settings=elsewhere) == Outcome(PERMANENT, Action.CONFIGURATION, code="not_encrypted")


def test_without_a_server_nothing_is_sent(send: Callable[..., Outcome], wired: Settings) -> None:
    assert send("ines", settings=replace(wired, smtp_host="")).code == "not_configured"


def test_a_server_without_encryption_is_refused_where_it_is_asked_for(
    send: Callable[..., Outcome], wired: Settings, phone: Running
) -> None:
    outcome = send("ines", settings=replace(wired, smtp_security="starttls"))
    assert (outcome.state, outcome.action) == (TRANSIENT, Action.CONFIGURATION)
    assert kept(phone, "ines") == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_vouched_for_is_needed_and_is_enough(
    security: str,
    send: Callable[..., Outcome],
    wired: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = certificate(tmp_path)
    with tls_server(security, path) as port:
        guarded = replace(wired, smtp_security=security, smtp_port=port)
        assert send("ines", settings=guarded).action is Action.CONFIGURATION
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert send("ines", settings=guarded).state is OutcomeState.ACCEPTED


def test_a_server_that_speaks_no_tls_is_a_fault_of_the_set_up(
    send: Callable[..., Outcome], wired: Settings
) -> None:
    with _broken_tls() as port:
        outcome = send("ines", settings=replace(wired, smtp_security="tls", smtp_port=port))
    assert (outcome.state, outcome.action) == (TRANSIENT, Action.CONFIGURATION)


def test_a_password_without_a_server_that_asks_for_one_is_a_fault_of_the_set_up(
    send: Callable[..., Outcome], wired: Settings
) -> None:
    outcome = send("ines", settings=replace(wired, smtp_user="waypost", smtp_password="secret"))
    assert outcome.action is Action.CONFIGURATION


def test_no_log_holds_an_address_or_a_text(
    send: Callable[..., Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("ines", "nobody", "cut"):
        send(name)
    assert "tempe.example" not in caplog.text
    assert "7K3M" not in caplog.text


@contextmanager
def _tarpit() -> Iterator[int]:
    """A server whose greeting has a new line each tenth of a second and no end for two minutes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                for _ in range(1200):
                    connection.sendall(b"220-please wait\r\n")
                    time.sleep(0.1)

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


@contextmanager
def _broken_tls() -> Iterator[int]:
    """A server that answers a TLS greeting with something else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"220 hello\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
